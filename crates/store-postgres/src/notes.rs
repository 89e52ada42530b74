//! What is written beside the answers: events of the audit log, and uses of credentials. Each kind has a queue of its own,
//! so that events never wait for uses, and is written in the order of noting. While the database is away, what was taken
//! from a queue is held and the queue fills; what finds it full is counted.

use crate::connect::{Connections, Options};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::verbs::{audit, uses};
use grantor_protocol::audit::Event;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::StoreError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

/// How many notes are written together at the most.
const BATCH: usize = 256;
/// How long to wait before what is held is tried again.
const PAUSE: Duration = Duration::from_millis(250);

/// The use of a credential.
#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) tenant: TenantName,
    pub(crate) client: ClientId,
    pub(crate) credential: String,
    pub(crate) time: UnixTime,
}

/// Tells whoever waits what became of it.
type Reply = oneshot::Sender<grantor_store::Result<()>>;

#[derive(Debug)]
struct Events {
    events: Vec<Event>,
    reply: Option<Reply>,
}

#[derive(Debug)]
enum Used {
    Use(Use),
    /// Everything before it has had its turn.
    Flush(Reply),
}

/// The queues. What is in them when this is dropped is still written, as long as the process and the database are there.
#[derive(Debug)]
pub(crate) struct Notes {
    events: mpsc::Sender<Events>,
    uses: mpsc::Sender<Used>,
    lost: Arc<AtomicU64>,
}

impl Notes {
    pub(crate) fn open(connections: &Arc<Connections>, options: &Options) -> Self {
        let (events, waiting_events) = mpsc::channel(options.queue.max(1));
        let (uses, waiting_uses) = mpsc::channel(options.queue.max(1));
        let lost = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_events(Arc::clone(connections), waiting_events, Arc::clone(&lost)));
        tokio::spawn(write_uses(Arc::clone(connections), waiting_uses));
        Self { events, uses, lost }
    }

    /// Writes events, and waits until they and every event before them are written. Without any it waits for the uses of
    /// credentials too.
    ///
    /// Whoever does not wait any more may find the events written later.
    pub(crate) async fn record(&self, events: Vec<Event>) -> grantor_store::Result<()> {
        let is_flush = events.is_empty();
        let (reply, answer) = oneshot::channel();
        self.events.try_send(Events { events, reply: Some(reply) }).map_err(|_| full())?;
        written(answer).await?;
        if is_flush {
            let (reply, answer) = oneshot::channel();
            // Room comes as soon as those before it are written.
            self.uses.send(Used::Flush(reply)).await.map_err(|_| full())?;
            written(answer).await?;
        }
        Ok(())
    }

    /// Writes an event, without waiting. One that found no room is counted.
    pub(crate) fn event(&self, event: Event) {
        if self.events.try_send(Events { events: vec![event], reply: None }).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes the use of a credential, without waiting.
    pub(crate) fn credential(&self, of: Use) -> grantor_store::Result<()> {
        self.uses.try_send(Used::Use(of)).map_err(|_| full())
    }
}

async fn written(answer: oneshot::Receiver<grantor_store::Result<()>>) -> grantor_store::Result<()> {
    answer.await.map_err(|_| StoreError::Busy("the store is closing".to_owned()))?
}

fn full() -> StoreError {
    StoreError::Busy("too many wait for the database".to_owned())
}

async fn write_events(connections: Arc<Connections>, mut waiting: mpsc::Receiver<Events>, lost: Arc<AtomicU64>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        append(&connections, &waiting, std::mem::take(&mut batch)).await;
        say_lost(lost.swap(0, Ordering::Relaxed));
    }
}

fn say_lost(lost: u64) {
    if lost > 0 {
        tracing::error!(lost, "events were lost: they found the queue of the audit log full");
    }
}

/// All in one statement; each by itself, when one of them spoils it.
async fn append(connections: &Connections, waiting: &mpsc::Receiver<Events>, batch: Vec<Events>) {
    let all: Vec<&Event> = batch.iter().flat_map(|note| &note.events).collect();
    let together = held(connections, Work::Events(&all), || waiting.is_closed()).await;
    let spoilt = matches!(together, Err(StoreError::Broken(_))) && batch.len() > 1;
    let why = together.err();
    for Events { events, reply } in batch {
        let done = match &why {
            None => Ok(()),
            Some(_) if spoilt => {
                let alone: Vec<&Event> = events.iter().collect();
                held(connections, Work::Events(&alone), || waiting.is_closed()).await
            }
            Some(StoreError::Broken(why)) => Err(StoreError::Broken(why.clone())),
            Some(why) => Err(StoreError::Busy(why.to_string())),
        };
        if let Err(error) = &done
            && !events.is_empty()
        {
            tracing::error!(%error, lost = events.len(), "events were not written to the audit log");
        }
        if let Some(reply) = reply {
            // Whoever asked may have gone away.
            let _ = reply.send(done);
        }
    }
}

async fn write_uses(connections: Arc<Connections>, mut waiting: mpsc::Receiver<Used>) {
    let mut batch = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (mut used, mut flushes) = (Vec::new(), Vec::new());
        for note in batch.drain(..) {
            match note {
                Used::Use(of) => used.push(of),
                Used::Flush(reply) => flushes.push(reply),
            }
        }
        if let Err(error) = held(&connections, Work::Uses(&used), || waiting.is_closed()).await {
            tracing::warn!(%error, lost = used.len(), "uses of credentials were not noted");
        }
        for reply in flushes {
            let _ = reply.send(Ok(()));
        }
    }
}

#[derive(Clone, Copy)]
enum Work<'a> {
    Events(&'a [&'a Event]),
    Uses(&'a [Use]),
}

impl Work<'_> {
    fn len(self) -> usize {
        match self {
            Self::Events(events) => events.len(),
            Self::Uses(uses) => uses.len(),
        }
    }

    fn split_at(self, size: usize) -> (Self, Self) {
        let at = size.min(self.len());
        match self {
            Self::Events(events) => {
                let (first, rest) = events.split_at(at);
                (Self::Events(first), Self::Events(rest))
            }
            Self::Uses(uses) => {
                let (first, rest) = uses.split_at(at);
                (Self::Uses(first), Self::Uses(rest))
            }
        }
    }

    async fn carry_out(self, connections: &Connections) -> Result<()> {
        let db = connections.writer().await.map_err(Failure::from)?;
        match self {
            Self::Events(events) => audit::append(&db, events).await,
            Self::Uses(used) => uses::note(&db, used).await,
        }
    }
}

/// Holds work until the database took or refused all of it; given up when the store closes meanwhile.
///
/// What is too much for one statement would be held for ever: it is tried by halves, down to a single event or use. A
/// database that cannot take one of these in time is as good as away.
async fn held(connections: &Connections, work: Work<'_>, is_closing: impl Fn() -> bool) -> grantor_store::Result<()> {
    let (mut left, mut size, mut said) = (work, work.len(), false);
    while left.len() > 0 {
        let (next, rest) = left.split_at(size);
        match again(connections, next).await {
            Ok(()) => (left, size) = (rest, size.saturating_mul(2)),
            Err(StoreError::Busy(why)) if !is_closing() => {
                if !said {
                    tracing::warn!(why, "audit events or uses of credentials are held until the database takes them");
                    said = true;
                }
                size = (size / 2).max(1);
                sleep(PAUSE).await;
            }
            refused => return refused,
        }
    }
    Ok(())
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
