//! Introspection (RFC 7662): only for resource servers that authenticate, only for tokens meant for them.

use crate::client::AuthenticatedClient;
use crate::directory::Directory;
use crate::token::AccessToken;
use crate::value::{ClientId, Issuer, UnixTime};
use serde_json::{Map, Value, json};

/// Whether the caller is a resource server of an audience of this token (RFC 7662 2.1, 4).
pub fn may_introspect(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> bool {
    let apis = token.audience.iter().filter_map(|audience| directory.api(audience));
    apis.into_iter().any(|api| api.resource_servers.contains(caller.id()))
}

/// Whether a token is still inside its time, and its client still there.
pub fn is_current(token: &AccessToken, directory: &Directory, now: UnixTime) -> bool {
    let client = directory.client(&token.client);
    now < token.expires && client.is_some_and(|client| !client.metadata.disabled)
}

/// The answer for an active token (RFC 7662 2.2).
pub fn active(token: &AccessToken, username: Option<&str>) -> Map<String, Value> {
    let mut answer = token.claims();
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
