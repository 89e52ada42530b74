//! The protected header (RFC 7516 4, RFC 7518 4.6.1).

use super::Malformed;
use crate::{ContentEncryption, EncryptionAlgorithm, Jwk, base64url, json};
use serde_json::{Map, Value};

/// The members of a protected header. `crit` and `zip` cannot occur: a token that has one is refused.
#[derive(Clone, Debug)]
pub struct Header {
    alg: EncryptionAlgorithm,
    enc: ContentEncryption,
    pub(super) agreement: Option<Agreement>,
    members: Map<String, Value>,
}

/// What key agreement needs (RFC 7518 4.6.1).
#[derive(Clone, Debug)]
pub(super) struct Agreement {
    pub(super) ephemeral: Jwk,
    pub(super) apu: Vec<u8>,
    pub(super) apv: Vec<u8>,
}

impl Header {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Malformed> {
        Self::from_members(json::parse_object(json).ok_or(Malformed::Header)?)
    }

    pub(super) fn from_members(members: Map<String, Value>) -> Result<Self, Malformed> {
        if members.contains_key("crit") {
            return Err(Malformed::Critical);
        }
        if members.contains_key("zip") {
            return Err(Malformed::Compressed);
        }
        let wrong = |name: &str| members.get(name).is_some_and(|value| !value.is_string());
        if ["alg", "enc", "typ", "cty", "kid", "apu", "apv"].into_iter().any(wrong) {
            return Err(Malformed::Header);
        }
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let alg = text("alg").and_then(EncryptionAlgorithm::parse).ok_or(Malformed::Algorithm)?;
        let enc = text("enc").and_then(ContentEncryption::parse).ok_or(Malformed::Algorithm)?;
        let party = |name: &str| text(name).map_or(Some(Vec::new()), base64url::decode).ok_or(Malformed::Encoding);
        let agreement = match members.get("epk") {
            Some(epk) => {
                let ephemeral = epk.as_object().and_then(|epk| Jwk::from_members(epk).ok()).ok_or(Malformed::Key)?;
                Some(Agreement { ephemeral, apu: party("apu")?, apv: party("apv")? })
            }
            None => None,
        };
        Ok(Self { alg, enc, agreement, members })
    }

    /// `alg` (RFC 7516 4.1.1).
    pub fn alg(&self) -> EncryptionAlgorithm {
        self.alg
    }

    /// `enc` (RFC 7516 4.1.2).
    pub fn enc(&self) -> ContentEncryption {
        self.enc
    }

    /// `kid` (RFC 7516 4.1.6).
    pub fn kid(&self) -> Option<&str> {
        self.member("kid").and_then(Value::as_str)
    }

    /// `cty` (RFC 7516 4.1.12); `JWT` for a nested token.
    pub fn cty(&self) -> Option<&str> {
        self.member("cty").and_then(Value::as_str)
    }

    /// Any member.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }
}
