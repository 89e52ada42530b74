//! The schema, in numbered steps.

use crate::failure::Result;
use crate::verbs::grants::Place;
use grantor_protocol::value::GrantId;
use grantor_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// What brings the schema from one number to the next.
enum Step {
    /// A file, once. One that was released is never changed again.
    File(&'static str),
    /// In transactions of its own, until it gives false. One that was broken off goes on where it was.
    UntilDone(fn(&Connection) -> Result<bool>),
}

/// In order.
const STEPS: [Step; 11] = [
    Step::File(include_str!("../migrations/0001_initial.sql")),
    Step::File(include_str!("../migrations/0002_credential_uses.sql")),
    Step::File(include_str!("../migrations/0003_directory_feed.sql")),
    Step::File(include_str!("../migrations/0004_epoch_and_buckets.sql")),
    Step::File(include_str!("../migrations/0005_devices.sql")),
    Step::File(include_str!("../migrations/0006_statuses.sql")),
    Step::File(include_str!("../migrations/0007_desk.sql")),
    Step::File(include_str!("../migrations/0008_remembered_log.sql")),
    Step::File(include_str!("../migrations/0009_places.sql")),
    Step::UntilDone(move_grants),
    Step::File(include_str!("../migrations/0010_found_by.sql")),
];

/// So many rows are moved in one transaction.
const ROWS: u32 = 10_000;

/// `GRNT`: marks the file as ours.
pub(crate) const APPLICATION: i32 = 0x4752_4e54;

/// Brings the schema up to this binary's. Refuses a database that a newer binary has changed, and one that is not
/// Grantor's.
pub(crate) fn migrate(db: &mut Connection) -> Result<()> {
    let steps = |db: &mut Connection| {
        while go_on(db)? {}
        Ok(())
    };
    if is_behind(db)? { with_files(db, steps) } else { steps(db) }
}

/// What an index is sorted by lies in files beside the database meanwhile: it would take 80 bytes of memory for each row.
fn with_files<T>(db: &mut Connection, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
    if let Some(directory) = db.path().and_then(|path| Path::new(path).parent()?.to_str()) {
        db.pragma_update(None, "temp_store_directory", directory)?;
    }
    db.pragma_update(None, "temp_store", "FILE")?;
    let done = work(db);
    db.pragma_update(None, "temp_store", "MEMORY")?;
    done
}

/// Whether there is a schema in the file that this binary would bring up to date.
pub(crate) fn is_behind(db: &Connection) -> Result<bool> {
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    Ok(reached(db)?.is_some_and(|reached| reached < known))
}

/// The schema of the file; none while it is empty. Refuses another program's.
fn reached(db: &Connection) -> Result<Option<i64>> {
    if db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get::<_, i64>(0))? == 0 {
        return Ok(None);
    }
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION {
        return Err(StoreError::Broken("the file is another program's database".to_owned()).into());
    }
    Ok(Some(db.query_row("SELECT value FROM meta WHERE name = 'schema'", (), |row| row.get(0))?))
}

/// One transaction. Gives whether there is more to do.
fn go_on(db: &mut Connection) -> Result<bool> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = if let Some(found) = reached(&transaction)? {
        found
    } else {
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.execute_batch(
            "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
             INSERT INTO meta (name, value) VALUES ('schema', 0);",
        )?;
        0
    };
    let Some(steps) = usize::try_from(found).ok().and_then(|found| STEPS.get(found..)) else {
        let known = STEPS.len();
        let text = format!("the database has schema {found}, but this binary knows schemas up to {known}");
        return Err(StoreError::Broken(text).into());
    };
    let (mut reached, mut more) = (found, false);
    for step in steps {
        match step {
            Step::File(sql) => transaction.execute_batch(sql)?,
            Step::UntilDone(work) => more = work(&transaction)?,
        }
        if more {
            break;
        }
        reached += 1;
    }
    transaction.execute("UPDATE meta SET value = ?1 WHERE name = 'schema' AND value <> ?1", [reached])?;
    transaction.commit()?;
    Ok(more)
}

/// From where identifiers had an index to where they are places. The space of those that were moved is used again.
fn move_grants(db: &Connection) -> Result<bool> {
    let (last, all): (Option<i64>, Option<i64>) = db
        .prepare_cached(
            "SELECT (SELECT max(rowid) FROM (SELECT rowid FROM grants_by_name ORDER BY rowid LIMIT ?)),
                    (SELECT max(rowid) FROM grants_by_name)",
        )?
        .query_row([ROWS], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(false) };
    let mut names = db.prepare_cached("SELECT rowid, id FROM grants_by_name WHERE rowid <= ? ORDER BY rowid")?;
    let mut rows = names.query([last])?;
    let mut put = db.prepare_cached(
        "INSERT INTO grants
           (place, tenant, id, client, subject, generation, rotated, expires, revoked, idle, ends, due, terms)
         SELECT ?1, tenant, id, client, subject, generation, rotated, expires, revoked, idle, ends, due, terms
         FROM grants_by_name WHERE rowid = ?2 ON CONFLICT DO NOTHING",
    )?;
    while let Some(row) = rows.next()? {
        let (number, id): (i64, [u8; 16]) = (row.get(0)?, row.get(1)?);
        let id = GrantId::from_bytes(id);
        let mut moved = 0;
        for place in Place::all(id) {
            moved = put.execute([place.0, number])?;
            if moved == 1 {
                break;
            }
        }
        if moved == 0 {
            return Err(StoreError::Broken(format!("there is no place for grant {id}")).into());
        }
    }
    drop(rows);
    db.prepare_cached("DELETE FROM grants_by_name WHERE rowid <= ?")?.execute([last])?;
    tracing::info!(row = last, last = all, "grants are being moved");
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::with_files;
    use crate::connection::writer;
    use rusqlite::Connection;

    #[test]
    fn sorting_for_a_new_schema_needs_no_memory_for_each_row() {
        let directory = tempfile::tempdir().unwrap();
        let mut db = writer(&directory.path().join("grantor.db")).unwrap();
        let store = |db: &Connection| db.pragma_query_value(None, "temp_store", |row| row.get::<_, i64>(0)).unwrap();
        let folder =
            |db: &Connection| db.pragma_query_value(None, "temp_store_directory", |row| row.get::<_, String>(0));
        let meanwhile = with_files(&mut db, |db| Ok((store(db), folder(db)?))).unwrap();
        assert_eq!(meanwhile, (1, directory.path().to_str().unwrap().to_owned()));
        assert_eq!(store(&db), 2);
    }
}
