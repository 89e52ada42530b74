//! Userinfo (OpenID Connect Core 5.3): which claims of a user a client may see.

use crate::error::Refusal;
use crate::grant::ClaimsRequest;
use crate::token::AccessToken;
use crate::value::Issuer;
use serde_json::{Map, Value, json};

/// The claims that each scope asks for (5.4). The one list.
pub const CLAIMS_OF_SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// The scope that a claim of a user belongs to; none for a claim that tells of no user.
pub fn scope_of_claim(claim: &str) -> Option<&'static str> {
    CLAIMS_OF_SCOPES.iter().find(|(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope)
}

/// Whether this token opens the userinfo endpoint (5.3.1): it must be meant for this issuer and allow `openid`.
pub fn admit(token: &AccessToken, issuer: &Issuer) -> Result<(), Refusal> {
    if !token.audience.contains(&issuer.as_resource()) {
        return Err(Refusal::WrongAudience);
    }
    if token.scope.contains("openid") { Ok(()) } else { Err(Refusal::InsufficientScope) }
}

/// `sub`, and of all claims of the user those that the token's scopes ask for, and those that the request asked for by name (5.5).
pub fn claims(token: &AccessToken, user: &Map<String, Value>, requested: &ClaimsRequest) -> Map<String, Value> {
    let of_scopes =
        CLAIMS_OF_SCOPES.iter().filter(|(scope, _)| token.scope.contains(scope)).flat_map(|(_, names)| *names);
    let wanted = of_scopes.copied().chain(requested.userinfo.keys().map(String::as_str));
    let known = wanted.filter_map(|name| user.get_key_value(name));
    let mut claims: Map<String, Value> = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    claims.insert("sub".to_owned(), json!(token.sub()));
    claims
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::UserClaims;
    use crate::token::TokenSubject;
    use crate::value::{ClientId, Resource, Scope, TokenId, UnixTime};

    fn token(scope: &str, audience: &str) -> AccessToken {
        AccessToken {
            issuer: Issuer::parse("https://id.example").unwrap(),
            id: TokenId::new(1, [0; 10]),
            subject: TokenSubject::User("u1".into()),
            actor: None,
            client: ClientId::parse("web").unwrap(),
            audience: vec![Resource::parse(audience).unwrap()],
            scope: Scope::parse(scope).unwrap(),
            roles: vec![],
            issued: UnixTime::new(1),
            expires: UnixTime::new(2),
            grant: None,
            authentication: None,
            details: crate::authorization_details::AuthorizationDetails::default(),
            binding: crate::token::Binding::Bearer,
            status: None,
        }
    }

    fn user() -> Map<String, Value> {
        let claims = UserClaims {
            name: Some("Alice".into()),
            email: Some("a@b".into()),
            email_verified: Some(true),
            ..UserClaims::default()
        };
        claims.to_map()
    }

    #[test]
    fn oidc_core_5_4_scopes_ask_for_their_claims_and_no_more() {
        let claims = claims(&token("openid email", "https://id.example"), &user(), &ClaimsRequest::default());
        assert_eq!(claims.keys().collect::<Vec<_>>(), ["email", "email_verified", "sub"]);
    }

    #[test]
    fn oidc_core_5_5_single_claims_can_be_asked_for() {
        let requested: ClaimsRequest = serde_json::from_str(r#"{"userinfo":{"name":{"essential":true}}}"#).unwrap();
        let claims = claims(&token("openid", "https://id.example"), &user(), &requested);
        assert_eq!(claims.keys().collect::<Vec<_>>(), ["name", "sub"]);
    }

    #[test]
    fn oidc_core_5_3_a_token_for_another_audience_or_without_openid_is_refused() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        assert_eq!(admit(&token("openid", "https://id.example"), &issuer), Ok(()));
        assert_eq!(admit(&token("openid", "https://api"), &issuer), Err(Refusal::WrongAudience));
        assert_eq!(admit(&token("email", "https://id.example"), &issuer), Err(Refusal::InsufficientScope));
    }
}
