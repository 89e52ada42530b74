use super::*;
use crate::value::{ClientId, TenantName};
use grantor_jose::jws::{sign, sign_with_header};
use grantor_jose::{SigningKey, base64url};
use proptest::prelude::*;
use serde_json::json;

const NOW: UnixTime = UnixTime::new(1_800_000_000);
const SECRET: &str = "a secret of more than thirty-two bytes";

pub(in crate::client) fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

pub(in crate::client) fn set(keys: &[&SigningKey]) -> JwkSet {
    JwkSet { keys: keys.iter().map(|key| key.public_jwk()).collect() }
}

pub(in crate::client) fn signed(key: &SigningKey, typ: &str, claims: &Value) -> Assertion {
    Assertion::parse(&sign(key, typ, claims.to_string().as_bytes()).unwrap()).unwrap()
}

/// RFC 2104, so that headers may say what no signer here would write.
pub(in crate::client) fn sealed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let pad = |byte: u8| {
        let mut block = [byte; 64];
        block.iter_mut().zip(secret).for_each(|(block, secret)| *block ^= secret);
        block
    };
    let message = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(claims.to_string()));
    let inner = digest::sha256(&[&pad(0x36)[..], message.as_bytes()].concat());
    let tag = digest::sha256(&[&pad(0x5c)[..], &inner].concat());
    format!("{message}.{}", base64url::encode(tag))
}

fn client(profile: Profile) -> ClientMetadata {
    let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("web").unwrap());
    client.profile = profile;
    client
}

fn claims() -> Value {
    json!({
        "iss": "web", "sub": "web", "aud": "https://id.example", "jti": "1",
        "iat": NOW.get(), "exp": NOW.get() + 60,
    })
}

/// The claims with others in their place; `null` leaves one out.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        claims.as_object_mut().unwrap().remove(name);
        if !value.is_null() {
            claims[name] = value.clone();
        }
    }
    claims
}

fn expecting<T>(client: &ClientMetadata, ask: impl FnOnce(&Expected<'_>) -> T) -> T {
    let issuer = Issuer::parse("https://id.example").unwrap();
    let endpoints = ["https://id.example/token".to_owned(), "https://id.example/par".to_owned()];
    ask(&Expected { client, issuer: &issuer, endpoints: &endpoints, now: NOW })
}

fn judge_as(client: &ClientMetadata, typ: &str, claims: &Value) -> Result<Used, Refusal> {
    let key = key(SigningAlgorithm::Es256);
    expecting(client, |expected| verify(&signed(&key, typ, claims), &set(&[&key]), expected))
}

fn judge(profile: Profile, changes: &Value) -> Result<Used, Refusal> {
    judge_as(&client(profile), "JWT", &with(changes))
}

fn judge_mac(client: &ClientMetadata, header: &Value, claims: &Value) -> Result<Used, Refusal> {
    let assertion = Assertion::parse(&sealed(header, claims, SECRET.as_bytes()))?;
    expecting(client, |expected| verify_mac(&assertion, &Secret::new(SECRET.to_owned()), expected))
}

#[test]
fn rfc7523_3_an_assertion_that_holds_is_remembered_beyond_its_end() {
    let used = judge(Profile::OAuth21, &json!({})).unwrap();
    assert_eq!(used.until, UnixTime::new(NOW.get() + 120));
    assert_ne!(used.id, [0; 32]);
}

#[test]
fn rfc7523_3_issuer_and_subject_are_the_client() {
    let refusal = |changes: Value| judge(Profile::OAuth21, &changes).unwrap_err();
    assert_eq!(refusal(json!({"iss": "other"})), Refusal::AssertionIssuerMismatch);
    assert_eq!(refusal(json!({"iss": "WEB"})), Refusal::AssertionIssuerMismatch);
    assert_eq!(refusal(json!({"sub": "other"})), Refusal::AssertionSubjectMismatch);
    assert_eq!(refusal(json!({"sub": null})), Refusal::AssertionSubjectMismatch);
}

#[test]
fn rfc7523_3_what_is_read_before_the_signature_is_read_strictly() {
    let key = key(SigningAlgorithm::Es256);
    let parse = |claims: &str| Assertion::parse(&sign(&key, "JWT", claims.as_bytes()).unwrap());
    for bad in [
        r#"{"sub":"web"}"#,
        r#"{"iss":1,"sub":"web"}"#,
        r#"{"iss":"web","sub":["web"]}"#,
        r#"{"iss":"web","sub":null}"#,
        r#"{"iss":"web","sub":"web","sub":"web"}"#,
        r#"{"iss":"web","a":{"b":1,"b":1}}"#,
        r#"["iss"]"#,
        r#"{"iss":"web","exp":1e400}"#,
        "",
    ] {
        assert_eq!(parse(bad).err(), Some(Refusal::MalformedClientAssertion), "{bad}");
    }
    let good = parse(r#"{"iss":"web","more":true}"#).unwrap();
    assert_eq!((good.unverified_issuer(), good.unverified_subject()), ("web", None));
    assert_eq!(good.unverified_claims().len(), 2);
    assert_eq!(good.kid(), Some(key.key_id()));
    for bad in ["", "a.b", "a.b.c.d", "e30.e30.", "...", "é"] {
        assert!(Assertion::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn rfc7523_3_an_assertion_has_at_most_16_kib() {
    let key = key(SigningAlgorithm::Es256);
    let parse = |filling: usize| {
        let claims = with(&json!({"filling": "x".repeat(filling)}));
        Assertion::parse(&sign(&key, "JWT", claims.to_string().as_bytes()).unwrap())
    };
    assert!(parse(11_000).is_ok());
    assert_eq!(parse(13_000).err(), Some(Refusal::MalformedClientAssertion));
}

#[test]
fn an_assertion_is_never_printed() {
    let assertion = signed(&key(SigningAlgorithm::Es256), "JWT", &claims());
    assert_eq!(format!("{assertion:?}"), "Assertion");
}

#[test]
fn fapi2_5_3_2_1_the_issuer_alone_is_the_audience_and_as_a_text() {
    for profile in [Profile::Fapi2, Profile::Fapi2MessageSigning] {
        assert!(judge(profile, &json!({})).is_ok());
        for bad in [
            json!(["https://id.example"]),
            json!("https://id.example/"),
            json!("https://id.example/token"),
            json!(["https://id.example", "https://id.example/token"]),
        ] {
            let refused = judge(profile, &json!({ "aud": bad }));
            assert_eq!(refused, Err(Refusal::AssertionAudienceMismatch), "{bad}");
        }
    }
}

#[test]
fn rfc7523_3_one_audience_and_no_other_beside_it() {
    for good in [json!("https://id.example"), json!(["https://id.example"])] {
        assert!(judge(Profile::OAuth21, &json!({ "aud": good })).is_ok(), "{good}");
    }
    for bad in [
        json!(["https://id.example", "https://evil.example"]),
        json!(["https://id.example", "https://id.example/token"]),
        json!([]),
        json!([["https://id.example"]]),
        json!({"https://id.example": 1}),
        json!("https://id.example/token"),
        json!(["https://id.example/par"]),
        json!("https://id.example/introspect"),
        json!("https://evil.example"),
        json!("HTTPS://id.example"),
        json!(true),
        Value::Null,
    ] {
        let refused = judge(Profile::OAuth21, &json!({ "aud": bad }));
        assert_eq!(refused, Err(Refusal::AssertionAudienceMismatch), "{bad}");
    }
}

#[test]
fn oidc_core_9_a_list_may_hold_other_audiences_too() {
    for good in [
        json!("https://id.example/token"),
        json!(["https://id.example"]),
        json!(["https://evil.example", "https://id.example/token"]),
    ] {
        assert!(judge(Profile::Oidc, &json!({ "aud": good })).is_ok(), "{good}");
    }
    for bad in [json!([]), json!(["https://evil.example"]), json!(["https://id.example", 1]), Value::Null] {
        let refused = judge(Profile::Oidc, &json!({ "aud": bad }));
        assert_eq!(refused, Err(Refusal::AssertionAudienceMismatch), "{bad}");
    }
}

#[test]
fn rfc7523_3_who_types_an_assertion_names_the_issuer_alone() {
    for profile in [Profile::OAuth21, Profile::Oidc] {
        let judge = |audience: Value| judge_as(&client(profile), OWN_TYPE, &with(&json!({ "aud": audience })));
        assert!(judge(json!("https://id.example")).is_ok());
        assert!(judge(json!(["https://id.example"])).is_ok());
        for bad in [json!("https://id.example/token"), json!(["https://id.example", "https://evil.example"])] {
            assert_eq!(judge(bad), Err(Refusal::AssertionAudienceMismatch));
        }
    }
}

#[test]
fn rfc7523_3_without_an_end_there_is_no_assertion() {
    assert_eq!(judge(Profile::OAuth21, &json!({"exp": null})), Err(Refusal::AssertionWithoutExpiry));
    for bad in [json!("1800000060"), json!(1_800_000_060.5), json!(-1), json!(u64::MAX), json!(true), json!([1])] {
        let refused = judge(Profile::OAuth21, &json!({ "exp": bad }));
        assert_eq!(refused, Err(Refusal::MalformedClientAssertion), "{bad}");
    }
}

#[test]
fn rfc7523_3_what_has_passed_is_refused_to_the_second() {
    assert!(judge(Profile::OAuth21, &json!({"exp": NOW.get() + 1})).is_ok());
    for past in [NOW.get(), NOW.get() - 1, 0] {
        let refused = judge(Profile::OAuth21, &json!({"exp": past}));
        assert_eq!(refused, Err(Refusal::AssertionExpired), "{past}");
    }
}

#[test]
fn rfc7523_3_the_end_is_not_unreasonably_far() {
    for (profile, longest) in [(Profile::OAuth21, 3_600), (Profile::Oidc, 3_600), (Profile::Fapi2, 300)] {
        let judge = |life: i64| judge(profile, &json!({"exp": NOW.get() + life}));
        // As made by a client whose clock is ten seconds ahead.
        assert!(judge(longest + 10).is_ok(), "{profile:?}");
        assert_eq!(judge(longest + 11), Err(Refusal::AssertionLivesTooLong), "{profile:?}");
        assert_eq!(judge(i64::MAX - NOW.get()), Err(Refusal::AssertionLivesTooLong), "{profile:?}");
    }
}

#[test]
fn fapi2_5_3_2_1_clocks_may_differ_by_ten_seconds() {
    for name in ["nbf", "iat"] {
        let judge = |moment: Value| judge(Profile::Fapi2, &json!({ name: moment }));
        assert!(judge(json!(NOW.get() + 10)).is_ok(), "{name}");
        assert!(judge(Value::Null).is_ok(), "{name}");
        assert_eq!(judge(json!(NOW.get() + 11)), Err(Refusal::AssertionNotYetValid), "{name}");
        for bad in [json!("1"), json!(1.5), json!(-1), json!(true)] {
            assert_eq!(judge(bad), Err(Refusal::MalformedClientAssertion), "{name}");
        }
    }
}

#[test]
fn rfc7523_3_nothing_made_an_hour_ago_is_kept_for_now() {
    let judge = |ago: i64| judge(Profile::OAuth21, &json!({"iat": NOW.get() - ago}));
    assert!(judge(3_600).is_ok());
    assert_eq!(judge(3_601), Err(Refusal::AssertionLivesTooLong));
    // Not before has no such meaning.
    assert!(super::tests::judge(Profile::OAuth21, &json!({"nbf": 0})).is_ok());
}

#[test]
fn oidc_core_9_every_assertion_has_a_name() {
    for bad in [Value::Null, json!(""), json!(1), json!("x".repeat(257))] {
        let refused = judge(Profile::OAuth21, &json!({ "jti": bad }));
        assert_eq!(refused, Err(Refusal::AssertionWithoutId), "{bad}");
    }
    assert!(judge(Profile::OAuth21, &json!({"jti": "x".repeat(256)})).is_ok());
}

#[test]
fn rfc7523_3_what_is_remembered_tells_assertions_apart() {
    let used = |purpose, issuer, id| Used::new(purpose, issuer, id, NOW).id;
    assert_eq!(used("p", "web", "1"), used("p", "web", "1"));
    let others = [used("q", "web", "1"), used("p", "api", "1"), used("p", "web", "2"), used("p", "we", "b1")];
    for other in others {
        assert_ne!(used("p", "web", "1"), other);
    }
    let id = |changes: Value| judge(Profile::OAuth21, &changes).unwrap().id;
    assert_eq!(id(json!({})), id(json!({"exp": NOW.get() + 30})));
    assert_ne!(id(json!({})), id(json!({"jti": "2"})));
}

#[test]
fn rfc8725_3_11_a_token_made_for_something_else_is_no_assertion() {
    for good in ["JWT", "jwt", "application/JWT", "client-authentication+jwt", "application/client-authentication+jwt"]
    {
        assert!(judge_as(&client(Profile::OAuth21), good, &claims()).is_ok(), "{good}");
    }
    for bad in ["at+jwt", "application/at+jwt", "dpop+jwt", "logout+jwt", "oauth-authz-req+jwt", "secevent+jwt", ""] {
        let refused = judge_as(&client(Profile::OAuth21), bad, &claims());
        assert_eq!(refused, Err(Refusal::MalformedClientAssertion), "{bad}");
        let refused = judge_mac(&client(Profile::Oidc), &json!({"alg": "HS256", "typ": bad}), &claims());
        assert_eq!(refused, Err(Refusal::MalformedClientAssertion), "{bad}");
    }
}

#[test]
fn rfc8725_3_11_a_token_without_a_type_is_read() {
    assert!(judge_mac(&client(Profile::Oidc), &json!({"alg": "HS256"}), &claims()).is_ok());
    // RFC 7515 A.3: no `typ`, no `kid`, no `sub`; the signature is right, and then the subject is missed.
    let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0\
                cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let jwk = json!({"keys": [{
        "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }]});
    let mut joe = client(Profile::OAuth21);
    joe.client_id = ClientId::parse("joe").unwrap();
    let assertion = Assertion::parse(text).unwrap();
    let keys = JwkSet::parse(jwk.to_string()).unwrap();
    let refused = expecting(&joe, |expected| verify(&assertion, &keys, expected));
    assert_eq!(refused, Err(Refusal::AssertionSubjectMismatch));
}

#[test]
fn rfc7523_3_the_signature_is_made_by_a_key_of_the_client() {
    let (ours, theirs) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256));
    let theirs_by_our_name = SigningKey::from_pkcs8(SigningAlgorithm::Es256, theirs.to_pkcs8()).unwrap();
    let theirs_by_our_name = theirs_by_our_name.with_key_id(ours.key_id()).unwrap();
    let client = client(Profile::OAuth21);
    let judge = |key, keys: &[&SigningKey]| {
        expecting(&client, |expected| verify(&signed(key, "JWT", &claims()), &set(keys), expected))
    };
    assert!(judge(&ours, &[&theirs, &ours]).is_ok());
    assert_eq!(judge(&ours, &[&theirs]), Err(Refusal::AssertionKeyUnknown));
    assert_eq!(judge(&ours, &[]), Err(Refusal::AssertionKeyUnknown));
    assert_eq!(judge(&theirs_by_our_name, &[&ours]), Err(Refusal::AssertionSignatureWrong));
}

#[test]
fn rfc7523_3_nothing_is_said_of_claims_before_the_signature_holds() {
    let (ours, theirs) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256));
    let theirs = theirs.with_key_id(ours.key_id()).unwrap();
    for changes in [json!({"iss": "x"}), json!({"sub": "x"}), json!({"aud": "x"}), json!({"exp": 1}), json!({"jti": 1})]
    {
        let assertion = signed(&theirs, "JWT", &with(&changes));
        let refused = expecting(&client(Profile::OAuth21), |expected| verify(&assertion, &set(&[&ours]), expected));
        assert_eq!(refused, Err(Refusal::AssertionSignatureWrong), "{changes}");
    }
}

#[test]
fn rfc7515_4_1_3_the_key_in_the_header_plays_no_part() {
    let (ours, theirs) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256));
    let client = client(Profile::OAuth21);
    let judge = |signer: &SigningKey, header: &Value| {
        let header = header.as_object().unwrap();
        let text = sign_with_header(signer, "JWT", header, claims().to_string().as_bytes()).unwrap();
        expecting(&client, |expected| verify(&Assertion::parse(&text).unwrap(), &set(&[&ours]), expected))
    };
    // A header with `jwk` has no `kid` here, so that every key of the client is tried.
    let theirs_inside = json!({"jwk": serde_json::to_value(theirs.public_jwk()).unwrap()});
    assert!(judge(&ours, &theirs_inside).is_ok());
    assert_eq!(judge(&theirs, &theirs_inside), Err(Refusal::AssertionSignatureWrong));
    let elsewhere = json!({"jku": "https://evil.example/jwks", "x5u": "https://evil.example/x5u", "x5c": ["MII="]});
    assert!(judge(&ours, &elsewhere).is_ok());
    assert_eq!(judge(&theirs, &elsewhere), Err(Refusal::AssertionKeyUnknown));
}

#[test]
fn rfc7517_4_2_a_key_for_encryption_verifies_nothing() {
    let key = key(SigningAlgorithm::Es256);
    let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
    jwk["use"] = json!("enc");
    let keys = JwkSet::parse(json!({ "keys": [jwk] }).to_string()).unwrap();
    let refused =
        expecting(&client(Profile::OAuth21), |expected| verify(&signed(&key, "JWT", &claims()), &keys, expected));
    assert_eq!(refused, Err(Refusal::AssertionKeyUnknown));
}

#[test]
fn rfc7515_4_1_11_no_algorithm_and_critical_extensions_are_refused() {
    for none in ["none", "None", "NONE", "ES512", ""] {
        let text = format!("{}.{}.", base64url::encode(json!({ "alg": none }).to_string()), base64url::encode("{}"));
        assert_eq!(Assertion::parse(&text).err(), Some(Refusal::AssertionAlgorithmNotAllowed), "{none}");
    }
    let text = sealed(&json!({"alg": "HS256", "crit": ["exp"], "exp": 1}), &claims(), SECRET.as_bytes());
    assert_eq!(Assertion::parse(&text).err(), Some(Refusal::MalformedClientAssertion));
}

#[test]
fn oidc_registration_2_the_registered_algorithm_is_the_only_one() {
    let mut client = client(Profile::OAuth21);
    let judge = |client: &ClientMetadata, algorithm| {
        let key = key(algorithm);
        expecting(client, |expected| verify(&signed(&key, "JWT", &claims()), &set(&[&key]), expected))
    };
    for algorithm in SigningAlgorithm::ALL {
        assert!(judge(&client, *algorithm).is_ok(), "{algorithm}");
    }
    client.token_endpoint_auth_signing_alg = Some(AssertionAlgorithm::Signature(SigningAlgorithm::Ps256));
    assert!(judge(&client, SigningAlgorithm::Ps256).is_ok());
    for other in [SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa] {
        assert_eq!(judge(&client, other), Err(Refusal::AssertionAlgorithmNotAllowed), "{other}");
    }
    client.token_endpoint_auth_signing_alg = Some(AssertionAlgorithm::Mac(SecretAlgorithm::Hs256));
    for other in [SigningAlgorithm::Ps256, SigningAlgorithm::Es256] {
        assert_eq!(judge(&client, other), Err(Refusal::AssertionAlgorithmNotAllowed), "{other}");
    }
}

#[test]
fn fapi2_5_4_1_rs256_is_refused_even_when_registered() {
    let mut client = client(Profile::Fapi2);
    let judge = |client: &ClientMetadata, algorithm| {
        let key = key(algorithm);
        expecting(client, |expected| verify(&signed(&key, "JWT", &claims()), &set(&[&key]), expected))
    };
    assert!(judge(&client, SigningAlgorithm::Ps256).is_ok());
    assert_eq!(judge(&client, SigningAlgorithm::Rs256), Err(Refusal::AssertionAlgorithmNotAllowed));
    client.token_endpoint_auth_signing_alg = Some(AssertionAlgorithm::Signature(SigningAlgorithm::Rs256));
    assert_eq!(judge(&client, SigningAlgorithm::Rs256), Err(Refusal::AssertionAlgorithmNotAllowed));
    client.token_endpoint_auth_signing_alg = None;
    let refused = judge_mac(&client, &json!({"alg": "HS256"}), &claims());
    assert_eq!(refused, Err(Refusal::AssertionAlgorithmNotAllowed));
}

#[test]
fn oidc_core_9_the_secret_makes_a_mac() {
    let mut client = client(Profile::Oidc);
    let hs256 = json!({"alg": "HS256", "typ": "JWT"});
    let used = judge_mac(&client, &hs256, &claims()).unwrap();
    assert_eq!(used, judge(Profile::Oidc, &json!({})).unwrap());
    client.token_endpoint_auth_signing_alg = Some(AssertionAlgorithm::Mac(SecretAlgorithm::Hs256));
    assert!(judge_mac(&client, &hs256, &claims()).is_ok());
    assert_eq!(judge_mac(&client, &hs256, &with(&json!({"exp": 1}))), Err(Refusal::AssertionExpired));
    for other in ["HS384", "HS512"] {
        let refused = judge_mac(&client, &json!({ "alg": other }), &claims());
        assert_eq!(refused, Err(Refusal::AssertionAlgorithmNotAllowed), "{other}");
    }
    client.token_endpoint_auth_signing_alg = Some(AssertionAlgorithm::Signature(SigningAlgorithm::Es256));
    assert_eq!(judge_mac(&client, &hs256, &claims()), Err(Refusal::AssertionAlgorithmNotAllowed));
}

#[test]
fn oidc_core_9_another_secret_makes_another_mac() {
    let judge = |made_with: &str, known: &str| {
        let text = sealed(&json!({"alg": "HS256"}), &claims(), made_with.as_bytes());
        let assertion = Assertion::parse(&text).unwrap();
        assert!(assertion.is_mac());
        let secret = Secret::new(known.to_owned());
        expecting(&client(Profile::Oidc), |expected| verify_mac(&assertion, &secret, expected))
    };
    assert!(judge(SECRET, SECRET).is_ok());
    assert_eq!(judge(&SECRET.to_uppercase(), SECRET), Err(Refusal::AssertionSignatureWrong));
    // RFC 7518 3.2: as long as the digest at least.
    assert_eq!(judge("short", "short"), Err(Refusal::ClientKeysUnavailable));
    assert_eq!(judge("", ""), Err(Refusal::ClientKeysUnavailable));
}

#[test]
fn rfc8725_2_1_neither_kind_of_key_passes_for_the_other() {
    let key = key(SigningAlgorithm::Es256);
    let client = client(Profile::Oidc);
    // A MAC made with what everybody knows: the public key.
    let public = serde_json::to_string(&key.public_jwk()).unwrap();
    for header in [json!({"alg": "HS256"}), json!({"alg": "HS256", "kid": key.key_id()})] {
        let assertion = Assertion::parse(&sealed(&header, &claims(), public.as_bytes())).unwrap();
        let refused = expecting(&client, |expected| verify(&assertion, &set(&[&key]), expected));
        assert_eq!(refused, Err(Refusal::AssertionAlgorithmNotAllowed));
    }
    let assertion = signed(&key, "JWT", &claims());
    assert!(!assertion.is_mac());
    let secret = Secret::new(SECRET.to_owned());
    let refused = expecting(&client, |expected| verify_mac(&assertion, &secret, expected));
    assert_eq!(refused, Err(Refusal::AssertionAlgorithmNotAllowed));
}

proptest! {
    #[test]
    fn arbitrary_text_is_no_assertion_and_no_panic(text in "([A-Za-z0-9_-]{0,40}\\.){0,4}[A-Za-z0-9_-]{0,20}|.{0,60}") {
        prop_assert!(Assertion::parse(&text).is_err());
    }

    #[test]
    fn a_changed_assertion_is_refused(at in 0_usize..400, letter in "[A-Za-z0-9_.-]") {
        let header = json!({"alg": "HS256", "typ": "JWT"});
        let good = sealed(&header, &claims(), SECRET.as_bytes());
        let mut changed = good.clone();
        let at = at.min(good.len() - 1);
        changed.replace_range(at..=at, &letter);
        prop_assume!(changed != good);
        let secret = Secret::new(SECRET.to_owned());
        let found = Assertion::parse(&changed).and_then(|assertion| {
            expecting(&client(Profile::Oidc), |expected| verify_mac(&assertion, &secret, expected))
        });
        prop_assert!(found.is_err());
    }
}
