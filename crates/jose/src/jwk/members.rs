//! Typed access to the members of a key.

use crate::{KeyError, base64url};
use serde_json::{Map, Value};

pub(crate) struct Members<'a>(pub(crate) &'a Map<String, Value>);

impl<'a> Members<'a> {
    /// A string member, if it is there.
    pub(crate) fn text(&self, name: &str) -> Result<Option<&'a str>, KeyError> {
        self.0.get(name).map(|value| value.as_str().ok_or(KeyError::Syntax)).transpose()
    }

    /// A string member that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&'a str, KeyError> {
        self.text(name)?.ok_or(KeyError::Missing)
    }

    /// The bytes of a base64url member that must be there.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, KeyError> {
        base64url::decode(self.required(name)?).ok_or(KeyError::Encoding)
    }

    /// The same, of a length that is fixed (RFC 7518 6.2.1.2).
    pub(crate) fn bytes_of_length(&self, name: &str, length: usize) -> Result<Vec<u8>, KeyError> {
        let bytes = self.bytes(name)?;
        if bytes.len() == length { Ok(bytes) } else { Err(KeyError::Encoding) }
    }

    /// A Base64urlUInt: no leading zeros (RFC 7518 2).
    pub(crate) fn unsigned(&self, name: &str) -> Result<Vec<u8>, KeyError> {
        let bytes = self.bytes(name)?;
        if bytes.first().is_some_and(|first| *first != 0) { Ok(bytes) } else { Err(KeyError::Encoding) }
    }

    /// `key_ops`: strings, none of them twice (RFC 7517 4.3).
    pub(crate) fn operations(&self) -> Result<Option<Vec<String>>, KeyError> {
        let Some(value) = self.0.get("key_ops") else { return Ok(None) };
        let mut operations: Vec<String> = Vec::new();
        for operation in value.as_array().ok_or(KeyError::Syntax)? {
            let operation = operation.as_str().ok_or(KeyError::Syntax)?;
            if operations.len() >= 16 || operations.iter().any(|known| known == operation) {
                return Err(KeyError::Syntax);
            }
            operations.push(operation.to_owned());
        }
        Ok(Some(operations))
    }

    /// Whether a member stands here that only private or symmetric keys have (RFC 7518 6.2.2, 6.3.2, 6.4).
    pub(crate) fn any_private(&self) -> bool {
        ["d", "p", "q", "dp", "dq", "qi", "oth", "k"].iter().any(|name| self.0.contains_key(*name))
    }
}
