//! Request objects: the authorization request as a token that the client signed (RFC 9101; OpenID Connect Core 6).
//!
//! Nothing outside of the object counts (RFC 9101 6.3), `none` is no signature (FAPI 2.0 Security Profile 5.4.1; OpenID
//! Connect Core 6.1 would allow it), and no key is found by what the header says of keys.

use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::params::Params;
use crate::value::{Issuer, Seconds, UnixTime};
use grantor_jose::jws::{Header, Malformed, Refused, Unverified};
use grantor_jose::{JwkSet, SigningAlgorithm, parse_object};
use serde_json::{Map, Value};

/// How a request object is wrapped (RFC 9101 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// Three parts: a signed message.
    Signed,
    /// Five parts: an encrypted message, whose content is a signed one.
    Encrypted,
}

/// What a request object must fit.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who says that it asks.
    pub client: &'a ClientMetadata,
    /// Who is asked.
    pub issuer: &'a Issuer,
    /// When.
    pub now: UnixTime,
}

/// The wrapping of a request object of at most 16 KiB.
pub fn wrapping(text: &str) -> Result<Wrapping, Refusal> {
    match text.split('.').count() {
        _ if text.len() > LONGEST => Err(Refusal::MalformedRequestObject),
        3 => Ok(Wrapping::Signed),
        5 => Ok(Wrapping::Encrypted),
        _ => Err(Refusal::MalformedRequestObject),
    }
}

/// The `kid` of a signed request object, so that the right keys are there when it is opened.
pub fn kid(text: &str) -> Option<String> {
    Unverified::parse(text).ok()?.header().kid().map(str::to_owned)
}

/// The parameters that a signed request object holds (RFC 9101 6.2, 6.3). They are the whole request.
pub fn open(text: &str, keys: &JwkSet, expected: &Expected<'_>) -> Result<Params, Refusal> {
    if wrapping(text)? != Wrapping::Signed {
        return Err(Refusal::MalformedRequestObject);
    }
    let unverified = Unverified::parse(text).map_err(|why| match why {
        Malformed::Algorithm => Refusal::RequestObjectAlgorithmNotAllowed,
        _ => Refusal::MalformedRequestObject,
    })?;
    if !is_typed(unverified.header()) {
        return Err(Refusal::MalformedRequestObject);
    }
    let verified = unverified.verify_with_set(keys, &algorithms(expected.client)).map_err(|why| match why {
        Refused::Algorithm => Refusal::RequestObjectAlgorithmNotAllowed,
        Refused::KeyId | Refused::NoKey => Refusal::RequestObjectKeyUnknown,
        Refused::Signature => Refusal::RequestObjectSignatureWrong,
    })?;
    let claims = parse_object(verified.payload()).ok_or(Refusal::MalformedRequestObject)?;
    addressed(&claims, expected)?;
    timely(&claims, expected)?;
    parameters(claims)
}

/// Whether `typ` speaks of a request object, or of nothing in particular. Any other kind of token that the client signs
/// with the same key must not pass for one (RFC 9101 10.8).
fn is_typed(header: &Header) -> bool {
    header.typ().is_none() || header.has_type("oauth-authz-req+jwt") || header.has_type("JWT")
}

/// What the client may sign with (OpenID Connect Dynamic Client Registration 2: `request_object_signing_alg`).
fn algorithms(client: &ClientMetadata) -> Vec<SigningAlgorithm> {
    let mut allowed = client.profile.algorithms();
    if let Some(only) = client.request_object_signing_alg {
        allowed.retain(|algorithm| *algorithm == only);
    }
    allowed
}

/// From this client and for this server (RFC 9101 4, 5; FAPI 2.0 Message Signing 5.3.1). That `iss` and `aud` stand in it
/// is a SHOULD of RFC 9101 4; where a signature is to be evidence, for whom it was made is a part of it.
fn addressed(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Refusal> {
    let may_be_absent = !expected.client.profile.is_fapi2();
    let is_client = |value: &Value| value.as_str() == Some(expected.client.client_id.as_str());
    let is_issuer = |value: &Value| value.as_str() == Some(expected.issuer.as_str());
    if !claims.get("client_id").is_some_and(is_client) {
        return Err(Refusal::RequestObjectClientMismatch);
    }
    if !claims.get("iss").is_none_or(is_client) {
        return Err(Refusal::RequestObjectIssuerMismatch);
    }
    let for_us = match claims.get("aud") {
        None => may_be_absent,
        Some(Value::Array(several)) => several.iter().any(is_issuer),
        Some(one) => is_issuer(one),
    };
    if !for_us {
        return Err(Refusal::RequestObjectAudienceMismatch);
    }
    // That is a client assertion, made in a time when those had no type (RFC 9101 10.8).
    if claims.get("sub").is_some_and(is_client) {
        return Err(Refusal::MalformedRequestObject);
    }
    Ok(())
}

/// In its time (RFC 7519 4.1.4, 4.1.5; FAPI 2.0 Security Profile 5.3.2.1; FAPI 2.0 Message Signing 5.3.1).
fn timely(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Refusal> {
    let (expires, starts, made) = (time(claims, "exp")?, time(claims, "nbf")?, time(claims, "iat")?);
    if expires.is_some_and(|expires| expected.now >= expires) {
        return Err(Refusal::RequestObjectExpired);
    }
    let latest = expected.now.plus(CLOCK_OFFSET);
    if [starts, made].into_iter().flatten().any(|moment| moment > latest) {
        return Err(Refusal::RequestObjectNotYetValid);
    }
    if expected.client.profile.is_fapi2() {
        // One that does not say when it begins and ends lives for ever. One that began longer ago than it may live, as
        // Message Signing 5.3.1 has it, is over by now or lives too long.
        let within = starts.zip(expires).is_some_and(|(starts, expires)| expires <= starts.plus(LONGEST_LIFE));
        if !within {
            return Err(Refusal::RequestObjectLivesTooLong);
        }
    }
    Ok(())
}

/// A NumericDate without its fraction (RFC 7519 2).
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<UnixTime>, Refusal> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let whole = value.as_number().and_then(|number| number.to_string().split('.').next()?.parse().ok());
    whole.map(|seconds| Some(UnixTime::new(seconds))).ok_or(Refusal::MalformedRequestObject)
}

/// The members as parameters (RFC 9101 4): texts as they are, everything else as its JSON, as `max_age` and `claims` are
/// written in a query too.
fn parameters(claims: Map<String, Value>) -> Result<Params, Refusal> {
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(Refusal::RequestObjectInsideRequestObject);
    }
    let mut pairs = Vec::with_capacity(claims.len());
    for (name, value) in claims.into_iter().filter(|(name, _)| !OF_THE_TOKEN.contains(&name.as_str())) {
        match value {
            Value::Null => return Err(Refusal::MalformedRequestObject),
            Value::String(text) => pairs.push((name, text)),
            // A parameter that may stand more than once (RFC 8707 2) has no other way to do so in an object.
            Value::Array(several) if name == "resource" => {
                for one in several {
                    let Value::String(text) = one else { return Err(Refusal::MalformedRequestObject) };
                    pairs.push((name.clone(), text));
                }
            }
            other => pairs.push((name, other.to_string())),
        }
    }
    Params::from_pairs(pairs).map_err(|_| Refusal::MalformedRequestObject)
}

/// As long as a parameter may be, and no longer when it was fetched.
const LONGEST: usize = 16 * 1024;

/// How far a client's clock may be ahead. At least 10 and at most 60 seconds (FAPI 2.0 Security Profile 5.3.2.1), whose
/// note 4 has found that clocks need 30.
const CLOCK_OFFSET: Seconds = Seconds::new(30);

/// From `nbf` to `exp` (FAPI 2.0 Message Signing 5.3.1).
const LONGEST_LIFE: Seconds = Seconds::new(60 * 60);

/// What a token says of itself (RFC 7519 4.1) is no parameter of a request.
const OF_THE_TOKEN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::value::{ClientId, TenantName};
    use grantor_jose::{Jwk, SigningKey, base64url, jws};
    use proptest::prelude::*;
    use serde_json::json;
    use std::sync::LazyLock;

    const NOW: i64 = 1_800_000_000;
    const TYPE: &str = "oauth-authz-req+jwt";

    /// Signed with the key of RFC 8037 A.1 by another program, and its header is `{"alg":"EdDSA"}` alone.
    const BARE: &str = concat!(
        "eyJhbGciOiJFZERTQSJ9.",
        "eyJpc3MiOiJhcHAiLCJhdWQiOiJodHRwczovL2lkLmV4YW1wbGUiLCJleHAiOjE4MDAwMDAzMDAsI",
        "m5iZiI6MTgwMDAwMDAwMCwiY2xpZW50X2lkIjoiYXBwIiwicmVzcG9uc2VfdHlwZSI6ImNvZGUifQ.",
        "M9eotyAlgqDEwXkT4RBTB-kFRBUV2055PVJqTlKApKOoBRTk91FcSk4-PPIrtN3zVAuisjuTZa3xYIawmBLPBg"
    );
    const BARE_KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

    static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::Es256).unwrap());
    static STRANGER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::Es256).unwrap());
    static RSA: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::Rs256).unwrap());
    static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet {
        keys: vec![KEY.public_jwk(), RSA.public_jwk(), Jwk::parse_public(BARE_KEY).unwrap()],
    });

    fn client(profile: Profile) -> ClientMetadata {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("app").unwrap());
        client.profile = profile;
        client
    }

    fn opened(text: &str, client: &ClientMetadata) -> Result<Vec<(String, String)>, Refusal> {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let expected = Expected { client, issuer: &issuer, now: UnixTime::new(NOW) };
        let params = open(text, &KEYS, &expected)?;
        Ok(params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    fn signed(claims: &Value) -> String {
        jws::sign(&KEY, TYPE, claims.to_string().as_bytes()).unwrap()
    }

    /// What every profile accepts, but for `changes`; a null takes the member away.
    fn claims(changes: Value) -> Value {
        let mut claims = json!({
            "iss": "app", "aud": "https://id.example", "exp": NOW + 300, "nbf": NOW, "iat": NOW, "jti": "1",
            "client_id": "app", "response_type": "code",
        });
        let Value::Object(changes) = changes else { unreachable!() };
        for (name, value) in changes {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(&name);
            } else {
                claims[name] = value;
            }
        }
        claims
    }

    fn refused(changes: Value, profile: Profile) -> Option<Refusal> {
        opened(&signed(&claims(changes)), &client(profile)).err()
    }

    /// With a signature that is none.
    fn unsigned(alg: &str, signature: &str) -> String {
        let header = json!({"alg": alg, "typ": TYPE}).to_string();
        format!("{}.{}.{signature}", base64url::encode(header), base64url::encode(claims(json!({})).to_string()))
    }

    fn parameter(name: &str, value: Value) -> Vec<String> {
        let params =
            opened(&signed(&claims(Map::from_iter([(name.to_owned(), value)]).into())), &client(Profile::OAuth21))
                .unwrap();
        params.into_iter().filter(|(given, _)| given == name).map(|(_, value)| value).collect()
    }

    #[test]
    fn rfc9101_6_3_a_signed_request_object_is_the_request() {
        for profile in Profile::ALL {
            let mut params = opened(&signed(&claims(json!({"state": "s"}))), &client(profile)).unwrap();
            params.sort();
            let wanted = [("client_id", "app"), ("response_type", "code"), ("state", "s")];
            assert_eq!(params, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }

    #[test]
    fn rfc9101_6_2_only_the_keys_of_the_client_sign_for_it() {
        let by_stranger = jws::sign(&STRANGER, TYPE, claims(json!({})).to_string().as_bytes()).unwrap();
        assert_eq!(opened(&by_stranger, &client(Profile::OAuth21)), Err(Refusal::RequestObjectKeyUnknown));
        let good = signed(&claims(json!({})));
        let (head, _) = good.rsplit_once('.').unwrap();
        let (_, other) = by_stranger.rsplit_once('.').unwrap();
        let swapped = format!("{head}.{other}");
        assert_eq!(opened(&swapped, &client(Profile::OAuth21)), Err(Refusal::RequestObjectSignatureWrong));
    }

    #[test]
    fn rfc9101_6_2_what_the_header_says_of_keys_plays_no_part() {
        let payload = claims(json!({})).to_string();
        let mut extra = json!({"jwk": STRANGER.public_jwk()}).as_object().unwrap().clone();
        let own_key = jws::sign_with_header(&STRANGER, TYPE, &extra, payload.as_bytes()).unwrap();
        assert_eq!(opened(&own_key, &client(Profile::OAuth21)), Err(Refusal::RequestObjectSignatureWrong));
        extra.remove("jwk");
        for name in ["jku", "x5u", "x5c"] {
            extra.insert(name.to_owned(), json!("https://evil.example"));
        }
        let elsewhere = jws::sign_with_header(&STRANGER, TYPE, &extra, payload.as_bytes()).unwrap();
        assert_eq!(opened(&elsewhere, &client(Profile::OAuth21)), Err(Refusal::RequestObjectKeyUnknown));
        let good = jws::sign_with_header(&KEY, TYPE, &extra, payload.as_bytes()).unwrap();
        assert!(opened(&good, &client(Profile::OAuth21)).is_ok());
    }

    #[test]
    fn oidc_core_6_1_none_is_no_signature_here() {
        for (alg, signature) in [("none", ""), ("none", "AAAA"), ("None", ""), ("", "AAAA")] {
            let refusal = opened(&unsigned(alg, signature), &client(Profile::Oidc));
            assert_eq!(refusal, Err(Refusal::RequestObjectAlgorithmNotAllowed), "{alg:?}");
        }
    }

    #[test]
    fn rfc8725_3_1_a_shared_secret_signs_no_request_object() {
        for alg in ["HS256", "HS384", "HS512"] {
            let refusal = opened(&unsigned(alg, "AAAA"), &client(Profile::Oidc));
            assert_eq!(refusal, Err(Refusal::RequestObjectAlgorithmNotAllowed), "{alg}");
        }
    }

    #[test]
    fn oidc_registration_2_the_registered_algorithm_is_the_only_one() {
        let mut client = client(Profile::OAuth21);
        let text = signed(&claims(json!({})));
        client.request_object_signing_alg = Some(SigningAlgorithm::Es256);
        assert!(opened(&text, &client).is_ok());
        client.request_object_signing_alg = Some(SigningAlgorithm::Rs256);
        assert_eq!(opened(&text, &client), Err(Refusal::RequestObjectAlgorithmNotAllowed));
    }

    #[test]
    fn fapi2_5_4_1_the_profile_limits_the_algorithms() {
        let text = jws::sign(&RSA, TYPE, claims(json!({})).to_string().as_bytes()).unwrap();
        assert!(opened(&text, &client(Profile::OAuth21)).is_ok());
        let mut fapi2 = client(Profile::Fapi2MessageSigning);
        assert_eq!(opened(&text, &fapi2), Err(Refusal::RequestObjectAlgorithmNotAllowed));
        fapi2.request_object_signing_alg = Some(SigningAlgorithm::Rs256);
        assert_eq!(opened(&text, &fapi2), Err(Refusal::RequestObjectAlgorithmNotAllowed));
    }

    #[test]
    fn rfc9101_10_8_another_kind_of_token_is_no_request_object() {
        let payload = claims(json!({})).to_string();
        for typ in [TYPE, "JWT", "jwt", "application/oauth-authz-req+jwt", "OAUTH-AUTHZ-REQ+JWT"] {
            let text = jws::sign(&KEY, typ, payload.as_bytes()).unwrap();
            assert!(opened(&text, &client(Profile::Fapi2)).is_ok(), "{typ}");
        }
        assert!(opened(BARE, &client(Profile::Fapi2)).is_ok());
        for typ in ["client-authentication+jwt", "dpop+jwt", "at+jwt", "jwt2", "x/oauth-authz-req+jwt", ""] {
            let text = jws::sign(&KEY, typ, payload.as_bytes()).unwrap();
            assert_eq!(opened(&text, &client(Profile::OAuth21)), Err(Refusal::MalformedRequestObject), "{typ}");
        }
    }

    #[test]
    fn rfc9101_10_8_a_client_assertion_is_no_request_object() {
        assert_eq!(refused(json!({"sub": "app"}), Profile::OAuth21), Some(Refusal::MalformedRequestObject));
        assert_eq!(refused(json!({"sub": "alice"}), Profile::OAuth21), None);
    }

    #[test]
    fn rfc9101_5_the_client_inside_is_the_client_outside() {
        for client_id in [json!("another"), json!(null), json!(["app"]), json!("")] {
            let refusal = refused(json!({ "client_id": client_id }), Profile::OAuth21);
            assert_eq!(refusal, Some(Refusal::RequestObjectClientMismatch), "{client_id}");
        }
    }

    #[test]
    fn rfc9101_4_the_issuer_is_the_client() {
        for profile in Profile::ALL {
            let refusal = Some(Refusal::RequestObjectIssuerMismatch);
            assert_eq!(refused(json!({"iss": "another"}), profile), refusal);
            assert_eq!(refused(json!({"iss": 1}), profile), refusal);
            assert_eq!(refused(json!({"iss": null}), profile), None, "{profile:?}");
        }
    }

    #[test]
    fn fapi2_message_signing_5_3_1_the_audience_is_this_server() {
        for profile in Profile::ALL {
            let refusal = Some(Refusal::RequestObjectAudienceMismatch);
            let elsewhere = ["https://id.example/token", "https://id.example/", "app"];
            for aud in [json!("https://other.example"), json!(elsewhere), json!([]), json!(1), json!([1])] {
                assert_eq!(refused(json!({ "aud": aud }), profile), refusal, "{aud}");
            }
            assert_eq!(refused(json!({"aud": null}), profile), refusal.filter(|_| profile.is_fapi2()), "{profile:?}");
            let several = json!(["https://other.example", "https://id.example"]);
            assert_eq!(refused(json!({ "aud": several }), profile), None);
        }
    }

    #[test]
    fn rfc7519_4_1_4_an_expired_request_object_is_refused() {
        for profile in Profile::ALL {
            for exp in [json!(NOW), json!(NOW - 1), json!(-1), json!(1_800_000_000.9)] {
                assert_eq!(refused(json!({ "exp": exp }), profile), Some(Refusal::RequestObjectExpired), "{exp}");
            }
            assert_eq!(refused(json!({"exp": NOW + 1}), profile), None);
        }
        for exp in [json!("1800000300"), json!(true), json!(1e300), json!(u64::MAX)] {
            let refusal = refused(json!({ "exp": exp }), Profile::OAuth21);
            assert_eq!(refusal, Some(Refusal::MalformedRequestObject), "{exp}");
        }
        assert_eq!(refused(json!({"exp": 1_800_000_300.5}), Profile::OAuth21), None);
    }

    #[test]
    fn fapi2_security_profile_5_3_2_1_clocks_may_be_apart_but_not_far() {
        for profile in Profile::ALL {
            for name in ["nbf", "iat"] {
                for ahead in [8, 10, 30] {
                    assert_eq!(refused(json!({ name: NOW + ahead }), profile), None, "{name} {ahead}");
                }
                for ahead in [31, 61, 3600] {
                    let refusal = refused(json!({ name: NOW + ahead, "exp": NOW + 3700 }), profile);
                    assert_eq!(refusal, Some(Refusal::RequestObjectNotYetValid), "{name} {ahead}");
                }
            }
        }
    }

    #[test]
    fn fapi2_message_signing_5_3_1_a_request_object_lives_for_an_hour_at_the_most() {
        let cases = [
            (json!({"exp": null}), Some(Refusal::RequestObjectLivesTooLong)),
            (json!({"nbf": null}), Some(Refusal::RequestObjectLivesTooLong)),
            (json!({"exp": NOW + 3601}), Some(Refusal::RequestObjectLivesTooLong)),
            (json!({"nbf": NOW - 3600, "exp": NOW + 1}), Some(Refusal::RequestObjectLivesTooLong)),
            (json!({"nbf": NOW - 4200, "exp": NOW - 600}), Some(Refusal::RequestObjectExpired)),
            (json!({"exp": NOW + 3600}), None),
            (json!({"nbf": NOW - 3599, "exp": NOW + 1}), None),
        ];
        for (changes, outcome) in cases {
            for profile in [Profile::Fapi2, Profile::Fapi2MessageSigning] {
                assert_eq!(refused(changes.clone(), profile), outcome, "{changes}");
            }
            let elsewhere = outcome.filter(|refusal| *refusal == Refusal::RequestObjectExpired);
            assert_eq!(refused(changes.clone(), Profile::OAuth21), elsewhere, "{changes}");
        }
    }

    #[test]
    fn rfc9101_4_no_request_object_inside_a_request_object() {
        for name in ["request", "request_uri"] {
            for value in [json!("x"), json!(""), json!({})] {
                let refusal = refused(json!({ name: value }), Profile::OAuth21);
                assert_eq!(refusal, Some(Refusal::RequestObjectInsideRequestObject), "{name} {value}");
            }
        }
    }

    #[test]
    fn rfc9101_4_claims_of_the_token_are_no_parameters() {
        let text = signed(&claims(json!({"sub": "alice"})));
        let params = opened(&text, &client(Profile::OAuth21)).unwrap();
        assert!(params.iter().all(|(name, _)| ["client_id", "response_type"].contains(&name.as_str())), "{params:?}");
    }

    #[test]
    fn rfc9101_4_members_become_parameters() {
        assert_eq!(parameter("max_age", json!(10)), ["10"]);
        assert_eq!(parameter("flag", json!(true)), ["true"]);
        assert_eq!(parameter("scope", json!("openid a&b=c")), ["openid a&b=c"]);
        assert_eq!(parameter("claims", json!({"id_token": {"acr": null}})), [r#"{"id_token":{"acr":null}}"#]);
        assert_eq!(parameter("authorization_details", json!([{"type": "a"}])), [r#"[{"type":"a"}]"#]);
        assert_eq!(parameter("state", json!("")), [""; 0]);
    }

    #[test]
    fn rfc8707_2_several_resources_are_a_list() {
        assert_eq!(parameter("resource", json!(["urn:a", "urn:b"])), ["urn:a", "urn:b"]);
        assert_eq!(parameter("resource", json!("urn:a")), ["urn:a"]);
        assert_eq!(refused(json!({"resource": [1]}), Profile::OAuth21), Some(Refusal::MalformedRequestObject));
    }

    #[test]
    fn rfc9101_4_what_is_no_request_is_refused() {
        let mut with_null = claims(json!({}));
        with_null["state"] = Value::Null;
        let many: Map<String, Value> = (0..200).map(|n| (format!("p{n}"), json!("x"))).collect();
        for claims in [with_null, claims(Value::Object(many)), claims(json!({"state": "\u{0}"})), json!([]), json!(1)] {
            let refusal = opened(&signed(&claims), &client(Profile::OAuth21));
            assert_eq!(refusal, Err(Refusal::MalformedRequestObject), "{claims}");
        }
        let twice = jws::sign(&KEY, TYPE, br#"{"client_id":"app","client_id":"app"}"#).unwrap();
        assert_eq!(opened(&twice, &client(Profile::OAuth21)), Err(Refusal::MalformedRequestObject));
    }

    #[test]
    fn rfc9101_4_three_parts_are_signed_and_five_encrypted() {
        assert_eq!(wrapping("a.b.c"), Ok(Wrapping::Signed));
        assert_eq!(wrapping("a.b.c.d.e"), Ok(Wrapping::Encrypted));
        for text in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e.f"] {
            assert_eq!(wrapping(text), Err(Refusal::MalformedRequestObject), "{text}");
        }
        let long = "x".repeat(LONGEST - 4);
        assert_eq!(wrapping(&format!("{long}.b.c")), Ok(Wrapping::Signed));
        assert_eq!(wrapping(&format!("{long}x.b.c")), Err(Refusal::MalformedRequestObject));
        let oversized = signed(&claims(json!({"state": "x".repeat(13_000)})));
        assert_eq!(opened(&oversized, &client(Profile::OAuth21)), Err(Refusal::MalformedRequestObject));
        assert_eq!(opened("a.b.c.d.e", &client(Profile::OAuth21)), Err(Refusal::MalformedRequestObject));
    }

    #[test]
    fn rfc7515_4_1_4_the_key_is_named_before_it_is_fetched() {
        assert_eq!(kid(&signed(&claims(json!({})))).as_deref(), Some(KEY.key_id()));
        assert_eq!(kid(BARE), None);
        assert_eq!(kid("a.b.c"), None);
    }

    proptest! {
        #[test]
        fn rfc9101_6_2_a_changed_request_object_does_not_open(at in 0_usize..1000, letter in "[A-Za-z0-9_.-]") {
            let good = signed(&claims(json!({})));
            let mut changed = good.clone();
            let at = at % good.len();
            changed.replace_range(at..=at, &letter);
            prop_assume!(changed != good);
            prop_assert!(opened(&changed, &client(Profile::OAuth21)).is_err());
        }

        #[test]
        fn arbitrary_text_opens_nothing(text in "[A-Za-z0-9_-]{0,40}(\\.[A-Za-z0-9_-]{0,40}){0,5}") {
            let _ = (wrapping(&text), kid(&text));
            prop_assert!(opened(&text, &client(Profile::OAuth21)).is_err());
        }
    }
}
