//! Private and symmetric keys as JSON: those that a client brings, and those of test vectors.

use super::{Attributes, Jwk, MAX_JWK, Material, Members};
use crate::{KeyError, MacAlgorithm, SigningAlgorithm, SigningKey, json, jws::SharedSecret};
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroizing;

/// A private or symmetric key. Debug shows the type alone; the secret numbers are zeroed on drop.
pub struct PrivateJwk {
    pub(crate) secret: Secret,
    pub(crate) attributes: Attributes,
}

pub(crate) type Bytes = Zeroizing<Vec<u8>>;

pub(crate) enum Secret {
    Ec { public: Material, d: Bytes },
    Rsa { public: Material, factors: Box<Factors> },
    Ed25519 { public: Material, d: Bytes },
    Oct { k: Bytes },
}

/// RFC 7518 6.3.2, all of them required here.
pub(crate) struct Factors {
    d: Bytes,
    p: Bytes,
    q: Bytes,
    dp: Bytes,
    dq: Bytes,
    qi: Bytes,
}

impl PrivateJwk {
    /// A private or symmetric key from its JSON text.
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let json = json.as_ref();
        if json.len() > MAX_JWK {
            return Err(KeyError::TooLarge);
        }
        Self::from_members(&json::parse_object(json).ok_or(KeyError::Syntax)?)
    }

    /// The same from the members of an object that was read strictly (see [`crate::parse_object`]).
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let members = Members(members);
        let attributes = Attributes::from_members(&members)?;
        Ok(Self { secret: Secret::from_members(&members)?, attributes })
    }

    /// The public half, which a symmetric key does not have. `key_ops` stays behind: it speaks of the private half.
    pub fn public(&self) -> Option<Jwk> {
        let attributes = Attributes { operations: None, ..self.attributes.clone() };
        Some(Jwk::new(self.secret.public()?.clone(), attributes))
    }

    /// `kid`.
    pub fn kid(&self) -> Option<&str> {
        self.attributes.kid.as_deref()
    }

    /// `alg`.
    pub fn alg(&self) -> Option<&str> {
        self.attributes.alg.as_deref()
    }

    /// A key that signs with `alg`. It keeps its `kid`.
    pub fn signing_key(&self, alg: SigningAlgorithm) -> Result<SigningKey, KeyError> {
        if !self.attributes.fits(alg.as_str()) {
            return Err(KeyError::Algorithm);
        }
        if !self.attributes.allow("sig", &["sign"]) {
            return Err(KeyError::Usage);
        }
        let key = SigningKey::from_pkcs8(alg, &self.secret.pkcs8(alg)?)?;
        match self.kid() {
            Some(kid) => key.with_key_id(kid.to_owned()),
            None => Ok(key),
        }
    }

    /// A shared secret for `alg`, if this is a symmetric key.
    pub fn shared_secret(&self, alg: MacAlgorithm) -> Result<SharedSecret, KeyError> {
        if !self.attributes.fits(alg.as_str()) {
            return Err(KeyError::Algorithm);
        }
        if !self.attributes.allow("sig", &["sign", "verify"]) {
            return Err(KeyError::Usage);
        }
        match &self.secret {
            Secret::Oct { k } => Ok(SharedSecret::new(alg, k)?.with_key_id(self.attributes.kid.clone())),
            _ => Err(KeyError::Algorithm),
        }
    }
}

impl Secret {
    fn from_members(members: &Members<'_>) -> Result<Self, KeyError> {
        let secret = |name: &str| members.bytes(name).map(Zeroizing::new);
        if members.required("kty")? == "oct" {
            return Ok(Self::Oct { k: secret("k")? });
        }
        let public = Material::from_members(members)?;
        match &public {
            Material::Ec { curve, .. } => {
                let d = Zeroizing::new(members.bytes_of_length("d", curve.field_len())?);
                Ok(Self::Ec { public, d })
            }
            Material::Ed25519 { .. } => {
                let d = Zeroizing::new(members.bytes_of_length("d", 32)?);
                Ok(Self::Ed25519 { public, d })
            }
            Material::Rsa { .. } => {
                let factors = Box::new(Factors {
                    d: secret("d")?,
                    p: secret("p")?,
                    q: secret("q")?,
                    dp: secret("dp")?,
                    dq: secret("dq")?,
                    qi: secret("qi")?,
                });
                Ok(Self::Rsa { public, factors })
            }
        }
    }

    pub(crate) fn public(&self) -> Option<&Material> {
        match self {
            Self::Ec { public, .. } | Self::Rsa { public, .. } | Self::Ed25519 { public, .. } => Some(public),
            Self::Oct { .. } => None,
        }
    }

    /// As PKCS#8, once public and private half are known to belong together.
    fn pkcs8(&self, alg: SigningAlgorithm) -> Result<Bytes, KeyError> {
        match self {
            Self::Ec { public: Material::Ec { x, y, .. }, d } => {
                let curve = match alg {
                    SigningAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
                    SigningAlgorithm::Es384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
                    _ => return Err(KeyError::Algorithm),
                };
                let pair = EcdsaKeyPair::from_private_key_and_public_key(curve, d, &Material::point(x, y));
                let document = pair.and_then(|pair| Ok(pair.to_pkcs8v1()?)).map_err(|_| KeyError::Invalid)?;
                Ok(Zeroizing::new(document.as_ref().to_vec()))
            }
            Self::Ed25519 { public: Material::Ed25519 { x }, d } => {
                if !matches!(alg, SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519) {
                    return Err(KeyError::Algorithm);
                }
                let pair = Ed25519KeyPair::from_seed_and_public_key(d, x);
                let document = pair.and_then(|pair| Ok(pair.to_pkcs8v1()?)).map_err(|_| KeyError::Invalid)?;
                Ok(Zeroizing::new(document.as_ref().to_vec()))
            }
            Self::Rsa { .. } if matches!(alg, SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256) => self.rsa_pkcs8(),
            _ => Err(KeyError::Algorithm),
        }
    }

    pub(crate) fn rsa_pkcs8(&self) -> Result<Bytes, KeyError> {
        let Self::Rsa { public: Material::Rsa { n, e }, factors } = self else { return Err(KeyError::Algorithm) };
        let pair = RsaKeyPair::from_components(&KeyPairComponents {
            public_key: PublicKeyComponents { n: n.as_slice(), e: e.as_slice() },
            d: factors.d.as_slice(),
            p: factors.p.as_slice(),
            q: factors.q.as_slice(),
            dP: factors.dp.as_slice(),
            dQ: factors.dq.as_slice(),
            qInv: factors.qi.as_slice(),
        })
        .map_err(|_| KeyError::Invalid)?;
        let document = pair.as_der().map_err(|_| KeyError::Invalid)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }
}

impl fmt::Debug for PrivateJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kty = self.secret.public().map_or("oct", Material::kty);
        f.debug_struct("PrivateJwk").field("kty", &kty).field("kid", &self.attributes.kid).finish_non_exhaustive()
    }
}
