//! A copy of everything, taken while others read and write.

use crate::connection;
use crate::failure::{Failure, Result};
use crate::migrations::APPLICATION;
use grantor_store::StoreError;
use rusqlite::Connection;
use std::fs::File;
use std::path::Path;

/// Writes what one read transaction sees to a new file that only its owner may read. Refused when there is a file.
pub(crate) fn backup(db: &Connection, to: &Path) -> Result<()> {
    let Some(text) = to.to_str() else {
        return Err(broken(format!("{} is no name that SQLite can open", to.display())));
    };
    if !connection::create_private(to)? {
        return Err(broken(format!("{} exists already", to.display())));
    }
    // VACUUM INTO takes an empty file, and leaves none of the pages that were deleted.
    let done = db.execute("VACUUM INTO ?", [text]).map_err(Failure::from).and_then(|_| sync(to));
    if done.is_err() {
        // Half a backup is none.
        let _ = std::fs::remove_file(to);
    }
    done
}

/// Whether a file is a database of Grantor's, and whole: what is read of it is compared with its indexes. Blocks for as
/// long as reading all of it takes, and needs a folder that can be written to.
///
/// # Errors
///
/// `Broken`, with what is wrong, where it is another program's, no database at all, or damaged.
pub fn verify(copy: &Path) -> grantor_store::Result<()> {
    let found = examine(copy)?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Broken(format!("the database is damaged: {found}"))) }
}

/// What SQLite says of a file that bears our mark.
fn examine(copy: &Path) -> Result<String> {
    let db = connection::reader(copy)?;
    let application: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if application != APPLICATION {
        return Err(broken("the file is no database of Grantor's".to_owned()));
    }
    Ok(db.query_row("PRAGMA integrity_check(1)", (), |row| row.get(0))?)
}

/// VACUUM INTO syncs nothing.
fn sync(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced
        .and_then(|()| if cfg!(unix) { File::open(parent)?.sync_all() } else { Ok(()) })
        .map_err(|error| broken(format!("{} cannot be synced: {error}", path.display())))
}

fn broken(text: String) -> Failure {
    StoreError::Broken(text).into()
}
