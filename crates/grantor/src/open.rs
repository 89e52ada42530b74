//! The store of a data directory.

use crate::config::Configuration;
use crate::failure::{Context as _, Failure, Result};
use crate::scratch;
use grantor_store::Store;
use grantor_store_sqlite::SqliteStore;
use std::path::Path;
use std::sync::Arc;

/// Opens what is there.
pub(crate) fn existing(configuration: &Configuration) -> Result<Arc<dyn Store>> {
    let database = configuration.database();
    if !database.exists() {
        let data = configuration.data.display();
        return Err(Failure::new(format!("there is no database in {data}")).hint(
            "start with `grantor serve` or `grantor apply FILE`, or name another directory with --data".to_owned(),
        ));
    }
    open(&database)
}

/// Opens what is there, or makes it.
pub(crate) fn or_new(configuration: &Configuration) -> Result<Arc<dyn Store>> {
    scratch::create_private(&configuration.data)?;
    open(&configuration.database())
}

fn open(database: &Path) -> Result<Arc<dyn Store>> {
    let store = SqliteStore::open(database).context(|| format!("open {}", database.display()))?;
    Ok(Arc::new(store))
}
