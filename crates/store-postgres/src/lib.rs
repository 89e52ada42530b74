//! Grantor's cluster storage: PostgreSQL and what speaks its protocol.
//!
//! Nodes know nothing of each other: each decision is one conditional statement on the primary, so that any number of
//! them may stand on one database. What a verb acknowledged is as durable as the database makes a commit.
//!
//! Writes that wait at the same time share a statement, see `batch`. A connection that is lost is made again behind
//! the verbs' backs, see `connect`; which verbs are tried again, and how they know their own work, is said where each
//! verb stands.

mod batch;
mod claim;
mod connect;
#[cfg(test)]
mod dialect;
mod failure;
mod lease;
pub mod migrate;
mod notes;
mod ring;
mod transaction;
mod verbs;

pub use claim::{claim_master_key, is_master_key};
pub use connect::{Options, Target};

use batch::Lanes;
use connect::Connections;
use grantor_store::{Recent, Result, StoreError};
use notes::Notes;
use std::sync::Arc;

/// The store in a database. Dropping it closes its connections.
pub struct PostgresStore {
    connections: Arc<Connections>,
    lanes: Lanes,
    notes: Notes,
    recent: Recent,
}

impl PostgresStore {
    /// Connects to the database that the URL names and brings its schema up to date:
    /// `postgres://user:password@host-1:5432,host-2:5432/name?sslmode=verify-full`.
    ///
    /// Of several hosts the one that takes writes is used, now and after each loss of a connection. `sslmode` is
    /// `disable`, `prefer`, `require`, `verify-ca` or `verify-full`, and `verify-full` when it is absent, unless every
    /// host is this machine; where TLS is used, the certificate is always verified whole, by the roots in the file
    /// `sslrootcert` or else by the platform's.
    ///
    /// Fails when the URL says something else, when there is no connection within [`Options::patience`], and when a
    /// newer binary has changed the schema.
    pub async fn connect(url: &str, options: Options) -> Result<Self> {
        let target = Target::parse(url)?.with_application_name(&options.application_name);
        migrate(&target).await?;
        Ok(Self::over(Connections::open(&target, &options).await?, &options))
    }

    fn over(connections: Connections, options: &Options) -> Self {
        let connections = Arc::new(connections);
        let lanes = Lanes::open(&connections, options);
        let notes = Notes::open(&connections, options);
        Self { connections, lanes, notes, recent: Recent::default() }
    }
}

/// Brings the schema up to this binary's.
async fn migrate(target: &Target) -> Result<()> {
    let no_way = |error: tokio_postgres::Error| StoreError::from(failure::Failure::from(error));
    let (work, keep) = (target.client().await.map_err(no_way)?, target.client().await.map_err(no_way)?);
    let migrated = migrate::Migrator::new(&work, &keep).run(migrate::MIGRATIONS, &mut |_| {}).await;
    migrated.map(drop).map_err(|error| StoreError::Broken(error.to_string()))
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}
