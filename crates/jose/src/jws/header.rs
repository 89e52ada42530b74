//! The protected header (RFC 7515 4).

use super::Malformed;
use crate::{Element, Jwk, MacAlgorithm, Object, SigningAlgorithm};
use std::fmt;

/// The members of a protected header that mean something here. `crit` cannot occur: no extension is implemented, so a token
/// that has one is refused. Nothing is ever fetched from `jku` or `x5u`.
#[derive(Clone, Debug)]
pub struct Header {
    alg: Algorithm,
    typ: Option<String>,
    cty: Option<String>,
    kid: Option<String>,
    jwk: Option<Jwk>,
}

/// What `alg` may say: a signature or a message authentication code, never `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Made with a private key.
    Signature(SigningAlgorithm),
    /// Made with a shared secret.
    Mac(MacAlgorithm),
}

impl Header {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Malformed> {
        let members = Object::parse(json).ok_or(Malformed::Header)?;
        if members.get("crit").is_some() {
            return Err(Malformed::Critical);
        }
        if members.get("b64").is_some_and(|b64| *b64 != Element::Bool(true)) {
            return Err(Malformed::UnencodedPayload);
        }
        let text = |name| members.get(name).map(|value| value.as_str().ok_or(Malformed::Header)).transpose();
        let [alg, typ, cty, kid] = [text("alg")?, text("typ")?, text("cty")?, text("kid")?];
        let alg = alg.and_then(Algorithm::parse).ok_or(Malformed::Algorithm)?;
        let jwk = members.get("jwk").map(|jwk| public_key(jwk).ok_or(Malformed::Key)).transpose()?;
        let [typ, cty, kid] = [typ, cty, kid].map(|text| text.map(str::to_owned));
        Ok(Self { alg, typ, cty, kid, jwk })
    }

    /// `alg` (RFC 7515 4.1.1).
    pub fn alg(&self) -> Algorithm {
        self.alg
    }

    /// `kid` (RFC 7515 4.1.4).
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// `typ` (RFC 7515 4.1.9); to compare it, see [`Header::has_type`].
    pub fn typ(&self) -> Option<&str> {
        self.typ.as_deref()
    }

    /// `cty` (RFC 7515 4.1.10).
    pub fn cty(&self) -> Option<&str> {
        self.cty.as_deref()
    }

    /// `jwk` (RFC 7515 4.1.3), a public key. It is what the sender claims: trust comes from elsewhere.
    pub fn jwk(&self) -> Option<&Jwk> {
        self.jwk.as_ref()
    }

    /// Whether `typ` is this media type, which is compared without regard to case and to a leading `application/`
    /// (RFC 7515 4.1.9).
    pub fn has_type(&self, expected: &str) -> bool {
        self.typ().is_some_and(|typ| short(typ).eq_ignore_ascii_case(short(expected)))
    }
}

impl Algorithm {
    fn parse(name: &str) -> Option<Self> {
        let signature = SigningAlgorithm::parse(name).map(Self::Signature);
        signature.or_else(|| MacAlgorithm::parse(name).map(Self::Mac))
    }

    /// The signature algorithm, if it is one.
    pub const fn signature(self) -> Option<SigningAlgorithm> {
        match self {
            Self::Signature(alg) => Some(alg),
            Self::Mac(_) => None,
        }
    }

    /// The name in JOSE.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature(alg) => alg.as_str(),
            Self::Mac(alg) => alg.as_str(),
        }
    }
}

impl PartialEq<SigningAlgorithm> for Algorithm {
    fn eq(&self, other: &SigningAlgorithm) -> bool {
        *self == Self::Signature(*other)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn public_key(jwk: &Element<'_>) -> Option<Jwk> {
    Jwk::from_members(&jwk.as_object()?.to_map()).ok()
}

/// A media type without `application/`, unless another slash follows.
fn short(typ: &str) -> &str {
    const PREFIX: usize = "application/".len();
    match typ.split_at_checked(PREFIX) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') => rest,
        _ => typ,
    }
}
