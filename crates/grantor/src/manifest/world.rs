//! What there is: what the manifest declares, and behind it what the store holds.

use super::Manifest;
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::directory::{Api, DirectoryRecords, Tenant, User};
use grantor_protocol::value::{ClientId, Resource, Subject, TenantName};
use grantor_store::{Result, Store};
use std::collections::BTreeSet;

/// What the store holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// Everything but users.
    pub(super) records: DirectoryRecords,
    /// The users of the tenants that the manifest has users for.
    pub(super) users: Vec<User>,
}

impl Held {
    /// What the manifest is compared with.
    pub(super) async fn load(store: &dyn Store, manifest: &Manifest) -> Result<Self> {
        let records = store.directory().await?;
        let tenants: BTreeSet<&TenantName> = manifest.users.iter().map(|user| &user.record.account.tenant).collect();
        let mut users = Vec::new();
        for tenant in tenants {
            users.extend(store.users(tenant).await?);
        }
        Ok(Self { records, users })
    }

    /// The client of this name.
    pub(super) fn client(&self, metadata: &ClientMetadata) -> Option<&Client> {
        let mut all = self.records.clients.iter();
        all.find(|it| it.metadata.tenant == metadata.tenant && it.metadata.client_id == metadata.client_id)
    }

    /// The user with this subject.
    pub(super) fn user(&self, tenant: &TenantName, subject: &Subject) -> Option<&User> {
        self.users.iter().find(|user| user.tenant == *tenant && user.sub == *subject)
    }

    /// The user of this name, without regard to case.
    pub(super) fn user_by_name(&self, tenant: &TenantName, username: &str) -> Option<&User> {
        let folded = username.to_lowercase();
        self.users.iter().find(|user| user.tenant == *tenant && user.username.to_lowercase() == folded)
    }
}

/// Both together, as they will be.
pub(super) struct World<'a> {
    /// What is declared.
    pub(super) manifest: &'a Manifest,
    /// What is held.
    pub(super) held: &'a Held,
}

impl<'a> World<'a> {
    /// The tenant of this name; the default one always exists. With whether its declaration is in doubt.
    pub(super) fn tenant(&self, name: &TenantName) -> Option<(Tenant, bool)> {
        let declared = self.manifest.tenants.iter().find(|tenant| tenant.record.name == *name);
        declared
            .map(|tenant| (tenant.record.clone(), tenant.node.tainted))
            .or_else(|| {
                let held = self.held.records.tenants.iter().find(|tenant| tenant.name == *name)?;
                Some((held.clone(), false))
            })
            .or_else(|| name.is_default().then(|| (Tenant::new(name.clone()), false)))
    }

    /// Every tenant's name.
    pub(super) fn tenants(&self) -> BTreeSet<&'a str> {
        let declared = self.manifest.tenants.iter().map(|tenant| tenant.record.name.as_str());
        let held = self.held.records.tenants.iter().map(|tenant| tenant.name.as_str());
        declared.chain(held).chain([TenantName::DEFAULT]).collect()
    }

    /// Every API of a tenant. With whether its declaration is in doubt.
    pub(super) fn apis(&self, tenant: &TenantName) -> Vec<(&'a Api, bool)> {
        let declared: Vec<(&Api, bool)> = self
            .manifest
            .apis
            .iter()
            .filter(|api| api.record.tenant == *tenant)
            .map(|api| (&api.record, api.node.tainted))
            .collect();
        let held = self.held.records.apis.iter().filter(|api| {
            api.tenant == *tenant && !declared.iter().any(|(declared, _)| declared.audience == api.audience)
        });
        let held: Vec<(&Api, bool)> = held.map(|api| (api, false)).collect();
        declared.into_iter().chain(held).collect()
    }

    /// The API with this audience.
    pub(super) fn api(&self, tenant: &TenantName, audience: &Resource) -> Option<(&'a Api, bool)> {
        self.apis(tenant).into_iter().find(|(api, _)| api.audience == *audience)
    }

    /// Every client of a tenant.
    pub(super) fn clients(&self, tenant: &TenantName) -> BTreeSet<&'a ClientId> {
        let declared = self.manifest.clients.iter().map(|client| &client.record.metadata);
        let held = self.held.records.clients.iter().map(|client| &client.metadata);
        declared.chain(held).filter(|client| client.tenant == *tenant).map(|client| &client.client_id).collect()
    }
}
