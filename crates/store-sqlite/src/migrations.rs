//! The schema, in numbered steps.

use crate::failure::Result;
use crate::verbs::grants::Place;
use grantor_protocol::value::GrantId;
use grantor_store::StoreError;
use rusqlite::{Connection, TransactionBehavior};

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
    while go_on(db)? {}
    Ok(())
}

/// One transaction. Gives whether there is more to do.
fn go_on(db: &mut Connection) -> Result<bool> {
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
    tracing::info!(rows = last, of = all, "grants are being moved");
    Ok(true)
}
