//! What is known of one URL, and what follows from it.

use super::{Fresh, Retention};
use crate::FetchError;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A URL.
pub(super) struct Entry<V> {
    retention: Retention,
    /// The last document that could be read.
    good: Option<Good<V>>,
    /// What went wrong last. No fetch begins before it is forgotten.
    failed: Option<Failure>,
    /// When it was last asked for again because the document did not suffice.
    searched: Option<Instant>,
    /// The fetch that is under way.
    flight: Option<Flight<V>>,
}

struct Good<V> {
    value: Arc<V>,
    read: Instant,
    ttl: Duration,
    weight: usize,
}

struct Failure {
    error: FetchError,
    at: Instant,
}

/// What came of a fetch.
pub(super) type Landing<V> = Result<Arc<V>, FetchError>;

/// A fetch that is under way.
pub(super) type Flight<V> = watch::Receiver<Option<Landing<V>>>;

/// What to do without another fetch.
pub(super) enum Step<V> {
    /// This is the answer.
    Use(Landing<V>),
    /// The answer is on its way.
    Wait(Flight<V>),
}

/// How soon a URL is asked again because of a key that its document lacks.
const REFETCH: Duration = Duration::from_secs(30);

impl<V> Entry<V> {
    pub(super) const fn new(retention: Retention) -> Self {
        Self { retention, good: None, failed: None, searched: None, flight: None }
    }

    /// What to do, nothing when it is time for a fetch.
    pub(super) fn step(&self, now: Instant, suffices: impl Fn(&V) -> bool) -> Option<Step<V>> {
        let current = self.good.as_ref().filter(|good| now < good.read + good.ttl);
        if let Some(good) = current.filter(|good| suffices(&good.value)) {
            return Some(Step::Use(Ok(Arc::clone(&good.value))));
        }
        if let Some(flight) = self.flight() {
            return Some(Step::Wait(flight.clone()));
        }
        if let Some(failure) = self.failed.as_ref().filter(|failure| now < failure.at + self.retention.failure) {
            return Some(Step::Use(self.last_good(now).ok_or_else(|| failure.error.clone())));
        }
        let good = current?;
        let searched = self.searched.is_some_and(|searched| now < searched + REFETCH);
        searched.then(|| Step::Use(Ok(Arc::clone(&good.value))))
    }

    /// Notes that a fetch began.
    pub(super) fn depart(&mut self, flight: Flight<V>, now: Instant) {
        if self.good.as_ref().is_some_and(|good| now < good.read + good.ttl) {
            self.searched = Some(now);
        }
        self.flight = Some(flight);
    }

    /// Notes what came of it; gives what those get who waited.
    pub(super) fn land(&mut self, result: Result<Fresh<V>, FetchError>, now: Instant) -> Landing<V> {
        self.flight = None;
        match result {
            Ok(Fresh { value, ttl, weight }) => {
                let value = Arc::new(value);
                self.good = Some(Good { value: Arc::clone(&value), read: now, ttl, weight });
                Ok(value)
            }
            Err(error) => {
                self.failed = Some(Failure { error: error.clone(), at: now });
                self.last_good(now).ok_or(error)
            }
        }
    }

    /// The fetch that is under way. One that was dropped before its end is none.
    pub(super) fn flight(&self) -> Option<&Flight<V>> {
        self.flight.as_ref().filter(|flight| flight.has_changed().is_ok())
    }

    /// In bytes.
    pub(super) fn weight(&self) -> usize {
        self.good.as_ref().map_or(0, |good| good.weight)
    }

    fn last_good(&self, now: Instant) -> Option<Arc<V>> {
        self.good.as_ref().filter(|good| now < good.read + self.retention.stale).map(|good| Arc::clone(&good.value))
    }
}
