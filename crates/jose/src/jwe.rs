//! Encrypted messages in compact serialization (RFC 7516 7.1).
//!
//! What fails in opening one is not said: a wrapped key that does not unwrap is replaced by a random one, so that it ends
//! like a wrong authentication tag does (RFC 7516 11.5).

mod content;
mod decryption_key;
mod encryption_key;
mod header;
mod kdf;
mod wrap;

pub use decryption_key::DecryptionKey;
pub use encryption_key::EncryptionKey;
pub use header::Header;

use crate::jws::{MAX_HEADER, MAX_TOKEN};
use crate::{ContentEncryption, base64url};
use content::Sealed;
use serde_json::{Map, Value};

/// Why a token cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The token or its header exceeds the limit.
    #[error("the token is too large")]
    TooLarge,
    /// Not five parts (RFC 7516 7.1).
    #[error("the token does not have five parts")]
    Parts,
    /// A part that is not canonical base64url.
    #[error("a part of the token is badly encoded")]
    Encoding,
    /// A header that is not a JSON object, repeats a member, or has a member of the wrong type.
    #[error("the header is not well-formed")]
    Header,
    /// `alg` or `enc` is absent or not supported.
    #[error("the algorithm is not supported")]
    Algorithm,
    /// `crit` names an extension, of which none is implemented, or is empty (RFC 7516 4.1.13).
    #[error("the header has critical extensions")]
    Critical,
    /// `zip` stands in the header: compression before encryption is not supported (RFC 7516 4.1.3, RFC 8725 3.6).
    #[error("the content is compressed")]
    Compressed,
    /// `epk` is not a public key that is supported.
    #[error("the ephemeral key is refused")]
    Key,
}

/// Why a token that can be read is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The token cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Its `alg` or `enc` is not that of the key.
    #[error("the algorithm is not that of the key")]
    Algorithm,
    /// Its `kid` is not that of the key.
    #[error("the key identifier does not match")]
    KeyId,
    /// It was not encrypted to this key, or was changed since.
    #[error("the content cannot be decrypted")]
    Content,
}

/// Why nothing was encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// A shared key (`dir`) whose length is not that of the content encryption.
    #[error("the key does not fit the content encryption")]
    Algorithm,
    /// The result would exceed what is read back.
    #[error("the content is too large")]
    TooLarge,
    /// The cryptographic library failed.
    #[error("the content could not be encrypted")]
    Failed,
}

/// A token that nobody has opened yet. Its header is good for finding the key.
#[derive(Debug)]
pub struct Unopened<'a> {
    header: Header,
    protected: &'a [u8],
    encrypted_key: Vec<u8>,
    sealed: Sealed,
}

/// What a token held. It is authentic in so far as somebody who knows the key made it; with a public key, that is
/// anybody.
pub struct Opened {
    header: Header,
    plaintext: Vec<u8>,
}

/// Encrypts `plaintext`. `cty` is `JWT` when the plaintext is a signed token (RFC 7519 5.2).
pub fn encrypt(
    key: &EncryptionKey,
    enc: ContentEncryption,
    cty: Option<&str>,
    plaintext: &[u8],
) -> Result<String, EncryptError> {
    let mut header: Map<String, Value> = Map::new();
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    header.insert("enc".to_owned(), enc.as_str().into());
    for (name, value) in [("cty", cty), ("kid", key.key_id())] {
        if let Some(value) = value {
            header.insert(name.to_owned(), value.into());
        }
    }
    let wrapped = key.wrap(enc)?;
    if let Some(epk) = wrapped.ephemeral {
        header.insert("epk".to_owned(), epk);
    }
    let protected = base64url::encode(Value::Object(header).to_string());
    let sealed = content::seal(enc, &wrapped.cek, protected.as_bytes(), plaintext).ok_or(EncryptError::Failed)?;
    let parts = [&wrapped.encrypted_key, &sealed.iv, &sealed.ciphertext, &sealed.tag].map(base64url::encode);
    let token = format!("{protected}.{}", parts.join("."));
    if token.len() > MAX_TOKEN {
        return Err(EncryptError::TooLarge);
    }
    Ok(token)
}

/// Reads and opens a token in one step, where the key is known beforehand.
pub fn decrypt(key: &DecryptionKey, token: &str) -> Result<Opened, Refused> {
    Unopened::parse(token)?.open(key)
}

impl<'a> Unopened<'a> {
    /// Reads a token in compact serialization.
    pub fn parse(token: &'a str) -> Result<Self, Malformed> {
        if token.len() > MAX_TOKEN {
            return Err(Malformed::TooLarge);
        }
        let mut parts = token.splitn(6, '.');
        let mut part = || parts.next().ok_or(Malformed::Parts);
        let (protected, encrypted_key, iv, ciphertext, tag) = (part()?, part()?, part()?, part()?, part()?);
        if part().is_ok() {
            return Err(Malformed::Parts);
        }
        if protected.len() > MAX_HEADER {
            return Err(Malformed::TooLarge);
        }
        let decode = |part| base64url::decode(part).ok_or(Malformed::Encoding);
        Ok(Self {
            header: Header::parse(&decode(protected)?)?,
            protected: protected.as_bytes(),
            encrypted_key: decode(encrypted_key)?,
            sealed: Sealed { iv: decode(iv)?, ciphertext: decode(ciphertext)?, tag: decode(tag)? },
        })
    }

    /// The header, to choose a key by. It proves nothing.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Opens the token with the one key that it must have been encrypted to.
    pub fn open(&self, key: &DecryptionKey) -> Result<Opened, Refused> {
        if !key.accepts(self.header.alg(), self.header.enc()) {
            return Err(Refused::Algorithm);
        }
        if let (Some(named), Some(known)) = (self.header.kid(), key.key_id())
            && named != known
        {
            return Err(Refused::KeyId);
        }
        let cek = key.unwrap(&self.header, &self.encrypted_key).ok_or(Refused::Content)?;
        let plaintext = content::open(self.header.enc(), &cek, self.protected, &self.sealed).ok_or(Refused::Content)?;
        Ok(Opened { header: self.header.clone(), plaintext })
    }
}

impl Opened {
    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The plaintext.
    pub fn plaintext(&self) -> &[u8] {
        &self.plaintext
    }

    /// The plaintext, taken out.
    pub fn into_plaintext(self) -> Vec<u8> {
        self.plaintext
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
