//! Two nodes' stores over the same data.

use anyhow::Result;
use clap::ValueEnum;
use grantor_local_postgres::Server;
use grantor_store::Store;
use grantor_store_postgres::{Options, PostgresStore};
use grantor_store_sqlite::SqliteStore;
use std::sync::Arc;
use tempfile::TempDir;

/// A backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// Two handles on one file.
    Sqlite,
    /// Two nodes on one server.
    Postgres,
}

impl Backend {
    /// Its name, as the command line has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Two nodes.
pub(crate) struct Pair {
    /// Each with caches and connections of its own.
    pub(crate) nodes: [Arc<dyn Store>; 2],
    /// What must live as long as they.
    _home: Option<TempDir>,
}

impl Pair {
    /// Over an empty store.
    pub(crate) async fn open(backend: Backend) -> Result<Self> {
        match backend {
            Backend::Sqlite => {
                let home = tempfile::tempdir()?;
                let open =
                    || -> Result<Arc<dyn Store>> { Ok(Arc::new(SqliteStore::open(&home.path().join("grantor.db"))?)) };
                Ok(Self { nodes: [open()?, open()?], _home: Some(home) })
            }
            Backend::Postgres => Self::connect(&Server::shared()?.fresh_database()?).await,
        }
    }

    /// Over a database of PostgreSQL.
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let connect = async || PostgresStore::connect(url, Options::default()).await;
        Ok(Self { nodes: [Arc::new(connect().await?), Arc::new(connect().await?)], _home: None })
    }
}
