//! The port in memory, for tests and trials: one lock, so that every verb is atomic; nothing survives the process.

mod audit;
mod desk;
mod devices;
mod directory;
mod grants;
mod sessions;
mod statuses;
mod uses;

use crate::{Activity, Result, Store, StoreError};
use async_trait::async_trait;
use grantor_protocol::audit::Event;
use grantor_protocol::client::Client;
use grantor_protocol::directory::{Api, KeyRecord, Policy, Tenant, User};
use grantor_protocol::grant::{Consent, Grant, TokenRef};
use grantor_protocol::session::Session;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, ItemId, Resource, Seconds, Subject, TenantName, TokenId, UnixTime, UserCode,
    WorkspaceId,
};
use grantor_protocol::workspace::{Item, Workspace};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The store in memory.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>, Notify);

#[derive(Debug, Default)]
struct State {
    epoch: Option<TokenId>,
    grants: BTreeMap<(TenantName, GrantId), Grant>,
    spent_codes: BTreeMap<(TenantName, CodeId), (GrantId, UnixTime)>,
    statuses: BTreeMap<(TenantName, StatusIndex), (TokenRef, UnixTime)>,
    revoked_tokens: BTreeMap<(TenantName, TokenId), UnixTime>,
    cutoffs: BTreeMap<(TenantName, Whose), (TokenId, UnixTime)>,
    devices: BTreeMap<(TenantName, UserCode), devices::Waiting>,
    sessions: BTreeMap<(TenantName, [u8; 32]), Session>,
    consents: BTreeMap<(TenantName, Subject, ClientId), Consent>,
    remembered: BTreeMap<(TenantName, String, [u8; 32]), UnixTime>,
    uses: BTreeMap<(TenantName, ClientId, String), UnixTime>,
    workspaces: BTreeMap<(TenantName, WorkspaceId), Workspace>,
    items: BTreeMap<(TenantName, WorkspaceId, ItemId), Item>,
    events: BTreeMap<(TenantName, EventId), Event>,
    directory: DirectoryState,
}

/// Apart from the rest, so that changes can be made to a copy and kept only if all went well.
#[derive(Clone, Debug, Default)]
struct DirectoryState {
    version: u64,
    tenants: BTreeMap<TenantName, Tenant>,
    apis: BTreeMap<(TenantName, Resource), Api>,
    clients: BTreeMap<(TenantName, ClientId), Client>,
    policies: BTreeMap<(TenantName, String), Policy>,
    keys: BTreeMap<(TenantName, String), KeyRecord>,
    users: BTreeMap<(TenantName, Subject), User>,
    feed: directory::Feed,
}

/// [`crate::GrantsOf`], owned.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Subject(Subject),
    Client(ClientId),
    Application(Subject, ClientId),
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A verb that panicked has changed nothing by halves that matters more than going on.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        let mut state = self.lock();
        let mut left = limit;
        // No access token lives longer than a day: for so long its grant must be found after it has expired.
        let horizon = now.minus(Seconds::new(86_400));
        drop_some(&mut state.spent_codes, &mut left, |(_, expires)| *expires <= now);
        drop_some(&mut state.revoked_tokens, &mut left, |expires| *expires <= now);
        drop_some(&mut state.statuses, &mut left, |(_, expires)| *expires <= now);
        drop_some(&mut state.cutoffs, &mut left, |(_, expires)| *expires <= now);
        drop_some(&mut state.sessions, &mut left, |session| session.expires <= now);
        drop_some(&mut state.devices, &mut left, |waiting| waiting.device.expires <= now);
        drop_some(&mut state.remembered, &mut left, |expires| *expires <= now);
        drop_some(&mut state.grants, &mut left, |grant| grant.expires <= horizon);
        let old = |event: &Event| event.id < keep_events_from;
        drop_some(&mut state.events, &mut left, old);
        Ok(u64::from(limit - left))
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        let mut state = self.lock();
        state.epoch = state.epoch.max(Some(epoch));
        state.sessions.clear();
        Ok(())
    }

    async fn backup(&self, _to: &Path) -> Result<()> {
        Err(StoreError::Broken("a store in memory has no copy".to_owned()))
    }

    fn activity(&self) -> Activity {
        Activity::default()
    }
}

fn drop_some<K: Ord, V>(rows: &mut BTreeMap<K, V>, left: &mut u32, over: impl Fn(&V) -> bool) {
    rows.retain(|_, row| {
        let goes = *left > 0 && over(row);
        *left -= u32::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    crate::contract_tests!((MemoryStore::new(), ()));
}
