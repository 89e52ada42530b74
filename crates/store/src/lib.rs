//! The storage port. Its verbs are protocol verbs, and each is atomic: a backend carries one out in one transaction or
//! one conditional statement, and what it acknowledged survives a crash. There is no find-then-save.
//!
//! Every record belongs to a tenant, and a verb never sees another tenant's.

pub mod contract;
mod memory;
mod recent;

pub use memory::MemoryStore;
pub use recent::Recent;

use async_trait::async_trait;
use grantor_protocol::audit::Event;
use grantor_protocol::client::Client;
use grantor_protocol::directory::{Api, DirectoryRecords, KeyRecord, PackedDirectory, Policy, Tenant, User};
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, Poll};
use grantor_protocol::grant::{Access, Consent, Grant, OwnedGrant, Redemption, Rotation, Spend, Standing, TokenRef};
use grantor_protocol::session::Session;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{
    ClientId, CodeId, EventId, GrantId, ItemId, Resource, Seconds, Subject, TenantName, TokenId, UnixTime, UserCode,
    WorkspaceId,
};
use grantor_protocol::workspace::{Item, Workspace};
use std::collections::BTreeMap;

/// Why a verb was not carried out. Nothing was changed, except as [`StoreError::Busy`] says.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Too much is waiting already, the disk is full, or the answer did not come in time: try again later (503).
    ///
    /// With a database on a network it may follow a change whose answer was lost: the verb was carried out, or is yet.
    /// To ask again is always safe, in that nothing is granted twice, and mostly gives what the first answer would have
    /// been. It does not for what happens once: a value that was remembered is `false` the second time, a code is spent
    /// if it comes with another grant (and the first grant falls), a generation that was replaced is repeated or reused,
    /// what was revoked did not stand any more, events are there already, and a directory that was to change from one
    /// version gives [`StoreError::Conflict`]. A deletion or a revocation of very many goes in steps, of which some may be
    /// done: asked again, it goes on with the rest.
    #[error("the store is busy: {0}")]
    Busy(String),
    /// The directory changed under the writer's feet.
    #[error("the directory is at version {found}, not {expected}")]
    Conflict {
        /// What the writer had seen.
        expected: u64,
        /// What stands there now.
        found: u64,
    },
    /// A name that must be unique belongs to another record.
    #[error("{0} is taken")]
    Taken(String),
    /// Something is broken: the message is for the log, never for an answer.
    #[error("the store failed: {0}")]
    Broken(String),
}

/// What a verb gives.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Grants and what takes them back.
#[async_trait]
pub trait Grants: Send + Sync {
    /// Spends a code and makes its grant, or finds it spent: then the grant that it had given is revoked
    /// (RFC 6749 4.1.2). Exactly one of any number of concurrent calls is told [`Spend::Fresh`]. A code
    /// older than a cut-off of its user or client gives nothing.
    ///
    /// The event is appended together with the grant, and only when the answer is [`Spend::Fresh`].
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend>;

    /// Carries out what [`Grant::present`] says of `generation`, as one step.
    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation>;

    /// The grant, revoked or not; none once it is gone.
    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>>;

    /// The same with its owner. One read.
    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>>;

    /// The grants that are neither revoked nor expired, youngest first, at most `limit`.
    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>>;

    /// Takes back one grant. Gives whether it stood until now: was neither revoked nor expired. One that has expired is
    /// marked all the same, since its access tokens may still live.
    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool>;

    /// Takes back every grant of these, and every access token issued to them before `cutoff`, whether or not it came
    /// from a grant. The cut-off itself may be forgotten at `cutoff_expires`. For [`GrantsOf::Application`] the consent
    /// is forgotten too. Gives how many grants stood until now.
    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64>;

    /// Takes back one access token; remembered until it would have expired.
    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()>;

    /// How a token stands: whether it, its grant, or all that its client had was taken back. One read.
    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing>;
}

/// Which tokens have an index in a status list.
#[async_trait]
pub trait Statuses: Send + Sync {
    /// Gives a token its index, until `expires`. Said twice it is as said once. An index that another token has stays that
    /// token's: whoever draws the names of lists sees to it that this does not happen.
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()>;

    /// The indexes in a list whose tokens do not stand ([`Grants::standing`]), whose user is disabled, or whose client is
    /// one of `disabled`; in order. None when no token has an index in it. It is asked once a second at the most, and
    /// looks at each token of the list.
    async fn invalid_statuses(&self, tenant: &TenantName, list: u64, disabled: &[ClientId])
    -> Result<Option<Vec<u32>>>;
}

/// Whose grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantsOf<'a> {
    /// Everything that a user allowed anybody.
    Subject(&'a Subject),
    /// Everything that a client has.
    Client(&'a ClientId),
    /// What a user allowed one client.
    Application(&'a Subject, &'a ClientId),
}

/// When [`Store::move_epoch`] took back what was issued before `epoch`: what [`Grant::revoked`] says of a grant that was
/// not taken back earlier.
pub fn taken_back_at(epoch: TokenId) -> UnixTime {
    UnixTime::new(i64::try_from(epoch.millis() / 1_000).unwrap_or(i64::MAX))
}

/// Devices that wait for somebody to allow them (RFC 8628).
#[async_trait]
pub trait Devices: Send + Sync {
    /// Writes down what a device asks for, to be found by its user code. `false` when another device that is not over
    /// shows the same. Said twice it is as said once.
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool>;

    /// The device that shows this code, while it waits for an answer.
    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>>;

    /// Says what a person allowed it, or that he did not. The first word counts: gives whether this is what it is told.
    /// Saying the same again is the same.
    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool>;

    /// How it stands with a device that asks. One that asks before its time must wait longer from then on (RFC 8628 3.5);
    /// one that was answered may ask as often as it likes. That what was allowed is used once is [`Grants::redeem`]'s word.
    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll>;
}

/// What people and browsers have going.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Opens a session and closes the one that it replaces, as one step: the id changes at sign-in.
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()>;

    /// The session with this key, unless it has ended.
    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>>;

    /// Ends a session.
    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()>;

    /// Ends every session of a user.
    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()>;

    /// Notes what a user has allowed a client: of what was `asked` now just what is `allowed`, of anything else what was
    /// allowed before.
    async fn record_consent(
        &self,
        tenant: &TenantName,
        subject: &Subject,
        client: &ClientId,
        asked: &Access,
        allowed: &Access,
        now: UnixTime,
    ) -> Result<()>;

    /// What a user has allowed a client.
    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>>;

    /// What a user has allowed anybody, last used first.
    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>>;

    /// Remembers a value until `expires`; `false` when it is remembered already. Exactly one of any number of
    /// concurrent calls is told `true`. `purpose` keeps different uses apart.
    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool>;
}

/// When credentials were used last, for administrators to see.
#[async_trait]
pub trait Uses: Send + Sync {
    /// Notes that a client's credential was used, with the next commit, without waiting: `credential` is its name. A
    /// later time wins; one that is at most [`ONE_USE`] after another is left out. Losing the last of them in a crash
    /// harms nothing.
    ///
    /// Nothing is noted of a client that the directory does not have, so that a request in flight leaves nothing of a
    /// client that was deleted; and nothing under a name longer than [`LONGEST_CREDENTIAL_NAME`].
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime);

    /// When each credential of a client was last used, by name.
    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>>;
}

/// Uses of a credential that are no further apart count as one, so that a busy client does not write with every request.
pub const ONE_USE: Seconds = Seconds::new(60);

/// How many bytes the name of a credential has at the most.
pub const LONGEST_CREDENTIAL_NAME: usize = 200;

/// As many changes are told one by one at the most: with more it is less work to read the directory whole.
pub const MOST_CHANGES: usize = 4_096;

/// For how many versions it is known what was deleted, at the least.
pub const KNOWN_VERSIONS: u64 = 1_000;

/// What users keep on the token desk. What an item is only the server can read.
#[async_trait]
pub trait Desk: Send + Sync {
    /// Writes a workspace down with its members: a new one at version 1, else on top of the version before its own.
    /// `false` when another version is there. Said twice it is as said once.
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool>;

    /// The workspaces that a user is a member of, oldest first.
    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>>;

    /// Drops a workspace in which nothing lies any more. Gives whether it is gone.
    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool>;

    /// Puts an item into a workspace, as [`Self::keep_workspace`] does with a workspace. `false` also when there is no
    /// such workspace.
    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool>;

    /// An item.
    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>>;

    /// What lies in a workspace, oldest first.
    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>>;

    /// Drops an item, as it is at `version`. Gives whether it is gone.
    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool>;
}

/// What an administrator declares.
#[async_trait]
pub trait Directories: Send + Sync {
    /// Grows with every change of the directory, whoever made it. Cheap.
    async fn directory_version(&self) -> Result<u64>;

    /// Returns when the backend has heard that the directory changed, also when it heard so since the last call: for one
    /// who follows it, and only so that he looks sooner. It may return for nothing, and a change may never be heard of: of
    /// another process, where the database has no way to tell, or when a message was lost.
    async fn directory_changed(&self);

    /// Everything but users.
    async fn directory(&self) -> Result<DirectoryRecords>;

    /// The same for a server to keep: clients are not parsed.
    async fn packed_directory(&self) -> Result<PackedDirectory>;

    /// What has changed since `version`, in an order in which it can be carried out one after another, and the version
    /// that this leads to: puts with the record as it stands now, and deletes; no users. None when `version` is too long
    /// ago to be told, or too much ago ([`MOST_CHANGES`]), or was never: then the directory must be read whole.
    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>>;

    /// Carries out all changes or none. With `expected`, only if the directory still is at that version.
    /// Gives the new version.
    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64>;

    /// A user.
    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>>;

    /// The user of this name, without regard to case.
    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>>;

    /// Every user of a tenant, by name.
    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>>;
}

/// One change of the directory. A put replaces the record of the same name.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each variant is its type")]
#[expect(clippy::large_enum_variant, reason = "few at a time, and soon gone: boxes would only be in the way")]
pub enum Change {
    PutTenant(Tenant),
    PutApi(Api),
    PutClient(Client),
    PutUser(User),
    PutPolicy(Policy),
    PutKey(KeyRecord),
    /// With everything in it but its audit log, which is append-only.
    DeleteTenant(TenantName),
    DeleteApi(TenantName, Resource),
    /// With its grants, its consents and the uses of its credentials: tokens that came from a grant are revoked. Those
    /// that it got for itself are taken back by [`Grants::revoke_all`].
    DeleteClient(TenantName, ClientId),
    /// With his grants, consents and sessions: his tokens are revoked. Of the token desk with his workspaces, what he put
    /// into others, and his place in them.
    DeleteUser(TenantName, Subject),
    DeletePolicy(TenantName, String),
    DeleteKey(TenantName, String),
}

/// The audit log: append-only.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Appends events; durable when it returns.
    async fn record(&self, events: Vec<Event>) -> Result<()>;

    /// Appends an event with the next commit, without waiting for it. An event that found the queue full is counted
    /// and said in the program's log.
    fn note(&self, event: Event);

    /// Events after `after`, oldest first, at most `limit`.
    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>>;
}

/// The whole port.
#[async_trait]
pub trait Store: Grants + Statuses + Devices + Sessions + Uses + Desk + Directories + AuditLog {
    /// Drops at most `limit` rows that have expired, a grant a day later than that, and audit events older than
    /// `keep_events_from`. Gives how many. Correctness never depends on it; it is a small step, to be called every few
    /// seconds.
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64>;

    /// Moves the epoch, as a restore from a copy must: what was issued before it is worth nothing any more, whatever the
    /// rows say. Codes, grants and access tokens whose id is smaller than `epoch` are as if they had been taken back, and
    /// every session is closed. It never moves backwards. Every verb that began after this one returned sees it.
    async fn move_epoch(&self, epoch: TokenId) -> Result<()>;

    /// A complete copy of everything, taken while the server runs, written to a new file.
    async fn backup(&self, to: &std::path::Path) -> Result<()>;

    /// How much it has written and how much waits, for those who watch over it. Free of I/O. A backend that keeps no
    /// such counts says nothing.
    fn activity(&self) -> Activity;
}

/// What a backend counts of itself, since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// Transactions that were committed.
    pub commits: u64,
    /// Writing verbs that were committed with them; divided by `commits`, the mean size of a batch.
    pub committed_verbs: u64,
    /// Writing verbs that wait for a transaction now.
    pub waiting: u64,
}
