//! DPoP (RFC 9449): the key, its proofs, and the nonces that servers want in them.

use crate::error::{Error, Result};
use crate::random;
use grantor_jose::{SigningAlgorithm, SigningKey, base64url, digest, jws};
use grantor_protocol::value::{Secret, UnixTime};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Map, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use url::Url;

pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
pub(crate) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// `error` of one who wants a nonce (RFC 9449 8, 9).
pub(crate) const USE_NONCE: &str = "use_dpop_nonce";

/// A nonce for each of so many servers is remembered.
const MAX_ORIGINS: usize = 64;

/// A key that tokens are bound to. It leaves the process for its token store alone. Cheap to clone; clones share the key
/// and the nonces.
#[derive(Clone, Debug)]
pub struct DpopKey(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    key: SigningKey,
    /// The last nonce of each origin (RFC 9449 8.2): each server has its own.
    nonces: Mutex<HashMap<String, String>>,
}

impl DpopKey {
    /// A fresh key of P-256.
    pub fn generate() -> Result<Self> {
        let key = SigningKey::generate(SigningAlgorithm::Es256);
        key.map(Self::new).map_err(|error| Error::Setup(error.to_string()))
    }

    /// A key that exists already.
    pub fn new(key: SigningKey) -> Self {
        Self(Arc::new(Inner { key, nonces: Mutex::default() }))
    }

    /// For the token store.
    pub(crate) fn to_pkcs8(&self) -> &[u8] {
        self.0.key.to_pkcs8()
    }

    /// From the token store.
    pub(crate) fn from_pkcs8(der: &[u8]) -> Option<Self> {
        SigningKey::from_pkcs8(SigningAlgorithm::Es256, der).ok().map(Self::new)
    }

    /// The thumbprint of its public half, as servers name it (`jkt`, RFC 9449 6).
    pub fn thumbprint(&self) -> String {
        self.0.key.thumbprint().to_string()
    }

    /// The header of one request. `token` is the access token that goes with it, if one does.
    pub(crate) fn header(&self, method: &str, url: &Url, token: Option<&Secret>) -> Result<HeaderValue> {
        let request = Request { method, url, token, nonce: self.nonce(url), jti: random::text()?, now: random::now() };
        proof(&self.0.key, &request)
    }

    /// Remembers the nonce of an answer, whatever its status (RFC 9449 8.2). Whether it is another than the one before.
    pub(crate) fn remember(&self, url: &Url, headers: &HeaderMap) -> bool {
        let Some(nonce) = headers.get(NONCE).and_then(|nonce| nonce.to_str().ok()).filter(|nonce| is_nonce(nonce))
        else {
            return false;
        };
        let mut nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= MAX_ORIGINS {
            nonces.clear();
        }
        nonces.insert(url.origin().ascii_serialization(), nonce.to_owned()).as_deref() != Some(nonce)
    }

    fn nonce(&self, url: &Url) -> Option<String> {
        let nonces = self.0.nonces.lock().unwrap_or_else(PoisonError::into_inner);
        nonces.get(&url.origin().ascii_serialization()).cloned()
    }
}

/// What a proof is for (RFC 9449 4.2).
struct Request<'a> {
    method: &'a str,
    url: &'a Url,
    token: Option<&'a Secret>,
    nonce: Option<String>,
    jti: Secret,
    now: UnixTime,
}

fn proof(key: &SigningKey, request: &Request<'_>) -> Result<HeaderValue> {
    let mut claims = Map::from_iter([
        ("jti".to_owned(), json!(request.jti.expose())),
        ("htm".to_owned(), json!(request.method)),
        // RFC 9449 4.2: without query and fragment.
        ("htu".to_owned(), json!(crate::http::without_query(request.url))),
        ("iat".to_owned(), json!(request.now)),
    ]);
    if let Some(token) = request.token {
        claims.insert("ath".to_owned(), json!(base64url::encode(digest::sha256(token.expose().as_bytes()))));
    }
    if let Some(nonce) = &request.nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    // `kid`, `use` and `alg` of a JWK say nothing here: the required members alone.
    let jwk = serde_json::to_value(key.public_jwk()).map_err(|error| Error::Setup(error.to_string()))?;
    let members = jwk.as_object().into_iter().flatten();
    let bare: Map<_, _> = members
        .filter(|(name, _)| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let header = Map::from_iter([("jwk".to_owned(), bare.into())]);
    let made = jws::sign_with_header(key, "dpop+jwt", &header, json!(claims).to_string().as_bytes());
    let made = made.map_err(|error| Error::Setup(format!("the DPoP proof could not be signed: {error}")))?;
    HeaderValue::from_str(&made).map_err(|error| Error::Setup(error.to_string()))
}

/// RFC 9449 8.1: visible ASCII without quote and backslash.
fn is_nonce(raw: &str) -> bool {
    (1..=1024).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Whether a resource asks for a nonce (RFC 9449 9).
pub(crate) fn wants_nonce(headers: &HeaderMap) -> bool {
    let challenges = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = challenges.flat_map(|challenge| challenge.split([' ', ',']));
    named.any(|part| part == r#"error="use_dpop_nonce""# || part == "error=use_dpop_nonce")
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_protocol::token::dpop;

    fn verify(header: &HeaderValue, method: &str, uri: &str, token: Option<&str>) -> bool {
        let expected = dpop::Expected {
            method,
            uri,
            access_token: token,
            nonces: None,
            algorithms: &[SigningAlgorithm::Es256],
            known: None,
            now: random::now(),
        };
        matches!(dpop::verify(&[header.to_str().unwrap()], &expected), Ok(Some(_)))
    }

    #[test]
    fn rfc9449_4_2_a_proof_is_for_one_method_one_address_and_one_token() {
        let key = DpopKey::generate().unwrap();
        let url = Url::parse("https://api.example/x?q=1#f").unwrap();
        let token = Secret::new("at".to_owned());
        let header = key.header("GET", &url, Some(&token)).unwrap();
        assert!(verify(&header, "GET", "https://api.example/x", Some("at")));
        assert!(!verify(&header, "POST", "https://api.example/x", Some("at")));
        assert!(!verify(&header, "GET", "https://api.example/y", Some("at")));
        assert!(!verify(&header, "GET", "https://api.example/x", Some("other")));
        let bare = key.header("POST", &url, None).unwrap();
        assert!(
            verify(&bare, "POST", "https://api.example/x", None)
                && !verify(&bare, "POST", "https://api.example/x", Some("at"))
        );
        assert_ne!(key.header("GET", &url, None).unwrap(), key.header("GET", &url, None).unwrap());
    }

    #[test]
    fn rfc9449_8_2_each_server_has_a_nonce_of_its_own() {
        let key = DpopKey::generate().unwrap();
        let at = |url| Url::parse(url).unwrap();
        let headers = |nonce: &'static str| HeaderMap::from_iter([(NONCE, HeaderValue::from_static(nonce))]);
        assert!(key.remember(&at("https://id.example/token"), &headers("one")));
        assert!(!key.remember(&at("https://id.example/par"), &headers("one")));
        assert_eq!(key.nonce(&at("https://id.example/x")).as_deref(), Some("one"));
        assert_eq!(key.nonce(&at("https://api.example/x")), None);
        assert!(!key.remember(&at("https://id.example/"), &headers("a\"b")));
        assert!(!key.remember(&at("https://id.example/"), &HeaderMap::new()));
    }

    #[test]
    fn rfc9449_9_a_resource_asks_for_a_nonce_in_its_challenge() {
        let challenge = |text| HeaderMap::from_iter([(WWW_AUTHENTICATE, HeaderValue::from_static(text))]);
        assert!(wants_nonce(&challenge(r#"DPoP realm="x", error="use_dpop_nonce", algs="ES256""#)));
        assert!(!wants_nonce(&challenge(r#"DPoP error="invalid_token""#)) && !wants_nonce(&HeaderMap::new()));
    }

    #[test]
    fn a_key_comes_back_from_its_store_and_is_not_printed() {
        let key = DpopKey::generate().unwrap();
        let again = DpopKey::from_pkcs8(key.to_pkcs8()).unwrap();
        assert_eq!(key.thumbprint(), again.thumbprint());
        let printed = format!("{key:?}");
        assert!(!printed.contains(&base64url::encode(key.to_pkcs8())) && printed.contains("Es256"), "{printed}");
    }
}
