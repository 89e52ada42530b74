//! The words of the rules: one newtype per noun, each with one door in.

mod id;
mod pkce;
mod redirect;
mod resource;
mod scope;
mod secret;
mod text;
mod time;

pub use id::{ClientId, CodeId, EventId, GrantId, Subject, TenantName, TokenId};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use redirect::RedirectUri;
pub use resource::{Issuer, Resource};
pub use scope::{Scope, ScopeToken};
pub use secret::Secret;
pub use text::Text;
pub use time::{Seconds, UnixTime};
