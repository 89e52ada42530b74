//! Who may ask now, and who waits: so many requests at once, and so many of them at one host.
//!
//! Anyone can have a request object fetched, without a password and as often as he likes (RFC 9101 10.4). That is why
//! request objects have places of their own, and at no host take all: keys are fetched whatever becomes of them.

use crate::target::Target;
use crate::{Document, FetchError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// How many requests run at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// For key sets and metadata.
    pub(crate) keys: usize,
    /// For request objects.
    pub(crate) request_objects: usize,
    /// At one host, for documents of all kinds.
    pub(crate) per_host: usize,
    /// How many of those at one host request objects may take.
    pub(crate) request_objects_per_host: usize,
}

/// The places, and who has them.
pub(crate) struct Turns {
    places: Places,
    keys: Semaphore,
    request_objects: Semaphore,
    /// By authority, as long as somebody is there or waits.
    hosts: Mutex<HashMap<String, Host>>,
}

/// Leave to ask, until it is dropped.
pub(crate) struct Turn<'a> {
    _place: SemaphorePermit<'a>,
    _at_host: Vec<OwnedSemaphorePermit>,
    _visit: Visit<'a>,
}

#[derive(Clone)]
struct Host {
    all: Arc<Semaphore>,
    request_objects: Arc<Semaphore>,
    /// How many are there or wait.
    visits: usize,
}

/// Keeps the host among the hosts.
struct Visit<'a> {
    turns: &'a Turns,
    authority: String,
}

impl Turns {
    pub(crate) fn new(places: Places) -> Self {
        Self {
            places,
            keys: Semaphore::new(places.keys),
            request_objects: Semaphore::new(places.request_objects),
            hosts: Mutex::default(),
        }
    }

    /// Waits for a place, no longer than `queue`.
    ///
    /// # Errors
    ///
    /// [`FetchError::Throttled`] when none became free.
    pub(crate) async fn turn(&self, target: &Target, what: Document, queue: Duration) -> Result<Turn<'_>, FetchError> {
        timeout(queue, self.wait(target.authority(), what)).await.ok().flatten().ok_or(FetchError::Throttled)
    }

    /// The host comes first: who waits for a slow one keeps no place from those who go elsewhere.
    async fn wait(&self, authority: String, what: Document) -> Option<Turn<'_>> {
        let (visit, host) = self.visit(authority);
        let (place, at_host) = match what {
            Document::KeySet | Document::Metadata | Document::Answer | Document::StatusList => {
                (&self.keys, vec![host.all])
            }
            // Anyone can have these fetched, too.
            Document::RequestObject | Document::ClientMetadata => {
                (&self.request_objects, vec![host.request_objects, host.all])
            }
        };
        let mut taken = Vec::with_capacity(at_host.len());
        for places in at_host {
            taken.push(places.acquire_owned().await.ok()?);
        }
        Some(Turn { _place: place.acquire().await.ok()?, _at_host: taken, _visit: visit })
    }

    fn visit(&self, authority: String) -> (Visit<'_>, Host) {
        let mut hosts = self.hosts();
        let host = hosts.entry(authority.clone()).or_insert_with(|| Host {
            all: Arc::new(Semaphore::new(self.places.per_host)),
            request_objects: Arc::new(Semaphore::new(self.places.request_objects_per_host)),
            visits: 0,
        });
        host.visits = host.visits.saturating_add(1);
        (Visit { turns: self, authority }, host.clone())
    }

    fn hosts(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        let mut hosts = self.turns.hosts();
        if let Some(host) = hosts.get_mut(&self.authority) {
            host.visits = host.visits.saturating_sub(1);
            if host.visits == 0 {
                hosts.remove(&self.authority);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: Places = Places { keys: 3, request_objects: 2, per_host: 2, request_objects_per_host: 1 };

    async fn turn<'a>(turns: &'a Turns, url: &str, what: Document) -> Option<Turn<'a>> {
        turns.turn(&Target::parse(url, &[]).unwrap(), what, Duration::from_secs(1)).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn request_objects_do_not_take_the_last_place_at_a_host() {
        let turns = Turns::new(PLACES);
        let first = turn(&turns, "https://a.example/1", Document::RequestObject).await;
        assert!(first.is_some());
        assert!(turn(&turns, "https://a.example/2", Document::RequestObject).await.is_none());
        let keys = turn(&turns, "https://a.example/3", Document::KeySet).await;
        assert!(keys.is_some());
        assert!(turn(&turns, "https://a.example/4", Document::Metadata).await.is_none(), "the host has no more places");
        drop(first);
        assert!(turn(&turns, "https://a.example/4", Document::Metadata).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_at_a_host_takes_no_place_from_the_others() {
        let turns = Arc::new(Turns::new(PLACES));
        let _there = [
            turn(&turns, "https://a.example/", Document::KeySet).await.unwrap(),
            turn(&turns, "https://a.example/", Document::KeySet).await.unwrap(),
        ];
        let waits = Arc::clone(&turns);
        let waiting = tokio::spawn(async move { turn(&waits, "https://a.example/", Document::KeySet).await.is_some() });
        tokio::task::yield_now().await;
        assert!(turn(&turns, "https://b.example/", Document::KeySet).await.is_some());
        assert!(!waiting.await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_one_however_it_is_written_and_a_port_another() {
        let turns = Turns::new(Places { per_host: 1, ..PLACES });
        let _there = turn(&turns, "https://a.example/", Document::KeySet).await.unwrap();
        for same in ["https://A.Example:443/other", "https://a.example./"] {
            assert!(turn(&turns, same, Document::KeySet).await.is_none(), "{same}");
        }
        assert!(turn(&turns, "https://a.example:8443/", Document::KeySet).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_is_forgotten_when_the_last_one_leaves() {
        let turns = Turns::new(Places { per_host: 1, ..PLACES });
        let there = turn(&turns, "https://a.example/", Document::KeySet).await;
        assert!(turn(&turns, "https://a.example/", Document::KeySet).await.is_none());
        assert_eq!(turns.hosts().len(), 1);
        drop(there);
        assert_eq!(turns.hosts().len(), 0);
    }
}
