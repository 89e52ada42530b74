//! What an access token says, once it was checked.

use crate::Refusal;
use grantor_protocol::token::Binding;
use grantor_protocol::value::{Scope, UnixTime};
use serde_json::{Map, Value};
use std::fmt;
use std::sync::Arc;

/// The claims of an access token that holds: of this issuer, for this API, within its time, and sent by whom it is bound
/// to. There is no other way to get one than to have a request checked. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Verified(Arc<Content>);

#[derive(PartialEq, Eq)]
struct Content {
    claims: Map<String, Value>,
    scope: Scope,
    expires: UnixTime,
    binding: Binding,
}

/// Claims that only need a look at the clock and at who is meant.
pub(crate) struct Read(Content);

impl Verified {
    /// `iss`: who issued it.
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// `sub`: on whose behalf the request is made, in the issuer's name space. Where a client acts for itself it is the
    /// client (RFC 9068 2.2).
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// `client_id`: the client that the token was issued to (RFC 8693 4.3).
    pub fn client_id(&self) -> &str {
        self.text("client_id").unwrap_or_default()
    }

    /// `jti`: the token's own identifier. An introspected token may have none.
    pub fn id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// `aud`: every audience; yours is among them.
    pub fn audience(&self) -> impl Iterator<Item = &str> {
        texts(self.claim("aud"))
    }

    /// `scope`: what the token allows.
    pub fn scope(&self) -> &Scope {
        &self.0.scope
    }

    /// Whether `scope` has this scope-token.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.0.scope.contains(scope)
    }

    /// `roles` (RFC 9068 2.2.3.1).
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        texts(self.claim("roles"))
    }

    /// Whether `roles` has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|held| held == role)
    }

    /// `acr`: how the user signed in (RFC 9068 2.2.1); none where no user did.
    pub fn acr(&self) -> Option<&str> {
        self.text("acr")
    }

    /// `amr`: by what means the user signed in (RFC 8176).
    pub fn amr(&self) -> impl Iterator<Item = &str> {
        texts(self.claim("amr"))
    }

    /// `auth_time`: when the user signed in (RFC 9068 2.2.1).
    pub fn auth_time(&self) -> Option<UnixTime> {
        numeric_date(self.claim("auth_time")?)
    }

    /// `iat`: when the token was issued. An introspected token may not say.
    pub fn issued(&self) -> Option<UnixTime> {
        numeric_date(self.claim("iat")?)
    }

    /// `exp`: from when on the token is worth nothing. An introspected one that does not say ends at
    /// [`UnixTime::FOREVER`]: the issuer is asked again before long.
    pub fn expires(&self) -> UnixTime {
        self.0.expires
    }

    /// `cnf`: what the sender had to prove, and did (RFC 7800 3.1).
    pub fn binding(&self) -> &Binding {
        &self.0.binding
    }

    /// `authorization_details` (RFC 9396 9.1): a list of objects, each with a `type`; empty where there are none.
    pub fn authorization_details(&self) -> &[Value] {
        self.claim("authorization_details").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Any claim.
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.0.claims.get(name)
    }

    /// Every claim, as it came.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claim(name).and_then(Value::as_str)
    }
}

impl fmt::Debug for Verified {
    /// Who, for what and until when: enough for a log, without what else is said of a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verified")
            .field("sub", &self.subject())
            .field("client_id", &self.client_id())
            .field("scope", &self.0.scope.to_string())
            .field("exp", &self.0.expires)
            .finish_non_exhaustive()
    }
}

/// What claims must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// RFC 9068 2.2: all of them.
    Jwt,
    /// RFC 7662 2.2 leaves nearly all of them to the server; `iss` may be told by whom the answer came from.
    Introspection,
}

/// For whom a token must be, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audience: &'a str,
    pub(crate) leeway: grantor_protocol::value::Seconds,
    pub(crate) now: UnixTime,
}

impl Read {
    /// Reads claims, each of them of its type.
    pub(crate) fn parse(claims: Map<String, Value>, from: From) -> Result<Self, Refusal> {
        let required: &[&'static str] = match from {
            From::Jwt => &["iss", "aud", "exp", "sub", "client_id", "iat", "jti"],
            From::Introspection => &["aud", "sub", "client_id"],
        };
        if let Some(missing) = required.iter().find(|name| !claims.contains_key(**name)) {
            return Err(Refusal::MissingClaim(missing));
        }
        for name in ["iss", "sub", "client_id", "jti", "acr"] {
            if claims.get(name).is_some_and(|value| value.as_str().is_none_or(str::is_empty)) {
                return Err(Refusal::MalformedClaim(name));
            }
        }
        for name in ["exp", "iat", "nbf", "auth_time"] {
            if claims.get(name).is_some_and(|value| numeric_date(value).is_none()) {
                return Err(Refusal::MalformedClaim(name));
            }
        }
        for name in ["aud", "roles", "amr"] {
            if claims.get(name).is_some_and(|value| !is_texts(value)) {
                return Err(Refusal::MalformedClaim(name));
            }
        }
        if claims.get("authorization_details").is_some_and(|details| !details.is_array()) {
            return Err(Refusal::MalformedClaim("authorization_details"));
        }
        let scope = match claims.get("scope") {
            None => Scope::default(),
            Some(scope) => scope.as_str().and_then(Scope::parse).ok_or(Refusal::MalformedClaim("scope"))?,
        };
        // A confirmation that is not understood must not pass for none (RFC 7800 3.1).
        let binding = Binding::from_claims(&claims).ok_or(Refusal::MalformedClaim("cnf"))?;
        let expires = claims.get("exp").and_then(numeric_date).unwrap_or(UnixTime::FOREVER);
        Ok(Self(Content { claims, scope, expires, binding }))
    }

    /// RFC 9068 4, RFC 7519 4.1, RFC 8725 3.8 and 3.9: whether it is from whom and for whom it must be, now.
    pub(crate) fn check(self, wanted: &Wanted<'_>) -> Result<Verified, Refusal> {
        let Content { claims, expires, .. } = &self.0;
        // Compared as it is written (RFC 8414 3.3).
        if claims.get("iss").is_some_and(|issuer| issuer != wanted.issuer) {
            return Err(Refusal::OtherIssuer);
        }
        if !texts(claims.get("aud")).any(|audience| audience == wanted.audience) {
            return Err(Refusal::OtherAudience);
        }
        let (past, future) = (wanted.now.minus(wanted.leeway), wanted.now.plus(wanted.leeway));
        if *expires <= past {
            return Err(Refusal::Expired);
        }
        let time = |name: &str| claims.get(name).and_then(numeric_date);
        if time("nbf").is_some_and(|begins| begins > future) {
            return Err(Refusal::NotYetValid);
        }
        if time("iat").is_some_and(|issued| issued > future) {
            return Err(Refusal::IssuedInTheFuture);
        }
        Ok(Verified(Arc::new(self.0)))
    }
}

/// RFC 7519 2: seconds, with a fraction perhaps, which does not count here.
fn numeric_date(value: &Value) -> Option<UnixTime> {
    if let Some(seconds) = value.as_i64() {
        return Some(UnixTime::new(seconds));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` rounds towards zero and saturates, both of which are meant"
    )]
    value.as_f64().map(|seconds| UnixTime::new(seconds as i64))
}

/// One text, or a list of them (RFC 7519 4.1.3).
fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let one = value.and_then(Value::as_str);
    let many = value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many)
}

fn is_texts(value: &Value) -> bool {
    value.is_string() || value.as_array().is_some_and(|many| many.iter().all(Value::is_string))
}
