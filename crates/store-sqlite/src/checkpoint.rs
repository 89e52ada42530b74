//! Carries the log over into the file, on a thread and a connection of its own, so that no commit waits for it.
//!
//! SQLite begins the log anew when all of it was carried over, which it never is while others write. So the thread
//! carries over what it finds, and the writer what is left then: what was written in the meantime.

use crate::connection::pages;
use crate::failure::Result;
use grantor_store::StoreError;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

/// After how many verbs the log is looked at. A refresh writes one page or two.
const VERBS: usize = 1_024;
/// How long the log is when it is worth the while, in bytes.
const WORTH: i64 = 16 << 20;
/// What may be left for the writer, in bytes.
const LEFT: i64 = 1 << 20;
/// How often it tries to leave no more than that.
const PASSES: usize = 4;

/// Tells the thread what the writer has done, and the writer what is left.
pub(crate) struct Checkpoints {
    verbs: AtomicUsize,
    left: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    closing: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Starts the thread, which owns the connection from now on.
    pub(crate) fn start(db: Connection) -> Result<Self> {
        let (left, closing) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (tell, stop) = (Arc::clone(&left), Arc::clone(&closing));
        let (worth, most_left) = (pages(&db, WORTH)?, pages(&db, LEFT)?);
        let thread = std::thread::Builder::new()
            .name("grantor-sqlite-log".to_owned())
            .spawn(move || {
                while !stop.load(Ordering::Acquire) {
                    std::thread::park();
                    if carry_most(&db, &stop, worth, most_left) {
                        tell.store(true, Ordering::Release);
                    }
                }
            })
            .map_err(|error| StoreError::Broken(format!("the log's thread cannot be started: {error}")))?;
        Ok(Self { verbs: AtomicUsize::new(0), left, thread: Some(thread), closing })
    }

    /// After each commit of the writer: so many verbs were written, on this connection.
    pub(crate) fn committed(&self, verbs: usize, db: &Connection) {
        if self.left.swap(false, Ordering::AcqRel)
            && let Err(failure) = carry(db)
        {
            tracing::warn!(%failure, "the log could not be carried over");
        }
        if self.verbs.fetch_add(verbs, Ordering::Relaxed) + verbs >= VERBS {
            self.verbs.store(0, Ordering::Relaxed);
            if let Some(thread) = &self.thread {
                thread.thread().unpark();
            }
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// Gives whether so little is left that the writer can carry it over. Both limits are in pages.
fn carry_most(db: &Connection, stop: &AtomicBool, worth: i64, most_left: i64) -> bool {
    for pass in 0..PASSES {
        let (long, carried) = match if pass == 0 { look(db) } else { carry(db) } {
            Ok(found) => found,
            Err(failure) => {
                tracing::warn!(%failure, "the log could not be carried over");
                return false;
            }
        };
        if stop.load(Ordering::Acquire) || long < worth {
            return false;
        }
        if pass > 0 && long - carried <= most_left {
            return true;
        }
    }
    // It is written faster than it is carried over: then the writer must wait for once.
    true
}

/// How many pages the log has, and how many of them were carried over.
fn look(db: &Connection) -> Result<(i64, i64)> {
    checkpoint(db, "NOOP")
}

/// [`look`], after carrying over what can be without waiting for anybody.
fn carry(db: &Connection) -> Result<(i64, i64)> {
    checkpoint(db, "PASSIVE")
}

/// All of it, at the end of the last connection, which removes the log.
pub(crate) fn fold(db: Connection) -> Result<()> {
    checkpoint(&db, "TRUNCATE")?;
    db.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn checkpoint(db: &Connection, how: &str) -> Result<(i64, i64)> {
    Ok(db.query_row(&format!("PRAGMA wal_checkpoint({how})"), (), |row| Ok((row.get(1)?, row.get(2)?)))?)
}

#[cfg(test)]
mod tests {
    use super::{Checkpoints, Ordering, VERBS, WORTH, look};
    use crate::connection::{log_keeper, pages, writer};

    #[test]
    fn a_long_log_is_carried_over_and_begun_anew() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("grantor.db");
        let db = writer(&file).unwrap();
        db.execute_batch("CREATE TABLE t (page BLOB)").unwrap();
        let checkpoints = Checkpoints::start(log_keeper(&file).unwrap()).unwrap();
        let write = |pages: i64| {
            db.execute("DELETE FROM t", ()).unwrap();
            let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                       INSERT INTO t SELECT zeroblob(2000) FROM n";
            db.execute(sql, [pages]).unwrap();
        };
        let worth = pages(&db, WORTH).unwrap();
        write(worth + 100);
        assert!(look(&db).unwrap().0 > worth);
        checkpoints.committed(VERBS - 1, &db);
        assert_eq!(look(&db).unwrap().1, 0, "few verbs are not worth a look");
        checkpoints.committed(1, &db);
        while !checkpoints.left.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        write(10);
        checkpoints.committed(1, &db);
        let (long, carried) = look(&db).unwrap();
        assert_eq!(long, carried, "the writer has done the rest");
        write(10);
        assert!(look(&db).unwrap().0 < worth, "the log has begun anew");
    }
}
