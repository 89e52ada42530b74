//! Access tokens that are JWTs (RFC 9068), checked as RFC 8725 wants it. Nothing here knows a clock or a network.

use crate::claims::{From, Wanted};
use crate::{Refusal, Verified};
use grantor_jose::jws::{KnownHeader, Malformed, Refused, Unverified};
use grantor_jose::{JwkSet, SigningAlgorithm};
use grantor_protocol::value::{Seconds, UnixTime};

/// The longest access token that is looked at, in bytes: as much as common servers take in one header.
pub const MAX_TOKEN: usize = 16 * 1024;

/// `typ` of an access token (RFC 9068 2.1).
const TYP: &str = "at+jwt";

/// What an access token must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// `iss`, compared as it is written.
    pub issuer: &'a str,
    /// What must be in `aud`.
    pub audience: &'a str,
    /// The signature algorithms that are accepted (RFC 8725 3.1).
    pub algorithms: &'a [SigningAlgorithm],
    /// How far the issuer's clock may be off: `exp`, `nbf` and `iat` are judged with it.
    pub leeway: Seconds,
    /// The time of the request.
    pub now: UnixTime,
}

/// Whether a text is an access token of this issuer for this API (RFC 9068 4). What it is bound to is not looked at: that
/// needs the request.
///
/// # Errors
///
/// The first thing that is wrong with it. [`Refusal::UnknownKey`] when these keys do not have the one that it names.
pub fn validate(unverified: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Verified, Refusal> {
    check(parse(unverified, None)?, keys, expected)
}

/// Reads a text as a JWT. What is read does not depend on the header that is known.
pub(crate) fn parse<'a>(unverified: &'a str, known: Option<&KnownHeader>) -> Result<Unverified<'a>, Refusal> {
    if unverified.len() > MAX_TOKEN {
        return Err(Refusal::TooLong);
    }
    Unverified::parse_knowing(unverified, known).map_err(|why| match why {
        // Three parts and a header make a JWT, whatever else is wrong with it.
        Malformed::Parts | Malformed::Encoding | Malformed::Header => Refusal::NotAJwt(why),
        _ => Refusal::Unreadable(why),
    })
}

/// The same as [`validate`], from a JWT that was read.
pub(crate) fn check(token: Unverified<'_>, keys: &JwkSet, expected: &Expected<'_>) -> Result<Verified, Refusal> {
    // RFC 8725 3.11: first, so that the log says what came instead.
    if !token.header().has_type(TYP) {
        return Err(Refusal::NotAnAccessToken);
    }
    let verified = token.into_verified_with_set(keys, expected.algorithms).map_err(|why| match why {
        Refused::Algorithm => Refusal::AlgorithmNotAllowed,
        Refused::KeyId | Refused::NoKey => Refusal::UnknownKey,
        Refused::Signature => Refusal::WrongSignature,
    })?;
    Verified::of_claims(verified.into_payload(), From::Jwt, &expected.wanted())
}

impl<'a> Expected<'a> {
    pub(crate) const fn wanted(&self) -> Wanted<'a> {
        Wanted { issuer: self.issuer, audience: self.audience, leeway: self.leeway, now: self.now }
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
