//! Migrations: in steps, resumed, by one at a time, while others serve.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use grantor_local_postgres::Server;
use grantor_protocol::grant::Rotation;
use grantor_store::contract::samples::{GRACE, START, at, grant_id, redemption, tenant, token};
use grantor_store::{Grants as _, contract};
use grantor_store_postgres::migrate::{
    MIGRATIONS, MigrateError, Migration, Migrator, Report, Schema, check, pending, schema,
};
use grantor_store_postgres::{Options, PostgresStore, Target};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;

/// As a later release may bring it: it adds, it fills, and nobody need know it.
const NEXT: &str = "
--! lock ACCESS EXCLUSIVE on grants, for a moment
ALTER TABLE grants ADD COLUMN IF NOT EXISTS touched bigint NOT NULL DEFAULT 0;

--! rows SELECT count(*) FROM grants
--! backfill
WITH batch AS (
  SELECT tenant, key FROM grants
  WHERE (tenant, key) > (split_part($1, ' ', 1), decode(split_part($1, ' ', 2), 'hex'))
  ORDER BY tenant, key LIMIT $2
), changed AS (
  UPDATE grants SET touched = touched + 1 FROM batch WHERE grants.tenant = batch.tenant AND grants.key = batch.key
  RETURNING 1
)
SELECT (SELECT tenant || ' ' || encode(key, 'hex') FROM batch ORDER BY tenant DESC, key DESC LIMIT 1),
  (SELECT count(*) FROM changed);

--! rows SELECT count(*) FROM grants
--! index grants_touched
CREATE INDEX CONCURRENTLY IF NOT EXISTS grants_touched ON grants (touched, tenant);
";

const LEASE: Duration = Duration::from_secs(2);
const ROWS: u64 = 1_000;

fn ahead() -> Vec<Migration> {
    let mut migrations = MIGRATIONS.to_vec();
    migrations.push(Migration { number: known() + 1, name: "next", sql: NEXT, ends: 0 });
    migrations
}

fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap()
}

struct Database(String);

impl Database {
    fn new() -> Self {
        Self(Server::shared().unwrap().fresh_database().unwrap())
    }

    async fn client(&self) -> Client {
        Target::parse(&self.0).unwrap().client().await.unwrap()
    }

    async fn migrate(&self, migrations: &[Migration]) -> Result<usize, MigrateError> {
        self.migrate_and(migrations, &mut |_| {}).await
    }

    async fn migrate_and(
        &self,
        migrations: &[Migration],
        report: &mut (dyn FnMut(Report<'_>) + Send),
    ) -> Result<usize, MigrateError> {
        let (work, keep) = (self.client().await, self.client().await);
        Migrator::new(&work, &keep).with_lease(LEASE).with_batch(100).run(migrations, report).await
    }

    /// With the schema of this binary and some grants.
    async fn filled() -> Self {
        let database = Self::new();
        database.migrate(MIGRATIONS).await.unwrap();
        let fill =
            "INSERT INTO grants (tenant, key, client, subject, generation, rotated, expires, idle, ends, due, terms)
                    SELECT CASE WHEN n % 3 = 0 THEN 'other' ELSE 'default' END,
                      decode(lpad(to_hex(n % 256), 2, '0') || lpad(to_hex(n), 30, '0'), 'hex'),
                      'c', 's', 0, 0, 0, 0, 0, 0, '{}' FROM generate_series(1, $1::bigint) AS n";
        database.client().await.execute(fill, &[&i64::try_from(ROWS).unwrap()]).await.unwrap();
        database
    }

    async fn count(&self, sql: &str) -> i64 {
        self.client().await.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn assert_migrated(&self, completed: usize) {
        assert_eq!(self.count("SELECT count(*) FROM grants WHERE touched <> 1").await, 0, "each row once");
        let valid = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                     WHERE c.relname = 'grants_touched' AND indisvalid";
        assert_eq!(self.count(valid).await, 1);
        assert_eq!(schema(&self.client().await).await.unwrap(), Schema { number: known() + 1, ended: 0 });
        assert_eq!(self.count("SELECT count(*) FROM leases").await, 0);
        assert_eq!(completed, 1);
        assert_eq!(self.migrate(&ahead()).await.unwrap(), 0, "there is nothing left to do");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pending_is_said_and_not_done() {
    let database = Database::new();
    let client = database.client().await;
    let of_nothing = pending(&client, &ahead()).await.unwrap();
    assert_eq!(of_nothing.first().unwrap().migration, 1);
    assert!(of_nothing.iter().all(|pending| pending.rows == 0));
    assert_eq!(database.count("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").await, 0);
    let behind = check(&client, MIGRATIONS).await.unwrap_err();
    assert!(matches!(behind, MigrateError::Behind { found: 0, .. }), "{behind}");
    let filled = Database::filled().await;
    let pending = pending(&filled.client().await, &ahead()).await.unwrap();
    let said: Vec<_> = pending.iter().map(|pending| (pending.name, pending.rows)).collect();
    assert_eq!(said, [("next", 0), ("next", ROWS), ("next", ROWS)]);
    assert_eq!(pending[0].statement.lock.as_deref(), Some("ACCESS EXCLUSIVE on grants, for a moment"));
    check(&filled.client().await, MIGRATIONS).await.unwrap();
    assert!(matches!(check(&filled.client().await, &ahead()).await, Err(MigrateError::Behind { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migrator_that_was_killed_is_followed_where_it_had_come_to() {
    let database = Arc::new(Database::filled().await);
    let (reached, mut at) = tokio::sync::mpsc::unbounded_channel();
    let killed = tokio::spawn({
        let database = Arc::clone(&database);
        async move {
            let report = &mut |report: Report<'_>| {
                if let Report::Filled { rows, .. } = report {
                    reached.send(rows).unwrap();
                }
            };
            database.migrate_and(&ahead(), report).await
        }
    });
    while at.recv().await.unwrap() < 300 {}
    killed.abort();
    assert!(killed.await.unwrap_err().is_cancelled());
    assert_eq!(database.count("SELECT count(*) FROM leases WHERE name = 'migrate'").await, 1);
    let (mut waited, mut first) = (false, None);
    let completed = database
        .migrate_and(&ahead(), &mut |report| match report {
            Report::Waiting => waited = true,
            Report::Filled { rows, .. } => {
                first.get_or_insert(rows);
            }
            Report::Begins { .. } | Report::Complete { .. } => {}
        })
        .await
        .unwrap();
    assert!(waited, "the dead one had the lease");
    assert!(first.unwrap() > 300, "it begins where the other had come to, not anew: {first:?}");
    database.assert_migrated(completed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_migrators_one_migrates() {
    let database = Arc::new(Database::filled().await);
    let every = (0..5).map(|_| {
        let database = Arc::clone(&database);
        tokio::spawn(async move { database.migrate(&ahead()).await.unwrap() })
    });
    let mut completed = 0;
    for one in every.collect::<Vec<_>>() {
        completed += one.await.unwrap();
    }
    database.assert_migrated(completed).await;
    // And of an empty database.
    let empty = Arc::new(Database::new());
    let every = (0..5).map(|_| {
        let empty = Arc::clone(&empty);
        tokio::spawn(async move { empty.migrate(MIGRATIONS).await.unwrap() })
    });
    let mut completed = 0;
    for one in every.collect::<Vec<_>>() {
        completed += one.await.unwrap();
    }
    assert_eq!(completed, MIGRATIONS.len());
}

/// It was cut off for longer than its lease, and does not know it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_lost_the_lease_changes_nothing_any_more() {
    let database = Database::filled().await;
    let thief = database.client().await;
    let mut filled = 0;
    let lost = database
        .migrate_and(&ahead(), &mut |report| {
            let Report::Filled { rows, .. } = report else { return };
            filled = rows;
            if rows == 300 {
                let steal = "UPDATE leases SET holder = gen_random_uuid(), until = until + 600";
                tokio::task::block_in_place(|| {
                    tokio::runtime::Handle::current().block_on(thief.batch_execute(steal)).unwrap();
                });
            }
        })
        .await;
    assert!(matches!(lost, Err(MigrateError::LostLease)), "{lost:?}");
    assert_eq!(filled, 300);
    assert_eq!(database.count("SELECT count(*) FROM grants WHERE touched = 1").await, 300);
    thief.batch_execute("UPDATE leases SET until = 0").await.unwrap();
    let completed = database.migrate(&ahead()).await.unwrap();
    database.assert_migrated(completed).await;
}

/// `IF NOT EXISTS` would take it for a whole one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_an_index_is_made_anew() {
    let database = Database::filled().await;
    let broken = "CREATE UNIQUE INDEX CONCURRENTLY grants_touched ON grants (client)";
    database.client().await.batch_execute(broken).await.unwrap_err();
    let completed = database.migrate(&ahead()).await.unwrap();
    database.assert_migrated(completed).await;
}

/// A statement that waits for its lock has everybody wait who comes after it: so it does not wait for long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_that_waits_for_a_lock_holds_nobody_up() {
    let database = Arc::new(Database::filled().await);
    let (holder, writer) = (database.client().await, database.client().await);
    holder.batch_execute("BEGIN; SELECT count(*) FROM grants").await.unwrap();
    let migrating = tokio::spawn({
        let database = Arc::clone(&database);
        async move { database.migrate(&ahead()).await }
    });
    let waiting = "SELECT count(*) FROM pg_locks WHERE relation = 'grants'::regclass AND mode = 'AccessExclusiveLock'";
    while database.count(waiting).await == 0 {}
    // It would never come back from the queue behind the migration.
    writer.batch_execute("SET statement_timeout = '30s'; UPDATE grants SET generation = 1").await.unwrap();
    assert!(!migrating.is_finished());
    holder.batch_execute("COMMIT").await.unwrap();
    let completed = migrating.await.unwrap().unwrap();
    database.assert_migrated(completed).await;
}

/// The nodes of the release before go on while a migration runs, and when it is complete.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_release_before_keeps_running() {
    let database = Arc::new(Database::filled().await);
    let before = PostgresStore::connect(&database.0, Options::default()).await.unwrap();
    let migrating = tokio::spawn({
        let database = Arc::clone(&database);
        async move { database.migrate(&ahead()).await }
    });
    let mut n = ROWS;
    while !migrating.is_finished() || n < ROWS + 50 {
        n += 1;
        before.redeem(&tenant(), redemption(n, n), START).await.unwrap();
        let rotated = before.rotate(&tenant(), grant_id(n), 0, GRACE, at(1)).await.unwrap();
        assert!(matches!(rotated, Rotation::Rotated(_)), "{rotated:?}");
        before.standing(&tenant(), &token(n, Some(n), 1)).await.unwrap();
    }
    assert_eq!(migrating.await.unwrap().unwrap(), 1);
    // All that it does, on a database that is ahead of it.
    let ahead_of_it = async || {
        let database = Database::new();
        database.migrate(&ahead()).await.unwrap();
        Arc::new(PostgresStore::connect(&database.0, Options::default()).await.unwrap())
    };
    contract::grants::rfc9700_4_14_2_an_outdated_generation_revokes_the_grant(ahead_of_it().await).await;
    contract::grants::revoking_all_takes_what_is_meant_and_nothing_else(ahead_of_it().await).await;
    contract::tokens::a_cut_off_takes_what_was_issued_before_it(ahead_of_it().await).await;
    contract::sessions::signing_in_again_replaces_the_session(ahead_of_it().await).await;
    contract::sessions::consents_add_up(ahead_of_it().await).await;
    contract::uses::the_last_use_of_each_credential_is_known(ahead_of_it().await).await;
    contract::directory::records_are_put_replaced_and_deleted(ahead_of_it().await).await;
    contract::directory::a_deleted_tenant_takes_everything_with_it_but_the_log(ahead_of_it().await).await;
    contract::audit::events_are_read_in_order(ahead_of_it().await).await;
    contract::epoch::the_epoch_closes_every_session(ahead_of_it().await).await;
    contract::expiry::a_grant_is_kept_while_its_tokens_may_live(ahead_of_it().await).await;
}

/// One to which it only added something is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_a_newer_binary_changed_is_refused() {
    let database = Database::new();
    let mut migrations = ahead();
    let removes = "ALTER TABLE users DROP COLUMN IF EXISTS folded;\n";
    migrations.push(Migration { number: known() + 2, name: "ends", sql: removes, ends: known() });
    database.migrate(&migrations).await.unwrap();
    let client = database.client().await;
    for refused in [check(&client, MIGRATIONS).await, database.migrate(MIGRATIONS).await.map(drop)] {
        assert!(matches!(refused, Err(MigrateError::Newer { .. })), "{refused:?}");
    }
    assert!(pending(&client, MIGRATIONS).await.is_err());
    assert!(PostgresStore::connect(&database.0, Options::default()).await.is_err());
    check(&client, &migrations).await.unwrap();
}

/// A migration of tables that are in use says what it does to them.
#[test]
fn every_migration_says_which_locks_it_takes() {
    for (position, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(usize::try_from(migration.number).unwrap(), position + 1);
        for line in migration.sql.lines().filter_map(|line| line.strip_prefix("--!")) {
            let known = ["backfill", "index ", "rows SELECT ", "lock "];
            assert!(known.iter().any(|directive| line.trim().starts_with(directive)), "{line}");
        }
        let statements = migration.sql.lines().filter(|line| line.ends_with(';') && !line.starts_with("--")).count();
        let locks = migration.sql.lines().filter(|line| line.starts_with("--! lock ")).count();
        assert!(migration.number == 1 || locks == statements, "{}: {locks} of {statements}", migration.name);
    }
}
