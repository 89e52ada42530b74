//! What is kept of a token weighs about so many bytes. Its user may say a lot or next to nothing.

use super::{Behind, Kept, Known, Stands};
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::token::{AccessToken, TokenSubject};
use grantor_protocol::value::{Resource, ScopeToken};
use serde_json::{Map, Value};
use std::mem::size_of;

/// What the table needs for one entry, and what a piece of memory costs beside its bytes.
const ENTRY: usize = 128 + size_of::<Kept>();
const PIECE: usize = 16;
/// The names of all claims, and what stands between them.
const NAMES: usize = 256;
/// A place in a tree: nodes are half empty at the worst.
const PLACE: usize = 2 * (size_of::<String>() + size_of::<Value>());

/// What is kept of a token before the store said anything.
pub(super) fn of_token(token: &AccessToken) -> usize {
    // Its claims are there as members and as they are written.
    ENTRY + size_of::<Known>() + 2 * of_claims(token) + PIECE + NAMES
}

fn of_claims(token: &AccessToken) -> usize {
    let subject = if let TokenSubject::User(sub) = &token.subject { sub } else { "" };
    let authentication = token.authentication.as_ref();
    let acr = authentication.map(|authentication| authentication.acr.as_str());
    let amr = authentication.map_or(0, |authentication| of_texts(&authentication.amr));
    let status = token.status.as_ref().map(|status| status.uri.as_str());
    let always = [token.issuer.as_str(), subject, token.client.as_str()].into_iter();
    let texts = always.chain(token.actor.as_deref()).chain(acr).chain(status);
    let audience = token.audience.iter().map(|audience| size_of::<Resource>() + of_text(audience.as_str()));
    let scope = token.scope.iter().map(|scope| size_of::<ScopeToken>() + of_text(scope.as_str()));
    texts.map(of_text).chain(audience).chain(scope).sum::<usize>()
        + amr
        + of_texts(&token.roles)
        + of_details(&token.details)
}

/// What the store said of it.
pub(super) fn of_said(stands: &Stands) -> usize {
    match stands {
        Stands::ForUser(behind) => of_behind(behind),
        Stands::ForItself | Stands::Revoked => 0,
    }
}

fn of_behind(behind: &Behind) -> usize {
    size_of::<Behind>() + of_text(&behind.username) + behind.userinfo.as_deref().map_or(0, of_text)
}

fn of_details(details: &AuthorizationDetails) -> usize {
    details.iter().map(|detail| of_map(detail.members())).sum()
}

fn of_map(map: &Map<String, Value>) -> usize {
    size_of::<Map<String, Value>>() + map.iter().map(|(name, value)| of_member(name) + of_value(value)).sum::<usize>()
}

fn of_value(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => of_text(text),
            Value::Array(values) => values.iter().map(of_value).sum(),
            Value::Object(map) => of_map(map),
        }
}

fn of_member(name: &str) -> usize {
    PLACE + of_text(name)
}

fn of_texts(texts: &[String]) -> usize {
    texts.iter().map(|text| size_of::<String>() + of_text(text)).sum()
}

fn of_text(text: &str) -> usize {
    PIECE + text.len()
}
