//! A store that counts: how often each verb of the port was used, how long it took, and what came of it.

use super::histogram::Latency;
use super::verb::Verb;
use async_trait::async_trait;
use grantor_protocol::audit::Event;
use grantor_protocol::directory::{DirectoryRecords, PackedDirectory, User};
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, Poll};
use grantor_protocol::grant::{Access, Consent, Grant, OwnedGrant, Redemption, Rotation, Spend, Standing, TokenRef};
use grantor_protocol::session::Session;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, ItemId, Seconds, Subject, TenantName, TokenId, UnixTime, UserCode, WorkspaceId,
};
use grantor_protocol::workspace::{Item, Workspace};
use grantor_store::{
    Activity, AuditLog, Change, Desk, Devices, Directories, Grants, GrantsOf, Result, Sessions, Statuses, Store,
    StoreError, Uses,
};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// A store whose verbs are counted.
pub(crate) struct MeteredStore {
    inner: Arc<dyn Store>,
    meters: Arc<StoreMeters>,
}

/// What is counted of each verb.
#[derive(Debug)]
pub(crate) struct StoreMeters {
    latencies: Vec<Latency>,
    errors: Family<Failed, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    verb: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    verb: &'static str,
    error: &'static str,
}

impl StoreMeters {
    /// Nothing counted yet.
    pub(super) fn registered(registry: &mut Registry) -> Arc<Self> {
        let (latencies, errors) = (Family::<Of, Latency>::default(), Family::<Failed, Counter>::default());
        let help = "From the call of a verb of the store to its answer";
        registry.register("grantor_store_verb_duration_seconds", help, latencies.clone());
        registry.register("grantor_store_errors", "Verbs of the store that were not carried out", errors.clone());
        let latencies = Verb::ALL.map(|verb| latencies.get_or_create(&Of { verb: verb.as_str() }).clone());
        // What alerts ask for is there before it happens: a rate needs a beginning.
        for verb in Verb::ALL.map(Verb::as_str) {
            for error in ["busy", "broken"] {
                drop(errors.get_or_create(&Failed { verb, error }));
            }
        }
        Arc::new(Self { latencies: latencies.into(), errors })
    }

    fn count<T>(&self, verb: Verb, begun: Instant, outcome: &Result<T>) {
        if let Some(latency) = self.latencies.get(verb as usize) {
            latency.observe(begun.elapsed());
        }
        let error = match outcome {
            Ok(_) => return,
            Err(StoreError::Busy(_)) => "busy",
            Err(StoreError::Conflict { .. }) => "conflict",
            Err(StoreError::Taken(_)) => "taken",
            Err(StoreError::Broken(_)) => "broken",
        };
        self.errors.get_or_create(&Failed { verb: verb.as_str(), error }).inc();
    }
}

impl MeteredStore {
    /// The same store, counted.
    pub(crate) fn new(inner: Arc<dyn Store>, meters: Arc<StoreMeters>) -> Self {
        Self { inner, meters }
    }

    async fn metered<T>(&self, verb: Verb, work: impl Future<Output = Result<T>>) -> Result<T> {
        let begun = Instant::now();
        let outcome = work.await;
        self.meters.count(verb, begun, &outcome);
        outcome
    }
}

#[async_trait]
impl Grants for MeteredStore {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        self.metered(Verb::Redeem, self.inner.redeem(tenant, redemption, now)).await
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        self.metered(Verb::Rotate, self.inner.rotate(tenant, grant, generation, grace, now)).await
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        self.metered(Verb::Grant, self.inner.grant(tenant, grant)).await
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>> {
        self.metered(Verb::OwnedGrant, self.inner.owned_grant(tenant, grant)).await
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        self.metered(Verb::Grants, self.inner.grants(tenant, of, now, limit)).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        self.metered(Verb::RevokeGrant, self.inner.revoke_grant(tenant, grant, now)).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        self.metered(Verb::RevokeAll, self.inner.revoke_all(tenant, of, cutoff, cutoff_expires, now)).await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        self.metered(Verb::RevokeToken, self.inner.revoke_token(tenant, token, expires)).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        self.metered(Verb::Standing, self.inner.standing(tenant, token)).await
    }
}

#[async_trait]
impl Statuses for MeteredStore {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()> {
        self.metered(Verb::AssignStatus, self.inner.assign_status(tenant, at, token, expires)).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        self.metered(Verb::InvalidStatuses, self.inner.invalid_statuses(tenant, list, disabled)).await
    }
}

#[async_trait]
impl Devices for MeteredStore {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        self.metered(Verb::OpenDevice, self.inner.open_device(tenant, device, now)).await
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        self.metered(Verb::Device, self.inner.device(tenant, user_code, now)).await
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        self.metered(Verb::AnswerDevice, self.inner.answer_device(tenant, device, allowed, now)).await
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        self.metered(Verb::PollDevice, self.inner.poll_device(tenant, device, now)).await
    }
}

#[async_trait]
impl Sessions for MeteredStore {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        self.metered(Verb::OpenSession, self.inner.open_session(session, replaces)).await
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        self.metered(Verb::Session, self.inner.session(tenant, key, now)).await
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        self.metered(Verb::CloseSession, self.inner.close_session(tenant, key)).await
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        self.metered(Verb::CloseSessions, self.inner.close_sessions(tenant, subject)).await
    }

    async fn record_consent(
        &self,
        tenant: &TenantName,
        subject: &Subject,
        client: &ClientId,
        asked: &Access,
        allowed: &Access,
        now: UnixTime,
    ) -> Result<()> {
        self.metered(Verb::RecordConsent, self.inner.record_consent(tenant, subject, client, asked, allowed, now)).await
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        self.metered(Verb::Consent, self.inner.consent(tenant, subject, client)).await
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        self.metered(Verb::Consents, self.inner.consents(tenant, subject)).await
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        self.metered(Verb::Remember, self.inner.remember(tenant, purpose, value, expires, now)).await
    }
}

#[async_trait]
impl Uses for MeteredStore {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        self.inner.note_use(tenant, client, credential, now);
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        self.metered(Verb::LastUses, self.inner.last_uses(tenant, client)).await
    }
}

#[async_trait]
impl Desk for MeteredStore {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        self.metered(Verb::KeepWorkspace, self.inner.keep_workspace(tenant, workspace)).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        self.metered(Verb::Workspaces, self.inner.workspaces(tenant, of)).await
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        self.metered(Verb::DropWorkspace, self.inner.drop_workspace(tenant, workspace)).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        self.metered(Verb::KeepItem, self.inner.keep_item(tenant, workspace, item)).await
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        self.metered(Verb::Item, self.inner.item(tenant, workspace, item)).await
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        self.metered(Verb::Items, self.inner.items(tenant, workspace)).await
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        self.metered(Verb::DropItem, self.inner.drop_item(tenant, workspace, item, version)).await
    }
}

#[async_trait]
impl Directories for MeteredStore {
    async fn directory_version(&self) -> Result<u64> {
        self.metered(Verb::DirectoryVersion, self.inner.directory_version()).await
    }

    /// A wait, and no work of the store's.
    async fn directory_changed(&self) {
        self.inner.directory_changed().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        self.metered(Verb::Directory, self.inner.directory()).await
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        self.metered(Verb::PackedDirectory, self.inner.packed_directory()).await
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        self.metered(Verb::DirectorySince, self.inner.directory_since(version)).await
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        self.metered(Verb::ChangeDirectory, self.inner.change_directory(changes, expected)).await
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        self.metered(Verb::User, self.inner.user(tenant, subject)).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        self.metered(Verb::UserByUsername, self.inner.user_by_username(tenant, username)).await
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        self.metered(Verb::Users, self.inner.users(tenant)).await
    }
}

#[async_trait]
impl AuditLog for MeteredStore {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        self.metered(Verb::Record, self.inner.record(events)).await
    }

    fn note(&self, event: Event) {
        self.inner.note(event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        self.metered(Verb::Events, self.inner.events(tenant, after, limit)).await
    }
}

#[async_trait]
impl Store for MeteredStore {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        self.metered(Verb::Expire, self.inner.expire(now, keep_events_from, limit)).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        self.metered(Verb::MoveEpoch, self.inner.move_epoch(epoch)).await
    }

    async fn backup(&self, to: &std::path::Path) -> Result<()> {
        self.metered(Verb::Backup, self.inner.backup(to)).await
    }

    fn activity(&self) -> Activity {
        self.inner.activity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_store::MemoryStore;

    #[tokio::test]
    async fn every_verb_has_its_place_and_an_error_is_told_by_its_kind() {
        for (place, verb) in Verb::ALL.into_iter().enumerate() {
            assert_eq!(verb as usize, place);
        }
        let mut registry = Registry::default();
        let store = MeteredStore::new(Arc::new(MemoryStore::new()), StoreMeters::registered(&mut registry));
        store.directory_version().await.unwrap();
        store.change_directory(Vec::new(), Some(77)).await.unwrap_err();
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        for line in [
            "grantor_store_verb_duration_seconds_count{verb=\"directory_version\"} 1",
            "grantor_store_verb_duration_seconds_count{verb=\"rotate\"} 0",
            "grantor_store_errors_total{verb=\"change_directory\",error=\"conflict\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
