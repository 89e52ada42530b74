//! What other nodes say of the directory, on a connection that does nothing but listen. Nothing depends on it: whoever
//! follows the directory asks for its version all the same, and where the server does not know LISTEN (CockroachDB) that
//! is all he does.

use super::pool::{LONGEST_PAUSE, SHORTEST_PAUSE};
use super::target::Target;
use crate::failure::{Failure, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// The one construct here that not every database has: see the test of dialects.
const LISTEN: &str = "LISTEN grantor_directory";

/// Listens until it is dropped.
#[derive(Debug)]
pub(crate) struct Ear {
    heard: Arc<Heard>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Heard {
    changed: Notify,
    /// Whether the server took the first LISTEN. What is said to one that did not would spoil the transaction.
    works: AtomicBool,
}

impl Ear {
    /// Begins to listen, and returns when the server has taken it or not; or without knowing, when it takes too long.
    pub(crate) async fn open(target: &Target, patience: Duration) -> Self {
        Self::with(LISTEN, target, patience).await
    }

    async fn with(listen: &'static str, target: &Target, patience: Duration) -> Self {
        let heard = Arc::new(Heard::default());
        let (known, knows) = oneshot::channel();
        let task = tokio::spawn(keep(listen, target.clone(), Arc::clone(&heard), known));
        // Whatever it is, the store works.
        let _ = timeout(patience, knows).await;
        Self { heard, task }
    }

    /// Whether a change is to be told to those who listen.
    pub(crate) fn works(&self) -> bool {
        self.heard.works.load(Ordering::Relaxed)
    }

    /// Returns when a change was heard of since the last call.
    pub(crate) async fn changed(&self) {
        self.heard.changed.notified().await;
    }

    /// Hears of a change of this node's own.
    pub(crate) fn hear(&self) {
        self.heard.changed.notify_one();
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Listens again whenever the connection is lost; ends when the server does not know how.
async fn keep(listen: &'static str, target: Target, heard: Arc<Heard>, known: oneshot::Sender<()>) {
    let (mut known, mut pause) = (Some(known), SHORTEST_PAUSE);
    loop {
        let mut listens = false;
        let lost = hear(listen, &target, &heard, || {
            listens = true;
            known.take();
        });
        match lost.await {
            Err(failure @ Failure::Broken(_)) if !heard.works.load(Ordering::Relaxed) => {
                tracing::info!(%failure, "the database does not tell of changes; the directory is looked at five times a second");
                return;
            }
            Err(failure) => tracing::debug!(%failure, "changes of the directory are not heard of for a moment"),
            Ok(()) => {}
        }
        pause = if listens { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        sleep(pause.mul_f64(0.5 + super::chance() / 2.0)).await;
    }
}

/// Returns when the connection is over.
async fn hear(listen: &str, target: &Target, heard: &Heard, listens: impl FnOnce()) -> Result<()> {
    let (client, wire) = target.connect().await?;
    let mut wire = std::pin::pin!(wire.hears(|| heard.changed.notify_one()));
    tokio::select! {
        ended = &mut wire => return Ok(ended?),
        taken = client.batch_execute(listen) => taken?,
    }
    // What was said while nobody listened.
    if heard.works.swap(true, Ordering::Relaxed) {
        heard.changed.notify_one();
    }
    listens();
    Ok(wire.await?)
}

#[cfg(test)]
mod tests {
    use super::{Ear, LISTEN};
    use crate::connect::Connections;
    use crate::{Options, PostgresStore, Target};
    use grantor_local_postgres::Server;
    use grantor_store::Directories as _;
    use std::time::Duration;
    use tokio::time::timeout;

    const LONG: Duration = Duration::from_mins(1);
    /// Longer than the way through the server takes.
    const SHORT: Duration = Duration::from_millis(300);

    /// To PostgreSQL what the other is to CockroachDB.
    const REFUSED: &str = "LISTEN to nobody";

    #[tokio::test]
    async fn who_is_refused_tells_nobody_and_does_without() {
        let target = Target::parse(&Server::shared().unwrap().fresh_database().unwrap()).unwrap();
        crate::migrate(&target).await.unwrap();
        let other = Ear::with(LISTEN, &target, LONG).await;
        for (listen, works) in [(LISTEN, true), (REFUSED, false)] {
            let mut connections = Connections::open(&target, &Options::default()).await.unwrap();
            connections.ear = Ear::with(listen, &target, LONG).await;
            assert_eq!(connections.ear.works(), works);
            let store = PostgresStore::over(connections, &Options::default());
            store.change_directory(Vec::new(), None).await.unwrap();
            timeout(LONG, store.directory_changed()).await.unwrap();
            let told = timeout(if works { LONG } else { SHORT }, other.changed()).await;
            assert_eq!(told.is_ok(), works);
        }
    }
}
