//! What has changed in the directory since a version.

use super::Subject as Under;
use super::samples::{START, api, at, client, declared_client, other_tenant, subject, tenant, user};
use crate::{Change, KNOWN_VERSIONS, MOST_CHANGES};
use grantor_protocol::client::Client;
use grantor_protocol::directory::{Api, DirectoryRecords, KeyKind, KeyRecord, Policy, Tenant};
use grantor_protocol::value::{ClientId, Resource, TenantName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// The directory of a version and the changes since it give the directory of now, whatever happened in between.
pub async fn the_changes_since_a_version_lead_to_now(store: Under) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut known = vec![Model::of(&store).await];
    for _ in 0..200 {
        let changes = (0..=dice.below(3)).map(|_| any_change(&mut dice)).collect();
        let version = store.change_directory(changes, None).await.unwrap();
        let now = Model::of(&store).await;
        assert_eq!(now.version, version);
        for behind in [1, 1 + dice.below(8), 1 + dice.below(known.len())] {
            let Some(before) = known.len().checked_sub(behind).and_then(|at| known.get(at)) else { continue };
            let mut model = before.clone();
            model.follow(&store).await;
            assert_eq!(model, now, "from {}", before.version);
        }
        known.push(now);
    }
}

/// Nothing has changed since now, and nobody knows of the future.
pub async fn only_versions_that_were_have_changes(store: Under) {
    assert_eq!(store.directory_since(0).await.unwrap(), Some((0, Vec::new())));
    assert_eq!(store.directory_since(1).await.unwrap(), None);
    let version = store.change_directory(vec![Change::PutUser(user(tenant(), 1, "ann"))], None).await.unwrap();
    assert_eq!(store.directory_since(0).await.unwrap(), Some((version, Vec::new())), "users are not in it");
    assert_eq!(store.directory_since(version + 1).await.unwrap(), None);
    assert_eq!(store.directory_since(u64::MAX).await.unwrap(), None);
}

/// By whoever follows the directory, also when it was changed while he did something else.
pub async fn a_change_is_heard_of(store: Under) {
    for n in 0..3 {
        while timeout(Duration::from_millis(20), store.directory_changed()).await.is_ok() {}
        store.change_directory(vec![Change::PutApi(api(tenant(), &format!("api-{n}")))], None).await.unwrap();
        timeout(Duration::from_mins(1), store.directory_changed()).await.unwrap();
    }
}

/// What was deleted is told, or it is said that it is not known any more.
pub async fn a_deletion_of_long_ago_is_never_passed_over(store: Under) {
    store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    let long_ago = Model::of(&store).await;
    let gone = store.change_directory(vec![Change::DeleteClient(tenant(), client(1))], None).await.unwrap();
    let mut making = tokio::task::JoinSet::new();
    for n in 0..=KNOWN_VERSIONS {
        let store = Arc::clone(&store);
        making.spawn(async move {
            let change = Change::DeletePolicy(tenant(), format!("p-{n}"));
            store.change_directory(vec![change], None).await.unwrap();
        });
    }
    making.join_all().await;
    let now = Model::of(&store).await;
    assert_eq!(now.version, gone + KNOWN_VERSIONS + 1);
    assert!(store.directory_since(now.version - KNOWN_VERSIONS).await.unwrap().is_some());
    if store.directory_since(long_ago.version).await.unwrap().is_some() {
        let mut model = long_ago;
        model.follow(&store).await;
        assert_eq!(model, now);
    }
}

/// Many changes are read with the rest.
pub async fn too_much_is_not_told_one_by_one(store: Under) {
    let puts = |n: usize| (0..n).map(|n| Change::PutPolicy(policy(tenant(), n, 1))).collect::<Vec<_>>();
    let version = store.change_directory(puts(MOST_CHANGES + 1), None).await.unwrap();
    assert_eq!(store.directory_since(version - 1).await.unwrap(), None);
    store.change_directory(puts(MOST_CHANGES), None).await.unwrap();
    assert_eq!(store.directory_since(version).await.unwrap().map(|(_, changes)| changes.len()), Some(MOST_CHANGES));
}

/// Whoever follows the changes while many make them sees each.
pub async fn a_follower_misses_nothing(store: Under) {
    const WRITERS: u64 = 16;
    const EACH: u64 = 25;
    let mut writing = tokio::task::JoinSet::new();
    for n in 0..WRITERS {
        let store = Arc::clone(&store);
        writing.spawn(async move {
            let mut dice = Dice(n + 1);
            for _ in 0..EACH {
                store.change_directory(vec![any_change(&mut dice)], None).await.unwrap();
            }
        });
    }
    let mut follower = Model::of(&store).await;
    while follower.version < WRITERS * EACH {
        follower.follow(&store).await;
        // What it followed is one moment of the store: nothing of a later version is in it.
        let again = Model::of(&store).await;
        if again.version == follower.version {
            assert_eq!(again, follower);
        }
    }
    writing.join_all().await;
    assert_eq!(Model::of(&store).await, follower);
}

/// A small world, in which the same things are put and deleted again and again.
fn any_change(dice: &mut Dice) -> Change {
    let here = if dice.below(3) == 0 { other_tenant() } else { tenant() };
    let (n, value) = (dice.below(3), dice.below(200));
    match dice.below(14) {
        0 => Change::PutTenant(Tenant { display_name: value.to_string().as_str().into(), ..Tenant::new(here) }),
        1 => Change::DeleteTenant(here),
        2 | 3 => Change::PutApi(Api { name: value.to_string().as_str().into(), ..api(here, &format!("api-{n}")) }),
        4 => Change::DeleteApi(here, api(tenant(), &format!("api-{n}")).audience),
        5..8 => {
            let mut client = declared_client(here, n as u64);
            client.metadata.client_name = value.to_string().as_str().into();
            Change::PutClient(client)
        }
        8 => Change::DeleteClient(here, client(n as u64)),
        9 => Change::PutPolicy(policy(here, n, value)),
        10 => Change::DeletePolicy(here, n.to_string()),
        11 => Change::PutKey(key(here, n, value)),
        12 => Change::DeleteKey(here, n.to_string()),
        _ => Change::DeleteUser(here, subject(n as u64)),
    }
}

fn policy(tenant: TenantName, n: usize, priority: usize) -> Policy {
    Policy {
        tenant,
        name: n.to_string(),
        priority: u32::try_from(priority).unwrap(),
        api: api(super::samples::tenant(), "notes").audience,
        clients: Vec::new(),
        grant_types: Vec::new(),
        roles: Vec::new(),
        scopes: None,
        authorization_details_types: None,
        access_token_lifetime: None,
    }
}

fn key(tenant: TenantName, n: usize, value: usize) -> KeyRecord {
    let active = at(u32::try_from(value).unwrap());
    let kid = n.to_string();
    KeyRecord { tenant, kid, kind: KeyKind::Handle, sealed: vec![1; 40], published: START, active, expires: None }
}

/// What a follower keeps.
#[derive(Clone, Debug, PartialEq)]
struct Model {
    version: u64,
    tenants: BTreeMap<TenantName, Tenant>,
    apis: BTreeMap<(TenantName, Resource), Api>,
    clients: BTreeMap<(TenantName, ClientId), Client>,
    policies: BTreeMap<(TenantName, String), Policy>,
    keys: BTreeMap<(TenantName, String), KeyRecord>,
}

impl Model {
    async fn of(store: &Under) -> Self {
        let DirectoryRecords { version, tenants, apis, clients, policies, keys } = store.directory().await.unwrap();
        let mut model = Self {
            version,
            tenants: BTreeMap::new(),
            apis: BTreeMap::new(),
            clients: BTreeMap::new(),
            policies: BTreeMap::new(),
            keys: BTreeMap::new(),
        };
        let changes = tenants.into_iter().map(Change::PutTenant);
        let changes = changes.chain(apis.into_iter().map(Change::PutApi));
        let changes = changes.chain(clients.into_iter().map(Change::PutClient));
        let changes = changes.chain(policies.into_iter().map(Change::PutPolicy));
        changes.chain(keys.into_iter().map(Change::PutKey)).for_each(|change| model.carry_out(change));
        model
    }

    async fn follow(&mut self, store: &Under) {
        let (version, changes) = store.directory_since(self.version).await.unwrap().unwrap();
        self.version = version;
        for change in changes {
            self.carry_out(change);
        }
    }

    fn carry_out(&mut self, change: Change) {
        match change {
            Change::PutTenant(tenant) => drop(self.tenants.insert(tenant.name.clone(), tenant)),
            Change::PutApi(api) => drop(self.apis.insert((api.tenant.clone(), api.audience.clone()), api)),
            Change::PutClient(client) => {
                let name = (client.metadata.tenant.clone(), client.metadata.client_id.clone());
                self.clients.insert(name, client);
            }
            Change::PutPolicy(policy) => {
                self.policies.insert((policy.tenant.clone(), policy.name.clone()), policy);
            }
            Change::PutKey(key) => drop(self.keys.insert((key.tenant.clone(), key.kid.clone()), key)),
            Change::DeleteTenant(name) => {
                self.tenants.remove(&name);
                self.apis.retain(|(tenant, _), _| *tenant != name);
                self.clients.retain(|(tenant, _), _| *tenant != name);
                self.policies.retain(|(tenant, _), _| *tenant != name);
                self.keys.retain(|(tenant, _), _| *tenant != name);
            }
            Change::DeleteApi(tenant, audience) => drop(self.apis.remove(&(tenant, audience))),
            Change::DeleteClient(tenant, client) => drop(self.clients.remove(&(tenant, client))),
            Change::DeletePolicy(tenant, name) => drop(self.policies.remove(&(tenant, name))),
            Change::DeleteKey(tenant, kid) => drop(self.keys.remove(&(tenant, kid))),
            Change::PutUser(_) | Change::DeleteUser(..) => panic!("users are not in the feed"),
        }
    }
}

/// The same throws on every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}
