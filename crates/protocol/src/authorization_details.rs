//! Rich authorization requests (RFC 9396): what a scope is too coarse to say.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// `authorization_details`: one object for each thing that is asked for or allowed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationDetails(Vec<Map<String, Value>>);

impl AuthorizationDetails {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
