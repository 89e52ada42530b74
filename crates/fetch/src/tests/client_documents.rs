//! The metadata of clients, which anyone can have fetched, against real servers.

use super::server::{Reply, site};
use crate::{Document, FetchError, Fetcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::time::{advance, pause, resume};

async fn ask(fetcher: &Fetcher, url: &str) -> Result<String, FetchError> {
    let fetched = fetcher.get(url, Document::ClientMetadata).await;
    fetched.map(|fetched| String::from_utf8(fetched.body).unwrap())
}

/// Time passes at once; what requests take besides is real, and the tests keep away from the edges by more than that.
async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

/// Answers with the number of the request, under this `Cache-Control`.
async fn numbering(caching: &'static str) -> (super::server::Server, Fetcher) {
    let answers = Arc::new(AtomicUsize::new(1));
    site(move |_: &str| {
        let number = answers.fetch_add(1, Ordering::SeqCst).to_string();
        Reply::new(200, &[("Content-Type", "application/client+json"), ("Cache-Control", caching)], &number)
    })
    .await
}

#[tokio::test]
async fn cimd_5_2_a_document_is_kept_as_long_as_it_says_within_bounds() {
    for (caching, kept, gone) in
        [("no-store", 50, 20), ("max-age=600", 580, 40), ("max-age=999999", 3580, 40), ("public", 280, 40)]
    {
        let (server, fetcher) = numbering(caching).await;
        let url = server.url("/client");
        assert_eq!(ask(&fetcher, &url).await.unwrap(), "1", "{caching}");
        pass(kept).await;
        assert_eq!(ask(&fetcher, &url).await.unwrap(), "1", "{caching}");
        pass(gone).await;
        assert_eq!(ask(&fetcher, &url).await.unwrap(), "2", "{caching}");
    }
}

#[tokio::test]
async fn cimd_8_7_a_large_document_and_a_redirect_are_refused_and_not_asked_for_again_at_once() {
    let (server, fetcher) = site(|path: &str| match path {
        "/large" => Reply::json(&" ".repeat(5 * 1024 + 1)),
        "/fits" => Reply::json(&" ".repeat(5 * 1024)),
        _ => Reply::new(302, &[("Location", "/fits")], ""),
    })
    .await;
    for _ in 0..3 {
        assert_eq!(ask(&fetcher, &server.url("/large")).await, Err(FetchError::TooLarge));
        assert_eq!(ask(&fetcher, &server.url("/elsewhere")).await, Err(FetchError::Redirected));
    }
    assert!(ask(&fetcher, &server.url("/fits")).await.is_ok());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn cimd_5_2_a_document_that_is_wrong_is_asked_for_again() {
    let (server, fetcher) = numbering("max-age=3600").await;
    let url = server.url("/client");
    let ask = async |good: &str| fetcher.client_metadata(&url, |body| body == good.as_bytes()).await.unwrap().body;
    assert_eq!(ask("2").await, b"1");
    assert_eq!(ask("2").await, b"2");
    assert_eq!(ask("3").await, b"2", "not twice at once");
    pass(40).await;
    assert_eq!(ask("3").await, b"3");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn cimd_8_6_a_document_is_not_fetched_from_private_addresses() {
    let fetcher = Fetcher::new(crate::Settings::default()).unwrap();
    assert_eq!(ask(&fetcher, "https://127.0.0.1/client").await, Err(FetchError::ForbiddenAddress));
}
