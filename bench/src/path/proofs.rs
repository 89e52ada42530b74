//! Client assertions (RFC 7523) and DPoP proofs (RFC 9449): each is good once.

use super::Stage;
use crate::failure::Result;
use crate::http;
use crate::load::{Once, Script};
use crate::site::{Api, Site, basic, fresh, now};
use grantor_jose::{SigningKey, jws};
use grantor_protocol::client::auth::assertion;
use serde_json::{Map, Value, json};
use std::sync::Arc;

type Requests = Result<Vec<Vec<u8>>>;

pub(super) fn assertions(site: &Site) -> Result<Stage> {
    let (key, issuer) = (again(&site.key)?, site.issuer());
    let make = move || {
        let claims = json!({
            "iss": "keyed", "sub": "keyed", "aud": issuer, "jti": fresh()?, "iat": now(), "exp": now() + 240,
        });
        let assertion = jws::sign(&key, "JWT", claims.to_string().as_bytes())?;
        let (scope, audience) = (Api::Opaque.scope(), Api::Opaque.audience());
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", scope.as_str()),
            ("resource", audience.as_str()),
            ("client_assertion_type", assertion::TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        Ok(http::form("/token", &[], &fields))
    };
    Ok(once(move |many| (0..many).map(|_| make()).collect()))
}

pub(super) fn proofs(site: &Site) -> Result<Stage> {
    let (key, uri) = (Arc::new(again(&site.key)?), format!("{}/token", site.issuer()));
    let address = site.address;
    let header: Map<String, Value> = [("jwk".to_owned(), json!(key.public_jwk()))].into_iter().collect();
    let make = move |nonce: Option<&str>| -> Result<Vec<u8>> {
        let mut claims = json!({ "htm": "POST", "htu": uri, "iat": now(), "jti": fresh()? });
        if let (Some(nonce), Some(claims)) = (nonce, claims.as_object_mut()) {
            claims.insert("nonce".to_owned(), nonce.into());
        }
        let proof = jws::sign_with_header(&key, "dpop+jwt", &header, claims.to_string().as_bytes())?;
        let (scope, audience) = (Api::Opaque.scope(), Api::Opaque.audience());
        let fields = [("grant_type", "client_credentials"), ("scope", &scope), ("resource", &audience)];
        Ok(http::form("/token", &[("authorization", &basic("proving")), ("dpop", &proof)], &fields))
    };
    Ok(once(move |many| {
        // The first answer brings the nonce that all others carry.
        let answer = http::Connection::open(address)?.call(&make(None)?)?;
        let nonce = answer.header("dpop-nonce").map(str::to_owned);
        (0..many).map(|_| make(nonce.as_deref())).collect()
    }))
}

fn once(mut make: impl FnMut(usize) -> Requests + 'static) -> Stage {
    let refill = move |many| Ok(Box::new(Once(make(many)?.into_iter())) as Box<dyn Script>);
    Stage { script: Box::new(Once(Vec::new().into_iter())), refill: Some(Box::new(refill)) }
}

fn again(key: &SigningKey) -> Result<SigningKey> {
    Ok(SigningKey::from_pkcs8(key.algorithm(), key.to_pkcs8())?)
}
