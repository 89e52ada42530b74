//! Signing.

use super::SharedSecret;
use crate::{SigningAlgorithm, SigningKey, base64url};
use serde::Serialize;
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
    let header = OwnHeader { alg: key.algorithm(), kid: key.key_id(), typ };
    compact(key, &serde_json::to_vec(&header).map_err(|_| SignError::Header)?, payload)
}

/// The same under the code of a shared secret: the assertion of `client_secret_jwt` (OpenID Connect Core 9).
pub fn sign_mac(secret: &SharedSecret, typ: &str, payload: &[u8]) -> Result<String, SignError> {
    let header = serde_json::json!({ "alg": secret.algorithm().as_str(), "typ": typ }).to_string();
    let signed = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let tag = base64url::encode(secret.tag(signed.as_bytes()));
    Ok(format!("{signed}.{tag}"))
}

/// In the order in which [`sign_with_header`] writes it.
#[derive(Serialize)]
struct OwnHeader<'a> {
    alg: SigningAlgorithm,
    kid: &'a str,
    typ: &'a str,
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
    compact(key, Value::Object(header).to_string().as_bytes(), payload)
}

fn compact(key: &SigningKey, header: &[u8], payload: &[u8]) -> Result<String, SignError> {
    let parts = [header.len(), payload.len(), LONGEST_SIGNATURE].map(base64url::encoded_len);
    let mut token = String::with_capacity(parts.into_iter().sum::<usize>().saturating_add(2));
    base64url::encode_into(header, &mut token);
    token.push('.');
    base64url::encode_into(payload, &mut token);
    let signature = key.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_into(signature, &mut token);
    Ok(token)
}

/// That of an RSA key of 2048 bits, which is what keys of our own have.
const LONGEST_SIGNATURE: usize = 256;
