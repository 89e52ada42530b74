//! Private keys that sign. Parsed once; signing never parses again.

use crate::jwk::{Attributes, Curve, Jwk, Material, key_id};
use crate::jws::SignError;
use crate::{JwkThumbprint, KeyError, SigningAlgorithm, VerifyingKey, der};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
};
use std::fmt;
use zeroize::Zeroizing;

/// A private key bound to one algorithm. Debug shows the algorithm and the identifier alone.
pub struct SigningKey {
    pair: Pair,
    alg: SigningAlgorithm,
    kid: String,
    material: Material,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// A fresh key; RSA keys have 2048 bits. The identifier is the thumbprint.
    pub fn generate(alg: SigningAlgorithm) -> Result<Self, KeyError> {
        let document = match alg {
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 => EcdsaKeyPair::generate(curve(alg)?.1)
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| pair.as_der())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
            SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| Zeroizing::new(document.as_ref().to_vec())),
        };
        Self::from_pkcs8(alg, &document.map_err(|_| KeyError::Generation)?)
    }

    /// A key from its PKCS#8 document. The identifier is the thumbprint.
    pub fn from_pkcs8(alg: SigningAlgorithm, der: &[u8]) -> Result<Self, KeyError> {
        let (pair, material) = match alg {
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 => ec(alg, der)?,
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => rsa(der)?,
            SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => ed25519(der)?,
        };
        let kid = JwkThumbprint::of(&material).to_string();
        Ok(Self { pair, alg, kid, material, pkcs8: Zeroizing::new(der.to_vec()) })
    }

    /// The PKCS#8 document that it was made from. Whoever copies it must protect the copy.
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The algorithm that it signs with.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.alg
    }

    /// `kid`: the RFC 7638 thumbprint unless it was given another.
    pub fn key_id(&self) -> &str {
        &self.kid
    }

    /// The same key under another identifier, of 1 to 512 bytes.
    pub fn with_key_id(self, kid: impl Into<String>) -> Result<Self, KeyError> {
        let kid = key_id(&kid.into())?;
        Ok(Self { kid, ..self })
    }

    /// The public half, to be published: with `kid`, `alg` and `use: sig`.
    pub fn public_jwk(&self) -> Jwk {
        let attributes = Attributes {
            kid: Some(self.kid.clone()),
            usage: Some("sig".to_owned()),
            operations: None,
            alg: Some(self.alg.as_str().to_owned()),
        };
        Jwk::new(self.material.clone(), attributes)
    }

    /// The public half, to verify with.
    pub fn verifying_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::from_jwk(&self.public_jwk(), self.alg)
    }

    /// The thumbprint of the public half, whatever the identifier.
    pub fn thumbprint(&self) -> JwkThumbprint {
        JwkThumbprint::of(&self.material)
    }

    /// The raw signature of a message, in the form that JWS wants.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match &self.pair {
            Pair::Ec(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|it| it.as_ref().to_vec()).map_err(|_| SignError::Failed)
            }
            Pair::Ed25519(pair) => pair.try_sign(message).map(|it| it.as_ref().to_vec()).map_err(|_| SignError::Failed),
            Pair::Rsa(pair) => {
                let padding = if self.alg == SigningAlgorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| SignError::Failed)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("alg", &self.alg).field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn curve(alg: SigningAlgorithm) -> Result<(Curve, &'static EcdsaSigningAlgorithm), KeyError> {
    match alg {
        SigningAlgorithm::Es256 => Ok((Curve::P256, &ECDSA_P256_SHA256_FIXED_SIGNING)),
        SigningAlgorithm::Es384 => Ok((Curve::P384, &ECDSA_P384_SHA384_FIXED_SIGNING)),
        _ => Err(KeyError::Algorithm),
    }
}

fn ec(alg: SigningAlgorithm, der: &[u8]) -> Result<(Pair, Material), KeyError> {
    let (curve, alg) = curve(alg)?;
    let pair = EcdsaKeyPair::from_pkcs8(alg, der).map_err(|_| KeyError::Invalid)?;
    let material = ec_material(curve, pair.public_key().as_ref()).ok_or(KeyError::Invalid)?;
    Ok((Pair::Ec(pair), material))
}

fn rsa(der: &[u8]) -> Result<(Pair, Material), KeyError> {
    let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| KeyError::Invalid)?;
    let (n, e) = der::rsa_public_key(pair.public_key().as_ref()).ok_or(KeyError::Invalid)?;
    Ok((Pair::Rsa(pair), Material::rsa(n, e)?))
}

fn ed25519(der: &[u8]) -> Result<(Pair, Material), KeyError> {
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Invalid)?;
    let x = pair.public_key().as_ref().try_into().map_err(|_| KeyError::Invalid)?;
    Ok((Pair::Ed25519(pair), Material::Ed25519 { x }))
}

/// The coordinates of an uncompressed point.
pub(crate) fn ec_material(curve: Curve, point: &[u8]) -> Option<Material> {
    let (4, coordinates) = point.split_first().map(|(form, rest)| (*form, rest))? else { return None };
    let (x, y) = coordinates.split_at_checked(curve.field_len())?;
    (y.len() == curve.field_len()).then(|| Material::Ec { curve, x: x.to_vec(), y: y.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_storage() {
        for alg in SigningAlgorithm::ALL {
            let key = SigningKey::generate(*alg).unwrap();
            let again = SigningKey::from_pkcs8(*alg, key.to_pkcs8()).unwrap();
            assert_eq!(key.public_jwk(), again.public_jwk(), "{alg}");
            assert_eq!(key.key_id(), key.thumbprint().to_string());
            assert_eq!(crate::thumbprint(&key.public_jwk()), key.thumbprint());
            assert!(key.verifying_key().is_ok());
        }
    }

    #[test]
    fn a_key_of_another_type_is_refused() {
        let p256 = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
        for alg in SigningAlgorithm::ALL.iter().filter(|alg| **alg != SigningAlgorithm::Es256) {
            assert_eq!(SigningKey::from_pkcs8(*alg, p256.to_pkcs8()).unwrap_err(), KeyError::Invalid, "{alg}");
        }
    }

    #[test]
    fn an_identifier_may_be_given() {
        let key = SigningKey::generate(SigningAlgorithm::Ed25519).unwrap().with_key_id("mine").unwrap();
        assert_eq!(key.key_id(), "mine");
        assert_eq!(key.public_jwk().kid(), Some("mine"));
        assert_eq!(key.with_key_id("").unwrap_err(), KeyError::KeyId);
    }

    #[test]
    fn debug_shows_no_key_and_the_type_is_shared_between_threads() {
        fn shared<T: Send + Sync>(_: &T) {}
        let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap().with_key_id("k").unwrap();
        shared(&key);
        assert_eq!(format!("{key:?}"), "SigningKey { alg: Es256, kid: \"k\", .. }");
    }
}
