//! Keys derived from one secret, one per purpose.

use crate::mac::hmac_sha256;

/// The subkey of `key` for `purpose`: HKDF-SHA256 (RFC 5869) without salt, the purpose as its info, one block out.
/// Different purposes give unrelated keys.
pub fn subkey(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    hkdf_sha256(key, purpose.as_bytes())
}

/// RFC 5869 2.2 and 2.3 for an output of exactly one block.
fn hkdf_sha256(secret: &[u8], info: &[u8]) -> [u8; 32] {
    let extracted = hmac_sha256(&[0; 32], &[secret]);
    hmac_sha256(&extracted, &[info, &[1]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5869_a_3_without_salt_and_info() {
        let expected = "jaTndaVjwY9xX4AqBjxaMbihH1xe4Yeew0VOXzxzjS0";
        assert_eq!(crate::base64url::encode(hkdf_sha256(&[0x0b; 22], b"")), expected);
    }

    #[test]
    fn purposes_do_not_meet() {
        assert_ne!(subkey(&[1; 32], "code"), subkey(&[1; 32], "access"));
        assert_ne!(subkey(&[1; 32], "code"), subkey(&[2; 32], "code"));
        assert_ne!(subkey(&[1; 32], "code"), [1; 32]);
    }
}
