//! Security profiles: what a client must do, as values.

use serde::{Deserialize, Serialize};

/// How strict the server is with a client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Profile {
    /// OAuth 2.1: PKCE for every authorization code.
    #[default]
    #[serde(rename = "oauth2.1")]
    OAuth21,
    /// What OpenID certification asks for: a confidential client may omit PKCE.
    #[serde(rename = "oidc")]
    Oidc,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 2] = [Self::OAuth21, Self::Oidc];

    /// Whether an authorization request must carry a code challenge (OAuth 2.1 4.1.1). OpenID Connect
    /// knows clients without: their secret still guards the code, and a nonce guards against injection (RFC 9700 2.1.1).
    pub fn requires_pkce(self, confidential: bool) -> bool {
        match self {
            Self::OAuth21 => true,
            Self::Oidc => !confidential,
        }
    }
}
