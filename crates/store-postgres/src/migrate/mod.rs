//! The schema, in numbered migrations that are carried out while other nodes serve.
//!
//! A migration is a file of statements. It adds; what a release no longer needs goes with the release after it, so that
//! the nodes of the release before keep running. One node at a time migrates: it holds a lease that it renews and that
//! ends by itself, so that another takes over where one that was killed had come to. Every statement may be carried out
//! twice; a backfill goes in small steps and writes down in the same transaction where it is.

mod parse;
mod run;

pub use parse::{Kind, Statement};
pub use run::{Migrator, Report};

use crate::lease;
use std::time::Duration;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// One file.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Counted from 1, without a gap.
    pub number: u32,
    /// What it brings, for people.
    pub name: &'static str,
    /// The statements, with their directives: see [`Statement`].
    pub sql: &'static str,
    /// Binaries that know no more than this many migrations no longer work when this one is complete: 0 for one that
    /// only adds.
    pub ends: u32,
}

/// Each file once, in order. A file that was released is never changed again.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "initial", sql: include_str!("../schema/0001_initial.sql"), ends: 0 },
    Migration { number: 2, name: "devices", sql: include_str!("../schema/0002_devices.sql"), ends: 0 },
    Migration { number: 3, name: "statuses", sql: include_str!("../schema/0003_statuses.sql"), ends: 0 },
    Migration { number: 4, name: "desk", sql: include_str!("../schema/0004_desk.sql"), ends: 0 },
];

/// What every migration stands on.
const GROUND: &str = include_str!("../schema/0000_ground.sql");

/// For how long a node has the right to migrate without renewing it.
pub const LEASE: Duration = Duration::from_secs(30);

/// Why the schema is not this binary's.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database, or the way to it.
    #[error("{}", said(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// A newer binary has changed the database in a way that this one cannot work with.
    #[error(
        "the database has schema {found}, which needs a binary that knows schema {needed}: this one knows schemas up to {known}"
    )]
    Newer {
        /// The schema of the database.
        found: u32,
        /// What a binary must know to work with it.
        needed: u32,
        /// What this binary knows.
        known: u32,
    },
    /// Somebody else has the right to migrate now: this node was cut off for longer than its lease.
    #[error("the lease was lost: another node migrates")]
    LostLease,
    /// The database is not up to date, and it was not asked for to change that.
    #[error("the database has schema {found}, this binary needs schema {known}")]
    Behind {
        /// The schema of the database.
        found: u32,
        /// What this binary needs.
        known: u32,
    },
    /// A row of the migrations' own tables makes no sense.
    #[error("the record of the migrations is broken: {0}")]
    Broken(&'static str),
}

/// What stands in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The last migration that is complete; 0 in an empty database.
    pub number: u32,
    /// Binaries must know more than so many migrations.
    pub ended: u32,
}

/// One statement that a migration would carry out.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The migration's number.
    pub migration: u32,
    /// Its name.
    pub name: &'static str,
    /// The statement.
    pub statement: Statement,
    /// How many rows there are for it to look at.
    pub rows: u64,
}

/// The schema of the database, which may be empty.
///
/// # Errors
/// The database cannot be asked.
pub async fn schema(client: &Client) -> Result<Schema, MigrateError> {
    let number = |name: &'static str| async move {
        let row = client.query_opt("SELECT number FROM meta WHERE name = $1", &[&name]).await;
        let row = match row {
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => return Ok(0),
            row => row?,
        };
        let number: i64 = row.map_or(Ok(0), |row| row.try_get(0))?;
        u32::try_from(number).map_err(|_| MigrateError::Broken("the number of the schema"))
    };
    Ok(Schema { number: number("schema").await?, ended: number("schema_ended").await? })
}

/// Whether a binary with these migrations can serve: the database has all of them, and nothing that ended it.
///
/// # Errors
/// [`MigrateError::Newer`], [`MigrateError::Behind`], or the database cannot be asked.
pub async fn check(client: &Client, migrations: &[Migration]) -> Result<(), MigrateError> {
    let schema = schema(client).await?;
    refuse_newer(schema, migrations)?;
    let known = known(migrations);
    if schema.number < known {
        return Err(MigrateError::Behind { found: schema.number, known });
    }
    Ok(())
}

/// What [`Migrator::run`] would carry out, in order. Changes nothing.
///
/// # Errors
/// [`MigrateError::Newer`], or the database cannot be asked.
pub async fn pending(client: &Client, migrations: &[Migration]) -> Result<Vec<Pending>, MigrateError> {
    let schema = schema(client).await?;
    refuse_newer(schema, migrations)?;
    let mut pending = Vec::new();
    let dialect = parse::Dialect::of(client).await?;
    for migration in migrations.iter().filter(|migration| migration.number > schema.number) {
        let done = if schema.number == 0 { 0 } else { run::place(client, migration.number).await?.step };
        let statements = parse::statements(migration.sql, dialect);
        for statement in statements.into_iter().skip(usize::try_from(done).unwrap_or(usize::MAX)) {
            let rows = match &statement.rows {
                Some(count) => rows(client, count).await?,
                None => 0,
            };
            pending.push(Pending { migration: migration.number, name: migration.name, statement, rows });
        }
    }
    Ok(pending)
}

/// None of a table that is not there yet.
async fn rows(client: &Client, count: &str) -> Result<u64, MigrateError> {
    match client.query_one(count, &[]).await {
        Ok(row) => Ok(u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0)),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

fn known(migrations: &[Migration]) -> u32 {
    migrations.last().map_or(0, |migration| migration.number)
}

fn refuse_newer(schema: Schema, migrations: &[Migration]) -> Result<(), MigrateError> {
    let known = known(migrations);
    // What a migration ends, it ends for those that do not know the migration itself.
    if schema.number > known && schema.ended >= known {
        return Err(MigrateError::Newer { found: schema.number, needed: schema.ended.saturating_add(1), known });
    }
    Ok(())
}

/// The server's own words: those of the driver say only that there was an error.
fn said(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{} ({})", said.message(), said.code().code()),
        None => {
            std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
        }
    }
}

impl From<lease::Lost> for MigrateError {
    fn from(lease::Lost: lease::Lost) -> Self {
        Self::LostLease
    }
}
