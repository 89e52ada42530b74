//! The token response (RFC 6749 5.1, OpenID Connect Core 3.1.3.3).

use crate::authorization_details::AuthorizationDetails;
use crate::value::{Scope, Seconds};
use serde::Serialize;

/// What a client gets. `Debug` is not implemented on purpose.
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// How it is to be presented (RFC 6750).
    pub token_type: &'static str,
    /// For how long it is good, in seconds.
    pub expires_in: Seconds,
    /// What it allows. Said whenever there is something: it may be less than was asked for.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// What it allows that a scope is too coarse to say (RFC 9396 7).
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The refresh token, for clients that are registered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token, when `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}
