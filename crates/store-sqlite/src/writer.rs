//! The one writer, with group commit.
//!
//! Every verb that waits when a commit ends goes into the next transaction: an error of one undoes that one only.
//! Answers are sent after the commit, so that what was acknowledged is on the disk.

mod delivery;
mod queue;

use crate::checkpoint::Checkpoints;
use crate::failure::{Failure, Result};
use crate::verbs::audit;
use delivery::Delivery;
use grantor_protocol::audit::Event;
use grantor_store::{Activity, StoreError};
use queue::{Queue, Ticket};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How many verbs may wait that somebody waits for; the next is told to come again later. Of events there may be more.
const QUEUE: usize = 4_096;
/// How many verbs share a commit at the most, so that the first does not wait long for the last.
const BATCH: usize = 512;
/// A verb that has waited so long is told to come again later, when more are waiting than fit into one transaction.
const PATIENCE: Duration = Duration::from_millis(80);
/// And when the disk, or another process, holds everything up for so long, however few are waiting.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// So many commits could have been made while the writer waits for those whom it has just answered, at the most.
const PAUSES: u32 = 16;
/// However slow the disk, the writer itself waits no longer for those whom it has just answered.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// The queue in front of the writing thread.
pub(crate) struct Writer {
    queue: Arc<Queue<Job>>,
    written: Arc<Written>,
    patience: Duration,
    thread: Option<JoinHandle<()>>,
}

/// What was committed, counted for those who watch over it.
#[derive(Default)]
struct Written {
    commits: AtomicU64,
    verbs: AtomicU64,
}

enum Job {
    Verb(Box<dyn Verb>),
    Note(Box<Event>),
}

impl Job {
    /// Says that it was done.
    fn committed(self) {
        if let Self::Verb(verb) = self {
            verb.answer(None);
        }
    }
}

impl queue::Job for Job {
    fn is_awaited(&self) -> bool {
        matches!(self, Self::Verb(_))
    }
}

/// A verb in the queue.
trait Verb: Send {
    /// Does the work; the outcome is kept. On an error the work must be undone.
    fn run(&mut self, db: &Connection) -> std::result::Result<(), ()>;
    /// Whether it writes more than once, so that an error in between would leave the half of it.
    fn has_steps(&self) -> bool;
    /// Says how it went; `undone` when the transaction around it came to nothing.
    fn answer(self: Box<Self>, undone: Option<StoreError>);
}

struct Waiting<T, F> {
    work: Option<F>,
    has_steps: bool,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<grantor_store::Result<T>>,
}

impl Writer {
    /// Starts the writing thread, which owns the connection from now on. It calls `ended` after each transaction, with
    /// whether it came to nothing.
    pub(crate) fn start(
        db: Connection,
        checkpoints: Checkpoints,
        ended: impl Fn(bool) + Send + 'static,
    ) -> Result<Self> {
        Self::with_queue(db, checkpoints, ended, QUEUE, PATIENCE)
    }

    fn with_queue(
        db: Connection,
        checkpoints: Checkpoints,
        ended: impl Fn(bool) + Send + 'static,
        length: usize,
        patience: Duration,
    ) -> Result<Self> {
        let queue = Arc::new(Queue::new(length));
        let jobs = Arc::clone(&queue);
        let written = Arc::<Written>::default();
        let counted = Arc::clone(&written);
        let delivery = Delivery::start();
        let thread = std::thread::Builder::new()
            .name("grantor-sqlite".to_owned())
            .spawn(move || work(&db, &checkpoints, ended, &jobs, &delivery, &counted))
            .map_err(|error| StoreError::Broken(format!("the writing thread cannot be started: {error}")))?;
        Ok(Self { queue, written, patience, thread: Some(thread) })
    }

    /// What was committed, and how much waits.
    pub(crate) fn activity(&self) -> Activity {
        Activity {
            commits: self.written.commits.load(Ordering::Relaxed),
            committed_verbs: self.written.verbs.load(Ordering::Relaxed),
            waiting: u64::try_from(self.queue.len()).unwrap_or(u64::MAX),
        }
    }

    /// Whether there still is somebody who writes: a thread that was lost to a panic does not come back.
    pub(crate) fn is_there(&self) -> grantor_store::Result<()> {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) { Err(gone()) } else { Ok(()) }
    }

    /// Carries out `work` in the next transaction; durable when it returns.
    pub(crate) async fn write<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.carry_out(work, true).await
    }

    /// [`Self::write`] for work that changes something by its last statement only, which SQLite itself does whole or
    /// not at all. It saves a savepoint.
    pub(crate) async fn write_once<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.carry_out(work, false).await
    }

    /// Carries out `work`, one statement, in the next transaction, without waiting for it. Never blocks; an error says
    /// that there was no room in the queue.
    pub(crate) fn post<F>(&self, work: F) -> grantor_store::Result<()>
    where
        F: FnOnce(&Connection) -> Result<()> + Send + 'static,
    {
        self.enqueue(work, false).map(drop)
    }

    /// Appends an event with the next commit. Never blocks; one that found the queue full is counted.
    pub(crate) fn note(&self, event: Event) {
        if self.queue.push(Job::Note(Box::new(event))).is_err() {
            self.queue.lose(1);
        }
    }

    async fn carry_out<T, F>(&self, work: F, has_steps: bool) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (ticket, mut answer) = self.enqueue(work, has_steps)?;
        let mut waited = Duration::ZERO;
        loop {
            if let Ok(answered) = tokio::time::timeout(self.patience, &mut answer).await {
                return answered.map_err(|_| gone())?;
            }
            waited += self.patience;
            let too_many = if waited >= LONGEST_WAIT { 0 } else { BATCH };
            if self.queue.withdraw(ticket, too_many) {
                return Err(StoreError::Busy("writes take too long".to_owned()));
            }
        }
    }

    /// Gives its place in the queue, and where the answer will be.
    fn enqueue<T, F>(
        &self,
        work: F,
        has_steps: bool,
    ) -> grantor_store::Result<(Ticket, oneshot::Receiver<grantor_store::Result<T>>)>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let verb = Waiting { work: Some(work), has_steps, outcome: None, reply };
        Ok((self.queue.push(Job::Verb(Box::new(verb)))?, answer))
    }
}

impl Drop for Writer {
    /// What was queued is still written.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<T: Send, F: FnOnce(&Connection) -> Result<T> + Send> Verb for Waiting<T, F> {
    fn run(&mut self, db: &Connection) -> std::result::Result<(), ()> {
        let Some(work) = self.work.take() else { return Ok(()) };
        let outcome = work(db);
        let done = if outcome.is_ok() { Ok(()) } else { Err(()) };
        self.outcome = Some(outcome);
        done
    }

    fn has_steps(&self) -> bool {
        self.has_steps
    }

    fn answer(self: Box<Self>, undone: Option<StoreError>) {
        let outcome = match (self.outcome, undone) {
            // Its own error says more than that of the transaction.
            (Some(Err(failure)), _) => Err(failure.into()),
            (Some(Ok(_)) | None, Some(error)) => Err(error),
            (Some(Ok(value)), None) => Ok(value),
            (None, None) => Err(gone()),
        };
        // Whoever asked may have gone away; the work stands all the same.
        let _ = self.reply.send(outcome);
    }
}

fn work(
    db: &Connection,
    checkpoints: &Checkpoints,
    ended: impl Fn(bool),
    queue: &Queue<Job>,
    delivery: &Delivery,
    written: &Written,
) {
    let _closing = Closing(queue);
    let mut expected = 0;
    let mut pace = Duration::ZERO;
    while queue.wait() {
        // Whoever was answered a moment ago is about to ask again: one commit for all of them, and for those who came while
        // the last one was made, is cheaper than one for the first and another for the rest, as long as they come faster than
        // commits end. Whoever is alone never waits.
        queue.linger(expected, pace, pace * PAUSES);
        let begun = Instant::now();
        let mut batch = Vec::new();
        let failure = transaction(db, queue, &mut batch).err();
        ended(failure.is_some());
        pace = begun.elapsed().min(LONGEST_PAUSE / PAUSES);
        let jobs = batch.len();
        let verbs = batch.iter().filter(|job| queue::Job::is_awaited(*job)).count();
        expected = queue.len() + verbs;
        match failure {
            None => {
                // Nobody waits for events.
                if verbs > 0 {
                    delivery.committed(batch);
                }
                if jobs > 0 {
                    written.commits.fetch_add(1, Ordering::Relaxed);
                    written.verbs.fetch_add(u64::try_from(jobs).unwrap_or(u64::MAX), Ordering::Relaxed);
                }
            }
            Some(failure) => {
                fail(batch, &failure);
                queue.lose(jobs - verbs);
            }
        }
        let lost = queue.lost();
        if lost > 0 {
            tracing::error!(events = lost, "audit events were lost");
        }
        checkpoints.committed(jobs, db);
    }
}

/// Says that nothing of it was written.
fn fail(batch: Vec<Job>, failure: &Failure) {
    tracing::error!(%failure, "a transaction failed, nothing of it was written");
    for job in batch {
        if let Job::Verb(verb) = job {
            verb.answer(Some(failure.told_to_others()));
        }
    }
}

/// What waits, in one transaction, moved from the queue to `batch`. On an error nothing of it was written.
///
/// A verb leaves the queue when the file is held already, so that it can still be withdrawn while another process holds
/// it.
fn transaction(db: &Connection, queue: &Queue<Job>, batch: &mut Vec<Job>) -> Result<()> {
    let begun = begin(db);
    queue.take(BATCH, batch);
    begun?;
    let done = batch.iter_mut().try_for_each(|job| run(db, job)).and_then(|()| execute(db, "COMMIT"));
    if done.is_err() && !db.is_autocommit() {
        execute(db, "ROLLBACK")?;
    }
    done
}

fn begin(db: &Connection) -> Result<()> {
    if !db.is_autocommit() {
        // The one before could not even be undone.
        execute(db, "ROLLBACK")?;
    }
    execute(db, "BEGIN IMMEDIATE")
}

/// One verb; its own error is kept with it, and is no error here.
fn run(db: &Connection, job: &mut Job) -> Result<()> {
    let has_steps = matches!(job, Job::Verb(verb) if verb.has_steps());
    if has_steps {
        execute(db, "SAVEPOINT verb")?;
    }
    let done = match job {
        Job::Verb(verb) => verb.run(db),
        Job::Note(event) => audit::append(db, event).map_err(|failure| {
            tracing::error!(%failure, event = %event.id, "an audit event was not written");
        }),
    };
    // A full disk and some errors of the disk make SQLite undo the whole transaction by itself.
    if db.is_autocommit() {
        return Err(StoreError::Busy("the disk is full, or failed: a whole transaction was undone".to_owned()).into());
    }
    match (has_steps, done) {
        (true, Ok(())) => execute(db, "RELEASE verb"),
        (true, Err(())) => execute(db, "ROLLBACK TO verb").and_then(|()| execute(db, "RELEASE verb")),
        (false, _) => Ok(()),
    }
}

/// However the thread ends, nobody waits for it in vain.
struct Closing<'a>(&'a Queue<Job>);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
        self.0.take(usize::MAX, &mut Vec::new());
    }
}

fn execute(db: &Connection, sql: &str) -> Result<()> {
    db.prepare_cached(sql)?.execute(())?;
    Ok(())
}

fn gone() -> StoreError {
    StoreError::Broken("the writing thread is gone".to_owned())
}

#[cfg(test)]
mod tests;
