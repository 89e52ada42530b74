//! What an administrator declares: tenants, APIs, clients, users, policies, and the keys that the server makes for them.

mod api;
mod client_record;
mod key;
mod operation;
mod policy;
mod snapshot;
mod table;
mod tenant;
mod user;

pub use api::{Api, ApiRole, ApiScope, AuthorizationDetailsType, Ceiling, RequiredBinding, TokenFormat, TokenProfile};
pub use client_record::{ClientRecord, ParsedClients};
pub use key::{KeyKind, KeyRecord};
pub use operation::{Method, NoOperationPath, Operation, OperationPath};
pub use policy::Policy;
pub use snapshot::{Directory, DirectoryRecords, PackedDirectory};
pub use table::{Named, Table};
pub use tenant::{Lifetimes, Tenant};
pub use user::{User, UserClaims};
