//! What the server tells about the user (OpenID Connect Core 5.3).

use crate::error::{Error, Result};
use crate::http;
use crate::id_token::IdTokenProblem;
use crate::provider::Endpoint;
use crate::source::TokenSource;
use grantor_jose::parse_object;
use serde_json::{Map, Value};

impl TokenSource {
    /// The claims of the userinfo endpoint about whoever signed in. That they are about somebody else is an error
    /// (OpenID Connect Core 5.3.2).
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] when the server has no such endpoint, or answers in another form than JSON; [`Error::SignInAgain`]
    /// when nobody signed in with `openid`.
    pub async fn userinfo(&self) -> Result<Map<String, Value>> {
        let grant = self.grant().await?;
        let nobody = || Error::SignInAgain("nobody signed in with the scope openid".to_owned());
        let subject = grant.identity.as_ref().ok_or_else(nobody)?.subject();
        let url = self.client().provider().endpoint(Endpoint::Userinfo)?;
        let response = self.send(self.client().http().reqwest().get(url.clone())).await?;
        let answer = http::read(response, url).await?;
        if answer.status != 200 {
            return Err(answer.wrong("and no claims"));
        }
        let claims = parse_object(&answer.body).ok_or(Error::Unsupported("userinfo as JSON"))?;
        about(subject, claims)
    }
}

fn about(subject: &str, claims: Map<String, Value>) -> Result<Map<String, Value>> {
    match claims.get("sub").and_then(Value::as_str) {
        Some(sub) if sub == subject => Ok(claims),
        _ => Err(IdTokenProblem::AnotherUser.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn oidc_core_5_3_2_claims_about_somebody_else_are_refused() {
        let claims = |sub: Value| Map::from_iter([("sub".to_owned(), sub)]);
        assert!(about("alice", claims(json!("alice"))).is_ok());
        for bad in [json!("bob"), json!(null), json!(["alice"])] {
            let refused = about("alice", claims(bad)).unwrap_err();
            assert!(matches!(refused, Error::IdToken(IdTokenProblem::AnotherUser)), "{refused}");
        }
        assert!(about("alice", Map::new()).is_err());
    }
}
