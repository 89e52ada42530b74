//! Public keys that verify.

use crate::jwk::{Curve, Jwk, Material};
use crate::{JwkThumbprint, KeyError, SigningAlgorithm};
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PSS_2048_8192_SHA256,
};

/// A public key bound to one algorithm, parsed once.
#[derive(Debug)]
pub struct VerifyingKey {
    key: ParsedPublicKey,
    alg: SigningAlgorithm,
    kid: Option<String>,
    thumbprint: JwkThumbprint,
}

impl VerifyingKey {
    /// The key as a verifier of `alg`, if its `kty` and `crv` fit, its `alg`, `use` and `key_ops` do not speak against
    /// it, and its numbers form a key.
    pub fn from_jwk(jwk: &Jwk, alg: SigningAlgorithm) -> Result<Self, KeyError> {
        if !jwk.attributes().fits(alg.as_str()) {
            return Err(KeyError::Algorithm);
        }
        if !jwk.attributes().allow("sig", &["verify"]) {
            return Err(KeyError::Usage);
        }
        let key = parse(jwk.material(), alg)?;
        Ok(Self { key, alg, kid: jwk.kid().map(str::to_owned), thumbprint: JwkThumbprint::of(jwk.material()) })
    }

    /// The same key without a name (RFC 7517 4.5).
    #[must_use]
    pub fn without_key_id(self) -> Self {
        Self { kid: None, ..self }
    }

    /// The algorithm that it verifies.
    pub fn algorithm(&self) -> SigningAlgorithm {
        self.alg
    }

    /// `kid`, if the key has one.
    pub fn key_id(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The thumbprint of the key.
    pub fn thumbprint(&self) -> JwkThumbprint {
        self.thumbprint
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.key.verify_sig(message, signature).is_ok()
    }
}

fn parse(material: &Material, alg: SigningAlgorithm) -> Result<ParsedPublicKey, KeyError> {
    let parsed = match (alg, material) {
        (SigningAlgorithm::Es256, Material::Ec { curve: Curve::P256, x, y }) => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, Material::point(x, y))
        }
        (SigningAlgorithm::Es384, Material::Ec { curve: Curve::P384, x, y }) => {
            ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, Material::point(x, y))
        }
        (SigningAlgorithm::Rs256, Material::Rsa { n, e }) => {
            PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        }
        (SigningAlgorithm::Ps256, Material::Rsa { n, e }) => {
            PublicKeyComponents { n, e }.to_parsed_public_key(&RSA_PSS_2048_8192_SHA256)
        }
        (SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519, Material::Ed25519 { x }) => {
            ParsedPublicKey::new(&ED25519, x)
        }
        _ => return Err(KeyError::Algorithm),
    };
    parsed.map_err(|_| KeyError::Invalid)
}
