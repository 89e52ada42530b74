//! The directory as one immutable value, indexed for the hot path.

use super::{Api, KeyRecord, Policy, Tenant};
use crate::client::Client;
use crate::value::{ClientId, Resource, ScopeToken, TenantName};
use std::collections::HashMap;
use std::sync::Arc;

/// Everything declared, except users, as it is stored.
#[derive(Clone, Debug, Default)]
pub struct DirectoryRecords {
    /// Grows with every change.
    pub version: u64,
    /// Every tenant.
    pub tenants: Vec<Tenant>,
    /// Every API.
    pub apis: Vec<Api>,
    /// Every client.
    pub clients: Vec<Client>,
    /// Every policy.
    pub policies: Vec<Policy>,
    /// Every key.
    pub keys: Vec<KeyRecord>,
}

/// One tenant's part of the directory.
#[derive(Debug)]
pub struct Directory {
    /// The tenant itself.
    pub tenant: Tenant,
    apis: Vec<Arc<Api>>,
    clients: HashMap<ClientId, Arc<Client>>,
    policies: Vec<Policy>,
}

impl Directory {
    /// Sorts the records of all tenants into one directory each.
    pub fn by_tenant(records: &DirectoryRecords) -> HashMap<TenantName, Self> {
        let mut all: HashMap<TenantName, Self> = records
            .tenants
            .iter()
            .map(|tenant| {
                let empty =
                    Self { tenant: tenant.clone(), apis: Vec::new(), clients: HashMap::new(), policies: Vec::new() };
                (tenant.name.clone(), empty)
            })
            .collect();
        for api in &records.apis {
            if let Some(directory) = all.get_mut(&api.tenant) {
                directory.apis.push(Arc::new(api.clone()));
            }
        }
        for client in &records.clients {
            if let Some(directory) = all.get_mut(&client.metadata.tenant) {
                let mut client = client.clone();
                client.metadata.profile = directory.tenant.profile_of(&client.metadata);
                directory.clients.insert(client.metadata.client_id.clone(), Arc::new(client));
            }
        }
        for policy in &records.policies {
            if let Some(directory) = all.get_mut(&policy.tenant) {
                directory.policies.push(policy.clone());
            }
        }
        for directory in all.values_mut() {
            directory.policies.sort_by(|a, b| (a.priority, &a.name).cmp(&(b.priority, &b.name)));
        }
        all
    }

    /// The API with this audience.
    pub fn api(&self, audience: &Resource) -> Option<&Arc<Api>> {
        self.apis.iter().find(|api| &api.audience == audience)
    }

    /// Every API, in the order of the records.
    pub fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.apis.iter()
    }

    /// The APIs that define a scope.
    pub fn apis_with_scope<'a>(&'a self, scope: &'a ScopeToken) -> impl Iterator<Item = &'a Arc<Api>> {
        self.apis.iter().filter(move |api| api.find_scope(scope.as_str()).is_some())
    }

    /// The client with this identifier, disabled or not.
    pub fn client(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.clients.get(id)
    }

    /// Every client, in no order.
    pub fn clients(&self) -> impl Iterator<Item = &Arc<Client>> {
        self.clients.values()
    }

    /// The policies that guard an API, in the order in which they are tried.
    pub fn policies<'a>(&'a self, api: &'a Resource) -> impl Iterator<Item = &'a Policy> {
        self.policies.iter().filter(move |policy| &policy.api == api)
    }
}
