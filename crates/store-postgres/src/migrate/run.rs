//! Carrying migrations out.

use super::parse::{self, Dialect, Kind, Statement};
use super::{GROUND, LEASE, MigrateError, Migration, known, refuse_newer, schema};
use crate::lease;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

/// The name of the lease.
const MIGRATE: &str = "migrate";
/// A statement that waits for a lock makes others wait behind it: it gives up after so long, and tries again.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '1s'";
/// How many rows one step of a backfill takes.
const BATCH: i64 = 1_000;
/// How long others come first after a lock was not to be had, and between looks at somebody else's lease.
const PAUSE: Duration = Duration::from_millis(200);
/// A statement that failed because of others is tried so often: for several minutes.
const ATTEMPTS: u32 = 200;

/// What a run says while it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Report<'a> {
    /// Another node has the lease.
    Waiting,
    /// A statement begins.
    Begins {
        /// The migration's number.
        migration: u32,
        /// The statement.
        statement: &'a Statement,
    },
    /// A backfill has taken so many rows altogether.
    Filled {
        /// The migration's number.
        migration: u32,
        /// The rows.
        rows: u64,
    },
    /// A migration is complete.
    Complete {
        /// The migration.
        migration: &'a Migration,
    },
}

/// How far a migration has come.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) step: u64,
    position: String,
    rows: u64,
}

/// Carries migrations out, on one connection for the statements and another that holds the lease meanwhile.
#[derive(Debug)]
pub struct Migrator<'a> {
    work: &'a Client,
    keep: &'a Client,
    lease: Duration,
    batch: i64,
}

impl<'a> Migrator<'a> {
    /// Two connections to the same database. A statement that was cancelled must not be waited for on the second.
    pub fn new(work: &'a Client, keep: &'a Client) -> Self {
        Self { work, keep, lease: LEASE, batch: BATCH }
    }

    /// Another time after which a node that says nothing is followed by another; whole seconds, two at the least.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// Another number of rows for one step of a backfill.
    #[must_use]
    pub fn with_batch(self, rows: u32) -> Self {
        Self { batch: i64::from(rows), ..self }
    }

    /// Brings the schema up to these migrations; waits for another node that is at it. Gives how many this one
    /// completed.
    ///
    /// # Errors
    /// [`MigrateError`]; what is complete stays so, and the next run goes on where this one stopped.
    pub async fn run(
        &self,
        migrations: &[Migration],
        report: &mut (dyn FnMut(Report<'_>) + Send),
    ) -> Result<usize, MigrateError> {
        let found = schema(self.work).await?;
        refuse_newer(found, migrations)?;
        if found.number >= known(migrations) {
            return Ok(0);
        }
        let dialect = Dialect::of(self.work).await?;
        self.work.batch_execute(LOCK_TIMEOUT).await?;
        for statement in parse::statements(GROUND, dialect) {
            self.once(&statement.sql).await?;
        }
        let holder = lease::holder(self.work).await?;
        while !lease::take(self.keep, MIGRATE, holder, self.lease).await? {
            report(Report::Waiting);
            tokio::time::sleep(PAUSE).await;
            if schema(self.work).await?.number >= known(migrations) {
                return Ok(0);
            }
        }
        let migrated = tokio::select! {
            migrated = self.migrate(migrations, dialect, holder, report) => migrated,
            lost = self.hold(holder) => Err(lost),
        };
        lease::give_back(self.keep, MIGRATE, holder).await?;
        migrated
    }

    /// Renews the lease until that fails.
    async fn hold(&self, holder: Uuid) -> MigrateError {
        loop {
            tokio::time::sleep(self.lease / 3).await;
            match lease::renew(self.keep, MIGRATE, holder, self.lease).await {
                Ok(Ok(())) => {}
                Ok(Err(lost)) => return lost.into(),
                Err(error) => return error.into(),
            }
        }
    }

    async fn migrate(
        &self,
        migrations: &[Migration],
        dialect: Dialect,
        holder: Uuid,
        report: &mut (dyn FnMut(Report<'_>) + Send),
    ) -> Result<usize, MigrateError> {
        let found = schema(self.work).await?;
        refuse_newer(found, migrations)?;
        let mut completed = 0;
        for migration in migrations.iter().filter(|migration| migration.number > found.number) {
            let number = i64::from(migration.number);
            let new =
                "INSERT INTO migrations (number, step, position, rows) VALUES ($1, 0, '', 0) ON CONFLICT DO NOTHING";
            self.work.execute(new, &[&number]).await?;
            let done = place(self.work, migration.number).await?.step;
            let statements = (0_u64..).zip(parse::statements(migration.sql, dialect));
            for (step, statement) in statements.filter(|(step, _)| *step >= done) {
                report(Report::Begins { migration: migration.number, statement: &statement });
                self.carry_out(migration, &statement, holder, report).await?;
                let next =
                    "UPDATE migrations SET step = step + 1, position = '', rows = 0 WHERE number = $1 AND step = $2
                            AND EXISTS (SELECT 1 FROM leases WHERE name = 'migrate' AND holder = $3)";
                let step = i64::try_from(step).unwrap_or(i64::MAX);
                if self.work.execute(next, &[&number, &step, &holder]).await? != 1 {
                    return Err(MigrateError::LostLease);
                }
            }
            self.complete(migration, holder).await?;
            report(Report::Complete { migration });
            completed += 1;
        }
        Ok(completed)
    }

    async fn carry_out(
        &self,
        migration: &Migration,
        statement: &Statement,
        holder: Uuid,
        report: &mut (dyn FnMut(Report<'_>) + Send),
    ) -> Result<(), MigrateError> {
        match &statement.kind {
            Kind::Once => self.once(&statement.sql).await,
            Kind::Index(name) => self.index(name, &statement.sql).await,
            Kind::Backfill => self.backfill(migration.number, &statement.sql, holder, report).await,
        }
    }

    /// Again after what others caused.
    async fn once(&self, sql: &str) -> Result<(), MigrateError> {
        let mut attempts = 0;
        while let Err(error) = self.work.batch_execute(sql).await {
            if !is_passing(&error) || attempts == ATTEMPTS {
                return Err(error.into());
            }
            attempts += 1;
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// An attempt that failed, or whose node was killed, left an index that is not valid, and that `IF NOT EXISTS` would
    /// take for one. A server that still builds it for the dead holds its lock: then this waits.
    async fn index(&self, name: &str, sql: &str) -> Result<(), MigrateError> {
        let invalid = "SELECT 1 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
                       WHERE c.relname = $1 AND NOT i.indisvalid AND pg_catalog.pg_table_is_visible(c.oid)";
        let mut attempts = 0;
        loop {
            if self.work.query_opt(invalid, &[&name]).await?.is_some() {
                self.once(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).await?;
            }
            match self.work.batch_execute(sql).await {
                Ok(()) => return Ok(()),
                Err(error) if is_passing(&error) && attempts < ATTEMPTS => {
                    attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// In steps of one transaction each, which also writes down where the next begins. Others have as much time between
    /// the steps as the steps take.
    async fn backfill(
        &self,
        migration: u32,
        sql: &str,
        holder: Uuid,
        report: &mut (dyn FnMut(Report<'_>) + Send),
    ) -> Result<(), MigrateError> {
        let mut attempts = 0;
        loop {
            let begun = Instant::now();
            match self.fill(migration, sql, holder).await {
                Ok(Some(rows)) => {
                    attempts = 0;
                    report(Report::Filled { migration, rows });
                    tokio::time::sleep(begun.elapsed()).await;
                }
                Ok(None) => return Ok(()),
                Err(MigrateError::Postgres(error)) if is_passing(&error) && attempts < ATTEMPTS => {
                    attempts += 1;
                    tokio::time::sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// One step of a backfill. Gives how many rows it has taken altogether; none at its end.
    async fn fill(&self, migration: u32, sql: &str, holder: Uuid) -> Result<Option<u64>, MigrateError> {
        self.work.batch_execute("BEGIN").await?;
        let filled = self.fill_inside(migration, sql, holder).await;
        let end = if filled.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.work.batch_execute(end).await?;
        filled
    }

    async fn fill_inside(&self, migration: u32, sql: &str, holder: Uuid) -> Result<Option<u64>, MigrateError> {
        let place = place(self.work, migration).await?;
        let row = self.work.query_one(sql, &[&place.position, &self.batch]).await?;
        let (next, taken): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
        let Some(next) = next else { return Ok(None) };
        let rows = place.rows.saturating_add(u64::try_from(taken).unwrap_or(0));
        let moved = "UPDATE migrations SET position = $2, rows = $3 WHERE number = $1 AND position = $4
                     AND EXISTS (SELECT 1 FROM leases WHERE name = 'migrate' AND holder = $5)";
        let counted = i64::try_from(rows).unwrap_or(i64::MAX);
        let changed =
            self.work.execute(moved, &[&i64::from(migration), &next, &counted, &place.position, &holder]).await?;
        if changed != 1 {
            return Err(MigrateError::LostLease);
        }
        Ok(Some(rows))
    }

    async fn complete(&self, migration: &Migration, holder: Uuid) -> Result<(), MigrateError> {
        let ended = "INSERT INTO meta (name, number) VALUES ('schema_ended', $1) ON CONFLICT (name) DO UPDATE
                     SET number = excluded.number WHERE meta.number < excluded.number";
        if migration.ends > 0 {
            self.work.execute(ended, &[&i64::from(migration.ends)]).await?;
        }
        let complete = "UPDATE meta SET number = $1 WHERE name = 'schema' AND number = $1::bigint - 1
                        AND EXISTS (SELECT 1 FROM leases WHERE name = 'migrate' AND holder = $2)";
        if self.work.execute(complete, &[&i64::from(migration.number), &holder]).await? != 1 {
            return Err(MigrateError::LostLease);
        }
        Ok(())
    }
}

/// The beginning of one that was never begun.
pub(super) async fn place(client: &Client, migration: u32) -> Result<Place, MigrateError> {
    let sql = "SELECT step, position, rows FROM migrations WHERE number = $1";
    let Some(row) = client.query_opt(sql, &[&i64::from(migration)]).await? else {
        return Ok(Place { step: 0, position: String::new(), rows: 0 });
    };
    let natural = |number: i64| u64::try_from(number).map_err(|_| MigrateError::Broken("a step"));
    Ok(Place { step: natural(row.try_get(0)?)?, position: row.try_get(1)?, rows: natural(row.try_get(2)?)? })
}

/// A lock that was not to be had, a transaction that lost against another, two that make the same thing at once.
fn is_passing(error: &tokio_postgres::Error) -> bool {
    let passing = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_OBJECT,
    ];
    error.code().is_some_and(|code| passing.contains(code))
}
