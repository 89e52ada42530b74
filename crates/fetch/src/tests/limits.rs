//! How much and how long.

use super::server::{Authority, Reply, Server, fetcher, site};
use crate::fetcher::Limits;
use crate::turns::Places;
use crate::{Document, FetchError};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const SHORT: Duration = Duration::from_millis(300);
const NEVER: Duration = Duration::from_hours(1);

/// So that a limit which is gone fails a test rather than to hang it.
async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(1), work).await.expect("nothing ended it")
}

fn head(content_type: &str, more: &str) -> Reply {
    Reply::raw(format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{more}\r\n\r\n"))
}

const DOCUMENTS: [(Document, &str, usize); 3] = [
    (Document::KeySet, "application/json", 256 * 1024),
    (Document::Metadata, "application/json", 256 * 1024),
    (Document::RequestObject, "application/jwt", 64 * 1024),
];

#[tokio::test]
async fn a_body_may_be_as_large_as_its_limit() {
    for (document, content_type, limit) in DOCUMENTS {
        let body = "x".repeat(limit);
        let (server, fetcher) = site(move |_| Reply::new(200, &[("Content-Type", content_type)], &body)).await;
        assert_eq!(fetcher.get(&server.url("/"), document).await.unwrap().body.len(), limit);
    }
}

#[tokio::test]
async fn a_body_that_is_declared_too_large_is_not_read() {
    for (document, content_type, limit) in DOCUMENTS {
        let more = format!("Content-Length: {}", limit + 1);
        let (server, fetcher) = site(move |_| head(content_type, &more).then_stall()).await;
        let refused = fetcher.get(&server.url("/"), document).await;
        assert_eq!(refused.err(), Some(FetchError::TooLarge));
    }
}

#[tokio::test]
async fn a_body_that_streams_is_cut_off_at_its_limit() {
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000));
    for (document, content_type, limit) in DOCUMENTS {
        let chunks = chunk.repeat(limit / 0x1000);
        let (server, fetcher) = site(move |_| {
            let head = head(content_type, "Transfer-Encoding: chunked");
            // One byte more than may be, and then nothing: who waits for the end waits in vain.
            head.then(&chunks).then("1\r\nx\r\n").then_stall()
        })
        .await;
        let refused = fetcher.get(&server.url("/"), document).await;
        assert_eq!(refused.err(), Some(FetchError::TooLarge));
        let chunk = chunk.clone();
        let endless = move |_: &str| head(content_type, "Transfer-Encoding: chunked").then_repeat(chunk.clone());
        let (server, fetcher) = site(endless).await;
        let refused = in_time(fetcher.get(&server.url("/"), document)).await;
        assert_eq!(refused.err(), Some(FetchError::TooLarge));
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    for silent_after in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"] {
        let authority = Authority::new();
        let stall = move |_: &str| Reply::raw(silent_after.to_owned()).then_stall();
        let server = Server::start(authority.identity(), stall).await;
        let fetcher = fetcher(&authority, Limits { total: SHORT, ..Limits::default() });
        let refused = in_time(fetcher.get(&server.url("/"), Document::KeySet)).await;
        assert_eq!(refused.err(), Some(FetchError::TooSlow), "{silent_after}");
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_about_is_given_up() {
    // The kernel accepts it, and nobody shakes hands.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let limits = Limits { total: NEVER, connect: SHORT, ..Limits::default() };
    let fetcher = fetcher(&Authority::new(), limits);
    let refused = in_time(fetcher.get(&url, Document::KeySet)).await;
    assert_eq!(refused.err(), Some(FetchError::TooSlow));
}

#[tokio::test]
async fn no_more_requests_run_at_once_than_there_are_places() {
    let authority = Authority::new();
    let stall = |path: &str| match path {
        "/stall" => Reply::raw(String::new()).then_stall(),
        _ => Reply::json("{}"),
    };
    let server = Server::start(authority.identity(), stall).await;
    let limits = Limits { places: Places { keys: 1, ..Limits::default().places }, queue: SHORT, ..Limits::default() };
    let fetcher = fetcher(&authority, limits);
    let (busy, url) = (fetcher.clone(), server.url("/stall"));
    let stalled = tokio::spawn(async move { busy.get(&url, Document::KeySet).await.map(|_| ()) });
    in_time(server.asked(1)).await;
    let url = server.url("/jwks");
    assert_eq!(fetcher.get(&url, Document::KeySet).await.err(), Some(FetchError::Throttled));
    assert_eq!(server.paths(), ["/stall"]);
    // Whoever gives up frees his place.
    stalled.abort();
    assert!(stalled.await.unwrap_err().is_cancelled());
    assert!(fetcher.get(&url, Document::KeySet).await.is_ok());
}

#[tokio::test]
async fn a_host_is_asked_four_times_at_once_for_documents_of_all_kinds() {
    let (authority, gate) = (Authority::new(), Arc::new(Semaphore::new(0)));
    let held = Arc::clone(&gate);
    let reply = move |path: &str| {
        let content_type = if path.starts_with("/object") { "application/jwt" } else { "application/json" };
        Reply::new(200, &[("Content-Type", content_type)], "{}").behind(&held)
    };
    let server = Server::start(authority.identity(), reply).await;
    let fetcher = fetcher(&authority, Limits { total: NEVER, queue: NEVER, ..Limits::default() });
    let mut callers = JoinSet::new();
    for turn in 0..10 {
        for (document, path) in
            [(Document::KeySet, "jwks"), (Document::Metadata, "metadata"), (Document::RequestObject, "object")]
        {
            let (fetcher, url) = (fetcher.clone(), server.url(&format!("/{path}/{turn}")));
            callers.spawn(async move { fetcher.get(&url, document).await.map(|_| ()) });
        }
    }
    in_time(async {
        server.asked(4).await;
        // One by one, so that each who leaves lets in who waits longest.
        for _ in 0..30 {
            gate.add_permits(1);
            assert_eq!(callers.join_next().await.unwrap().unwrap(), Ok(()));
        }
    })
    .await;
    assert_eq!(server.requests().len(), 30);
    assert_eq!(server.most_at_once(), 4);
}

#[tokio::test]
async fn a_host_without_a_free_place_does_not_take_those_of_another() {
    let authority = Authority::new();
    let slow = Server::start(authority.identity(), |_| Reply::raw(String::new()).then_stall()).await;
    let quick = Server::start(authority.identity(), |_| Reply::json("{}")).await;
    let fetcher = fetcher(&authority, Limits { total: NEVER, queue: SHORT, ..Limits::default() });
    let mut stalled = JoinSet::new();
    for place in 0..4 {
        let (fetcher, url) = (fetcher.clone(), slow.url(&format!("/{place}")));
        stalled.spawn(async move { fetcher.get(&url, Document::KeySet).await.map(|_| ()) });
    }
    in_time(slow.asked(4)).await;
    let refused = in_time(fetcher.get(&slow.url("/jwks"), Document::KeySet)).await;
    assert_eq!(refused.err(), Some(FetchError::Throttled));
    assert!(in_time(fetcher.get(&quick.url("/jwks"), Document::KeySet)).await.is_ok());
    assert_eq!(slow.requests().len(), 4);
}
