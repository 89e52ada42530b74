//! Reading and opening encrypted tokens: never a panic, and nothing opens under a key shared with nobody.
#![no_main]

use grantor_jose::jwe::{DecryptionKey, Unopened};
use grantor_jose::{EncryptionAlgorithm, PrivateJwk};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The private key of RFC 7515 A.3, published, so that tokens which open under it do exist.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;

static AGREEING: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let jwk = PrivateJwk::parse(EC).expect("a published key");
    EncryptionAlgorithm::ALL.iter().filter_map(|alg| DecryptionKey::from_jwk(&jwk, *alg).ok()).collect()
});

static SHARED: LazyLock<Vec<DecryptionKey>> = LazyLock::new(|| {
    let of_length = |alg: &EncryptionAlgorithm, length| DecryptionKey::from_secret(*alg, &vec![0x5a; length]).ok();
    let lengths = [16, 32, 64];
    EncryptionAlgorithm::ALL.iter().flat_map(|alg| lengths.map(|length| of_length(alg, length))).flatten().collect()
});

fuzz_target!(|data: &[u8]| {
    let Ok(token) = std::str::from_utf8(data) else { return };
    let Ok(unopened) = Unopened::parse(token) else { return };
    assert_eq!(token.matches('.').count(), 4);
    assert!(unopened.header().member("zip").is_none());
    for key in SHARED.iter() {
        assert!(unopened.open(key).is_err());
    }
    for key in AGREEING.iter() {
        let _ = unopened.open(key);
    }
});
