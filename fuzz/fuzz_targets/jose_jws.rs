//! Reading and verifying tokens: never a panic, and nothing verifies that the key did not sign.
#![no_main]

use grantor_jose::jws::{SharedSecret, Unverified};
use grantor_jose::{Jwk, JwkSet, MacAlgorithm, SigningAlgorithm, VerifyingKey, base64url, parse_object};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The public keys of RFC 7517 A.1 and RFC 8410 10.1, which no published token was signed with.
const KEYS: [(SigningAlgorithm, &str); 2] = [
    (
        SigningAlgorithm::Es256,
        r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#,
    ),
    (SigningAlgorithm::EdDsa, r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}"#),
];

static SET: LazyLock<JwkSet> = LazyLock::new(|| JwkSet {
    keys: KEYS.iter().map(|(_, key)| Jwk::parse_public(key).expect("a published key")).collect(),
});

static SECRET: LazyLock<SharedSecret> =
    LazyLock::new(|| SharedSecret::new(MacAlgorithm::Hs256, &[0x5a; 32]).expect("long enough"));

fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let Ok(unverified) = Unverified::parse(token) else { return };
    assert_eq!(token.matches('.').count(), 2);
    let header = token.split('.').next().and_then(base64url::decode).expect("it was read");
    assert!(!parse_object(&header).expect("it was read").contains_key("crit"));
    assert!(unverified.verify_with_set(&SET, SigningAlgorithm::ALL).is_err());
    assert!(unverified.verify_mac(&SECRET).is_err());
    for (jwk, (alg, _)) in SET.keys.iter().zip(KEYS) {
        let key = VerifyingKey::from_jwk(jwk, alg).expect("a published key");
        assert!(unverified.verify(&key).is_err());
    }
    if let (Some(jwk), Some(alg)) = (unverified.header().jwk(), unverified.header().alg().signature())
        && let Ok(key) = VerifyingKey::from_jwk(jwk, alg)
    {
        let _ = unverified.verify(&key);
    }
});
