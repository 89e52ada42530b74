//! The token response (RFC 6749 5): pure.

use crate::error::{Error, Refused};
use grantor_jose::parse_object;
use grantor_protocol::value::{Scope, Seconds, Secret, UnixTime};
use serde_json::{Map, Value};

/// How a token is sent (`token_type`, RFC 6749 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenType {
    /// Whoever has it may use it (RFC 6750).
    Bearer,
    /// With a proof of its key (RFC 9449).
    Dpop,
}

/// What a token request gave. Debug shows neither token.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For APIs. What is in it is theirs to read alone.
    pub access_token: Secret,
    /// How it is sent.
    pub token_type: TokenType,
    /// When it was obtained.
    pub obtained: UnixTime,
    /// When it ends; nothing when the server does not say.
    pub expires: Option<UnixTime>,
    /// For more of them.
    pub refresh_token: Option<Secret>,
    /// What was granted, when it differs from what was asked.
    pub scope: Option<Scope>,
    /// Who signed in. A claim until it was checked.
    pub(crate) id_token: Option<Secret>,
}

/// Why a token response cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    /// Not a JSON object, or one that repeats a member.
    #[error("it is no JSON object")]
    Syntax,
    /// A member that is missing or is not of its type.
    #[error("{0} is missing or not what it must be")]
    Member(&'static str),
    /// RFC 6749 7.1, RFC 9449 5: a token of another type must not be used.
    #[error("the token is of the type {found:?}, and one of the type {asked} was asked for")]
    Type {
        /// Which was asked for.
        asked: &'static str,
        /// Which came.
        found: String,
    },
    /// `openid` was asked for and no ID token came (OpenID Connect Core 3.1.3.3).
    #[error("`openid` was asked for and granted, and no ID token came")]
    NoIdToken,
}

impl TokenType {
    /// As it is written in `token_type` and in `Authorization`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// RFC 6749 5.1: without regard to case.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        [Self::Bearer, Self::Dpop].into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(raw))
    }
}

impl Tokens {
    /// Reads a token response. `asked` is the type that the request was for; `now` is when it was sent, so that a slow
    /// answer makes the token end early and not late.
    pub(crate) fn parse(body: &[u8], asked: TokenType, now: UnixTime) -> Result<Self, TokenProblem> {
        let members = parse_object(body).ok_or(TokenProblem::Syntax)?;
        let found = required(&members, "token_type")?;
        // RFC 6749 7.1: a type that is not understood must not be used; RFC 9449 5: Bearer is not what was asked for.
        if TokenType::parse(found) != Some(asked) {
            let found = crate::error::printable(found);
            return Err(TokenProblem::Type { asked: asked.as_str(), found });
        }
        let access_token = required(&members, "access_token")?;
        // RFC 6749 A.12: it goes into a header.
        if access_token.is_empty() || !access_token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(TokenProblem::Member("access_token"));
        }
        let lives = match members.get("expires_in") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let seconds = value.as_u64().ok_or(TokenProblem::Member("expires_in"))?;
                Some(Seconds::new(u32::try_from(seconds).unwrap_or(u32::MAX)))
            }
        };
        let scope = optional(&members, "scope")?.map(|raw| Scope::parse(raw).ok_or(TokenProblem::Member("scope")));
        let secret = |name| Ok(optional(&members, name)?.map(|text| Secret::new(text.to_owned())));
        Ok(Self {
            access_token: Secret::new(access_token.to_owned()),
            token_type: asked,
            obtained: now,
            expires: lives.map(|lives| now.plus(lives)),
            refresh_token: secret("refresh_token")?,
            scope: scope.transpose()?,
            id_token: secret("id_token")?,
        })
    }

    /// Whether it is still good, with so much to spare. For one that lives less than twice the margin, half of its life is
    /// the margin: it must not be renewed with every use.
    pub fn is_fresh(&self, now: UnixTime, margin: Seconds) -> bool {
        let Some(expires) = self.expires else { return true };
        let margin = margin.get().min(expires.remaining(self.obtained).get() / 2);
        now.plus(Seconds::new(margin)) < expires && now.plus(Seconds::new(1)) > self.obtained
    }
}

/// An error response (RFC 6749 5.2), or what stands in its place.
pub(crate) fn refused(answer: &crate::http::Answer) -> Error {
    let members = parse_object(&answer.body).unwrap_or_default();
    match members.get("error").and_then(Value::as_str) {
        Some(code) => Refused::new(code, members.get("error_description").and_then(Value::as_str)).into(),
        None => answer.wrong("and no error of OAuth"),
    }
}

pub(crate) fn required<'a>(members: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, TokenProblem> {
    members.get(name).and_then(Value::as_str).ok_or(TokenProblem::Member(name))
}

pub(crate) fn optional<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, TokenProblem> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(TokenProblem::Member(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: UnixTime = UnixTime::new(1_000);

    fn parse(body: &Value, asked: TokenType) -> Result<Tokens, TokenProblem> {
        Tokens::parse(body.to_string().as_bytes(), asked, NOW)
    }

    #[test]
    fn rfc6749_5_1_a_response_is_read() {
        let body = json!({"access_token":"the-at","token_type":"bearer","expires_in":600,"refresh_token":"the-rt","scope":"b a"});
        let tokens = parse(&body, TokenType::Bearer).unwrap();
        assert_eq!((tokens.access_token.expose(), tokens.expires), ("the-at", Some(UnixTime::new(1_600))));
        assert_eq!(tokens.refresh_token.as_ref().unwrap().expose(), "the-rt");
        assert_eq!(tokens.scope.as_ref().unwrap().to_string(), "a b");
        assert!(!format!("{tokens:?}").contains("the-at") && !format!("{tokens:?}").contains("the-rt"));
    }

    #[test]
    fn rfc6749_7_1_a_token_of_another_type_is_not_used() {
        for (found, asked) in [
            ("Bearer", TokenType::Dpop),
            ("DPoP", TokenType::Bearer),
            ("mac", TokenType::Bearer),
            ("N_A", TokenType::Bearer),
        ] {
            let refused = parse(&json!({ "access_token": "a", "token_type": found }), asked).unwrap_err();
            assert!(matches!(refused, TokenProblem::Type { .. }), "{found}");
        }
        assert!(parse(&json!({ "access_token": "a", "token_type": "dpop" }), TokenType::Dpop).is_ok());
    }

    #[test]
    fn rfc6749_5_1_every_member_is_of_its_type() {
        for (name, bad) in [
            ("access_token", json!("")),
            ("access_token", json!("a b")),
            ("access_token", json!(1)),
            ("access_token", json!("a\r\nx: y")),
            ("token_type", json!(null)),
            ("expires_in", json!("600")),
            ("expires_in", json!(-1)),
            ("expires_in", json!(1.5)),
            ("refresh_token", json!(1)),
            ("scope", json!(["a"])),
            ("scope", json!("a\"b")),
            ("id_token", json!({})),
        ] {
            let mut body = json!({ "access_token": "a", "token_type": "Bearer" });
            body[name] = bad.clone();
            assert_eq!(parse(&body, TokenType::Bearer).unwrap_err(), TokenProblem::Member(name), "{bad}");
        }
        assert_eq!(Tokens::parse(b"[]", TokenType::Bearer, NOW).unwrap_err(), TokenProblem::Syntax);
    }

    #[test]
    fn a_token_is_renewed_before_its_end_and_not_with_every_use() {
        let lives = |seconds: u32| {
            parse(&json!({"access_token":"a","token_type":"Bearer","expires_in":seconds}), TokenType::Bearer).unwrap()
        };
        let at = |seconds: i64| UnixTime::new(1_000 + seconds);
        let margin = Seconds::new(60);
        assert!(lives(600).is_fresh(at(539), margin) && !lives(600).is_fresh(at(540), margin));
        assert!(lives(60).is_fresh(at(29), margin) && !lives(60).is_fresh(at(30), margin));
        assert!(!lives(0).is_fresh(at(0), margin));
        // A clock that was set back says nothing about how long it lives.
        assert!(!lives(600).is_fresh(at(-10), margin));
        let forever = parse(&json!({ "access_token": "a", "token_type": "Bearer" }), TokenType::Bearer).unwrap();
        assert!(forever.is_fresh(at(1_000_000), margin));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = Tokens::parse(&bytes, TokenType::Bearer, NOW);
        }
    }
}
