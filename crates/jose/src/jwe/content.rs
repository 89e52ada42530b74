//! Content encryption (RFC 7518 5).

use crate::{ContentEncryption, constant_time_eq};
use aws_lc_rs::aead::{self, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{
    self, DecryptionContext, EncryptionContext, PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{hmac, rand};
use zeroize::Zeroizing;

/// A content encryption key.
pub(super) type Cek = Zeroizing<Vec<u8>>;

/// What content encryption gives.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) iv: Vec<u8>,
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: Vec<u8>,
}

/// The length of the content encryption key, in bytes.
pub(super) const fn key_len(enc: ContentEncryption) -> usize {
    match enc {
        ContentEncryption::A128Gcm => 16,
        ContentEncryption::A256Gcm | ContentEncryption::A128CbcHs256 => 32,
        ContentEncryption::A256CbcHs512 => 64,
    }
}

/// A random key for one message.
pub(super) fn fresh_key(enc: ContentEncryption) -> Option<Cek> {
    let mut cek = Zeroizing::new(vec![0; key_len(enc)]);
    rand::fill(&mut cek).ok()?;
    Some(cek)
}

/// Encrypts under a random initialisation vector.
pub(super) fn seal(enc: ContentEncryption, cek: &[u8], aad: &[u8], plaintext: &[u8]) -> Option<Sealed> {
    if cek.len() != key_len(enc) {
        return None;
    }
    match enc {
        ContentEncryption::A128Gcm => seal_gcm(&aead::AES_128_GCM, cek, aad, plaintext),
        ContentEncryption::A256Gcm => seal_gcm(&aead::AES_256_GCM, cek, aad, plaintext),
        ContentEncryption::A128CbcHs256 => seal_cbc(&A128_CBC_HS256, cek, aad, plaintext),
        ContentEncryption::A256CbcHs512 => seal_cbc(&A256_CBC_HS512, cek, aad, plaintext),
    }
}

/// Decrypts what is authentic.
pub(super) fn open(enc: ContentEncryption, cek: &[u8], aad: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    if cek.len() != key_len(enc) {
        return None;
    }
    match enc {
        ContentEncryption::A128Gcm => open_gcm(&aead::AES_128_GCM, cek, aad, sealed),
        ContentEncryption::A256Gcm => open_gcm(&aead::AES_256_GCM, cek, aad, sealed),
        ContentEncryption::A128CbcHs256 => open_cbc(&A128_CBC_HS256, cek, aad, sealed),
        ContentEncryption::A256CbcHs512 => open_cbc(&A256_CBC_HS512, cek, aad, sealed),
    }
}

/// RFC 7518 5.3: an initialisation vector of 96 bits, a tag of 128 bits.
fn seal_gcm(algorithm: &'static aead::Algorithm, cek: &[u8], aad: &[u8], plaintext: &[u8]) -> Option<Sealed> {
    let mut iv = [0; aead::NONCE_LEN];
    rand::fill(&mut iv).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).ok()?);
    let mut ciphertext = plaintext.to_vec();
    let nonce = Nonce::assume_unique_for_key(iv);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), &mut ciphertext).ok()?;
    Some(Sealed { iv: iv.to_vec(), ciphertext, tag: tag.as_ref().to_vec() })
}

fn open_gcm(algorithm: &'static aead::Algorithm, cek: &[u8], aad: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    if sealed.tag.len() != algorithm.tag_len() {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(&sealed.iv).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(algorithm, cek).ok()?);
    let mut buffer = [sealed.ciphertext.as_slice(), &sealed.tag].concat();
    let length = key.open_in_place(nonce, Aad::from(aad), &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// RFC 7518 5.2: AES-CBC and HMAC, each under one half of the key, the tag half a digest.
struct CbcHmac {
    cipher: &'static cipher::Algorithm,
    hmac: hmac::Algorithm,
}

const A128_CBC_HS256: CbcHmac = CbcHmac { cipher: &cipher::AES_128, hmac: hmac::HMAC_SHA256 };
const A256_CBC_HS512: CbcHmac = CbcHmac { cipher: &cipher::AES_256, hmac: hmac::HMAC_SHA512 };

fn seal_cbc(algorithm: &CbcHmac, cek: &[u8], aad: &[u8], plaintext: &[u8]) -> Option<Sealed> {
    let (mac_key, enc_key) = cek.split_at(cek.len() / 2);
    let mut iv = [0; cipher::AES_CBC_IV_LEN];
    rand::fill(&mut iv).ok()?;
    let key = UnboundCipherKey::new(algorithm.cipher, enc_key).ok()?;
    let mut ciphertext = plaintext.to_vec();
    PaddedBlockEncryptingKey::cbc_pkcs7(key)
        .ok()?
        .less_safe_encrypt(&mut ciphertext, EncryptionContext::Iv128(FixedLength::from(iv)))
        .ok()?;
    let tag = cbc_tag(algorithm, mac_key, aad, &iv, &ciphertext)?;
    Some(Sealed { iv: iv.to_vec(), ciphertext, tag })
}

/// The tag is checked before anything is decrypted.
fn open_cbc(algorithm: &CbcHmac, cek: &[u8], aad: &[u8], sealed: &Sealed) -> Option<Vec<u8>> {
    let (mac_key, enc_key) = cek.split_at(cek.len() / 2);
    let iv = FixedLength::try_from(sealed.iv.as_slice()).ok()?;
    if !constant_time_eq(&cbc_tag(algorithm, mac_key, aad, &sealed.iv, &sealed.ciphertext)?, &sealed.tag) {
        return None;
    }
    let key = UnboundCipherKey::new(algorithm.cipher, enc_key).ok()?;
    let mut buffer = sealed.ciphertext.clone();
    let opening = PaddedBlockDecryptingKey::cbc_pkcs7(key).ok()?;
    let length = opening.decrypt(&mut buffer, DecryptionContext::Iv128(iv)).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}

/// RFC 7518 5.2.2.1, steps 4 and 5.
fn cbc_tag(algorithm: &CbcHmac, mac_key: &[u8], aad: &[u8], iv: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
    let aad_bits = u64::try_from(aad.len()).ok()?.checked_mul(8)?;
    let mut context = hmac::Context::with_key(&hmac::Key::new(algorithm.hmac, mac_key));
    for part in [aad, iv, ciphertext, &aad_bits.to_be_bytes()] {
        context.update(part);
    }
    let mut tag = context.sign().as_ref().to_vec();
    tag.truncate(tag.len() / 2);
    Some(tag)
}
