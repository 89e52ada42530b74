//! Seals for handles: many each second, so that a key is derived for many of them and not for each.

use super::{TAG_LEN, derived};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// What sealing a handle adds to the length of the plaintext, in bytes.
pub const HANDLE_OVERHEAD: usize = SALT_LEN + NONCE_LEN + TAG_LEN;

const SALT_LEN: usize = 12;

/// So many messages have one derived key.
const MESSAGES: u32 = 1 << 16;

/// So many derived keys are kept for opening, of less than a kilobyte each.
const KEPT: usize = 256;

/// The randomness that one call of [`HandleSealKey::seal_after`] needs, in bytes.
pub const HANDLE_RANDOM: usize = SALT_LEN + NONCE_LEN;

/// A key that seals and opens handles.
///
/// A sealed handle is `salt || nonce || ciphertext || tag`: AES-256-GCM under HMAC-SHA256(key, salt), which is used for
/// 2^16 messages with random nonces and then replaced. Random 96-bit nonces under one key must stop after 2^32 messages
/// (NIST SP 800-38D 8.3). Here, at 2^48 handles under one [`HandleSealKey`], the chance that two have the same derived key
/// and nonce is below 2^-32. Nothing counts, so that a process that was copied while it ran repeats nothing either.
pub struct HandleSealKey {
    key: hmac::Key,
    sealing: Mutex<Option<Sealing>>,
    opening: RwLock<HashMap<[u8; SALT_LEN], Arc<LessSafeKey>>>,
}

/// The derived key that seals now.
struct Sealing {
    salt: [u8; SALT_LEN],
    key: Arc<LessSafeKey>,
    left: u32,
}

impl HandleSealKey {
    /// A key from 256 bits of secret.
    pub fn new(key: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), sealing: Mutex::default(), opening: RwLock::default() }
    }

    /// Reads where the derived key lies that seals now, and gives what means nothing.
    pub fn look_around(&self) -> usize {
        let sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        sealing.as_ref().map_or(0, |sealing| usize::from(sealing.key.algorithm() == &AES_256_GCM))
    }

    /// Seals `plaintext` for `context`, behind what stands in `to` already: it opens only under the same key and the same
    /// context. `random` must be fresh for every call. Whether it went well; if not, `to` holds nothing of use.
    #[must_use]
    pub fn seal_after(&self, context: &[u8], random: [u8; HANDLE_RANDOM], plaintext: &[u8], to: &mut Vec<u8>) -> bool {
        self.try_seal_after(context, random, plaintext, to).is_ok()
    }

    /// The plaintext of `sealed`, or nothing if it was not sealed by this key for this context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, rest) = sealed.split_first_chunk::<SALT_LEN>()?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>()?;
        let known = self.opening.read().unwrap_or_else(PoisonError::into_inner).get(salt).cloned();
        let is_new = known.is_none();
        let key = match known {
            Some(key) => key,
            None => Arc::new(derived(&self.key, salt).ok()?),
        };
        let mut buffer = body.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = key.open_in_place(nonce, Aad::from(context), &mut buffer).ok()?.len();
        buffer.truncate(length);
        // Only a salt of ours: whoever invents some makes nobody forget.
        if is_new {
            let mut opening = self.opening.write().unwrap_or_else(PoisonError::into_inner);
            if opening.len() >= KEPT {
                opening.clear();
            }
            opening.insert(*salt, key);
        }
        Some(buffer)
    }

    fn try_seal_after(
        &self,
        context: &[u8],
        random: [u8; HANDLE_RANDOM],
        plaintext: &[u8],
        to: &mut Vec<u8>,
    ) -> Result<(), Unspecified> {
        let (fresh_salt, rest) = random.split_first_chunk::<SALT_LEN>().ok_or(Unspecified)?;
        let (nonce, _) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unspecified)?;
        let (salt, key) = self.sealing(fresh_salt)?;
        to.extend_from_slice(&salt);
        to.extend_from_slice(nonce);
        let start = to.len();
        to.extend_from_slice(plaintext);
        let (_, body) = to.split_at_mut(start);
        let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(context), body)?;
        to.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// The key of the next message, under a fresh salt when the last one is used up.
    fn sealing(&self, fresh_salt: &[u8; SALT_LEN]) -> Result<([u8; SALT_LEN], Arc<LessSafeKey>), Unspecified> {
        let mut sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sealing) = sealing.as_mut().filter(|sealing| sealing.left > 0) {
            sealing.left -= 1;
            return Ok((sealing.salt, Arc::clone(&sealing.key)));
        }
        let key = Arc::new(derived(&self.key, fresh_salt)?);
        *sealing = Some(Sealing { salt: *fresh_salt, key: Arc::clone(&key), left: MESSAGES - 1 });
        Ok((*fresh_salt, key))
    }
}

impl fmt::Debug for HandleSealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandleSealKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn sealed(key: &HandleSealKey, context: &[u8], random: [u8; HANDLE_RANDOM], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = b"before".to_vec();
        assert!(key.seal_after(context, random, plaintext, &mut sealed));
        sealed.split_off(6)
    }

    fn random(number: u32) -> [u8; HANDLE_RANDOM] {
        let mut random = [0; HANDLE_RANDOM];
        random[8..12].copy_from_slice(&number.to_be_bytes());
        random[20..].copy_from_slice(&number.to_be_bytes());
        random
    }

    #[test]
    fn opens_only_under_its_key_and_context() {
        let key = HandleSealKey::new(&[1; 32]);
        let sealed = sealed(&key, b"code", [2; 24], b"hello");
        assert_eq!(sealed.len(), 5 + HANDLE_OVERHEAD);
        assert_eq!(sealed[..24], [2; 24]);
        assert_eq!(key.open(b"code", &sealed).unwrap(), b"hello");
        assert_eq!(key.open(b"access", &sealed), None);
        assert_eq!(HandleSealKey::new(&[1; 32]).open(b"code", &sealed).unwrap(), b"hello");
        assert_eq!(HandleSealKey::new(&[3; 32]).open(b"code", &sealed), None);
    }

    #[test]
    fn nonces_are_fresh_and_a_derived_key_ends_with_its_messages() {
        let key = HandleSealKey::new(&[1; 32]);
        let (mut salts, mut nonces) = (HashSet::new(), HashSet::new());
        for number in 0..=MESSAGES {
            let sealed = sealed(&key, b"", random(number), b"");
            nonces.insert(sealed[12..24].to_vec());
            if salts.insert(sealed[..12].to_vec()) {
                assert!([0, MESSAGES].contains(&number), "{number}");
                assert_eq!(sealed[..12], random(number)[..12]);
            }
        }
        assert_eq!((salts.len(), nonces.len()), (2, MESSAGES as usize + 1));
    }

    #[test]
    fn what_is_kept_for_opening_is_bounded_and_none_of_it_is_invented() {
        let reader = HandleSealKey::new(&[1; 32]);
        for number in 0..1000 {
            // Another node, or this one after a restart.
            let writer = HandleSealKey::new(&[1; 32]);
            let mut sealed = sealed(&writer, b"", random(number), b"hello");
            assert_eq!(reader.open(b"", &sealed).unwrap(), b"hello");
            assert_eq!(reader.open(b"", &sealed).unwrap(), b"hello");
            let before = reader.opening.read().unwrap().len();
            assert!((1..=KEPT).contains(&before));
            sealed[0] ^= 0xff;
            assert_eq!(reader.open(b"", &sealed), None);
            assert_eq!(reader.opening.read().unwrap().len(), before);
        }
    }

    #[test]
    fn short_input_does_not_open() {
        let key = HandleSealKey::new(&[1; 32]);
        for length in 0..HANDLE_OVERHEAD {
            assert_eq!(key.open(b"", &vec![0; length]), None);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", HandleSealKey::new(&[1; 32])), "HandleSealKey");
    }

    proptest! {
        #[test]
        fn round_trip(key: [u8; 32], random: [u8; HANDLE_RANDOM], context: Vec<u8>, plaintext: Vec<u8>) {
            let key = HandleSealKey::new(&key);
            let sealed = sealed(&key, &context, random, &plaintext);
            prop_assert_eq!(key.open(&context, &sealed), Some(plaintext));
        }

        #[test]
        fn a_flipped_bit_does_not_open(random: [u8; HANDLE_RANDOM], plaintext: Vec<u8>, bit: prop::sample::Index) {
            let key = HandleSealKey::new(&[9; 32]);
            let mut sealed = sealed(&key, b"context", random, &plaintext);
            prop_assert!(key.open(b"context", &sealed).is_some());
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.open(b"context", &sealed), None);
        }

        #[test]
        fn arbitrary_bytes_do_not_open(bytes: Vec<u8>) {
            prop_assert_eq!(HandleSealKey::new(&[9; 32]).open(b"context", &bytes), None);
        }
    }
}
