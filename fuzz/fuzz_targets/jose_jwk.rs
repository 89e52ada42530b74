//! Reading keys and sets: never a panic, what was read is written and read again unchanged, and no private member
//! passes for a public key.
#![no_main]

use grantor_jose::jwe::{DecryptionKey, EncryptionKey};
use grantor_jose::{
    EncryptionAlgorithm, Jwk, JwkSet, MacAlgorithm, PrivateJwk, SigningAlgorithm, VerifyingKey, parse_object,
    thumbprint,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(jwk) = Jwk::parse_public(data) {
        let members = parse_object(data).expect("a key is an object");
        assert!(!["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| members.contains_key(*name)));
        let written = serde_json::to_vec(&jwk).expect("a key can be written");
        assert_eq!(Jwk::parse_public(&written).as_ref(), Ok(&jwk));
        assert_eq!(thumbprint(&jwk), thumbprint(&Jwk::parse_public(&written).expect("read above")));
        for alg in SigningAlgorithm::ALL {
            let _ = VerifyingKey::from_jwk(&jwk, *alg);
        }
        for alg in EncryptionAlgorithm::ALL {
            let _ = EncryptionKey::from_jwk(&jwk, *alg);
        }
    }
    if let Ok(set) = JwkSet::parse(data) {
        let written = serde_json::to_vec(&set).expect("a set can be written");
        assert_eq!(JwkSet::parse(&written), Ok(set));
    }
    if let Ok(jwk) = PrivateJwk::parse(data) {
        for alg in SigningAlgorithm::ALL {
            let _ = jwk.signing_key(*alg);
        }
        for alg in MacAlgorithm::ALL {
            let _ = jwk.shared_secret(*alg);
        }
        for alg in EncryptionAlgorithm::ALL {
            let _ = DecryptionKey::from_jwk(&jwk, *alg);
        }
    }
});
