use super::{BATCH, LONGEST_WAIT, PATIENCE, Writer};
use crate::checkpoint::Checkpoints;
use crate::failure::{Failure, Result};
use grantor_store::contract::samples::{START, at, digest, event, tenant};
use grantor_store::{Directories as _, Sessions as _, StoreError};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A writer on a file with a table of texts, and one whose references are checked by COMMIT alone.
struct Bench {
    writer: Writer,
    file: PathBuf,
    _directory: TempDir,
}

#[tokio::test]
async fn verbs_that_wait_share_a_transaction() {
    let bench = Bench::new(100, "");
    let (open, gate) = bench.gate().await;
    let file = bench.file.clone();
    let (first, seen, ()) = tokio::join!(
        bench.writer.write(insert("a")),
        bench.writer.write(move |db| Ok((count(db), count(&Connection::open(file)?)))),
        async { open.send(()).unwrap() }
    );
    gate.await.unwrap();
    first.unwrap();
    assert_eq!(seen.unwrap(), (1, 0), "the first verb has run, and nobody else sees it yet");
    assert_eq!(bench.rows(), 1, "it was answered, so it is there");
}

#[tokio::test]
async fn a_lost_thread_is_noticed_by_those_who_only_read() {
    let directory = TempDir::new().unwrap();
    let store = crate::SqliteStore::open(&directory.path().join("store")).unwrap();
    store.directory_version().await.unwrap();
    let lost = store.writer.write(|_| -> Result<()> { panic!("lost on purpose") }).await;
    assert!(matches!(lost, Err(StoreError::Broken(_))));
    // The verb is told before the thread has ended.
    while store.directory_version().await.is_ok() {}
    assert!(matches!(store.directory_version().await, Err(StoreError::Broken(_))));
}

#[tokio::test]
async fn an_error_of_one_verb_spoils_no_neighbour() {
    let bench = Bench::new(100, "");
    let (open, gate) = bench.gate().await;
    let half_done = |db: &Connection| {
        insert("half")(db)?;
        db.execute("INSERT INTO no_such_table VALUES (1)", ())?;
        Ok(())
    };
    let refused = |db: &Connection| -> Result<()> {
        insert("refused")(db)?;
        Err(StoreError::Taken("x".to_owned()).into())
    };
    let (first, half, refused, last, ()) = tokio::join!(
        bench.writer.write(insert("a")),
        bench.writer.write(half_done),
        bench.writer.write(refused),
        bench.writer.write(insert("b")),
        async { open.send(()).unwrap() }
    );
    gate.await.unwrap();
    assert!(matches!(half, Err(StoreError::Broken(text)) if text.contains("no_such_table")));
    assert!(matches!(refused, Err(StoreError::Taken(_))));
    first.unwrap();
    last.unwrap();
    assert_eq!(bench.rows(), 2);
}

#[tokio::test]
async fn a_failed_commit_is_told_to_all_and_writes_nothing() {
    let bench = Bench::new(100, "PRAGMA foreign_keys = ON");
    let (open, gate) = bench.gate().await;
    let orphan = |db: &Connection| {
        db.execute("INSERT INTO children VALUES (99)", ())?;
        Ok(())
    };
    let (first, orphan, last, own, ()) = tokio::join!(
        bench.writer.write(insert("a")),
        bench.writer.write(orphan),
        bench.writer.write(insert("b")),
        bench.writer.write(|_| -> Result<()> { Err(StoreError::Taken("x".to_owned()).into()) }),
        async {
            bench.writer.note(event(tenant(), 1));
            open.send(()).unwrap();
        }
    );
    gate.await.unwrap();
    for told in [first, orphan, last] {
        assert!(matches!(told, Err(StoreError::Broken(_))), "{told:?}");
    }
    assert!(matches!(own, Err(StoreError::Taken(_))), "its own error says more");
    assert_eq!(bench.rows(), 0);
    bench.writer.write(insert("c")).await.unwrap();
    assert_eq!(bench.rows(), 1, "the writer goes on");
}

#[tokio::test]
async fn a_value_that_was_remembered_in_a_failed_transaction_hides_none_that_came_after_it() {
    let directory = TempDir::new().unwrap();
    let open = || crate::SqliteStore::open(&directory.path().join("store")).unwrap();
    let (store, other) = (open(), open());
    let remembered = Arc::clone(&store.remembered);
    let undone = store.writer.write(move |db| {
        assert!(remembered.remember(db, &tenant(), "jti", &digest(1), at(10), START)?);
        // As SQLite itself does when the disk fails.
        db.execute_batch("ROLLBACK")?;
        Ok(())
    });
    assert!(matches!(undone.await, Err(StoreError::Busy(_))));
    assert!(other.remember(&tenant(), "jti", &digest(2), at(10), START).await.unwrap());
    assert!(!store.remember(&tenant(), "jti", &digest(2), at(10), START).await.unwrap());
    assert!(store.remember(&tenant(), "jti", &digest(1), at(10), START).await.unwrap());
}

#[tokio::test]
async fn a_full_disk_is_busy_and_what_is_there_stays() {
    let bench = Bench::new(100, "PRAGMA max_page_count = 20");
    bench.writer.write(insert("a")).await.unwrap();
    let (open, gate) = bench.gate().await;
    let (first, large, last, ()) = tokio::join!(
        bench.writer.write(insert("b")),
        bench.writer.write(insert(&"x".repeat(1 << 20))),
        bench.writer.write(insert("c")),
        async { open.send(()).unwrap() }
    );
    gate.await.unwrap();
    assert!(matches!(large, Err(StoreError::Busy(_))), "{large:?}");
    let neighbours = [first, last];
    let told_so = |told: &grantor_store::Result<()>| matches!(told, Ok(()) | Err(StoreError::Busy(_)));
    assert!(neighbours.iter().all(told_so), "{neighbours:?}");
    let kept = neighbours.iter().filter(|told| told.is_ok()).count();
    assert_eq!(bench.rows(), 1 + kept, "what was acknowledged, and nothing else");
    bench.writer.write(insert("d")).await.unwrap();
    assert_eq!(bench.rows(), 2 + kept, "the writer goes on");
}

#[tokio::test]
async fn a_full_queue_is_busy_at_once_and_counts_the_events_that_it_lost() {
    let bench = Bench::new(2, "");
    let (open, gate) = bench.gate().await;
    let (first, second, third, ()) = tokio::join!(
        bench.writer.write(insert("a")),
        bench.writer.write(insert("b")),
        bench.writer.write(insert("c")),
        async {
            // Of events there is room for four times as many, and none of it is that of a verb.
            (1..=9).for_each(|n| bench.writer.note(event(tenant(), n)));
            assert_eq!(bench.writer.queue.lost(), 1);
            open.send(()).unwrap();
        }
    );
    gate.await.unwrap();
    assert!(matches!(third, Err(StoreError::Busy(_))), "{third:?}");
    first.unwrap();
    second.unwrap();
    bench.writer.write(insert("c")).await.unwrap();
    assert_eq!(bench.rows(), 3);
}

/// A clock that is paused moves on when nobody has anything else to do.
#[tokio::test]
async fn who_waits_long_among_many_is_busy_before_long_and_is_not_carried_out() {
    let bench = Bench::new(2 * BATCH, "");
    let (open, gate) = bench.gate().await;
    tokio::time::pause();
    for _ in 0..BATCH {
        bench.writer.post(insert("a")).unwrap();
    }
    let begun = Instant::now();
    let told = bench.writer.write(insert("b")).await;
    assert!(matches!(told, Err(StoreError::Busy(_))), "{told:?}");
    assert_eq!(begun.elapsed().as_millis() / 10, PATIENCE.as_millis() / 10);
    tokio::time::resume();
    open.send(()).unwrap();
    gate.await.unwrap();
    bench.writer.write(insert("c")).await.unwrap();
    assert_eq!(bench.rows(), BATCH + 1, "all but the one that was told to come again");
}

#[tokio::test]
async fn who_waits_among_few_is_patient_but_not_for_ever() {
    let bench = Bench::new(100, "");
    let (open, gate) = bench.gate().await;
    tokio::time::pause();
    let begun = Instant::now();
    let told = bench.writer.write(insert("a")).await;
    assert!(matches!(told, Err(StoreError::Busy(_))), "{told:?}");
    assert!((LONGEST_WAIT..LONGEST_WAIT + 2 * PATIENCE).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    tokio::time::resume();
    open.send(()).unwrap();
    gate.await.unwrap();
    bench.writer.write(insert("b")).await.unwrap();
    assert_eq!(bench.rows(), 1);
}

/// Nobody knows yet whether it will be there.
#[tokio::test]
async fn who_is_in_a_transaction_waits_for_its_end() {
    let bench = Bench::new(100, "");
    let (open, mut gate) = bench.gate().await;
    tokio::time::pause();
    let long = tokio::time::timeout(100 * LONGEST_WAIT, &mut gate).await;
    assert!(long.is_err(), "{long:?}");
    open.send(()).unwrap();
    gate.await.unwrap();
}

/// As the command line does that changes much: who has not begun can still be told to come again.
#[tokio::test(start_paused = true)]
async fn who_waits_for_another_process_has_not_begun() {
    let bench = Bench::new(100, "PRAGMA busy_timeout = 60000");
    let other = Connection::open(&bench.file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = bench.writer.write(insert("a")).await;
    assert!(matches!(told, Err(StoreError::Busy(_))), "{told:?}");
    other.execute_batch("ROLLBACK").unwrap();
    drop(other);
    tokio::time::resume();
    bench.writer.write(insert("b")).await.unwrap();
    assert_eq!(bench.rows(), 1);
}

/// A verb that changes something by its last statement only, and fails before it.
#[tokio::test]
async fn an_error_of_a_verb_without_a_savepoint_spoils_no_neighbour() {
    let bench = Bench::new(100, "");
    let (open, gate) = bench.gate().await;
    let fails = |db: &Connection| {
        db.execute("INSERT INTO texts SELECT 'c' UNION ALL SELECT abs(-9223372036854775807 - 1)", ())?;
        Ok(())
    };
    let (first, fails, last, ()) = tokio::join!(
        bench.writer.write_once(insert("a")),
        bench.writer.write_once(fails),
        bench.writer.write_once(insert("b")),
        async { open.send(()).unwrap() }
    );
    gate.await.unwrap();
    assert!(matches!(fails, Err(StoreError::Broken(text)) if text.contains("overflow")));
    first.unwrap();
    last.unwrap();
    assert_eq!(bench.rows(), 2);
}

#[tokio::test]
async fn what_is_posted_is_written_in_its_turn_and_told_when_there_is_no_room() {
    let bench = Bench::new(2, "");
    let (open, gate) = bench.gate().await;
    bench.writer.post(|_| Err(Failure::Record("neighbour"))).unwrap();
    bench.writer.post(insert("a")).unwrap();
    assert!(matches!(bench.writer.post(insert("b")), Err(StoreError::Busy(_))));
    open.send(()).unwrap();
    gate.await.unwrap();
    let Bench { writer, file, _directory } = bench;
    drop(writer);
    assert_eq!(count(&Connection::open(file).unwrap()), 1);
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy() {
    let bench = Bench::new(100, "PRAGMA busy_timeout = 10");
    let other = Connection::open(&bench.file).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let told = bench.writer.write(insert("a")).await;
    assert!(matches!(told, Err(StoreError::Busy(_))), "{told:?}");
    other.execute_batch("ROLLBACK").unwrap();
    bench.writer.write(insert("a")).await.unwrap();
}

#[tokio::test]
async fn what_was_queued_is_written_although_nobody_waits() {
    let bench = Bench::new(100, "");
    let (open, gate) = bench.gate().await;
    let mut writing = Box::pin(bench.writer.write(insert("a")));
    let waited = tokio::time::timeout(std::time::Duration::ZERO, &mut writing).await;
    assert!(waited.is_err());
    drop(writing);
    open.send(()).unwrap();
    gate.await.unwrap();
    let Bench { writer, file, _directory } = bench;
    drop(writer);
    assert_eq!(count(&Connection::open(file).unwrap()), 1);
}

/// Remembers which thread woke it up.
#[derive(Default)]
struct WokenBy(Mutex<Option<ThreadId>>);

impl Wake for WokenBy {
    fn wake(self: Arc<Self>) {
        *self.0.lock().unwrap() = Some(thread::current().id());
    }
}

#[tokio::test]
async fn who_waits_in_a_runtime_is_woken_by_its_own_thread() {
    let bench = Bench::new(100, "");
    let woken = Arc::new(WokenBy::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut write = pin!(bench.writer.write(insert("a")));
    assert!(write.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    while woken.0.lock().unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(*woken.0.lock().unwrap(), Some(thread::current().id()), "the writing thread woke one task for all");
    write.await.unwrap();
}

#[test]
fn who_waits_when_the_runtime_has_ended_in_which_the_file_was_opened_is_answered_all_the_same() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let bench = runtime().block_on(async { Bench::new(100, "") });
    runtime().block_on(bench.writer.write(insert("a"))).unwrap();
    assert_eq!(bench.rows(), 1);
}

#[test]
fn what_lay_in_a_runtime_that_ends_is_told_to_who_waits_in_another() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let ends = runtime();
    let bench = ends.block_on(async { Bench::new(100, "") });
    thread::scope(|scope| {
        let waits = scope.spawn(|| runtime().block_on(bench.writer.write(insert("a"))));
        while bench.rows() == 0 {
            thread::yield_now();
        }
        drop(ends);
        waits.join().unwrap().unwrap();
    });
}

impl Bench {
    fn new(queue: usize, pragma: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("bench.db");
        let db = Connection::open(&file).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL;
             CREATE TABLE texts (text TEXT);
             CREATE TABLE parents (id INTEGER PRIMARY KEY);
             CREATE TABLE children (parent REFERENCES parents DEFERRABLE INITIALLY DEFERRED);
             CREATE TABLE events (tenant, id, body);",
        )
        .unwrap();
        db.execute_batch(pragma).unwrap();
        let checkpoints = Checkpoints::start(Connection::open(&file).unwrap()).unwrap();
        let writer = Writer::with_queue(db, checkpoints, |_| (), queue, super::PATIENCE).unwrap();
        Self { writer, file, _directory: directory }
    }

    /// Holds the writer inside a transaction until it is let go, so that what is sent meanwhile goes into the next.
    async fn gate(&self) -> (Sender<()>, impl Future<Output = grantor_store::Result<()>>) {
        let (entered, inside) = oneshot::channel();
        let (open, opened) = channel::<()>();
        let mut gate = Box::pin(self.writer.write(move |_| {
            let _ = entered.send(());
            opened.recv().map_err(|_| Failure::Record("gate"))
        }));
        tokio::select! {
            _ = &mut gate => panic!("the gate did not hold"),
            entered = inside => entered.unwrap(),
        }
        (open, gate)
    }

    fn rows(&self) -> usize {
        count(&Connection::open(Path::new(&self.file)).unwrap())
    }
}

fn insert(text: &str) -> impl FnOnce(&Connection) -> Result<()> + Send + 'static {
    let text = text.to_owned();
    move |db| {
        db.execute("INSERT INTO texts VALUES (?)", [text])?;
        Ok(())
    }
}

fn count(db: &Connection) -> usize {
    let rows: i64 = db.query_row("SELECT count(*) FROM texts", (), |row| row.get(0)).unwrap();
    usize::try_from(rows).unwrap()
}
