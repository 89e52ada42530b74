//! Signed messages in compact serialization (RFC 7515 7.1).
//!
//! [`Unverified::parse`] reads, [`Unverified::verify`] is the only way to a [`Verified`].

mod header;
mod secret;
mod sign;

pub use header::{Algorithm, Header};
pub use secret::SharedSecret;
pub use sign::{SignError, sign, sign_mac, sign_with_header};

use crate::{JwkSet, SigningAlgorithm, VerifyingKey, base64url};
use std::borrow::Cow;
use std::sync::Arc;

/// The longest token, in bytes.
pub const MAX_TOKEN: usize = 64 * 1024;

/// The longest protected header, in bytes before decoding.
pub const MAX_HEADER: usize = 8 * 1024;

/// Why a token cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The token or its header exceeds the limit.
    #[error("the token is too large")]
    TooLarge,
    /// Not three parts (RFC 7515 7.1).
    #[error("the token does not have three parts")]
    Parts,
    /// A part that is not canonical base64url.
    #[error("a part of the token is badly encoded")]
    Encoding,
    /// A header that is not a JSON object, repeats a member, or has a member of the wrong type.
    #[error("the header is not well-formed")]
    Header,
    /// `alg` is absent, `none`, or unknown.
    #[error("the algorithm is not supported")]
    Algorithm,
    /// `crit` names an extension, of which none is implemented, or is empty (RFC 7515 4.1.11).
    #[error("the header has critical extensions")]
    Critical,
    /// `b64` is not `true` (RFC 7797).
    #[error("the payload is not base64url encoded")]
    UnencodedPayload,
    /// `jwk` is not a public key that is supported.
    #[error("the key in the header is refused")]
    Key,
}

/// Why a token that can be read is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its `alg` is not that of the key, or not among those allowed.
    #[error("the algorithm is not allowed")]
    Algorithm,
    /// Its `kid` is not that of the key.
    #[error("the key identifier does not match")]
    KeyId,
    /// No key of the set fits `kid` and `alg`.
    #[error("no key fits the token")]
    NoKey,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    Signature,
}

/// A token whose signature nobody has looked at yet. It is good for finding the key.
#[derive(Debug)]
pub struct Unverified<'a> {
    header: Arc<Header>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    signed: Cow<'a, str>,
}

/// The header and payload of a token whose signature was verified. There is no other way to get one.
#[derive(Clone, Debug)]
pub struct Verified {
    header: Arc<Header>,
    payload: Vec<u8>,
}

/// A header, and the text that it was read from. The tokens of one key all begin alike: who reads many of them need not read
/// that part again.
#[derive(Clone, Debug)]
pub struct KnownHeader {
    text: Arc<str>,
    header: Arc<Header>,
}

impl KnownHeader {
    /// The text, which is what to find it by.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether the token begins with it.
    pub fn is_of(&self, token: &Unverified<'_>) -> bool {
        Arc::ptr_eq(&self.header, &token.header)
    }
}

impl<'a> Unverified<'a> {
    /// Reads a token in compact serialization.
    pub fn parse(token: &'a str) -> Result<Self, Malformed> {
        Self::parse_knowing(token, None)
    }

    /// The same, where a header of an earlier token is known. What is read does not depend on it.
    pub fn parse_knowing(token: &'a str, known: Option<&KnownHeader>) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN {
            return Err(Malformed::TooLarge);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Malformed::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed::Parts)?;
        if payload.contains('.') {
            return Err(Malformed::Parts);
        }
        if header.len() > MAX_HEADER {
            return Err(Malformed::TooLarge);
        }
        let decode = |part| base64url::decode(part).ok_or(Malformed::Encoding);
        let header = match known {
            Some(known) if *known.text == *header => Arc::clone(&known.header),
            _ => Arc::new(Header::parse(&decode(header)?)?),
        };
        Ok(Self { header, payload: decode(payload)?, signature: decode(signature)?, signed: signed.into() })
    }

    /// The header, to choose a key by.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header, for [`Self::parse_knowing`].
    pub fn known_header(&self) -> KnownHeader {
        let text = self.signed.split('.').next().unwrap_or_default().into();
        KnownHeader { text, header: Arc::clone(&self.header) }
    }

    /// The payload, to choose a key by. It proves nothing.
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Header and payload as they were signed: unlike the whole token, they have one form only.
    pub fn signed_part(&self) -> &str {
        &self.signed
    }

    /// The same, to be kept for longer than the text that it was read from.
    pub fn into_owned(self) -> Unverified<'static> {
        let signed = Cow::Owned(self.signed.into_owned());
        Unverified { header: self.header, payload: self.payload, signature: self.signature, signed }
    }

    /// Verifies with the one key that the token must have been signed with.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Verified, Refused> {
        self.check(key)?;
        Ok(self.accepted())
    }

    fn check(&self, key: &VerifyingKey) -> Result<(), Refused> {
        if self.header.alg() != key.algorithm() {
            return Err(Refused::Algorithm);
        }
        if let (Some(named), Some(known)) = (self.header.kid(), key.key_id())
            && named != known
        {
            return Err(Refused::KeyId);
        }
        if key.verifies(self.signed.as_bytes(), &self.signature) { Ok(()) } else { Err(Refused::Signature) }
    }

    /// Verifies with the keys of one signer. A `kid` selects the key; without one, every key that fits the algorithm is
    /// tried (RFC 7515 6, appendix D).
    pub fn verify_with_set(&self, keys: &JwkSet, allowed: &[SigningAlgorithm]) -> Result<Verified, Refused> {
        self.check_with_set(keys, allowed)?;
        Ok(self.accepted())
    }

    /// The same as [`Self::verify_with_set`], for one who has read header and payload already.
    pub fn check_with_set(&self, keys: &JwkSet, allowed: &[SigningAlgorithm]) -> Result<(), Refused> {
        let Algorithm::Signature(alg) = self.header.alg() else { return Err(Refused::Algorithm) };
        if !allowed.contains(&alg) {
            return Err(Refused::Algorithm);
        }
        let mut refusal = Refused::NoKey;
        let named = |kid: Option<&str>| self.header.kid().is_none_or(|wanted| kid == Some(wanted));
        for jwk in keys.keys.iter().filter(|jwk| named(jwk.kid())) {
            let Ok(key) = jwk.verifying_key(alg) else { continue };
            match self.check(&key) {
                Ok(()) => return Ok(()),
                Err(why) => refusal = why,
            }
        }
        Err(refusal)
    }

    /// Verifies the code that a shared secret made.
    pub fn verify_mac(&self, secret: &SharedSecret) -> Result<Verified, Refused> {
        if self.header.alg() != Algorithm::Mac(secret.algorithm()) {
            return Err(Refused::Algorithm);
        }
        if let (Some(named), Some(known)) = (self.header.kid(), secret.key_id())
            && named != known
        {
            return Err(Refused::KeyId);
        }
        if secret.verifies(self.signed.as_bytes(), &self.signature) {
            Ok(self.accepted())
        } else {
            Err(Refused::Signature)
        }
    }

    /// The same as [`Self::verify_with_set`], for one who needs the unverified form no more.
    pub fn into_verified_with_set(self, keys: &JwkSet, allowed: &[SigningAlgorithm]) -> Result<Verified, Refused> {
        self.check_with_set(keys, allowed)?;
        Ok(Verified { header: self.header, payload: self.payload })
    }

    /// The same as [`Self::verify`], for one who needs the unverified form no more.
    pub fn into_verified(self, key: &VerifyingKey) -> Result<Verified, Refused> {
        self.check(key)?;
        Ok(Verified { header: self.header, payload: self.payload })
    }

    fn accepted(&self) -> Verified {
        Verified { header: Arc::clone(&self.header), payload: self.payload.clone() }
    }
}

impl Verified {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The payload.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload, taken out.
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }
}

#[cfg(test)]
mod tests;
