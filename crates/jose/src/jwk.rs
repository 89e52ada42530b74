//! JSON Web Keys (RFC 7517): public keys here, private keys in [`PrivateJwk`], sets in [`JwkSet`].

mod members;
mod private;
mod roca;
mod set;

pub use private::PrivateJwk;
pub(crate) use private::Secret;
pub use set::JwkSet;

use crate::{KeyError, SigningAlgorithm, VerifyingKey, base64url, json};
use members::Members;
use serde::de::Error as _;
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The longest JSON text of one key, in bytes. An RSA key of 8192 bits with a certificate chain stays below it.
pub(crate) const MAX_JWK: usize = 32 * 1024;

/// A public key. Certificates (`x5c` and its kin) are ignored, as is any member that is not known.
///
/// Whether a point lies on its curve shows when the key is put to use ([`crate::VerifyingKey`], `jwe::EncryptionKey`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    material: Material,
    attributes: Attributes,
    parsed: Parsed,
}

/// The key as a verifier of each algorithm of its type, made when it was first asked for. It follows from the rest of the
/// key. No type has more than two: whoever chooses among them in a header must not make another one be parsed anew.
#[derive(Clone, Default)]
struct Parsed {
    one: OnceLock<Arc<VerifyingKey>>,
    other: OnceLock<Arc<VerifyingKey>>,
}

/// The numbers of a public key, each of the length that its type fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Material {
    /// `kty: EC` (RFC 7518 6.2).
    Ec {
        /// The curve.
        curve: Curve,
        /// The x coordinate, big-endian, as long as the field.
        x: Vec<u8>,
        /// The y coordinate, big-endian, as long as the field.
        y: Vec<u8>,
    },
    /// `kty: RSA` (RFC 7518 6.3), the modulus of 2048 to 8192 bits.
    Rsa {
        /// The modulus, big-endian without leading zeros.
        n: Vec<u8>,
        /// The public exponent, big-endian without leading zeros.
        e: Vec<u8>,
    },
    /// `kty: OKP`, `crv: Ed25519` (RFC 8037 2).
    Ed25519 {
        /// The public key.
        x: [u8; 32],
    },
}

/// A curve of the key type `EC`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521, for key agreement only.
    P521,
}

/// What a key says of itself besides its numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes {
    pub(crate) kid: Option<String>,
    pub(crate) usage: Option<String>,
    pub(crate) operations: Option<Vec<String>>,
    pub(crate) alg: Option<String>,
}

impl Jwk {
    /// A public key from its JSON text. A key that carries private or symmetric material is refused, not stripped: who
    /// sends one has lost it.
    pub fn parse_public(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let json = json.as_ref();
        if json.len() > MAX_JWK {
            return Err(KeyError::TooLarge);
        }
        Self::from_members(&json::parse_object(json).ok_or(KeyError::Syntax)?)
    }

    /// A public key from the members of an object that was read strictly (see [`crate::parse_object`]).
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let members = Members(members);
        if members.any_private() {
            return Err(KeyError::Private);
        }
        Ok(Self::new(Material::from_members(&members)?, Attributes::from_members(&members)?))
    }

    pub(crate) fn new(material: Material, attributes: Attributes) -> Self {
        Self { material, attributes, parsed: Parsed::default() }
    }

    /// The key as a verifier of `alg`, as [`VerifyingKey::from_jwk`] makes it, parsed once for each algorithm.
    pub fn verifying_key(&self, alg: SigningAlgorithm) -> Result<Arc<VerifyingKey>, KeyError> {
        let place = self.parsed.place(alg);
        if let Some(key) = place.get().filter(|key| key.algorithm() == alg) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(VerifyingKey::from_jwk(self, alg)?);
        let _ = place.set(Arc::clone(&key));
        Ok(key)
    }

    /// The same key for every algorithm that its type has: `alg` is optional (RFC 7517 4.4).
    #[must_use]
    pub fn without_algorithm(self) -> Self {
        Self::new(self.material, Attributes { alg: None, ..self.attributes })
    }

    /// The numbers of the key.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// `kty`.
    pub fn kty(&self) -> &'static str {
        self.material.kty()
    }

    /// `kid` (RFC 7517 4.5).
    pub fn kid(&self) -> Option<&str> {
        self.attributes.kid.as_deref()
    }

    /// `use` (RFC 7517 4.2).
    pub fn usage(&self) -> Option<&str> {
        self.attributes.usage.as_deref()
    }

    /// `alg` (RFC 7517 4.4), which need not be one that is supported here.
    pub fn alg(&self) -> Option<&str> {
        self.attributes.alg.as_deref()
    }

    /// `key_ops` (RFC 7517 4.3).
    pub fn key_ops(&self) -> Option<&[String]> {
        self.attributes.operations.as_deref()
    }

    pub(crate) fn attributes(&self) -> &Attributes {
        &self.attributes
    }
}

impl Material {
    fn from_members(members: &Members<'_>) -> Result<Self, KeyError> {
        match members.required("kty")? {
            "EC" => {
                let curve = Curve::parse(members.required("crv")?).ok_or(KeyError::Unsupported)?;
                let coordinate = |name| members.bytes_of_length(name, curve.field_len());
                Ok(Self::Ec { curve, x: coordinate("x")?, y: coordinate("y")? })
            }
            "RSA" => Self::rsa(members.unsigned("n")?, members.unsigned("e")?),
            "OKP" if members.required("crv")? == "Ed25519" => {
                let x = members.bytes_of_length("x", 32)?.try_into().map_err(|_| KeyError::Encoding)?;
                Ok(Self::Ed25519 { x })
            }
            "oct" => Err(KeyError::Private),
            _ => Err(KeyError::Unsupported),
        }
    }

    /// An RSA key of a strength that is accepted.
    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> Result<Self, KeyError> {
        rsa_strength(&n, &e)?;
        Ok(Self::Rsa { n, e })
    }

    /// `kty`.
    pub fn kty(&self) -> &'static str {
        match self {
            Self::Ec { .. } => "EC",
            Self::Rsa { .. } => "RSA",
            Self::Ed25519 { .. } => "OKP",
        }
    }

    /// The members that RFC 7638 3.2 and RFC 8037 2 require of this key type, in the lexicographic order that RFC 7638
    /// 3.3 wants.
    pub(crate) fn required_members(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Ec { curve, x, y } => vec![
                ("crv", curve.as_str().to_owned()),
                ("kty", self.kty().to_owned()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ],
            Self::Rsa { n, e } => {
                vec![("e", base64url::encode(e)), ("kty", self.kty().to_owned()), ("n", base64url::encode(n))]
            }
            Self::Ed25519 { x } => {
                vec![("crv", "Ed25519".to_owned()), ("kty", self.kty().to_owned()), ("x", base64url::encode(x))]
            }
        }
    }

    /// The point of an EC key in uncompressed form (SEC 1 2.3.3).
    pub(crate) fn point(x: &[u8], y: &[u8]) -> Vec<u8> {
        [&[4], x, y].concat()
    }
}

impl Curve {
    /// `crv`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.as_str() == name)
    }

    /// The length of a coordinate, and of a private key, in bytes.
    pub(crate) const fn field_len(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl Attributes {
    pub(crate) fn from_members(members: &Members<'_>) -> Result<Self, KeyError> {
        Ok(Self {
            kid: members.text("kid")?.map(key_id).transpose()?,
            usage: members.text("use")?.map(str::to_owned),
            operations: members.operations()?,
            alg: members.text("alg")?.map(str::to_owned),
        })
    }

    /// Whether `use` and `key_ops`, where they stand, allow one of these operations (RFC 7517 4.2, 4.3).
    pub(crate) fn allow(&self, usage: &str, operations: &[&str]) -> bool {
        self.usage.as_deref().is_none_or(|known| known == usage)
            && self.operations.as_ref().is_none_or(|known| known.iter().any(|op| operations.contains(&op.as_str())))
    }

    /// Whether `alg`, where it stands, is this one (RFC 7517 4.4).
    pub(crate) fn fits(&self, alg: &str) -> bool {
        self.alg.as_deref().is_none_or(|known| known == alg)
    }
}

/// A key identifier: not empty, at most 512 bytes.
pub(crate) fn key_id(raw: &str) -> Result<String, KeyError> {
    if (1..=512).contains(&raw.len()) { Ok(raw.to_owned()) } else { Err(KeyError::KeyId) }
}

/// 2048 to 8192 bits, an odd modulus; an odd exponent of at least 3 and at most 32 bits (huge ones make verification
/// slow, FIPS 186-5 A.1.1 has none below 2^16); and not made by the library of CVE-2017-15361.
fn rsa_strength(n: &[u8], e: &[u8]) -> Result<(), KeyError> {
    let unused = n.first().map_or(0, |first| first.leading_zeros() as usize);
    let bits = (n.len() * 8).saturating_sub(unused);
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !(2048..=8192).contains(&bits) || !odd(n) || !odd(e) || e == [1] || e.len() > 4 || roca::is_marked(n) {
        return Err(KeyError::Strength);
    }
    Ok(())
}

impl Parsed {
    /// Two algorithms of one type of key never share a place.
    const fn place(&self, alg: SigningAlgorithm) -> &OnceLock<Arc<VerifyingKey>> {
        match alg {
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::Rs256 | SigningAlgorithm::EdDsa => {
                &self.one
            }
            SigningAlgorithm::Ps256 | SigningAlgorithm::Ed25519 => &self.other,
        }
    }
}

impl PartialEq for Parsed {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Parsed {}

impl fmt::Debug for Parsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parsed")
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.material.required_members() {
            map.serialize_entry(name, &value)?;
        }
        for (name, value) in [("kid", self.kid()), ("use", self.usage()), ("alg", self.alg())] {
            if let Some(value) = value {
                map.serialize_entry(name, value)?;
            }
        }
        if let Some(operations) = self.key_ops() {
            map.serialize_entry("key_ops", operations)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(&json::object(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
