//! Keys that open.

use super::content::{Cek, fresh_key, key_len};
use super::encryption_key::{direct_for, oaep, shared};
use super::header::Header;
use super::wrap::{aes_unwrap, agree, algorithm, peer, wrapping_key_len};
use crate::jwk::{Attributes, Curve, Jwk, Material, PrivateJwk, Secret, key_id};
use crate::signing_key::ec_material;
use crate::{ContentEncryption, EncryptionAlgorithm, JwkThumbprint, KeyError, SigningAlgorithm, SigningKey};
use aws_lc_rs::agreement::PrivateKey;
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use std::fmt;
use zeroize::Zeroizing;

/// A private or shared key bound to one algorithm, parsed once. Debug shows the algorithm and the identifier alone.
pub struct DecryptionKey {
    alg: EncryptionAlgorithm,
    /// Under `dir`, a key may be for one content encryption only.
    enc: Option<ContentEncryption>,
    kid: Option<String>,
    public: Option<Material>,
    pkcs8: Zeroizing<Vec<u8>>,
    secret: Opener,
}

enum Opener {
    Rsa(OaepPrivateDecryptingKey),
    Ec { curve: Curve, key: PrivateKey },
    Shared(Zeroizing<Vec<u8>>),
}

impl DecryptionKey {
    /// A fresh key pair: RSA of 2048 bits, or on P-256. Its identifier is its thumbprint. Shared keys are not made here.
    pub fn generate(alg: EncryptionAlgorithm) -> Result<Self, KeyError> {
        let kind = if is_rsa(alg) { SigningAlgorithm::Rs256 } else { SigningAlgorithm::Es256 };
        if !is_rsa(alg) && !is_ec(alg) {
            return Err(KeyError::Algorithm);
        }
        Self::from_pkcs8(alg, SigningKey::generate(kind)?.to_pkcs8())
    }

    /// A private key from its PKCS#8 document. The identifier is the thumbprint.
    pub fn from_pkcs8(alg: EncryptionAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        let (secret, public) = if is_rsa(alg) {
            let public = SigningKey::from_pkcs8(SigningAlgorithm::Rs256, der)?.public_jwk().material().clone();
            (rsa(der)?, public)
        } else if is_ec(alg) {
            ec_from_pkcs8(der).ok_or(KeyError::Invalid)?
        } else {
            return Err(KeyError::Algorithm);
        };
        let kid = Some(JwkThumbprint::of(&public).to_string());
        Ok(Self { alg, enc: None, kid, public: Some(public), pkcs8: Zeroizing::new(der.to_vec()), secret })
    }

    /// A private or shared key from JSON, if its type fits `alg` and its `alg`, `use` and `key_ops` do not speak
    /// against it.
    pub fn from_jwk(jwk: &PrivateJwk, alg: EncryptionAlgorithm) -> Result<Self, KeyError> {
        let attributes = &jwk.attributes;
        let enc = direct_for(alg, attributes);
        if enc.is_none() && !attributes.fits(alg.as_str()) {
            return Err(KeyError::Algorithm);
        }
        if !attributes.allow("enc", &["decrypt", "unwrapKey", "deriveKey", "deriveBits"]) {
            return Err(KeyError::Usage);
        }
        let (secret, pkcs8) = match &jwk.secret {
            Secret::Rsa { .. } if is_rsa(alg) => {
                let pkcs8 = jwk.secret.rsa_pkcs8()?;
                (rsa(&pkcs8)?, pkcs8)
            }
            Secret::Ec { public, d } if is_ec(alg) => {
                (ec_from_numbers(public, d).ok_or(KeyError::Invalid)?, Zeroizing::default())
            }
            Secret::Oct { k } => (Opener::Shared(shared(alg, k)?), Zeroizing::default()),
            _ => return Err(KeyError::Algorithm),
        };
        Ok(Self { alg, enc, kid: attributes.kid.clone(), public: jwk.secret.public().cloned(), pkcs8, secret })
    }

    /// A key shared with the sender, for `A128KW`, `A256KW` and `dir`. It has no identifier.
    pub fn from_secret(alg: EncryptionAlgorithm, secret: &[u8]) -> Result<Self, KeyError> {
        let secret = Opener::Shared(shared(alg, secret)?);
        Ok(Self { alg, enc: None, kid: None, public: None, pkcs8: Zeroizing::default(), secret })
    }

    /// The same key under another identifier, of 1 to 512 bytes.
    pub fn with_key_id(self, kid: impl Into<String>) -> Result<Self, KeyError> {
        let kid = Some(key_id(&kid.into())?);
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

    /// The PKCS#8 document of a key that was generated or made from one.
    pub fn to_pkcs8(&self) -> Option<&[u8]> {
        (!self.pkcs8.is_empty()).then_some(self.pkcs8.as_slice())
    }

    /// The public half, to be published, with `kid`, `alg` and `use: enc`; a shared key has none.
    pub fn public_jwk(&self) -> Option<Jwk> {
        let attributes = Attributes {
            kid: self.kid.clone(),
            usage: Some("enc".to_owned()),
            operations: None,
            alg: Some(self.alg.as_str().to_owned()),
        };
        Some(Jwk::new(self.public.clone()?, attributes))
    }

    pub(super) fn accepts(&self, alg: EncryptionAlgorithm, enc: ContentEncryption) -> bool {
        self.alg == alg && self.enc.is_none_or(|only| only == enc)
    }

    /// The content key. For RSA it is random when it does not unwrap (RFC 7516 11.5).
    pub(super) fn unwrap(&self, header: &Header, encrypted_key: &[u8]) -> Option<Cek> {
        let enc = header.enc();
        match &self.secret {
            Opener::Rsa(key) => unwrap_rsa(key, self.alg, enc, encrypted_key),
            Opener::Ec { curve, key } => {
                let agreement = header.agreement.as_ref()?;
                let (theirs, ephemeral) = peer(agreement.ephemeral.material())?;
                if theirs != *curve {
                    return None;
                }
                let agreed = agree(key, &ephemeral, (self.alg, enc), (&agreement.apu, &agreement.apv))?;
                match wrapping_key_len(self.alg) {
                    Some(_) => aes_unwrap(&agreed, encrypted_key, key_len(enc)),
                    None => encrypted_key.is_empty().then_some(agreed),
                }
            }
            Opener::Shared(secret) if self.alg == EncryptionAlgorithm::Dir => {
                encrypted_key.is_empty().then(|| secret.clone())
            }
            Opener::Shared(secret) => aes_unwrap(secret, encrypted_key, key_len(enc)),
        }
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecryptionKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

const fn is_rsa(alg: EncryptionAlgorithm) -> bool {
    matches!(alg, EncryptionAlgorithm::RsaOaep | EncryptionAlgorithm::RsaOaep256)
}

const fn is_ec(alg: EncryptionAlgorithm) -> bool {
    use EncryptionAlgorithm::{EcdhEs, EcdhEsA128Kw, EcdhEsA256Kw};
    matches!(alg, EcdhEs | EcdhEsA128Kw | EcdhEsA256Kw)
}

fn rsa(der: &[u8]) -> Result<Opener, KeyError> {
    let key = PrivateDecryptingKey::from_pkcs8(der).map_err(|_| KeyError::Invalid)?;
    OaepPrivateDecryptingKey::new(key).map(Opener::Rsa).map_err(|_| KeyError::Invalid)
}

fn ec_from_pkcs8(der: &[u8]) -> Option<(Opener, Material)> {
    [Curve::P256, Curve::P384, Curve::P521].into_iter().find_map(|curve| {
        let key = PrivateKey::from_private_key_der(algorithm(curve), der).ok()?;
        let public = ec_material(curve, key.compute_public_key().ok()?.as_ref())?;
        Some((Opener::Ec { curve, key }, public))
    })
}

/// A private key whose public half is the one that stands beside it.
fn ec_from_numbers(public: &Material, d: &[u8]) -> Option<Opener> {
    let Material::Ec { curve, .. } = public else { return None };
    let key = PrivateKey::from_private_key(algorithm(*curve), d).ok()?;
    let computed = ec_material(*curve, key.compute_public_key().ok()?.as_ref())?;
    (computed == *public).then_some(Opener::Ec { curve: *curve, key })
}

fn unwrap_rsa(
    key: &OaepPrivateDecryptingKey,
    alg: EncryptionAlgorithm,
    enc: ContentEncryption,
    encrypted_key: &[u8],
) -> Option<Cek> {
    let mut cek = fresh_key(enc)?;
    let mut buffer = Zeroizing::new(vec![0; key.min_output_size()]);
    if let Ok(unwrapped) = key.decrypt(oaep(alg), encrypted_key, &mut buffer, None)
        && unwrapped.len() == cek.len()
    {
        cek.copy_from_slice(unwrapped);
    }
    Some(cek)
}
