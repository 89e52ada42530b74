//! The store of a data directory.

use crate::config::Configuration;
use crate::failure::{Context as _, Failure, Result};
use crate::scratch;
use grantor_protocol::value::Issuer;
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

/// The file that says that the data was made by the demo.
const DEMO: &str = "demo";

/// Whether the data was made by the demo: its user has a password that everybody knows.
pub(crate) fn is_demo(configuration: &Configuration) -> bool {
    configuration.data.join(DEMO).exists()
}

/// Takes a data directory for the demo, unless a real server has begun to use it.
pub(crate) fn claim_for_demo(configuration: &Configuration) -> Result<()> {
    if configuration.database().exists() && !is_demo(configuration) {
        return Err(Failure::new(format!("the data in {} is not the demo's", configuration.data.display())).hint(
            "the demo would add a user with a password that everybody knows; name another directory".to_owned(),
        ));
    }
    scratch::create_private(&configuration.data)?;
    let path = configuration.data.join(DEMO);
    std::fs::write(&path, "made by grantor demo\n").context(|| format!("write {}", path.display()))
}

/// The file that says for which issuer a data directory is used, so that single steps need not be told.
const ISSUER: &str = "issuer";

/// Writes down for which issuer the data is used. Gives the one before, if it was another.
pub(crate) fn remember_issuer(configuration: &Configuration) -> Result<Option<Issuer>> {
    let before = remembered_issuer(configuration);
    if before.as_ref() == Some(&configuration.issuer) {
        return Ok(None);
    }
    let path = configuration.data.join(ISSUER);
    std::fs::write(&path, format!("{}\n", configuration.issuer)).context(|| format!("write {}", path.display()))?;
    Ok(before)
}

/// The issuer that was configured, or else the one for which the data was last used.
pub(crate) fn issuer(configuration: &Configuration) -> Issuer {
    let remembered = configuration.issuer_is_default.then(|| remembered_issuer(configuration)).flatten();
    remembered.unwrap_or_else(|| configuration.issuer.clone())
}

fn remembered_issuer(configuration: &Configuration) -> Option<Issuer> {
    let text = std::fs::read_to_string(configuration.data.join(ISSUER)).ok()?;
    Issuer::parse(text.trim())
}
