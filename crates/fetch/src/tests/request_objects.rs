//! Request objects, which anyone can have fetched, against real servers.

use super::server::{Authority, Reply, Server, fetcher};
use crate::fetcher::Limits;
use crate::turns::Places;
use crate::{Document, FetchError, Fetcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{advance, pause, resume};

const SHORT: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_hours(1);
const OBJECT: [(&str, &str); 2] = [("Content-Type", "application/jwt"), ("Cache-Control", "no-store")];

type Outcome = Result<Vec<u8>, FetchError>;

/// So that a limit which is gone fails a test rather than to hang it.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), work).await.expect("nothing ended it")
}

async fn ask(fetcher: Fetcher, url: String) -> Outcome {
    fetcher.get(&url, Document::RequestObject).await.map(|fetched| fetched.body)
}

/// Starts so many requests for the same object.
fn callers(fetcher: &Fetcher, url: &str, count: usize) -> JoinSet<Outcome> {
    (0..count).map(|_| ask(fetcher.clone(), url.to_owned())).collect()
}

/// A server that numbers its answers of this status, and what may fetch from it.
async fn numbering(status: u16, limits: Limits) -> (Server, Fetcher) {
    let (authority, answers) = (Authority::new(), AtomicUsize::new(1));
    let reply = move |_: &str| Reply::new(status, &OBJECT, &answers.fetch_add(1, Ordering::SeqCst).to_string());
    (Server::start(authority.identity(), reply).await, fetcher(&authority, limits))
}

/// A server that has keys, and answers nothing else.
async fn hanging(authority: &Authority) -> Server {
    let reply = |path: &str| match path {
        "/jwks" => Reply::json("{}"),
        _ => Reply::raw(String::new()).then_stall(),
    };
    Server::start(authority.identity(), reply).await
}

#[tokio::test]
async fn fifty_who_ask_at_once_share_one_fetch() {
    let (authority, gate) = (Authority::new(), Arc::new(Semaphore::new(0)));
    let held = Arc::clone(&gate);
    let reply = move |_: &str| Reply::new(200, &OBJECT, "an object").behind(&held);
    let server = Server::start(authority.identity(), reply).await;
    // Nothing is remembered: what they share is the fetch.
    let fetcher = fetcher(&authority, Limits { total: NEVER, remembered: Duration::ZERO, ..Limits::default() });
    let mut first = callers(&fetcher, &server.url("/object"), 1);
    in_time(server.asked(1)).await;
    // Who gives up does not make room for another fetch.
    first.shutdown().await;
    let callers = callers(&fetcher, &server.url("/object"), 50);
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    gate.add_permits(50);
    let outcomes = in_time(callers.join_all()).await;
    assert_eq!(outcomes, vec![Ok(b"an object".to_vec()); 50]);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn what_came_of_a_fetch_is_given_again_for_a_moment() {
    for (status, outcomes) in [
        (200, [Ok(b"1".to_vec()), Ok(b"2".to_vec())]),
        (404, [Err(FetchError::Status(404)), Err(FetchError::Status(404))]),
    ] {
        let (server, fetcher) = numbering(status, Limits { remembered: NEVER, ..Limits::default() }).await;
        let url = server.url("/object");
        for (fetches, outcome) in (1..).zip(outcomes) {
            for _ in 0..3 {
                assert_eq!(ask(fetcher.clone(), url.clone()).await, outcome);
            }
            assert_eq!(server.requests().len(), fetches);
            pause();
            advance(NEVER).await;
            resume();
        }
    }
}

#[tokio::test]
async fn another_url_is_another_object() {
    let (server, fetcher) = numbering(200, Limits { remembered: NEVER, ..Limits::default() }).await;
    for (path, body) in [("/object?a", "1"), ("/object?b", "2"), ("/object?a", "1")] {
        assert_eq!(ask(fetcher.clone(), server.url(path)).await, Ok(body.as_bytes().to_vec()));
    }
}

#[tokio::test]
async fn an_object_that_cannot_be_had_any_more_is_not_replaced_by_the_last_one() {
    let (authority, answers) = (Authority::new(), AtomicUsize::new(0));
    let reply = move |_: &str| match answers.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(200, &OBJECT, "an object"),
        _ => Reply::new(404, &[], ""),
    };
    let server = Server::start(authority.identity(), reply).await;
    let fetcher = fetcher(&authority, Limits { remembered: Duration::ZERO, ..Limits::default() });
    assert_eq!(ask(fetcher.clone(), server.url("/object")).await, Ok(b"an object".to_vec()));
    assert_eq!(ask(fetcher, server.url("/object")).await, Err(FetchError::Status(404)));
}

#[tokio::test]
async fn objects_that_hang_keep_no_key_set_from_being_fetched() {
    let authority = Authority::new();
    let (slow, other) = (hanging(&authority).await, hanging(&authority).await);
    let places = Places { keys: 1, request_objects: 3, ..Limits::default().places };
    let fetcher = fetcher(&authority, Limits { total: NEVER, queue: SHORT, places, ..Limits::default() });
    let mut hang = JoinSet::new();
    for object in 0..3 {
        hang.spawn(ask(fetcher.clone(), slow.url(&format!("/hang/{object}"))));
    }
    in_time(slow.asked(3)).await;
    // All places of request objects are taken, at every host.
    assert_eq!(in_time(ask(fetcher.clone(), other.url("/hang"))).await, Err(FetchError::Throttled));
    // Those of keys are not, not even at their own host.
    for url in [other.url("/jwks"), slow.url("/jwks")] {
        for document in [Document::KeySet, Document::Metadata] {
            assert!(in_time(fetcher.get(&url, document)).await.is_ok(), "{url}");
        }
    }
}
