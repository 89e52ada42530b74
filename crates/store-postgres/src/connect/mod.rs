//! A small fixed set of connections, each of which is made again when it is lost.

mod ear;
mod live;
mod pool;
mod target;

pub(crate) use live::{Live, Row};
pub(crate) use pool::Held;
pub use target::Target;

use ear::Ear;
use grantor_store::{Result, StoreError};
use live::Limits;
use pool::Pool;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;
use tokio::time::timeout;

/// How many connections a node has, and how long it waits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections on which verbs read.
    pub readers: usize,
    /// Connections on which verbs write.
    pub writers: usize,
    /// How many verbs of one kind may wait; the next is told to come again later.
    pub queue: usize,
    /// How many verbs share a statement at the most.
    pub batch: usize,
    /// How long a verb waits for a connection before it is told to come again later.
    pub patience: Duration,
    /// How long the database has for one statement. A connection on which no reply came by then is given up. A verb is
    /// answered within this and a quarter, however many statements it needs. What takes away very much goes in steps, each
    /// of which has that bound; a statement that reads the whole directory, is one of very many changes of it, or
    /// deletes a tenant, may take fifteen times as long.
    pub reply: Duration,
    /// By which the database's administrator knows the node.
    pub application_name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            readers: 4,
            writers: 4,
            queue: 4_096,
            batch: 128,
            patience: Duration::from_secs(2),
            reply: Duration::from_secs(2),
            application_name: "grantor".to_owned(),
        }
    }
}

impl Options {
    /// How long a verb takes at the most, from when it is asked until it is answered.
    pub(crate) fn bound(&self) -> Duration {
        self.reply + self.reply / 4
    }
}

/// The connections of a node.
#[derive(Debug)]
pub(crate) struct Connections {
    readers: Pool,
    writers: Pool,
    feed: Pool,
    pub(crate) ear: Ear,
    bound: Duration,
}

impl Connections {
    /// Begins to connect, and returns when each kind has a connection.
    pub(crate) async fn open(target: &Target, options: &Options) -> Result<Self> {
        let limits = Limits { reply: options.reply, patience: options.patience };
        let readers = Pool::open(target, limits, options.readers);
        let writers = Pool::open(target, limits, options.writers);
        let feed = Pool::open(target, limits, 1);
        drop((readers.take().await?, writers.take().await?, feed.take().await?));
        let ear = Ear::open(target, options.patience).await;
        Ok(Self { readers, writers, feed, ear, bound: options.bound() })
    }

    /// What a verb gives, or that it should be asked again later. Its last statement may be carried out all the same.
    pub(crate) async fn in_time<T>(&self, verb: impl Future<Output = Result<T>>) -> Result<T> {
        let late = |_| Err(StoreError::Busy("the database did not answer in time".to_owned()));
        timeout(self.bound, verb).await.unwrap_or_else(late)
    }

    /// A connection to read on, for its holder alone. On the primary like the other: nothing is decided elsewhere.
    pub(crate) async fn reader(&self) -> Result<Held> {
        Ok(self.readers.take().await?)
    }

    /// The connection on which the node asks what has changed in the directory. Its tokens are worth nothing when it
    /// does not know, so it waits behind no verb.
    pub(crate) async fn feed(&self) -> Result<Held> {
        Ok(self.feed.take().await?)
    }

    /// A connection to write on, for its holder alone.
    pub(crate) async fn writer(&self) -> Result<Held> {
        Ok(self.writers.take().await?)
    }
}

/// A number between 0 and 1, by which nodes that waited for the same thing do not come back at the same moment.
pub(crate) fn chance() -> f64 {
    f64::from(u32::try_from(draw() >> 32).unwrap_or(0)) / f64::from(u32::MAX)
}

/// A number that nobody else has: what must not be guessed is not made of it.
pub(crate) fn draw() -> u64 {
    RandomState::new().build_hasher().finish()
}
