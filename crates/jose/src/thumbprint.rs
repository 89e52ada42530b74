//! JWK thumbprints with SHA-256 (RFC 7638).

use crate::jwk::{Jwk, Material};
use crate::{base64url, digest};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The SHA-256 thumbprint of a key: `jkt` (RFC 9449 6), and the `kid` of our own keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JwkThumbprint([u8; 32]);

/// The thumbprint of a public key.
pub fn thumbprint(key: &Jwk) -> JwkThumbprint {
    JwkThumbprint::of(key.material())
}

impl JwkThumbprint {
    /// RFC 7638 3: the digest of the required members alone, sorted, without white space. None of their values needs
    /// escaping.
    pub(crate) fn of(material: &Material) -> Self {
        let mut text = String::with_capacity(256);
        for (name, value) in material.required_members() {
            text.push_str(if text.is_empty() { "{\"" } else { ",\"" });
            text.push_str(name);
            text.push_str("\":\"");
            text.push_str(&value);
            text.push('"');
        }
        text.push('}');
        Self(digest::sha256(text.as_bytes()))
    }

    /// From the 43 characters of its base64url form.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode(text)?.try_into().ok().map(Self)
    }

    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for JwkThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64url::encode(self.0))
    }
}

impl fmt::Debug for JwkThumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JwkThumbprint({self})")
    }
}

impl Serialize for JwkThumbprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JwkThumbprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a SHA-256 thumbprint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc8037_a_3_ed25519() {
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let thumbprint = thumbprint(&Jwk::parse_public(key).unwrap());
        assert_eq!(thumbprint.to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        assert_eq!(JwkThumbprint::parse(&thumbprint.to_string()), Some(thumbprint));
    }

    #[test]
    fn rfc7638_3_only_required_members_count() {
        let bare = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let more =
            r#"{"use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"k","crv":"Ed25519","kty":"OKP"}"#;
        let of = |key: &str| thumbprint(&Jwk::parse_public(key).unwrap());
        assert_eq!(of(bare), of(more));
    }

    proptest! {
        #[test]
        fn round_trip(bytes: [u8; 32]) {
            let thumbprint = JwkThumbprint::from_bytes(bytes);
            prop_assert_eq!(JwkThumbprint::parse(&thumbprint.to_string()), Some(thumbprint));
            let json = serde_json::to_string(&thumbprint).unwrap();
            prop_assert_eq!(serde_json::from_str::<JwkThumbprint>(&json).unwrap(), thumbprint);
        }
    }
}
