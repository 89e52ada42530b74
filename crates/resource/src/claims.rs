//! What claims must say: each of them is of its type, and together they are from whom and for whom they must be, now.

use crate::Refusal;
use grantor_jose::{Element, Object};
use grantor_protocol::status_list::StatusReference;
use grantor_protocol::token::Binding;
use grantor_protocol::value::{Scope, Seconds, UnixTime};
use serde_json::Map;

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
    pub(crate) leeway: Seconds,
    pub(crate) now: UnixTime,
}

/// Claims, each of its type.
#[derive(Default)]
pub(crate) struct Claims<'a> {
    issuer: Option<&'a str>,
    audience: Option<&'a Element<'a>>,
    begins: Option<UnixTime>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) client_id: Option<&'a str>,
    pub(crate) id: Option<&'a str>,
    pub(crate) acr: Option<&'a str>,
    roles: Option<&'a Element<'a>>,
    pub(crate) auth_time: Option<UnixTime>,
    pub(crate) issued: Option<UnixTime>,
    pub(crate) expires: Option<UnixTime>,
    pub(crate) scope: Scope,
    pub(crate) binding: Binding,
    pub(crate) status: Option<StatusReference>,
}

impl<'a> Claims<'a> {
    pub(crate) fn parse(members: &'a Object<'a>, from: From) -> Result<Self, Refusal> {
        let mut claims = Self::default();
        for (name, value) in members.iter() {
            match name {
                "iss" => claims.issuer = Some(text("iss", value)?),
                "sub" => claims.subject = Some(text("sub", value)?),
                "client_id" => claims.client_id = Some(text("client_id", value)?),
                "jti" => claims.id = Some(text("jti", value)?),
                "acr" => claims.acr = Some(text("acr", value)?),
                "exp" => claims.expires = Some(numeric_date("exp", value)?),
                "iat" => claims.issued = Some(numeric_date("iat", value)?),
                "nbf" => claims.begins = Some(numeric_date("nbf", value)?),
                "auth_time" => claims.auth_time = Some(numeric_date("auth_time", value)?),
                "aud" => claims.audience = Some(one_or_many("aud", value)?),
                "roles" => claims.roles = Some(one_or_many("roles", value)?),
                "amr" => {
                    one_or_many("amr", value)?;
                }
                "scope" => {
                    let scope = value.as_str().and_then(Scope::parse);
                    claims.scope = scope.ok_or(Refusal::MalformedClaim("scope"))?;
                }
                "authorization_details" if value.as_array().is_none() => {
                    return Err(Refusal::MalformedClaim("authorization_details"));
                }
                "cnf" => {
                    let confirmation = Map::from_iter([(name.to_owned(), value.to_value())]);
                    // A confirmation that is not understood must not pass for none (RFC 7800 3.1).
                    let binding = Binding::from_claims(&confirmation);
                    claims.binding = binding.ok_or(Refusal::MalformedClaim("cnf"))?;
                }
                // Who was asked about the token has looked himself.
                "status" if from == From::Jwt => {
                    let status = StatusReference::from_claims(&Map::from_iter([(name.to_owned(), value.to_value())]));
                    claims.status = status.map_err(|_| Refusal::MalformedClaim("status"))?;
                }
                _ => {}
            }
        }
        claims.lacks(from).map_or(Ok(claims), |missing| Err(Refusal::MissingClaim(missing)))
    }

    fn lacks(&self, from: From) -> Option<&'static str> {
        let always = [
            ("aud", self.audience.is_some()),
            ("sub", self.subject.is_some()),
            ("client_id", self.client_id.is_some()),
        ];
        let of_a_jwt = [
            ("iss", self.issuer.is_some()),
            ("exp", self.expires.is_some()),
            ("iat", self.issued.is_some()),
            ("jti", self.id.is_some()),
        ];
        let of_a_jwt = of_a_jwt.into_iter().filter(|_| from == From::Jwt);
        always.into_iter().chain(of_a_jwt).find(|(_, is_there)| !is_there).map(|(name, _)| name)
    }

    /// RFC 9068 4, RFC 7519 4.1, RFC 8725 3.8 and 3.9: whether they are from whom and for whom they must be, now.
    pub(crate) fn check(&self, wanted: &Wanted<'_>) -> Result<(), Refusal> {
        // Compared as it is written (RFC 8414 3.3).
        if self.issuer.is_some_and(|issuer| issuer != wanted.issuer) {
            return Err(Refusal::OtherIssuer);
        }
        if !texts(self.audience).any(|audience| audience == wanted.audience) {
            return Err(Refusal::OtherAudience);
        }
        let (past, future) = (wanted.now.minus(wanted.leeway), wanted.now.plus(wanted.leeway));
        if self.expires.is_some_and(|expires| expires <= past) {
            return Err(Refusal::Expired);
        }
        if self.begins.is_some_and(|begins| begins > future) {
            return Err(Refusal::NotYetValid);
        }
        if self.issued.is_some_and(|issued| issued > future) {
            return Err(Refusal::IssuedInTheFuture);
        }
        Ok(())
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &'a str> {
        texts(self.roles)
    }
}

/// An identifier is never empty.
fn text<'a>(name: &'static str, value: &'a Element<'_>) -> Result<&'a str, Refusal> {
    value.as_str().filter(|text| !text.is_empty()).ok_or(Refusal::MalformedClaim(name))
}

/// RFC 7519 2: seconds, with a fraction perhaps, which does not count here.
fn numeric_date(name: &'static str, value: &Element<'_>) -> Result<UnixTime, Refusal> {
    let number = value.as_number().ok_or(Refusal::MalformedClaim(name))?;
    if let Some(seconds) = number.as_i64() {
        return Ok(UnixTime::new(seconds));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "`as` rounds towards zero and saturates, both of which are meant"
    )]
    number.as_f64().map(|seconds| UnixTime::new(seconds as i64)).ok_or(Refusal::MalformedClaim(name))
}

/// One text, or a list of them (RFC 7519 4.1.3).
fn one_or_many<'a>(name: &'static str, value: &'a Element<'a>) -> Result<&'a Element<'a>, Refusal> {
    let many = |elements: &[Element<'_>]| elements.iter().all(|element| element.as_str().is_some());
    let good = value.as_str().is_some() || value.as_array().is_some_and(many);
    good.then_some(value).ok_or(Refusal::MalformedClaim(name))
}

fn texts<'a>(value: Option<&'a Element<'a>>) -> impl Iterator<Item = &'a str> {
    let one = value.and_then(Element::as_str);
    let many = value.and_then(Element::as_array).into_iter().flatten().filter_map(Element::as_str);
    one.into_iter().chain(many)
}
