//! Who signed in, as an ID token says it (OpenID Connect Core 2, 3.1.3.7).

pub use grantor_protocol::id_token::{Expected, IdTokenProblem};

use grantor_protocol::id_token;
use grantor_protocol::value::Secret;
use serde_json::{Map, Value};

/// Who signed in: claims of an ID token that was checked. There is no other way to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    pub(crate) claims: Map<String, Value>,
}

impl Identity {
    /// Checks an ID token.
    pub fn check(token: &Secret, expected: &Expected<'_>) -> Result<Self, IdTokenProblem> {
        id_token::check(token, expected).map(|claims| Self { claims })
    }

    /// `sub`: who it is, at this issuer.
    pub fn subject(&self) -> &str {
        self.claims.get("sub").and_then(Value::as_str).unwrap_or_default()
    }

    /// Every claim.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }
}

#[cfg(test)]
mod tests;
