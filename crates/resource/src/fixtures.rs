//! What the tests have in common: an issuer's key, and tokens by it.

use crate::{Api, Builder, JwkSet, SigningAlgorithm, SigningKey, UnixTime};
use grantor_jose::jws;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const AUDIENCE: &str = "https://api.example/notes";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| key(SigningAlgorithm::Ed25519));

pub(crate) fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

pub(crate) fn set(keys: &[&SigningKey]) -> JwkSet {
    JwkSet { keys: keys.iter().map(|key| key.public_jwk()).collect() }
}

/// The claims of a good token, with these changed; null takes one away.
pub(crate) fn claims(changes: Value) -> Map<String, Value> {
    let mut claims = json!({
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "client_id": "web",
        "jti": "t1",
        "iat": NOW,
        "exp": NOW + 600,
        "scope": "notes:read notes:write",
        "roles": ["editor"],
        "acr": "urn:example:two-factors",
        "amr": ["pwd", "otp"],
        "auth_time": NOW - 100,
    });
    let (Value::Object(claims), Value::Object(changes)) = (&mut claims, changes) else {
        panic!("claims are an object");
    };
    for (name, value) in changes {
        match value {
            Value::Null => claims.remove(&name),
            value => claims.insert(name, value),
        };
    }
    claims.clone()
}

pub(crate) fn signed(key: &SigningKey, typ: &str, claims: &Map<String, Value>) -> String {
    jws::sign(key, typ, &serde_json::to_vec(claims).unwrap()).unwrap()
}

/// A token with these claims changed.
pub(crate) fn token(changes: Value) -> String {
    signed(&KEY, "at+jwt", &claims(changes))
}

/// A clock that stands until it is set.
#[derive(Clone)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(NOW)))
    }

    pub(crate) fn set(&self, now: i64) {
        self.0.store(now, Ordering::SeqCst);
    }

    pub(crate) fn read(&self) -> UnixTime {
        UnixTime::new(self.0.load(Ordering::SeqCst))
    }
}

/// An API that knows the issuer's key.
pub(crate) fn builder(clock: &Clock) -> Builder {
    let clock = clock.clone();
    Api::builder(ISSUER, AUDIENCE).keys(set(&[&KEY])).clock(move || clock.read())
}
