//! What OAuth 2.1 and OpenID Connect allow, decided by functions that know no HTTP, no SQL, no async, no clock and
//! no randomness: `now` and fresh identifiers come in as values. Every rule names its section.

pub mod audit;
pub mod authorization_details;
pub mod authorize;
pub mod client;
pub mod desk;
pub mod directory;
pub mod error;
pub mod forward_auth;
pub mod grant;
pub mod id_token;
pub mod introspection;
pub mod logout;
pub mod made;
pub mod metadata;
pub mod narrow;
pub mod params;
pub mod profile;
pub mod protected_resource;
pub mod registration;
pub mod revocation;
pub mod session;
pub mod status_list;
pub mod token;
pub mod undefended;
pub mod userinfo;
pub mod value;
pub mod workspace;

pub use error::{ErrorCode, Refusal};
