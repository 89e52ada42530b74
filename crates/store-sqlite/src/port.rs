//! The port's verbs, each sent to the writer or to a reader.

use crate::verbs::grants::{self, Owner};
use crate::verbs::{audit, desk, devices, directory, epoch, expire, sessions, statuses, tokens, uses};
use crate::{SqliteStore, backup, connection};
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
    Activity, AuditLog, Change, Desk, Devices, Directories, Grants, GrantsOf, LONGEST_CREDENTIAL_NAME, Result,
    Sessions, Statuses, Store, StoreError, Uses,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

#[async_trait]
impl Grants for SqliteStore {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        let tenant = tenant.clone();
        self.writer.write(move |db| grants::redeem(db, &tenant, redemption, now)).await
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| grants::rotate(db, &tenant, grant, generation, grace, now)).await
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        let tenant = tenant.clone();
        self.readers.find(move |db| grants::find(db, &tenant, grant)).await
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>> {
        let tenant = tenant.clone();
        self.readers.find(move |db| grants::find_owned(db, &tenant, grant)).await
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        let (tenant, owner) = (tenant.clone(), Owner::from(of));
        self.readers.read(move |db| grants::list(db, &tenant, &owner, now, limit)).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| grants::revoke(db, &tenant, grant, now)).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        let (tenant, owner) = (tenant.clone(), Owner::from(of));
        let application = match of {
            GrantsOf::Application(subject, client) => Some((subject.clone(), client.clone())),
            GrantsOf::Subject(_) | GrantsOf::Client(_) => None,
        };
        self.writer
            .write(move |db| {
                let stood = grants::revoke_all(db, &tenant, &owner, now)?;
                tokens::cut_off(db, &tenant, &owner, cutoff, cutoff_expires)?;
                if let Some((subject, client)) = application {
                    sessions::forget_consent(db, &tenant, &subject, &client)?;
                }
                Ok(stood)
            })
            .await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| tokens::revoke(db, &tenant, token, expires)).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        let (tenant, token) = (tenant.clone(), token.clone());
        self.readers.find(move |db| tokens::standing(db, &tenant, &token)).await
    }
}

#[async_trait]
impl Statuses for SqliteStore {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()> {
        let (tenant, token) = (tenant.clone(), token.clone());
        self.writer.write_once(move |db| statuses::assign(db, &tenant, at, &token, expires)).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        let (tenant, disabled) = (tenant.clone(), disabled.to_vec());
        self.readers.read(move |db| statuses::invalid(db, &tenant, list, &disabled)).await
    }
}

#[async_trait]
impl Devices for SqliteStore {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| devices::open(db, &tenant, &device, now)).await
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        let tenant = tenant.clone();
        self.readers.find(move |db| devices::find(db, &tenant, user_code, now)).await
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| devices::answer(db, &tenant, device, allowed.as_deref(), now)).await
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| devices::poll(db, &tenant, device, now)).await
    }
}

#[async_trait]
impl Sessions for SqliteStore {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        self.writer.write(move |db| sessions::open(db, &session, replaces)).await
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        let (tenant, key) = (tenant.clone(), *key);
        self.readers.find(move |db| sessions::find(db, &tenant, &key, now)).await
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        let (tenant, key) = (tenant.clone(), *key);
        self.writer.write_once(move |db| sessions::close(db, &tenant, &key)).await
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        let (tenant, subject) = (tenant.clone(), subject.clone());
        self.writer.write_once(move |db| sessions::close_all(db, &tenant, &subject)).await
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
        let (tenant, subject, client) = (tenant.clone(), subject.clone(), client.clone());
        let (asked, allowed) = (asked.clone(), allowed.clone());
        let write = move |db: &_| sessions::record_consent(db, &tenant, &subject, &client, &asked, &allowed, now);
        self.writer.write_once(write).await
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        let (tenant, subject, client) = (tenant.clone(), subject.clone(), client.clone());
        self.readers.find(move |db| sessions::find_consent(db, &tenant, &subject, &client)).await
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        let (tenant, subject) = (tenant.clone(), subject.clone());
        self.readers.read(move |db| sessions::consents(db, &tenant, &subject)).await
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        let (tenant, purpose, value) = (tenant.clone(), purpose.to_owned(), *value);
        let remembered = Arc::clone(&self.remembered);
        self.writer.write_once(move |db| remembered.remember(db, &tenant, &purpose, &value, expires, now)).await
    }
}

#[async_trait]
impl Uses for SqliteStore {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        if credential.len() > LONGEST_CREDENTIAL_NAME {
            return;
        }
        self.recent.note(tenant, client, credential, now, || {
            let (tenant, client, credential) = (tenant.clone(), client.clone(), credential.to_owned());
            self.writer.post(move |db| {
                uses::note(db, &tenant, &client, &credential, now)
                    .inspect_err(|failure| tracing::warn!(%failure, %client, "the use of a credential was not noted"))
            })
        });
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        let (tenant, client) = (tenant.clone(), client.clone());
        self.readers.find(move |db| uses::last(db, &tenant, &client)).await
    }
}

#[async_trait]
impl Desk for SqliteStore {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write(move |db| desk::keep_workspace(db, &tenant, &workspace)).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        let (tenant, of) = (tenant.clone(), of.clone());
        self.readers.read(move |db| desk::workspaces(db, &tenant, &of)).await
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write(move |db| desk::drop_workspace(db, &tenant, workspace)).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| desk::keep_item(db, &tenant, workspace, &item)).await
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        let tenant = tenant.clone();
        self.readers.find(move |db| desk::item(db, &tenant, workspace, item)).await
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        let tenant = tenant.clone();
        self.readers.read(move |db| desk::items(db, &tenant, workspace)).await
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        let tenant = tenant.clone();
        self.writer.write_once(move |db| desk::drop_item(db, &tenant, workspace, item, version)).await
    }
}

#[async_trait]
impl Directories for SqliteStore {
    /// Nothing is known to be current where nothing can be written down any more: that is how a node learns that it must
    /// not go on.
    async fn directory_version(&self) -> Result<u64> {
        self.writer.is_there()?;
        self.readers.find(directory::version).await
    }

    /// What another process changes is not heard of.
    async fn directory_changed(&self) {
        self.changed.notified().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        self.readers.read(directory::records).await
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        self.readers.read(directory::packed).await
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        self.readers.read(move |db| directory::since(db, version)).await
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        let changed = self.writer.write(move |db| directory::change(db, &changes, expected)).await;
        // A client that was deleted and declared again begins anew.
        self.recent.forget();
        self.changed.notify_one();
        changed
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        let (tenant, subject) = (tenant.clone(), subject.clone());
        self.readers.find(move |db| directory::user(db, &tenant, &subject)).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        let (tenant, username) = (tenant.clone(), username.to_owned());
        self.readers.find(move |db| directory::user_by_username(db, &tenant, &username)).await
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        let tenant = tenant.clone();
        self.readers.read(move |db| directory::users(db, &tenant)).await
    }
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        self.writer.write(move |db| events.iter().try_for_each(|event| audit::append(db, event))).await
    }

    fn note(&self, event: Event) {
        self.writer.note(event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        let tenant = tenant.clone();
        self.readers.read(move |db| audit::after(db, &tenant, after, limit)).await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
        self.writer.write(move |db| expire::expire(db, now, keep_events_from, limit)).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> Result<()> {
        self.writer.write(move |db| epoch::advance(db, epoch)).await
    }

    /// On a connection of its own: a backup that takes minutes holds up neither readers nor the writer.
    async fn backup(&self, to: &Path) -> Result<()> {
        let (from, to) = (self.path.clone(), to.to_owned());
        let copying = tokio::task::spawn_blocking(move || backup::backup(&connection::reader(&from)?, &to));
        let copied = copying.await.map_err(|_| StoreError::Broken("the backup was broken off".to_owned()))?;
        Ok(copied?)
    }

    fn activity(&self) -> Activity {
        self.writer.activity()
    }
}
