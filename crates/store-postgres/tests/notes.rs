//! What is written beside the answers outlives an outage, and a wrong clock drops nothing.

#![expect(clippy::unwrap_used, reason = "tests")]

mod nodes;

use grantor_local_postgres::Server;
use grantor_protocol::grant::Spend;
use grantor_protocol::value::{Seconds, UnixTime};
use grantor_store::contract::samples::{
    EVERY_EVENT, at, client, declared_client, digest, event, grant_id, redemption, tenant,
};
use grantor_store::{
    AuditLog as _, Change, Directories as _, Grants as _, Sessions as _, Store as _, StoreError, Uses as _,
};
use grantor_store_postgres::{Options, PostgresStore};
use std::time::Duration;

const DAY: i64 = 86_400;

/// Longer than a node waits for a connection, and than it tries again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_noted_during_an_outage_is_written_after_it() {
    let url = nodes::database();
    let short = Duration::from_millis(100);
    let options = Options { patience: short, reply: short * 4, queue: 600, ..Options::default() };
    let store = connected(&url, options).await;
    store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    allow(&url, false);
    for n in 0..500 {
        store.note(event(tenant(), n));
    }
    store.note_use(&tenant(), &client(1), "key", at(1));
    // It is told to come again, and is written all the same.
    let refused = store.record(vec![event(tenant(), 500)]).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    assert!(store.record(vec![]).await.is_err());
    allow(&url, true);
    while store.record(vec![]).await.is_err() {}
    // Those who read have connections of their own, which come back when they come back.
    let events = loop {
        if let Ok(events) = store.events(&tenant(), None, 1_000).await {
            break events;
        }
    };
    let written: Vec<u64> = events.iter().map(|event| event.id.millis()).collect();
    assert_eq!(written, (0..=500).collect::<Vec<_>>());
    let used = loop {
        if let Ok(used) = store.last_uses(&tenant(), &client(1)).await {
            break used;
        }
    };
    assert_eq!(used.len(), 1);
}

/// A batch, and a single note, of which each row takes so long that a statement has no time for all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_for_a_statement_is_written_in_parts() {
    let url = nodes::database();
    let reply = Duration::from_millis(500);
    let store = connected(&url, Options { reply, ..Options::default() }).await;
    store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    let slow =
        |table: &str| format!("CREATE TRIGGER slow AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION slow()");
    let script = [
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.005); RETURN NULL; END $$",
        &slow("events"),
        &slow("credential_uses"),
    ];
    let db = grantor_store_postgres::Target::parse(&url).unwrap().client().await.unwrap();
    db.batch_execute(&script.join("; ")).await.unwrap();
    for n in 0..200 {
        store.note(event(tenant(), n));
        store.note_use(&tenant(), &client(1), &format!("key-{n}"), at(1));
    }
    let refused = store.record((200..500).map(|n| event(tenant(), n)).collect()).await;
    assert!(matches!(refused, Err(StoreError::Busy(_))), "{refused:?}");
    while store.record(vec![]).await.is_err() {}
    assert_eq!(store.events(&tenant(), None, 1_000).await.unwrap().len(), 500);
    assert_eq!(store.last_uses(&tenant(), &client(1)).await.unwrap().len(), 200);
}

/// Whatever holds up the uses of credentials.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_do_not_wait_for_uses() {
    let url = nodes::database();
    let store = nodes::one(url.clone()).await;
    store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    let mut other = grantor_store_postgres::Target::parse(&url).unwrap().client().await.unwrap();
    let lock = other.transaction().await.unwrap();
    lock.batch_execute("LOCK TABLE credential_uses IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for n in 0..300 {
        store.note_use(&tenant(), &client(1), &format!("key-{n}"), at(1));
    }
    store.record(vec![event(tenant(), 1)]).await.unwrap();
    assert_eq!(store.events(&tenant(), None, 10).await.unwrap().len(), 1);
    lock.rollback().await.unwrap();
    store.record(vec![]).await.unwrap();
    assert_eq!(store.last_uses(&tenant(), &client(1)).await.unwrap().len(), 300);
}

/// By the database's clock, or by the rows themselves, the day is not over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sweeper_whose_clock_is_wrong_drops_nothing_that_lives() {
    let store = nodes::one(nodes::database()).await;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now = UnixTime::new(i64::try_from(since.as_secs()).unwrap());
    let soon = now.plus(Seconds::new(60));
    let mut made = redemption(1, 1);
    made.remember_until = soon;
    let mut other = redemption(1, 2);
    other.remember_until = soon;
    assert!(matches!(store.redeem(&tenant(), made, now).await.unwrap(), Spend::Fresh(_)));
    assert!(store.remember(&tenant(), "jti", &digest(1), soon, now).await.unwrap());
    let noon = soon.get().div_euclid(DAY) * DAY + DAY / 2;
    for days in [-7, -3, 1, 5] {
        store.expire(UnixTime::new(noon + days * DAY), EVERY_EVENT, 1_000).await.unwrap();
        let again = store.redeem(&tenant(), other.clone(), now).await.unwrap();
        assert_eq!(again, Spend::Spent(grant_id(1)), "{days} days off");
        assert!(!store.remember(&tenant(), "jti", &digest(1), soon, now).await.unwrap(), "{days} days off");
    }
}

/// A node that soon loses patience.
async fn connected(url: &str, options: Options) -> PostgresStore {
    // The schema is made by a node with time for it.
    drop(nodes::one(url.to_owned()).await);
    loop {
        if let Ok(store) = PostgresStore::connect(url, options.clone()).await {
            return store;
        }
    }
}

/// Ends every connection and takes no more, or takes them again.
fn allow(url: &str, allowed: bool) {
    let name = url.rsplit('/').next().unwrap();
    let server = Server::shared().unwrap();
    server.sql("postgres", &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")).unwrap();
    if !allowed {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        server.sql("postgres", &end).unwrap();
    }
}
