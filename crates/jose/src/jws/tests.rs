use super::*;
use crate::{MacAlgorithm, SigningKey};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static KEYS: LazyLock<Vec<SigningKey>> =
    LazyLock::new(|| SigningAlgorithm::ALL.iter().map(|alg| SigningKey::generate(*alg).unwrap()).collect());

fn es256() -> &'static SigningKey {
    KEYS.iter().find(|key| key.algorithm() == SigningAlgorithm::Es256).unwrap()
}

/// A token with any header, truly signed.
fn forge(header: &str) -> String {
    let mut token = format!("{}.{}", base64url::encode(header), base64url::encode("{}"));
    let signature = es256().sign(token.as_bytes()).unwrap();
    token.push('.');
    token.push_str(&base64url::encode(signature));
    token
}

fn refusal(header: &str) -> Malformed {
    Unverified::parse(&forge(header)).unwrap_err()
}

#[test]
fn every_algorithm_signs_and_verifies() {
    for key in KEYS.iter() {
        let token = sign(key, "at+jwt", b"payload").unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        assert_eq!(unverified.unverified_payload(), b"payload");
        let verified = unverified.verify(&key.verifying_key().unwrap()).unwrap();
        assert_eq!(verified.payload(), b"payload");
        assert_eq!(verified.header().kid(), Some(key.key_id()));
        assert_eq!(verified.header().typ(), Some("at+jwt"));
        assert!(verified.header().alg() == key.algorithm());
        for other in KEYS.iter().filter(|other| other.algorithm() != key.algorithm()) {
            assert_eq!(unverified.verify(&other.verifying_key().unwrap()).unwrap_err(), Refused::Algorithm);
        }
    }
}

#[test]
fn rfc7515_4_1_1_none_is_refused() {
    for alg in ["none", "None", "NONE", "", "RS1", "ES512"] {
        assert_eq!(refusal(&json!({"alg": alg}).to_string()), Malformed::Algorithm, "{alg}");
    }
    assert_eq!(refusal("{}"), Malformed::Algorithm);
    assert_eq!(refusal(r#"{"alg":null}"#), Malformed::Header);
    assert!(matches!(Unverified::parse("eyJhbGciOiJub25lIn0.e30."), Err(Malformed::Algorithm)));
}

#[test]
fn rfc7515_4_1_11_unknown_crit_is_refused() {
    for crit in [r#"["exp"]"#, r#"["b64"]"#, r#"["alg"]"#, "[]", "null", r#""exp""#, "{}"] {
        assert_eq!(refusal(&format!(r#"{{"alg":"ES256","exp":1,"crit":{crit}}}"#)), Malformed::Critical, "{crit}");
    }
}

#[test]
fn rfc7797_3_unencoded_payload_is_refused() {
    for b64 in ["false", "null", "0", r#""true""#] {
        assert_eq!(refusal(&format!(r#"{{"alg":"ES256","b64":{b64}}}"#)), Malformed::UnencodedPayload, "{b64}");
    }
    assert!(Unverified::parse(&forge(r#"{"alg":"ES256","b64":true}"#)).is_ok());
}

#[test]
fn rfc7515_4_repeated_members_are_refused() {
    assert_eq!(refusal(r#"{"alg":"ES256","alg":"ES256"}"#), Malformed::Header);
    assert_eq!(refusal(r#"{"alg":"HS256","kid":"a","alg":"ES256"}"#), Malformed::Header);
}

#[test]
fn rfc7515_4_members_have_their_types() {
    for header in [r#"{"alg":1}"#, r#"{"alg":"ES256","kid":1}"#, r#"{"alg":"ES256","typ":[]}"#, "[]", "\"x\"", ""] {
        assert_eq!(refusal(header), Malformed::Header, "{header}");
    }
}

#[test]
fn rfc7515_7_1_exactly_three_parts() {
    let token = sign(es256(), "JWT", b"{}").unwrap();
    let short = token.rsplit_once('.').unwrap().0;
    for bad in ["", ".", "a.b", short, &format!("{token}."), &format!("{token}.AAAA")] {
        assert_eq!(Unverified::parse(bad).unwrap_err(), Malformed::Parts, "{bad}");
    }
    for bad in [format!("{token}="), format!("{token} "), format!(" {token}"), token.replacen('.', "=.", 1)] {
        assert_eq!(Unverified::parse(&bad).unwrap_err(), Malformed::Encoding, "{bad}");
    }
    assert_eq!(Unverified::parse("..").unwrap_err(), Malformed::Header);
}

#[test]
fn oversized_input_is_refused() {
    assert_eq!(Unverified::parse(&"A".repeat(MAX_TOKEN + 1)).unwrap_err(), Malformed::TooLarge);
    let header = json!({"alg": "ES256", "x": "x".repeat(MAX_HEADER)}).to_string();
    assert_eq!(refusal(&header), Malformed::TooLarge);
}

#[test]
fn rfc7515_4_1_3_the_key_in_the_header_is_public_and_proves_nothing() {
    let other = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let mut extra = Map::new();
    extra.insert("jwk".to_owned(), serde_json::to_value(other.public_jwk()).unwrap());
    let token = sign_with_header(&other, "dpop+jwt", &extra, b"{}").unwrap();
    let unverified = Unverified::parse(&token).unwrap();
    assert_eq!(unverified.header().kid(), None);
    assert_eq!(crate::thumbprint(unverified.header().jwk().unwrap()), other.thumbprint());
    assert_eq!(unverified.verify(&es256().verifying_key().unwrap()).unwrap_err(), Refused::Signature);
    assert!(unverified.verify(&other.verifying_key().unwrap()).is_ok());

    let x = base64url::encode([1; 32]);
    let private = json!({"alg": "ES256", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x, "d": x}});
    assert_eq!(refusal(&private.to_string()), Malformed::Key);
    assert_eq!(refusal(r#"{"alg":"ES256","jwk":"x"}"#), Malformed::Key);
}

#[test]
fn rfc7515_4_1_4_another_kid_is_refused() {
    let key =
        SigningKey::from_pkcs8(SigningAlgorithm::Es256, es256().to_pkcs8()).unwrap().with_key_id("other").unwrap();
    let token = sign(&key, "JWT", b"{}").unwrap();
    let unverified = Unverified::parse(&token).unwrap();
    assert_eq!(unverified.verify(&es256().verifying_key().unwrap()).unwrap_err(), Refused::KeyId);
    let set = JwkSet { keys: vec![es256().public_jwk()] };
    assert_eq!(unverified.verify_with_set(&set, &[SigningAlgorithm::Es256]).unwrap_err(), Refused::NoKey);
}

#[test]
fn rfc7515_4_1_9_types_compare_as_media_types() {
    let header = |typ: &str| Header::parse(json!({"alg": "ES256", "typ": typ}).to_string().as_bytes()).unwrap();
    assert!(header("at+jwt").has_type("at+jwt"));
    assert!(header("application/AT+JWT").has_type("at+jwt"));
    assert!(header("at+jwt").has_type("application/at+jwt"));
    assert!(!header("at+jwt/x").has_type("at+jwt"));
    assert!(!header("JWT").has_type("at+jwt"));
    assert!(!header("application/at+jwt/x").has_type("at+jwt/x"));
    assert!(!Header::parse(br#"{"alg":"ES256"}"#).unwrap().has_type("JWT"));
}

#[test]
fn a_set_finds_its_key() {
    let set = JwkSet { keys: KEYS.iter().map(SigningKey::public_jwk).collect() };
    for key in KEYS.iter() {
        let token = sign(key, "JWT", b"{}").unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        assert!(unverified.verify_with_set(&set, SigningAlgorithm::ALL).is_ok());
        let others: Vec<_> = SigningAlgorithm::ALL.iter().copied().filter(|alg| *alg != key.algorithm()).collect();
        assert_eq!(unverified.verify_with_set(&set, &others).unwrap_err(), Refused::Algorithm);
        assert_eq!(unverified.verify_with_set(&set, &[]).unwrap_err(), Refused::Algorithm);
    }
    let nameless = forge(r#"{"alg":"ES256"}"#);
    let nameless = Unverified::parse(&nameless).unwrap();
    assert!(nameless.verify_with_set(&set, &[SigningAlgorithm::Es256]).is_ok());
    let strangers = JwkSet { keys: vec![SigningKey::generate(SigningAlgorithm::Es256).unwrap().public_jwk()] };
    assert_eq!(nameless.verify_with_set(&strangers, &[SigningAlgorithm::Es256]).unwrap_err(), Refused::Signature);
    assert_eq!(nameless.verify_with_set(&JwkSet::default(), SigningAlgorithm::ALL).unwrap_err(), Refused::NoKey);
}

#[test]
fn rfc8725_2_1_a_public_key_is_no_shared_secret() {
    let public = base64url::decode(serde_json::to_value(es256().public_jwk()).unwrap()["x"].as_str().unwrap()).unwrap();
    let secret = SharedSecret::new(MacAlgorithm::Hs256, &public).unwrap();
    let signed = format!("{}.{}", base64url::encode(r#"{"alg":"HS256"}"#), base64url::encode("{}"));
    let token = format!("{signed}.{}", base64url::encode(secret.tag(signed.as_bytes())));
    let unverified = Unverified::parse(&token).unwrap();
    assert_eq!(unverified.verify(&es256().verifying_key().unwrap()).unwrap_err(), Refused::Algorithm);
    let set = JwkSet { keys: vec![es256().public_jwk()] };
    assert_eq!(unverified.verify_with_set(&set, SigningAlgorithm::ALL).unwrap_err(), Refused::Algorithm);
    assert!(unverified.verify_mac(&secret).is_ok());
    let other = SharedSecret::new(MacAlgorithm::Hs256, &[0; 32]).unwrap();
    assert_eq!(unverified.verify_mac(&other).unwrap_err(), Refused::Signature);
    let other = SharedSecret::new(MacAlgorithm::Hs512, &[0; 64]).unwrap();
    assert_eq!(unverified.verify_mac(&other).unwrap_err(), Refused::Algorithm);
}

#[test]
fn rfc7518_3_2_short_secrets_are_refused() {
    for (alg, length) in [(MacAlgorithm::Hs256, 32), (MacAlgorithm::Hs384, 48), (MacAlgorithm::Hs512, 64)] {
        assert!(SharedSecret::new(alg, &vec![1; length]).is_ok());
        assert_eq!(SharedSecret::new(alg, &vec![1; length - 1]).unwrap_err(), crate::KeyError::Strength);
    }
}

#[test]
fn the_key_decides_its_header_members() {
    for name in ["alg", "kid", "typ", "crit", "b64"] {
        let extra = Map::from_iter([(name.to_owned(), Value::Null)]);
        assert_eq!(sign_with_header(es256(), "JWT", &extra, b"{}").unwrap_err(), SignError::Header);
    }
    let extra = Map::from_iter([("nonce".to_owned(), "n".into())]);
    let token = sign_with_header(es256(), "JWT", &extra, b"{}").unwrap();
    let header = token.split('.').next().and_then(base64url::decode).unwrap();
    assert_eq!(crate::parse_object(&header).unwrap()["nonce"], "n");
    assert!(Unverified::parse(&token).is_ok());
}

#[test]
fn a_known_header_is_that_of_the_same_text_alone() {
    let token = sign(es256(), "JWT", b"{}").unwrap();
    let known = Unverified::parse(&token).unwrap().known_header();
    let (header, rest) = token.split_once('.').unwrap();
    let of =
        |token: &str| Unverified::parse_knowing(token, Some(&known)).map(|read| read.header().typ().map(str::to_owned));
    assert_eq!(of(&token), Ok(Some("JWT".to_owned())));
    let other = sign(es256(), "at+jwt", b"{}").unwrap();
    assert_eq!(of(&other), Ok(Some("at+jwt".to_owned())));
    for bad in
        [format!("{header}=.{rest}"), format!("{}.{rest}", &header[1..]), format!("A{token}"), format!(".{rest}")]
    {
        assert_eq!(of(&bad).unwrap_err(), Unverified::parse(&bad).unwrap_err(), "{bad}");
    }
    let read = Unverified::parse_knowing(&token, Some(&known)).unwrap();
    assert!(read.verify(&es256().verifying_key().unwrap()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn payloads_round_trip(index: prop::sample::Index, payload: Vec<u8>, typ in "[a-z+\"\\\\é]{0,8}") {
        let key = &KEYS[index.index(KEYS.len())];
        let token = sign(key, &typ, &payload).unwrap();
        let verified = Unverified::parse(&token).unwrap().verify(&key.verifying_key().unwrap()).unwrap();
        prop_assert_eq!(verified.header().typ(), Some(typ.as_str()));
        prop_assert_eq!(verified.into_payload(), payload);
    }

    #[test]
    fn a_flipped_bit_never_verifies(which: prop::sample::Index, at: prop::sample::Index, bit in 0_u8..8) {
        let key = &KEYS[which.index(KEYS.len())];
        let mut token = sign(key, "JWT", b"{\"sub\":\"someone\"}").unwrap().into_bytes();
        let at = at.index(token.len());
        token[at] ^= 1 << bit;
        if let Ok(token) = String::from_utf8(token)
            && let Ok(unverified) = Unverified::parse(&token)
        {
            prop_assert!(unverified.verify(&key.verifying_key().unwrap()).is_err());
        }
    }

    #[test]
    fn arbitrary_text_never_panics_nor_verifies(text in "\\PC{0,64}|[A-Za-z0-9_.-]{0,64}|ey[A-Za-z0-9]{0,20}\\.[a-z]{4}\\.[a-z]{4}") {
        if let Ok(unverified) = Unverified::parse(&text) {
            prop_assert!(unverified.verify(&es256().verifying_key().unwrap()).is_err());
        }
    }

    #[test]
    fn arbitrary_headers_never_panic(header: Vec<u8>) {
        let _ = Header::parse(&header);
    }
}
