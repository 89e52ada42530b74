//! Introspection (RFC 7662): only for resource servers that authenticate, only for tokens meant for them.

use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::directory::{Api, Directory};
use crate::token::{AccessToken, Claims};
use crate::value::{ClientId, Issuer, UnixTime};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

/// Whether the caller is a resource server of an audience of this token (RFC 7662 2.1, 4).
pub fn may_introspect(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> bool {
    let mut apis = token.audience.iter().filter_map(|audience| directory.api(audience));
    apis.any(|api| api.resource_servers.contains(caller.id()))
}

/// The APIs among the audiences: those that the caller is a resource server of, and the others.
fn split(token: &AccessToken, caller: &AuthenticatedClient, directory: &Directory) -> (Vec<Arc<Api>>, Vec<Arc<Api>>) {
    let apis = token.audience.iter().filter_map(|audience| directory.api(audience)).cloned();
    apis.partition(|api| api.resource_servers.contains(caller.id()))
}

/// What the caller is shown of what the token allows: of a token for several APIs only what is its own (RFC 9396 9.2).
fn details<'a>(
    token: &'a AccessToken,
    caller: &AuthenticatedClient,
    directory: &Directory,
) -> Cow<'a, AuthorizationDetails> {
    if token.details.is_empty() {
        return Cow::Borrowed(&token.details);
    }
    let (own, others) = split(token, caller, directory);
    if others.is_empty() { Cow::Borrowed(&token.details) } else { Cow::Owned(token.details.at(directory, &own)) }
}

/// Whether a token is still inside its time, and its client still there.
pub fn is_current(token: &AccessToken, directory: &Directory, now: UnixTime) -> bool {
    now < token.expires && directory.has_enabled_client(&token.client)
}

/// What is said of a token (RFC 7662 2.2).
#[derive(Serialize)]
#[serde(untagged)]
pub enum Answer<'a> {
    /// It is active.
    Active(Box<Shown<'a>>),
    /// It is not, and nothing more is said.
    Inactive(Inactive),
}

/// The answer for an active token (RFC 7662 2.2).
#[derive(Serialize)]
pub struct Shown<'a> {
    active: bool,
    #[serde(flatten)]
    claims: Claims<'a>,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<&'a str>,
}

/// The answer for every other token (RFC 7662 2.2).
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Inactive {
    active: bool,
}

/// It says nothing more.
pub const INACTIVE: Inactive = Inactive { active: false };

/// The answer for an active token.
pub fn active<'a>(
    token: &'a AccessToken,
    caller: &AuthenticatedClient,
    directory: &Directory,
    username: Option<&'a str>,
) -> Answer<'a> {
    let claims = token.written_with(details(token, caller, directory));
    Answer::Active(Box::new(Shown { active: true, claims, token_type: token.binding.token_type(), username }))
}

/// The same as text, from the claims of the token as they were once written: of what is asked again and again, they are
/// the longest part and never change. None where the caller is shown less of them.
pub fn active_text(
    token: &AccessToken,
    written: &str,
    caller: &AuthenticatedClient,
    directory: &Directory,
    username: Option<&str>,
) -> Option<Vec<u8>> {
    let Cow::Borrowed(_) = details(token, caller, directory) else { return None };
    let claims = written.strip_prefix('{')?.strip_suffix('}')?;
    let mut text = Vec::with_capacity(claims.len() + 128);
    text.extend_from_slice(br#"{"active":true,"#);
    text.extend_from_slice(claims.as_bytes());
    text.extend_from_slice(br#","token_type":""#);
    text.extend_from_slice(token.binding.token_type().as_bytes());
    text.push(b'"');
    if let Some(username) = username {
        text.extend_from_slice(br#","username":"#);
        serde_json::to_writer(&mut text, username).ok()?;
    }
    text.push(b'}');
    Some(text)
}

/// The content type of an answer that is a signed token (RFC 9701 4, 5), and its `typ` without what all types begin with.
pub const JWT_TYPE: &str = "token-introspection+jwt";

/// The claims of a signed answer (RFC 9701 5).
#[derive(Serialize)]
pub struct Signed<'a> {
    /// `iss`: who answers.
    pub iss: &'a Issuer,
    /// `aud`: who asked.
    pub aud: &'a ClientId,
    /// `iat`: when.
    pub iat: UnixTime,
    /// The answer itself.
    pub token_introspection: &'a Answer<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::AuthMethod;
    use crate::client::auth::tests::{authenticated, client};
    use crate::narrow::tests::directory;
    use crate::token::access::tests::token;
    use serde_json::{Value, json};

    #[test]
    fn rfc7662_2_2_the_text_says_what_the_answer_says() {
        let (token, caller, directory) =
            (token(), authenticated(&client("api", AuthMethod::ClientSecretBasic)), directory("[]"));
        let written = serde_json::to_string(&token.written()).unwrap();
        for username in [None, Some("a \"quoted\" name")] {
            let text = active_text(&token, &written, &caller, &directory, username).unwrap();
            let text: Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(text, json!(active(&token, &caller, &directory, username)));
            assert_eq!((&text["active"], &text["token_type"]), (&json!(true), &json!("Bearer")));
        }
    }
}
