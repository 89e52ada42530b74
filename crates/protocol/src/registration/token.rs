//! Initial access tokens (RFC 7591 3) and registration access tokens (RFC 7592 1.2): 256 bits of entropy, a prefix and a
//! checksum; only their hashes are kept.

use crate::client::prefixed_secret;
use crate::value::{Secret, UnixTime};
use grantor_jose::{base64url, constant_time_eq, digest};
use serde::{Deserialize, Serialize};

/// What is kept of a token: SHA-256, base64url.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// Of a token that was just made.
    pub fn of(token: &Secret) -> Self {
        Self(base64url::encode(digest::sha256(token.expose().as_bytes())))
    }

    /// Whether it is this token's, in constant time.
    pub fn matches(&self, token: &Secret) -> bool {
        constant_time_eq(self.0.as_bytes(), Self::of(token).0.as_bytes())
    }
}

impl std::fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenHash")
    }
}

/// What is kept of an initial access token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitialAccessToken {
    /// What an administrator calls it.
    pub name: String,
    /// What is kept of it.
    pub token_hash: TokenHash,
    /// When it was made.
    pub created: UnixTime,
    /// When it stops to work.
    pub expires: UnixTime,
    /// How many clients may still be registered with it.
    pub uses: u32,
}

impl InitialAccessToken {
    /// Whether it still works.
    pub fn is_alive(&self, now: UnixTime) -> bool {
        now < self.expires && self.uses > 0
    }
}

/// A new initial access token, from fresh random bytes.
pub fn initial_access_token(random: [u8; 32]) -> Secret {
    prefixed_secret("gr_ia_", random)
}

/// A new registration access token, from fresh random bytes.
pub fn access_token(random: [u8; 32]) -> Secret {
    prefixed_secret("gr_ra_", random)
}
