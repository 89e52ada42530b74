//! A user: somebody who signs in.

use crate::value::{Resource, Subject, TenantName};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Somebody who signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The tenant that he belongs to.
    pub tenant: TenantName,
    /// Never changes, never given to anybody else (OpenID Connect Core 2, `sub`).
    pub sub: Subject,
    /// What he types; compared without regard to case.
    pub username: String,
    /// The password as a PHC string; nobody signs in without one.
    pub password_hash: Option<String>,
    /// Whether he may administer the server.
    #[serde(default)]
    pub administrator: bool,
    /// Whether he is locked out, and his tokens with him.
    #[serde(default)]
    pub disabled: bool,
    /// His roles at each API, by audience.
    #[serde(default)]
    pub roles: BTreeMap<Resource, Vec<String>>,
    /// What he is called, where he lives: the claims of OpenID Connect Core 5.1.
    #[serde(default)]
    pub claims: UserClaims,
}

/// The standard claims that a user record holds (OpenID Connect Core 5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserClaims {
    /// Full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Given name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_name: Option<String>,
    /// Family name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<String>,
    /// Middle name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_name: Option<String>,
    /// Casual name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nickname: Option<String>,
    /// The name that he wishes to be known by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// Profile page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// Web page or blog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<String>,
    /// Gender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<String>,
    /// Birthday, YYYY-MM-DD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birthdate: Option<String>,
    /// Time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoneinfo: Option<String>,
    /// Locale, a language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// When the claims last changed, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<i64>,
    /// E-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address was proved to be his.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// Telephone number, E.164.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the number was proved to be his.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// Postal address, the object of OpenID Connect Core 5.1.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<BTreeMap<String, String>>,
}

impl User {
    /// His roles at an API.
    pub fn roles_at(&self, api: &Resource) -> &[String] {
        self.roles.get(api).map_or(&[], Vec::as_slice)
    }

    /// What the pages call him.
    pub fn display_name(&self) -> &str {
        self.claims.name.as_deref().unwrap_or(&self.username)
    }
}

impl UserClaims {
    /// The claims by their names; those that are absent are absent.
    pub fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
}
