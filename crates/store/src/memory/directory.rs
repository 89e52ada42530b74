//! The directory in memory.

use super::{DirectoryState, MemoryStore, State};
use crate::{Change, Directories, GrantsOf, KNOWN_VERSIONS, MOST_CHANGES, Result, StoreError};
use async_trait::async_trait;
use grantor_protocol::client::Client;
use grantor_protocol::directory::{DirectoryRecords, PackedDirectory, User};
use grantor_protocol::value::{ClientId, Resource, Subject, TenantName};
use std::collections::BTreeMap;

#[async_trait]
impl Directories for MemoryStore {
    async fn directory_version(&self) -> Result<u64> {
        Ok(self.lock().directory.version)
    }

    async fn directory_changed(&self) {
        self.1.notified().await;
    }

    async fn directory(&self) -> Result<DirectoryRecords> {
        let state = self.lock();
        let directory = &state.directory;
        Ok(DirectoryRecords {
            version: directory.version,
            tenants: directory.tenants.values().cloned().collect(),
            apis: directory.apis.values().cloned().collect(),
            clients: directory.clients.values().cloned().collect(),
            policies: directory.policies.values().cloned().collect(),
            keys: directory.keys.values().cloned().collect(),
        })
    }

    async fn packed_directory(&self) -> Result<PackedDirectory> {
        PackedDirectory::of(self.directory().await?)
            .map_err(|error| StoreError::Broken(format!("a client cannot be written down: {error}")))
    }

    async fn directory_since(&self, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        let state = self.lock();
        let directory = &state.directory;
        let known = directory.feed.floor <= version && version <= directory.version;
        let changes = known.then(|| directory.changes_since(version));
        Ok(changes.filter(|changes| changes.len() <= MOST_CHANGES).map(|changes| (directory.version, changes)))
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        let mut state = self.lock();
        let found = state.directory.version;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(StoreError::Conflict { expected, found });
        }
        let mut next = state.directory.clone();
        next.version = found.saturating_add(1);
        for change in &changes {
            next.apply(change)?;
            next.feed.note(change, next.version);
        }
        state.directory = next;
        for change in &changes {
            state.forget_what_hung_on(change);
        }
        self.1.notify_one();
        Ok(state.directory.version)
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
        Ok(self.lock().directory.users.get(&(tenant.clone(), subject.clone())).cloned())
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> Result<Option<User>> {
        let folded = username.to_lowercase();
        let state = self.lock();
        let mut users = state.directory.users.values();
        Ok(users.find(|user| &user.tenant == tenant && user.username.to_lowercase() == folded).cloned())
    }

    async fn users(&self, tenant: &TenantName) -> Result<Vec<User>> {
        let state = self.lock();
        let mut users: Vec<_> = state.directory.users.values().filter(|user| &user.tenant == tenant).cloned().collect();
        users.sort_by_key(|user| user.username.to_lowercase());
        Ok(users)
    }
}

/// Since when each record is as it is, and since when others are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Feed {
    changed: BTreeMap<Name, u64>,
    /// What was deleted, whether or not it was put again.
    gone: BTreeMap<Name, u64>,
    /// What was deleted up to this version is not known any more.
    floor: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Tenant(TenantName),
    Api(TenantName, Resource),
    Client(TenantName, ClientId),
    Policy(TenantName, String),
    Key(TenantName, String),
}

impl Feed {
    fn note(&mut self, change: &Change, version: u64) {
        let (name, deleted) = match change {
            Change::PutTenant(tenant) => (Name::Tenant(tenant.name.clone()), false),
            Change::PutApi(api) => (Name::Api(api.tenant.clone(), api.audience.clone()), false),
            Change::PutClient(Client { metadata, .. }) => {
                (Name::Client(metadata.tenant.clone(), metadata.client_id.clone()), false)
            }
            Change::PutPolicy(policy) => (Name::Policy(policy.tenant.clone(), policy.name.clone()), false),
            Change::PutKey(key) => (Name::Key(key.tenant.clone(), key.kid.clone()), false),
            Change::DeleteTenant(tenant) => (Name::Tenant(tenant.clone()), true),
            Change::DeleteApi(tenant, audience) => (Name::Api(tenant.clone(), audience.clone()), true),
            Change::DeleteClient(tenant, client) => (Name::Client(tenant.clone(), client.clone()), true),
            Change::DeletePolicy(tenant, name) => (Name::Policy(tenant.clone(), name.clone()), true),
            Change::DeleteKey(tenant, kid) => (Name::Key(tenant.clone(), kid.clone()), true),
            Change::PutUser(_) | Change::DeleteUser(..) => return,
        };
        if let (Name::Tenant(tenant), true) = (&name, deleted) {
            self.changed.retain(|name, _| name.tenant() != tenant);
        }
        if deleted {
            self.changed.remove(&name);
            self.gone.insert(name, version);
            self.forget(version.saturating_sub(KNOWN_VERSIONS));
        } else {
            self.changed.insert(name, version);
        }
    }

    fn forget(&mut self, until: u64) {
        let before = self.gone.len();
        self.gone.retain(|_, version| *version > until);
        if self.gone.len() < before {
            self.floor = until;
        }
    }
}

impl Name {
    fn tenant(&self) -> &TenantName {
        match self {
            Self::Tenant(tenant)
            | Self::Api(tenant, _)
            | Self::Client(tenant, _)
            | Self::Policy(tenant, _)
            | Self::Key(tenant, _) => tenant,
        }
    }

    fn delete(self) -> Change {
        match self {
            Self::Tenant(tenant) => Change::DeleteTenant(tenant),
            Self::Api(tenant, audience) => Change::DeleteApi(tenant, audience),
            Self::Client(tenant, client) => Change::DeleteClient(tenant, client),
            Self::Policy(tenant, name) => Change::DeletePolicy(tenant, name),
            Self::Key(tenant, kid) => Change::DeleteKey(tenant, kid),
        }
    }
}

impl DirectoryState {
    /// Tenants stand before what belongs to them, and what is gone before what is there.
    fn changes_since(&self, since: u64) -> Vec<Change> {
        let gone = self.feed.gone.iter().filter(|(_, version)| **version > since);
        let changed = self.feed.changed.iter().filter(|(_, version)| **version > since);
        let puts = changed.filter_map(|(name, _)| self.put(name));
        gone.map(|(name, _)| name.clone().delete()).chain(puts).collect()
    }

    fn put(&self, name: &Name) -> Option<Change> {
        Some(match name.clone() {
            Name::Tenant(tenant) => Change::PutTenant(self.tenants.get(&tenant)?.clone()),
            Name::Api(tenant, audience) => Change::PutApi(self.apis.get(&(tenant, audience))?.clone()),
            Name::Client(tenant, client) => Change::PutClient(self.clients.get(&(tenant, client))?.clone()),
            Name::Policy(tenant, name) => Change::PutPolicy(self.policies.get(&(tenant, name))?.clone()),
            Name::Key(tenant, kid) => Change::PutKey(self.keys.get(&(tenant, kid))?.clone()),
        })
    }

    fn apply(&mut self, change: &Change) -> Result<()> {
        match change {
            Change::PutTenant(tenant) => drop(self.tenants.insert(tenant.name.clone(), tenant.clone())),
            Change::PutApi(api) => drop(self.apis.insert((api.tenant.clone(), api.audience.clone()), api.clone())),
            Change::PutClient(client) => {
                let name = (client.metadata.tenant.clone(), client.metadata.client_id.clone());
                self.clients.insert(name, client.clone());
            }
            Change::PutUser(user) => self.put_user(user)?,
            Change::PutPolicy(policy) => {
                self.policies.insert((policy.tenant.clone(), policy.name.clone()), policy.clone());
            }
            Change::PutKey(key) => drop(self.keys.insert((key.tenant.clone(), key.kid.clone()), key.clone())),
            Change::DeleteTenant(tenant) => self.delete_tenant(tenant),
            Change::DeleteApi(tenant, audience) => drop(self.apis.remove(&(tenant.clone(), audience.clone()))),
            Change::DeleteClient(tenant, client) => drop(self.clients.remove(&(tenant.clone(), client.clone()))),
            Change::DeleteUser(tenant, subject) => drop(self.users.remove(&(tenant.clone(), subject.clone()))),
            Change::DeletePolicy(tenant, name) => drop(self.policies.remove(&(tenant.clone(), name.clone()))),
            Change::DeleteKey(tenant, kid) => drop(self.keys.remove(&(tenant.clone(), kid.clone()))),
        }
        Ok(())
    }

    fn put_user(&mut self, user: &User) -> Result<()> {
        let folded = user.username.to_lowercase();
        let others = |other: &&User| other.tenant == user.tenant && other.sub != user.sub;
        if self.users.values().filter(others).any(|other| other.username.to_lowercase() == folded) {
            return Err(StoreError::Taken(format!("username {:?}", user.username)));
        }
        self.users.insert((user.tenant.clone(), user.sub.clone()), user.clone());
        Ok(())
    }

    fn delete_tenant(&mut self, tenant: &TenantName) {
        self.tenants.remove(tenant);
        self.apis.retain(|(at, _), _| at != tenant);
        self.clients.retain(|(at, _), _| at != tenant);
        self.policies.retain(|(at, _), _| at != tenant);
        self.keys.retain(|(at, _), _| at != tenant);
        self.users.retain(|(at, _), _| at != tenant);
    }
}

impl State {
    fn forget_what_hung_on(&mut self, change: &Change) {
        match change {
            Change::DeleteTenant(tenant) => self.forget_tenant(tenant),
            Change::DeleteClient(tenant, client) => self.forget_client(tenant, client),
            Change::DeleteUser(tenant, subject) => self.forget_user(tenant, subject),
            Change::PutTenant(_)
            | Change::PutApi(_)
            | Change::PutClient(_)
            | Change::PutUser(_)
            | Change::PutPolicy(_)
            | Change::PutKey(_)
            | Change::DeleteApi(..)
            | Change::DeletePolicy(..)
            | Change::DeleteKey(..) => {}
        }
    }

    /// The audit log is append-only and keeps its rows.
    fn forget_tenant(&mut self, tenant: &TenantName) {
        self.grants.retain(|(at, _), _| at != tenant);
        self.spent_codes.retain(|(at, _), _| at != tenant);
        self.devices.retain(|(at, _), _| at != tenant);
        self.statuses.retain(|(at, _), _| at != tenant);
        self.revoked_tokens.retain(|(at, _), _| at != tenant);
        self.cutoffs.retain(|(at, _), _| at != tenant);
        self.sessions.retain(|(at, _), _| at != tenant);
        self.consents.retain(|(at, _, _), _| at != tenant);
        self.remembered.retain(|(at, _, _), _| at != tenant);
        self.uses.retain(|(at, _, _), _| at != tenant);
        self.workspaces.retain(|(at, _), _| at != tenant);
        self.items.retain(|(at, _, _), _| at != tenant);
    }

    fn forget_client(&mut self, tenant: &TenantName, client: &ClientId) {
        self.drop_grants(tenant, GrantsOf::Client(client));
        self.consents.retain(|(at, _, of), _| at != tenant || of != client);
        self.uses.retain(|(at, of, _), _| at != tenant || of != client);
    }

    fn forget_user(&mut self, tenant: &TenantName, subject: &Subject) {
        self.drop_grants(tenant, GrantsOf::Subject(subject));
        self.consents.retain(|(at, by, _), _| at != tenant || by != subject);
        self.sessions.retain(|(at, _), session| at != tenant || &session.subject != subject);
        self.clear_desk_of(tenant, subject);
    }
}
