//! Proof Key for Code Exchange (RFC 7636). Only S256 exists here: `plain` protects from nothing (RFC 9700 2.1.1).

use grantor_jose::{base64url, constant_time_eq, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A PKCE verifier: 43 to 128 unreserved characters (RFC 7636 4.1).
pub struct CodeVerifier(Zeroizing<String>);

/// `code_challenge` of method S256: the SHA-256 of the verifier (RFC 7636 4.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeChallenge(String);

impl CodeVerifier {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        ((43..=128).contains(&raw.len()) && raw.bytes().all(unreserved)).then(|| Self(Zeroizing::new(raw.to_owned())))
    }
}

impl std::fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeVerifier")
    }
}

impl CodeChallenge {
    /// Base64url of exactly 32 bytes.
    pub fn parse(raw: &str) -> Option<Self> {
        (base64url::decode(raw)?.len() == 32).then(|| Self(raw.to_owned()))
    }

    /// RFC 7636 4.6, in constant time.
    pub fn matches(&self, verifier: &CodeVerifier) -> bool {
        let computed = base64url::encode(digest::sha256(verifier.0.as_bytes()));
        constant_time_eq(computed.as_bytes(), self.0.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7636_b_the_worked_example() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.matches(&verifier));
        assert!(!challenge.matches(&CodeVerifier::parse(&"a".repeat(43)).unwrap()));
    }

    #[test]
    fn rfc7636_4_1_the_verifier_has_43_to_128_unreserved_characters() {
        for bad in ["a".repeat(42), "a".repeat(129), format!("{}+", "a".repeat(43)), String::new()] {
            assert!(CodeVerifier::parse(&bad).is_none(), "{bad}");
        }
        assert!(CodeVerifier::parse(&"~".repeat(128)).is_some());
    }

    #[test]
    fn rfc7636_4_2_the_challenge_is_a_sha256() {
        for bad in ["", "short", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", &"A".repeat(44)] {
            assert!(CodeChallenge::parse(bad).is_none(), "{bad}");
        }
    }
}
