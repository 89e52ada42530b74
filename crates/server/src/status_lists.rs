//! Status lists (Token Status List): which index the next token gets, and the lists as they are published.
//!
//! A node fills one list after another, whose names it draws: no two nodes count together. What a list says is looked up
//! when it is asked for, once a second at the most, and signed anew when it says something else.

use crate::extract::Call;
use crate::failure::failed;
use crate::issue;
use crate::tenancy::Tenancy;
use axum::body::Bytes;
use grantor_jose::{SigningAlgorithm, base64url, digest};
use grantor_protocol::Refusal;
use grantor_protocol::directory::Api;
use grantor_protocol::grant::TokenRef;
use grantor_protocol::status_list::{
    AFTERLIFE, LENGTH, LIFE, StatusIndex, StatusList, StatusListToken, StatusReference, TTL, TYP, uri,
};
use grantor_protocol::value::{ClientId, Seconds, TenantName, UnixTime};
use quick_cache::sync::Cache;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What the store said is good for so long, counted from before it was asked.
const LOOK: Duration = Duration::from_secs(1);

/// What says the same is signed anew after so long, so that nobody holds one that ends soon.
const RENEW: Seconds = Seconds::new(60);

/// How many published lists are kept, of 2 KiB at the most when they are packed.
const PUBLISHED: usize = 1024;

/// The lists of a node, and those that it was asked for.
pub(crate) struct StatusLists {
    /// The index that was given last.
    given: Mutex<Option<StatusIndex>>,
    published: Cache<Named, Arc<tokio::sync::Mutex<Option<Published>>>>,
}

/// Of whom, how it is signed, and which.
type Named = (TenantName, SigningAlgorithm, u64);

/// A list as it goes out.
#[derive(Clone)]
pub(crate) struct Published {
    /// The Status List Token.
    pub(crate) token: Bytes,
    /// Says which version this is.
    pub(crate) etag: Arc<str>,
    invalid: Arc<[u32]>,
    signed_by: Arc<str>,
    issued: UnixTime,
    /// Before the store was asked.
    looked: Duration,
}

impl StatusLists {
    /// Nothing was issued yet.
    pub(crate) fn new() -> Self {
        Self { given: Mutex::default(), published: Cache::new(PUBLISHED) }
    }

    /// The next index; a list that is full is followed by one with a drawn name.
    fn next(&self, draw: impl FnOnce() -> [u8; 8]) -> StatusIndex {
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match *given {
            Some(StatusIndex { list, index }) if index + 1 < LENGTH => StatusIndex { list, index: index + 1 },
            _ => StatusIndex { list: u64::from_be_bytes(draw()), index: 0 },
        };
        *given = Some(next);
        next
    }
}

/// Gives a token its index, if its API wants that: written down before anybody sees the token.
pub(crate) async fn assign(
    call: &Call,
    api: Option<&Arc<Api>>,
    token: &TokenRef,
    expires: UnixTime,
) -> Result<Option<StatusReference>, Refusal> {
    let Some(api) = api.filter(|api| api.token.has_status()) else { return Ok(None) };
    let context = &call.context;
    let at = context.status_lists.next(|| context.world.random());
    let assigned = context.store.assign_status(call.tenancy.name(), at, token, expires.plus(AFTERLIFE)).await;
    assigned.map_err(|error| failed(&error))?;
    Ok(Some(at.reference(&call.tenancy.issuer, api.token.algorithm)))
}

/// A list as it stands; none where no token has an index in it.
pub(crate) async fn published(
    call: &Call,
    algorithm: SigningAlgorithm,
    list: u64,
) -> Result<Option<Published>, Refusal> {
    let name = (call.tenancy.name().clone(), algorithm, list);
    let cache = &call.context.status_lists.published;
    // One looks, and the others wait for what he finds.
    let known = cache.get(&name);
    let slot = known.clone().unwrap_or_default();
    let mut held = slot.lock().await;
    let fresh = renewed(call, algorithm, list, held.take()).await?;
    held.clone_from(&fresh);
    drop(held);
    match (&fresh, known) {
        // What nobody issued from is not remembered: anybody can ask for it.
        (None, _) => drop(cache.remove(&name)),
        (Some(_), None) => cache.insert(name, slot),
        (Some(_), Some(_)) => {}
    }
    Ok(fresh)
}

async fn renewed(
    call: &Call,
    algorithm: SigningAlgorithm,
    list: u64,
    held: Option<Published>,
) -> Result<Option<Published>, Refusal> {
    let (context, tenancy, now) = (&call.context, &call.tenancy, call.now());
    let looked = context.world.uptime();
    let Some(key) = tenancy.ready()?.keys.signing(algorithm) else { return Ok(None) };
    let held = held.filter(|held| *held.signed_by == *key.key_id());
    if let Some(held) = &held
        && looked.saturating_sub(held.looked) < LOOK
    {
        return Ok(Some(held.clone()));
    }
    let disabled = disabled(tenancy);
    let invalid = context.store.invalid_statuses(tenancy.name(), list, &disabled).await;
    let Some(invalid) = invalid.map_err(|error| failed(&error))? else { return Ok(None) };
    if let Some(held) = held
        && *held.invalid == *invalid
        && held.issued <= now
        && now < held.issued.plus(RENEW)
    {
        return Ok(Some(Published { looked, ..held }));
    }
    let says = StatusListToken {
        uri: uri(&tenancy.issuer, algorithm, list),
        issued: now,
        expires: Some(now.plus(LIFE)),
        ttl: Some(TTL),
        list: StatusList::of_invalid(&invalid),
    };
    let token = issue::sign(tenancy, algorithm, TYP, &says.to_payload())?;
    let etag = format!("\"{}\"", base64url::encode(&digest::sha256(token.as_bytes())[..16]));
    let (etag, signed_by) = (etag.into(), key.key_id().into());
    Ok(Some(Published { token: token.into(), etag, invalid: invalid.into(), signed_by, issued: now, looked }))
}

/// The clients whose tokens are worth nothing although nobody took them back.
fn disabled(tenancy: &Tenancy) -> Vec<ClientId> {
    tenancy.directory.disabled_clients().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_is_given_once_and_a_full_list_is_followed_by_another() {
        let lists = StatusLists::new();
        let mut drawn = 0_u64;
        let mut given = Vec::new();
        for _ in 0..=LENGTH {
            given.push(lists.next(|| {
                drawn += 1;
                drawn.to_be_bytes()
            }));
        }
        assert_eq!(drawn, 2);
        let mut expected: Vec<_> = (0..LENGTH).map(|index| StatusIndex { list: 1, index }).collect();
        expected.push(StatusIndex { list: 2, index: 0 });
        assert_eq!(given, expected);
    }
}
