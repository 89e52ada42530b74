//! Client assertions (RFC 7523 2.2, 3; OpenID Connect Core 9).

use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::value::{Issuer, Secret, UnixTime};
use grantor_jose::JwkSet;

/// `client_assertion_type` (RFC 7523 2.2).
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// placeholder
#[derive(Debug)]
pub struct Assertion;
impl Assertion {
    /// placeholder
    pub fn parse(_: &str) -> Result<Self, Refusal> { Err(Refusal::Broken) }
    /// placeholder
    pub fn unverified_issuer(&self) -> &str { "" }
    /// placeholder
    pub fn unverified_subject(&self) -> Option<&str> { None }
    /// placeholder
    pub fn kid(&self) -> Option<&str> { None }
    /// placeholder
    pub fn is_mac(&self) -> bool { false }
}
/// placeholder
pub struct Expected<'a> {
    /// placeholder
    pub client: &'a ClientMetadata,
    /// placeholder
    pub issuer: &'a Issuer,
    /// placeholder
    pub endpoints: &'a [String],
    /// placeholder
    pub now: UnixTime,
}
/// placeholder
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// placeholder
    pub id: [u8; 32],
    /// placeholder
    pub until: UnixTime,
}
/// placeholder
pub fn verify(_: &Assertion, _: &JwkSet, _: &Expected<'_>) -> Result<Used, Refusal> { Err(Refusal::Broken) }
/// placeholder
pub fn verify_mac(_: &Assertion, _: &Secret, _: &Expected<'_>) -> Result<Used, Refusal> { Err(Refusal::Broken) }
