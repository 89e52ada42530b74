//! Signing.

use crate::{SigningKey, base64url};
use serde_json::{Map, Value};

/// Why nothing was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// An extra header member that the key decides (`alg`, `kid`, `typ`), or that would change what a signature means
    /// (`crit`, `b64`).
    #[error("the header member is not the caller's to set")]
    Header,
    /// The cryptographic library failed.
    #[error("the signature could not be made")]
    Failed,
}

/// Signs `payload` in compact serialization, with a header of `alg`, `typ` and `kid`.
pub fn sign(key: &SigningKey, typ: &str, payload: &[u8]) -> Result<String, SignError> {
    sign_with_header(key, typ, &Map::new(), payload)
}

/// The same with more header members. A header that carries the key itself (`jwk`, as DPoP proofs do, RFC 9449 4.2) has
/// no `kid`.
pub fn sign_with_header(
    key: &SigningKey,
    typ: &str,
    extra: &Map<String, Value>,
    payload: &[u8],
) -> Result<String, SignError> {
    if ["alg", "kid", "typ", "crit", "b64"].iter().any(|name| extra.contains_key(*name)) {
        return Err(SignError::Header);
    }
    let mut header = extra.clone();
    header.insert("alg".to_owned(), key.algorithm().as_str().into());
    header.insert("typ".to_owned(), typ.into());
    if !header.contains_key("jwk") {
        header.insert("kid".to_owned(), key.key_id().into());
    }
    let header = Value::Object(header).to_string();
    let mut token = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    token.push_str(&base64url::encode(signature));
    Ok(token)
}
