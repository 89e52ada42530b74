//! JOSE for Grantor: signatures (JWS), encryption (JWE), keys (JWK), thumbprints, sealed handles and message
//! authentication codes.
//!
//! This is the only crate of Grantor that sees cryptography. It knows no clock and draws no randomness of its own: what
//! inherently needs it (new keys, ECDSA nonces, PSS salts, content encryption keys) is drawn inside aws-lc, and every
//! other random value comes in from the caller.
//!
//! What is refused by construction, so that no caller can forget to: `alg: none`, any `crit`, `b64: false`, duplicate
//! members in a header or key, a key whose `kty`, `crv`, `use`, `key_ops`, `alg` or `kid` contradicts the message,
//! oversized input, `RSA1_5`, compressed content, points off the curve, base64url that is not canonical.

mod algorithm;
mod der;
mod error;
mod json;
mod jwk;
mod signing_key;
mod thumbprint;
mod verifying_key;

pub mod base64url;
pub mod derive;
pub mod digest;
pub mod jwe;
pub mod jws;
pub mod mac;
pub mod names;
pub mod seal;

pub use algorithm::{ContentEncryption, EncryptionAlgorithm, MacAlgorithm, SigningAlgorithm};
pub use error::KeyError;
pub use json::{Element, Object, parse_object};
pub use jwk::{Curve, Jwk, JwkSet, Material, PrivateJwk};
pub use signing_key::SigningKey;
pub use thumbprint::{JwkThumbprint, thumbprint};
pub use verifying_key::VerifyingKey;

/// Whether two byte strings are equal, in a time that depends on their lengths alone.
pub fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    subtle::ConstantTimeEq::ct_eq(a, b).into()
}

#[cfg(test)]
#[path = "../tests/vectors/mod.rs"]
mod vectors;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_time_eq_is_equality() {
        assert!(constant_time_eq(b"", b""));
        assert!(constant_time_eq(b"abc", b"abc"));
        assert!(!constant_time_eq(b"abc", b"abd"));
        assert!(!constant_time_eq(b"abc", b"ab"));
    }
}
