//! Client assertions: JWTs by which a client proves who it is (RFC 7521 4.2, RFC 7523 2.2 and 3, OpenID Connect Core 9).
//!
//! The audience is as narrow as the client's profile has it: whoever accepts an endpoint's URL there accepts what a
//! client made for another server that gave out that URL as its own (CVE-2025-27370, CVE-2025-27371; rfc7523bis 1).

use crate::client::{AssertionAlgorithm, ClientMetadata, SecretAlgorithm};
use crate::error::Refusal;
use crate::profile::{AssertionAudience, Profile};
use crate::value::{Issuer, Seconds, Secret, UnixTime};
use grantor_jose::jws::{Algorithm, Malformed, Refused, SharedSecret, Unverified};
use grantor_jose::{JwkSet, MacAlgorithm, SigningAlgorithm, digest, parse_object};
use serde_json::{Map, Value};

/// `client_assertion_type` (RFC 7523 2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An assertion that nobody has verified yet.
pub struct Assertion {
    // Its header may hold a key, and is large.
    jws: Box<Unverified<'static>>,
    claims: Map<String, Value>,
    issuer: String,
    subject: Option<String>,
}

/// The claims of an assertion whose signature holds. There is no other way to get them.
pub(in crate::client) struct Signed<'a>(&'a Map<String, Value>);

/// What it must be made for.
pub struct Expected<'a> {
    /// The client that it must be of.
    pub client: &'a ClientMetadata,
    /// Whom it must be meant for.
    pub issuer: &'a Issuer,
    /// URLs that may stand in `aud` too where the profile allows it: the token endpoint, and the one that was called.
    pub endpoints: &'a [String],
    /// Now.
    pub now: UnixTime,
}

/// An assertion that holds, to be remembered so that it is not used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// What tells it from every other.
    pub id: [u8; 32],
    /// How long it must be remembered.
    pub until: UnixTime,
}

impl Assertion {
    /// A JWT in compact serialization, of at most 16 KiB, that says who made it. No member may stand twice in it, at any
    /// depth.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > MAX_ASSERTION {
            return Err(Refusal::MalformedClientAssertion);
        }
        let jws = Unverified::parse(text).map_err(unreadable)?;
        let claims = parse_object(jws.unverified_payload()).ok_or(Refusal::MalformedClientAssertion)?;
        let issuer = text_of(&claims, "iss")?.ok_or(Refusal::MalformedClientAssertion)?;
        let subject = text_of(&claims, "sub")?;
        Ok(Self { jws: Box::new(jws.into_owned()), claims, issuer, subject })
    }

    /// `iss`, which chooses the keys.
    pub fn unverified_issuer(&self) -> &str {
        &self.issuer
    }

    /// `sub`.
    pub fn unverified_subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// `kid`, which chooses the key (RFC 7515 4.1.4).
    pub fn kid(&self) -> Option<&str> {
        self.jws.header().kid()
    }

    /// Whether it says that it was made with a shared secret.
    pub fn is_mac(&self) -> bool {
        matches!(self.jws.header().alg(), Algorithm::Mac(_))
    }

    /// What it says.
    pub fn unverified_claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// Without a `typ`, or with one of these: a token that was made for another purpose proves nothing here (RFC 8725 3.11).
    pub(in crate::client) fn is_of_type(&self, types: &[&str]) -> Result<(), Refusal> {
        let fits = self.jws.header().typ().is_none() || types.iter().any(|typ| self.jws.header().has_type(typ));
        if fits { Ok(()) } else { Err(Refusal::MalformedClientAssertion) }
    }

    /// Its claims, if one of these keys made its signature. What the header says of keys, but for `kid`, plays no part.
    pub(in crate::client) fn signed_with(
        &self,
        keys: &JwkSet,
        allowed: &[SigningAlgorithm],
    ) -> Result<Signed<'_>, Refusal> {
        self.jws.check_with_set(keys, allowed).map_err(unproven)?;
        Ok(Signed(&self.claims))
    }

    fn sealed_with(&self, secret: &SharedSecret) -> Result<Signed<'_>, Refusal> {
        self.jws.verify_mac(secret).map_err(unproven)?;
        Ok(Signed(&self.claims))
    }

    /// Header and payload as they were signed: unlike the whole, they have one form only.
    pub(in crate::client) fn signed_part(&self) -> &str {
        self.jws.signed_part()
    }
}

/// `private_key_jwt` with the client's own keys (RFC 7523 3, OpenID Connect Core 9).
pub fn verify(assertion: &Assertion, keys: &JwkSet, expected: &Expected<'_>) -> Result<Used, Refusal> {
    assertion.is_of_type(&TYPES)?;
    let mut allowed = expected.client.profile.algorithms();
    match expected.client.token_endpoint_auth_signing_alg {
        None => {}
        Some(AssertionAlgorithm::Signature(only)) => allowed.retain(|algorithm| *algorithm == only),
        Some(AssertionAlgorithm::Mac(_)) => allowed.clear(),
    }
    let claims = assertion.signed_with(keys, &allowed)?;
    accept(assertion, &claims, expected)
}

/// `client_secret_jwt` (OpenID Connect Core 9): HS256 only. A secret that is too short for it is no key (RFC 7518 3.2).
pub fn verify_mac(assertion: &Assertion, secret: &Secret, expected: &Expected<'_>) -> Result<Used, Refusal> {
    assertion.is_of_type(&TYPES)?;
    let registered = match expected.client.token_endpoint_auth_signing_alg {
        None | Some(AssertionAlgorithm::Mac(SecretAlgorithm::Hs256)) => true,
        Some(AssertionAlgorithm::Signature(_)) => false,
    };
    // FAPI 2.0 Security Profile 5.4.1 lists signatures only.
    if !registered || expected.client.profile.is_fapi2() {
        return Err(Refusal::AssertionAlgorithmNotAllowed);
    }
    let secret = SharedSecret::new(MacAlgorithm::Hs256, secret.expose().as_bytes());
    let claims = assertion.sealed_with(&secret.map_err(|_| Refusal::ClientKeysUnavailable)?)?;
    accept(assertion, &claims, expected)
}

/// RFC 7523 3, after the signature: what it says is the client's word by now.
fn accept(assertion: &Assertion, claims: &Signed<'_>, expected: &Expected<'_>) -> Result<Used, Refusal> {
    let client = expected.client.client_id.as_str();
    if assertion.issuer != client {
        return Err(Refusal::AssertionIssuerMismatch);
    }
    if assertion.subject.as_deref() != Some(client) {
        return Err(Refusal::AssertionSubjectMismatch);
    }
    // Who types it says that it is made by the rules of rfc7523bis (4), which know no other audience than the issuer.
    let typed = assertion.jws.header().has_type(OWN_TYPE);
    if !is_meant_for(expected, typed, claims.get("aud")) {
        return Err(Refusal::AssertionAudienceMismatch);
    }
    let expires = claims.lifetime(expected.client.profile, expected.now)?;
    let id = claims.get("jti").and_then(Value::as_str).filter(|id| (1..=MAX_ID).contains(&id.len()));
    Ok(Used::new("client assertion", client, id.ok_or(Refusal::AssertionWithoutId)?, expires))
}

/// `aud` (RFC 7523 3, item 3).
fn is_meant_for(expected: &Expected<'_>, typed: bool, audience: Option<&Value>) -> bool {
    let rule = expected.client.profile.assertion_audience();
    let endpoint = |text: &str| expected.endpoints.iter().any(|endpoint| endpoint == text);
    let wide = rule == AssertionAudience::Any && !typed;
    let ours = |text: &str| text == expected.issuer.as_str() || (wide && endpoint(text));
    match (rule, audience) {
        (_, Some(Value::String(text))) => ours(text),
        (AssertionAudience::Any, Some(Value::Array(list))) if wide => {
            list.iter().all(Value::is_string) && list.iter().filter_map(Value::as_str).any(ours)
        }
        (AssertionAudience::Issuer | AssertionAudience::Any, Some(Value::Array(list))) => {
            matches!(list.as_slice(), [Value::String(only)] if ours(only))
        }
        _ => false,
    }
}

impl<'a> Signed<'a> {
    /// A claim.
    pub(in crate::client) fn get(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    /// All of them.
    pub(in crate::client) fn all(&self) -> &'a Map<String, Value> {
        self.0
    }

    /// `exp`, if `exp`, `nbf` and `iat` allow the assertion now (RFC 7523 3, items 4 to 6).
    fn lifetime(&self, profile: Profile, now: UnixTime) -> Result<UnixTime, Refusal> {
        let expires = self.time("exp")?.ok_or(Refusal::AssertionWithoutExpiry)?;
        if now >= expires {
            return Err(Refusal::AssertionExpired);
        }
        if expires > now.plus(longest_life(profile)).plus(CLOCK_DIFFERENCE) {
            return Err(Refusal::AssertionLivesTooLong);
        }
        let issued = self.time("iat")?;
        let starts = [self.time("nbf")?, issued].into_iter().flatten().max();
        if starts.is_some_and(|start| start > now.plus(CLOCK_DIFFERENCE)) {
            return Err(Refusal::AssertionNotYetValid);
        }
        // Still good, and older than an hour: made to be kept.
        if issued.is_some_and(|issued| issued < now.minus(OLDEST)) {
            return Err(Refusal::AssertionLivesTooLong);
        }
        Ok(expires)
    }

    /// A moment: whole seconds since 1970 (RFC 7519 2). Fractions, which the RFC allows, are refused: nobody means them.
    fn time(&self, name: &str) -> Result<Option<UnixTime>, Refusal> {
        let seconds = self.get(name).map(|value| value.as_i64().filter(|seconds| *seconds >= 0));
        seconds.map(|seconds| seconds.map(UnixTime::new).ok_or(Refusal::MalformedClientAssertion)).transpose()
    }
}

impl Used {
    /// `id` is unique for `issuer`, and `issuer` for `purpose`. It is remembered for a little longer than it is good:
    /// the next node's clock may be behind.
    pub(in crate::client) fn new(purpose: &str, issuer: &str, id: &str, expires: UnixTime) -> Self {
        let mut message = Vec::new();
        for part in [purpose, issuer, id] {
            // A length fits 64 bits on every platform there is.
            message.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            message.extend(part.as_bytes());
        }
        Self { id: digest::sha256(&message), until: expires.plus(REMEMBERED_LONGER) }
    }
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Assertion")
    }
}

/// FAPI 2.0 names no figure; five minutes are what clients are held to elsewhere (Auth0). RFC 7523 3 leaves what is
/// "unreasonably far" to the server, and an hour is what the example of rfc7523bis 4.1 lives.
fn longest_life(profile: Profile) -> Seconds {
    if profile.is_fapi2() { Seconds::new(300) } else { Seconds::new(3_600) }
}

fn text_of(claims: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    let text = claims.get(name).map(|value| value.as_str().map(str::to_owned));
    text.map(|text| text.ok_or(Refusal::MalformedClientAssertion)).transpose()
}

fn unreadable(why: Malformed) -> Refusal {
    match why {
        Malformed::Algorithm => Refusal::AssertionAlgorithmNotAllowed,
        Malformed::TooLarge
        | Malformed::Parts
        | Malformed::Encoding
        | Malformed::Header
        | Malformed::Critical
        | Malformed::UnencodedPayload
        | Malformed::Key => Refusal::MalformedClientAssertion,
    }
}

fn unproven(why: Refused) -> Refusal {
    match why {
        Refused::Algorithm => Refusal::AssertionAlgorithmNotAllowed,
        Refused::KeyId | Refused::NoKey => Refusal::AssertionKeyUnknown,
        Refused::Signature => Refusal::AssertionSignatureWrong,
    }
}

/// `typ` of what is made for nothing but client authentication (rfc7523bis 4).
pub(in crate::client) const OWN_TYPE: &str = "client-authentication+jwt";

const TYPES: [&str; 2] = ["JWT", OWN_TYPE];

/// The longest assertion, in bytes.
const MAX_ASSERTION: usize = 16 * 1024;

/// The longest `jti`, in bytes.
const MAX_ID: usize = 256;

/// How far a client's clock may be ahead (FAPI 2.0 Security Profile 5.3.2.1, item 13).
const CLOCK_DIFFERENCE: Seconds = Seconds::new(10);

const OLDEST: Seconds = Seconds::new(3_600);

const REMEMBERED_LONGER: Seconds = Seconds::new(60);

#[cfg(test)]
#[path = "assertion_tests.rs"]
pub(in crate::client) mod tests;
