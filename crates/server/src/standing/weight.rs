//! What is kept of a token weighs about so many bytes. Its grant and its user may say a lot or next to nothing.

use super::{Behind, Kept, Known, Stands};
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::grant::{ClaimsRequest, NewGrant};
use serde_json::{Map, Value};
use std::mem::size_of;

/// What the table needs for one entry, and what a piece of memory costs beside its bytes.
const ENTRY: usize = 128 + size_of::<Kept>();
const PIECE: usize = 16;
/// A place in a tree: nodes are half empty at the worst.
const PLACE: usize = 2 * (size_of::<String>() + size_of::<Value>());

/// What is kept of a token whose text is so long, before the store said anything.
pub(super) fn of_token(length: usize, details: &AuthorizationDetails) -> usize {
    // Its members are no longer than its text, a part of them is there twice, and all of them as they are written.
    ENTRY + size_of::<Known>() + 3 * length + of_details(details)
}

/// What the store said of it.
pub(super) fn of_said(stands: &Stands) -> usize {
    match stands {
        Stands::ForUser(behind) => of_behind(behind),
        Stands::ForItself | Stands::Revoked => 0,
    }
}

fn of_behind(behind: &Behind) -> usize {
    let user = &behind.user;
    let roles = user.roles.iter().map(|(audience, roles)| of_member(audience.as_str()) + of_texts(roles));
    size_of::<Behind>()
        // As a map, and as a record.
        + 2 * of_map(&behind.claims)
        + of_text(&user.username)
        + user.password_hash.as_deref().map_or(0, of_text)
        + roles.sum::<usize>()
        + of_terms(&behind.grant.terms)
}

fn of_terms(terms: &NewGrant) -> usize {
    let scopes = |(audience, scope): (&_, &_)| of_access(audience, scope);
    of_text(terms.client.as_str())
        + of_text(terms.subject.as_str())
        + terms.access.iter().map(scopes).sum::<usize>()
        + of_texts(&terms.authentication.amr)
        + of_text(&terms.authentication.acr)
        + [&terms.sid, &terms.nonce].into_iter().flatten().map(|text| of_text(text)).sum::<usize>()
        + of_texts(&terms.narrowed)
        + of_details(&terms.details)
        + of_claims(&terms.claims)
}

fn of_access(audience: &grantor_protocol::value::Resource, scope: &grantor_protocol::value::Scope) -> usize {
    of_member(audience.as_str()) + scope.iter().map(|token| of_member(token.as_str())).sum::<usize>()
}

fn of_claims(claims: &ClaimsRequest) -> usize {
    let members = claims.id_token.iter().chain(&claims.userinfo);
    let weigh = |(name, claim): (&String, &Option<_>)| {
        let claim: &Option<grantor_protocol::grant::RequestedClaim> = claim;
        let more = claim.as_ref().map_or(0, |claim| {
            let values = claim.value.iter().chain(claim.values.iter().flatten());
            size_of_val(claim) + values.map(of_value).sum::<usize>() + of_map(&claim.other)
        });
        of_member(name) + more
    };
    members.map(weigh).sum()
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
