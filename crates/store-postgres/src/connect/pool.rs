//! Connections of one kind. Whoever needs one waits in line for it and has it alone.

use super::live::{Limits, Live};
use super::target::Target;
use crate::failure::Failure;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long to wait before connecting again, at first and at the most.
pub(super) const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Connections, each with a task that makes it again when it is lost.
#[derive(Debug)]
pub(super) struct Pool {
    idle: Arc<Idle>,
    patience: Duration,
    keepers: Vec<JoinHandle<()>>,
}

/// Those that nobody holds. A permit stands for each.
struct Idle {
    connections: Mutex<Vec<Arc<Live>>>,
    permits: Semaphore,
}

impl Pool {
    /// Begins to connect.
    pub(super) fn open(target: &Target, limits: Limits, size: usize) -> Self {
        let idle = Arc::new(Idle { connections: Mutex::default(), permits: Semaphore::new(0) });
        let keep = || tokio::spawn(keep(target.clone(), limits, Arc::clone(&idle)));
        let keepers = std::iter::repeat_with(keep).take(size.max(1)).collect();
        Self { idle, patience: limits.patience, keepers }
    }

    /// The next connection that is free, in the order of asking.
    pub(super) async fn take(&self) -> Result<Held, Failure> {
        let next = async {
            loop {
                let permit = self.idle.permits.acquire().await.ok()?;
                permit.forget();
                let found = self.idle.lock().pop();
                if let Some(live) = found.filter(|live| !live.is_over()) {
                    return Some(Held { live, idle: Arc::clone(&self.idle) });
                }
            }
        };
        match timeout(self.patience, next).await {
            Ok(Some(held)) => Ok(held),
            Ok(None) | Err(_) => Err(Failure::Busy("no connection was free in time".to_owned())),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.keepers.iter().for_each(JoinHandle::abort);
    }
}

impl Idle {
    fn put(&self, live: Arc<Live>) {
        self.lock().push(live);
        self.permits.add_permits(1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Live>>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("connections", &self.lock().len()).finish_non_exhaustive()
    }
}

/// A connection in somebody's hands; free again when it is dropped. Whoever leaves a transaction open on it must
/// [give it up](Live::give_up).
pub(crate) struct Held {
    live: Arc<Live>,
    idle: Arc<Idle>,
}

impl Deref for Held {
    type Target = Live;

    fn deref(&self) -> &Live {
        &self.live
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.live.is_over() {
            self.idle.put(Arc::clone(&self.live));
        }
    }
}

/// Makes one connection, again and again.
async fn keep(target: Target, limits: Limits, idle: Arc<Idle>) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        match serve(&target, limits, &idle).await {
            Ok(()) => pause = SHORTEST_PAUSE,
            Err(failure) => {
                tracing::warn!(%failure, "there is no connection to the database");
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        sleep(pause.mul_f64(0.5 + super::chance() / 2.0)).await;
    }
}

/// Connects, and returns when the connection is over; with an error when it never came to be.
async fn serve(target: &Target, limits: Limits, idle: &Idle) -> Result<(), Failure> {
    // Several hosts are tried one after another, each for a bounded time.
    let (live, wire) = Live::connect(target, limits).await?;
    let live = Arc::new(live);
    let mut wire = std::pin::pin!(wire.ended());
    tokio::select! {
        ended = &mut wire => return Err(Failure::Lost(format!("it ended at once: {ended:?}"))),
        set = live.set() => set?,
    }
    idle.put(Arc::clone(&live));
    tokio::select! {
        ended = wire => if let Err(error) = ended {
            tracing::warn!(failure = %Failure::from(error), "a connection to the database was lost");
        },
        () = live.given_up() => tracing::warn!("a connection to the database was given up"),
    }
    live.give_up();
    Ok(())
}
