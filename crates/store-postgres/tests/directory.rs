//! What an administrator declares, told by version; and the rows that nobody asks for any more.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use grantor_local_postgres::Server;
use grantor_protocol::directory::Tenant;
use grantor_protocol::grant::Spend;
use grantor_protocol::value::{Seconds, UnixTime};
use grantor_store::contract::samples::{
    EVERY_EVENT, START, api, client, code_id, declared_client, digest, other_tenant, redemption, tenant, user,
};
use grantor_store::{Change, Directories as _, Grants as _, Sessions as _, Store as _};
use grantor_store_postgres::{Options, PostgresStore, Target};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const DAY: u32 = 86_400;

struct Database {
    url: String,
    store: Arc<PostgresStore>,
}

impl Database {
    async fn new() -> Self {
        let url = Server::shared().unwrap().fresh_database().unwrap();
        let store = Arc::new(PostgresStore::connect(&url, Options::default()).await.unwrap());
        Self { url, store }
    }

    async fn another_node(&self) -> Arc<PostgresStore> {
        Arc::new(PostgresStore::connect(&self.url, Options::default()).await.unwrap())
    }

    async fn client(&self) -> tokio_postgres::Client {
        Target::parse(&self.url).unwrap().client().await.unwrap()
    }

    async fn count(&self, table: &str) -> i64 {
        self.client().await.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await.unwrap().get(0)
    }
}

/// The clients and tenants of one who follows the changes, by name.
#[derive(Debug, Default, PartialEq)]
struct Follower {
    version: u64,
    names: BTreeMap<String, String>,
}

impl Follower {
    fn follow(&mut self, version: u64, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::PutTenant(tenant) => drop(self.names.insert(format!("tenant {}", tenant.name), String::new())),
                Change::PutClient(client) => {
                    let name = format!("client {} {}", client.metadata.tenant, client.metadata.client_id);
                    self.names.insert(name, format!("{:?}", client.metadata.client_name));
                }
                Change::DeleteTenant(tenant) => {
                    self.names.remove(&format!("tenant {tenant}"));
                    self.names.retain(|name, _| !name.starts_with(&format!("client {tenant} ")));
                }
                Change::DeleteClient(tenant, client) => drop(self.names.remove(&format!("client {tenant} {client}"))),
                other => panic!("{other:?}"),
            }
        }
        self.version = version;
    }

    async fn whole(store: &PostgresStore) -> Self {
        let records = store.directory().await.unwrap();
        let mut follower = Self::default();
        let puts = records.tenants.into_iter().map(Change::PutTenant);
        follower.follow(records.version, puts.chain(records.clients.into_iter().map(Change::PutClient)).collect());
        follower
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_are_told_since_a_version() {
    let Database { store, .. } = Database::new().await;
    let change = async |change| store.change_directory(vec![change], None).await.unwrap();
    let since = async |version| store.directory_since(version).await.unwrap();
    assert_eq!(since(0).await, Some((0, vec![])));
    assert_eq!(since(1).await, None, "it was never");
    change(Change::PutTenant(Tenant::new(tenant()))).await;
    change(Change::PutClient(declared_client(tenant(), 1))).await;
    change(Change::PutUser(user(tenant(), 1, "ann"))).await;
    let mut renamed = declared_client(tenant(), 1);
    renamed.metadata.client_name = "Notes".into();
    change(Change::PutClient(renamed.clone())).await;
    let put = Change::PutClient(renamed);
    assert_eq!(since(0).await, Some((4, vec![Change::PutTenant(Tenant::new(tenant())), put.clone()])));
    assert_eq!(since(1).await, Some((4, vec![put])), "as it stands now, once");
    assert_eq!(since(4).await, Some((4, vec![])));
    change(Change::PutApi(api(tenant(), "notes"))).await;
    change(Change::DeleteClient(tenant(), client(1))).await;
    let (put, delete) = (Change::PutApi(api(tenant(), "notes")), Change::DeleteClient(tenant(), client(1)));
    assert_eq!(since(4).await, Some((6, vec![delete.clone(), put])));
    assert_eq!(since(5).await, Some((6, vec![delete])));
    // A tenant goes with what it had, and comes again with something else.
    change(Change::DeleteTenant(tenant())).await;
    let (version, changes) = since(6).await.unwrap();
    let expected = [Change::DeleteTenant(tenant()), Change::DeleteApi(tenant(), api(tenant(), "notes").audience)];
    assert_eq!((version, changes.as_slice()), (7, expected.as_slice()));
    change(Change::PutClient(declared_client(tenant(), 2))).await;
    change(Change::PutTenant(Tenant::new(tenant()))).await;
    let (_, changes) = since(6).await.unwrap();
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(matches!(changes[0], Change::DeleteApi(..)), "{changes:?}");
    assert!(matches!(changes[1..], [Change::PutTenant(_), Change::PutClient(_)]), "{changes:?}");
}

/// A node hears of what another changes, and again after its connection for that was ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_another_node_is_heard_of() {
    let database = Database::new().await;
    let other_node = database.another_node().await;
    let db = database.client().await;
    let listening = "SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%' AND state = 'idle'";
    let ears = async || {
        let rows = db.query(listening, &[]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect::<Vec<i32>>()
    };
    for round in 0..3 {
        while timeout(Duration::from_millis(50), other_node.directory_changed()).await.is_ok() {}
        let change = Change::PutClient(declared_client(tenant(), round));
        database.store.change_directory(vec![change], None).await.unwrap();
        timeout(Duration::from_mins(1), other_node.directory_changed()).await.unwrap();
        let ended = ears().await;
        assert_eq!(ended.len(), 2);
        db.execute("SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS ended (pid)", &[&ended]).await.unwrap();
        while ears().await.iter().filter(|pid| !ended.contains(pid)).count() < 2 {}
    }
}

/// Versions become visible in their order: nobody who follows them misses one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_many_writers_misses_nothing() {
    const WRITERS: u64 = 8;
    const CHANGES: u64 = 40;
    let database = Database::new().await;
    let other_node = database.another_node().await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let store = Arc::clone(if writer % 2 == 0 { &database.store } else { &other_node });
            tokio::spawn(async move {
                for n in 0..CHANGES {
                    let here = if (n + writer) % 3 == 0 { other_tenant() } else { tenant() };
                    let mut put = declared_client(here.clone(), (writer + n) % 5);
                    put.metadata.client_name = format!("{writer}-{n}").as_str().into();
                    let change = match (n * 7 + writer) % 11 {
                        0 => Change::DeleteTenant(here),
                        1 => Change::PutTenant(Tenant::new(here)),
                        2 | 3 => Change::DeleteClient(here, client(n % 5)),
                        _ => Change::PutClient(put),
                    };
                    store.change_directory(vec![change], None).await.unwrap();
                }
            })
        })
        .collect();
    let mut follower = Follower::default();
    while follower.version < WRITERS * CHANGES {
        let (version, changes) = database.store.directory_since(follower.version).await.unwrap().unwrap();
        follower.follow(version, changes);
        let whole = Follower::whole(&database.store).await;
        if whole.version == follower.version {
            assert_eq!(follower, whole);
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(follower, Follower::whole(&other_node).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_long_ago_is_told_no_more() {
    let database = Database::new().await;
    let store = &database.store;
    let change = async |change| store.change_directory(vec![change], None).await.unwrap();
    change(Change::PutClient(declared_client(tenant(), 1))).await;
    change(Change::PutClient(declared_client(tenant(), 2))).await;
    change(Change::DeleteClient(tenant(), client(1))).await;
    store.expire(START, EVERY_EVENT, 100).await.unwrap();
    assert_eq!(database.count("directory").await, 2);
    let pass = "UPDATE meta SET number = 10003 WHERE name = 'directory_version'";
    database.client().await.batch_execute(pass).await.unwrap();
    store.expire(START, EVERY_EVENT, 100).await.unwrap();
    assert_eq!(database.count("directory").await, 1);
    assert_eq!(store.directory_since(2).await.unwrap(), None, "whoever saw it then does not know that it is gone");
    assert_eq!(store.directory_since(3).await.unwrap(), Some((10_003, vec![])));
    assert_eq!(store.directory().await.unwrap().clients.len(), 1);
}

/// Not before an hour after midnight, and nothing of today.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_over_is_dropped_whole() {
    let database = Database::new().await;
    let store = &database.store;
    // Three in the morning.
    let now = |days: u32, hour: u32| UnixTime::new(1_699_920_000).plus(Seconds::new(days * DAY + hour * 3_600));
    for n in 0..20 {
        let mut redemption = redemption(n, n);
        redemption.remember_until = now(0, 5);
        store.redeem(&tenant(), redemption, now(0, 3)).await.unwrap();
        assert!(store.remember(&tenant(), "jti", &digest(n), now(0, 5), now(0, 3)).await.unwrap());
        assert!(store.remember(&tenant(), "jti", &digest(100 + n), now(1, 5), now(0, 3)).await.unwrap());
        assert!(store.remember(&tenant(), "late", &digest(n), now(9, 0), now(0, 3)).await.unwrap());
    }
    let rows = async || {
        let mut rows = [0; 2];
        for (sum, name) in rows.iter_mut().zip(["spent_codes", "remembered"]) {
            for table in [String::new(), "_0".to_owned(), "_1".to_owned(), "_2".to_owned(), "_3".to_owned()] {
                *sum += database.count(&format!("{name}{table}")).await;
            }
        }
        rows
    };
    assert_eq!(rows().await, [20, 60]);
    for (at, dropped, left) in [
        (now(0, 4), 0, [20, 60]),
        (now(0, 23), 0, [20, 60]),
        (now(1, 0), 0, [20, 60]),
        (now(1, 1), 40, [0, 40]),
        // The grants.
        (now(2, 0), 20, [0, 40]),
        (now(2, 1), 20, [0, 20]),
    ] {
        assert_eq!(store.expire(at, EVERY_EVENT, 100).await.unwrap(), dropped, "{at}");
        assert_eq!(rows().await, left, "{at}");
    }
    for (n, limit) in [(7, 7), (13, 100)] {
        assert_eq!(store.expire(now(9, 0), EVERY_EVENT, limit).await.unwrap(), n, "beside the ring, in steps");
    }
    let again = store.redeem(&tenant(), redemption(1, 101), now(1, 2)).await.unwrap();
    assert!(matches!(again, Spend::Fresh(_)), "{:?} is forgotten: {again:?}", code_id(1));
}

/// One node drops what has expired, until it is gone for longer than its lease.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_follows_when_the_lease_is_over() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("INSERT INTO leases (name, holder, until) VALUES ('expire', gen_random_uuid(), 9999999999)")
        .await
        .unwrap();
    let token = grantor_store::contract::samples::token_id(1);
    database.store.revoke_token(&tenant(), token, START).await.unwrap();
    assert_eq!(database.store.expire(START, EVERY_EVENT, 100).await.unwrap(), 0);
    client.batch_execute("UPDATE leases SET until = 1").await.unwrap();
    assert_eq!(database.store.expire(START, EVERY_EVENT, 100).await.unwrap(), 1);
}
