//! What has to change: the manifest compared with the store.

use super::keeper::Keeper;
use super::secret::{self, hash_chosen};
use super::world::Held;
use super::{Account, ClientDeclaration, Manifest, UserDeclaration};
use crate::failure::Result;
use crate::fresh;
use grantor_login::password;
use grantor_protocol::client::Client;
use grantor_protocol::directory::{Tenant, User};
use grantor_protocol::value::{ClientId, Secret, Subject, TenantName, UnixTime};
use grantor_server::MasterKey;
use grantor_store::Change;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What has to change.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// For the store.
    pub(super) changes: Vec<Change>,
    /// For people, unchanged records too.
    pub(super) steps: Vec<Step>,
    /// To be shown once.
    pub(super) generated: Vec<(TenantName, ClientId, Secret)>,
}

/// What happens to one record.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Where.
    pub(crate) tenant: TenantName,
    /// Which sort of record.
    pub(crate) kind: Kind,
    /// Which one.
    pub(crate) name: String,
    /// What.
    pub(crate) what: What,
}

/// The sorts of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is its record")]
pub(crate) enum Kind {
    Tenant,
    Api,
    Client,
    User,
    Policy,
}

/// What happens to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// It is new.
    Created,
    /// These of its members are different.
    Changed(Vec<String>),
    /// It is as it was.
    Unchanged,
    /// It goes.
    Deleted,
}

impl Kind {
    /// In words.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Api => "api",
            Self::Client => "client",
            Self::User => "user",
            Self::Policy => "policy",
        }
    }
}

impl Step {
    /// In a sentence.
    pub(crate) fn sentence(&self) -> String {
        let (kind, name) = (self.kind.as_str(), &self.name);
        match &self.what {
            What::Created => format!("Created the {kind} {name}."),
            What::Changed(fields) => format!("Changed the {kind} {name}: {}.", fields.join(", ")),
            What::Unchanged => format!("Nothing to change at the {kind} {name}."),
            What::Deleted => format!("Deleted the {kind} {name}."),
        }
    }
}

impl What {
    /// In words.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed(_) => "changed",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }

    fn compare<T: Serialize + PartialEq>(held: Option<&T>, declared: &T) -> Self {
        match held {
            None => Self::Created,
            Some(held) if held == declared => Self::Unchanged,
            Some(held) => Self::Changed(differing(held, declared)),
        }
    }
}

impl Plan {
    /// Compares. With `prune`, what the tenants of the manifest have beyond it goes, users and tenants excepted.
    pub(super) fn new(
        manifest: &Manifest,
        held: &Held,
        prune: bool,
        master: Option<&MasterKey>,
        now: UnixTime,
    ) -> Result<Self> {
        let mut plan = Self::default();
        let has_default = held.records.tenants.iter().any(|tenant| tenant.name.is_default());
        if !has_default && !manifest.tenants.iter().any(|tenant| tenant.record.name.is_default()) {
            plan.changes.push(Change::PutTenant(Tenant::new(TenantName::default())));
        }
        for tenant in manifest.tenants.iter().map(|declared| &declared.record) {
            let before = held.records.tenants.iter().find(|held| held.name == tenant.name);
            let tenant = &with_tokens(tenant, before);
            let what = What::compare(before, tenant);
            plan.put(&tenant.name, Kind::Tenant, &tenant.name, what, || Change::PutTenant(tenant.clone()));
        }
        for client in manifest.clients.iter().map(|declared| &declared.record) {
            plan.client(client, held, master, now)?;
        }
        for api in manifest.apis.iter().map(|declared| &declared.record) {
            let before =
                held.records.apis.iter().find(|held| held.tenant == api.tenant && held.audience == api.audience);
            plan.put(&api.tenant, Kind::Api, &api.audience, What::compare(before, api), || Change::PutApi(api.clone()));
        }
        for policy in manifest.policies.iter().map(|declared| &declared.record) {
            let before =
                held.records.policies.iter().find(|held| held.tenant == policy.tenant && held.name == policy.name);
            let what = What::compare(before, policy);
            plan.put(&policy.tenant, Kind::Policy, &policy.name, what, || Change::PutPolicy(policy.clone()));
        }
        for user in manifest.users.iter().map(|declared| &declared.record) {
            plan.user(user, held)?;
        }
        if prune {
            plan.prune(manifest, held);
        }
        Ok(plan)
    }

    fn put(
        &mut self,
        tenant: &TenantName,
        kind: Kind,
        name: &impl ToString,
        what: What,
        change: impl FnOnce() -> Change,
    ) {
        if what != What::Unchanged {
            self.changes.push(change());
        }
        self.steps.push(Step { tenant: tenant.clone(), kind, name: name.to_string(), what });
    }

    fn client(
        &mut self,
        declared: &ClientDeclaration,
        held: &Held,
        master: Option<&MasterKey>,
        now: UnixTime,
    ) -> Result<()> {
        let metadata = &declared.metadata;
        let before = held.client(metadata);
        let secrets_before = before.map_or(&[][..], |client| client.secrets.as_slice());
        let settled = secret::settle(&declared.secrets, &Keeper::new(metadata, master), secrets_before, now)?;
        let issued_at = before.map(|client| client.issued_at).or(declared.secrets.client_id_issued_at).unwrap_or(now);
        let after = Client { metadata: metadata.clone(), secrets: settled.secrets, issued_at };
        let what = match before {
            None => What::Created,
            Some(before) if *before == after => What::Unchanged,
            Some(before) => {
                let mut fields = differing(&before.metadata, metadata);
                if before.secrets != after.secrets {
                    fields.push("client_secret".to_owned());
                }
                What::Changed(fields)
            }
        };
        if let Some(secret) = settled.generated {
            self.generated.push((metadata.tenant.clone(), metadata.client_id.clone(), secret));
        }
        self.put(&metadata.tenant, Kind::Client, &metadata.client_id, what, || Change::PutClient(after));
        Ok(())
    }

    fn user(&mut self, declared: &UserDeclaration, held: &Held) -> Result<()> {
        let account = &declared.account;
        let before = match &account.sub {
            Some(sub) => held.user(&account.tenant, sub),
            None => held.user_by_name(&account.tenant, &account.username),
        };
        let after = user_after(account, declared, before)?;
        let what = match before {
            Some(before) if *before != after => {
                // The claims are one member of the record, and many of the manifest.
                let mut fields = differing(before, &after);
                fields.retain(|field| field != "claims");
                fields.extend(differing(&before.claims, &after.claims));
                What::Changed(fields.into_iter().map(|field| field.replace("password_hash", "password")).collect())
            }
            _ => What::compare(before, &after),
        };
        self.put(&account.tenant, Kind::User, &account.username, what, || Change::PutUser(after));
        Ok(())
    }

    fn prune(&mut self, manifest: &Manifest, held: &Held) {
        let tenants = pruned_tenants(manifest);
        let here = |tenant: &TenantName| tenants.contains(tenant);
        let deleted =
            |tenant: &TenantName, kind, name: String| Step { tenant: tenant.clone(), kind, name, what: What::Deleted };
        for policy in held.records.policies.iter().filter(|policy| here(&policy.tenant)) {
            if !manifest.policies.iter().any(|it| it.record.tenant == policy.tenant && it.record.name == policy.name) {
                self.changes.push(Change::DeletePolicy(policy.tenant.clone(), policy.name.clone()));
                self.steps.push(deleted(&policy.tenant, Kind::Policy, policy.name.clone()));
            }
        }
        for api in held.records.apis.iter().filter(|api| here(&api.tenant)) {
            if !manifest.apis.iter().any(|it| it.record.tenant == api.tenant && it.record.audience == api.audience) {
                self.changes.push(Change::DeleteApi(api.tenant.clone(), api.audience.clone()));
                self.steps.push(deleted(&api.tenant, Kind::Api, api.audience.to_string()));
            }
        }
        for client in held
            .records
            .clients
            .iter()
            .map(|client| &client.metadata)
            .filter(|it| here(&it.tenant) && it.origin.is_declared())
        {
            let declared = manifest.clients.iter().map(|it| &it.record.metadata);
            if !declared.into_iter().any(|it| it.tenant == client.tenant && it.client_id == client.client_id) {
                self.changes.push(Change::DeleteClient(client.tenant.clone(), client.client_id.clone()));
                self.steps.push(deleted(&client.tenant, Kind::Client, client.client_id.to_string()));
            }
        }
    }
}

/// A manifest that says nothing of the tokens with which clients are registered leaves them as they are.
fn with_tokens(declared: &Tenant, before: Option<&Tenant>) -> Tenant {
    let mut tenant = declared.clone();
    let tokens = &mut tenant.registration.initial_access_tokens;
    if let Some(before) = before.filter(|_| tokens.is_empty()) {
        tokens.clone_from(&before.registration.initial_access_tokens);
    }
    tenant
}

/// The tenants that a manifest speaks of.
pub(super) fn pruned_tenants(manifest: &Manifest) -> BTreeSet<TenantName> {
    let tenants = manifest.tenants.iter().map(|it| &it.record.name);
    let apis = manifest.apis.iter().map(|it| &it.record.tenant);
    let clients = manifest.clients.iter().map(|it| &it.record.metadata.tenant);
    let policies = manifest.policies.iter().map(|it| &it.record.tenant);
    tenants.chain(apis).chain(clients).chain(policies).cloned().collect()
}

fn user_after(account: &Account, declared: &UserDeclaration, before: Option<&User>) -> Result<User> {
    let held_hash = before.and_then(|user| user.password_hash.clone());
    let password_hash = match (&account.password, &account.password_hash) {
        (Some(password), _) => match held_hash {
            Some(held) if password::verify(password.expose(), &held) => Some(held),
            _ => Some(hash_chosen(password)?),
        },
        (None, Some(hash)) => Some(hash.clone()),
        (None, None) => held_hash,
    };
    let sub = match (account.sub.clone(), before) {
        (Some(sub), _) => sub,
        (None, Some(before)) => before.sub.clone(),
        (None, None) => fresh_subject()?,
    };
    Ok(User {
        tenant: account.tenant.clone(),
        sub,
        username: account.username.clone(),
        password_hash,
        administrator: account.administrator,
        disabled: account.disabled,
        roles: account.roles.clone(),
        claims: declared.claims.clone(),
    })
}

fn fresh_subject() -> Result<Subject> {
    let made = fresh::uuid()?;
    Subject::parse(&made).ok_or_else(|| crate::failure::Failure::new(format!("{made} is no subject")))
}

/// The members that are not the same.
pub(crate) fn differing<T: Serialize>(before: &T, after: &T) -> Vec<String> {
    let (before, after) = (members(before), members(after));
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned().collect()
}

fn members<T: Serialize>(record: &T) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}
