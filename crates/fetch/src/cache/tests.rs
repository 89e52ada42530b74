//! The cache by itself, in a time of its own.

use super::*;
use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::time::advance;

const URL: &str = "https://client.example/jwks";
const ROOMY: Capacity = Capacity { entries: 100, weight: 1000 };
const SECOND: Duration = Duration::from_secs(1);
const RETENTION: Retention = Retention { failure: Duration::from_secs(5), stale: Duration::from_hours(24) };

/// A cache of numbers, and how often it fetched.
struct Bench {
    cache: Arc<Cache<u32>>,
    fetches: Arc<AtomicUsize>,
}

impl Bench {
    fn new(capacity: Capacity) -> Self {
        Self::with(capacity, RETENTION)
    }

    fn with(capacity: Capacity, retention: Retention) -> Self {
        Self { cache: Arc::new(Cache::new(capacity, retention)), fetches: Arc::default() }
    }

    /// Asks for a document that is at least `wanted`; a fetch ends as `result` says.
    async fn ask(&self, url: &str, wanted: u32, result: Result<u32, FetchError>) -> Result<u32, FetchError> {
        self.ask_then(url, wanted, ready(result)).await
    }

    fn ask_then(
        &self,
        url: &str,
        wanted: u32,
        result: impl Future<Output = Result<u32, FetchError>> + Send + 'static,
    ) -> impl Future<Output = Result<u32, FetchError>> + Send + 'static {
        let (cache, fetches, url) = (Arc::clone(&self.cache), Arc::clone(&self.fetches), url.to_owned());
        async move {
            let fetch = async move {
                fetches.fetch_add(1, Ordering::SeqCst);
                result.await.map(|value| Fresh { value, ttl: 60 * SECOND, weight: 10 })
            };
            cache.of(&url, |value| *value >= wanted, fetch).await.map(|value| *value)
        }
    }

    fn fetches(&self) -> usize {
        self.fetches.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_does_not_end_the_fetch() {
    let bench = Bench::new(ROOMY);
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let first = tokio::spawn(bench.ask_then(URL, 0, async move {
        gate.notified().await;
        Ok(1)
    }));
    tokio::task::yield_now().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let others: Vec<_> = (0..50).map(|_| tokio::spawn(bench.ask_then(URL, 0, ready(Ok(2))))).collect();
    tokio::task::yield_now().await;
    go.notify_one();
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(1));
    }
    assert_eq!(bench.fetches(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_finds_what_he_wants_does_not_wait_for_a_fetch() {
    let bench = Bench::new(ROOMY);
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Ok(1));
    let searching = tokio::spawn(bench.ask_then(URL, 9, pending()));
    tokio::task::yield_now().await;
    assert_eq!(bench.ask(URL, 1, Ok(2)).await, Ok(1));
    assert!(!searching.is_finished());
    assert_eq!(bench.fetches(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_fails_is_not_repeated_at_once() {
    let bench = Bench::new(ROOMY);
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Ok(1));
    assert_eq!(bench.ask(URL, 9, Err(FetchError::TooSlow)).await, Ok(1));
    for (time, fetches) in [(0, 2), (6, 2), (23, 2), (1, 3)] {
        advance(time * SECOND).await;
        assert_eq!(bench.ask(URL, 9, Err(FetchError::TooSlow)).await, Ok(1));
        assert_eq!(bench.fetches(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_document_ends_a_failure() {
    let bench = Bench::new(ROOMY);
    assert_eq!(bench.ask(URL, 0, Err(FetchError::TooSlow)).await, Err(FetchError::TooSlow));
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Err(FetchError::TooSlow));
    advance(5 * SECOND).await;
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Ok(1));
    assert_eq!(bench.ask(URL, 2, Ok(2)).await, Ok(2));
    assert_eq!(bench.fetches(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_old_document_does_not_stand_in_where_none_may() {
    let bench = Bench::with(ROOMY, Retention { failure: 2 * SECOND, stale: Duration::ZERO });
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Ok(1));
    advance(60 * SECOND).await;
    for (time, fetches) in [(0, 2), (1, 2), (1, 3)] {
        advance(time * SECOND).await;
        assert_eq!(bench.ask(URL, 0, Err(FetchError::TooSlow)).await, Err(FetchError::TooSlow));
        assert_eq!(bench.fetches(), fetches);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fetch_that_breaks_is_an_error_and_the_next_one_may_try() {
    let bench = Bench::new(ROOMY);
    let broken = bench.ask_then(URL, 0, async { panic!("a bug") }).await;
    assert!(matches!(broken, Err(FetchError::Transport(_))), "{broken:?}");
    assert_eq!(bench.ask(URL, 0, Ok(1)).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn what_was_used_least_recently_goes_first() {
    for capacity in [Capacity { entries: 3, ..ROOMY }, Capacity { weight: 30, ..ROOMY }] {
        let bench = Bench::new(capacity);
        for url in ["a", "b", "c", "a", "d"] {
            assert_eq!(bench.ask(url, 0, Ok(1)).await, Ok(1));
        }
        assert_eq!(bench.fetches(), 4);
        for (url, fetches) in [("a", 4), ("c", 4), ("d", 4), ("b", 5)] {
            assert_eq!(bench.ask(url, 0, Ok(1)).await, Ok(1));
            assert_eq!(bench.fetches(), fetches, "{url}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_read_again_weighs_once() {
    let bench = Bench::new(Capacity { weight: 20, ..ROOMY });
    assert_eq!(bench.ask("a", 0, Ok(1)).await, Ok(1));
    for _ in 0..10 {
        advance(60 * SECOND).await;
        assert_eq!(bench.ask("b", 0, Ok(1)).await, Ok(1));
    }
    assert_eq!(bench.ask("a", 0, Err(FetchError::TooSlow)).await, Ok(1), "it is still there");
}

#[tokio::test(start_paused = true)]
async fn when_every_place_waits_for_its_document_there_is_none_for_another() {
    let bench = Bench::new(Capacity { entries: 2, ..ROOMY });
    for url in ["a", "b"] {
        tokio::spawn(bench.ask_then(url, 0, pending()));
    }
    tokio::task::yield_now().await;
    assert_eq!(bench.ask("c", 0, Ok(1)).await, Err(FetchError::Throttled));
}
