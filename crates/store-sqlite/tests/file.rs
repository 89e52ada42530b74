//! The file: who may read it, what is refused, other processes beside it, and copies of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use grantor_protocol::directory::Tenant;
use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_protocol::value::{GrantId, TenantName};
use grantor_store::contract::samples::{
    GRACE, START, at, client, code_id, declared_client, digest, event, grant_id, other_tenant, redeemed, redemption,
    session, tenant, token, token_id, user,
};
use grantor_store::{
    AuditLog as _, Change, Directories as _, Grants as _, GrantsOf, Result, Sessions as _, Store as _, StoreError,
    Uses as _,
};
use grantor_store_sqlite::SqliteStore;
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

#[tokio::test]
async fn everything_is_there_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    {
        let store = SqliteStore::open(&file).unwrap();
        store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
        store.open_session(session(1, 1), None).await.unwrap();
        let changes = vec![
            Change::PutTenant(Tenant::new(tenant())),
            Change::PutClient(declared_client(tenant(), 1)),
            Change::PutUser(user(tenant(), 1, "ann")),
        ];
        store.change_directory(changes, Some(0)).await.unwrap();
        // Nobody waits for them, and yet closing writes them.
        store.note(event(tenant(), 1));
        store.note_use(&tenant(), &client(1), "key", at(1));
    }
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(store.redeem(&tenant(), redemption(1, 2), START).await.unwrap(), Spend::Spent(grant_id(1)));
    assert_eq!(store.session(&tenant(), &session(1, 1).key, at(1)).await.unwrap(), Some(session(1, 1)));
    assert_eq!(store.directory().await.unwrap().tenants, [Tenant::new(tenant())]);
    assert_eq!(store.directory_version().await.unwrap(), 1);
    assert_eq!(store.users(&tenant()).await.unwrap(), [user(tenant(), 1, "ann")]);
    assert_eq!(store.events(&tenant(), None, 10).await.unwrap(), [event(tenant(), 1), redeemed(tenant(), 1)]);
    let uses = store.last_uses(&tenant(), &client(1)).await.unwrap();
    assert_eq!(uses, [("key".to_owned(), at(1))].into());
}

/// For its purpose, in its tenant, until it expires: a restart gives nobody a second try.
#[tokio::test]
async fn rfc9449_11_1_what_was_remembered_is_remembered_after_opening_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    let (here, there) = (tenant(), other_tenant());
    let first = [(&here, "assertion", 1), (&here, "dpop", 2), (&there, "dpop", 3)];
    let other = [(&there, "assertion", 1), (&here, "assertion", 2), (&here, "request_uri", 1), (&here, "dpop", 3)];
    let remember = async |places: &[(&TenantName, &str, u64)], now| {
        let store = SqliteStore::open(&file).unwrap();
        let mut told = Vec::new();
        for (tenant, purpose, value) in places {
            told.push(store.remember(tenant, purpose, &digest(*value), at(now + 10), at(now)).await.unwrap());
        }
        told
    };
    assert_eq!(remember(&first, 0).await, [true; 3]);
    assert_eq!(remember(&first, 9).await, [false; 3]);
    assert_eq!(remember(&other, 9).await, [true; 4]);
    assert_eq!(remember(&first, 10).await, [true; 3], "it has expired, and is remembered anew");
    assert_eq!(remember(&first, 19).await, [false; 3]);
}

/// What was there stays, and what came with later schemas works.
#[tokio::test]
async fn a_file_of_the_first_schema_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old.db"), directory.path().join("new.db"));
    let db = first_schema(&old);
    let body = serde_json::to_string(&declared_client(tenant(), 1)).unwrap();
    db.execute("INSERT INTO directory VALUES ('client', 'default', 'client-1', ?)", [body]).unwrap();
    for (n, tenant) in [(1, "default"), (2, "other")] {
        let row = (tenant, digest(n), at(10).get());
        db.execute("INSERT INTO remembered VALUES (?, 'dpop', ?, ?)", row).unwrap();
    }
    drop(db);
    for opened in 0..2 {
        let store = SqliteStore::open(&old).unwrap();
        assert_eq!(store.directory().await.unwrap().clients, [declared_client(tenant(), 1)]);
        for now in [0, 9] {
            assert!(!store.remember(&tenant(), "dpop", &digest(1), at(10), at(now)).await.unwrap());
            assert!(!store.remember(&other_tenant(), "dpop", &digest(2), at(10), at(now)).await.unwrap());
        }
        assert_eq!(store.remember(&tenant(), "dpop", &digest(2), at(20), at(9)).await.unwrap(), opened == 0);
        assert_eq!(store.last_uses(&tenant(), &client(1)).await.unwrap().len(), opened);
        store.note_use(&tenant(), &client(1), "key", START);
    }
    drop(SqliteStore::open(&new).unwrap());
    assert_eq!(schema(&old), schema(&new), "no other than that of a new file");
}

/// A copy that is put back brings neither a spent code nor a revoked grant, token or session back to life; what is issued
/// afterwards is good. Whoever has the file open already sees the epoch with the next verb.
#[tokio::test]
async fn rfc7009_2_1_a_restored_copy_revives_nothing() {
    let (store, directory) = open();
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    store.open_session(session(1, 1), None).await.unwrap();
    let copy = directory.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    store.redeem(&tenant(), redemption(2, 2), START).await.unwrap();
    store.revoke_grant(&tenant(), grant_id(1), at(1)).await.unwrap();
    store.revoke_token(&tenant(), token_id(3), at(100)).await.unwrap();
    let open_before = SqliteStore::open(&copy).unwrap();
    let before = open_before.standing(&tenant(), &token(3, None, 1)).await.unwrap();
    assert_eq!(before, Standing::Good(None), "without an epoch it would");
    SqliteStore::open(&copy).unwrap().move_epoch(token_id(5)).await.unwrap();
    for restored in [open_before, SqliteStore::open(&copy).unwrap()] {
        let spend = restored.redeem(&tenant(), redemption(2, 2), START).await.unwrap();
        assert_eq!(spend, Spend::TakenBack);
        let rotation = restored.rotate(&tenant(), grant_id(1), 0, GRACE, START).await.unwrap();
        assert_eq!(rotation, Rotation::Revoked);
        for token in [token(3, None, 1), token(9, Some(1), 1)] {
            assert_eq!(restored.standing(&tenant(), &token).await.unwrap(), Standing::Revoked);
        }
        assert_eq!(restored.session(&tenant(), &session(1, 1).key, START).await.unwrap(), None);
    }
    let restored = SqliteStore::open(&copy).unwrap();
    assert!(matches!(restored.redeem(&tenant(), redemption(7, 7), START).await.unwrap(), Spend::Fresh(_)));
}

/// More of them than are moved at once, three that come to one place, and one that was revoked; a move that was broken off
/// goes on where it was.
#[tokio::test]
async fn grants_of_an_earlier_schema_are_found_at_their_places() {
    let directory = tempfile::tempdir().unwrap();
    let twin = |n: u8| GrantId::new(1 << 40, [1, 2, 3, n, 5, 6, 7, 8, 9, 10]);
    for broken_off in [false, true] {
        let file = directory.path().join(format!("{broken_off}.db"));
        let mut db = first_schema(&file);
        let filling = db.transaction().unwrap();
        let terms = serde_json::to_string(&redemption(1, 1).terms).unwrap();
        let ids = (0..3).map(twin).chain((1..=20_000).map(grant_id));
        for (n, id) in ids.enumerate() {
            let mut insert = filling
                .prepare_cached(
                    "INSERT INTO grants VALUES ('default', ?1, 'client-1', 'user-1', 0, ?2, ?3, ?4, 1000, ?3, ?3, ?5)",
                )
                .unwrap();
            let revoked = (n == 1).then_some(START.get());
            insert.execute(params![id.as_bytes(), START.get(), at(1_000).get(), revoked, terms]).unwrap();
        }
        let (code, grant) = (code_id(1), grant_id(1));
        let spent = params![code.as_bytes(), grant.as_bytes(), at(60).get()];
        filling.execute("INSERT INTO spent_codes VALUES ('default', ?, ?, ?)", spent).unwrap();
        filling.commit().unwrap();
        if broken_off {
            for step in LATER_SCHEMAS {
                db.execute_batch(step).unwrap();
            }
            let place = i64::try_from(twin(0).millis()).unwrap() << 18 | 1 << 14 | 2 << 6 | 3;
            db.execute(
                "INSERT INTO grants SELECT ?, tenant, id, client, subject, generation, rotated, expires, revoked, idle, ends, due,
                   terms FROM grants_by_name WHERE id = ?",
                params![place, twin(0).as_bytes()],
            )
            .unwrap();
            db.execute("DELETE FROM grants_by_name WHERE id = ?", [twin(0).as_bytes()]).unwrap();
            db.execute("UPDATE meta SET value = 9 WHERE name = 'schema'", ()).unwrap();
        }
        drop(db);
        let store = SqliteStore::open(&file).unwrap();
        for id in [twin(0), twin(2), grant_id(1), grant_id(10_000), grant_id(20_000)] {
            let rotation = store.rotate(&tenant(), id, 0, GRACE, at(1)).await.unwrap();
            assert!(matches!(rotation, Rotation::Rotated(_)), "{id}: {rotation:?}");
        }
        assert_eq!(store.rotate(&tenant(), twin(1), 0, GRACE, at(1)).await.unwrap(), Rotation::Revoked);
        let of = GrantsOf::Subject(&redemption(1, 1).terms.subject);
        let listed = store.grants(&tenant(), of, at(1), 30_000).await.unwrap();
        assert_eq!(listed.len(), 20_002);
        assert!(listed.windows(2).all(|pair| pair[0].id > pair[1].id));
        assert_eq!(store.redeem(&tenant(), redemption(1, 7), at(1)).await.unwrap(), Spend::Spent(grant_id(1)));
        let copy = directory.path().join(format!("{broken_off}-copy.db"));
        store.backup(&copy).await.unwrap();
        drop(store);
        assert_eq!([&file, &copy].map(|file| page_size(file)), [4_096, 2_048], "a copy has the pages of new files");
        let fresh = directory.path().join(format!("{broken_off}-fresh.db"));
        drop(SqliteStore::open(&fresh).unwrap());
        assert_eq!(schema(&file), schema(&fresh));
    }
}

fn page_size(file: &Path) -> i64 {
    Connection::open(file).unwrap().pragma_query_value(None, "page_size", |row| row.get(0)).unwrap()
}

/// From the first to the one that moves grants.
const LATER_SCHEMAS: [&str; 8] = [
    include_str!("../migrations/0002_credential_uses.sql"),
    include_str!("../migrations/0003_directory_feed.sql"),
    include_str!("../migrations/0004_epoch_and_buckets.sql"),
    include_str!("../migrations/0005_devices.sql"),
    include_str!("../migrations/0006_statuses.sql"),
    include_str!("../migrations/0007_desk.sql"),
    include_str!("../migrations/0008_remembered_log.sql"),
    include_str!("../migrations/0009_places.sql"),
];

/// As the first release made it.
fn first_schema(file: &Path) -> Connection {
    let db = Connection::open(file).unwrap();
    db.execute_batch(
        "PRAGMA application_id = 0x47524e54;
         CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
         INSERT INTO meta (name, value) VALUES ('schema', 1);",
    )
    .unwrap();
    db.execute_batch(include_str!("../migrations/0001_initial.sql")).unwrap();
    db
}

/// Every table and index, and the number of the schema.
fn schema(file: &Path) -> (Vec<(String, String)>, i64) {
    let db = Connection::open(file).unwrap();
    let mut parts = db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    let parts = parts.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().collect::<rusqlite::Result<_>>();
    let number = db.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get(0));
    (parts.unwrap(), number.unwrap())
}

/// However many processes note it.
#[tokio::test]
async fn a_busy_credential_writes_once_a_minute() {
    let (one, directory) = open();
    let file = directory.path().join("grantor.db");
    one.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    one.note_use(&tenant(), &client(1), "key", at(0));
    one.record(vec![]).await.unwrap();
    let watching = Connection::open(&file).unwrap();
    let written = || watching.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
    let before = written();
    for now in [1, 30, 60] {
        // It knows of no use but those in the file.
        let other = SqliteStore::open(&file).unwrap();
        for store in [&one, &other] {
            store.note_use(&tenant(), &client(1), "key", at(now));
            store.record(vec![]).await.unwrap();
        }
        assert_eq!(written(), before, "at {now}");
    }
    one.note_use(&tenant(), &client(1), "key", at(61));
    one.record(vec![]).await.unwrap();
    assert_ne!(written(), before);
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (store, directory) = open();
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    store.backup(&directory.path().join("copy.db")).await.unwrap();
    for name in ["grantor.db", "grantor.db-wal", "grantor.db-shm", "copy.db"] {
        let mode = std::fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    drop(SqliteStore::open(&file).unwrap());
    let db = Connection::open(&file).unwrap();
    db.execute("UPDATE meta SET value = 99 WHERE name = 'schema'", ()).unwrap();
    assert_refused(SqliteStore::open(&file), "the database has schema 99");
    let schema: i64 = db.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get(0)).unwrap();
    assert_eq!(schema, 99);
}

#[test]
fn what_is_no_database_of_ours_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let foreign = directory.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1);").unwrap();
    assert_refused(SqliteStore::open(&foreign), "another program's database");
    let text = directory.path().join("text");
    std::fs::write(&text, "a text, and a long one, but no database at all ".repeat(100)).unwrap();
    assert_refused(SqliteStore::open(&text), "not a database");
    assert_refused(SqliteStore::open(&directory.path().join("no/such/directory.db")), "cannot be created");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_can_open_a_new_file_at_once() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("grantor.db");
        let opening: Vec<_> = (0..8)
            .map(|_| {
                let file = file.clone();
                std::thread::spawn(move || SqliteStore::open(&file).unwrap())
            })
            .collect();
        let stores: Vec<_> = opening.into_iter().map(|opening| opening.join().unwrap()).collect();
        for (seen, store) in stores.iter().enumerate() {
            let seen = u64::try_from(seen).unwrap();
            assert_eq!(store.change_directory(vec![], Some(seen)).await.unwrap(), seen + 1);
        }
    }
}

/// The command line writes to the file while the server runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_see_each_other() {
    let (one, directory) = open();
    let other = SqliteStore::open(&directory.path().join("grantor.db")).unwrap();
    let stores = [Arc::new(one), Arc::new(other)];
    let writing: Vec<_> = (0..40)
        .map(|n| {
            let store = Arc::clone(&stores[n % 2]);
            tokio::spawn(async move { store.change_directory(vec![], None).await.unwrap() })
        })
        .collect();
    for write in writing {
        write.await.unwrap();
    }
    for n in 0..50 {
        let (here, there) = (&stores[n % 2], &stores[(n + 1) % 2]);
        let version = here.change_directory(vec![], None).await.unwrap();
        assert_eq!(there.directory_version().await.unwrap(), version);
    }
    assert_eq!(stores[0].directory_version().await.unwrap(), 90);
}

/// Grants are made in pairs with consecutive numbers, the second only after the first: a copy with the second has the
/// first, and with every grant its code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_others_write_is_whole() {
    let (store, directory) = open();
    let (store, done) = (Arc::new(store), Arc::new(AtomicBool::new(false)));
    let writing: Vec<_> = (0..8u64)
        .map(|task| {
            let (store, done) = (Arc::clone(&store), Arc::clone(&done));
            tokio::spawn(async move {
                let mut n = task * 1_000_000;
                while !done.load(Ordering::Relaxed) {
                    store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
                    n += 1;
                }
                n
            })
        })
        .collect();
    let mut sizes = Vec::new();
    for copy in 0..5 {
        store.redeem(&tenant(), redemption(1 << 40 | copy, 1 << 40 | copy), START).await.unwrap();
        let to = directory.path().join(format!("copy-{copy}.db"));
        store.backup(&to).await.unwrap();
        sizes.push(whole(&to, copy));
    }
    done.store(true, Ordering::Relaxed);
    let mut written = 5;
    for write in writing {
        written += write.await.unwrap() % 1_000_000;
    }
    assert!(sizes.is_sorted() && sizes[0] < sizes[4], "{sizes:?}");
    let last = directory.path().join("last.db");
    store.backup(&last).await.unwrap();
    assert_eq!(whole(&last, 4), written);
    drop(SqliteStore::open(&last).unwrap());
}

/// Gives how many grants it has.
fn whole(copy: &Path, marks: u64) -> u64 {
    let db = Connection::open(copy).unwrap();
    let number = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).unwrap();
    let verdict: String = db.query_row("PRAGMA integrity_check", (), |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let grants = number("SELECT count(*) FROM grants");
    assert_eq!(grants, number("SELECT count(*) FROM grants JOIN spent_codes ON grant_id = id"));
    assert_eq!(grants, number("SELECT count(*) FROM spent_codes"));
    for mark in 0..=marks {
        let id = grant_id(1 << 40 | mark);
        let found =
            db.query_row("SELECT count(*) FROM grants WHERE id = ?", [id.as_bytes()], |row| row.get::<_, i64>(0));
        assert_eq!(found.unwrap(), 1, "what was acknowledged before the backup began is in it");
    }
    u64::try_from(grants).unwrap()
}

#[tokio::test]
async fn a_backup_overwrites_nothing() {
    let (store, directory) = open();
    let to = directory.path().join("copy.db");
    std::fs::write(&to, "precious").unwrap();
    assert!(matches!(store.backup(&to).await, Err(StoreError::Broken(text)) if text.contains("exists already")));
    assert_eq!(std::fs::read_to_string(&to).unwrap(), "precious");
    let itself = store.backup(&directory.path().join("grantor.db")).await;
    assert!(matches!(itself, Err(StoreError::Broken(_))));
    assert!(store.backup(&directory.path().join("no/such/directory.db")).await.is_err());
}

fn open() -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (SqliteStore::open(&directory.path().join("grantor.db")).unwrap(), directory)
}

fn assert_refused(opened: Result<SqliteStore>, why: &str) {
    match opened {
        Err(StoreError::Broken(text)) => assert!(text.contains(why), "{text}"),
        other => panic!("{other:?}"),
    }
}
