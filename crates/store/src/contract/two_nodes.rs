//! Two nodes over one database, as if they were one store: what holds for one must hold for them.

use crate::{
    Activity, AuditLog, Change, Desk, Devices, Directories, Grants, GrantsOf, Result, Sessions, Statuses, Store, Uses,
};
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
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two nodes behind a load balancer.
pub struct TwoNodes {
    nodes: [Arc<dyn Store>; 2],
    balance: Balance,
}

/// Who is asked.
#[derive(Debug)]
enum Balance {
    /// With each verb the other node than the one before; what a node knows by itself stays with the first.
    Verbs(AtomicUsize),
    /// Every task is a client of one of them, and stays with it, as over a connection that is kept.
    Tasks,
}

impl TwoNodes {
    /// Each verb goes to the other node than the one before.
    pub fn in_turn(nodes: [Arc<dyn Store>; 2]) -> Self {
        Self { nodes, balance: Balance::Verbs(AtomicUsize::new(0)) }
    }

    /// Each task stays with one of them.
    pub fn by_task(nodes: [Arc<dyn Store>; 2]) -> Self {
        Self { nodes, balance: Balance::Tasks }
    }

    fn node(&self) -> &dyn Store {
        let [first, second] = &self.nodes;
        let is_first = match &self.balance {
            Balance::Verbs(asked) => asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2),
            Balance::Tasks => {
                let task = BuildHasherDefault::<DefaultHasher>::default().hash_one(tokio::task::try_id());
                task.is_multiple_of(2)
            }
        };
        if is_first { &**first } else { &**second }
    }

    /// That which notes what is written in its own time.
    fn noting(&self) -> &dyn Store {
        let [first, _] = &self.nodes;
        match self.balance {
            Balance::Verbs(_) => &**first,
            Balance::Tasks => self.node(),
        }
    }
}

#[async_trait]
impl Grants for TwoNodes {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        self.node().redeem(tenant, redemption, now).await
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        self.node().rotate(tenant, grant, generation, grace, now).await
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        self.node().grant(tenant, grant).await
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>> {
        self.node().owned_grant(tenant, grant).await
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        self.node().grants(tenant, of, now, limit).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        self.node().revoke_grant(tenant, grant, now).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        self.node().revoke_all(tenant, of, cutoff, cutoff_expires, now).await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        self.node().revoke_token(tenant, token, expires).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        self.node().standing(tenant, token).await
    }
}

#[async_trait]
impl Statuses for TwoNodes {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()> {
        self.node().assign_status(tenant, at, token, expires).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        self.node().invalid_statuses(tenant, list, disabled).await
    }
}

#[async_trait]
impl Devices for TwoNodes {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        self.node().open_device(tenant, device, now).await
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        self.node().device(tenant, user_code, now).await
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        self.node().answer_device(tenant, device, allowed, now).await
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        self.node().poll_device(tenant, device, now).await
    }
}

#[async_trait]
impl Sessions for TwoNodes {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        self.node().open_session(session, replaces).await
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        self.node().session(tenant, key, now).await
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        self.node().close_session(tenant, key).await
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        self.node().close_sessions(tenant, subject).await
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
        self.node().record_consent(tenant, subject, client, asked, allowed, now).await
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        self.node().consent(tenant, subject, client).await
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        self.node().consents(tenant, subject).await
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        self.node().remember(tenant, purpose, value, expires, now).await
    }
}

#[async_trait]
impl Uses for TwoNodes {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        self.noting().note_use(tenant, client, credential, now);
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        self.node().last_uses(tenant, client).await
    }
}

#[async_trait]
impl Desk for TwoNodes {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        self.node().keep_workspace(tenant, workspace).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        self.node().workspaces(tenant, of).await
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        self.node().drop_workspace(tenant, workspace).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        self.node().keep_item(tenant, workspace, item).await
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        self.node().item(tenant, workspace, item).await
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        self.node().items(tenant, workspace).await
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        self.node().drop_item(tenant, workspace, item, version).await
    }
}

#[async_trait]
impl Directories for TwoNodes {
    async fn directory_version(&self) -> Result<u64> {
        self.node().directory_version().await
    }

    async fn directory_changed(&self) {
        self.node().directory_changed().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        self.node().directory().await
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        self.node().packed_directory().await
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        self.node().directory_since(version).await
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        // The node that notes the uses of a client knows for a minute that it has, and notes them in its own time.
        let of_uses = |change: &Change| {
            matches!(change, Change::DeleteClient(..) | Change::DeleteTenant(_) | Change::PutTenant(_))
        };
        let node = if changes.iter().any(of_uses) { self.noting() } else { self.node() };
        node.change_directory(changes, expected).await
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        self.node().user(tenant, subject).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        self.node().user_by_username(tenant, username).await
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        self.node().users(tenant).await
    }
}

#[async_trait]
impl AuditLog for TwoNodes {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        if !events.is_empty() {
            return self.noting().record(events).await;
        }
        // It waits for whatever was noted before: by anybody.
        let [first, second] = &self.nodes;
        first.record(Vec::new()).await?;
        second.record(Vec::new()).await
    }

    fn note(&self, event: Event) {
        self.noting().note(event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        self.node().events(tenant, after, limit).await
    }
}

#[async_trait]
impl Store for TwoNodes {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        self.noting().expire(now, keep_events_from, limit).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        self.node().move_epoch(epoch).await
    }

    async fn backup(&self, to: &Path) -> Result<()> {
        self.node().backup(to).await
    }

    fn activity(&self) -> Activity {
        self.node().activity()
    }
}
