//! Keys, as they are stored: what is private is sealed under the master key and means nothing here.

use crate::value::{TenantName, UnixTime};
use grantor_jose::{EncryptionAlgorithm, SigningAlgorithm};
use serde::{Deserialize, Serialize};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "use", content = "alg", rename_all = "lowercase")]
pub enum KeyKind {
    /// Signs JWTs; published in the JWKS.
    Sig(SigningAlgorithm),
    /// What is encrypted to this server is decrypted with (RFC 9101 6.1); published in the JWKS.
    Enc(EncryptionAlgorithm),
    /// Seals and authenticates handles: opaque tokens, codes, refresh tokens, form state. Never leaves the server.
    Handle,
    /// Makes pairwise subjects (OpenID Connect Core 8.1). Never rotated: a subject must stay the same.
    Pairwise,
}

/// A key and its times. It is published from `published` on, used from `active` on until a younger key is active,
/// and dropped at `expires`, when nothing made with it can still be alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The tenant that it belongs to.
    pub tenant: TenantName,
    /// `kid`; for signing keys the thumbprint of RFC 7638.
    pub kid: String,
    /// What it is for.
    pub kind: KeyKind,
    /// The private part, sealed under the master key.
    pub sealed: Vec<u8>,
    /// When it was made and published.
    pub published: UnixTime,
    /// From when on it is used.
    pub active: UnixTime,
    /// When it is dropped; none while it is the active key or the next one.
    pub expires: Option<UnixTime>,
}
