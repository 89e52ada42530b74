//! Access policies: rules at an API that narrow who gets what, and for how long.

use crate::grant::GrantType;
use crate::value::{ClientId, Resource, ScopeToken, Seconds, TenantName};
use serde::{Deserialize, Serialize};

/// One rule. Where an API has policies, the first that fits a request decides; a request that none fits gets nothing.
/// An empty list fits everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The tenant that it belongs to.
    #[serde(default)]
    pub tenant: TenantName,
    /// Its name, unique in the tenant; policies are tried in order of `priority`, then of name.
    pub name: String,
    /// Smaller is earlier.
    #[serde(default)]
    pub priority: u32,
    /// The API that it guards.
    pub api: Resource,
    /// The clients that it fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientId>,
    /// The grant types that it fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grant_types: Vec<GrantType>,
    /// The roles (at the API) of which a user must have one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The scopes that can be had under it; absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<ScopeToken>>,
    /// The types of authorization details that can be had under it; absent: all, or none where `scopes` is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types: Option<Vec<String>>,
    /// The longest life of an access token under it, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_lifetime: Option<Seconds>,
}

impl Policy {
    /// Whether authorization details of this type can be had under it.
    pub fn allows_details_of(&self, kind: &str) -> bool {
        match &self.authorization_details_types {
            Some(kinds) => kinds.iter().any(|name| name == kind),
            None => self.scopes.is_none(),
        }
    }
}
