//! What all of them get: one issuer's keys, and tokens by each of them.

use anyhow::{Context as _, Result};
use grantor_jose::{base64url, jws};
use grantor_resource::{JwkSet, SigningAlgorithm, SigningKey};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "https://api.example/notes";
/// By how much clocks may differ, wherever that can be said.
pub(crate) const LEEWAY: u32 = 10;

/// `EdDSA` is the name of Ed25519 that all of them know.
const ALGORITHMS: [SigningAlgorithm; 3] = [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa, SigningAlgorithm::Rs256];

/// Enough that no two of them are the same one after the other, and few enough that a turn of the slowest is short.
const TOKENS: u32 = 256;

pub(crate) struct Given {
    pub(crate) keys: JwkSet,
    pub(crate) signed: Vec<Signed>,
}

/// The tokens of one key.
pub(crate) struct Signed {
    pub(crate) algorithm: SigningAlgorithm,
    pub(crate) key: SigningKey,
    pub(crate) tokens: Vec<Presented>,
}

/// A token as a request carries it.
pub(crate) struct Presented {
    pub(crate) token: String,
    pub(crate) header: HeaderValue,
    pub(crate) headers: HeaderMap,
    /// For the bare check.
    pub(crate) signature: Vec<u8>,
}

impl Given {
    pub(crate) fn new() -> Result<Self> {
        let signed: Vec<_> = ALGORITHMS.into_iter().map(Signed::new).collect::<Result<_>>()?;
        let keys = JwkSet { keys: signed.iter().map(|signed| signed.key.public_jwk()).collect() };
        Ok(Self { keys, signed })
    }

    pub(crate) fn keys_as_json(&self) -> Result<String> {
        Ok(serde_json::to_string(&self.keys)?)
    }

    /// For other processes.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let texts = |signed: &Signed| signed.tokens.iter().map(|one| one.token.clone()).collect::<Vec<_>>();
        let tokens: Map<_, _> =
            self.signed.iter().map(|signed| (signed.algorithm.to_string(), json!(texts(signed)))).collect();
        let all =
            json!({"issuer": ISSUER, "audience": AUDIENCE, "leeway": LEEWAY, "keys": self.keys, "tokens": tokens});
        std::fs::write(file, all.to_string()).with_context(|| file.display().to_string())
    }
}

impl Signed {
    fn new(algorithm: SigningAlgorithm) -> Result<Self> {
        let key = SigningKey::generate(algorithm)?;
        let token = |nth| Presented::new(&token(&key, "at+jwt", &claims(nth))?);
        let tokens = (0..TOKENS).map(token).collect::<Result<_>>()?;
        Ok(Self { algorithm, key, tokens })
    }
}

impl Presented {
    pub(crate) fn new(token: &str) -> Result<Self> {
        let header = HeaderValue::try_from(format!("Bearer {token}"))?;
        let headers = [(http::header::AUTHORIZATION, header.clone())].into_iter().collect();
        let signature = token.rsplit_once('.').and_then(|(_, signature)| base64url::decode(signature));
        Ok(Self { token: token.to_owned(), header, headers, signature: signature.unwrap_or_default() })
    }

    /// Header and payload, as they were signed.
    pub(crate) fn signed_part(&self) -> &[u8] {
        self.token.rsplit_once('.').map_or("", |(signed, _)| signed).as_bytes()
    }
}

pub(crate) fn token(key: &SigningKey, typ: &str, claims: &Map<String, Value>) -> Result<String> {
    Ok(jws::sign(key, typ, &serde_json::to_vec(claims)?)?)
}

/// Those of a token that Grantor writes for a user.
pub(crate) fn claims(nth: u32) -> Map<String, Value> {
    let now = now();
    let claims = json!({
        "iss": ISSUER,
        "sub": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c00",
        "idtyp": "user",
        "aud": AUDIENCE,
        "client_id": "web",
        "iat": now,
        "exp": now + 7200,
        "jti": format!("0197a3c2-5d1e-7e5b-9c3a-{nth:012x}"),
        "scope": "notes:read notes:write",
        "roles": ["editor"],
        "grant_id": "0197a3c2-5d1e-7e5b-9c3a-0d6f4b2a1c02",
        "auth_time": now - 100,
        "acr": "1",
        "amr": ["pwd"],
    });
    match claims {
        Value::Object(claims) => claims,
        _ => Map::new(),
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
