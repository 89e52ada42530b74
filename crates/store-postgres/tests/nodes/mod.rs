//! Nodes on a database of their own.

#![allow(dead_code, reason = "not every test needs all of it")]

use async_trait::async_trait;
use grantor_local_postgres::Server;
use grantor_protocol::audit::Event;
use grantor_protocol::directory::{DirectoryRecords, PackedDirectory, User};
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, Poll};
use grantor_protocol::grant::{Access, Consent, Grant, Redemption, Rotation, Spend, Standing, TokenRef};
use grantor_protocol::session::Session;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, ItemId, Seconds, Subject, TenantName, TokenId, UnixTime, UserCode, WorkspaceId,
};
use grantor_protocol::workspace::{Item, Workspace};
use grantor_store::{
    Activity, AuditLog, Change, Desk, Devices, Directories, Grants, GrantsOf, Result, Sessions, Statuses, Store, Uses,
};
use grantor_store_postgres::{Options, PostgresStore};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The URL of an empty database.
pub(crate) fn database() -> String {
    Server::shared().unwrap().fresh_database().unwrap()
}

/// One node.
pub(crate) async fn one(url: String) -> PostgresStore {
    PostgresStore::connect(&url, patient()).await.unwrap()
}

/// Two nodes, as if behind a load balancer.
pub(crate) async fn two(url: String) -> TwoNodes {
    TwoNodes { nodes: [one(url.clone()).await, one(url).await], asked: AtomicUsize::new(0) }
}

/// Tests wait for the machine that they run on.
fn patient() -> Options {
    let minute = std::time::Duration::from_mins(1);
    Options { patience: minute, reply: minute, ..Options::default() }
}

/// Each verb goes to the other node than the one before; what a node knows by itself stays with the first.
pub(crate) struct TwoNodes {
    nodes: [PostgresStore; 2],
    asked: AtomicUsize,
}

impl TwoNodes {
    fn next(&self) -> &PostgresStore {
        let [first, second] = &self.nodes;
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) { first } else { second }
    }

    fn first(&self) -> &PostgresStore {
        let [first, _] = &self.nodes;
        first
    }
}

#[async_trait]
impl Grants for TwoNodes {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        self.next().redeem(tenant, redemption, now).await
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        self.next().rotate(tenant, grant, generation, grace, now).await
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        self.next().grant(tenant, grant).await
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        self.next().grants(tenant, of, now, limit).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        self.next().revoke_grant(tenant, grant, now).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        self.next().revoke_all(tenant, of, cutoff, cutoff_expires, now).await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        self.next().revoke_token(tenant, token, expires).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        self.next().standing(tenant, token).await
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
        self.next().assign_status(tenant, at, token, expires).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        self.next().invalid_statuses(tenant, list, disabled).await
    }
}

#[async_trait]
impl Devices for TwoNodes {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        self.next().open_device(tenant, device, now).await
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        self.next().device(tenant, user_code, now).await
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        self.next().answer_device(tenant, device, allowed, now).await
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        self.next().poll_device(tenant, device, now).await
    }
}

#[async_trait]
impl Sessions for TwoNodes {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        self.next().open_session(session, replaces).await
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        self.next().session(tenant, key, now).await
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        self.next().close_session(tenant, key).await
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        self.next().close_sessions(tenant, subject).await
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
        self.next().record_consent(tenant, subject, client, asked, allowed, now).await
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        self.next().consent(tenant, subject, client).await
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        self.next().consents(tenant, subject).await
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        self.next().remember(tenant, purpose, value, expires, now).await
    }
}

#[async_trait]
impl Uses for TwoNodes {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        self.first().note_use(tenant, client, credential, now);
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        self.next().last_uses(tenant, client).await
    }
}

#[async_trait]
impl Desk for TwoNodes {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        self.next().keep_workspace(tenant, workspace).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        self.next().workspaces(tenant, of).await
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        self.next().drop_workspace(tenant, workspace).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        self.next().keep_item(tenant, workspace, item).await
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        self.next().item(tenant, workspace, item).await
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        self.next().items(tenant, workspace).await
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        self.next().drop_item(tenant, workspace, item, version).await
    }
}

#[async_trait]
impl Directories for TwoNodes {
    async fn directory_version(&self) -> Result<u64> {
        self.next().directory_version().await
    }

    async fn directory_changed(&self) {
        self.next().directory_changed().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        self.next().directory().await
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        self.next().packed_directory().await
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        self.next().directory_since(version).await
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        // The node that notes the uses of a client knows for a minute that it has, and notes them in its own time.
        let of_uses = |change: &Change| {
            matches!(change, Change::DeleteClient(..) | Change::DeleteTenant(_) | Change::PutTenant(_))
        };
        let node = if changes.iter().any(of_uses) { self.first() } else { self.next() };
        node.change_directory(changes, expected).await
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        self.next().user(tenant, subject).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        self.next().user_by_username(tenant, username).await
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        self.next().users(tenant).await
    }
}

#[async_trait]
impl AuditLog for TwoNodes {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        self.first().record(events).await
    }

    fn note(&self, event: Event) {
        self.first().note(event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        self.next().events(tenant, after, limit).await
    }
}

#[async_trait]
impl Store for TwoNodes {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        self.first().expire(now, keep_events_from, limit).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        self.next().move_epoch(epoch).await
    }

    async fn backup(&self, to: &Path) -> Result<()> {
        self.next().backup(to).await
    }

    fn activity(&self) -> Activity {
        self.next().activity()
    }
}
