//! ID tokens (OpenID Connect Core 2, 3.1.3.6).

use crate::directory::UserClaims;
use crate::grant::NewGrant;
use crate::value::{ClientId, Issuer, Seconds, UnixTime};
use grantor_jose::{SigningAlgorithm, digest};
use serde_json::{Map, Value, json};

/// `typ` of an ID token's header: what keeps it apart from an access token.
pub const TYP: &str = "JWT";

/// What an ID token says, and of what.
#[derive(Clone, Copy, Debug)]
pub struct IdToken<'a> {
    /// `iss`.
    pub issuer: &'a Issuer,
    /// Whence `aud`, `auth_time`, `acr`, `amr`, `nonce` and `sid`.
    pub grant: &'a NewGrant,
    /// `sub`, as the client sees the user.
    pub sub: &'a str,
    /// What `at_hash` is made of.
    pub access_token: &'a str,
    /// What it will be signed with; `at_hash` depends on it.
    pub algorithm: SigningAlgorithm,
    /// Whether it comes with the first tokens of its grant: later ones repeat no nonce (12.2).
    pub first: bool,
    /// `iat`.
    pub issued: UnixTime,
    /// How long after that `exp` is.
    pub lifetime: Seconds,
}

impl IdToken<'_> {
    /// The claims. Of the user only those that the request asked for here by name (5.5); what scopes ask for is found at
    /// the userinfo endpoint (5.4).
    pub fn claims(&self, user: &UserClaims) -> Map<String, Value> {
        let mut claims = user.to_map();
        claims.retain(|name, _| self.grant.claims.id_token.contains_key(name));
        let mut put = |name: &str, value: Value| {
            claims.insert(name.to_owned(), value);
        };
        put("iss", json!(self.issuer));
        put("sub", json!(self.sub));
        put("aud", json!(self.grant.client));
        put("iat", json!(self.issued));
        put("exp", json!(self.issued.plus(self.lifetime)));
        put("auth_time", json!(self.grant.authentication.time));
        put("acr", json!(self.grant.authentication.acr));
        put("amr", json!(self.grant.authentication.amr));
        put("at_hash", json!(digest::left_half(self.algorithm, self.access_token)));
        if let Some(nonce) = self.grant.nonce.as_ref().filter(|_| self.first) {
            put("nonce", json!(nonce));
        }
        if let Some(sid) = &self.grant.sid {
            put("sid", json!(sid));
        }
        claims
    }
}

/// What a verified `id_token_hint` tells (3.1.2.1; RP-Initiated Logout 2): its signature, issuer and `typ` were checked,
/// its expiry does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The user, as the client sees him.
    pub sub: String,
    /// The client that it was issued to.
    pub client: ClientId,
    /// The session in which it was issued.
    pub sid: Option<String>,
}

impl Hint {
    /// Reads the claims of an ID token of this issuer.
    pub fn from_claims(claims: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        (text("iss")? == issuer.as_str()).then_some(())?;
        Some(Self {
            sub: text("sub")?.to_owned(),
            client: ClientId::parse(text("aud")?)?,
            sid: text("sid").map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::{Access, ClaimsRequest};
    use crate::session::Authentication;
    use crate::value::Subject;

    fn grant(claims: &str) -> NewGrant {
        NewGrant {
            client: ClientId::parse("web").unwrap(),
            subject: Subject::parse("u1").unwrap(),
            access: Access::default(),
            authentication: Authentication { time: UnixTime::new(90), acr: "a".into(), amr: vec!["pwd".into()] },
            sid: Some("sid".into()),
            nonce: Some("n".into()),
            claims: serde_json::from_str::<ClaimsRequest>(claims).unwrap(),
            narrowed: vec![],
            details: crate::authorization_details::AuthorizationDetails::default(),
            binding: crate::token::Binding::Bearer,
            refreshable: true,
            delegation: None,
            created: UnixTime::new(100),
            idle: Seconds::new(10),
            ends: UnixTime::new(200),
        }
    }

    fn claims(grant: &NewGrant) -> Map<String, Value> {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let token = IdToken {
            issuer: &issuer,
            grant,
            sub: "s1",
            access_token: "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
            algorithm: SigningAlgorithm::Rs256,
            first: true,
            issued: UnixTime::new(100),
            lifetime: Seconds::new(60),
        };
        let user = UserClaims { name: Some("Alice".into()), email: Some("a@b".into()), ..UserClaims::default() };
        token.claims(&user)
    }

    #[test]
    fn oidc_core_3_1_3_6_at_hash_is_the_left_half_of_the_hash() {
        assert_eq!(claims(&grant("{}"))["at_hash"], "77QmUPtjPfzWtF2AnpK9RQ");
    }

    #[test]
    fn oidc_core_2_the_claims_of_an_id_token() {
        let claims = claims(&grant("{}"));
        for (name, value) in [("iss", json!("https://id.example")), ("sub", json!("s1")), ("aud", json!("web"))] {
            assert_eq!(claims[name], value);
        }
        for (name, value) in [("iat", 100), ("exp", 160), ("auth_time", 90)] {
            assert_eq!(claims[name], value);
        }
        assert_eq!((&claims["nonce"], &claims["amr"]), (&json!("n"), &json!(["pwd"])));
        assert!(!claims.contains_key("name"));
    }

    #[test]
    fn oidc_core_5_5_a_claim_is_in_the_id_token_when_asked_for_there_by_name() {
        let claims = claims(&grant(r#"{"id_token":{"name":null}}"#));
        assert_eq!(claims["name"], "Alice");
        assert!(!claims.contains_key("email"));
    }

    #[test]
    fn oidc_core_3_1_2_1_a_hint_is_of_this_issuer() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let hint = Hint::from_claims(&claims(&grant("{}")), &issuer).unwrap();
        assert_eq!((hint.sub.as_str(), hint.client.as_str(), hint.sid.as_deref()), ("s1", "web", Some("sid")));
        assert_eq!(Hint::from_claims(&claims(&grant("{}")), &Issuer::parse("https://other").unwrap()), None);
    }
}
