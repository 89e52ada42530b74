//! A network that fails now and then.

use grantor_local_postgres::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const BETWEEN_CUTS: Duration = Duration::from_millis(200);
/// One connection of a node, and one that is just writing if there is any.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grantor' \
                   ORDER BY state = 'active' DESC, random() LIMIT 1";

/// Cuts connections of the nodes to PostgreSQL now and then, in the middle of whatever they carry: what was asked on them
/// may have happened or not, and is tried again only where that is right.
pub(super) struct Cutter {
    ended: Arc<AtomicBool>,
    cuts: Arc<AtomicU64>,
}

impl Cutter {
    pub(super) fn begin() -> Self {
        let (ended, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (until, made) = (Arc::clone(&ended), Arc::clone(&cuts));
        thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                thread::sleep(BETWEEN_CUTS);
                let cut = Server::shared().and_then(|server| server.sql("postgres", CUT));
                made.fetch_add(u64::from(cut.is_ok_and(|cut| cut == "t")), Ordering::Relaxed);
            }
        });
        Self { ended, cuts }
    }

    /// How many were cut.
    pub(super) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::Relaxed)
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}
