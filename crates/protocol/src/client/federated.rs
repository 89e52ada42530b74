//! Federated credentials: tokens of another issuer that prove who a client is, so that it needs no secret
//! (RFC 7521 4.2, RFC 7523 3).
//!
//! A build on GitHub or GitLab, or a pod of a Kubernetes cluster, has a token of its platform that says where it runs. A
//! credential says which of them speak for the client. Such a token is no client's own assertion: its `sub` names what
//! runs, not the client, and what must be in it is the declaration's matter, not RFC 7523's.

mod condition;
mod form;
mod glob;
mod judgement;
mod platform;
mod problems;
mod warnings;

pub use form::{Form, Place};
pub use judgement::{JudgedRule, Judgement};

use super::ClientMetadata;
use super::auth::assertion::{Assertion, OWN_TYPE, Used};
use crate::error::Refusal;
use crate::made::Made;
use crate::profile::Profile;
use crate::value::UnixTime;
use grantor_jose::{JwkSet, base64url, digest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// One kind of token of another issuer that speaks for a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// What people call it; unique within the client.
    pub name: String,
    /// `iss`, character by character.
    pub issuer: String,
    /// `aud` must hold it; for a client of FAPI 2.0 it must be it.
    pub audience: String,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// Whether one token may be used again and again, as platforms want it that give a workload a new one only every so often
    /// (Kubernetes); else each is good once. Not for a client of FAPI 2.0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reusable: bool,
    /// The issuer's keys by value, where it publishes none that can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// The same, read when they are first needed: see [`Self::keys_by_value`].
    #[serde(skip)]
    pub key_set: Made<Option<Arc<JwkSet>>>,
    /// The issuer's keys by reference, where it publishes no metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
}

impl FederatedCredential {
    /// The keys of `jwks`, read once; none when there are none, or none that can be used.
    pub fn keys_by_value(&self) -> Option<&Arc<JwkSet>> {
        let jwks = self.jwks.as_ref()?;
        self.key_set.get_or_make(|| super::metadata::read_key_set(jwks)).as_ref()
    }
}

/// What one claim must be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The name of the claim; a JSON pointer (RFC 6901) when it begins with `/`.
    pub claim: String,
    /// It is exactly this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// It is one of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<Value>>,
    /// It is a text that this pattern fits: `*` stands for any number of characters but `/` and `:`, `**` for any at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glob: Option<String>,
}

/// Whether a token of another issuer speaks for this client: its signature, and then every rule of
/// [`FederatedCredential::judge_for`] the profile that the client is held to, which says what it may be signed with too. A
/// token without `jti` is remembered by the digest of what was signed.
pub fn verify(
    assertion: &Assertion,
    credential: &FederatedCredential,
    keys: &JwkSet,
    profile: Profile,
    now: UnixTime,
) -> Result<Used, Refusal> {
    assertion.is_of_type(&TYPES)?;
    let claims = assertion.signed_with(keys, &profile.algorithms())?;
    credential.accept(profile, claims.all(), now)?;
    let expires = judgement::moment(claims.get("exp")).ok_or(Refusal::AssertionWithoutExpiry)?;
    if let Some(id) = claims.get("jti").and_then(Value::as_str) {
        return Ok(Used::new("federated jti", &credential.issuer, id, expires));
    }
    let digest = base64url::encode(digest::sha256(assertion.signed_part().as_bytes()));
    Ok(Used::new("federated token", &credential.issuer, &digest, expires))
}

/// The credentials of a client whose issuer is the assertion's; the first that fits decides.
pub fn candidates<'a>(
    client: &'a ClientMetadata,
    assertion: &Assertion,
) -> impl Iterator<Item = &'a FederatedCredential> {
    let issuer = assertion.unverified_issuer();
    client.federated_credentials.iter().filter(move |credential| credential.issuer == issuer)
}

/// `typ` of what speaks for a workload: ID tokens, SPIFFE's (JWT-SVID 2.3), client assertions. An access token is for
/// an API, whatever its audience (RFC 8725 3.11).
const TYPES: [&str; 3] = ["JWT", "JOSE", OWN_TYPE];

#[cfg(test)]
#[path = "federated/tests.rs"]
mod tests;
