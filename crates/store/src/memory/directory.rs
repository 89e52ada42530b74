//! The directory in memory.

use super::{DirectoryState, MemoryStore, State};
use crate::{Change, Directories, GrantsOf, Result, StoreError};
use async_trait::async_trait;
use grantor_protocol::directory::{DirectoryRecords, User};
use grantor_protocol::value::{ClientId, Subject, TenantName};

#[async_trait]
impl Directories for MemoryStore {
    async fn directory_version(&self) -> Result<u64> {
        Ok(self.lock().directory.version)
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

    async fn directory_since(&self, _version: u64) -> Result<Option<(u64, Vec<Change>)>> {
        Ok(None)
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> Result<u64> {
        let mut state = self.lock();
        let found = state.directory.version;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(StoreError::Conflict { expected, found });
        }
        let mut next = state.directory.clone();
        changes.iter().try_for_each(|change| next.apply(change))?;
        next.version = found.saturating_add(1);
        state.directory = next;
        for change in &changes {
            state.forget_what_hung_on(change);
        }
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

impl DirectoryState {
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
        self.revoked_tokens.retain(|(at, _), _| at != tenant);
        self.cutoffs.retain(|(at, _), _| at != tenant);
        self.sessions.retain(|(at, _), _| at != tenant);
        self.consents.retain(|(at, _, _), _| at != tenant);
        self.remembered.retain(|(at, _, _), _| at != tenant);
        self.uses.retain(|(at, _, _), _| at != tenant);
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
    }
}
