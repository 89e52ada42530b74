//! Sets of public keys (RFC 7517 5).

use super::Jwk;
use crate::{KeyError, json};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// The longest JSON text of a set, in bytes.
const MAX_SET: usize = 256 * 1024;

/// The most keys that a set may hold.
const MAX_KEYS: usize = 100;

/// A set of public keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys that are usable here.
    pub keys: Vec<Jwk>,
}

impl JwkSet {
    /// A set from its JSON text.
    ///
    /// A key of an unknown type, without what it needs, or out of the supported ranges is passed over (RFC 7517 5). The
    /// whole set is refused when a key of it carries private or symmetric material, or when two keys of one type bear
    /// the same `kid` (RFC 7517 4.5).
    pub fn parse(json: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let json = json.as_ref();
        if json.len() > MAX_SET {
            return Err(KeyError::TooLarge);
        }
        Self::from_members(&json::parse_object(json).ok_or(KeyError::Syntax)?)
    }

    /// A set from the members of an object that was read strictly (see [`crate::parse_object`]).
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, KeyError> {
        let raw = members.get("keys").ok_or(KeyError::Missing)?.as_array().ok_or(KeyError::Syntax)?;
        if raw.len() > MAX_KEYS {
            return Err(KeyError::TooLarge);
        }
        let mut keys: Vec<Jwk> = Vec::with_capacity(raw.len());
        for value in raw {
            let key = match Jwk::from_members(value.as_object().ok_or(KeyError::Syntax)?) {
                Ok(key) => key,
                Err(KeyError::Private) => return Err(KeyError::Private),
                Err(_) => continue,
            };
            let twin = |known: &Jwk| known.kty() == key.kty() && known.kid() == key.kid();
            if key.kid().is_some() && keys.iter().any(twin) {
                return Err(KeyError::DuplicateKeyId);
            }
            keys.push(key);
        }
        Ok(Self { keys })
    }

    /// The key with this `kid`.
    pub fn find(&self, kid: &str) -> Option<&Jwk> {
        self.keys.iter().find(|key| key.kid() == Some(kid))
    }
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_members(&json::object(deserializer)?).map_err(D::Error::custom)
    }
}
