//! What a key derivation function made of a password: a salt and the bytes that come of it.

use argon2::password_hash::phc::PasswordHash;
use std::ops::RangeInclusive;
use subtle::ConstantTimeEq as _;

/// In bytes. Fewer of hash would be right for too many passwords; more of either makes nothing safer.
const SALTS: RangeInclusive<usize> = 1..=64;
const HASHES: RangeInclusive<usize> = 16..=64;

/// A salt and a hash of bearable lengths.
pub(super) struct Derived {
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Derived {
    pub(super) fn new(salt: &[u8], hash: &[u8]) -> Option<Self> {
        let fits = SALTS.contains(&salt.len()) && HASHES.contains(&hash.len());
        fits.then(|| Self { salt: salt.to_vec(), hash: hash.to_vec() })
    }

    /// Those of a PHC string.
    pub(super) fn of(phc: &PasswordHash) -> Option<Self> {
        Self::new(phc.salt.as_ref()?, phc.hash.as_ref()?.as_bytes())
    }

    /// The length of the hash, in bytes: 16 to 64.
    pub(super) fn len(&self) -> usize {
        self.hash.len()
    }

    /// Whether the same comes of the salt again, compared in constant time. `derive` fills the slice, or says that it
    /// could not.
    pub(super) fn matches(&self, derive: impl FnOnce(&[u8], &mut [u8]) -> bool) -> bool {
        let mut again = vec![0; self.hash.len()];
        derive(&self.salt, &mut again) && bool::from(again.ct_eq(&self.hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_bounded() {
        for (salt, hash, fits) in
            [(1, 16, true), (64, 64, true), (0, 32, false), (65, 32, false), (16, 15, false), (16, 65, false)]
        {
            assert_eq!(Derived::new(&vec![1; salt], &vec![2; hash]).is_some(), fits, "{salt} {hash}");
        }
    }

    #[test]
    fn what_could_not_be_derived_matches_nothing() {
        let zeros = Derived::new(&[1; 16], &[0; 32]).unwrap();
        assert!(!zeros.matches(|_, _| false));
        assert!(zeros.matches(|_, _| true));
    }
}
