//! Access tokens: one content, whether it travels as a JWT (RFC 9068) or sealed.

use super::Binding;
use crate::authorization_details::AuthorizationDetails;
use crate::session::Authentication;
use crate::status_list::{self, StatusReference};
use crate::value::{ClientId, GrantId, Issuer, Resource, Scope, TokenId, UnixTime};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What an access token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// `iss`.
    pub issuer: Issuer,
    /// `jti`; sorts by time.
    pub id: TokenId,
    /// `sub` and `idtyp`.
    pub subject: TokenSubject,
    /// `act`: who acts in the subject's name, as the client sees him (RFC 8693 4.1).
    pub actor: Option<String>,
    /// `client_id`: to whom it was issued.
    pub client: ClientId,
    /// `aud`: where it may be used.
    pub audience: Vec<Resource>,
    /// `scope`: for what.
    pub scope: Scope,
    /// `roles` (RFC 9068 2.2.3.1).
    pub roles: Vec<String>,
    /// `iat`.
    pub issued: UnixTime,
    /// `exp`.
    pub expires: UnixTime,
    /// `grant_id`: the grant that it came from; none when an application acts for itself.
    pub grant: Option<GrantId>,
    /// `auth_time`, `acr`, `amr` (RFC 9068 2.2.1); of users only.
    pub authentication: Option<Authentication>,
    /// `authorization_details` (RFC 9396 9.1).
    pub details: AuthorizationDetails,
    /// `cnf`: the key that its bearer must prove.
    pub binding: Binding,
    /// `status`: where it is said whether it was taken back (Token Status List 6.2).
    pub status: Option<StatusReference>,
}

/// On whose behalf. `idtyp` says which: `user` or `app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSubject {
    /// A user, as the client sees him (OpenID Connect Core 8).
    User(String),
    /// The application itself: `sub` is its `client_id` (RFC 9068 2.2).
    Application,
}

/// The claims of an access token, each under its name.
#[derive(Serialize)]
pub struct Claims<'a> {
    iss: &'a Issuer,
    sub: &'a str,
    idtyp: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    act: Option<Actor<'a>>,
    aud: Audience<'a>,
    client_id: &'a ClientId,
    iat: UnixTime,
    exp: UnixTime,
    jti: TokenId,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a Scope>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    roles: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<GrantId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<UnixTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amr: Option<&'a [String]>,
    #[serde(skip_serializing_if = "no_details")]
    authorization_details: Cow<'a, AuthorizationDetails>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<status_list::Claim<'a>>,
}

fn no_details(details: &AuthorizationDetails) -> bool {
    details.is_empty()
}

/// Who acts (RFC 8693 4.1).
#[derive(Serialize)]
struct Actor<'a> {
    sub: &'a str,
}

/// One audience stands without a list (RFC 7519 4.1.3).
#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a Resource),
    Several(&'a [Resource]),
}

impl AccessToken {
    /// `typ` of the JWT (RFC 9068 2.1): what keeps it apart from an ID token.
    pub const TYP: &'static str = "at+jwt";

    /// `sub`.
    pub fn sub(&self) -> &str {
        match &self.subject {
            TokenSubject::User(sub) => sub,
            TokenSubject::Application => self.client.as_str(),
        }
    }

    /// The claims (RFC 9068 2.2), for whoever looks into them; to write them, serialize [`Self::written`].
    pub fn claims(&self) -> Map<String, Value> {
        match serde_json::to_value(self.written()) {
            Ok(Value::Object(claims)) => claims,
            _ => Map::new(),
        }
    }

    /// The claims (RFC 9068 2.2) as they are written.
    pub fn written(&self) -> Claims<'_> {
        self.written_with(Cow::Borrowed(&self.details))
    }

    /// The same with other authorization details.
    pub(crate) fn written_with<'a>(&'a self, details: Cow<'a, AuthorizationDetails>) -> Claims<'a> {
        Claims {
            iss: &self.issuer,
            sub: self.sub(),
            idtyp: if self.subject == TokenSubject::Application { "app" } else { "user" },
            act: self.actor.as_deref().map(|sub| Actor { sub }),
            aud: match self.audience.as_slice() {
                [only] => Audience::One(only),
                several => Audience::Several(several),
            },
            client_id: &self.client,
            iat: self.issued,
            exp: self.expires,
            jti: self.id,
            scope: (!self.scope.is_empty()).then_some(&self.scope),
            roles: &self.roles,
            grant_id: self.grant,
            auth_time: self.authentication.as_ref().map(|authentication| authentication.time),
            acr: self.authentication.as_ref().map(|authentication| authentication.acr.as_str()),
            amr: self.authentication.as_ref().map(|authentication| authentication.amr.as_slice()),
            authorization_details: details,
            cnf: self.binding.confirmation(),
            status: self.status.as_ref().map(StatusReference::claim),
        }
    }

    /// Reads what [`Self::claims`] wrote, after its seal or signature was verified.
    pub fn from_claims(claims: &Map<String, Value>) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UnixTime::new);
        let texts = |name: &str| -> Option<Vec<String>> {
            match claims.get(name) {
                None => Some(Vec::new()),
                Some(Value::String(one)) => Some(vec![one.clone()]),
                Some(Value::Array(many)) => many.iter().map(|value| value.as_str().map(str::to_owned)).collect(),
                Some(_) => None,
            }
        };
        let authentication = match time("auth_time") {
            Some(time) => Some(Authentication { time, acr: text("acr")?.to_owned(), amr: texts("amr")? }),
            None => None,
        };
        let grant = match text("grant_id") {
            Some(raw) => Some(GrantId::parse(raw)?),
            None => None,
        };
        let actor = match claims.get("act") {
            Some(actor) => Some(actor.get("sub")?.as_str()?.to_owned()),
            None => None,
        };
        let audience: Vec<_> = texts("aud")?.iter().map(|raw| Resource::parse(raw)).collect::<Option<_>>()?;
        Some(Self {
            issuer: Issuer::parse(text("iss")?)?,
            id: TokenId::parse(text("jti")?)?,
            subject: match text("idtyp")? {
                "user" => TokenSubject::User(text("sub")?.to_owned()),
                "app" => TokenSubject::Application,
                _ => return None,
            },
            actor,
            client: ClientId::parse(text("client_id")?)?,
            audience: (!audience.is_empty()).then_some(audience)?,
            scope: Scope::parse(text("scope").unwrap_or_default())?,
            roles: texts("roles")?,
            issued: time("iat")?,
            expires: time("exp")?,
            grant,
            authentication,
            details: match claims.get("authorization_details") {
                Some(details) => serde_json::from_value(details.clone()).ok()?,
                None => AuthorizationDetails::default(),
            },
            binding: Binding::from_claims(claims)?,
            status: StatusReference::from_claims(claims).ok()?,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn token() -> AccessToken {
        AccessToken {
            issuer: Issuer::parse("https://id.example").unwrap(),
            id: TokenId::new(5_000, [1; 10]),
            subject: TokenSubject::User("u1".into()),
            actor: None,
            client: ClientId::parse("web").unwrap(),
            audience: vec![Resource::parse("https://api").unwrap()],
            scope: Scope::parse("read write").unwrap(),
            roles: vec!["editor".into()],
            issued: UnixTime::new(5),
            expires: UnixTime::new(605),
            grant: Some(GrantId::new(4_000, [2; 10])),
            authentication: Some(Authentication { time: UnixTime::new(4), acr: "1".into(), amr: vec!["pwd".into()] }),
            details: AuthorizationDetails::default(),
            binding: Binding::Bearer,
            status: Some(StatusReference { uri: "https://id.example/status-lists/ES256/1".into(), index: 7 }),
        }
    }

    #[test]
    fn rfc9068_2_2_the_claims() {
        let claims = token().claims();
        for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "roles", "auth_time", "acr", "amr"]
        {
            assert!(claims.contains_key(name), "{name}");
        }
        assert_eq!(claims["aud"], "https://api");
        assert_eq!(claims["scope"], "read write");
        assert_eq!(AccessToken::from_claims(&claims), Some(token()));
    }

    #[test]
    fn rfc9068_2_2_the_subject_of_an_application_is_its_client_id() {
        let own = AccessToken {
            subject: TokenSubject::Application,
            grant: None,
            authentication: None,
            roles: vec![],
            ..token()
        };
        let claims = own.claims();
        assert_eq!(claims["sub"], "web");
        assert_eq!(claims["idtyp"], "app");
        assert_eq!(AccessToken::from_claims(&claims), Some(own));
    }

    #[test]
    fn rfc8693_4_1_who_acts_stands_in_a_claim_of_its_own() {
        let derived = AccessToken { actor: Some("u2".into()), ..token() };
        let mut claims = derived.claims();
        assert_eq!((&claims["sub"], &claims["act"]), (&json!("u1"), &json!({"sub": "u2"})));
        assert_eq!(AccessToken::from_claims(&claims), Some(derived));
        assert!(!token().claims().contains_key("act"));
        for malformed in [json!({}), json!("u2"), json!({"sub": 2})] {
            claims.insert("act".to_owned(), malformed);
            assert_eq!(AccessToken::from_claims(&claims), None);
        }
    }

    #[test]
    fn a_claim_that_is_missing_or_malformed_makes_no_token() {
        for name in ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "idtyp"] {
            let mut claims = token().claims();
            claims.remove(name);
            assert_eq!(AccessToken::from_claims(&claims), None, "{name}");
            claims.insert(name.to_owned(), json!({}));
            assert_eq!(AccessToken::from_claims(&claims), None, "{name}");
        }
    }
}
