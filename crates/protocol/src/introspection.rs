//! Introspection (RFC 7662): only for resource servers that authenticate, only for tokens meant for them.

use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::directory::{Api, Directory};
use crate::token::AccessToken;
use crate::value::{ClientId, Issuer, UnixTime};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Whether the caller is a resource server of an audience of this token (RFC 7662 2.1, 4).
pub fn may_introspect(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> bool {
    !split(token, caller, directory).0.is_empty()
}

/// The APIs among the audiences: those that the caller is a resource server of, and the others.
fn split(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> (Vec<Arc<Api>>, Vec<Arc<Api>>) {
    let apis = token.audience.iter().filter_map(|audience| directory.api(audience)).cloned();
    apis.partition(|api| api.resource_servers.contains(caller.id()))
}

/// What the caller is shown of what the token allows: of a token for several APIs only what is its own (RFC 9396 9.2).
fn details(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> AuthorizationDetails {
    let (own, others) = split(token, caller, directory);
    if others.is_empty() { token.details.clone() } else { token.details.at(directory, &own) }
}

/// Whether a token is still inside its time, and its client still there.
pub fn is_current(token: &AccessToken, directory: &Directory, now: UnixTime) -> bool {
    let client = directory.client(&token.client);
    now < token.expires && client.is_some_and(|client| !client.metadata.disabled)
}

/// The answer for an active token (RFC 7662 2.2).
pub fn active(
    token: &AccessToken,
    caller: &AuthenticatedClient,
    directory: &Directory,
    username: Option<&str>,
) -> Map<String, Value> {
    let mut answer = AccessToken { details: details(token, caller, directory), ..token.clone() }.claims();
    answer.insert("active".to_owned(), json!(true));
    answer.insert("token_type".to_owned(), json!(token.binding.token_type()));
    if let Some(username) = username {
        answer.insert("username".to_owned(), json!(username));
    }
    answer
}

/// The content type of an answer that is a signed token (RFC 9701 4, 5), and its `typ` without what all types begin with.
pub const JWT_TYPE: &str = "token-introspection+jwt";

/// The claims of a signed answer (RFC 9701 5).
pub fn signed(answer: Map<String, Value>, issuer: &Issuer, caller: &ClientId, now: UnixTime) -> Map<String, Value> {
    let claims = [
        ("iss", json!(issuer)),
        ("aud", json!(caller)),
        ("iat", json!(now)),
        ("token_introspection", Value::Object(answer)),
    ];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The answer for every other token: it says nothing more (RFC 7662 2.2).
pub fn inactive() -> Map<String, Value> {
    [("active".to_owned(), json!(false))].into_iter().collect()
}
