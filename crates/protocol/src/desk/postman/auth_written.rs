//! Token settings as Postman's OAuth 2.0 settings.

use super::super::note::{Notes, Why};
use super::super::settings::{Parameter, Place};
use super::super::text::{Line, VariableName};
use super::super::tokens::{Needed, targets};
use super::grant_type;
use crate::client::AuthMethod;
use crate::grant::GrantType;
use serde_json::{Value, json};

/// `auth` with these settings. Where there is no such grant type, the token in its variable is all that can be said.
pub(super) fn write(needed: &Needed<'_>, at: &str, notes: &mut Notes) -> Value {
    let settings = needed.settings;
    let token = needed.variable.reference();
    let grant_type = match settings.grant_type {
        GrantType::AuthorizationCode => grant_type::CODE_WITH_PKCE,
        GrantType::ClientCredentials => grant_type::CLIENT_CREDENTIALS,
        other @ (GrantType::RefreshToken | GrantType::JwtBearer | GrantType::DeviceCode) => other.as_str(),
    };
    let authentication = match settings.client_authentication {
        AuthMethod::ClientSecretBasic => "header",
        AuthMethod::ClientSecretPost | AuthMethod::None => "body",
        other => {
            notes.add(at, Why::AuthMethod(other));
            "body"
        }
    };
    let mut entries = vec![
        entry("grant_type", grant_type),
        entry("accessToken", &token),
        entry("addTokenTo", "header"),
        json!({ "key": "headerPrefix", "value": settings.header_prefix, "type": "string" }),
        entry("client_authentication", authentication),
    ];
    let secret = settings.client_secret.as_ref().map(VariableName::reference).unwrap_or_default();
    let name = settings.name.as_ref().map(ToString::to_string).unwrap_or_default();
    let asked = settings.grant_type == GrantType::AuthorizationCode;
    let texts = [
        ("tokenName", name.as_str()),
        ("challengeAlgorithm", if asked { "S256" } else { "" }),
        ("authUrl", needed.endpoints.authorization.as_str()),
        ("accessTokenUrl", needed.endpoints.token.as_str()),
        ("clientId", settings.client_id.as_str()),
        ("clientSecret", secret.as_str()),
        ("redirect_uri", settings.redirect_uri.as_str()),
        ("scope", settings.scope.as_str()),
        ("state", settings.state.as_str()),
    ];
    entries.extend(texts.into_iter().filter(|(_, text)| !text.is_empty()).map(|(key, text)| entry(key, text)));
    let target = |place| targets(settings).map(move |(name, value)| parameter(name, value, place));
    let of = |all: &[Parameter]| {
        all.iter().map(|one| parameter(one.name.as_str(), &one.value, one.place)).collect::<Vec<_>>()
    };
    let own = &settings.parameters;
    let mut authorization: Vec<Value> = target(Place::Query).filter(|_| asked).collect();
    authorization.extend(of(&own.authorization));
    let mut token: Vec<Value> = target(Place::Body).collect();
    token.extend(of(&own.token));
    let lists = [
        ("authRequestParams", authorization),
        ("tokenRequestParams", token),
        ("refreshRequestParams", of(&own.refresh)),
    ];
    let filled = lists.into_iter().filter(|(_, all)| !all.is_empty());
    entries.extend(filled.map(|(key, all)| json!({ "key": key, "value": all, "type": "any" })));
    json!({ "type": "oauth2", "oauth2": entries })
}

fn parameter(name: &str, value: &Line, place: Place) -> Value {
    let send_as = match place {
        Place::Query => "request_url",
        Place::Body => "request_body",
        Place::Header => "request_header",
    };
    json!({ "key": name, "value": value, "enabled": true, "send_as": send_as })
}

fn entry(key: &str, text: &str) -> Value {
    json!({ "key": key, "value": text, "type": "string" })
}

/// `auth` without a token.
pub(super) fn none() -> Value {
    json!({ "type": "noauth" })
}
