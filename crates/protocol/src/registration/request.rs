//! What a client asks to be registered as (RFC 7591 2, 3.1; RFC 7592 2.2).

use super::{Origin, RegistrationError, RegistrationErrorCode, RegistrationPolicy, Tier, document};
use crate::client::{AuthMethod, ClientMetadata, ResponseType};
use crate::directory::Tenant;
use crate::grant::GrantType;
use crate::value::{ClientId, RedirectUri, Scope};
use serde_json::{Map, Value};

/// What a client may say of itself, and nothing else of what a client has: whatever only an administrator can vouch for is
/// not here. Other members are ignored (RFC 7591 2).
const MEMBERS: [&str; 43] = [
    "application_type",
    "authorization_encrypted_response_alg",
    "authorization_encrypted_response_enc",
    "authorization_signed_response_alg",
    "client_uri",
    "contacts",
    "default_max_age",
    "dpop_bound_access_tokens",
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "id_token_signed_response_alg",
    "introspection_encrypted_response_alg",
    "introspection_encrypted_response_enc",
    "introspection_signed_response_alg",
    "jwks",
    "jwks_uri",
    "logo_uri",
    "policy_uri",
    "post_logout_redirect_uris",
    "redirect_uris",
    "request_object_encryption_alg",
    "request_object_encryption_enc",
    "request_object_signing_alg",
    "request_uris",
    "require_auth_time",
    "require_pushed_authorization_requests",
    "require_signed_request_object",
    "scope",
    "software_id",
    "software_version",
    "subject_type",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_email",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_uri",
    "tls_client_auth_subject_dn",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "tos_uri",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
    "userinfo_signed_response_alg",
];

/// So many entries in a list at the most.
const MOST: usize = 32;
/// So many bytes in a text at the most.
const LONGEST: usize = 2048;
/// So many letters in a name: it is shown to users.
const LONGEST_NAME: usize = 100;

/// The client that a registration request asks for, below the tier that fits it. Values that are not supported are
/// replaced where something sensible is left (grant types, response types, scope), and refused where not (RFC 7591 2).
pub fn requested(
    members: &Map<String, Value>,
    id: &ClientId,
    origin: Origin,
    tenant: &Tenant,
) -> Result<ClientMetadata, RegistrationError> {
    statement(members)?;
    let redirect_uris = redirect_uris(members)?;
    let policy = &tenant.registration;
    let tier = tier_of(policy, id, &origin, &redirect_uris)?;
    let own_host = document::host(id);
    if let Some(uri) = redirect_uris.iter().find(|uri| !tier.admits(uri, own_host.as_deref())) {
        return Err(RegistrationError::redirect(&format!(
            "redirect_uris: {uri} leads where no client like this may go"
        )));
    }
    let mut kept = Map::new();
    for name in MEMBERS {
        if let Some(value) = members.get(name).filter(|value| !value.is_null()) {
            bounded(name, value)?;
            kept.insert(name.to_owned(), value.clone());
        }
    }
    kept.insert("client_id".to_owned(), id.as_str().into());
    kept.insert("tenant".to_owned(), tenant.name.as_str().into());
    kept.insert("client_name".to_owned(), client_name(members)?);
    let grant_types = grant_types(members, tier)?;
    response_types(members, &grant_types)?;
    let wrong = |error: serde_json::Error| RegistrationError::metadata(&error.to_string());
    let mut client: ClientMetadata = serde_json::from_value(Value::Object(kept)).map_err(wrong)?;
    client.grant_types = grant_types;
    client.scope = scope(client.scope.take(), &origin, tier)?;
    client.origin = origin;
    check(&client, tenant)?;
    Ok(client)
}

/// The same for an update: what the client must not say it must not say, and its secret must be its own (RFC 7592 2.2).
/// `is_secret` says whether a text is a secret that it has.
pub fn replaced(
    members: &Map<String, Value>,
    before: &ClientMetadata,
    is_secret: impl Fn(&str) -> bool,
    tenant: &Tenant,
) -> Result<ClientMetadata, RegistrationError> {
    let of_the_server =
        ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"];
    if let Some(name) = of_the_server.into_iter().find(|name| members.contains_key(*name)) {
        return Err(RegistrationError::metadata(&format!("{name} is the server's to say (RFC 7592 2.2)")));
    }
    if members.get("client_id").and_then(Value::as_str) != Some(before.client_id.as_str()) {
        return Err(RegistrationError::metadata("client_id must be there, and that of this client (RFC 7592 2.2)"));
    }
    if members.get("client_secret").is_some_and(|secret| !secret.as_str().is_some_and(&is_secret)) {
        return Err(RegistrationError::metadata("client_secret is not that of this client (RFC 7592 2.2)"));
    }
    requested(members, &before.client_id, before.origin.clone(), tenant)
}

/// RFC 7591 3.1.1: nobody is trusted to make software statements here.
fn statement(members: &Map<String, Value>) -> Result<(), RegistrationError> {
    let Some(statement) = members.get("software_statement") else { return Ok(()) };
    let is_jwt = statement.as_str().is_some_and(|text| text.split('.').count() == 3);
    Err(if is_jwt {
        let code = RegistrationErrorCode::UnapprovedSoftwareStatement;
        RegistrationError::new(code, "software_statement: nobody is trusted to make these here")
    } else {
        let code = RegistrationErrorCode::InvalidSoftwareStatement;
        RegistrationError::new(code, "software_statement is not a signed JWT (RFC 7591 2.3)")
    })
}

fn tier_of<'a>(
    policy: &'a RegistrationPolicy,
    id: &ClientId,
    origin: &Origin,
    redirect_uris: &[RedirectUri],
) -> Result<&'a Tier, RegistrationError> {
    match origin {
        Origin::Document(_) => policy
            .tier_of_document(id)
            .ok_or_else(|| RegistrationError::metadata("client_id: no document of this host is accepted")),
        Origin::Declared | Origin::Registered(_) => policy
            .tier_of_redirects(redirect_uris)
            .ok_or_else(|| RegistrationError::redirect("redirect_uris: no client may be registered at these places")),
    }
}

fn redirect_uris(members: &Map<String, Value>) -> Result<Vec<RedirectUri>, RegistrationError> {
    let Some(value) = members.get("redirect_uris").filter(|value| !value.is_null()) else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or_else(|| RegistrationError::redirect("redirect_uris is a list of texts"))?;
    if list.len() > MOST {
        return Err(RegistrationError::redirect(&format!("redirect_uris: {MOST} at the most")));
    }
    let parsed = list.iter().map(|uri| {
        uri.as_str().and_then(RedirectUri::parse).ok_or_else(|| {
            RegistrationError::redirect(&format!(
                "redirect_uris: {uri} is not https (or http on loopback, or a private-use scheme with a dot), absolute, \
                 without a fragment"
            ))
        })
    });
    parsed.collect()
}

/// RFC 7591 2: what cannot be had is left out.
fn grant_types(members: &Map<String, Value>, tier: &Tier) -> Result<Vec<GrantType>, RegistrationError> {
    let asked = match members.get("grant_types").filter(|value| !value.is_null()) {
        None => vec![GrantType::AuthorizationCode],
        Some(value) => {
            let list = value.as_array().ok_or_else(|| RegistrationError::metadata("grant_types is a list of texts"))?;
            list.iter().filter_map(|kind| kind.as_str().and_then(GrantType::parse)).collect()
        }
    };
    let mut left: Vec<GrantType> = tier.grant_types.iter().copied().filter(|kind| asked.contains(kind)).collect();
    if !left.contains(&GrantType::AuthorizationCode) {
        left.retain(|kind| *kind != GrantType::RefreshToken);
    }
    if left.is_empty() {
        return Err(RegistrationError::metadata("grant_types: none of these can be had here by a client like this"));
    }
    Ok(left)
}

/// RFC 7591 2.1: the response type is what the grant type needs; others are left out.
fn response_types(members: &Map<String, Value>, grant_types: &[GrantType]) -> Result<(), RegistrationError> {
    let Some(value) = members.get("response_types").filter(|value| !value.is_null()) else { return Ok(()) };
    let list = value.as_array().ok_or_else(|| RegistrationError::metadata("response_types is a list of texts"))?;
    let code = list.iter().any(|kind| kind.as_str() == Some(ResponseType::Code.as_str()));
    if grant_types.contains(&GrantType::AuthorizationCode) && !code {
        return Err(RegistrationError::metadata("response_types: code is the only one that is offered here"));
    }
    Ok(())
}

/// What a client registers itself for is replaced by all that its tier has (RFC 7591 2, 3.2.1): it names what it needs first, and
/// would otherwise never get what an API asks for later (RFC 6750 3.1, `insufficient_scope`). It bounds nobody that a client can
/// change by itself (RFC 7592 2.2); the tier does, and the user, who is asked for each scope. A document is written by hand,
/// and means what it says.
fn scope(asked: Option<Scope>, origin: &Origin, tier: &Tier) -> Result<Option<Scope>, RegistrationError> {
    let wants_something = asked.as_ref().is_some_and(|scope| !scope.is_empty());
    let left = asked.and_then(|asked| tier.scope_of(Some(asked)));
    if wants_something && left.as_ref().is_some_and(Scope::is_empty) {
        return Err(RegistrationError::metadata("scope: nothing of it can be had by a client like this"));
    }
    Ok(match origin {
        Origin::Registered(_) => tier.scope.clone(),
        Origin::Document(_) | Origin::Declared => left,
    })
}

/// `client_name`, and the same in other languages (RFC 7591 2.2).
fn client_name(members: &Map<String, Value>) -> Result<Value, RegistrationError> {
    let text = |value: &Value| {
        let text =
            value.as_str().filter(|text| text.chars().count() <= LONGEST_NAME && !text.contains(char::is_control));
        let wrong =
            || RegistrationError::metadata(&format!("client_name is a text of {LONGEST_NAME} letters at the most"));
        text.map(str::to_owned).ok_or_else(wrong)
    };
    let plain = members.get("client_name").filter(|value| !value.is_null()).map(text).transpose()?;
    let tagged = members.iter().filter_map(|(name, value)| Some((name.strip_prefix("client_name#")?, value)));
    let mut tagged = tagged.map(|(tag, value)| Ok((tag.to_owned(), text(value)?.into()))).take(MOST);
    let mut all = tagged.by_ref().collect::<Result<Map<String, Value>, RegistrationError>>()?;
    match (plain, all.is_empty()) {
        (plain, true) => Ok(plain.unwrap_or_default().into()),
        (plain, false) => {
            if let Some(plain) = plain {
                all.entry("en").or_insert_with(|| plain.into());
            }
            Ok(Value::Object(all))
        }
    }
}

fn bounded(name: &str, value: &Value) -> Result<(), RegistrationError> {
    let fits = match value {
        Value::String(text) => text.len() <= LONGEST,
        Value::Array(list) => {
            list.len() <= MOST && list.iter().all(|item| item.as_str().is_none_or(|text| text.len() <= LONGEST))
        }
        _ => true,
    };
    if fits { Ok(()) } else { Err(RegistrationError::metadata(&format!("{name} is too long"))) }
}

/// What can be said of it only as a whole.
fn check(client: &ClientMetadata, tenant: &Tenant) -> Result<(), RegistrationError> {
    if client.grant_types.contains(&GrantType::AuthorizationCode) && client.redirect_uris.is_empty() {
        return Err(RegistrationError::redirect("redirect_uris: the authorization code grant needs at least one"));
    }
    // The secret would have to be kept readable.
    if client.token_endpoint_auth_method == AuthMethod::ClientSecretJwt {
        return Err(RegistrationError::metadata("token_endpoint_auth_method client_secret_jwt cannot be registered"));
    }
    for (name, uri) in [
        ("client_uri", &client.client_uri),
        ("logo_uri", &client.logo_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
    ] {
        let web = |uri: &String| url::Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if !uri.as_ref().is_none_or(web) {
            return Err(RegistrationError::metadata(&format!("{name} is no address of a web page (RFC 7591 5)")));
        }
    }
    let mut held = client.clone();
    held.profile = tenant.profile_of(client);
    match held.contradictions().first() {
        Some(contradiction) => Err(RegistrationError::metadata(contradiction)),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
