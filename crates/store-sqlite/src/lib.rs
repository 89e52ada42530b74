//! Grantor's embedded storage: one SQLite file in WAL mode, one writing thread with group commit, and connections
//! beside it that only read.
//!
//! What a verb acknowledged is on the disk. Another process (the command line) may write to the same file meanwhile.

mod backup;
mod checkpoint;
mod connection;
mod failure;
mod migrations;
mod port;
mod readers;
mod verbs;
mod writer;

pub use backup::verify;
use checkpoint::Checkpoints;
use grantor_store::{Recent, Result};
use readers::Readers;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Notify;
use verbs::remembered::Remembered;
use writer::Writer;

/// The store in a file. Dropping it ends its writing thread, after everything that was queued is written.
pub struct SqliteStore {
    // In this order: the last connection to be closed tidies the log away, and only the writer can.
    readers: Readers,
    writer: Writer,
    recent: Recent,
    remembered: Arc<Remembered>,
    changed: Notify,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, or makes it with mode 0600, and brings its schema up to date. Blocks for some milliseconds, or for as
    /// long as an upgrade takes ([`is_behind`]). Called in a runtime, it leaves a task there that wakes those who wait for
    /// what they wrote; then that runtime must run as long as anybody waits.
    ///
    /// Refuses a database that a newer binary has changed, and one that is not Grantor's.
    pub fn open(path: &Path) -> Result<Self> {
        let mut db = connection::writer(path)?;
        migrations::migrate(&mut db)?;
        let readers = Readers::open(path)?;
        let checkpoints = Checkpoints::start(connection::log_keeper(path)?)?;
        let remembered = Arc::<Remembered>::default();
        let told = Arc::clone(&remembered);
        let writer = Writer::start(db, checkpoints, move |undone| told.ended(undone))?;
        let (recent, changed) = (Recent::default(), Notify::new());
        Ok(Self { readers, writer, recent, remembered, changed, path: path.to_owned() })
    }
}

/// Whether there is a database of an older schema, which opening it brings up to date. Nobody else may use it meanwhile: a
/// binary that knows the older one would write where nobody looks any more.
pub fn is_behind(path: &Path) -> Result<bool> {
    if !path.exists() {
        return Ok(false);
    }
    Ok(migrations::is_behind(&connection::reader(path)?)?)
}

/// Writes the log of a database that nobody has open into its file, and leaves everything else as it is, whatever its schema.
pub fn fold_log(path: &Path) -> Result<()> {
    checkpoint::fold(connection::log_keeper(path)?)?;
    Ok(())
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore").field("path", &self.path).finish_non_exhaustive()
    }
}
