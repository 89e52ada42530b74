//! The token response (RFC 6749 5.1, OpenID Connect Core 3.1.3.3).

use crate::authorization_details::AuthorizationDetails;
use crate::value::{Scope, Seconds};
use serde::Serialize;

/// What a client gets. `Debug` is not implemented on purpose.
#[derive(Serialize)]
pub struct TokenResponse {
    /// The access token.
    #[serde(skip)]
    pub access_token: String,
    /// How it is to be presented (RFC 6750).
    pub token_type: &'static str,
    /// For how long it is good, in seconds.
    pub expires_in: Seconds,
    /// What it allows. Said whenever there is something: it may be less than was asked for.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub scope: Scope,
    /// What it allows that a scope is too coarse to say (RFC 9396 7).
    #[serde(skip_serializing_if = "AuthorizationDetails::is_empty")]
    pub authorization_details: AuthorizationDetails,
    /// The refresh token, for clients that are registered for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The ID token, when `openid` was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<String>,
}

/// What the rest of a response is usually shorter than, in bytes.
const USUAL_REST: usize = 256;

impl TokenResponse {
    /// As it is written. An access token is the longest part, and is base64url and dots: nothing in it is escaped.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let opening = br#"{"access_token":""#;
        let others = [&self.refresh_token, &self.id_token].into_iter().flatten().map(String::len).sum::<usize>();
        let mut json = Vec::with_capacity(opening.len() + self.access_token.len() + others + USUAL_REST);
        json.extend_from_slice(opening);
        json.extend_from_slice(self.access_token.as_bytes());
        json.push(b'"');
        let brace = json.len();
        serde_json::to_writer(&mut json, self)?;
        // There is always a `token_type` after it.
        if let Some(brace) = json.get_mut(brace) {
            *brace = b',';
        }
        Ok(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn rfc6749_5_1_the_response_as_it_is_written() {
        let response = TokenResponse {
            access_token: "gr_at_a-_.b".to_owned(),
            token_type: "Bearer",
            expires_in: Seconds::new(60),
            scope: Scope::parse("a b").unwrap(),
            authorization_details: AuthorizationDetails::default(),
            refresh_token: None,
            id_token: None,
        };
        let written: Value = serde_json::from_slice(&response.to_json().unwrap()).unwrap();
        let expected = json!({"access_token": "gr_at_a-_.b", "token_type": "Bearer", "expires_in": 60, "scope": "a b"});
        assert_eq!(written, expected);
    }
}
