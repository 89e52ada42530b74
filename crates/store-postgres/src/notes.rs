//! What is written beside the answers: events of the audit log and uses of credentials. One after another, so that
//! whoever waits for his own finds everything that was noted before it.

use crate::connect::Connections;
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::verbs::{audit, uses};
use grantor_protocol::audit::Event;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, oneshot};

/// How many are written together at the most.
const BATCH: usize = 256;

/// The use of a credential.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) tenant: TenantName,
    pub(crate) client: ClientId,
    pub(crate) credential: String,
    pub(crate) time: UnixTime,
}

#[derive(Debug)]
enum Note {
    Events(Vec<Event>, Option<oneshot::Sender<grantor_store::Result<()>>>),
    Use(Use),
}

/// The queue. What is in it when this is dropped is still written, as long as the process is there.
#[derive(Debug)]
pub(crate) struct Notes {
    queue: mpsc::Sender<Note>,
    lost: Arc<AtomicU64>,
}

impl Notes {
    pub(crate) fn open(connections: &Arc<Connections>, longest: usize) -> Self {
        let (queue, waiting) = mpsc::channel(longest.max(1));
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write(Arc::clone(connections), waiting, Arc::clone(&lost)));
        Self { queue, lost }
    }

    /// Writes events, and waits until they and everything before them is written.
    pub(crate) async fn record(&self, events: Vec<Event>) -> grantor_store::Result<()> {
        let (reply, answer) = oneshot::channel();
        self.put(Note::Events(events, Some(reply)))?;
        answer.await.map_err(|_| StoreError::Busy("the store is closing".to_owned()))?
    }

    /// Writes an event, without waiting. One that found no room is counted.
    pub(crate) fn event(&self, event: Event) {
        if self.put(Note::Events(vec![event], None)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes the use of a credential, without waiting.
    pub(crate) fn credential(&self, of: Use) -> grantor_store::Result<()> {
        self.put(Note::Use(of))
    }

    fn put(&self, note: Note) -> grantor_store::Result<()> {
        self.queue.try_send(note).map_err(|_| StoreError::Busy("too many wait for the database".to_owned()))
    }
}

async fn write(connections: Arc<Connections>, mut waiting: mpsc::Receiver<Note>, lost: Arc<AtomicU64>) {
    let mut notes = Vec::new();
    while waiting.recv_many(&mut notes, BATCH).await > 0 {
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(lost, "events found the queue of the audit log full");
        }
        let (mut batches, mut used) = (Vec::new(), Vec::new());
        for note in notes.drain(..) {
            match note {
                Note::Events(events, reply) => batches.push((events, reply)),
                Note::Use(of) => used.push(of),
            }
        }
        for of in &used {
            if let Err(error) = again(&connections, Work::Use(of)).await {
                tracing::warn!(%error, client = %of.client, "the use of a credential was not noted");
            }
        }
        append(&connections, batches).await;
    }
}

type Batch = (Vec<Event>, Option<oneshot::Sender<grantor_store::Result<()>>>);

/// All in one statement; each by itself, when one of them spoils it.
async fn append(connections: &Connections, batches: Vec<Batch>) {
    let all: Vec<&Event> = batches.iter().flat_map(|(events, _)| events).collect();
    let together = again(connections, Work::Events(&all)).await;
    let spoilt = matches!(together, Err(StoreError::Broken(_))) && batches.len() > 1;
    let why = together.err().map(|error| error.to_string());
    for (events, reply) in batches {
        let done = match &why {
            None => Ok(()),
            Some(_) if spoilt => again(connections, Work::Events(&events.iter().collect::<Vec<_>>())).await,
            Some(why) => Err(StoreError::Busy(why.clone())),
        };
        match reply {
            // Whoever asked may have gone away.
            Some(reply) => drop(reply.send(done)),
            None => {
                if let Err(error) = done {
                    tracing::error!(%error, "an event was not written to the audit log");
                }
            }
        }
    }
}

enum Work<'a> {
    Events(&'a [&'a Event]),
    Use(&'a Use),
}

impl Work<'_> {
    async fn carry_out(&self, connections: &Connections) -> Result<()> {
        let db = connections.writer().await.map_err(Failure::from)?;
        match self {
            Self::Events(events) => audit::append(&db, events).await,
            Self::Use(of) => uses::note(&db, &of.tenant, &of.client, &of.credential, of.time).await,
        }
    }
}

/// Both may be done twice.
async fn again(connections: &Connections, work: Work<'_>) -> grantor_store::Result<()> {
    let mut attempts = Attempts::default();
    loop {
        match work.carry_out(connections).await {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}
