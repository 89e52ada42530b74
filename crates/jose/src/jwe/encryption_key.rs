//! Keys to encrypt to.

use super::EncryptError;
use super::content::{Cek, fresh_key, key_len};
use super::wrap::{Peer, aes_wrap, agree, algorithm, peer, wrapping_key_len};
use crate::jwk::{Attributes, Curve, Jwk, Material};
use crate::signing_key::ec_material;
use crate::{ContentEncryption, EncryptionAlgorithm, KeyError};
use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey, PublicEncryptingKey,
    PublicKeyComponents,
};
use aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256;
use serde_json::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A key to encrypt to, bound to one algorithm: the public key of the recipient, or a shared one.
pub struct EncryptionKey {
    alg: EncryptionAlgorithm,
    kid: Option<String>,
    recipient: Recipient,
}

enum Recipient {
    Rsa(OaepPublicEncryptingKey),
    Ec { curve: Curve, peer: Peer },
    Shared(Zeroizing<Vec<u8>>),
}

/// The content key and what the recipient needs to find it.
pub(super) struct Wrapped {
    pub(super) cek: Cek,
    pub(super) encrypted_key: Vec<u8>,
    pub(super) ephemeral: Option<Value>,
}

impl EncryptionKey {
    /// The recipient's public key, if its type fits `alg` and its `alg`, `use` and `key_ops` do not speak against it.
    pub fn from_jwk(jwk: &Jwk, alg: EncryptionAlgorithm) -> Result<Self, KeyError> {
        if !jwk.attributes().fits(alg.as_str()) {
            return Err(KeyError::Algorithm);
        }
        let (recipient, operations) = match (alg, jwk.material()) {
            (EncryptionAlgorithm::RsaOaep | EncryptionAlgorithm::RsaOaep256, Material::Rsa { n, e }) => {
                (Recipient::Rsa(rsa(n, e).ok_or(KeyError::Invalid)?), ["encrypt", "wrapKey"])
            }
            (
                EncryptionAlgorithm::EcdhEs | EncryptionAlgorithm::EcdhEsA128Kw | EncryptionAlgorithm::EcdhEsA256Kw,
                material @ Material::Ec { .. },
            ) => {
                let (curve, peer) = peer(material).ok_or(KeyError::Invalid)?;
                (Recipient::Ec { curve, peer }, ["deriveKey", "deriveBits"])
            }
            _ => return Err(KeyError::Algorithm),
        };
        if !jwk.attributes().allow("enc", &operations) {
            return Err(KeyError::Usage);
        }
        Ok(Self { alg, kid: jwk.kid().map(str::to_owned), recipient })
    }

    /// A key shared with the recipient, for `A128KW`, `A256KW` and `dir`.
    pub fn from_secret(alg: EncryptionAlgorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let secret = shared(alg, secret)?;
        Ok(Self { alg, kid: None, recipient: Recipient::Shared(secret) })
    }

    /// The same key under this `kid`.
    pub fn with_key_id(self, kid: impl Into<String>) -> Result<Self, KeyError> {
        let kid = Some(crate::jwk::key_id(&kid.into())?);
        Ok(Self { kid, ..self })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> EncryptionAlgorithm {
        self.alg
    }

    /// `kid`, if it has one.
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// A content key for one message.
    pub(super) fn wrap(&self, enc: ContentEncryption) -> Result<Wrapped, EncryptError> {
        match &self.recipient {
            Recipient::Shared(secret) if self.alg == EncryptionAlgorithm::Dir => {
                if secret.len() != key_len(enc) {
                    return Err(EncryptError::Algorithm);
                }
                Ok(Wrapped { cek: secret.clone(), encrypted_key: Vec::new(), ephemeral: None })
            }
            Recipient::Shared(secret) => {
                let cek = fresh_key(enc).ok_or(EncryptError::Failed)?;
                let encrypted_key = aes_wrap(secret, &cek).ok_or(EncryptError::Failed)?;
                Ok(Wrapped { cek, encrypted_key, ephemeral: None })
            }
            Recipient::Rsa(key) => wrap_rsa(key, self.alg, enc).ok_or(EncryptError::Failed),
            Recipient::Ec { curve, peer } => wrap_ec(*curve, peer, self.alg, enc).ok_or(EncryptError::Failed),
        }
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// A shared key of the length that the algorithm fixes; `dir` takes that of any content encryption.
pub(super) fn shared(alg: EncryptionAlgorithm, secret: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let fits = match alg {
        EncryptionAlgorithm::A128Kw | EncryptionAlgorithm::A256Kw => wrapping_key_len(alg) == Some(secret.len()),
        EncryptionAlgorithm::Dir => ContentEncryption::ALL.iter().any(|enc| key_len(*enc) == secret.len()),
        _ => return Err(KeyError::Algorithm),
    };
    if fits { Ok(Zeroizing::new(secret.to_vec())) } else { Err(KeyError::Strength) }
}

/// Whether `alg` is a `dir` whose key names its content encryption instead (RFC 7520 5.6).
pub(super) fn direct_for(alg: EncryptionAlgorithm, attributes: &Attributes) -> Option<ContentEncryption> {
    let enc = attributes.alg.as_deref().and_then(ContentEncryption::parse);
    enc.filter(|_| alg == EncryptionAlgorithm::Dir)
}

pub(super) fn oaep(alg: EncryptionAlgorithm) -> &'static OaepAlgorithm {
    if alg == EncryptionAlgorithm::RsaOaep { &OAEP_SHA1_MGF1SHA1 } else { &OAEP_SHA256_MGF1SHA256 }
}

fn rsa(n: &[u8], e: &[u8]) -> Option<OaepPublicEncryptingKey> {
    let parsed = PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256).ok()?;
    OaepPublicEncryptingKey::new(PublicEncryptingKey::from_der(parsed.as_ref()).ok()?).ok()
}

fn wrap_rsa(key: &OaepPublicEncryptingKey, alg: EncryptionAlgorithm, enc: ContentEncryption) -> Option<Wrapped> {
    let cek = fresh_key(enc)?;
    let mut encrypted_key = vec![0; key.ciphertext_size()];
    let length = key.encrypt(oaep(alg), &cek, &mut encrypted_key, None).ok()?.len();
    encrypted_key.truncate(length);
    Some(Wrapped { cek, encrypted_key, ephemeral: None })
}

fn wrap_ec(curve: Curve, peer: &Peer, alg: EncryptionAlgorithm, enc: ContentEncryption) -> Option<Wrapped> {
    let mine = PrivateKey::generate(algorithm(curve)).ok()?;
    let material = ec_material(curve, mine.compute_public_key().ok()?.as_ref())?;
    let ephemeral = Some(serde_json::to_value(Jwk::new(material, Attributes::default())).ok()?);
    let agreed = agree(&mine, peer, (alg, enc), (&[], &[]))?;
    if wrapping_key_len(alg).is_none() {
        return Some(Wrapped { cek: agreed, encrypted_key: Vec::new(), ephemeral });
    }
    let cek = fresh_key(enc)?;
    let encrypted_key = aes_wrap(&agreed, &cek)?;
    Some(Wrapped { cek, encrypted_key, ephemeral })
}
