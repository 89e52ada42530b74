//! argon2 in PHC form (RFC 9106, and version 1.0 before it).

use argon2::password_hash::phc::{Ident, Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{CustomizedPasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

/// Today's cost: memory in KiB, passes, lanes.
const COST: (u32, u32, u32) = (19_456, 2, 1);

/// The dearest hash that is verified, in KiB and in KiB times passes.
const MOST_MEMORY: u32 = 256 * 1024;
const DEAREST: u64 = 1024 * 1024;

/// An argon2 hash of a bearable cost.
pub(super) struct Argon2Hash {
    phc: PasswordHash,
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

pub(super) fn hash(password: &str, salt: [u8; 16]) -> String {
    let version = Some(Version::V0x13.into());
    todays_cost()
        .and_then(|params| {
            Argon2::default()
                .hash_password_customized(password.as_bytes(), &salt, Some("argon2id"), version, params)
                .ok()
        })
        .map_or_else(String::new, |hash: PasswordHash| hash.to_string())
}

/// What no password has, in the form and at the cost of a hash: it looks like one, and costs nothing to make.
pub(super) fn of_nobody(random: [u8; 16]) -> String {
    let hash = || {
        Some(PasswordHash {
            algorithm: Ident::new("argon2id").ok()?,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(todays_cost()?).ok()?,
            salt: Some(Salt::new(&random).ok()?),
            hash: Some(Output::new([random, random].as_flattened()).ok()?),
        })
    };
    hash().map_or_else(String::new, |hash| hash.to_string())
}

impl Argon2Hash {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut phc = PasswordHash::new(text).ok()?;
        let algorithm = Algorithm::try_from(phc.algorithm.as_str()).ok()?;
        // The reference implementation wrote no version before there was a second one.
        let number = *phc.version.get_or_insert(Version::V0x10.into());
        let version = Version::try_from(number).ok()?;
        let params = Params::try_from(&phc).ok()?;
        let total = u64::from(params.m_cost()) * u64::from(params.t_cost());
        let bearable = params.m_cost() <= MOST_MEMORY && total <= DEAREST;
        let whole = phc.salt.is_some() && phc.hash.is_some();
        (bearable && whole).then_some(Self { phc, algorithm, version, params })
    }

    pub(super) fn verify(&self, password: &str) -> bool {
        Argon2::default().verify_password(password.as_bytes(), &self.phc).is_ok()
    }

    pub(super) fn is_current(&self) -> bool {
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && todays_cost().is_some_and(|today| self.params == today)
    }
}

fn todays_cost() -> Option<Params> {
    let (memory, passes, lanes) = COST;
    Params::new(memory, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{hash, is_current, recognises, should_rehash, verify};

    /// argon2-cffi 25.1: `hash_secret(b"correct horse", b"sixteen of salt!", time_cost=1, memory_cost=64,
    /// parallelism=1, hash_len=32, type=Type.ID)`, and I, and D; then I with `parallelism=2, version=16`.
    const KNOWN: [&str; 4] = [
        "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
        "$argon2i$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$DVdrnqtZp1AJtdJdkpTQnZPOW98S+kPflP09NVREZvA",
        "$argon2d$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$yIKwJs5/0Q4kDdvJDDTOW2QqRNjsyn45lnH6yzpfZ4g",
        "$argon2i$v=16$m=64,t=1,p=2$c2l4dGVlbiBvZiBzYWx0IQ$rByPAEWeNrje9FAKe9uswNNHKai+vqJxey4SAttp/AY",
    ];

    /// The same at today's cost.
    const CURRENT: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBvZiBzYWx0IQ$MVGihYFFvRcDZ3lVmM9TjTgRUAahzy8n8b9sWvV5rGg";

    #[test]
    fn a_password_verifies_and_another_does_not() {
        let phc = hash("correct horse", [7; 16]);
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify("correct horse", &phc));
        assert!(!verify("correct house", &phc));
        assert_ne!(phc, hash("correct horse", [8; 16]));
        assert!(is_current(&phc));
    }

    #[test]
    fn what_argon2_cffi_made_verifies() {
        for known in KNOWN.into_iter().chain([CURRENT]) {
            assert!(verify("correct horse", known), "{known}");
            assert!(!verify("correct house", known), "{known}");
        }
    }

    #[test]
    fn a_hash_without_a_version_is_of_the_first() {
        let unversioned = KNOWN[3].replace("$v=16", "");
        assert!(verify("correct horse", &unversioned));
        assert!(!verify("correct horse", &KNOWN[1].replace("$v=19", "")));
    }

    #[test]
    fn only_argon2id_at_todays_cost_is_current() {
        assert!(is_current(CURRENT));
        assert!(!should_rehash("correct horse", CURRENT));
        let others = [
            CURRENT.replace("argon2id", "argon2i"),
            CURRENT.replace("v=19", "v=16"),
            CURRENT.replace("m=19456", "m=19455"),
            CURRENT.replace("m=19456", "m=65536"),
            CURRENT.replace("t=2", "t=1"),
            CURRENT.replace("p=1", "p=2"),
            CURRENT.replace("p=1", "p=1,data=AAAA"),
            CURRENT.replace("WvV5rGg", ""),
        ];
        for other in others.iter().map(String::as_str).chain(KNOWN) {
            assert!(recognises(other), "{other}");
            assert!(!is_current(other), "{other}");
            assert!(should_rehash("correct horse", other), "{other}");
        }
    }

    #[test]
    fn malformed_argon2_is_not_recognised() {
        for bad in [
            "$argon2id$v=19$m=19456,t=2,p=1",
            "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbiBvZiBzYWx0IQ",
            "$argon2id$v=18$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
            "$argon2id$v=19$m=64,t=1,p=9$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
            "$argon2id$v=19$m=64,t=0,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
            "$argon2x$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
            "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI$",
            "$argon2id$v=19$m=64,t=1,p=1$c2l4dGVlbiBvZiBzYWx0IQ==$kZquorOWMOPUpRBPAmK8ODlljn99DJjMwiB/hCYIabI",
        ] {
            assert!(!recognises(bad), "{bad}");
            assert!(!verify("correct horse", bad), "{bad}");
        }
    }

    #[test]
    fn argon2_that_is_too_dear_is_not_recognised() {
        for dear in ["m=262145,t=1", "m=19456,t=54", "m=64,t=4294967295", "m=4294967295,t=1"] {
            let dear = CURRENT.replace("m=19456,t=2", dear);
            assert!(!recognises(&dear), "{dear}");
            assert!(!verify("correct horse", &dear), "{dear}");
        }
        assert!(recognises(&CURRENT.replace("m=19456,t=2", "m=262144,t=4")));
    }
}
