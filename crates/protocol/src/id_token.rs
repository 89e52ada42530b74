//! The ID token as a client checks it (OpenID Connect Core 2, 3.1.3.7).

use crate::value::{ClientId, Seconds, Secret, UnixTime};
use grantor_jose::jws::{self, Unverified};
use grantor_jose::{JwkSet, SigningAlgorithm, digest, parse_object};
use serde_json::{Map, Value};

/// How far the clock of the server may be from this one.
const LEEWAY: Seconds = Seconds::new(30);

/// What an ID token must agree with.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// `iss`.
    pub issuer: &'a str,
    /// `aud`.
    pub client: &'a ClientId,
    /// The keys of the issuer.
    pub keys: &'a JwkSet,
    /// In which algorithms it signs.
    pub algorithms: &'a [SigningAlgorithm],
    /// What was sent, if anything was.
    pub nonce: Option<&'a Secret>,
    /// How long ago the user may have signed in, if it was asked.
    pub max_age: Option<Seconds>,
    /// What came with it.
    pub access_token: &'a Secret,
    /// What the grant was for before, when this comes of a refresh (OpenID Connect Core 12.2).
    pub subject: Option<&'a str>,
    /// The time.
    pub now: UnixTime,
}

/// Why an ID token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenProblem {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Malformed(jws::Malformed),
    /// Its signature is not the issuer's.
    #[error("its signature does not hold: {0}")]
    Signature(jws::Refused),
    /// An access token or a logout token in its place (RFC 8725 3.11).
    #[error("its type is not that of an ID token (RFC 8725 3.11)")]
    Type,
    /// A claim that is missing or not of its type.
    #[error("{0} is missing or not what it must be")]
    Claim(&'static str),
    /// OpenID Connect Core 3.1.3.7 (2).
    #[error("`iss` is not the issuer that was asked")]
    Issuer,
    /// OpenID Connect Core 3.1.3.7 (3).
    #[error("`aud` is not this client alone")]
    Audience,
    /// OpenID Connect Core 3.1.3.7 (5).
    #[error("`azp` is another client")]
    AuthorizedParty,
    /// OpenID Connect Core 3.1.3.7 (9).
    #[error("it has expired")]
    Expired,
    /// It was issued after now; one of the clocks is wrong.
    #[error("it was issued in the future: the clock here or there is wrong")]
    FromTheFuture,
    /// OpenID Connect Core 3.1.3.7 (11).
    #[error("`nonce` is not the one that was sent: it belongs to another request")]
    Nonce,
    /// OpenID Connect Core 3.1.3.8.
    #[error("`at_hash` is not that of the access token: the two do not belong together")]
    AccessTokenHash,
    /// OpenID Connect Core 3.1.3.7 (13).
    #[error("the user signed in longer ago than was asked for (`auth_time`)")]
    TooLongAgo,
    /// OpenID Connect Core 12.2.
    #[error("`sub` is another user than the one who signed in")]
    AnotherUser,
}

/// The claims of an ID token, when it is what it must be.
pub fn check(token: &Secret, expected: &Expected<'_>) -> Result<Map<String, Value>, IdTokenProblem> {
    let unverified = Unverified::parse(token.expose()).map_err(IdTokenProblem::Malformed)?;
    let verified = unverified.verify_with_set(expected.keys, expected.algorithms).map_err(IdTokenProblem::Signature)?;
    if verified.header().typ().is_some() && !verified.header().has_type("JWT") {
        return Err(IdTokenProblem::Type);
    }
    let claims = parse_object(verified.payload()).ok_or(IdTokenProblem::Malformed(jws::Malformed::Encoding))?;
    parties(&claims, expected)?;
    times(&claims, expected)?;
    let text = |name| optional_text(&claims, name);
    if let Some(nonce) = expected.nonce {
        let found = text("nonce")?.map(|found| Secret::new(found.to_owned()));
        if !found.is_some_and(|found| found.matches(nonce)) {
            return Err(IdTokenProblem::Nonce);
        }
    }
    if let (Some(hash), Some(algorithm)) = (text("at_hash")?, verified.header().alg().signature())
        && hash != digest::left_half(algorithm, expected.access_token.expose())
    {
        return Err(IdTokenProblem::AccessTokenHash);
    }
    Ok(claims)
}

fn parties(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenProblem> {
    if optional_text(claims, "iss")?.ok_or(IdTokenProblem::Claim("iss"))? != expected.issuer {
        return Err(IdTokenProblem::Issuer);
    }
    // An audience besides this client is one that it does not know, and so does not trust.
    let client = expected.client.as_str();
    let alone = match claims.get("aud").ok_or(IdTokenProblem::Claim("aud"))? {
        Value::String(audience) => audience == client,
        Value::Array(audiences) => matches!(audiences.as_slice(), [Value::String(audience)] if audience == client),
        _ => return Err(IdTokenProblem::Claim("aud")),
    };
    if !alone {
        return Err(IdTokenProblem::Audience);
    }
    if optional_text(claims, "azp")?.is_some_and(|party| party != client) {
        return Err(IdTokenProblem::AuthorizedParty);
    }
    let subject = optional_text(claims, "sub")?.filter(|sub| !sub.is_empty()).ok_or(IdTokenProblem::Claim("sub"))?;
    if expected.subject.is_some_and(|before| before != subject) {
        return Err(IdTokenProblem::AnotherUser);
    }
    Ok(())
}

fn times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), IdTokenProblem> {
    let now = expected.now;
    let time = |name| match claims.get(name) {
        None => Ok(None),
        Some(value) => whole(value).map(Some).ok_or(IdTokenProblem::Claim(name)),
    };
    let expires = time("exp")?.ok_or(IdTokenProblem::Claim("exp"))?;
    if now >= expires.plus(LEEWAY) {
        return Err(IdTokenProblem::Expired);
    }
    if time("iat")?.ok_or(IdTokenProblem::Claim("iat"))? > now.plus(LEEWAY) {
        return Err(IdTokenProblem::FromTheFuture);
    }
    if let Some(max_age) = expected.max_age {
        let signed_in = time("auth_time")?.ok_or(IdTokenProblem::Claim("auth_time"))?;
        if now > signed_in.plus(max_age).plus(LEEWAY) {
            return Err(IdTokenProblem::TooLongAgo);
        }
    }
    Ok(())
}

/// A NumericDate may have a fraction (RFC 7519 2), which does not matter here.
fn whole(value: &Value) -> Option<UnixTime> {
    let text = value.as_number()?.to_string();
    text.split('.').next()?.parse().ok().map(UnixTime::new)
}

fn optional_text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, IdTokenProblem> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(IdTokenProblem::Claim(name)),
    }
}
