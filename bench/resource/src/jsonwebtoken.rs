//! crates.io `jsonwebtoken`.

use crate::contender::{Check, Here, Kind};
use crate::given::{AUDIENCE, Given, ISSUER, LEEWAY, Presented, Signed};
use anyhow::{Context as _, Result};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::Deserialize;
use tokio::runtime::Runtime;

/// What the library's own examples have, and what a route looks at.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read out of the token, as an API would")]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    scope: String,
    exp: u64,
    iat: u64,
    jti: String,
}

pub(crate) struct Decode {
    key: DecodingKey,
    validation: Validation,
}

impl Check for Decode {
    const NAME: &'static str = "jsonwebtoken";
    const ABOUT: &'static str =
        "decode() into a struct with the one key known beforehand, aws-lc-rs below it; typ and scope compared by hand";

    async fn check(&mut self, presented: &Presented) -> bool {
        decode::<Claims>(&presented.token, &self.key, &self.validation).is_ok_and(|token| {
            token.header.typ.as_deref() == Some("at+jwt")
                && token.claims.scope.split(' ').any(|scope| scope == "notes:read")
        })
    }
}

pub(crate) fn new<'a>(runtime: &'a Runtime, given: &Given, signed: &'a Signed) -> Result<Here<'a, Decode>> {
    let keys: JwkSet = serde_json::from_str(&given.keys_as_json()?)?;
    let jwk = keys.find(signed.key.key_id()).context("the key is not in the set")?;
    let mut validation = Validation::new(signed.algorithm.as_str().parse()?);
    validation.leeway = u64::from(LEEWAY);
    validation.validate_nbf = true;
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let check = Decode { key: DecodingKey::from_jwk(jwk)?, validation };
    Ok(Here { runtime, signed, kind: Kind::Cold, check })
}
