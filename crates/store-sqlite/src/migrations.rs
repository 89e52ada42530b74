//! The schema, in numbered steps.

use crate::failure::Result;
use grantor_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// Each file once, in order. A file that was released is never changed again.
const STEPS: [&str; 8] = [
    include_str!("../migrations/0001_initial.sql"),
    include_str!("../migrations/0002_credential_uses.sql"),
    include_str!("../migrations/0003_directory_feed.sql"),
    include_str!("../migrations/0004_epoch_and_buckets.sql"),
    include_str!("../migrations/0005_devices.sql"),
    include_str!("../migrations/0006_statuses.sql"),
    include_str!("../migrations/0007_desk.sql"),
    include_str!("../migrations/0008_remembered_log.sql"),
];

/// `GRNT`: marks the file as ours.
pub(crate) const APPLICATION: i32 = 0x4752_4e54;

/// Brings the schema up to this binary's. Refuses a database that a newer binary has changed, and one that is not
/// Grantor's.
pub(crate) fn migrate(db: &mut Connection) -> Result<()> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let application: i32 = transaction.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if tables == 0 {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.execute_batch(
            "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
             INSERT INTO meta (name, value) VALUES ('schema', 0);",
        )?;
    } else if application != APPLICATION {
        return Err(StoreError::Broken("the file is another program's database".to_owned()).into());
    }
    let found: i64 = transaction.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let Some(steps) = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)) else {
        let text = format!("the database has schema {found}, but this binary knows schemas up to {known}");
        return Err(StoreError::Broken(text).into());
    };
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'schema' AND value <> ?1", [known])?;
    transaction.commit()?;
    Ok(())
}
