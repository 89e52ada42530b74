//! Postman's collection format v2.1.0 (<https://schema.getpostman.com/json/collection/v2.1.0/>), read and written as far as it
//! concerns requests and their OAuth 2.0 settings.

mod auth;
mod auth_written;
mod body;
mod json;
mod read;
mod url;
mod write;

pub use read::{Foreign, Imported, from_postman, is_postman};
pub use write::{PostmanFile, to_postman};

/// What `info.schema` says of a collection that is written.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// How the identifiers of token requests begin that an export adds: an import knows them by it.
const TOKEN_REQUEST: &str = "grantor-token-request-";

/// The values of `grant_type` among Postman's OAuth 2.0 settings.
mod grant_type {
    pub(super) const CODE: &str = "authorization_code";
    pub(super) const CODE_WITH_PKCE: &str = "authorization_code_with_pkce";
    pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";
    pub(super) const IMPLICIT: &str = "implicit";
    pub(super) const PASSWORD: &str = "password_credentials";
}
