//! The directory as values that share what they have in common, indexed for the hot path.

mod undeclared;

use super::api::FEW;
use super::{Api, ClientRecord, KeyRecord, Named, ParsedClients, Policy, Table, Tenant};
use crate::client::Client;
use crate::made::Made;
use crate::value::{ClientId, Resource, ScopeToken, TenantName, look_at};
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

/// The same as a server wants it: clients are texts, so that a hundred thousand of them are read in a moment.
#[derive(Clone, Debug, Default)]
pub struct PackedDirectory {
    /// Everything but the clients.
    pub records: DirectoryRecords,
    /// Every client, by tenant; a tenant may come several times.
    pub clients: Vec<(TenantName, Vec<ClientRecord>)>,
}

/// One tenant's part of the directory. A copy shares every record with the original.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The tenant itself.
    pub tenant: Arc<Tenant>,
    /// In order of their audiences.
    apis: Vec<Arc<Api>>,
    /// In the order in which they are tried.
    policies: Vec<Arc<Policy>>,
    clients: Table<ClientRecord>,
    secrets: Secrets,
    registered: usize,
    parsed: Arc<ParsedClients>,
    /// The client that was asked for first. Most tenants have one or a few: where there are thousands of tenants, each step
    /// to a client that is saved is a wait for memory.
    first: Made<Arc<Client>>,
    index: Made<Index>,
}

/// What is found by more than a name. An idle tenant has none.
#[derive(Default)]
struct Index {
    apis: HashMap<Resource, usize>,
    scopes: HashMap<ScopeToken, Vec<usize>>,
    policies: HashMap<Resource, Vec<usize>>,
}

/// How many clients have secrets.
#[derive(Clone, Copy, Debug, Default)]
struct Secrets {
    any: u64,
    slow: u64,
}

/// How many clients stay parsed where nobody says it.
const PARSED: usize = 100;

impl PackedDirectory {
    /// Of records that are at hand.
    pub fn of(mut records: DirectoryRecords) -> Result<Self, serde_json::Error> {
        let mut clients: Vec<(TenantName, Vec<ClientRecord>)> = Vec::new();
        for client in std::mem::take(&mut records.clients) {
            let record = ClientRecord::of(&client)?;
            match clients.last_mut().filter(|(tenant, _)| *tenant == client.metadata.tenant) {
                Some((_, of_tenant)) => of_tenant.push(record),
                None => clients.push((client.metadata.tenant, vec![record])),
            }
        }
        Ok(Self { records, clients })
    }
}

impl Directory {
    /// A tenant that has nothing yet. `parsed` may be one for all tenants.
    pub fn new(tenant: Tenant, parsed: Arc<ParsedClients>) -> Self {
        Self {
            tenant: Arc::new(tenant),
            apis: Vec::new(),
            policies: Vec::new(),
            clients: Table::default(),
            secrets: Secrets::default(),
            registered: 0,
            parsed,
            first: Made::default(),
            index: Made::default(),
        }
    }

    /// Sorts the records of all tenants into one directory each.
    pub fn of_all(packed: PackedDirectory, parsed: &Arc<ParsedClients>) -> HashMap<TenantName, Self> {
        let PackedDirectory { records, clients } = packed;
        let new = |tenant: Tenant| (tenant.name.clone(), Self::new(tenant, Arc::clone(parsed)));
        let mut all: HashMap<TenantName, Self> = records.tenants.into_iter().map(new).collect();
        for api in records.apis {
            if let Some(directory) = all.get_mut(&api.tenant) {
                directory.put_api(api);
            }
        }
        for policy in records.policies {
            if let Some(directory) = all.get_mut(&policy.tenant) {
                directory.put_policy(policy);
            }
        }
        for (tenant, clients) in clients {
            let Some(directory) = all.get_mut(&tenant) else { continue };
            if directory.clients.is_empty() {
                directory.clients = Table::with_capacity(clients.len());
            }
            for client in clients {
                directory.put_client(client);
            }
        }
        all
    }

    /// The same of records that are at hand; a client that cannot be written down is left out.
    pub fn by_tenant(records: &DirectoryRecords) -> HashMap<TenantName, Self> {
        let packed = PackedDirectory::of(records.clone()).unwrap_or_default();
        Self::of_all(packed, &Arc::new(ParsedClients::new(PARSED)))
    }

    /// Replaces the tenant itself.
    pub fn put_tenant(&mut self, tenant: Tenant) {
        self.tenant = Arc::new(tenant);
        self.first = Made::default();
    }

    /// Puts an API in the place of that with its audience.
    pub fn put_api(&mut self, api: Api) {
        api.index();
        match self.apis.binary_search_by(|known| known.audience.cmp(&api.audience)) {
            Ok(at) => drop(self.apis.get_mut(at).map(|known| *known = Arc::new(api))),
            Err(at) => self.apis.insert(at, Arc::new(api)),
        }
        self.index = Made::default();
    }

    /// Takes an API out.
    pub fn delete_api(&mut self, audience: &Resource) {
        self.apis.retain(|api| &api.audience != audience);
        self.index = Made::default();
    }

    /// Puts a policy in the place of that with its name.
    pub fn put_policy(&mut self, policy: Policy) {
        self.delete_policy(&policy.name);
        let order = |policy: &Policy| (policy.priority, policy.name.clone());
        let at = self.policies.partition_point(|known| order(known) < order(&policy));
        self.policies.insert(at, Arc::new(policy));
    }

    /// Takes a policy out.
    pub fn delete_policy(&mut self, name: &str) {
        self.policies.retain(|policy| policy.name != name);
        self.index = Made::default();
    }

    /// Puts a client in the place of that with its identifier.
    pub fn put_client(&mut self, client: ClientRecord) {
        self.secrets.count(&client);
        self.registered += usize::from(client.may_be_registered());
        self.first = Made::default();
        if let Some(before) = self.clients.put(client) {
            self.uncount(&before);
        }
    }

    /// Takes a client out.
    pub fn delete_client(&mut self, client: &ClientId) {
        self.first = Made::default();
        if let Some(before) = self.clients.take(client.as_str()) {
            self.uncount(&before);
        }
    }

    fn uncount(&mut self, before: &ClientRecord) {
        self.secrets.uncount(before);
        self.registered = self.registered.saturating_sub(usize::from(before.may_be_registered()));
    }

    /// The API with this audience.
    pub fn api(&self, audience: &Resource) -> Option<&Arc<Api>> {
        if self.apis.len() <= FEW {
            return self.apis.iter().find(|api| &api.audience == audience);
        }
        self.apis.get(*self.index().apis.get(audience)?)
    }

    /// Reads a little of what the next request may need, here and there: see `Tenancy::look_around`. What it gives means
    /// nothing.
    pub fn look_around(&self) -> usize {
        let client = match self.first.get() {
            Some(first) => first.look_around() ^ Arc::strong_count(first),
            None => self.clients.look_around(ClientRecord::look_at),
        };
        let api = self.apis.first().map_or(0, |api| {
            let at = |text: &str| look_at(text.as_bytes());
            let scopes = api.scopes.first().map_or(0, |scope| at(scope.name.as_str()));
            let ceilings = api.ceilings.first().map_or(0, |ceiling| {
                at(ceiling.client_id.as_str()) ^ ceiling.scope.iter().next().map_or(0, |token| at(token.as_str()))
            });
            let index = usize::from(api.ceilings_by_client.get().is_some());
            scopes ^ ceilings ^ index ^ usize::from(api.token.status_list) ^ at(api.audience.as_str())
        });
        client ^ api ^ self.policies.len()
    }

    /// Every API, in order of their audiences.
    pub fn apis(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.apis.iter()
    }

    /// The APIs that define a scope.
    pub fn apis_with_scope(&self, scope: &ScopeToken) -> impl Iterator<Item = &Arc<Api>> {
        let places = self.index().scopes.get(scope).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.apis.get(*at))
    }

    /// The client with this identifier, disabled or not, held to the profiles and the policy of the tenant. None too when
    /// its record cannot be read. A client that describes itself in a document is there while the document was read lately.
    pub fn client(&self, id: &ClientId) -> Option<Arc<Client>> {
        if let Some(first) = self.first(id) {
            return Some(Arc::clone(first));
        }
        match self.clients.get(id.as_str()) {
            Some(record) => self.parsed.get(record, &self.tenant).inspect(|client| {
                std::hint::black_box(client.look_around());
                self.first.get_or_make(|| Arc::clone(client));
            }),
            None if self.may_have_document(id) => self.parsed.of_document(id, &self.tenant),
            None => None,
        }
    }

    /// The client that was asked for first, if it is the one with this identifier.
    fn first(&self, id: &ClientId) -> Option<&Arc<Client>> {
        self.first.get().filter(|first| first.metadata.client_id == *id)
    }

    /// Whether there is a client with this identifier that is not disabled. It need not be parsed for that.
    pub fn has_enabled_client(&self, id: &ClientId) -> bool {
        if let Some(first) = self.first(id) {
            return !first.metadata.disabled;
        }
        // What a document says is not asked for: it is the policy that takes back what such a client has.
        let Some(record) = self.clients.get(id.as_str()) else { return self.may_have_document(id) };
        let certain = !record.may_be_disabled() && (self.registered == 0 || !record.may_be_registered());
        certain || self.client(id).is_some_and(|client| !client.metadata.disabled)
    }

    /// The clients that are disabled, by their records or by what the tenant allows those that registered themselves. Those
    /// that describe themselves in documents are not among them.
    pub fn disabled_clients(&self) -> impl Iterator<Item = ClientId> {
        let may_be =
            |record: &&ClientRecord| record.may_be_disabled() || (self.registered > 0 && record.may_be_registered());
        let clients = self.clients.iter().filter(may_be).filter_map(|record| self.parsed.get(record, &self.tenant));
        clients.filter(|client| client.metadata.disabled).map(|client| client.metadata.client_id.clone())
    }

    /// The record of every client, in no order.
    pub fn clients(&self) -> impl Iterator<Item = &ClientRecord> {
        self.clients.iter()
    }

    /// How many of the clients with a secret have one with a slow hash, of 2^32.
    pub fn slow_share(&self) -> u32 {
        let Secrets { any, slow } = self.secrets;
        u32::try_from((slow << 32) / any.max(1)).unwrap_or(u32::MAX)
    }

    /// The policies that guard an API, in the order in which they are tried.
    pub fn policies(&self, api: &Resource) -> impl Iterator<Item = &Policy> {
        let guarded = (!self.policies.is_empty()).then(|| self.index().policies.get(api)).flatten();
        let places = guarded.map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.policies.get(*at)).map(|policy| &**policy)
    }

    fn index(&self) -> &Index {
        self.index.get_or_make(|| {
            let mut index = Index::default();
            for (at, api) in self.apis.iter().enumerate() {
                index.apis.insert(api.audience.clone(), at);
                for scope in &api.scopes {
                    let places = index.scopes.entry(scope.name.clone()).or_default();
                    if places.last() != Some(&at) {
                        places.push(at);
                    }
                }
            }
            for (at, policy) in self.policies.iter().enumerate() {
                index.policies.entry(policy.api.clone()).or_default().push(at);
            }
            index
        })
    }
}

impl Named for Directory {
    fn name(&self) -> &str {
        self.tenant.name.as_str()
    }
}

impl Secrets {
    fn count(&mut self, client: &ClientRecord) {
        let (any, slow) = Self::of(client);
        *self = Self { any: self.any + any, slow: self.slow + slow };
    }

    fn uncount(&mut self, client: &ClientRecord) {
        let (any, slow) = Self::of(client);
        *self = Self { any: self.any - any, slow: self.slow - slow };
    }

    fn of(client: &ClientRecord) -> (u64, u64) {
        (u64::from(client.may_have_a_secret()), u64::from(client.may_have_a_slow_hash()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientMetadata, SecretHash, StoredSecret};
    use crate::profile::Profile;
    use crate::value::UnixTime;
    use serde_json::json;

    fn directory() -> Directory {
        Directory::new(Tenant::new(TenantName::default()), Arc::new(ParsedClients::new(10)))
    }

    fn api(audience: &str, scopes: &[&str], ceilings: usize) -> Api {
        let scopes: Vec<_> = scopes.iter().map(|name| json!({ "name": name })).collect();
        let ceilings: Vec<_> = (0..ceilings).map(|n| json!({"client_id": format!("c{n}"), "scope": "a"})).collect();
        serde_json::from_value(json!({"audience": audience, "name": "", "scopes": scopes, "ceilings": ceilings}))
            .unwrap()
    }

    fn policy(name: &str, priority: u32, api: &str) -> Policy {
        serde_json::from_value(json!({"name": name, "priority": priority, "api": api})).unwrap()
    }

    fn client(id: &str, hash: Option<SecretHash>, disabled: bool) -> ClientRecord {
        let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse(id).unwrap());
        metadata.disabled = disabled;
        let secret = |hash| StoredSecret { hash, created: UnixTime::new(0), expires: None };
        let secrets = hash.map(secret).into_iter().collect();
        ClientRecord::of(&Client { metadata, secrets, issued_at: UnixTime::new(0) }).unwrap()
    }

    fn id(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    fn audience(uri: &str) -> Resource {
        Resource::parse(uri).unwrap()
    }

    #[test]
    fn apis_are_found_by_audience_and_by_scope_after_every_change() {
        let mut directory = directory();
        let read = ScopeToken::parse("read").unwrap();
        directory.put_api(api("https://b", &["read", "read"], 0));
        directory.put_api(api("https://a", &["read", "write"], 0));
        let with_read = |directory: &Directory| {
            directory.apis_with_scope(&read).map(|api| api.audience.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(with_read(&directory), ["https://a", "https://b"]);
        let before = directory.clone();
        directory.put_api(api("https://a", &["write"], 0));
        assert_eq!(with_read(&directory), ["https://b"]);
        directory.delete_api(&audience("https://b"));
        assert!(with_read(&directory).is_empty());
        assert_eq!(directory.api(&audience("https://b")), None);
        assert_eq!(directory.api(&audience("https://a")).unwrap().scopes.len(), 1);
        assert_eq!(with_read(&before), ["https://a", "https://b"], "a copy stays as it was");
    }

    #[test]
    fn policies_of_an_api_come_by_priority_and_name() {
        let mut directory = directory();
        for (name, priority) in [("b", 2), ("a", 2), ("z", 1), ("c", 3)] {
            directory.put_policy(policy(name, priority, "https://a"));
        }
        directory.put_policy(policy("other", 0, "https://b"));
        directory.put_policy(policy("c", 0, "https://a"));
        directory.delete_policy("b");
        let names: Vec<_> = directory.policies(&audience("https://a")).map(|policy| policy.name.as_str()).collect();
        assert_eq!(names, ["c", "z", "a"]);
    }

    #[test]
    fn a_ceiling_is_found_among_few_and_among_many() {
        for many in [1, FEW_AND_MORE] {
            let mut directory = directory();
            directory.put_api(api("https://a", &["a"], many));
            let api = directory.api(&audience("https://a")).unwrap();
            assert_eq!(api.ceilings_by_client.get().is_some(), many > 1);
            let last = format!("c{}", many - 1);
            assert_eq!(api.ceiling(&id(&last)).unwrap().client_id.as_str(), last);
            assert_eq!(api.ceiling(&id("nobody")), None);
            let mut changed = (**api).clone();
            changed.ceilings.clear();
            assert_eq!(changed.ceiling(&id(&last)), None, "a copy has no index of what it no longer says");
        }
    }

    #[test]
    fn an_api_is_found_among_few_and_among_many() {
        let mut directory = directory();
        for at in 0..2 * FEW {
            directory.put_api(api(&format!("https://{at}"), &["a"], 0));
            assert_eq!(directory.apis().count(), at + 1);
            for known in 0..=at {
                let found = directory.api(&audience(&format!("https://{known}"))).unwrap();
                assert_eq!(found.audience, audience(&format!("https://{known}")));
            }
            assert_eq!(directory.api(&audience("https://other")), None);
        }
    }

    const FEW_AND_MORE: usize = 1_000;

    #[test]
    fn the_client_that_was_asked_for_first_follows_every_change() {
        let mut directory = directory();
        let says = |directory: &Directory| {
            let client = directory.client(&id("a"))?;
            assert_eq!(directory.has_enabled_client(&id("a")), !client.metadata.disabled);
            Some((client.metadata.disabled, client.metadata.profile))
        };
        assert_eq!(says(&directory), None);
        directory.put_client(client("a", None, true));
        directory.put_client(client("b", None, false));
        let usual = ClientMetadata::new(TenantName::default(), id("a")).profile;
        assert_eq!(says(&directory), Some((true, usual)));
        assert!(Arc::ptr_eq(directory.first.get().unwrap(), &directory.client(&id("a")).unwrap()));
        assert_eq!(directory.client(&id("b")).unwrap().metadata.client_id, id("b"));
        assert!(directory.has_enabled_client(&id("b")));
        directory.put_client(client("a", None, false));
        assert_eq!(says(&directory), Some((false, usual)));
        let before = directory.clone();
        let mut strict = (*directory.tenant).clone();
        strict.profiles = vec![Profile::Fapi2];
        directory.put_tenant(strict);
        assert_eq!(says(&directory), Some((false, Profile::Fapi2)));
        directory.delete_client(&id("a"));
        assert_eq!(says(&directory), None);
        assert_eq!(says(&before), Some((false, usual)), "a copy stays as it was");
    }

    #[test]
    fn disabled_clients_are_there_but_not_enabled() {
        let mut directory = directory();
        directory.put_client(client("on", None, false));
        directory.put_client(client("off", None, true));
        assert!(directory.has_enabled_client(&id("on")) && directory.client(&id("on")).is_some());
        assert!(!directory.has_enabled_client(&id("off")) && directory.client(&id("off")).is_some());
        assert!(!directory.has_enabled_client(&id("none")) && directory.client(&id("none")).is_none());
        directory.delete_client(&id("on"));
        assert!(!directory.has_enabled_client(&id("on")));
    }

    #[test]
    fn the_share_of_slow_hashes_follows_the_clients() {
        let mut directory = directory();
        let (quick, slow) = (SecretHash::Sha256("x".into()), SecretHash::Phc("x".into()));
        assert_eq!(directory.slow_share(), 0);
        directory.put_client(client("a", Some(slow.clone()), false));
        assert_eq!(directory.slow_share(), u32::MAX);
        directory.put_client(client("b", Some(quick.clone()), false));
        directory.put_client(client("public", None, false));
        assert_eq!(directory.slow_share(), 1 << 31);
        directory.put_client(client("a", Some(quick), false));
        assert_eq!(directory.slow_share(), 0);
        directory.put_client(client("a", Some(slow), false));
        directory.delete_client(&id("b"));
        assert_eq!(directory.slow_share(), u32::MAX);
    }
}
