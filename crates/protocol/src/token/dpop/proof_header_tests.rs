//! The form of a proof and its header: type, algorithm, key, signature.

use super::*;

#[test]
fn rfc9449_4_3_a_proof_is_a_well_formed_jwt() {
    let good = proof(&claims(json!({})));
    let unsigned = good.rsplit_once('.').unwrap().0;
    for bad in ["", " ", "x", "..", "a.b.c", unsigned, &format!("{good}="), &format!("{good} "), &format!("{good}.AA")]
    {
        assert_eq!(check(bad, &EXPECTED), Err(Refusal::MalformedDpopProof), "{bad:?}");
    }
    let key = key(SigningAlgorithm::Ed25519);
    let header = json!({"jwk": key.public_jwk()});
    for payload in ["", "[]", "null", "\"x\"", "{", r#"{"a":1,"a":1}"#, "{} {}"] {
        let bad = signed_by(key, TYP, &header, payload.as_bytes());
        assert_eq!(check(&bad, &EXPECTED), Err(Refusal::MalformedDpopProof), "{payload:?}");
    }
    let good = serde_json::to_string(&claims(json!({}))).unwrap();
    let twice = good.replace('}', r#","jti":"j2"}"#);
    assert_eq!(check(&signed_by(key, TYP, &header, twice.as_bytes()), &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_a_proof_has_a_bounded_size() {
    let sized = |size: usize| {
        let empty = proof(&claims(json!({"x": ""}))).len();
        // Four letters for three bytes, and to spare.
        proof(&claims(json!({"x": "x".repeat((size - empty) * 3 / 4)})))
    };
    let (fits, exceeds) = (sized(MAX_PROOF - 4), sized(MAX_PROOF + 4));
    assert!(fits.len() <= MAX_PROOF && exceeds.len() > MAX_PROOF);
    assert!(check(&fits, &EXPECTED).is_ok());
    assert_eq!(check(&exceeds, &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_the_type_is_that_of_a_proof() {
    let key = key(SigningAlgorithm::Ed25519);
    let payload = serde_json::to_vec(&claims(json!({}))).unwrap();
    let typed = |typ: &str| check(&signed_by(key, typ, &json!({"jwk": key.public_jwk()}), &payload), &EXPECTED);
    assert!(typed("dpop+jwt").is_ok());
    for other in ["JWT", "jwt", "at+jwt", "dpop", "dpop+jwt ", "", "oauth-authz-req+jwt"] {
        assert_eq!(typed(other), Err(Refusal::MalformedDpopProof), "{other:?}");
    }
}

#[test]
fn rfc9449_4_3_every_algorithm_is_verified() {
    assert_eq!(KEYS.len(), SigningAlgorithm::ALL.len());
    for key in KEYS.iter() {
        let good = headed(key, &json!({"jwk": key.public_jwk()}));
        assert_eq!(check(&good, &EXPECTED).unwrap().key, key.thumbprint(), "{}", key.algorithm());
    }
}

#[test]
fn rfc9449_4_3_only_an_algorithm_that_is_allowed() {
    for key in KEYS.iter() {
        let good = headed(key, &json!({"jwk": key.public_jwk()}));
        let others: Vec<_> = SigningAlgorithm::ALL.iter().copied().filter(|other| *other != key.algorithm()).collect();
        let refused = check(&good, &Expected { algorithms: &others, ..EXPECTED });
        assert_eq!(refused, Err(Refusal::DpopAlgorithmNotAllowed), "{}", key.algorithm());
        assert!(check(&good, &Expected { algorithms: &[key.algorithm()], ..EXPECTED }).is_ok());
    }
}

#[test]
fn rfc9449_4_3_the_algorithm_is_asymmetric_and_known() {
    let jwk = of_any_algorithm(key(SigningAlgorithm::Rs256));
    for algorithm in ["none", "None", "HS256", "HS512", "RS1", "ES256K", "es256", ""] {
        let forged = forged(&json!({"typ": TYP, "alg": algorithm, "jwk": jwk}), b"{}");
        assert_eq!(check(&forged, &EXPECTED), Err(Refusal::DpopAlgorithmNotAllowed), "{algorithm:?}");
    }
}

#[test]
fn rfc8725_3_1_the_key_is_of_the_algorithm() {
    for signer in KEYS.iter() {
        for other in KEYS.iter().filter(|other| other.algorithm() != signer.algorithm()) {
            let confused = headed(signer, &json!({"jwk": other.public_jwk()}));
            assert_eq!(check(&confused, &EXPECTED), Err(Refusal::MalformedDpopProof), "{other:?}");
        }
    }
    // The signature of one algorithm is none of another, though the key may serve both.
    let (rs256, ps256) = (key(SigningAlgorithm::Rs256), key(SigningAlgorithm::Ps256));
    assert_eq!(rs256.thumbprint(), ps256.thumbprint());
    let jwk = of_any_algorithm(rs256);
    let good = headed(rs256, &json!({"jwk": jwk}));
    assert!(check(&good, &EXPECTED).is_ok());
    let (header, rest) = good.split_once('.').unwrap();
    let header = String::from_utf8(base64url::decode(header).unwrap()).unwrap().replace("RS256", "PS256");
    let confused = format!("{}.{rest}", base64url::encode(header));
    assert_eq!(check(&confused, &EXPECTED), Err(Refusal::DpopSignatureWrong));
}

#[test]
fn rfc9449_4_3_the_signature_verifies_with_the_key_of_the_header() {
    let (ours, other) = (key(SigningAlgorithm::Es256), SigningKey::generate(SigningAlgorithm::Es256).unwrap());
    let stolen = headed(&other, &json!({"jwk": ours.public_jwk()}));
    assert_eq!(check(&stolen, &EXPECTED), Err(Refusal::DpopSignatureWrong));
    let good = headed(ours, &json!({"jwk": ours.public_jwk()}));
    let (signed, _) = good.rsplit_once('.').unwrap();
    for signature in [String::new(), base64url::encode([0; 64]), base64url::encode([1; 63])] {
        assert_eq!(check(&format!("{signed}.{signature}"), &EXPECTED), Err(Refusal::DpopSignatureWrong));
    }
}

#[test]
fn rfc9449_4_3_a_proof_brings_its_key() {
    let key = key(SigningAlgorithm::Es256);
    // Without `jwk` there is a `kid`, which is none of ours.
    assert_eq!(check(&headed(key, &json!({})), &EXPECTED), Err(Refusal::MalformedDpopProof));
    for jwk in [json!(null), json!("x"), json!([]), json!({}), json!({"kty": "EC"}), json!({"kty": "XY", "x": "AA"})] {
        assert_eq!(check(&headed(key, &json!({"jwk": jwk})), &EXPECTED), Err(Refusal::MalformedDpopProof), "{jwk}");
    }
    let zero = base64url::encode([0; 32]);
    let off_the_curve = json!({"jwk": {"kty": "EC", "crv": "P-256", "x": zero, "y": zero}});
    assert_eq!(check(&headed(key, &off_the_curve), &EXPECTED), Err(Refusal::MalformedDpopProof));
    let mut to_encrypt = serde_json::to_value(key.public_jwk()).unwrap();
    to_encrypt["use"] = json!("enc");
    assert_eq!(check(&headed(key, &json!({"jwk": to_encrypt})), &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_nothing_else_in_the_header_names_a_key() {
    let (key, other) = (key(SigningAlgorithm::Ed25519), key(SigningAlgorithm::Es256));
    let mut header =
        json!({"jku": "https://evil.example/", "x5u": "https://evil.example/", "x5c": ["AA"], "x5t": "AA"});
    header["jwk"] = serde_json::to_value(key.public_jwk()).unwrap();
    assert_eq!(check(&headed(key, &header), &EXPECTED).unwrap().key, key.thumbprint());
    assert_eq!(check(&headed(other, &header), &EXPECTED), Err(Refusal::MalformedDpopProof));
    assert!(check(made_elsewhere::KID_BESIDE_ANOTHER, &EXPECTED).is_ok());
}

#[test]
fn rfc7515_4_1_11_a_critical_extension_is_refused() {
    assert_eq!(check(made_elsewhere::CRITICAL, &EXPECTED), Err(Refusal::MalformedDpopProof));
}

#[test]
fn rfc9449_4_3_the_key_in_the_header_is_public() {
    for key in KEYS.iter() {
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            let mut jwk = serde_json::to_value(key.public_jwk()).unwrap();
            jwk[member] = json!("AA");
            let lost = headed(key, &json!({"jwk": jwk}));
            assert_eq!(check(&lost, &EXPECTED), Err(Refusal::DpopProofHoldsPrivateKey), "{member}");
        }
    }
    let symmetric = json!({"typ": TYP, "alg": "HS256", "jwk": {"kty": "oct", "k": "AA"}});
    assert_eq!(check(&forged(&symmetric, b"{}"), &EXPECTED), Err(Refusal::DpopProofHoldsPrivateKey));
}

#[test]
fn a_key_is_kept_when_its_signature_held_and_its_header_is_of_common_length() {
    let keys = KnownKeys::new(10);
    let expected = Expected { known: Some(&keys), ..EXPECTED };
    let signer = key(SigningAlgorithm::Es256);
    let good = headed(signer, &json!({"jwk": signer.public_jwk()}));

    let forged = format!("{}.{}", good.rsplit_once('.').unwrap().0, base64url::encode([7; 64]));
    assert_eq!(verify(&[&forged], &expected), Err(Refusal::DpopSignatureWrong));
    let long = headed(signer, &json!({"jwk": signer.public_jwk(), "x": "x".repeat(1024)}));
    assert!(verify(&[&long], &expected).is_ok());
    assert!(keys.of(&good).is_none() && keys.of(&long).is_none());

    assert!(verify(&[&good], &expected).is_ok());
    assert!(keys.of(&good).is_some_and(|known| known.key.thumbprint() == signer.thumbprint()));
    assert_eq!(verify(&[&forged], &expected), Err(Refusal::DpopSignatureWrong));
    // What may be signed with is asked each time.
    let narrower = Expected { algorithms: &[SigningAlgorithm::EdDsa], ..expected };
    assert_eq!(verify(&[&good], &narrower), Err(Refusal::DpopAlgorithmNotAllowed));
}
