//! `token_endpoint_auth_method`: how a client proves who it is. The one list.

use serde::{Deserialize, Serialize};

/// How a client authenticates at the token, introspection and revocation endpoints (RFC 7591 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// HTTP Basic with the secret (RFC 6749 2.3.1). The default of RFC 7591.
    #[default]
    ClientSecretBasic,
    /// The secret in the form (RFC 6749 2.3.1).
    ClientSecretPost,
    /// Not at all: a public client (RFC 6749 2.1).
    None,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::None => "none",
        }
    }

    /// Whether it needs a client secret.
    pub const fn needs_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost => true,
            Self::None => false,
        }
    }

    /// Whether a client with it is confidential (RFC 6749 2.1).
    pub const fn is_confidential(self) -> bool {
        !matches!(self, Self::None)
    }
}
