use super::*;
use crate::fixtures::{AUDIENCE, ISSUER, KEY, NOW, claims, key, set, signed, token};
use grantor_jose::{SigningKey, base64url, jws, parse_object};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};
use std::sync::LazyLock;

const EXPECTED: Expected<'_> = Expected {
    issuer: ISSUER,
    audience: AUDIENCE,
    algorithms: SigningAlgorithm::ALL,
    leeway: Seconds::new(10),
    now: UnixTime::new(NOW),
};

fn check_at(token: &str, now: i64) -> Result<Verified, Refusal> {
    validate(token, &set(&[&KEY]), &Expected { now: UnixTime::new(now), ..EXPECTED })
}

fn refusal(token: &str) -> Option<Refusal> {
    check_at(token, NOW).err()
}

#[test]
fn rfc9068_4_a_good_token_of_every_algorithm_holds() {
    for algorithm in SigningAlgorithm::ALL {
        let key = key(*algorithm);
        let token = signed(&key, "at+jwt", &claims(json!({})));
        let verified = validate(&token, &set(&[&key]), &EXPECTED).unwrap();
        assert_eq!((verified.subject(), verified.client_id(), verified.issuer()), ("alice", "web", ISSUER));
        assert_eq!(verified.audience().collect::<Vec<_>>(), [AUDIENCE]);
        assert!(verified.has_scope("notes:read") && !verified.has_scope("notes"));
        assert!(verified.has_role("editor") && !verified.has_role("edit"));
        assert_eq!(verified.acr(), Some("urn:example:two-factors"));
        assert_eq!(verified.amr().collect::<Vec<_>>(), ["pwd", "otp"]);
        assert_eq!(verified.auth_time(), Some(UnixTime::new(NOW - 100)));
        assert_eq!((verified.issued(), verified.expires()), (Some(UnixTime::new(NOW)), UnixTime::new(NOW + 600)));
        assert_eq!((verified.id(), verified.claim("nonce")), (Some("t1"), None));
        assert!(verified.binding().is_bearer() && verified.authorization_details().is_empty());
    }
}

#[test]
fn rfc9068_2_1_the_type_is_that_of_an_access_token() {
    let typed = |typ: &str| refusal(&signed(&KEY, typ, &claims(json!({}))));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        assert_eq!(typed(typ), None, "{typ}");
    }
    // An ID token, a logout token, a proof, an assertion, a signed answer of introspection.
    for typ in ["JWT", "jwt", "logout+jwt", "dpop+jwt", "rt+jwt", "token-introspection+jwt", "at", "x/at+jwt", ""] {
        assert_eq!(typed(typ), Some(Refusal::NotAnAccessToken), "{typ}");
    }
    let untyped = format!("{}.{}", base64url::encode(r#"{"alg":"Ed25519"}"#), base64url::encode("{}"));
    assert_eq!(refusal(&format!("{untyped}.AA")), Some(Refusal::NotAnAccessToken));
}

#[test]
fn rfc8725_3_1_only_allowed_algorithms() {
    let rs256 = key(SigningAlgorithm::Rs256);
    let token = signed(&rs256, "at+jwt", &claims(json!({})));
    let expected = Expected { algorithms: &[SigningAlgorithm::Es256], ..EXPECTED };
    assert_eq!(validate(&token, &set(&[&rs256]), &expected), Err(Refusal::AlgorithmNotAllowed));
    for alg in ["none", "None", "", "HS257"] {
        let header = base64url::encode(json!({"alg": alg, "typ": "at+jwt"}).to_string());
        let payload = base64url::encode(json!(claims(json!({}))).to_string());
        let unsigned = format!("{header}.{payload}.");
        assert_eq!(refusal(&unsigned), Some(Refusal::Unreadable(Malformed::Algorithm)), "{alg}");
    }
}

#[test]
fn rfc8725_2_1_a_public_key_is_no_shared_secret() {
    // alg HS256, with the text of the public key as the secret: what it is made with does not even matter.
    let header = base64url::encode(json!({"alg": "HS256", "typ": "at+jwt", "kid": KEY.key_id()}).to_string());
    let payload = base64url::encode(json!(claims(json!({}))).to_string());
    assert_eq!(refusal(&format!("{header}.{payload}.AAAA")), Some(Refusal::AlgorithmNotAllowed));
}

#[test]
fn rfc7515_4_1_11_any_critical_extension_is_refused() {
    for crit in [json!([]), json!(["exp"]), json!(["b64"]), json!("x"), Value::Null] {
        let header = json!({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.key_id(), "crit": crit, "exp": 1});
        let good = token(json!({}));
        let (_, rest) = good.split_once('.').unwrap();
        let bad = format!("{}.{rest}", base64url::encode(header.to_string()));
        assert_eq!(refusal(&bad), Some(Refusal::Unreadable(Malformed::Critical)), "{crit}");
    }
}

#[test]
fn the_key_is_one_of_the_issuer() {
    let other = key(SigningAlgorithm::Ed25519);
    let stranger = signed(&other, "at+jwt", &claims(json!({})));
    assert_eq!(refusal(&stranger), Some(Refusal::UnknownKey));
    // Under the issuer's name of a key it is only a wrong signature.
    let posing = SigningKey::from_pkcs8(SigningAlgorithm::Ed25519, other.to_pkcs8()).unwrap();
    let posing = posing.with_key_id(KEY.key_id()).unwrap();
    assert_eq!(refusal(&signed(&posing, "at+jwt", &claims(json!({})))), Some(Refusal::WrongSignature));
    // RFC 8725 3.10: a key that the token brings itself is nobody's.
    let extra = json!({"jwk": other.public_jwk()});
    let payload = serde_json::to_vec(&claims(json!({}))).unwrap();
    let own = jws::sign_with_header(&other, "at+jwt", extra.as_object().unwrap(), &payload).unwrap();
    assert_eq!(refusal(&own), Some(Refusal::WrongSignature));
}

#[test]
fn rfc9068_2_2_each_required_claim() {
    for name in ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"] {
        let refused = refusal(&token(json!({name: null})));
        assert_eq!(refused, Some(Refusal::MissingClaim(name)));
        for wrong in [json!({}), json!([1]), json!(true)] {
            assert_eq!(refusal(&token(json!({name: wrong}))), Some(Refusal::MalformedClaim(name)), "{name}");
        }
    }
    for name in ["sub", "client_id", "jti"] {
        assert_eq!(refusal(&token(json!({name: ""}))), Some(Refusal::MalformedClaim(name)));
    }
}

#[test]
fn each_optional_claim_is_of_its_type() {
    for (name, wrong) in [
        ("nbf", json!("soon")),
        ("auth_time", json!("yesterday")),
        ("acr", json!(1)),
        ("amr", json!([1])),
        ("roles", json!({"admin": true})),
        ("scope", json!(["notes:read"])),
        ("scope", json!("a\"b")),
        ("authorization_details", json!({"type": "x"})),
        // RFC 7800 3.1: what is not understood is no bearer token.
        ("cnf", json!({"kid": "x"})),
        ("cnf", json!({})),
        ("cnf", json!("x")),
    ] {
        assert_eq!(refusal(&token(json!({name: wrong}))), Some(Refusal::MalformedClaim(name)), "{name} {wrong}");
    }
}

#[test]
fn rfc9068_4_the_issuer_is_compared_as_it_is_written() {
    for other in ["https://id.example/", "https://ID.example", "https://id.example:443", "https://evil.example"] {
        assert_eq!(refusal(&token(json!({"iss": other}))), Some(Refusal::OtherIssuer), "{other}");
    }
}

#[test]
fn rfc9068_4_the_audience_names_this_api() {
    for other in [json!("https://api.example"), json!("https://api.example/notes/"), json!([]), json!(["a", "b"])] {
        assert_eq!(refusal(&token(json!({"aud": other}))), Some(Refusal::OtherAudience), "{other}");
    }
    assert_eq!(refusal(&token(json!({"aud": ["https://other.example", AUDIENCE]}))), None);
}

#[test]
fn rfc7519_4_1_4_times_with_the_stated_leeway() {
    let at = |changes: Value, now: i64| check_at(&token(changes), now).err();
    assert_eq!(at(json!({}), NOW + 609), None);
    assert_eq!(at(json!({}), NOW + 610), Some(Refusal::Expired));
    assert_eq!(at(json!({"nbf": NOW + 10}), NOW), None);
    assert_eq!(at(json!({"nbf": NOW + 11}), NOW), Some(Refusal::NotYetValid));
    assert_eq!(at(json!({"iat": NOW + 10}), NOW), None);
    assert_eq!(at(json!({"iat": NOW + 11}), NOW), Some(Refusal::IssuedInTheFuture));
    // RFC 7519 2: a NumericDate may have a fraction, and be out of all proportion.
    assert_eq!(at(json!({"exp": 1_800_000_600.9}), NOW + 610), Some(Refusal::Expired));
    assert_eq!(at(json!({"exp": 1e300}), NOW), None);
    assert_eq!(at(json!({"exp": -1e300}), NOW), Some(Refusal::Expired));
    assert_eq!(at(json!({"exp": u64::MAX, "iat": i64::MIN}), i64::MAX - 1), None);
}

#[test]
fn the_claims_are_read_strictly() {
    let text = serde_json::to_string(&claims(json!({}))).unwrap();
    let twice = text.replacen('{', r#"{"sub":"mallory","#, 1);
    for payload in [twice.as_str(), "", "[]", "null", "{} {}", "{"] {
        let token = jws::sign(&KEY, "at+jwt", payload.as_bytes()).unwrap();
        assert_eq!(refusal(&token), Some(Refusal::MalformedClaims), "{payload}");
    }
}

#[test]
fn a_token_has_a_bounded_length() {
    let sized = |size: usize| token(json!({"x": "x".repeat(size)}));
    assert_eq!(refusal(&sized(MAX_TOKEN / 2)), None);
    assert_eq!(refusal(&sized(MAX_TOKEN)), Some(Refusal::TooLong));
}

#[test]
fn what_is_no_jwt_is_told_apart() {
    for opaque in ["", "abc", "gr_at_abc", "a.b", "a.b.c.d", "!.e30.AA"] {
        assert!(matches!(refusal(opaque), Some(Refusal::NotAJwt(_))), "{opaque}");
    }
}

static GOOD: LazyLock<String> = LazyLock::new(|| token(json!({})));

/// Every key that a forger could hope for.
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let others: Vec<_> = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256].into_iter().map(key).collect();
    set(&[&KEY, &others[0], &others[1]])
});

fn never_accepted(mutated: &str) -> Result<(), TestCaseError> {
    prop_assume!(mutated != *GOOD);
    prop_assert!(validate(mutated, &KEYS, &EXPECTED).is_err(), "{}", mutated);
    Ok(())
}

fn at(index: Index, text: &str) -> usize {
    index.index(text.len())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_byte_changed_is_never_accepted(place: Index, byte in 0_u8..128) {
        let mut bytes = GOOD.clone().into_bytes();
        bytes[at(place, &GOOD)] = byte;
        never_accepted(&String::from_utf8(bytes).unwrap())?;
    }

    #[test]
    fn a_piece_taken_out_put_in_or_turned_is_never_accepted(one: Index, two: Index, extra in "[A-Za-z0-9_.=-]{1,8}") {
        let (from, to) = { let (a, b) = (at(one, &GOOD), at(two, &GOOD)); (a.min(b), a.max(b)) };
        never_accepted(&format!("{}{}", &GOOD[..from], &GOOD[to..]))?;
        never_accepted(&format!("{}{extra}{}", &GOOD[..from], &GOOD[from..]))?;
        never_accepted(&format!("{}{}{}", &GOOD[to..], &GOOD[from..to], &GOOD[..from]))?;
        never_accepted(&format!("{}{}", &GOOD[..to], &GOOD[from..]))?;
    }

    #[test]
    fn parts_of_two_good_tokens_are_never_one(parts in proptest::array::uniform3(0_usize..6)) {
        let other = token(json!({"sub": "bob"}));
        let all: Vec<&str> = GOOD.split('.').chain(other.split('.')).collect();
        let mixed = parts.map(|part| all[part]).join(".");
        prop_assume!(mixed != other);
        never_accepted(&mixed)?;
    }

    #[test]
    fn a_header_member_changed_is_never_accepted(name in "alg|typ|kid|jwk|jku|x5u|b64|zip|enc", value in "[ -~]{0,12}") {
        let (header, rest) = GOOD.split_once('.').unwrap();
        let mut members = parse_object(&base64url::decode(header).unwrap()).unwrap();
        prop_assume!(members.insert(name, json!(value)) != Some(json!(value)));
        never_accepted(&format!("{}.{rest}", base64url::encode(Value::Object(members).to_string())))?;
    }

    #[test]
    fn a_claim_changed_is_never_accepted(name in "iss|sub|aud|exp|scope|roles|cnf|client_id|x", value in "[ -~]{0,12}") {
        let mut parts: Vec<String> = GOOD.split('.').map(str::to_owned).collect();
        let mut claims = parse_object(&base64url::decode(&parts[1]).unwrap()).unwrap();
        claims.insert(name, json!(value));
        parts[1] = base64url::encode(Value::Object(claims).to_string());
        never_accepted(&parts.join("."))?;
    }

    #[test]
    fn a_claim_of_any_kind_makes_no_panic(name in "iss|sub|aud|exp|nbf|iat|auth_time|scope|roles|amr|cnf|jti", number: f64) {
        for value in [json!(number), json!([number]), json!({"jkt": number}), json!(number.to_string())] {
            let _ = check_at(&token(json!({name.as_str(): value})), NOW);
        }
    }

    #[test]
    fn arbitrary_text_is_never_accepted(text in "\\PC{0,200}") {
        prop_assert!(validate(&text, &KEYS, &EXPECTED).is_err());
    }
}
