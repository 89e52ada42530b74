//! What an administrator declares: tenants, APIs, clients, users, policies, and the keys that the server makes for them.

mod api;
mod key;
mod policy;
mod snapshot;
mod tenant;
mod user;

pub use api::{Api, ApiRole, ApiScope, AuthorizationDetailsType, Ceiling, RequiredBinding, TokenFormat, TokenProfile};
pub use key::{KeyKind, KeyRecord};
pub use policy::Policy;
pub use snapshot::{Directory, DirectoryRecords};
pub use tenant::{Lifetimes, Tenant};
pub use user::{User, UserClaims};
