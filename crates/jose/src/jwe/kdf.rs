//! The key derivation of ECDH-ES: Concat KDF with SHA-256 (RFC 7518 4.6.2, NIST SP 800-56A 5.8.1).

use super::content::Cek;
use crate::digest::sha256;
use zeroize::{Zeroize as _, Zeroizing};

/// What the derived key is for and between whom.
pub(super) struct Purpose<'a> {
    /// `enc` in direct agreement, `alg` where the result wraps a key.
    pub(super) algorithm: &'static str,
    pub(super) apu: &'a [u8],
    pub(super) apv: &'a [u8],
    /// The length wanted, in bytes.
    pub(super) length: usize,
}

pub(super) fn concat_kdf(shared: &[u8], purpose: &Purpose<'_>) -> Option<Cek> {
    let bits = u32::try_from(purpose.length.checked_mul(8)?).ok()?;
    let mut info = Vec::new();
    for part in [purpose.algorithm.as_bytes(), purpose.apu, purpose.apv] {
        info.extend_from_slice(&u32::try_from(part.len()).ok()?.to_be_bytes());
        info.extend_from_slice(part);
    }
    info.extend_from_slice(&bits.to_be_bytes());
    let mut derived = Zeroizing::new(Vec::with_capacity(purpose.length.checked_add(32)?));
    let mut round: u32 = 1;
    while derived.len() < purpose.length {
        let input = Zeroizing::new([&round.to_be_bytes()[..], shared, &info].concat());
        let mut block = sha256(&input);
        derived.extend_from_slice(&block);
        block.zeroize();
        round = round.checked_add(1)?;
    }
    derived.truncate(purpose.length);
    Some(derived)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64url;

    /// The shared secret and the result as the RFC prints them.
    #[test]
    fn rfc7518_c_derivation() {
        let shared = [
            158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110, 163, 218, 128,
            106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
        ];
        let purpose = Purpose { algorithm: "A128GCM", apu: b"Alice", apv: b"Bob", length: 16 };
        assert_eq!(base64url::encode(concat_kdf(&shared, &purpose).unwrap()), "VqqN6vgjbSBcIijNcacQGg");
    }

    #[test]
    fn rfc7518_4_6_2_more_than_one_round() {
        let purpose = |length| Purpose { algorithm: "A256CBC-HS512", apu: b"", apv: b"", length };
        let long = concat_kdf(b"secret", &purpose(64)).unwrap();
        assert_eq!(long.len(), 64);
        assert_ne!(long[..32], long[32..]);
        assert_eq!(concat_kdf(b"secret", &purpose(16)).unwrap().len(), 16);
    }
}
