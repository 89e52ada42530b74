//! Checking a proof (RFC 9449 4.3).

use super::known::KnownKeys;
use super::target::TargetUri;
use super::{CLOCK_DIFFERENCE, NONCE_LIFE, Nonces};
use crate::error::Refusal;
use crate::value::{Seconds, UnixTime};
use grantor_jose::jws::{Malformed, Unverified};
use grantor_jose::{
    Element, Jwk, JwkThumbprint, KeyError, Object, SigningAlgorithm, VerifyingKey, base64url, digest, parse_object,
};
use serde_json::Value;
use std::sync::Arc;

/// `typ` of a proof (RFC 9449 4.2).
pub const TYP: &str = "dpop+jwt";

/// What a proof must be made for.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The HTTP method of the request.
    pub method: &'a str,
    /// The absolute URL that the client was told to call, without query.
    pub uri: &'a str,
    /// The access token, where one is presented: the proof must be made for it too.
    pub access_token: Option<&'a str>,
    /// Where a fresh nonce is required: what it was made with.
    pub nonces: Option<Nonces<'a>>,
    /// The algorithms that are accepted.
    pub algorithms: &'a [SigningAlgorithm],
    /// The keys of earlier proofs, where they are kept. What is accepted does not depend on them.
    pub known: Option<&'a KnownKeys>,
    /// The time of the request.
    pub now: UnixTime,
}

/// A proof that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Whose it is.
    pub key: JwkThumbprint,
    /// What it was signed with: whether the client may, its profile says once the client is known.
    pub algorithm: SigningAlgorithm,
    /// What must be remembered so that it is not used twice (RFC 9449 11.1): a digest of the key, of `jti`, and of what the
    /// proof is for.
    pub id: [u8; 32],
    /// From when on it may be forgotten: by then it is too old on every node.
    pub until: UnixTime,
}

/// What a proof says (RFC 9449 4.2). Members that only some requests need are read as they stand: nobody looks at them
/// elsewhere.
struct Claims<'a> {
    jti: &'a str,
    htm: &'a str,
    htu: &'a str,
    iat: UnixTime,
    ath: Option<&'a Element<'a>>,
    nonce: Option<&'a Element<'a>>,
}

/// The proof of a request, from the values of its `DPoP` headers; none when it has none. Whether it is used for the first
/// time is the store's word.
pub fn verify(headers: &[&str], expected: &Expected<'_>) -> Result<Option<Proof>, Refusal> {
    let unverified = match headers {
        [] => return Ok(None),
        // A comma is how HTTP joins two headers of one name (RFC 9110 5.3), and is in no proof.
        [one] if !one.contains(',') => *one,
        _ => return Err(Refusal::SeveralDpopProofs),
    };
    let (key, algorithm, payload) = signed(unverified, expected)?;
    let members = Object::parse(&payload).ok_or(Refusal::MalformedDpopProof)?;
    let claims = Claims::of(&members).ok_or(Refusal::MalformedDpopProof)?;
    if claims.htm != expected.method {
        return Err(Refusal::DpopMethodMismatch);
    }
    let uri = TargetUri::parse(claims.htu).ok_or(Refusal::DpopUriMismatch)?;
    // Nearly every client spells it as it was told to, and then there is nothing to compare.
    if claims.htu != expected.uri && TargetUri::parse(expected.uri).as_ref() != Some(&uri) {
        return Err(Refusal::DpopUriMismatch);
    }
    let until = claims.until(expected)?;
    if expected.access_token.is_some_and(|token| !claims.is_for_token(token)) {
        return Err(Refusal::DpopTokenMismatch);
    }
    // Last, so that a nonce is asked for only when it is all that is missing.
    if let Some(nonces) = expected.nonces {
        claims.has_fresh_nonce(nonces, expected.now)?;
    }
    Ok(Some(Proof { key, algorithm, id: claims.id(&key, &uri), until }))
}

/// RFC 9449 4.3, 2 and 4 to 7: the payload, signed with the key that it brings. Nothing of the payload is looked at
/// before: a forger learns that he is one, and no more.
fn signed(unverified: &str, expected: &Expected<'_>) -> Result<(JwkThumbprint, SigningAlgorithm, Vec<u8>), Refusal> {
    if unverified.len() > MAX_PROOF {
        return Err(Refusal::MalformedDpopProof);
    }
    let known = expected.known.and_then(|keys| keys.of(unverified));
    let proof = Unverified::parse_knowing(unverified, known.as_ref().map(|known| &known.header));
    let proof = proof.map_err(|why| unreadable(why, unverified))?;
    let header = proof.header();
    if !header.has_type(TYP) {
        return Err(Refusal::MalformedDpopProof);
    }
    let algorithm = header.alg().signature().filter(|algorithm| expected.algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or(Refusal::DpopAlgorithmNotAllowed)?;
    if let Some(known) = known.filter(|known| known.header.is_of(&proof)) {
        let verified = proof.into_verified(&known.key).map_err(|_| Refusal::DpopSignatureWrong)?;
        return Ok((known.key.thumbprint(), algorithm, verified.into_payload()));
    }
    let key = header.jwk().ok_or(Refusal::MalformedDpopProof)?;
    let key = VerifyingKey::from_jwk(key, algorithm).map_err(|_| Refusal::MalformedDpopProof)?;
    // Here the key itself counts: a `kid` beside it has no say.
    let key = Arc::new(key.without_key_id());
    let header = proof.known_header();
    let verified = proof.into_verified(&key).map_err(|_| Refusal::DpopSignatureWrong)?;
    if let Some(keys) = expected.known {
        keys.keep(header, Arc::clone(&key));
    }
    Ok((key.thumbprint(), algorithm, verified.into_payload()))
}

fn unreadable(why: Malformed, unverified: &str) -> Refusal {
    match why {
        Malformed::Algorithm => Refusal::DpopAlgorithmNotAllowed,
        Malformed::Key if holds_private_key(unverified) => Refusal::DpopProofHoldsPrivateKey,
        _ => Refusal::MalformedDpopProof,
    }
}

/// RFC 9449 4.3, 7: worth a word of its own in the log, since whoever sent it has lost his key.
fn holds_private_key(unverified: &str) -> bool {
    let header = unverified.split('.').next().and_then(base64url::decode).and_then(|header| parse_object(&header));
    let jwk = header.as_ref().and_then(|header| header.get("jwk")).and_then(Value::as_object);
    jwk.is_some_and(|members| Jwk::from_members(members) == Err(KeyError::Private))
}

impl<'a> Claims<'a> {
    fn of(members: &'a Object<'a>) -> Option<Self> {
        let text = |name| members.get(name)?.as_str();
        let optional = |name| members.get(name).filter(|value| **value != Element::Null);
        let [jti, htm, htu] = [text("jti")?, text("htm")?, text("htu")?];
        let iat = UnixTime::new(members.get("iat")?.as_number()?.as_i64()?);
        let claims = Self { jti, htm, htu, iat, ath: optional("ath"), nonce: optional("nonce") };
        (1..=MAX_ID).contains(&jti.len()).then_some(claims)
    }

    /// RFC 9449 4.3, 11; 11.1: from when on the proof is too old everywhere, if it is neither too old nor too young here.
    fn until(&self, expected: &Expected<'_>) -> Result<UnixTime, Refusal> {
        // With a nonce it is the server's clock that counts; the client's may be wrong.
        let (back, ahead) = match expected.nonces {
            Some(_) => (NONCE_LIFE, NONCE_LIFE),
            None => (MAX_AGE, CLOCK_DIFFERENCE),
        };
        if self.iat < expected.now.minus(back) {
            return Err(Refusal::DpopProofTooOld);
        }
        if self.iat > expected.now.plus(ahead) {
            return Err(Refusal::DpopProofFromTheFuture);
        }
        // One more, since the last second still counts.
        Ok(self.iat.plus(back).plus(CLOCK_DIFFERENCE).plus(Seconds::new(1)))
    }

    /// RFC 9449 4.3, 12.
    fn is_for_token(&self, access_token: &str) -> bool {
        let ath = base64url::encode(digest::sha256(access_token.as_bytes()));
        self.ath.and_then(Element::as_str) == Some(ath.as_str())
    }

    /// RFC 9449 4.3, 10; 11.3.
    fn has_fresh_nonce(&self, nonces: Nonces<'_>, now: UnixTime) -> Result<(), Refusal> {
        let nonce = self.nonce.ok_or(Refusal::DpopNonceMissing)?;
        let fresh = nonce.as_str().is_some_and(|nonce| nonces.accept(nonce, now));
        if fresh { Ok(()) } else { Err(Refusal::DpopNonceNotFresh) }
    }

    /// Each part by its digest, so that no two lists of parts look the same. The signature is no part: one proof may be
    /// signed many times, and a signature may have a twin.
    fn id(&self, key: &JwkThumbprint, uri: &TargetUri) -> [u8; 32] {
        let parts = [self.jti, self.htm, uri.as_str()].map(|part| digest::sha256(part.as_bytes()));
        digest::sha256(&[key.as_bytes().as_slice(), parts.as_flattened()].concat())
    }
}

/// The longest proof, in bytes: one with an RSA key of 8192 bits takes about half of it.
const MAX_PROOF: usize = 8 * 1024;

/// The longest `jti`, in bytes (RFC 9449 11.1).
const MAX_ID: usize = 256;

/// How old a proof may be that bears no nonce (RFC 9449 11.1).
const MAX_AGE: Seconds = Seconds::new(60);

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
