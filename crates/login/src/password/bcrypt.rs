//! bcrypt in modular crypt form: `$2b$<cost>$`, 22 characters of salt and 31 of hash.

use bcrypt::HashParts;

/// What `2a`, `2b` and `2y` call the same function. `2x` marks the hashes of a wrong one.
const PREFIXES: [&str; 3] = ["$2a$", "$2b$", "$2y$"];

/// The base-two logarithm of the rounds. The highest takes about two seconds.
const COSTS: std::ops::RangeInclusive<u32> = 4..=15;

/// How much of a password bcrypt hashes, in bytes, the NUL included that ends a shorter one.
const SEEN: usize = 72;

/// A bcrypt hash of a bearable cost.
pub(super) struct BcryptHash<'a>(&'a str);

impl<'a> BcryptHash<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let rest = PREFIXES.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        let (cost, _) = rest.split_once('$')?;
        // The crate's own number would take a sign.
        let digits = cost.bytes().all(|byte| byte.is_ascii_digit());
        let parts: HashParts = text.parse().ok()?;
        (digits && COSTS.contains(&parts.get_cost())).then_some(Self(text))
    }

    /// Whether this is the password, as far as bcrypt saw it. What is behind its first 72 bytes is ignored, as it was
    /// by the server that made the hash: to refuse would keep out exactly those who chose a long passphrase, and
    /// nobody who has guessed 72 bytes of one is stopped by the rest.
    pub(super) fn verify(&self, password: &str) -> bool {
        // Other servers end the password at a NUL or refuse it. Read on, as here, bcrypt repeats its key with a NUL
        // between, so that "a\0a" would be as right as "a".
        !password.contains('\0') && bcrypt::verify(password, self.0).is_ok_and(|same| same)
    }
}

/// Whether the hash of this password is of no longer one.
pub(super) fn sees_all_of(password: &str) -> bool {
    password.len() < SEEN
}

#[cfg(test)]
mod tests {
    use super::super::{is_current, recognises, should_rehash, verify};

    /// bcrypt 5.0 for Python: `hashpw(b"correct horse", b"$2a$04$fW3ZgHR2xOLDaz6uJ0pNKe")`, and 2b, and 2y; then of
    /// cost 10.
    const KNOWN: [&str; 4] = [
        "$2a$04$fW3ZgHR2xOLDaz6uJ0pNKeRD8CvVN427jgNRJK.IOUkNDZNfjsZ.i",
        "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKeRD8CvVN427jgNRJK.IOUkNDZNfjsZ.i",
        "$2y$04$fW3ZgHR2xOLDaz6uJ0pNKeRD8CvVN427jgNRJK.IOUkNDZNfjsZ.i",
        "$2b$10$fW3ZgHR2xOLDaz6uJ0pNKeJJ29a4bFLQNbUazhEB8U4cr6goSBhGi",
    ];

    /// jBCrypt's test of the empty password.
    const EMPTY: &str = "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s.";

    /// `hashpw` with the same salt of "pässwörd", of "a", of 71 and of 72 times "x".
    const UMLAUTS: &str = "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKeIfdxgKKKf4xKP47kP1uWejo6OexJCTi";
    const A: &str = "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKew.TZ0kB3kQZO9dR0I8C5sfwzdaoqiV6";
    const SEVENTY_ONE: &str = "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKeM.vco/32fQYlsv.NAv2Lh4WSvBI5ng.";
    const SEVENTY_TWO: &str = "$2b$04$fW3ZgHR2xOLDaz6uJ0pNKehqY92iIaMooIUewTzp2fjUDzz4k4wXq";

    #[test]
    fn what_other_servers_made_verifies() {
        for known in KNOWN {
            assert!(verify("correct horse", known), "{known}");
            assert!(!verify("correct house", known), "{known}");
            assert!(!is_current(known), "{known}");
            assert!(should_rehash("correct horse", known), "{known}");
        }
        assert!(verify("", EMPTY));
        assert!(!verify("correct horse", EMPTY));
        assert!(verify("pässwörd", UMLAUTS));
    }

    #[test]
    fn a_long_password_is_right_by_its_beginning_and_stays_as_it_is() {
        let x = |times: usize| "x".repeat(times);
        assert!(verify(&x(71), SEVENTY_ONE));
        assert!(should_rehash(&x(71), SEVENTY_ONE));
        assert!(!verify(&x(70), SEVENTY_ONE));
        assert!(!verify(&x(72), SEVENTY_ONE));
        for right in [x(72), x(73), x(72) + "tail", x(5000)] {
            assert!(verify(&right, SEVENTY_TWO));
            assert!(!should_rehash(&right, SEVENTY_TWO));
        }
        assert!(!verify(&x(71), SEVENTY_TWO));
    }

    #[test]
    fn a_password_with_a_nul_is_never_right() {
        assert!(verify("a", A));
        for wrong in ["a\0", "a\0a", "a\0b", "\0a"] {
            assert!(!verify(wrong, A), "{wrong:?}");
        }
        assert!(!verify("\0", EMPTY));
    }

    #[test]
    fn malformed_bcrypt_is_not_recognised() {
        let known = KNOWN[1];
        for bad in [
            "$2b$10$abcdefghijklmnopqrstuv",
            &known.replace("$2b", "$2x"),
            &known.replace("$2b", "$2"),
            &known.replace("$2b", "2b"),
            &known.replace("$04$", "$+4$"),
            &known.replace("$04$", "$4$"),
            &known.replace("$04$", "$x4$"),
            &known.replace("$04$", "$$04"),
            &known.replace("fW3", "fW="),
            &known.replace("fW3", "fé"),
            &format!("{known}i"),
            &known[..59],
        ] {
            assert!(!recognises(bad), "{bad}");
            assert!(!verify("correct horse", bad), "{bad}");
            assert!(!should_rehash("correct horse", bad), "{bad}");
        }
    }

    #[test]
    fn bcrypt_that_is_too_dear_or_too_cheap_is_not_recognised() {
        for bad in ["$00$", "$03$", "$16$", "$31$", "$32$", "$99$"] {
            assert!(!recognises(&KNOWN[1].replace("$04$", bad)), "{bad}");
        }
        assert!(recognises(&KNOWN[1].replace("$04$", "$15$")));
    }
}
