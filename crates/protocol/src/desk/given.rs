//! What comes back: metadata (RFC 8414), the authorization response (RFC 6749 4.1.2, RFC 9207), and the tokens (RFC 6749 5).
//! All of it is another server's word.

use crate::params::Params;
use crate::value::{Seconds, Secret};
use grantor_jose::jws::Unverified;
use grantor_jose::parse_object;
use serde_json::{Map, Value};
use url::Url;

/// What is read of a server's metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerMetadata {
    /// `authorization_endpoint`.
    pub authorization: Option<String>,
    /// `token_endpoint`.
    pub token: Option<String>,
    /// `jwks_uri`.
    pub keys: Option<String>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 3).
    pub promises_iss: bool,
}

/// Whom an authorization response must come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender<'a> {
    /// This issuer, and whether it promises to say so.
    Issuer(&'a str, bool),
    /// Nobody wrote down which issuer: one at the origin of this authorization endpoint.
    Endpoint(&'a str),
}

/// Tokens, as they came.
#[derive(Debug)]
pub struct Given {
    /// `access_token`, a bearer token.
    pub access_token: Secret,
    /// `refresh_token`.
    pub refresh_token: Option<Secret>,
    /// `id_token`.
    pub id_token: Option<Secret>,
    /// `scope`, where it is said.
    pub scope: Option<String>,
    /// `expires_in`, where it is said.
    pub expires_in: Option<Seconds>,
}

/// Why there is nothing to be had of an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotGiven {
    /// It cannot be read.
    #[error("the answer cannot be read")]
    Malformed,
    /// It is another issuer's (RFC 8414 3.3, RFC 9207 2.4).
    #[error("the answer is from another issuer")]
    Issuer,
    /// The server refused, with this code (RFC 6749 4.1.2.1, 5.2).
    #[error("the server refused: {0}")]
    Refused(String),
    /// The token is bound to something that the desk does not have (RFC 6749 7.1).
    #[error("the token is no bearer token")]
    TokenType,
    /// The ID token belongs to another request (OpenID Connect Core 3.1.3.7 (11)).
    #[error("the nonce of the ID token is another")]
    Nonce,
}

impl ServerMetadata {
    /// Metadata in which `issuer` is not exactly the one that was asked for is somebody else's (RFC 8414 3.3).
    pub fn parse(body: &[u8], issuer: &str) -> Result<Self, NotGiven> {
        let members = parse_object(body).ok_or(NotGiven::Malformed)?;
        let text = |name| text(&members, name).map(str::to_owned);
        if text("issuer").as_deref() != Some(issuer) {
            return Err(NotGiven::Issuer);
        }
        Ok(Self {
            authorization: text("authorization_endpoint"),
            token: text("token_endpoint"),
            keys: text("jwks_uri"),
            promises_iss: members.get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)),
        })
    }
}

/// The code of an authorization response whose `state` is known to be ours. Who answers is looked at before what he says
/// (RFC 9207 2.4).
pub fn code(response: &Params, from: Sender<'_>) -> Result<Secret, NotGiven> {
    response.unrepeated().map_err(|_| NotGiven::Malformed)?;
    let as_expected = match (from, response.get("iss")) {
        (Sender::Issuer(issuer, _), Some(iss)) => iss == issuer,
        (Sender::Issuer(_, promised), None) => !promised,
        (Sender::Endpoint(endpoint), Some(iss)) => origin(iss).is_some_and(|iss| Some(iss) == origin(endpoint)),
        (Sender::Endpoint(_), None) => true,
    };
    if !as_expected {
        return Err(NotGiven::Issuer);
    }
    match (response.get("error"), response.get("code")) {
        (Some(error), _) => Err(NotGiven::Refused(said(error))),
        (None, Some(code)) if !code.is_empty() => Ok(Secret::new(code.to_owned())),
        (None, _) => Err(NotGiven::Malformed),
    }
}

impl Given {
    /// Reads the answer of a token endpoint (RFC 6749 5.1, 5.2).
    pub fn parse(status: u16, body: &[u8]) -> Result<Self, NotGiven> {
        let members = parse_object(body).ok_or(NotGiven::Malformed);
        if status != 200 {
            let error = members.ok().and_then(|members| text(&members, "error").map(said));
            return Err(NotGiven::Refused(error.unwrap_or_else(|| format!("HTTP {status}"))));
        }
        let members = members?;
        // Some answer errors with 200.
        if let Some(error) = text(&members, "error") {
            return Err(NotGiven::Refused(said(error)));
        }
        let secret = |name| text(&members, name).map(|text| Secret::new(text.to_owned()));
        let access_token = secret("access_token").ok_or(NotGiven::Malformed)?;
        // RFC 6749 7.1: a token whose type is not understood is not used.
        let token_type = text(&members, "token_type").ok_or(NotGiven::Malformed)?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(NotGiven::TokenType);
        }
        let seconds = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
        let expires_in = members.get("expires_in").and_then(seconds);
        Ok(Self {
            access_token,
            refresh_token: secret("refresh_token"),
            id_token: secret("id_token"),
            scope: text(&members, "scope").map(str::to_owned),
            expires_in: expires_in.map(|seconds| Seconds::new(u32::try_from(seconds).unwrap_or(u32::MAX))),
        })
    }

    /// Where nobody wrote down which issuer there is, an ID token that came from the token endpoint itself must at least repeat
    /// the nonce (OpenID Connect Core 3.1.3.7 (6), (11)).
    pub fn repeats(&self, nonce: &Secret) -> Result<(), NotGiven> {
        let Some(token) = &self.id_token else { return Ok(()) };
        let unverified = Unverified::parse(token.expose()).map_err(|_| NotGiven::Malformed)?;
        let claims = parse_object(unverified.unverified_payload()).ok_or(NotGiven::Malformed)?;
        let found = text(&claims, "nonce").map(|found| Secret::new(found.to_owned()));
        if found.is_some_and(|found| found.matches(nonce)) { Ok(()) } else { Err(NotGiven::Nonce) }
    }
}

fn text<'m>(members: &'m Map<String, Value>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An error code as far as it can be one (RFC 6749 A.7), short enough for a sentence.
fn said(error: &str) -> String {
    error.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(100).collect()
}

fn origin(url: &str) -> Option<url::Origin> {
    Url::parse(url).ok().map(|url| url.origin()).filter(url::Origin::is_tuple)
}

#[cfg(test)]
#[path = "given_tests.rs"]
mod tests;
