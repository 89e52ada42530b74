//! Passwords as PHC strings: argon2id with 19 MiB, two passes, one lane (OWASP's first choice).
//!
//! Both functions take tens of milliseconds of one core by design: an async caller runs them on a bounded blocking pool.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// Memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The dearest hash that is verified, in KiB and in KiB times passes: an imported string must not be able to stop the
/// server.
const MOST_MEMORY: u32 = 256 * 1024;
const DEAREST: u64 = 1024 * 1024;

/// Hashes a password under a fresh salt. Empty only if argon2 refuses, which it does for nothing that fits in memory;
/// an empty string verifies nothing.
pub fn hash(password: &str, salt: [u8; 16]) -> String {
    let (memory, passes, lanes) = COST;
    Params::new(memory, passes, lanes, None)
        .ok()
        .and_then(|params| {
            Argon2::default()
                .hash_password_customized(
                    password.as_bytes(),
                    &salt,
                    Some("argon2id"),
                    Some(Version::V0x13.into()),
                    params,
                )
                .ok()
        })
        .map_or_else(String::new, |hash: PasswordHash| hash.to_string())
}

/// Whether this is the password. The cost is that of the hash, so imported hashes of other costs verify too.
pub fn verify(password: &str, phc: &str) -> bool {
    recognises(phc)
        && PasswordHash::new(phc)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether [`verify`] can read the string at all: argon2 in PHC form, of a bearable cost.
pub fn recognises(phc: &str) -> bool {
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    let known = Algorithm::try_from(hash.algorithm.as_str()).is_ok();
    known
        && hash.salt.is_some()
        && hash.hash.is_some()
        && Params::try_from(&hash).is_ok_and(|params| {
            let total = u64::from(params.m_cost()) * u64::from(params.t_cost());
            params.m_cost() <= MOST_MEMORY && total <= DEAREST
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let phc = hash("correct horse", [7; 16]);
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse", &phc));
        assert!(!verify("correct house", &phc));
        assert_ne!(phc, hash("correct horse", [8; 16]));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for bad in ["", "plain", "$2b$10$abcdefghijklmnopqrstuv", "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ"] {
            assert!(!recognises(bad), "{bad}");
            assert!(!verify("", bad), "{bad}");
        }
        let dear = hash("x", [1; 16]).replace("t=2", "t=4000000");
        assert!(!recognises(&dear));
    }
}
