//! `token_endpoint_auth_method`: how a client proves who it is. The one list.

use grantor_jose::SigningAlgorithm;
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
    /// A JWT under a MAC with the secret (OpenID Connect Core 9).
    ClientSecretJwt,
    /// A JWT signed with the client's own key (RFC 7523 2.2, OpenID Connect Core 9), or one of an issuer that the client
    /// trusts to speak for it: a federated credential.
    PrivateKeyJwt,
    /// A certificate of a trusted authority with the right subject (RFC 8705 2.1).
    TlsClientAuth,
    /// A certificate that was registered itself (RFC 8705 2.2).
    SelfSignedTlsClientAuth,
    /// Not at all: a public client (RFC 6749 2.1).
    None,
}

impl AuthMethod {
    /// Every method.
    pub const ALL: [Self; 7] = [
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::TlsClientAuth,
        Self::SelfSignedTlsClientAuth,
        Self::None,
    ];

    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::ClientSecretJwt => "client_secret_jwt",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
            Self::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
            Self::None => "none",
        }
    }

    /// Whether it needs a client secret.
    pub const fn needs_secret(self) -> bool {
        match self {
            Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt => true,
            Self::PrivateKeyJwt | Self::TlsClientAuth | Self::SelfSignedTlsClientAuth | Self::None => false,
        }
    }

    /// Whether it shows a certificate at the listener for mutual TLS.
    pub const fn needs_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTlsClientAuth)
    }

    /// Whether a client with it is confidential (RFC 6749 2.1).
    pub const fn is_confidential(self) -> bool {
        !matches!(self, Self::None)
    }
}

/// `token_endpoint_auth_signing_alg` (OpenID Connect Dynamic Client Registration 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AssertionAlgorithm {
    /// A signature, for `private_key_jwt`.
    Signature(SigningAlgorithm),
    /// A MAC, for `client_secret_jwt`.
    Mac(SecretAlgorithm),
}

/// The one MAC of `client_secret_jwt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecretAlgorithm {
    /// HMAC with SHA-256 (RFC 7518 3.2).
    #[serde(rename = "HS256")]
    Hs256,
}
