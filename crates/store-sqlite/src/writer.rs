//! The one writer, with group commit.
//!
//! Every verb that waits when a commit ends goes into the next transaction, each in a savepoint of its own: an error of
//! one undoes that one only. Answers are sent after the commit, so that what was acknowledged is on the disk.

use crate::failure::{Failure, Result};
use crate::verbs::audit;
use grantor_protocol::audit::Event;
use grantor_store::StoreError;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// How many verbs may wait; the next is told to come again later.
const QUEUE: usize = 4_096;
/// How many verbs share a commit at the most, so that the first does not wait long for the last.
const BATCH: usize = 256;

/// The queue in front of the writing thread.
pub(crate) struct Writer {
    queue: Option<SyncSender<Job>>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

enum Job {
    Verb(Box<dyn Verb>),
    Note(Box<Event>),
}

/// A verb in the queue.
trait Verb: Send {
    /// Does the work; the outcome is kept. On an error the work must be undone.
    fn run(&mut self, db: &Connection) -> std::result::Result<(), ()>;
    /// Says how it went; `undone` when the transaction around it came to nothing.
    fn answer(self: Box<Self>, undone: Option<StoreError>);
}

struct Waiting<T, F> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    reply: oneshot::Sender<grantor_store::Result<T>>,
}

impl Writer {
    /// Starts the writing thread, which owns the connection from now on.
    pub(crate) fn start(db: Connection) -> Result<Self> {
        Self::with_queue(db, QUEUE)
    }

    fn with_queue(db: Connection, length: usize) -> Result<Self> {
        let (queue, jobs) = sync_channel(length);
        let lost = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&lost);
        let thread = std::thread::Builder::new()
            .name("grantor-sqlite".to_owned())
            .spawn(move || work(&db, &jobs, &counted))
            .map_err(|error| StoreError::Broken(format!("the writing thread cannot be started: {error}")))?;
        Ok(Self { queue: Some(queue), lost, thread: Some(thread) })
    }

    /// Carries out `work` in the next transaction; durable when it returns.
    pub(crate) async fn write<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        self.enqueue(work)?.await.map_err(|_| gone())?
    }

    /// Carries out `work` in the next transaction, without waiting for it. Never blocks; an error says that there was
    /// no room in the queue.
    pub(crate) fn post<F>(&self, work: F) -> grantor_store::Result<()>
    where
        F: FnOnce(&Connection) -> Result<()> + Send + 'static,
    {
        self.enqueue(work).map(drop)
    }

    /// Appends an event with the next commit. Never blocks; one that found the queue full is counted.
    pub(crate) fn note(&self, event: Event) {
        let sent = self.queue.as_ref().is_some_and(|queue| queue.try_send(Job::Note(Box::new(event))).is_ok());
        if !sent {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Gives where the answer will be.
    fn enqueue<T, F>(&self, work: F) -> grantor_store::Result<oneshot::Receiver<grantor_store::Result<T>>>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let verb = Waiting { work: Some(work), outcome: None, reply };
        self.queue.as_ref().ok_or_else(gone)?.try_send(Job::Verb(Box::new(verb))).map_err(|error| match error {
            TrySendError::Full(_) => StoreError::Busy("too many writes are waiting".to_owned()),
            TrySendError::Disconnected(_) => gone(),
        })?;
        Ok(answer)
    }
}

impl Drop for Writer {
    /// What was queued is still written.
    fn drop(&mut self) {
        self.queue = None;
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

fn work(db: &Connection, jobs: &Receiver<Job>, lost: &AtomicU64) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Ok(first) = jobs.recv() {
        batch.push(first);
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let failure = transaction(db, &mut batch).err();
        let mut notes = 0;
        for job in batch.drain(..) {
            match job {
                Job::Verb(verb) => verb.answer(failure.as_ref().map(Failure::told_to_others)),
                Job::Note(_) => notes += 1,
            }
        }
        if let Some(failure) = failure {
            tracing::error!(%failure, "a transaction failed, nothing of it was written");
            lost.fetch_add(notes, Ordering::Relaxed);
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(events = lost, "audit events were lost");
        }
    }
}

/// All of the batch in one transaction. On an error nothing of it was written.
fn transaction(db: &Connection, batch: &mut [Job]) -> Result<()> {
    if !db.is_autocommit() {
        // The one before could not even be undone.
        execute(db, "ROLLBACK")?;
    }
    execute(db, "BEGIN IMMEDIATE")?;
    let done = batch.iter_mut().try_for_each(|job| in_savepoint(db, job)).and_then(|()| execute(db, "COMMIT"));
    if done.is_err() && !db.is_autocommit() {
        execute(db, "ROLLBACK")?;
    }
    done
}

/// One verb; its own error is kept with it, and is no error here.
fn in_savepoint(db: &Connection, job: &mut Job) -> Result<()> {
    execute(db, "SAVEPOINT verb")?;
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
    if done.is_err() {
        execute(db, "ROLLBACK TO verb")?;
    }
    execute(db, "RELEASE verb")
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
