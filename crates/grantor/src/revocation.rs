//! Taking back everything of a user or a client.

use crate::fresh;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::value::{Seconds, TenantName, TokenId, UnixTime};
use grantor_store::{GrantsOf, Result, Store};

/// The shortest time for which a cut-off is remembered. No access token should live longer, even one that was issued
/// before somebody made the lifetimes shorter.
const SHORTEST_MEMORY: Seconds = Seconds::new(31 * 86_400);

/// Takes back every grant of these and every access token issued to them until now. Gives how many grants stood.
pub(crate) async fn revoke_all(store: &dyn Store, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime) -> Result<u64> {
    let records = store.directory().await?;
    let of_tenants = records.tenants.iter().filter(|it| it.name == *tenant).map(|it| it.lifetimes.access_token);
    let of_apis = records.apis.iter().filter(|api| api.tenant == *tenant).map(|api| api.token.lifetime);
    let longest = of_tenants.chain(of_apis).chain([SHORTEST_MEMORY]).max().unwrap_or(SHORTEST_MEMORY);
    let cutoff = TokenId::last_of(fresh::millis());
    store.revoke_all(tenant, of, cutoff, now.plus(longest), now).await
}

/// Writes a revocation from the command line into the audit log.
pub(crate) async fn record(
    store: &dyn Store,
    tenant: &TenantName,
    what: &str,
    target: &str,
    now: UnixTime,
) -> Result<()> {
    // Randomness fails only where nothing else works either.
    let Ok(id) = fresh::event_id() else { return Ok(()) };
    let mut details = serde_json::Map::new();
    details.insert("revoked".to_owned(), what.into());
    let event = Event {
        id,
        time: now,
        tenant: tenant.clone(),
        action: Action::Revocation,
        outcome: Outcome::Allowed,
        actor: Some("cli".to_owned()),
        target: Some(target.to_owned()),
        address: None,
        request_id: None,
        details,
    };
    store.record(vec![event]).await
}
