//! Short names for texts that are looked up in memory, cheaper than a digest of them.

use crate::digest::sha256;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Names texts under a secret key: GMAC (NIST SP 800-38D), in a third of the time of SHA-256.
///
/// Without the key nobody finds two texts with one name: for any two that are written down before the key is drawn the
/// chance is (length in blocks + 1) / 2^128. That holds for as long as names stay inside of the process, for all are made
/// under one nonce; whoever saw two could compute the key. So they cannot be read, only compared.
pub struct Names(Option<LessSafeKey>);

/// The name of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Name([u8; 16]);

impl Names {
    /// Under a key that was drawn for this process, and is kept nowhere.
    pub fn new(key: &[u8; 32]) -> Self {
        // It fails for keys of another length only.
        Self(UnboundKey::new(&AES_256_GCM, key).ok().map(LessSafeKey::new))
    }

    /// The name of a text.
    pub fn of(&self, text: &str) -> Name {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = self.0.as_ref().map(|key| key.seal_in_place_separate_tag(nonce, Aad::from(text), &mut []));
        match tag {
            Some(Ok(tag)) => Name(first(tag.as_ref())),
            // It fails for texts of 2^61 bytes only.
            None | Some(Err(_)) => Name(first(&sha256(text.as_bytes()))),
        }
    }
}

fn first(bytes: &[u8]) -> [u8; 16] {
    bytes.first_chunk().copied().unwrap_or_default()
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Names(..)")
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Name(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_text_has_a_name_of_its_own() {
        let names = Names::new(&[1; 32]);
        let long = "a".repeat(1_000);
        // Every beginning, every text with one other byte, and what padding could confuse.
        let texts = (0..=long.len()).map(|end| long[..end].to_owned());
        let changed = (0..long.len()).map(|at| format!("{}b{}", &long[..at], &long[at + 1..]));
        let padded = (1..40).map(|zeros| format!("a{}", "\0".repeat(zeros)));
        let all: Vec<Name> = texts.chain(changed).chain(padded).map(|text| names.of(&text)).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(names.of(&long), names.of(&long));
    }

    #[test]
    fn a_name_means_nothing_under_another_key_and_is_not_shown() {
        let [one, other] = [[1; 32], [2; 32]].map(|key| Names::new(&key));
        assert_ne!(one.of("a"), other.of("a"));
        assert_eq!(format!("{:?} {:?}", one, one.of("a")), "Names(..) Name(..)");
    }
}
