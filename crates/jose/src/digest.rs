//! Message digests, and the half digests that bind a token to an ID token.

use crate::{SigningAlgorithm, base64url};
use aws_lc_rs::digest::{self, Algorithm};

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    fixed(&digest::SHA256, data)
}

/// SHA-384 of `data`.
pub fn sha384(data: &[u8]) -> [u8; 48] {
    fixed(&digest::SHA384, data)
}

/// SHA-512 of `data`.
pub fn sha512(data: &[u8]) -> [u8; 64] {
    fixed(&digest::SHA512, data)
}

/// `at_hash` and `c_hash`: the left half of the digest that belongs to the algorithm of the ID token (OpenID Connect
/// Core 3.1.3.6), base64url. Ed25519 hashes with SHA-512 inside, so its half is that of SHA-512.
pub fn left_half(alg: SigningAlgorithm, value: &str) -> String {
    let value = value.as_bytes();
    match alg {
        SigningAlgorithm::Es256 | SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => half(&sha256(value)),
        SigningAlgorithm::Es384 => half(&sha384(value)),
        SigningAlgorithm::EdDsa | SigningAlgorithm::Ed25519 => half(&sha512(value)),
    }
}

fn half(digest: &[u8]) -> String {
    let (left, _) = digest.split_at(digest.len() / 2);
    base64url::encode(left)
}

/// `N` is the algorithm's own output length: the copy is whole.
fn fixed<const N: usize>(algorithm: &'static Algorithm, data: &[u8]) -> [u8; N] {
    let mut output = [0; N];
    for (to, from) in output.iter_mut().zip(digest::digest(algorithm, data).as_ref()) {
        *to = *from;
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_b_challenge() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(base64url::encode(sha256(verifier.as_bytes())), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn rfc9449_4_2_ath() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
        assert_eq!(base64url::encode(sha256(token.as_bytes())), "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo");
    }

    #[test]
    fn oidc_core_3_1_3_6_at_hash_and_c_hash() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half(SigningAlgorithm::Rs256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(left_half(SigningAlgorithm::Ps256, code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn oidc_core_3_1_3_6_the_half_follows_the_algorithm() {
        assert_eq!(base64url::decode(&left_half(SigningAlgorithm::Es256, "x")).unwrap(), sha256(b"x")[..16]);
        assert_eq!(base64url::decode(&left_half(SigningAlgorithm::Es384, "x")).unwrap(), sha384(b"x")[..24]);
        assert_eq!(base64url::decode(&left_half(SigningAlgorithm::EdDsa, "x")).unwrap(), sha512(b"x")[..32]);
        assert_eq!(base64url::decode(&left_half(SigningAlgorithm::Ed25519, "x")).unwrap(), sha512(b"x")[..32]);
    }

    #[test]
    fn fips180_4_abc() {
        assert_eq!(sha256(b"abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_eq!(sha384(b"abc")[..4], [0xcb, 0x00, 0x75, 0x3f]);
        assert_eq!(sha512(b"abc")[60..], [0xa5, 0x4c, 0xa4, 0x9f]);
    }
}
