//! A session: one browser's sign-in.

use crate::value::{Subject, TenantName, UnixTime};
use serde::{Deserialize, Serialize};

/// How somebody proved who he is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// `auth_time` (OpenID Connect Core 2).
    pub time: UnixTime,
    /// `acr`: the class that was reached.
    pub acr: String,
    /// `amr`: the methods used (RFC 8176).
    pub amr: Vec<String>,
}

/// One browser's sign-in. The browser holds a random value; the store holds its SHA-256 only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The tenant that it belongs to.
    pub tenant: TenantName,
    /// SHA-256 of the cookie's value.
    pub key: [u8; 32],
    /// `sid` (OpenID Connect Front-Channel Logout 3): names the session to clients without opening it.
    pub sid: String,
    /// Who signed in.
    pub subject: Subject,
    /// How.
    pub authentication: Authentication,
    /// When it ends by itself.
    pub expires: UnixTime,
}
