//! What a program holds: tokens, who they are of, and the key that they are bound to.

use crate::dpop::DpopKey;
use crate::id_token::Identity;
use crate::token::{TokenType, Tokens};
use grantor_jose::{base64url, parse_object};
use grantor_protocol::value::{ClientId, Scope, Secret, UnixTime};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

/// What was granted to a program. Debug shows no token and no key.
#[derive(Clone, Debug)]
pub struct Grant {
    /// By whom.
    pub issuer: String,
    /// To whom.
    pub client: ClientId,
    /// The tokens.
    pub tokens: Tokens,
    /// Who signed in, when `openid` was asked for.
    pub identity: Option<Identity>,
    /// What the tokens are bound to.
    pub(crate) dpop: Option<DpopKey>,
}

impl Grant {
    /// What a refresh leaves out stays as it was: the refresh token (RFC 6749 6), the scope, and who it is.
    pub(crate) fn after(mut self, before: &Self) -> Self {
        self.tokens.refresh_token = self.tokens.refresh_token.or_else(|| before.tokens.refresh_token.clone());
        self.tokens.scope = self.tokens.scope.or_else(|| before.tokens.scope.clone());
        self.identity = self.identity.or_else(|| before.identity.clone());
        self
    }

    /// For a token store.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let tokens = &self.tokens;
        let record = json!({
            "issuer": self.issuer,
            "client_id": self.client,
            "access_token": tokens.access_token.expose(),
            "token_type": tokens.token_type.as_str(),
            "obtained": tokens.obtained,
            "expires": tokens.expires,
            "refresh_token": tokens.refresh_token.as_ref().map(Secret::expose),
            "scope": tokens.scope,
            "claims": self.identity.as_ref().map(Identity::claims),
            "dpop_key": self.dpop.as_ref().map(|key| base64url::encode(key.to_pkcs8())),
        });
        Zeroizing::new(record.to_string())
    }

    /// From a token store; nothing when that holds something else.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let members = parse_object(text.as_bytes())?;
        let tokens = Tokens {
            access_token: secret(&members, "access_token")?,
            token_type: TokenType::parse(members.get("token_type")?.as_str()?)?,
            obtained: UnixTime::new(members.get("obtained")?.as_i64()?),
            expires: members.get("expires").and_then(Value::as_i64).map(UnixTime::new),
            refresh_token: secret(&members, "refresh_token"),
            scope: members.get("scope").and_then(Value::as_str).and_then(Scope::parse),
            id_token: None,
        };
        let dpop = match secret(&members, "dpop_key") {
            None => None,
            Some(key) => Some(DpopKey::from_pkcs8(&Zeroizing::new(base64url::decode(key.expose())?))?),
        };
        // Without its key the token is worth nothing, and must not be sent as if it were another.
        if (tokens.token_type == TokenType::Dpop) != dpop.is_some() {
            return None;
        }
        Some(Self {
            issuer: members.get("issuer")?.as_str()?.to_owned(),
            client: ClientId::parse(members.get("client_id")?.as_str()?)?,
            tokens,
            identity: members
                .get("claims")
                .and_then(Value::as_object)
                .map(|claims| Identity { claims: claims.clone() }),
            dpop,
        })
    }
}

fn secret(members: &Map<String, Value>, name: &str) -> Option<Secret> {
    members.get(name).and_then(Value::as_str).map(|text| Secret::new(text.to_owned()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn grant(access_token: &str, dpop: bool) -> Grant {
        let kind = if dpop { TokenType::Dpop } else { TokenType::Bearer };
        let body = json!({
            "access_token": access_token, "token_type": kind.as_str(), "expires_in": 600, "refresh_token": "the-refresh-token",
            "scope": "a openid",
        });
        Grant {
            issuer: "https://id.example".to_owned(),
            client: ClientId::parse("app").unwrap(),
            tokens: Tokens::parse(body.to_string().as_bytes(), kind, UnixTime::new(1_000)).unwrap(),
            identity: Some(Identity { claims: Map::from_iter([("sub".to_owned(), json!("alice"))]) }),
            dpop: dpop.then(|| DpopKey::generate().unwrap()),
        }
    }

    #[test]
    fn a_grant_comes_back_from_its_store_as_it_was() {
        for dpop in [false, true] {
            let kept = grant("the-access-token", dpop);
            let again = Grant::from_text(&kept.to_text()).unwrap();
            assert_eq!(again.tokens.access_token.expose(), "the-access-token");
            assert_eq!(again.tokens.expires, kept.tokens.expires);
            assert_eq!((&again.tokens.scope, &again.identity), (&kept.tokens.scope, &kept.identity));
            assert_eq!(again.dpop.map(|key| key.thumbprint()), kept.dpop.map(|key| key.thumbprint()));
        }
    }

    #[test]
    fn rfc9449_5_a_bound_token_without_its_key_is_no_grant() {
        let text = grant("t", true).to_text();
        let mut members = parse_object(text.as_bytes()).unwrap();
        members.remove("dpop_key");
        assert!(Grant::from_text(&json!(members).to_string()).is_none());
        assert!(Grant::from_text("{}").is_none() && Grant::from_text("").is_none());
    }

    #[test]
    fn rfc6749_6_a_refresh_that_brings_no_refresh_token_leaves_the_old_one() {
        let (mut new, old) = (grant("new", false), grant("old", false));
        (new.tokens.refresh_token, new.identity) = (None, None);
        let renewed = new.after(&old);
        assert_eq!(renewed.tokens.refresh_token.unwrap().expose(), "the-refresh-token");
        assert_eq!((renewed.tokens.access_token.expose(), renewed.identity.unwrap().subject()), ("new", "alice"));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let printed = format!("{:?}", grant("the-access-token", true));
        assert!(!printed.contains("the-access-token") && !printed.contains("the-refresh-token"), "{printed}");
    }
}
