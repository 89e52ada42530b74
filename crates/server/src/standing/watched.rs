//! The store as it is used by this node: whatever takes something back is counted when it is done.

use super::revocations::{Of, Revocations};
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
    Activity, AuditLog, Change, Desk, Devices, Directories, Grants, GrantsOf, Result, Sessions, Statuses, Store, Uses,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A store in front of which revocations are counted.
pub(crate) struct WatchedStore {
    inner: Arc<dyn Store>,
    revocations: Arc<Revocations>,
}

/// A verb that may take something back. It is counted when the verb is done, before anybody is told, and also when it
/// failed or was given up: then nobody knows what became of it.
struct MayRevoke<'a> {
    revocations: &'a Revocations,
    of: Option<Of>,
}

impl WatchedStore {
    /// The same store, watched.
    pub(crate) fn new(inner: Arc<dyn Store>, revocations: Arc<Revocations>) -> Self {
        Self { inner, revocations }
    }

    fn may_revoke(&self, of: Of) -> MayRevoke<'_> {
        MayRevoke { revocations: &self.revocations, of: Some(of) }
    }
}

impl MayRevoke<'_> {
    /// Nothing was taken back.
    fn disarm(mut self) {
        self.of = None;
    }
}

impl Drop for MayRevoke<'_> {
    fn drop(&mut self) {
        if let Some(of) = self.of {
            self.revocations.count(of);
        }
    }
}

#[async_trait]
impl Grants for WatchedStore {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        let mut replay = self.may_revoke(Of::All);
        let spend = self.inner.redeem(tenant, redemption, now).await;
        match &spend {
            Ok(Spend::Fresh(_) | Spend::TakenBack) => replay.disarm(),
            // Whoever sends spent codes must not empty the memory of all.
            Ok(Spend::Spent(grant)) => replay.of = Some(Of::One(*grant.as_bytes())),
            Err(_) => {}
        }
        spend
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        let reuse = self.may_revoke(Of::One(*grant.as_bytes()));
        let rotation = self.inner.rotate(tenant, grant, generation, grace, now).await;
        if rotation.as_ref().is_ok_and(|rotation| *rotation != Rotation::Reused) {
            reuse.disarm();
        }
        rotation
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        self.inner.grant(tenant, grant).await
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>> {
        self.inner.owned_grant(tenant, grant).await
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        self.inner.grants(tenant, of, now, limit).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        let _revoked = self.may_revoke(Of::One(*grant.as_bytes()));
        self.inner.revoke_grant(tenant, grant, now).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        let _revoked = self.may_revoke(Of::All);
        self.inner.revoke_all(tenant, of, cutoff, cutoff_expires, now).await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        let _revoked = self.may_revoke(Of::One(*token.as_bytes()));
        self.inner.revoke_token(tenant, token, expires).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        self.inner.standing(tenant, token).await
    }
}

#[async_trait]
impl Statuses for WatchedStore {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()> {
        self.inner.assign_status(tenant, at, token, expires).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        self.inner.invalid_statuses(tenant, list, disabled).await
    }
}

#[async_trait]
impl Devices for WatchedStore {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        self.inner.open_device(tenant, device, now).await
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        self.inner.device(tenant, user_code, now).await
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        self.inner.answer_device(tenant, device, allowed, now).await
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        self.inner.poll_device(tenant, device, now).await
    }
}

#[async_trait]
impl Sessions for WatchedStore {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        self.inner.open_session(session, replaces).await
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        self.inner.session(tenant, key, now).await
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        self.inner.close_session(tenant, key).await
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        self.inner.close_sessions(tenant, subject).await
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
        self.inner.record_consent(tenant, subject, client, asked, allowed, now).await
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        self.inner.consent(tenant, subject, client).await
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        self.inner.consents(tenant, subject).await
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        self.inner.remember(tenant, purpose, value, expires, now).await
    }
}

#[async_trait]
impl Uses for WatchedStore {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        self.inner.note_use(tenant, client, credential, now);
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        self.inner.last_uses(tenant, client).await
    }
}

#[async_trait]
impl Desk for WatchedStore {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        self.inner.keep_workspace(tenant, workspace).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        self.inner.workspaces(tenant, of).await
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        self.inner.drop_workspace(tenant, workspace).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        self.inner.keep_item(tenant, workspace, item).await
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        self.inner.item(tenant, workspace, item).await
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        self.inner.items(tenant, workspace).await
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        self.inner.drop_item(tenant, workspace, item, version).await
    }
}

#[async_trait]
impl Directories for WatchedStore {
    async fn directory_version(&self) -> Result<u64> {
        self.inner.directory_version().await
    }

    async fn directory_changed(&self) {
        self.inner.directory_changed().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        self.inner.directory().await
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        self.inner.packed_directory().await
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        self.inner.directory_since(version).await
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        let _revoked = self.may_revoke(Of::All);
        self.inner.change_directory(changes, expected).await
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        self.inner.user(tenant, subject).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        self.inner.user_by_username(tenant, username).await
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        self.inner.users(tenant).await
    }
}

#[async_trait]
impl AuditLog for WatchedStore {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        self.inner.record(events).await
    }

    fn note(&self, event: Event) {
        self.inner.note(event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        self.inner.events(tenant, after, limit).await
    }
}

#[async_trait]
impl Store for WatchedStore {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        self.inner.expire(now, keep_events_from, limit).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        let _revoked = self.may_revoke(Of::All);
        self.inner.move_epoch(epoch).await
    }

    async fn backup(&self, to: &std::path::Path) -> Result<()> {
        self.inner.backup(to).await
    }

    fn activity(&self) -> Activity {
        self.inner.activity()
    }
}
