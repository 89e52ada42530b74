//! What was read from a URL, kept for a while. However many ask, one fetch per URL is under way, and it ends whether or
//! not somebody still waits for it: nobody can make more of them by giving up.

mod entry;
mod shelf;

use crate::FetchError;
use entry::{Flight, Landing, Step};
use shelf::Shelf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Documents by their URL.
pub(crate) struct Cache<V> {
    shelf: Arc<Mutex<Shelf<V>>>,
}

/// A document that was just read.
pub(crate) struct Fresh<V> {
    pub(crate) value: V,
    /// For how long it is used without asking again.
    pub(crate) ttl: Duration,
    /// About how much memory it takes, in bytes.
    pub(crate) weight: usize,
}

/// How much a cache may hold. Beyond it what was used least recently goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) entries: usize,
    /// In bytes.
    pub(crate) weight: usize,
}

/// For how long a cache holds on to what is not fresh.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    /// How soon a URL is asked again after a failure.
    pub(crate) failure: Duration,
    /// How long, since it was read, the last good document stands in for one that cannot be had.
    pub(crate) stale: Duration,
}

impl<V: Send + Sync + 'static> Cache<V> {
    pub(crate) fn new(capacity: Capacity, retention: Retention) -> Self {
        Self { shelf: Arc::new(Mutex::new(Shelf::new(capacity, retention))) }
    }

    /// The document behind a URL, from `fetch` when none is kept or the one that is kept does not suffice.
    ///
    /// # Errors
    ///
    /// Those of `fetch`, of a moment ago too, unless there is a last good document;
    /// [`FetchError::Throttled`] when more URLs than the cache has room for are being fetched.
    pub(crate) async fn of<F>(&self, url: &str, suffices: impl Fn(&V) -> bool, fetch: F) -> Result<Arc<V>, FetchError>
    where
        F: Future<Output = Result<Fresh<V>, FetchError>> + Send + 'static,
    {
        let flight = match self.step(url, suffices, fetch)? {
            Step::Use(outcome) => return outcome,
            Step::Wait(flight) => flight,
        };
        landed(flight).await
    }

    /// What there is to do, and the start of a fetch when that is it.
    fn step<F>(&self, url: &str, suffices: impl Fn(&V) -> bool, fetch: F) -> Result<Step<V>, FetchError>
    where
        F: Future<Output = Result<Fresh<V>, FetchError>> + Send + 'static,
    {
        let now = Instant::now();
        let mut shelf = lock(&self.shelf);
        let entry = shelf.entry(url)?;
        if let Some(step) = entry.step(now, suffices) {
            return Ok(step);
        }
        let (landing, flight) = watch::channel(None);
        entry.depart(flight.clone(), now);
        let (shelf, url) = (Arc::clone(&self.shelf), url.to_owned());
        tokio::spawn(async move {
            let result = fetch.await;
            let outcome = lock(&shelf).land(&url, result, Instant::now());
            landing.send_replace(Some(outcome));
        });
        Ok(Step::Wait(flight))
    }
}

/// What came of a fetch that is under way.
async fn landed<V>(mut flight: Flight<V>) -> Result<Arc<V>, FetchError> {
    let outcome: Option<Landing<V>> = flight.wait_for(Option::is_some).await.ok().and_then(|outcome| outcome.clone());
    // The sender is gone without a word only when the runtime shuts down, or after a bug in the fetch.
    outcome.unwrap_or_else(|| Err(FetchError::Transport("the fetch was abandoned".to_owned())))
}

fn lock<V>(shelf: &Mutex<Shelf<V>>) -> MutexGuard<'_, Shelf<V>> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
