//! Opening the file: who may read it, how it is synced, and which SQLite may touch it.

use crate::failure::{Failure, Result};
use crate::verbs::grants::Place;
use grantor_protocol::value::GrantId;
use grantor_store::StoreError;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Older versions can corrupt a database in WAL mode.
const OLDEST_SQLITE: i32 = 3_051_003;
/// How long to wait for another process, such as the command line, to end its transaction.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// How often to try what SQLite does not wait for, and how long to pause in between.
const ATTEMPTS: u32 = 500;
const PAUSE: Duration = Duration::from_millis(10);
/// The longest log, in bytes: whoever opens the file after a crash reads it.
const LONGEST_LOG: i64 = 64 << 20;
/// Of a new file, in bytes. A refresh changes some of one row of half a kilobyte, and a commit writes whole pages. A file keeps
/// the pages that it was made with; a backup of it has these.
const PAGE: i64 = 2_048;
/// How many kibibytes of the file a connection keeps in memory: the writer has what leads to a million grants; a reader
/// forgets what it knows when somebody has written, and finds it again in the memory of the operating system.
const LARGE_CACHE: i64 = 4_096;
const SMALL_CACHE: i64 = 1_024;
/// Distinct statements are fewer.
const STATEMENTS: usize = 128;

/// The one connection that writes. Makes the file when there is none.
pub(crate) fn writer(path: &Path) -> Result<Connection> {
    let found = rusqlite::version_number();
    if found < OLDEST_SQLITE {
        return Err(broken(format!("SQLite {} is too old, at least 3.51.3 is needed", rusqlite::version())));
    }
    if !create_private(path)? {
        warn_if_others_may_read(path);
    }
    let db = Connection::open_with_flags(path, flags() | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    settle(&db, LARGE_CACHE)?;
    let mode = keep_log(&db)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(broken(format!("{} cannot be kept in WAL mode, but only in {mode} mode", path.display())));
    }
    // FULL syncs the log at every commit: what was acknowledged survives a loss of power.
    db.pragma_update(None, "synchronous", "FULL")?;
    // Where fsync does not reach the disk (macOS), what does.
    db.pragma_update(None, "fullfsync", true)?;
    // See `checkpoint`; this is for when its thread does not come round to it.
    db.pragma_update(None, "wal_autocheckpoint", pages(&db, LONGEST_LOG)?)?;
    db.pragma_update(None, "journal_size_limit", LONGEST_LOG)?;
    Ok(db)
}

/// A connection that carries the log over into the file, and writes nothing else.
pub(crate) fn log_keeper(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(path, flags() | OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    settle(&db, SMALL_CACHE)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "fullfsync", true)?;
    Ok(db)
}

/// A connection that cannot write.
pub(crate) fn reader(path: &Path) -> Result<Connection> {
    let db = Connection::open_with_flags(path, flags() | OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    settle(&db, SMALL_CACHE)?;
    Ok(db)
}

/// Makes an empty file that only its owner may read; SQLite gives its companions (`-wal`, `-shm`) the same mode.
/// Gives whether there was none.
///
/// A file that exists is not opened here: closing any descriptor of it would drop the locks that another connection of
/// this process holds.
pub(crate) fn create_private(path: &Path) -> Result<bool> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(broken(format!("{} cannot be created: {error}", path.display()))),
    }
}

/// A file that was there before is the operator's: its mode is not changed.
#[cfg(unix)]
fn warn_if_others_may_read(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let others = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0);
    if others {
        tracing::warn!(file = %path.display(), "the database can be read by others than its owner: chmod 600");
    }
}

#[cfg(not(unix))]
fn warn_if_others_may_read(_: &Path) {}

/// Switches a new file to WAL mode. Gives the mode that it is in now.
///
/// SQLite does not wait here when another process is switching the same file, so that the waiting is done here.
fn keep_log(db: &Connection) -> Result<String> {
    for _ in 0..ATTEMPTS {
        match db.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => std::thread::sleep(PAUSE),
            settled => return Ok(settled?),
        }
    }
    Err(StoreError::Busy("another process is making the same database".to_owned()).into())
}

/// So many bytes of this file, in pages.
pub(crate) fn pages(db: &Connection, bytes: i64) -> Result<i64> {
    let page: i64 = db.pragma_query_value(None, "page_size", |row| row.get(0))?;
    Ok(bytes / page.max(1))
}

fn flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn settle(db: &Connection, cache: i64) -> Result<()> {
    db.busy_timeout(PATIENCE)?;
    // Before the first write: later it says only how a copy is made.
    db.pragma_update(None, "page_size", PAGE)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "trusted_schema", false)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -cache)?;
    // `place(id)`, for statements that meet identifiers in other rows.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    db.create_scalar_function("place", 1, flags, |arguments| {
        let id: Option<[u8; 16]> = arguments.get(0)?;
        Ok(id.map(|id| Place::first(GrantId::from_bytes(id)).0))
    })?;
    Ok(())
}

fn broken(text: String) -> Failure {
    StoreError::Broken(text).into()
}

#[cfg(test)]
mod tests {
    use super::{reader, writer};

    #[test]
    fn every_commit_is_synced_and_readers_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("grantor.db");
        let db = writer(&file).unwrap();
        let number = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(number("synchronous"), 2);
        assert_eq!(number("fullfsync"), 1);
        assert_eq!(number("page_size"), 2_048);
        assert_eq!(number("wal_autocheckpoint"), 32_768, "64 MiB");
        let mode: String = db.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!(mode, "wal");
        assert!(reader(&file).unwrap().execute_batch("CREATE TABLE t (a)").is_err());
    }
}
