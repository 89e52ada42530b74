//! What an item is, once it is opened. The kinds are many in time, and each says which it is.

use super::saved::Saved;
use crate::desk::{Collection, Environment};
use crate::value::{GrantId, Secret, Subject, UnixTime};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// So many uses of a shared token are remembered with it, the youngest; the audit log has them all.
const MOST_USES: usize = 50;

/// What lies in a workspace, by its `kind`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// A token with its name.
    Token(Box<KeptToken>),
    /// Saved requests in folders.
    Collection(Box<Saved<Collection>>),
    /// Variables that fill requests.
    Environment(Box<Saved<Environment>>),
}

/// A token with its name, and what goes with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeptToken {
    /// For people.
    pub name: String,
    /// Who issued it, as far as it says so.
    pub issuer: String,
    /// To which client, as far as it says so; empty when it does not.
    pub client: String,
    /// What the client proves itself with when the token is renewed.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_some")]
    pub client_secret: Option<Secret>,
    /// The access token.
    #[serde(serialize_with = "exposed")]
    pub access_token: Secret,
    /// The refresh token.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_some")]
    pub refresh_token: Option<Secret>,
    /// The ID token.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "exposed_some")]
    pub id_token: Option<Secret>,
    /// `sub`, as far as it says so; empty when it does not.
    pub user: String,
    /// `scope`, as far as it says so.
    pub scope: String,
    /// When it was issued, or put here.
    pub issued: UnixTime,
    /// When it ends; none when nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<UnixTime>,
    /// Which settings of saved requests obtained it, as [`Ask::fingerprint`](crate::desk::Ask::fingerprint) says; none for what
    /// was put here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<String>,
    /// Whether other members may have tokens that are derived from it: off unless its owner switches it on.
    #[serde(default)]
    pub shared: bool,
    /// The grant behind what each member derived.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<Subject, GrantId>,
    /// Who used it, when, and for what; the youngest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<Use>,
}

/// One derived token that a member was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// Who.
    pub by: Subject,
    /// When.
    pub at: UnixTime,
    /// For which scopes.
    pub scope: String,
}

impl Content {
    /// The token, if it is one.
    pub fn into_token(self) -> Option<KeptToken> {
        match self {
            Self::Token(token) => Some(*token),
            Self::Collection(_) | Self::Environment(_) => None,
        }
    }
}

impl KeptToken {
    /// Whether it is over; what says nothing of its end may still be good.
    pub fn is_over(&self, now: UnixTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Remembers a use, and forgets the oldest when they are too many.
    pub fn note_use(&mut self, by: Subject, at: UnixTime, scope: String) {
        self.uses.push(Use { by, at, scope });
        let too_many = self.uses.len().saturating_sub(MOST_USES);
        self.uses.drain(..too_many);
    }
}

/// The document is sealed before it is stored: only there does a secret go out.
fn exposed<S: Serializer>(secret: &Secret, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose())
}

#[expect(clippy::ref_option, reason = "serde passes a reference")]
fn exposed_some<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn kept() -> KeptToken {
        KeptToken {
            name: "Notes".into(),
            issuer: "https://id.example".into(),
            client: "web".into(),
            client_secret: None,
            access_token: Secret::new("at-1".into()),
            refresh_token: Some(Secret::new("rt-1".into())),
            id_token: None,
            user: "u1".into(),
            scope: "read".into(),
            issued: UnixTime::new(1),
            expires: Some(UnixTime::new(601)),
            settings: None,
            shared: false,
            shares: BTreeMap::new(),
            uses: Vec::new(),
        }
    }

    #[test]
    fn a_document_says_its_kind_and_comes_back_whole() {
        let text = serde_json::to_string(&Content::Token(Box::new(kept()))).unwrap();
        assert!(text.starts_with(r#"{"kind":"token","name":"Notes""#), "{text}");
        let back: Content = serde_json::from_str(&text).unwrap();
        let token = back.into_token().unwrap();
        assert!(token.access_token.matches(&Secret::new("at-1".into())));
        assert!(token.refresh_token.is_some_and(|token| token.expose() == "rt-1"));
        assert!(!token.shared, "off unless switched on");
        assert!(serde_json::from_str::<Content>(r#"{"kind":"unheard-of"}"#).is_err());
    }

    #[test]
    fn a_token_is_never_printed() {
        let printed = format!("{:?}", Content::Token(Box::new(kept())));
        assert!(!printed.contains("at-1") && !printed.contains("rt-1"), "{printed}");
    }

    #[test]
    fn the_youngest_uses_are_remembered() {
        let mut token = kept();
        for second in 0..60 {
            token.note_use(Subject::parse("bob").unwrap(), UnixTime::new(second), "read".into());
        }
        assert_eq!((token.uses.len(), token.uses[0].at, token.uses[49].at), (50, UnixTime::new(10), UnixTime::new(59)));
    }
}
