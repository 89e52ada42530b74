//! Values that are remembered for a while, so that nobody brings them twice.
//!
//! The table is a log: values are digests, and a row for each in its own order would touch a page for each. Where in the
//! log a value is, is known in memory. That is a hint: what it finds is looked at, and so that it misses nothing it is
//! read again whenever somebody else wrote to the file, or a transaction was undone.

use crate::failure::Result;
use grantor_protocol::value::{TenantName, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The narrowest bucket, in seconds.
const NARROWEST: u64 = 16;
/// What is remembered longer than this, 34 years, shares buckets with what is remembered so long.
const LONGEST: u64 = 1 << 30;

/// What is remembered, for the one connection that writes.
#[derive(Default)]
pub(crate) struct Remembered {
    known: Mutex<Known>,
    /// What is known is so until this transaction ends: nobody else writes before.
    current: AtomicBool,
    undone: AtomicBool,
}

/// Where each value is that was read or written.
#[derive(Default)]
struct Known {
    keys: [RandomState; 2],
    /// Changes when another connection has written.
    version: Option<i64>,
    now: i64,
    /// Those that have not ended.
    buckets: BTreeMap<i64, Bucket>,
}

#[derive(Default)]
struct Bucket {
    /// The last place that was read or written.
    last: i64,
    places: HashMap<Name, i64>,
}

/// Of a value for a purpose in a tenant: 128 bits under keys that nobody knows.
type Name = (u64, u64);

impl Remembered {
    /// A transaction has ended: others may write from now on. If it was undone, what was written in it is not there.
    pub(crate) fn ended(&self, undone: bool) {
        self.current.store(false, Ordering::Relaxed);
        self.undone.fetch_or(undone, Ordering::Relaxed);
    }

    /// Exactly one of those who bring the same value is told `true`, until it expires. Writes with its last statement
    /// only, in a transaction that nobody else can write in.
    pub(crate) fn remember(
        &self,
        db: &Connection,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if self.undone.swap(false, Ordering::Relaxed) {
            known.version = None;
        }
        if !self.current.load(Ordering::Relaxed) || known.now != now.get() {
            known.catch_up(db, now)?;
            self.current.store(true, Ordering::Relaxed);
        }
        let name = known.name(tenant.as_str(), purpose, value);
        for (bucket, Bucket { places, .. }) in &known.buckets {
            let Some(place) = places.get(&name) else { continue };
            let mut find = db.prepare_cached(
                "SELECT 1 FROM remembered WHERE bucket = ? AND place = ? AND value = ? AND purpose = ? AND tenant = ? AND expires > ?",
            )?;
            if find.exists(params![bucket, place, value, purpose, tenant.as_str(), now.get()])? {
                return Ok(false);
            }
        }
        let end = bucket(expires, now);
        if end <= now.get() {
            // It had expired before it came.
            return Ok(true);
        }
        let bucket = known.buckets.entry(end).or_default();
        let place = bucket.last + 1;
        db.prepare_cached(
            "INSERT INTO remembered (bucket, place, value, purpose, tenant, expires) VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![end, place, value, purpose, tenant.as_str(), expires.get()])?;
        bucket.last = place;
        bucket.places.insert(name, place);
        Ok(true)
    }
}

impl Known {
    /// Knows afterwards what is in every bucket that has not ended.
    fn catch_up(&mut self, db: &Connection, now: UnixTime) -> Result<()> {
        let now = now.get();
        // A clock that went back brings buckets back that had ended.
        if self.version.is_none() || now < self.now {
            self.version = None;
            self.buckets.clear();
        }
        let version = db.prepare_cached("PRAGMA data_version")?.query_row((), |row| row.get(0))?;
        if self.version != Some(version) {
            self.read(db, now)?;
            self.version = Some(version);
        }
        if now != self.now {
            self.buckets = self.buckets.split_off(&now.saturating_add(1));
            self.now = now;
        }
        Ok(())
    }

    /// Reads what came since it was read last.
    fn read(&mut self, db: &Connection, now: i64) -> Result<()> {
        let mut next = db.prepare_cached("SELECT bucket FROM remembered WHERE bucket > ? ORDER BY bucket LIMIT 1")?;
        let mut since = db.prepare_cached(
            "SELECT place, tenant, purpose, value FROM remembered WHERE bucket = ? AND place > ? ORDER BY place",
        )?;
        let mut after = now;
        while let Some(end) = next.query_row([after], |row| row.get::<_, i64>(0)).optional()? {
            let mut bucket = self.buckets.remove(&end).unwrap_or_default();
            let mut rows = since.query([end, bucket.last])?;
            while let Some(row) = rows.next()? {
                let (tenant, purpose): (String, String) = (row.get(1)?, row.get(2)?);
                let name = self.name(&tenant, &purpose, &row.get::<_, [u8; 32]>(3)?);
                bucket.last = row.get(0)?;
                bucket.places.insert(name, bucket.last);
            }
            self.buckets.insert(end, bucket);
            after = end;
        }
        Ok(())
    }

    fn name(&self, tenant: &str, purpose: &str, value: &[u8; 32]) -> Name {
        let [one, other] = &self.keys;
        (one.hash_one((tenant, purpose, value)), other.hash_one((tenant, purpose, value)))
    }
}

/// The end of the bucket for what expires then: at most a quarter longer than it had to be remembered, and half in the
/// worst case. So there are at most six buckets for each doubling of that time, however many values there are.
fn bucket(expires: UnixTime, now: UnixTime) -> i64 {
    let span = u64::try_from(expires.get().saturating_sub(now.get())).unwrap_or(0).min(LONGEST);
    let width = i64::try_from((span.next_power_of_two() / 4).max(NARROWEST)).unwrap_or(i64::MAX);
    (expires.get().div_euclid(width) + 1).saturating_mul(width)
}

#[cfg(test)]
mod tests {
    use super::{Remembered, bucket};
    use crate::migrations::migrate;
    use grantor_protocol::value::{Seconds, UnixTime};
    use grantor_store::contract::samples::{START, at, digest, tenant};
    use rusqlite::Connection;
    use std::path::Path;
    use tempfile::TempDir;

    /// A process that has the file open.
    struct Process {
        db: Connection,
        remembered: Remembered,
    }

    impl Process {
        fn new(file: &Path) -> Self {
            let mut db = Connection::open(file).unwrap();
            db.pragma_update(None, "journal_mode", "wal").unwrap();
            migrate(&mut db).unwrap();
            Self { db, remembered: Remembered::default() }
        }

        /// For ten seconds.
        fn remember(&self, n: u64, now: u32) -> bool {
            self.db.execute_batch("BEGIN IMMEDIATE").unwrap();
            let fresh = self.say(n, now);
            self.db.execute_batch("COMMIT").unwrap();
            self.remembered.ended(false);
            fresh
        }

        fn say(&self, n: u64, now: u32) -> bool {
            self.remembered.remember(&self.db, &tenant(), "jti", &digest(n), at(now + 10), at(now)).unwrap()
        }
    }

    fn file() -> (TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("store");
        (directory, file)
    }

    #[test]
    fn a_bucket_ends_when_or_after_what_is_in_it_has_expired() {
        for span in [0, 1, 15, 16, 17, 60, 300, 301, 3_600, 86_400, 31_536_000, u32::MAX] {
            for now in 0..40 {
                let expires = at(now).plus(Seconds::new(span));
                let end = bucket(expires, at(now));
                let longer = end - expires.get();
                assert!(longer > 0 && longer <= (i64::from(span) / 2).max(16), "{span} ends {longer} later");
            }
        }
        assert_eq!(bucket(UnixTime::FOREVER, START), i64::MAX);
        assert!(bucket(UnixTime::new(i64::MIN), START) < START.get());
    }

    #[test]
    fn few_buckets_have_not_ended_however_long_values_are_remembered() {
        let (_directory, file) = file();
        let Process { db, remembered } = Process::new(&file);
        db.execute_batch("BEGIN").unwrap();
        for n in 0..4_000u32 {
            // For between a minute and ten, as assertions and proofs are.
            let (now, span) = (at(n / 2), 60 + n * 7 % 540);
            let expires = now.plus(Seconds::new(span));
            assert!(remembered.remember(&db, &tenant(), "jti", &digest(n.into()), expires, now).unwrap());
        }
        let sql = "SELECT count(DISTINCT bucket) FROM remembered WHERE bucket > ?";
        let live: i64 = db.query_row(sql, [at(1_999).get()], |row| row.get(0)).unwrap();
        assert!(live <= 20, "{live}");
        let known = remembered.known.lock().unwrap();
        assert_eq!(known.buckets.len(), usize::try_from(live).unwrap(), "those that ended are forgotten");
    }

    #[test]
    fn what_another_process_remembered_is_known() {
        let (_directory, file) = file();
        let (one, other) = (Process::new(&file), Process::new(&file));
        for n in 0..20 {
            let (first, second) = if n % 3 == 0 { (&one, &other) } else { (&other, &one) };
            assert!(first.remember(n, 0));
            assert!(!second.remember(n, 9) && !first.remember(n, 9));
        }
        let late = Process::new(&file);
        assert!((0..20).all(|n| !late.remember(n, 9)));
        assert!((0..20).all(|n| one.remember(n, 10) && !other.remember(n, 10) && !late.remember(n, 10)));
    }

    #[test]
    fn what_was_undone_was_not_remembered_and_hides_nothing() {
        let (_directory, file) = file();
        let (one, other) = (Process::new(&file), Process::new(&file));
        assert!(one.remember(1, 0));
        one.db.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(one.say(2, 0) && one.say(3, 0));
        one.db.execute_batch("ROLLBACK").unwrap();
        one.remembered.ended(true);
        // In the places that were given back.
        assert!(other.remember(4, 0) && other.remember(5, 0));
        assert!((4..=5).all(|n| !one.remember(n, 0)));
        assert!((2..=3).all(|n| one.remember(n, 0) && !other.remember(n, 0)));
    }

    #[test]
    fn a_place_of_a_tenant_that_was_deleted_is_not_given_again() {
        let (_directory, file) = file();
        let (one, other) = (Process::new(&file), Process::new(&file));
        assert!((0..9).all(|n| one.remember(n, 0)));
        one.db.execute(crate::verbs::directory::FORGET_REMEMBERED, [tenant().as_str()]).unwrap();
        assert!(other.remember(1, 0), "it is another tenant of that name");
        assert!(!one.remember(1, 0) && one.remember(2, 0));
    }

    #[test]
    fn a_clock_that_goes_back_finds_what_was_remembered() {
        let (_directory, file) = file();
        let process = Process::new(&file);
        assert!(process.remember(1, 0));
        assert!(process.remember(2, 3_600));
        assert!(!process.remember(1, 0));
    }
}
