//! An API: what a resource server is to the authorization server.

use super::Operation;
use crate::authorization_details::CompiledSchema;
use crate::made::Made;
use crate::value::{ClientId, Resource, Scope, ScopeToken, Seconds, TenantName, Text};
use grantor_jose::SigningAlgorithm;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Everything that concerns a resource server comes from here: `aud`, scopes, roles, consent, introspection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// The tenant that it belongs to.
    #[serde(default)]
    pub tenant: TenantName,
    /// Its audience, as it stands in `aud` and in `resource` (RFC 8707).
    pub audience: Resource,
    /// What people call it.
    pub name: Text,
    /// What may be asked for.
    #[serde(default)]
    pub scopes: Vec<ApiScope>,
    /// What a user or an application may be.
    #[serde(default)]
    pub roles: Vec<ApiRole>,
    /// The form of its access tokens.
    #[serde(default)]
    pub token: TokenProfile,
    /// What each client may get at the most. A client without a ceiling may get every scope that a user allows it,
    /// and nothing for itself.
    #[serde(default)]
    pub ceilings: Vec<Ceiling>,
    /// What may be asked for that a scope is too coarse to say (RFC 9396 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub authorization_details_types: Vec<AuthorizationDetailsType>,
    /// The clients that may introspect its tokens: the API's own credentials (RFC 7662 2.1).
    #[serde(default)]
    pub resource_servers: Vec<ClientId>,
    /// What it does, for whoever tries it in the playground.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
    /// Where its `OpenAPI` document is, which says the same: a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openapi: Option<Resource>,
    /// Where the ceiling of each client stands, in an API that is served.
    #[serde(skip)]
    pub ceilings_by_client: Made<HashMap<ClientId, usize>>,
}

/// A scope, in the API's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiScope {
    /// The scope-token.
    pub name: ScopeToken,
    /// What the user is shown when an application asks for it.
    #[serde(default)]
    pub description: Text,
    /// When not empty: only a user with one of these roles can allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// A type of authorization details (RFC 9396 2.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationDetailsType {
    /// `type`.
    #[serde(rename = "type")]
    pub name: String,
    /// What the user is shown: `{/creditorName}` stands for the value at that JSON pointer (RFC 6901).
    pub description: Text,
    /// The JSON Schema that each object of this type must fit.
    pub schema: serde_json::Value,
    /// When not empty: only a user with one of these roles can allow it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The schema, compiled when it is first needed.
    #[serde(skip)]
    pub compiled: Made<CompiledSchema>,
}

/// A role that this API knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiRole {
    /// Its name, as it stands in `roles` (RFC 9068 2.2.3.1).
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Text,
}

/// The most that a client can get at this API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceiling {
    /// Which client.
    pub client_id: ClientId,
    /// Its scopes, whether for itself or from a user.
    #[serde(default)]
    pub scope: Scope,
    /// The types of authorization details that it may have, for itself or from a user; absent: those of its own metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_details_types: Option<Vec<String>>,
    /// The roles that it has when it acts for itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// The form of an API's access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenProfile {
    /// JWT or opaque.
    pub format: TokenFormat,
    /// What a JWT is signed with.
    pub algorithm: SigningAlgorithm,
    /// How long a token lives, in seconds.
    pub lifetime: Seconds,
    /// What its bearer must prove.
    #[serde(skip_serializing_if = "RequiredBinding::is_none")]
    pub binding: RequiredBinding,
    /// Whether a JWT has an index in a status list, so that whoever verifies it learns within seconds that it was taken
    /// back (Token Status List 6). Each token then costs a write.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub status_list: bool,
}

/// What the bearer of a token must prove to an API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequiredBinding {
    /// Nothing, unless the client wants it.
    #[default]
    None,
    /// A key, by DPoP (RFC 9449; `dpop_bound_access_tokens_required` of RFC 9728).
    Dpop,
    /// A certificate (RFC 8705 3).
    Mtls,
    /// A key or a certificate.
    Any,
}

impl RequiredBinding {
    /// Whether nothing is required.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Whether the API reads its tokens itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// A JWT after RFC 9068.
    #[default]
    Jwt,
    /// Sealed: readable by the authorization server alone (RFC 7662).
    Opaque,
}

/// So many are looked through more quickly than looked up.
pub(super) const FEW: usize = 16;

impl Default for TokenProfile {
    fn default() -> Self {
        Self {
            format: TokenFormat::Jwt,
            algorithm: SigningAlgorithm::Es256,
            lifetime: Seconds::new(600),
            binding: RequiredBinding::None,
            status_list: false,
        }
    }
}

impl TokenProfile {
    /// Whether its tokens have an index in a status list.
    pub fn has_status(&self) -> bool {
        self.status_list && self.format == TokenFormat::Jwt
    }
}

impl Api {
    /// Whether it is had by its audience alone: it has neither scopes nor types of authorization details. Any other comes
    /// with a scope or a detail only.
    pub fn is_named_as_a_whole(&self) -> bool {
        self.scopes.is_empty() && self.authorization_details_types.is_empty()
    }

    /// Every scope-token of this API.
    pub fn scope(&self) -> Scope {
        self.scopes.iter().map(|scope| scope.name.clone()).collect()
    }

    /// The scope of this name.
    pub fn find_scope(&self, name: &str) -> Option<&ApiScope> {
        self.scopes.iter().find(|scope| scope.name.as_str() == name)
    }

    /// The most that this client can get.
    pub fn ceiling(&self, client: &ClientId) -> Option<&Ceiling> {
        match self.ceilings_by_client.get() {
            Some(by_client) => self.ceilings.get(*by_client.get(client)?),
            None => self.ceilings.iter().find(|ceiling| &ceiling.client_id == client),
        }
    }

    /// Prepares it for many questions; it does not change from now on.
    pub(super) fn index(&self) {
        if self.ceilings.len() > FEW {
            self.ceilings_by_client.get_or_make(|| {
                // The first of a client's ceilings is the one that counts.
                let ceilings = self.ceilings.iter().enumerate().rev();
                ceilings.map(|(at, ceiling)| (ceiling.client_id.clone(), at)).collect()
            });
        }
    }
}
