//! A client with a key: it signs assertions, proofs and request objects as any client would.

use crate::harness::{Answer, Site};
use grantor_jose::{SigningAlgorithm, SigningKey, base64url, digest, jws};
use grantor_protocol::client::auth::assertion;
use serde_json::{Map, Value, json};
use std::cell::RefCell;

pub struct Prover {
    pub key: SigningKey,
    /// The nonce that the server gave last.
    nonce: RefCell<Option<String>>,
}

/// A value that nobody used before.
pub fn fresh() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    base64url::encode(bytes)
}

impl Prover {
    pub fn new() -> Self {
        Self::with(SigningAlgorithm::Es256)
    }

    pub fn with(algorithm: SigningAlgorithm) -> Self {
        Self { key: SigningKey::generate(algorithm).unwrap(), nonce: RefCell::default() }
    }

    /// What is registered of it (RFC 7517 5).
    pub fn jwks(&self) -> Value {
        json!({ "keys": [self.key.public_jwk()] })
    }

    pub fn jkt(&self) -> String {
        self.key.thumbprint().to_string()
    }

    pub fn sign(&self, typ: &str, claims: &Value) -> String {
        jws::sign(&self.key, typ, claims.to_string().as_bytes()).unwrap()
    }

    /// A client assertion (RFC 7523 3) as it should be, changed by `claims`; null leaves one out.
    pub fn assertion(&self, site: &Site, client: &str, claims: &Value) -> String {
        let now = site.now();
        let usual = json!({
            "iss": client, "sub": client, "aud": site.issuer, "jti": fresh(), "iat": now, "exp": now + 60,
        });
        self.sign("JWT", &merged(usual, claims))
    }

    /// A form of a client that authenticates with an assertion.
    pub async fn form(&self, site: &Site, path: &str, client: &str, fields: &[(&str, &str)]) -> Answer {
        let assertion = self.assertion(site, client, &json!({}));
        asserted(site, path, &assertion, fields).await
    }

    /// A proof (RFC 9449 4.2) as it should be, changed by `claims`; null leaves one out.
    pub fn proof(&self, site: &Site, method: &str, path: &str, token: Option<&str>, claims: &Value) -> String {
        let mut usual = json!({
            "htm": method, "htu": format!("{}{path}", site.issuer), "iat": site.now(), "jti": fresh(),
        });
        if let Some(token) = token {
            usual["ath"] = json!(base64url::encode(digest::sha256(token.as_bytes())));
        }
        if let Some(nonce) = &*self.nonce.borrow() {
            usual["nonce"] = json!(nonce);
        }
        let header: Map<String, Value> = [("jwk".to_owned(), json!(self.key.public_jwk()))].into_iter().collect();
        let payload = merged(usual, claims).to_string();
        jws::sign_with_header(&self.key, "dpop+jwt", &header, payload.as_bytes()).unwrap()
    }

    /// Keeps the nonce of an answer for the next proof (RFC 9449 8.2).
    pub fn learn(&self, answer: &Answer) {
        if let Some(nonce) = answer.headers.get("dpop-nonce") {
            self.nonce.replace(Some(nonce.to_str().unwrap().to_owned()));
        }
    }

    /// The tokens of a client with a secret, bound to this key; asks again when the server wants its nonce.
    pub async fn token(&self, site: &Site, client: &str, fields: &[(&str, &str)]) -> Answer {
        let encoded =
            crate::harness::base64_standard(format!("{client}:{}", crate::harness::secret(client)).as_bytes());
        let authorization = format!("Basic {encoded}");
        self.sent(site, "/token", &[("authorization", &authorization)], fields).await
    }

    /// A form with a proof.
    pub async fn sent(&self, site: &Site, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        for _ in 0..2 {
            let proof = self.proof(site, "POST", path, None, &json!({}));
            let mut all = headers.to_vec();
            all.push(("dpop", &proof));
            let answer = site.form(path, &all, fields).await;
            self.learn(&answer);
            if answer.status != 400 || answer.error() != "use_dpop_nonce" {
                return answer;
            }
        }
        panic!("the nonce that the server gave is not fresh");
    }

    /// A request to a resource, with a proof.
    pub async fn get(&self, site: &Site, path: &str, token: &str) -> Answer {
        for _ in 0..2 {
            let proof = self.proof(site, "GET", path, Some(token), &json!({}));
            let answer = site.get(path, &[("authorization", &format!("DPoP {token}")), ("dpop", &proof)]).await;
            self.learn(&answer);
            if answer.status != 401 || answer.error() != "use_dpop_nonce" {
                return answer;
            }
        }
        panic!("the nonce that the server gave is not fresh");
    }
}

pub async fn asserted(site: &Site, path: &str, assertion: &str, fields: &[(&str, &str)]) -> Answer {
    let mut all = vec![("client_assertion_type", assertion::TYPE), ("client_assertion", assertion)];
    all.extend(fields);
    site.form(path, &[], &all).await
}

/// The members of one object over those of another; null takes one away.
pub fn merged(mut usual: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            usual.as_object_mut().unwrap().remove(name);
        } else {
            usual[name] = value.clone();
        }
    }
    usual
}
