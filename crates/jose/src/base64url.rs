//! Base64url without padding (RFC 7515 2), strict when decoding.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::{Simd, general_purpose::NO_PAD};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use std::sync::LazyLock;

/// Encodes without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// Encodes without padding, after what stands there already.
pub fn encode_into(bytes: impl AsRef<[u8]>, text: &mut String) {
    ENGINE.encode_string(bytes, text);
}

/// Encodes without padding into a buffer, as far as there is room; a text of nine bytes takes twelve.
pub fn encode_to(bytes: impl AsRef<[u8]>, buffer: &mut [u8]) {
    let _ = URL_SAFE_NO_PAD.encode_slice(bytes, buffer);
}

/// The length of what a text of so many bytes is encoded as.
pub const fn encoded_len(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

/// Decodes what `encode` could have written and nothing else: no padding, no white space, no stray trailing bits, so
/// that one value has one encoding.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    ENGINE.decode(text).ok()
}

/// Reads and writes many characters at once where the machine can: tokens are long. It is as strict as the other.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use URL_SAFE_NO_PAD as ENGINE;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc7515_appendix_c_example() {
        assert_eq!(encode([3, 236, 255, 224, 193]), "A-z_4ME");
        assert_eq!(decode("A-z_4ME").unwrap(), [3, 236, 255, 224, 193]);
    }

    #[test]
    fn rfc7515_2_only_the_canonical_encoding_decodes() {
        for bad in ["A-z_4ME=", "A-z_4M F", "A-z_4ME\n", " A-z_4ME", "A+z/4ME", "A", "AB", "AAB", "A-z_4MF", "A.", "é"]
        {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
        assert_eq!(decode("").unwrap(), b"");
    }

    /// Texts of this length are read otherwise than short ones.
    #[test]
    fn rfc7515_2_wherever_in_a_long_text_a_wrong_character_stands() {
        for length in [64, 95, 96, 97, 98, 128, 342, 1024] {
            let good = encode(vec![0xfb; length]);
            assert_eq!(decode(&good).unwrap(), vec![0xfb; length]);
            for at in 0..good.len() {
                for wrong in ['+', '/', '=', ' ', '\n', '.', '\0', '\u{7f}'] {
                    let bad = format!("{}{wrong}{}", &good[..at], &good[at + 1..]);
                    assert_eq!(decode(&bad), None, "{wrong:?} at {at}");
                }
            }
        }
        for stray in ["B", "AAB", "A"] {
            assert_eq!(decode(&format!("{}{stray}", "A".repeat(132))), None, "{stray}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(bytes: Vec<u8>) {
            let mut text = String::from("x");
            encode_into(&bytes, &mut text);
            prop_assert_eq!(text.len() - 1, encoded_len(bytes.len()));
            prop_assert_eq!(&text[1..], encode(&bytes));
            let mut buffer = vec![0; encoded_len(bytes.len())];
            encode_to(&bytes, &mut buffer);
            prop_assert_eq!(buffer, encode(&bytes).into_bytes());
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
        }

        #[test]
        fn one_value_has_one_encoding(text in "[A-Za-z0-9_=+/ -]{0,12}") {
            if let Some(bytes) = decode(&text) {
                prop_assert_eq!(encode(bytes), text);
            }
        }

        #[test]
        fn what_reads_many_characters_at_once_reads_as_what_reads_one(text in "[A-Za-z0-9_-]{60,400}[A-Za-z0-9_=+/. -]{0,2}[A-Za-z0-9_-]{0,70}") {
            prop_assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok());
        }
    }
}
