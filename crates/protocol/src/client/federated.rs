//! Federated credentials: tokens of another issuer that prove who a client is, so that it needs no secret
//! (RFC 7521 4.2, RFC 7523 3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One kind of token of another issuer that speaks for a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedCredential {
    /// What people call it; unique within the client.
    pub name: String,
    /// `iss`, character by character.
    pub issuer: String,
    /// `aud` must hold it.
    pub audience: String,
    /// All of them must hold.
    pub conditions: Vec<Condition>,
    /// The issuer's keys by value, where it publishes none that can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// The issuer's keys by reference, where it publishes no metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
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

/// placeholder
pub fn verify(
    _: &crate::client::auth::assertion::Assertion,
    _: &FederatedCredential,
    _: &grantor_jose::JwkSet,
    _: crate::value::UnixTime,
) -> Result<crate::client::auth::assertion::Used, crate::error::Refusal> {
    Err(crate::error::Refusal::Broken)
}
/// placeholder
pub fn candidates<'a>(
    client: &'a super::ClientMetadata,
    assertion: &crate::client::auth::assertion::Assertion,
) -> impl Iterator<Item = &'a FederatedCredential> {
    let _ = assertion;
    client.federated_credentials.iter()
}
