//! scrypt in PHC form (RFC 7914; its parameters are named as passlib names them).

use super::derived::Derived;
use argon2::password_hash::phc::PasswordHash;
use scrypt::Params;

/// The dearest hash that is verified: bytes of memory, and bytes of memory times `p`, which run one after the other.
/// The latter takes about two seconds.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
const DEAREST: u64 = 1024 * 1024 * 1024;

/// The highest `r` and `p`. Nobody uses more, and a second buffer grows by their product.
const WIDEST: u32 = 64;

/// A scrypt hash of a bearable cost.
pub(super) struct ScryptHash {
    params: Params,
    derived: Derived,
}

impl ScryptHash {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let phc = PasswordHash::new(text).ok()?;
        // Three that are there and of three names are these, once each.
        let plain = phc.algorithm.as_str() == "scrypt" && phc.version.is_none() && phc.params.iter().count() == 3;
        let params = params(
            phc.params.get_decimal("ln").filter(|_| plain)?,
            phc.params.get_decimal("r")?,
            phc.params.get_decimal("p")?,
        )?;
        Some(Self { params, derived: Derived::of(&phc)? })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        self.derived.matches(|salt, hash| scrypt::scrypt(password.as_bytes(), salt, &self.params, hash).is_ok())
    }
}

/// RFC 7914 6: `N`, which is two to the power of `log_n`, is more than one.
fn params(log_n: u32, r: u32, p: u32) -> Option<Params> {
    let memory = 1_u64.checked_shl(log_n)?.checked_mul(128)?.checked_mul(r.into())?;
    let bearable = log_n >= 1
        && (1..=WIDEST).contains(&r)
        && (1..=WIDEST).contains(&p)
        && memory <= MOST_MEMORY
        && memory.checked_mul(p.into())? <= DEAREST;
    // Bounds come first: the crate multiplies r by p without a look.
    bearable.then(|| Params::new(u8::try_from(log_n).ok()?, r, p).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::super::{is_current, recognises, should_rehash, verify};

    /// passlib 1.7: `scrypt.using(salt=b"sixteen of salt!", rounds=10).hash("correct horse")`, and Python's
    /// `hashlib.scrypt(b"correct horse", salt=b"sixteen of salt!", n=1024, r=4, p=3, dklen=64)`.
    const KNOWN: [&str; 2] = [
        "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBvZiBzYWx0IQ$8gfzfST4kIGLTDvhOPZWG98nVNZnqdEiS1wl2IyPwpY",
        "$scrypt$ln=10,r=4,p=3$c2l4dGVlbiBvZiBzYWx0IQ$gOVGEAbEGKqdCoo/KCyfi9phhiHeHr7ZUeGSi3gRe4UCS02ItViEfoIV+CLbUpUawL6PDBnI6oNMvNI+ACwupg",
    ];

    fn with(params: &str) -> String {
        KNOWN[0].replace("ln=10,r=8,p=1", params)
    }

    #[test]
    fn what_python_made_verifies() {
        for known in KNOWN {
            assert!(verify("correct horse", known), "{known}");
            assert!(!verify("correct house", known), "{known}");
            assert!(!is_current(known), "{known}");
            assert!(should_rehash("correct horse", known), "{known}");
        }
        assert!(verify("correct horse", &with("p=1,r=8,ln=10")));
    }

    #[test]
    fn malformed_scrypt_is_not_recognised() {
        let known = KNOWN[0];
        for bad in [
            "$scrypt$ln=10,r=8,p=1",
            "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBvZiBzYWx0IQ",
            "$scrypt$ln=10,r=8,p=1$c2l4dGVlbiBvZiBzYWx0IQ$8gfzfST4kIGLTDvhOPZWG9",
            &with("ln=10,r=8"),
            &with("ln=10,r=8,p=1,q=1"),
            &with("ln=10,r=8,r=8"),
            &with("ln=10,r=8,p=1,p=64"),
            &with("ln=10,r=8,p=-1"),
            &with("ln=x,r=8,p=1"),
            &with("16384,8,1"),
            &with("v=1$ln=10,r=8,p=1"),
            &known.replace("c2l4", "c2l4."),
            &known.replace("$scrypt", "$yescrypt"),
            &known.replace("$scrypt", "scrypt"),
            &format!("{known}$"),
        ] {
            assert!(!recognises(bad), "{bad}");
            assert!(!verify("correct horse", bad), "{bad}");
        }
    }

    #[test]
    fn rfc7914_6_scrypt_without_work_is_not_recognised() {
        for bad in ["ln=0,r=8,p=1", "ln=10,r=0,p=1", "ln=10,r=8,p=0"] {
            assert!(!recognises(&with(bad)), "{bad}");
        }
    }

    #[test]
    fn scrypt_that_is_too_dear_is_not_recognised() {
        for dear in [
            "ln=19,r=8,p=1",
            "ln=22,r=1,p=1",
            "ln=18,r=8,p=5",
            "ln=1,r=65,p=1",
            "ln=1,r=1,p=65",
            "ln=1,r=4294967295,p=4294967295",
            "ln=63,r=8,p=1",
            "ln=64,r=8,p=1",
            "ln=4294967295,r=8,p=1",
        ] {
            assert!(!recognises(&with(dear)), "{dear}");
            assert!(!verify("correct horse", &with(dear)), "{dear}");
        }
        for bearable in ["ln=17,r=8,p=1", "ln=18,r=8,p=4", "ln=14,r=8,p=64", "ln=15,r=64,p=4", "ln=21,r=1,p=4"] {
            assert!(recognises(&with(bearable)), "{bearable}");
        }
    }
}
