//! Seals: what this server alone can read. [`HandleSealKey`] is for handles, opaque tokens and authorization codes that
//! carry what they stand for; [`SealKey`] for what rests in the database.
//!
//! What rests is `salt || ciphertext || tag`. Each value has a key of its own, HMAC-SHA256(key, salt), which encrypts
//! exactly one message with AES-256-GCM under the zero nonce: nothing repeats until two of the 128-bit salts collide. The
//! caller draws the salt: drawn twice, it would expose both values.

mod handle;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac;
pub use handle::{HANDLE_OVERHEAD, HANDLE_RANDOM, HandleSealKey};
use std::fmt;
use zeroize::Zeroize as _;

const SALT_LEN: usize = 16;
const TAG_LEN: usize = 16;

/// A key that seals and opens.
pub struct SealKey(hmac::Key);

impl SealKey {
    /// A key from 256 bits of secret.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// Seals `plaintext` for `context`: it opens only under the same key and the same context. `salt` must be fresh
    /// randomness for every call.
    ///
    /// The empty vector, which nothing opens, stands for a failure inside AES-GCM; that would take 64 GiB of plaintext.
    pub fn seal(&self, context: &[u8], salt: [u8; 16], plaintext: &[u8]) -> Vec<u8> {
        self.try_seal(context, salt, plaintext).unwrap_or_default()
    }

    /// The plaintext of `sealed`, or nothing if it was not sealed by this key for this context.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (salt, body) = sealed.split_first_chunk::<SALT_LEN>()?;
        let mut buffer = body.to_vec();
        let length = derived(&self.0, salt).ok()?.open_in_place(nonce(), Aad::from(context), &mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }

    fn try_seal(&self, context: &[u8], salt: [u8; SALT_LEN], plaintext: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut body = plaintext.to_vec();
        derived(&self.0, &salt)?.seal_in_place_append_tag(nonce(), Aad::from(context), &mut body)?;
        Ok([&salt, body.as_slice()].concat())
    }
}

/// The key of the messages with this salt.
fn derived(key: &hmac::Key, salt: &[u8]) -> Result<LessSafeKey, Unspecified> {
    let mut derived = [0; 32];
    // HMAC-SHA256 gives 32 bytes: the copy is whole.
    derived.iter_mut().zip(hmac::sign(key, salt).as_ref()).for_each(|(to, from)| *to = *from);
    let key = UnboundKey::new(&AES_256_GCM, &derived);
    derived.zeroize();
    Ok(LessSafeKey::new(key?))
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// Zero: the key is used once.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn opens_only_under_its_key_and_context() {
        let key = SealKey::new(&[1; 32]);
        let sealed = key.seal(b"code", [2; 16], b"hello");
        assert_eq!(sealed.len(), 5 + SALT_LEN + TAG_LEN);
        assert_eq!(sealed[..16], [2; 16]);
        assert_eq!(key.open(b"code", &sealed).unwrap(), b"hello");
        assert_eq!(key.open(b"access", &sealed), None);
        assert_eq!(SealKey::new(&[3; 32]).open(b"code", &sealed), None);
    }

    #[test]
    fn salts_give_unrelated_ciphertexts() {
        let key = SealKey::new(&[1; 32]);
        assert_ne!(key.seal(b"", [2; 16], b"hello")[16..], key.seal(b"", [3; 16], b"hello")[16..]);
    }

    #[test]
    fn short_input_does_not_open() {
        let key = SealKey::new(&[1; 32]);
        for length in 0..SALT_LEN + TAG_LEN {
            assert_eq!(key.open(b"", &vec![0; length]), None);
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", SealKey::new(&[1; 32])), "SealKey");
    }

    proptest! {
        #[test]
        fn round_trip(key: [u8; 32], salt: [u8; 16], context: Vec<u8>, plaintext: Vec<u8>) {
            let key = SealKey::new(&key);
            let sealed = key.seal(&context, salt, &plaintext);
            prop_assert_eq!(key.open(&context, &sealed), Some(plaintext));
        }

        #[test]
        fn a_flipped_bit_does_not_open(salt: [u8; 16], plaintext: Vec<u8>, bit: prop::sample::Index) {
            let key = SealKey::new(&[9; 32]);
            let mut sealed = key.seal(b"context", salt, &plaintext);
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.open(b"context", &sealed), None);
        }

        #[test]
        fn arbitrary_bytes_do_not_open(bytes: Vec<u8>) {
            prop_assert_eq!(SealKey::new(&[9; 32]).open(b"context", &bytes), None);
        }
    }
}
