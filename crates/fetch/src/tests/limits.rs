//! How much and how long.

use super::server::{Authority, Reply, Server, fetcher, site};
use crate::fetcher::Limits;
use crate::{Document, FetchError};
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

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
    let limits = Limits { at_once: 1, queue: SHORT, ..Limits::default() };
    let fetcher = fetcher(&authority, limits);
    let (busy, url) = (fetcher.clone(), server.url("/stall"));
    let stalled = tokio::spawn(async move { busy.get(&url, Document::KeySet).await.map(|_| ()) });
    in_time(async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let url = server.url("/jwks");
    assert_eq!(fetcher.get(&url, Document::KeySet).await.err(), Some(FetchError::Throttled));
    assert_eq!(server.paths(), ["/stall"]);
    // Whoever gives up frees his place.
    stalled.abort();
    assert!(stalled.await.unwrap_err().is_cancelled());
    assert!(fetcher.get(&url, Document::KeySet).await.is_ok());
}
