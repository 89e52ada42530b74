//! The directory at one version, as it is served. The next version shares with it all that did not change.

use crate::keyring::{self, MasterKey, Want};
use crate::settings::Settings;
use crate::tenancy::{Certificates, Tenancy};
use grantor_protocol::directory::{
    ClientRecord, Directory, KeyKind, KeyRecord, PackedDirectory, ParsedClients, Table, Tenant,
};
use grantor_protocol::value::{Issuer, TenantName, UnixTime};
use grantor_store::Change;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Every tenant at one version of the directory.
#[derive(Clone)]
pub(crate) struct Snapshot {
    version: u64,
    tenants: Table<Arc<Tenancy>>,
    /// The keys that are needed and are not there yet.
    wanted: Vec<Want>,
    /// Whether there are records of tenants that are not declared: whoever declares one needs them.
    strays: bool,
    /// When a key next becomes active or ends.
    stale_at: UnixTime,
}

/// What tenancies are made with.
pub(crate) struct Making {
    issuer: Issuer,
    /// The URL of the listener for mutual TLS.
    mtls: Option<String>,
    /// Whether certificates are known, there or behind a proxy.
    certificates: bool,
    master: Arc<MasterKey>,
    parsed: Arc<ParsedClients>,
}

/// What a change leads to when the records at hand are not enough.
#[derive(Debug)]
pub(crate) struct ReadWhole;

/// How many clients stay parsed, at some 1,300 bytes each: ten thousand tenants that have one each are served from them.
const PARSED: usize = 12 * 1024;

impl Making {
    pub(crate) fn new(settings: &Settings, master: Arc<MasterKey>) -> Self {
        Self {
            issuer: settings.issuer.clone(),
            mtls: settings.mtls.as_ref().and_then(|mtls| mtls.public_url.clone()),
            certificates: settings.mtls.is_some() || settings.client_cert_header,
            master,
            parsed: Arc::new(ParsedClients::new(PARSED)),
        }
    }

    /// The address of an issuer at the listener for mutual TLS (RFC 8705 5).
    fn mtls_address(&self, issuer: &Issuer) -> Option<String> {
        let base = self.mtls.as_deref()?.trim_end_matches('/');
        let below_origin = issuer.as_str().strip_prefix(&issuer.origin())?;
        Some(format!("{base}{below_origin}"))
    }

    fn tenancy(&self, directory: Directory, mut keys: Vec<KeyRecord>, now: UnixTime) -> Tenancy {
        // Every node publishes them in the same order.
        keys.sort_by(|a, b| a.kid.cmp(&b.kid));
        let issuer = self.issuer.of_tenant(&directory.tenant.name);
        let certificates = Certificates { address: self.mtls_address(&issuer), known: self.certificates };
        Tenancy::new(issuer, directory, keys, now, certificates, Arc::clone(&self.master))
    }
}

/// A tenant that changes.
struct Touched {
    directory: Directory,
    /// Its keys, if one of them changes.
    keys: Option<Vec<KeyRecord>>,
    /// What the records that changed need.
    needs: Vec<KeyKind>,
    before: Option<Arc<Tenancy>>,
}

impl Snapshot {
    /// Nothing, before anything was read.
    pub(crate) fn empty() -> Self {
        Self { version: 0, tenants: Table::default(), wanted: Vec::new(), strays: false, stale_at: UnixTime::new(0) }
    }

    /// Of the whole directory.
    pub(crate) fn of(mut packed: PackedDirectory, making: &Making, now: UnixTime) -> Self {
        let strays = has_strays(&packed);
        let version = packed.records.version;
        let mut keys: HashMap<TenantName, Vec<KeyRecord>> = HashMap::new();
        for key in std::mem::take(&mut packed.records.keys) {
            keys.entry(key.tenant.clone()).or_default().push(key);
        }
        let all = Directory::of_all(packed, &making.parsed);
        let mut snapshot = Self { tenants: Table::with_capacity(all.len()), strays, version, ..Self::empty() };
        for (name, directory) in all {
            let keys = keys.remove(&name).unwrap_or_default();
            snapshot.wanted.extend(keyring::missing(&name, needs(&directory), &keys));
            snapshot.tenants.put(Arc::new(making.tenancy(directory, keys, now)));
        }
        snapshot.find_stale();
        snapshot
    }

    /// After changes that lead to `version`: only the tenants that they touch are made anew.
    pub(crate) fn changed(
        &self,
        version: u64,
        changes: Vec<Change>,
        making: &Making,
        now: UnixTime,
    ) -> Result<Self, ReadWhole> {
        let mut next = Self { version, ..self.clone() };
        let mut touched: HashMap<TenantName, Touched> = HashMap::new();
        for change in changes {
            match change {
                Change::DeleteTenant(tenant) => {
                    next.tenants.take(tenant.as_str());
                    next.wanted.retain(|want| want.tenant != tenant);
                    touched.remove(&tenant);
                }
                Change::PutTenant(tenant) => {
                    let known = match touched.remove(&tenant.name) {
                        Some(known) => Some(known),
                        None => next.tenants.get(tenant.name.as_str()).map(Touched::of),
                    };
                    if known.is_none() && next.strays {
                        return Err(ReadWhole);
                    }
                    let name = tenant.name.clone();
                    let mut known = known.unwrap_or_else(|| Touched::new(tenant.clone(), making));
                    known.directory.put_tenant(tenant);
                    touched.insert(name, known);
                }
                change => {
                    let Some(name) = owner(&change) else { continue };
                    if !touched.contains_key(&name) {
                        let Some(known) = next.tenants.get(name.as_str()) else {
                            next.strays = true;
                            continue;
                        };
                        touched.insert(name.clone(), Touched::of(known));
                    }
                    touched.get_mut(&name).map_or(Ok(()), |known| known.carry_out(change))?;
                }
            }
        }
        for (name, touched) in touched {
            next.settle(&name, touched, making, now);
        }
        next.find_stale();
        Ok(next)
    }

    /// At a moment at which other keys are in use.
    pub(crate) fn at(&self, now: UnixTime) -> Self {
        let mut next = self.clone();
        for tenancy in self.tenants.iter().filter(|tenancy| tenancy.stale_at() <= now) {
            next.tenants.put(Arc::new(tenancy.at(now)));
        }
        next.find_stale();
        next
    }

    /// The version that it is of.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Whether a key has become active or has ended meanwhile.
    pub(crate) fn is_stale(&self, now: UnixTime) -> bool {
        self.stale_at <= now
    }

    /// The tenant of this name, once it has keys.
    pub(crate) fn tenant(&self, name: &TenantName) -> Option<&Arc<Tenancy>> {
        self.tenants.get(name.as_str()).filter(|tenancy| tenancy.has_keys())
    }

    /// Every tenant, in no order.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = &Arc<Tenancy>> {
        self.tenants.iter()
    }

    /// Whether there is a tenant of this name, with or without keys.
    pub(crate) fn is_declared(&self, name: &TenantName) -> bool {
        self.tenants.get(name.as_str()).is_some()
    }

    /// The keys that are needed and are not there.
    pub(crate) fn wanted(&self) -> &[Want] {
        &self.wanted
    }

    fn settle(&mut self, name: &TenantName, touched: Touched, making: &Making, now: UnixTime) {
        let Touched { directory, keys, needs: newly, before } = touched;
        match (keys, before) {
            (None, Some(before)) => {
                self.wanted.extend(keyring::missing(name, newly.into_iter(), before.key_records()));
                self.tenants.put(Arc::new(before.with_directory(directory)));
            }
            (keys, _) => {
                let keys = keys.unwrap_or_default();
                self.wanted.retain(|want| &want.tenant != name);
                self.wanted.extend(keyring::missing(name, needs(&directory), &keys));
                self.tenants.put(Arc::new(making.tenancy(directory, keys, now)));
            }
        }
    }

    fn find_stale(&mut self) {
        self.stale_at = self.tenants.iter().map(|tenancy| tenancy.stale_at()).min().unwrap_or(UnixTime::FOREVER);
    }
}

impl Touched {
    fn new(tenant: Tenant, making: &Making) -> Self {
        let directory = Directory::new(tenant, Arc::clone(&making.parsed));
        Self { directory, keys: None, needs: Vec::new(), before: None }
    }

    fn of(tenancy: &Arc<Tenancy>) -> Self {
        let directory = tenancy.directory.clone();
        Self { directory, keys: None, needs: Vec::new(), before: Some(Arc::clone(tenancy)) }
    }

    fn carry_out(&mut self, change: Change) -> Result<(), ReadWhole> {
        match change {
            Change::PutApi(api) => {
                self.needs.push(keyring::wanted_by_api(&api));
                self.directory.put_api(api);
            }
            Change::PutClient(client) => {
                let client = ClientRecord::of(&client).map_err(|_| ReadWhole)?;
                self.needs.extend(keyring::wanted_by_client(&client));
                self.directory.put_client(client);
            }
            Change::PutPolicy(policy) => self.directory.put_policy(policy),
            Change::PutKey(key) => {
                let keys = self.keys();
                keys.retain(|known| known.kid != key.kid);
                keys.push(key);
            }
            Change::DeleteApi(_, audience) => self.directory.delete_api(&audience),
            Change::DeleteClient(_, client) => self.directory.delete_client(&client),
            Change::DeletePolicy(_, name) => self.directory.delete_policy(&name),
            Change::DeleteKey(_, kid) => self.keys().retain(|known| known.kid != kid),
            Change::PutTenant(_) | Change::DeleteTenant(_) | Change::PutUser(_) | Change::DeleteUser(..) => {}
        }
        Ok(())
    }

    fn keys(&mut self) -> &mut Vec<KeyRecord> {
        let before = self.before.as_ref();
        self.keys.get_or_insert_with(|| before.map(|tenancy| tenancy.key_records().to_vec()).unwrap_or_default())
    }
}

/// Whose record it is that changes; none of a tenant itself, and of a user.
fn owner(change: &Change) -> Option<TenantName> {
    match change {
        Change::PutApi(api) => Some(api.tenant.clone()),
        Change::PutClient(client) => Some(client.metadata.tenant.clone()),
        Change::PutPolicy(policy) => Some(policy.tenant.clone()),
        Change::PutKey(key) => Some(key.tenant.clone()),
        Change::DeleteApi(tenant, _)
        | Change::DeleteClient(tenant, _)
        | Change::DeletePolicy(tenant, _)
        | Change::DeleteKey(tenant, _) => Some(tenant.clone()),
        Change::PutTenant(_) | Change::DeleteTenant(_) | Change::PutUser(_) | Change::DeleteUser(..) => None,
    }
}

/// The keys that a tenant needs, one or more times each.
fn needs(directory: &Directory) -> impl Iterator<Item = KeyKind> {
    let apis = directory.apis().map(|api| keyring::wanted_by_api(api));
    keyring::wanted_at_first().chain(apis).chain(directory.clients().flat_map(keyring::wanted_by_client))
}

fn has_strays(packed: &PackedDirectory) -> bool {
    let records = &packed.records;
    let declared: HashSet<&TenantName> = records.tenants.iter().map(|tenant| &tenant.name).collect();
    let owners = records.apis.iter().map(|api| &api.tenant);
    let owners = owners.chain(records.policies.iter().map(|policy| &policy.tenant));
    let owners = owners.chain(records.keys.iter().map(|key| &key.tenant));
    owners.chain(packed.clients.iter().map(|(tenant, _)| tenant)).any(|owner| !declared.contains(owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_protocol::client::{Client, ClientMetadata};
    use grantor_protocol::directory::{Api, DirectoryRecords};
    use grantor_protocol::value::ClientId;

    const NOW: UnixTime = UnixTime::new(1_000);

    fn making() -> Making {
        let settings = Settings::new(Issuer::parse("https://issuer.example").unwrap());
        Making::new(&settings, Arc::new(MasterKey::from_bytes([7; 32])))
    }

    fn name(name: &str) -> TenantName {
        TenantName::parse(name).unwrap()
    }

    fn client(tenant: &str, id: &str) -> Change {
        let metadata = ClientMetadata::new(name(tenant), ClientId::parse(id).unwrap());
        Change::PutClient(Client { metadata, secrets: Vec::new(), issued_at: NOW })
    }

    fn key(tenant: &str, kind: KeyKind, active: UnixTime) -> KeyRecord {
        let kid = format!("{kind:?} {}", active.get());
        KeyRecord { tenant: name(tenant), kid, kind, sealed: vec![], published: NOW, active, expires: None }
    }

    /// Two tenants with some keys.
    fn two(making: &Making) -> Snapshot {
        let keys = ["a", "b"].map(|tenant| [KeyKind::Handle, KeyKind::Pairwise].map(|kind| key(tenant, kind, NOW)));
        let tenants = ["a", "b"].map(|tenant| Tenant::new(name(tenant))).to_vec();
        let records = DirectoryRecords { version: 1, tenants, keys: keys.concat(), ..DirectoryRecords::default() };
        Snapshot::of(PackedDirectory { records, clients: Vec::new() }, making, NOW)
    }

    #[test]
    fn a_change_leaves_the_other_tenants_as_they_are() {
        let making = making();
        let before = two(&making);
        let after = before.changed(2, vec![client("a", "new")], &making, NOW).unwrap();
        let tenant = |snapshot: &Snapshot, of: &str| Arc::clone(snapshot.tenant(&name(of)).unwrap());
        assert!(Arc::ptr_eq(&tenant(&before, "b"), &tenant(&after, "b")));
        assert!(!Arc::ptr_eq(&tenant(&before, "a"), &tenant(&after, "a")));
        let id = ClientId::parse("new").unwrap();
        assert!(tenant(&after, "a").directory.client(&id).is_some());
        assert!(tenant(&before, "a").directory.client(&id).is_none());
        assert_eq!(after.version(), 2);
        let gone = after.changed(3, vec![Change::DeleteTenant(name("a"))], &making, NOW).unwrap();
        assert!(gone.tenant(&name("a")).is_none() && gone.tenant(&name("b")).is_some());
        assert!(gone.wanted().iter().all(|want| want.tenant == name("b")));
    }

    #[test]
    fn a_tenant_is_served_once_it_has_keys() {
        let making = making();
        let declared = two(&making).changed(2, vec![Change::PutTenant(Tenant::new(name("c")))], &making, NOW).unwrap();
        assert!(declared.is_declared(&name("c")) && declared.tenant(&name("c")).is_none());
        let wanted = |snapshot: &Snapshot| snapshot.wanted().iter().filter(|want| want.tenant == name("c")).count();
        assert_eq!(wanted(&declared), 5);
        let keys = [KeyKind::Handle, KeyKind::Pairwise].map(|kind| Change::PutKey(key("c", kind, NOW)));
        let served = declared.changed(3, keys.to_vec(), &making, NOW).unwrap();
        assert!(served.tenant(&name("c")).is_some());
        assert_eq!(wanted(&served), 3);
    }

    #[test]
    fn what_a_changed_record_needs_is_wanted() {
        let making = making();
        let algorithm = grantor_jose::SigningAlgorithm::EdDsa;
        let mut api: Api =
            serde_json::from_value(serde_json::json!({"audience": "https://api", "name": "API"})).unwrap();
        api.tenant = name("a");
        api.token.algorithm = algorithm;
        let after = two(&making).changed(2, vec![Change::PutApi(api)], &making, NOW).unwrap();
        assert!(after.wanted().contains(&Want { tenant: name("a"), kind: KeyKind::Sig(algorithm) }));
    }

    #[test]
    fn whoever_declares_a_tenant_that_has_records_already_needs_them_all() {
        let making = making();
        let before = two(&making).changed(2, vec![client("c", "early")], &making, NOW).unwrap();
        let declared = before.changed(3, vec![Change::PutTenant(Tenant::new(name("c")))], &making, NOW);
        assert!(declared.is_err());
        assert!(before.changed(3, vec![Change::PutTenant(Tenant::new(name("a")))], &making, NOW).is_ok());
    }

    #[test]
    fn a_tenant_is_made_anew_when_a_key_becomes_active() {
        let making = making();
        let later = NOW.plus(grantor_protocol::value::Seconds::new(10));
        let to_come = Change::PutKey(key("a", KeyKind::Handle, later));
        let before = two(&making).changed(2, vec![to_come], &making, NOW).unwrap();
        assert!(!before.is_stale(NOW) && before.is_stale(later));
        let after = before.at(later);
        assert!(!after.is_stale(later));
        let same = |of: &str| Arc::ptr_eq(before.tenant(&name(of)).unwrap(), after.tenant(&name(of)).unwrap());
        assert!(!same("a") && same("b"));
    }
}
