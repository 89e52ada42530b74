//! Message authentication codes over several parts, for handles that carry their own proof (refresh tokens, cookies).
//! For `HS256` signatures see [`crate::jws::SharedSecret`].

use crate::constant_time_eq;
use aws_lc_rs::hmac;
use std::fmt;

/// A key for HMAC-SHA256.
pub struct MacKey(hmac::Key);

impl MacKey {
    /// A key from 256 bits of secret.
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The tag of these parts. Each part enters with its length before it, so that `["ab", "c"]` and `["a", "bc"]` have
    /// different tags.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // A length fits 64 bits on every platform there is.
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part);
        }
        fixed(&context.sign())
    }

    /// Whether `tag` is the tag of these parts, in constant time.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        constant_time_eq(&self.tag(parts), tag)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey")
    }
}

/// Plain HMAC-SHA256 of one message.
pub(crate) fn hmac_sha256(key: &[u8], message: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    for part in message {
        context.update(part);
    }
    fixed(&context.sign())
}

/// HMAC-SHA256 gives 32 bytes: the copy is whole.
fn fixed(tag: &hmac::Tag) -> [u8; 32] {
    let mut output = [0; 32];
    for (to, from) in output.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc4231_4_3_hmac_sha256() {
        let tag = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(tag[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
    }

    #[test]
    fn parts_cannot_shift() {
        let key = MacKey::new(&[7; 32]);
        assert_ne!(key.tag(&[b"ab", b"c"]), key.tag(&[b"a", b"bc"]));
        assert_ne!(key.tag(&[b"abc"]), key.tag(&[b"abc", b""]));
        assert_ne!(key.tag(&[]), key.tag(&[b""]));
        assert_ne!(key.tag(&[b"abc"]), MacKey::new(&[8; 32]).tag(&[b"abc"]));
        assert!(!key.verify(&[b"abc"], &key.tag(&[b"abc"])[..31]));
        assert!(!key.verify(&[b"abc"], &[]));
    }

    proptest! {
        #[test]
        fn a_tag_verifies_and_a_flipped_bit_does_not(key: [u8; 32], parts: Vec<Vec<u8>>, bit in 0_usize..256) {
            let key = MacKey::new(&key);
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let mut tag = key.tag(&parts);
            prop_assert!(key.verify(&parts, &tag));
            tag[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(!key.verify(&parts, &tag));
        }
    }
}
