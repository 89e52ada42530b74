use super::*;
use crate::{JwkSet, MacAlgorithm, SigningAlgorithm, SigningKey, VerifyingKey, vectors};
use proptest::prelude::*;
use serde_json::json;

const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn ed25519(extra: &Value) -> Value {
    let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": X});
    key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    key
}

fn rsa(n: &[u8], e: &[u8]) -> Result<Jwk, KeyError> {
    let key = json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)});
    Jwk::parse_public(key.to_string())
}

fn refusal(key: &Value) -> KeyError {
    Jwk::parse_public(key.to_string()).unwrap_err()
}

#[test]
fn rfc7517_4_repeated_members_are_refused() {
    let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","x":"{X}"}}"#);
    assert_eq!(Jwk::parse_public(key).unwrap_err(), KeyError::Syntax);
    let key = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{X}","kty":"OKP"}}"#);
    assert!(serde_json::from_str::<Jwk>(&key).is_err());
}

#[test]
fn rfc7517_4_unknown_members_are_ignored_and_wrong_types_are_not() {
    assert!(Jwk::parse_public(ed25519(&json!({"x5c": ["AAAA"], "more": {"a": 1}})).to_string()).is_ok());
    for extra in [json!({"kid": 1}), json!({"use": []}), json!({"alg": null}), json!({"key_ops": "verify"})] {
        assert_eq!(refusal(&ed25519(&extra)), KeyError::Syntax, "{extra}");
    }
    assert_eq!(refusal(&ed25519(&json!({"kid": ""}))), KeyError::KeyId);
    assert_eq!(refusal(&ed25519(&json!({"kid": "k".repeat(513)}))), KeyError::KeyId);
}

#[test]
fn rfc7517_4_3_repeated_operations_are_refused() {
    assert_eq!(refusal(&ed25519(&json!({"key_ops": ["verify", "verify"]}))), KeyError::Syntax);
}

#[test]
fn rfc9449_4_3_private_members_are_refused() {
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        assert_eq!(refusal(&ed25519(&json!({name: "AAAA"}))), KeyError::Private, "{name}");
    }
    assert_eq!(refusal(&json!({"kty": "oct"})), KeyError::Private);
}

#[test]
fn rfc7518_6_2_1_2_coordinates_have_the_length_of_the_field() {
    let key = |x: usize, y: usize| json!({"kty": "EC", "crv": "P-256", "x": base64url::encode(vec![1; x]), "y": base64url::encode(vec![1; y])});
    assert!(Jwk::parse_public(key(32, 32).to_string()).is_ok());
    for (x, y) in [(31, 32), (32, 33), (0, 32), (48, 48)] {
        assert_eq!(refusal(&key(x, y)), KeyError::Encoding);
    }
    assert_eq!(refusal(&json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"})), KeyError::Unsupported);
    assert_eq!(refusal(&json!({"kty": "EC", "crv": "P-256", "x": base64url::encode([1; 32])})), KeyError::Missing);
    assert_eq!(refusal(&json!({"kty": "OKP", "crv": "X25519", "x": X})), KeyError::Unsupported);
    assert_eq!(refusal(&json!({"crv": "Ed25519", "x": X})), KeyError::Missing);
}

#[test]
fn rfc7518_2_integers_have_no_leading_zeros() {
    let mut n = vec![0; 257];
    n[1] = 0x80;
    n[256] = 1;
    assert_eq!(rsa(&n, &[1, 0, 1]).unwrap_err(), KeyError::Encoding);
    assert_eq!(rsa(&n[1..], &[0, 1, 0, 1]).unwrap_err(), KeyError::Encoding);
    assert!(rsa(&n[1..], &[1, 0, 1]).is_ok());
}

#[test]
fn rsa_keys_outside_of_the_limits_are_refused() {
    let modulus = |bytes: usize, first: u8| {
        let mut n = vec![0xff; bytes];
        n[0] = first;
        n
    };
    assert!(rsa(&modulus(256, 0x80), &[3]).is_ok());
    assert!(rsa(&modulus(1024, 0xff), &[1, 0, 1]).is_ok());
    assert_eq!(rsa(&modulus(256, 0x7f), &[3]).unwrap_err(), KeyError::Strength);
    assert_eq!(rsa(&modulus(128, 0xff), &[3]).unwrap_err(), KeyError::Strength);
    assert_eq!(rsa(&modulus(1025, 1), &[3]).unwrap_err(), KeyError::Strength);
    for e in [&[1][..], &[2], &[1, 0, 0], &[1, 0, 0, 0, 1]] {
        assert_eq!(rsa(&modulus(256, 0x80), e).unwrap_err(), KeyError::Strength, "{e:?}");
    }
}

#[test]
fn cve_2017_15361_keys_are_refused() {
    let suite: Value = serde_json::from_str(&vectors::read("wycheproof", "json_web_crypto_test.json")).unwrap();
    let group = suite["testGroups"].as_array().unwrap().iter().find(|group| group["comment"] == "jws_rsa_roca_key");
    let n = base64url::decode(group.unwrap()["public"]["n"].as_str().unwrap()).unwrap();
    assert_eq!(rsa(&n, &[1, 0, 1]).unwrap_err(), KeyError::Strength);
    let mut near = n;
    near[0] ^= 2;
    assert!(rsa(&near, &[1, 0, 1]).is_ok());
}

#[test]
fn oversized_keys_are_refused() {
    let key = ed25519(&json!({"x5c": ["A".repeat(MAX_JWK)]}));
    assert_eq!(refusal(&key), KeyError::TooLarge);
}

#[test]
fn rfc7517_4_2_a_key_for_encryption_does_not_verify() {
    let verifier = |extra: &Value| {
        let jwk = Jwk::parse_public(ed25519(extra).to_string()).unwrap();
        VerifyingKey::from_jwk(&jwk, SigningAlgorithm::EdDsa).map(drop)
    };
    assert_eq!(verifier(&json!({})), Ok(()));
    assert_eq!(verifier(&json!({"use": "sig", "key_ops": ["verify"], "alg": "EdDSA"})), Ok(()));
    assert_eq!(verifier(&json!({"use": "enc"})), Err(KeyError::Usage));
    assert_eq!(verifier(&json!({"use": "else"})), Err(KeyError::Usage));
    assert_eq!(verifier(&json!({"key_ops": ["encrypt"]})), Err(KeyError::Usage));
    assert_eq!(verifier(&json!({"key_ops": []})), Err(KeyError::Usage));
    assert_eq!(verifier(&json!({"use": "sig", "key_ops": ["sign"]})), Err(KeyError::Usage));
}

#[test]
fn rfc7517_4_4_a_key_for_another_algorithm_does_not_verify() {
    for alg in SigningAlgorithm::ALL {
        let public = SigningKey::generate(*alg).unwrap().public_jwk();
        for other in SigningAlgorithm::ALL {
            let verifier = VerifyingKey::from_jwk(&public, *other).map(drop);
            assert_eq!(verifier, if alg == other { Ok(()) } else { Err(KeyError::Algorithm) }, "{alg} {other}");
        }
        // Without `alg` the type decides.
        let bare = Jwk::new(public.material().clone(), Attributes::default());
        let fitting = SigningAlgorithm::ALL.iter().filter(|other| VerifyingKey::from_jwk(&bare, **other).is_ok());
        let expected = if bare.kty() == "EC" { 1 } else { 2 };
        assert_eq!(fitting.count(), expected, "{alg}");
    }
}

#[test]
fn sec1_3_2_2_1_a_point_off_the_curve_does_not_verify() {
    let key = json!({"kty": "EC", "crv": "P-256", "x": base64url::encode([1; 32]), "y": base64url::encode([1; 32])});
    let jwk = Jwk::parse_public(key.to_string()).unwrap();
    assert_eq!(VerifyingKey::from_jwk(&jwk, SigningAlgorithm::Es256).unwrap_err(), KeyError::Invalid);
}

#[test]
fn rfc7517_5_unusable_keys_of_a_set_are_passed_over() {
    let set = json!({"keys": [{"kty": "new"}, {"kty": "EC", "crv": "P-256"}, ed25519(&json!({"kid": "a"})), {}]});
    let set = JwkSet::parse(set.to_string()).unwrap();
    assert_eq!(set.keys.len(), 1);
    assert!(set.find("a").is_some());
    assert!(set.find("b").is_none());
}

#[test]
fn a_set_with_private_or_symmetric_keys_is_refused() {
    for key in [json!({"kty": "oct", "k": "AAAA"}), ed25519(&json!({"d": X}))] {
        let set = json!({"keys": [ed25519(&json!({})), key]});
        assert_eq!(JwkSet::parse(set.to_string()), Err(KeyError::Private));
    }
}

#[test]
fn rfc7517_4_5_two_keys_of_one_type_with_one_identifier_are_refused() {
    let twins = json!({"keys": [ed25519(&json!({"kid": "a"})), ed25519(&json!({"kid": "a"}))]});
    assert_eq!(JwkSet::parse(twins.to_string()), Err(KeyError::DuplicateKeyId));
    let nameless = json!({"keys": [ed25519(&json!({})), ed25519(&json!({}))]});
    assert_eq!(JwkSet::parse(nameless.to_string()).unwrap().keys.len(), 2);
}

#[test]
fn what_is_no_set_is_refused() {
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert!(JwkSet::parse(bad).is_err(), "{bad}");
    }
    let many = json!({"keys": vec![ed25519(&json!({})); 101]});
    assert_eq!(JwkSet::parse(many.to_string()), Err(KeyError::TooLarge));
    assert_eq!(JwkSet::parse(" ".repeat(300_000)), Err(KeyError::TooLarge));
}

#[test]
fn a_private_key_must_fit_its_public_half() {
    let d = base64url::encode([7; 32]);
    let key = PrivateJwk::parse(ed25519(&json!({"d": d})).to_string()).unwrap();
    assert_eq!(key.signing_key(SigningAlgorithm::EdDsa).unwrap_err(), KeyError::Invalid);
    assert_eq!(key.signing_key(SigningAlgorithm::Es256).unwrap_err(), KeyError::Algorithm);
    assert!(!format!("{key:?}").contains(&d));
}

#[test]
fn rfc7517_4_2_to_4_4_a_private_key_signs_only_what_it_is_for() {
    let signer = |extra: Value| {
        let mut key = ed25519(&json!({"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}));
        key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        PrivateJwk::parse(key.to_string()).unwrap().signing_key(SigningAlgorithm::EdDsa).map(drop)
    };
    assert_eq!(signer(json!({"use": "sig", "key_ops": ["sign", "verify"], "alg": "EdDSA"})), Ok(()));
    assert_eq!(signer(json!({"alg": "Ed25519"})), Err(KeyError::Algorithm));
    assert_eq!(signer(json!({"use": "enc"})), Err(KeyError::Usage));
    assert_eq!(signer(json!({"key_ops": ["verify"]})), Err(KeyError::Usage));

    let secret = |extra: Value| {
        let mut key = json!({"kty": "oct", "k": base64url::encode([1; 32])});
        key.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        PrivateJwk::parse(key.to_string()).unwrap().shared_secret(MacAlgorithm::Hs256).map(drop)
    };
    assert_eq!(secret(json!({"use": "sig", "key_ops": ["verify"], "alg": "HS256"})), Ok(()));
    assert_eq!(secret(json!({"alg": "HS512"})), Err(KeyError::Algorithm));
    assert_eq!(secret(json!({"use": "enc"})), Err(KeyError::Usage));
    assert_eq!(secret(json!({"key_ops": ["encrypt"]})), Err(KeyError::Usage));
}

/// RFC 8037 A.1, A.4.
#[test]
fn rfc8037_a_4_signature() {
    let key = ed25519(&json!({"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}));
    let key = PrivateJwk::parse(key.to_string()).unwrap().signing_key(SigningAlgorithm::EdDsa).unwrap();
    let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
    let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(base64url::encode(signature), expected);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let _ = Jwk::parse_public(&bytes);
        let _ = JwkSet::parse(&bytes);
        let _ = PrivateJwk::parse(&bytes);
    }

    #[test]
    fn arbitrary_members_never_panic(
        kty in "EC|RSA|OKP|oct", crv in "P-256|P-384|P-521|Ed25519|X25519",
        x in "[A-Za-z0-9_-]{0,64}", y in "[A-Za-z0-9_-]{43}", e in "[A-Za-z0-9_-]{0,6}",
    ) {
        let key = json!({"kty": kty, "crv": crv, "x": x, "y": y, "n": x, "e": e, "d": y, "k": y});
        if let Ok(key) = PrivateJwk::parse(key.to_string()) {
            for alg in SigningAlgorithm::ALL {
                prop_assert!(key.signing_key(*alg).is_err() || kty != "oct");
            }
        }
    }

    #[test]
    fn ed25519_round_trip(x: [u8; 32], kid in "[a-z]{1,9}", usage: Option<bool>) {
        let mut key = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(x), "kid": kid});
        if let Some(sig) = usage {
            key["use"] = if sig { "sig".into() } else { "enc".into() };
        }
        let jwk = Jwk::parse_public(key.to_string()).unwrap();
        prop_assert_eq!(serde_json::to_value(&jwk).unwrap(), key);
        prop_assert_eq!(serde_json::from_value::<Jwk>(serde_json::to_value(&jwk).unwrap()).unwrap(), jwk);
    }
}

#[test]
fn a_verifier_is_parsed_once_for_each_algorithm() {
    let rsa = [SigningAlgorithm::Rs256, SigningAlgorithm::Ps256];
    for algorithms in [rsa, [SigningAlgorithm::EdDsa, SigningAlgorithm::Ed25519]] {
        for asked in [algorithms, [algorithms[1], algorithms[0]]] {
            let key = crate::SigningKey::generate(asked[0]).unwrap().public_jwk().without_algorithm();
            let parsed = asked.map(|alg| key.verifying_key(alg).unwrap());
            for (alg, first) in asked.into_iter().zip(&parsed) {
                assert_eq!(first.algorithm(), alg);
                assert!(Arc::ptr_eq(first, &key.verifying_key(alg).unwrap()), "{alg}");
                assert_eq!(key.verifying_key(SigningAlgorithm::Es256).unwrap_err(), KeyError::Algorithm);
            }
            assert_eq!(key, key.clone().without_algorithm());
        }
    }
}
