//! Wrapping one key under another: AES key wrap (RFC 7518 4.4), and the key that ECDH-ES gives for it.

use super::content::{Cek, key_len};
use super::kdf::{Purpose, concat_kdf};
use crate::jwk::{Curve, Material};
use crate::{ContentEncryption, EncryptionAlgorithm};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap as _};
use zeroize::Zeroizing;

/// AES key wrap adds one block of 64 bits.
const WRAP_OVERHEAD: usize = 8;

/// The public key of the other side.
pub(super) type Peer = UnparsedPublicKey<Vec<u8>>;

pub(super) fn aes_wrap(key: &[u8], cek: &[u8]) -> Option<Vec<u8>> {
    let mut output = vec![0; cek.len().checked_add(WRAP_OVERHEAD)?];
    let length = aes_kek(key)?.wrap(cek, &mut output).ok()?.len();
    output.truncate(length);
    Some(output)
}

/// Unwraps a key of the one length that its use allows.
pub(super) fn aes_unwrap(key: &[u8], wrapped: &[u8], length: usize) -> Option<Cek> {
    if wrapped.len() != length.checked_add(WRAP_OVERHEAD)? {
        return None;
    }
    let mut output = Zeroizing::new(vec![0; wrapped.len()]);
    let unwrapped = aes_kek(key)?.unwrap(wrapped, &mut output).ok()?.len();
    output.truncate(unwrapped);
    (unwrapped == length).then_some(output)
}

/// The key that two parties agree on: of the content under `ECDH-ES`, else of the wrapping.
pub(super) fn agree(
    mine: &PrivateKey,
    theirs: &Peer,
    (alg, enc): (EncryptionAlgorithm, ContentEncryption),
    (apu, apv): (&[u8], &[u8]),
) -> Option<Cek> {
    let (algorithm, length) = match wrapping_key_len(alg) {
        Some(length) => (alg.as_str(), length),
        None => (enc.as_str(), key_len(enc)),
    };
    let purpose = Purpose { algorithm, apu, apv, length };
    agreement::agree(mine, theirs, (), |shared| concat_kdf(shared, &purpose).ok_or(())).ok()
}

/// The length of the key that wraps, in bytes, for the algorithms that wrap with AES.
pub(super) const fn wrapping_key_len(alg: EncryptionAlgorithm) -> Option<usize> {
    match alg {
        EncryptionAlgorithm::A128Kw | EncryptionAlgorithm::EcdhEsA128Kw => Some(16),
        EncryptionAlgorithm::A256Kw | EncryptionAlgorithm::EcdhEsA256Kw => Some(32),
        EncryptionAlgorithm::EcdhEs
        | EncryptionAlgorithm::RsaOaep
        | EncryptionAlgorithm::RsaOaep256
        | EncryptionAlgorithm::Dir => None,
    }
}

/// The other side's key, if it is a point of its curve.
pub(super) fn peer(material: &Material) -> Option<(Curve, Peer)> {
    let Material::Ec { curve, x, y } = material else { return None };
    let peer = UnparsedPublicKey::new(algorithm(*curve), Material::point(x, y));
    agreement::ParsedPublicKey::try_from(&peer).ok()?;
    Some((*curve, peer))
}

pub(super) fn algorithm(curve: Curve) -> &'static agreement::Algorithm {
    match curve {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => &agreement::ECDH_P521,
    }
}

fn aes_kek(key: &[u8]) -> Option<AesKek> {
    let cipher = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    AesKek::new(cipher, key).ok()
}
