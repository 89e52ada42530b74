//! DPoP proofs: nothing passes without a signature of the key that it brings, and nothing that is made for something else.
#![no_main]

use grantor_jose::jws::{Unverified, sign_with_header};
use grantor_jose::{SigningAlgorithm, VerifyingKey, base64url};
use grantor_jose::{SigningKey, parse_object};
use grantor_protocol::Refusal;
use grantor_protocol::token::dpop::{Expected, KnownKeys, Nonces, TYP, verify};
use grantor_protocol::token::handle::{HandleKey, HandleKeys};
use grantor_protocol::value::{Issuer, UnixTime};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static HANDLES: LazyLock<HandleKeys> = LazyLock::new(|| {
    HandleKeys::new(&Issuer::parse("https://id.example").expect("an issuer"), vec![HandleKey::new(&[3; 32])])
});

/// The private key of RFC 8032 7.1, test 1, in PKCS#8.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let der = base64url::decode("MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v_VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g");
    SigningKey::from_pkcs8(SigningAlgorithm::Ed25519, &der.expect("base64url")).expect("a published key")
});

static HEADER: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let mut header = Map::new();
    header.insert("jwk".to_owned(), json!(KEY.public_jwk()));
    header
});

static KNOWN: LazyLock<KnownKeys> = LazyLock::new(|| KnownKeys::new(100));

const PLAIN: Expected<'static> = Expected {
    method: "POST",
    uri: "https://id.example/token",
    access_token: None,
    nonces: None,
    algorithms: SigningAlgorithm::ALL,
    known: None,
    now: UnixTime::new(1_562_262_616),
};

fuzz_target!(|text: &str| {
    let nonces = Some(Nonces(&HANDLES));
    for expected in [PLAIN, Expected { nonces, access_token: Some("t"), ..PLAIN }] {
        if let Ok(proof) = verify(&[text], &expected) {
            assert_eq!(proof.map(|proof| proof.key), signer(text));
        }
        let known = Expected { known: Some(&KNOWN), ..expected };
        assert_eq!(verify(&[text], &known), verify(&[text], &expected));
        assert_eq!(verify(&[text, text], &expected), Err(Refusal::SeveralDpopProofs));
    }

    // A payload of the fuzzer under a good header: unsigned, it passes nowhere.
    let unsigned = format!("{}.{}", encoded_header(), base64url::encode(text));
    for signature in ["", text, &base64url::encode([1; 64])] {
        assert!(verify(&[&format!("{unsigned}.{signature}")], &PLAIN).is_err());
    }

    // Signed, it passes when it says what is expected.
    let signed = sign_with_header(&KEY, TYP, &HEADER, text.as_bytes()).expect("a signature");
    assert_eq!(verify(&[&signed], &Expected { known: Some(&KNOWN), ..PLAIN }), verify(&[&signed], &PLAIN));
    if let Ok(proof) = verify(&[&signed], &PLAIN) {
        let proof = proof.expect("there was a header");
        assert_eq!(proof.key, KEY.thumbprint());
        let claims = parse_object(text.as_bytes()).expect("an object");
        assert_eq!(claims["htm"], "POST");
        assert!(claims["jti"].as_str().is_some_and(|jti| (1..=256).contains(&jti.len())));
        let htu = claims["htu"].as_str().expect("a URI").to_ascii_lowercase();
        assert!(htu.starts_with("https://id.example") || htu.contains('%'), "{htu}");
        let iat = claims["iat"].as_i64().expect("a time");
        assert!((PLAIN.now.get() - 60..=PLAIN.now.get() + 10).contains(&iat));
        assert!(proof.until.get() > iat + 60);
    }
    assert!(verify(&[&signed], &Expected { nonces, ..PLAIN }).is_err());

    // The same of one claim alone, so that URIs are reached.
    let claims = json!({"jti": "j", "htm": "POST", "htu": text, "iat": PLAIN.now});
    let signed = sign_with_header(&KEY, TYP, &HEADER, claims.to_string().as_bytes()).expect("a signature");
    for uri in [PLAIN.uri, text] {
        match verify(&[&signed], &Expected { uri, ..PLAIN }) {
            Ok(proof) => assert!(proof.is_some()),
            // Too long a proof is malformed.
            Err(why) => assert!(why == Refusal::DpopUriMismatch || signed.len() > 8192, "{why}"),
        }
    }
});

/// Whose signature stands there, by another way than the proof's.
fn signer(text: &str) -> Option<grantor_jose::JwkThumbprint> {
    let proof = Unverified::parse(text).ok()?;
    let jwk = proof.header().jwk()?;
    let key = VerifyingKey::from_jwk(jwk, proof.header().alg().signature()?).ok()?;
    proof.verify(&key).is_ok().then(|| key.thumbprint())
}

fn encoded_header() -> String {
    let mut header = HEADER.clone();
    header.insert("typ".to_owned(), json!(TYP));
    header.insert("alg".to_owned(), json!(KEY.algorithm()));
    base64url::encode(Value::Object(header).to_string())
}
