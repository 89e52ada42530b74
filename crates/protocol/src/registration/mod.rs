//! Clients that nobody declared: those that register themselves (RFC 7591, RFC 7592), and those whose `client_id` is the
//! URL of a document that describes them (draft-ietf-oauth-client-id-metadata-document). Both live under one policy of
//! the tenant, which is off unless somebody switches it on.

pub mod document;
mod error;
mod host;
mod origin;
mod policy;
mod request;
mod response;
mod token;

pub use error::{RegistrationError, RegistrationErrorCode};
pub use host::HostPattern;
pub use origin::{DocumentDigest, Origin, Registered};
pub use policy::{DynamicRegistration, RegistrationPolicy, Tier};
pub use request::{replaced, requested};
pub use response::{Issued, response};
pub use token::{InitialAccessToken, TokenHash, access_token, initial_access_token};
