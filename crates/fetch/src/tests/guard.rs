//! Whom the guard connects to, and what it takes from there.

use super::server::{Authority, Reply, Server, fetcher, settings, site};
use crate::fetcher::Limits;
use crate::{Document, FetchError, Fetcher, Settings};
use std::process::Command;
use std::time::Duration;

/// What came of fetching a key set.
async fn outcome(fetcher: &Fetcher, url: &str) -> Result<Vec<u8>, FetchError> {
    fetcher.get(url, Document::KeySet).await.map(|fetched| fetched.body)
}

/// What came of fetching a key set from a server that answers everything so.
async fn outcome_of(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Result<Vec<u8>, FetchError> {
    let (server, fetcher) = site(reply).await;
    outcome(&fetcher, &server.url("/jwks")).await
}

#[tokio::test]
async fn a_document_comes_as_it_is() {
    let (server, fetcher) = site(|_| {
        let headers = [("Content-Type", "application/jwk-set+json"), ("Cache-Control", "max-age=77")];
        Reply::new(200, &headers, "whatever it is")
    })
    .await;
    for url in [server.url("/jwks?a=b"), format!("https://127.0.0.1:{}/jwks?a=b", server.port)] {
        let fetched = fetcher.get(&url, Document::KeySet).await.unwrap();
        assert_eq!(fetched.body, b"whatever it is");
        assert_eq!(fetched.max_age, Some(Duration::from_secs(77)));
    }
    for request in server.requests() {
        assert!(request.starts_with("get /jwks?a=b http/1.1\r\n"), "{request}");
        assert!(request.contains("\r\naccept: application/jwk-set+json, application/json\r\n"), "{request}");
        assert!(request.contains("\r\naccept-encoding: identity\r\n"), "{request}");
    }
    assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nothing was installed, and nothing needed");
}

#[tokio::test]
async fn only_https_is_asked_for() {
    let (server, fetcher) = site(|_| Reply::json("{}")).await;
    let url = format!("http://localhost:{}/", server.port);
    assert_eq!(outcome(&fetcher, &url).await, Err(FetchError::NotHttps));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn loopback_is_not_connected_to_by_name_or_literal() {
    let authority = Authority::new();
    let server = Server::start(authority.identity(), |_| Reply::json("{}")).await;
    let fetcher = Fetcher::new(Settings { allowed_networks: Vec::new(), ..settings(&authority) }).unwrap();
    for host in ["localhost", "LOCALHOST", "127.0.0.1", "0x7f.1", "2130706433", "0", "[::ffff:127.0.0.1]"] {
        let url = format!("https://{host}:{}/", server.port);
        assert_eq!(outcome(&fetcher, &url).await, Err(FetchError::ForbiddenAddress), "{host}");
    }
    for host in ["[::1]", "[::]", "169.254.169.254"] {
        let url = format!("https://{host}:{}/", server.port);
        assert_eq!(outcome(&fetcher, &url).await, Err(FetchError::ForbiddenAddress), "{host}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    for status in [300, 301, 302, 303, 307, 308] {
        let headers = [("Location", "/elsewhere"), ("Content-Type", "application/json")];
        let (server, fetcher) = site(move |path| match path {
            "/jwks" => Reply::new(status, &headers, "{}"),
            _ => Reply::json("{}"),
        })
        .await;
        assert_eq!(outcome(&fetcher, &server.url("/jwks")).await, Err(FetchError::Redirected));
        assert_eq!(server.paths(), ["/jwks"]);
    }
}

#[tokio::test]
async fn only_the_status_200_is_a_success() {
    for status in [201, 203, 206, 400, 401, 404, 500, 503] {
        let reply = move |_: &str| Reply::new(status, &[("Content-Type", "application/json")], "{}");
        assert_eq!(outcome_of(reply).await, Err(FetchError::Status(status)));
    }
}

#[tokio::test]
async fn other_content_types_are_refused() {
    for content_type in ["text/html", "application/octet-stream", "image/svg+xml"] {
        let reply = move |_: &str| Reply::new(200, &[("Content-Type", content_type)], "{}");
        assert_eq!(outcome_of(reply).await, Err(FetchError::WrongContentType));
    }
    assert_eq!(outcome_of(|_| Reply::new(200, &[], "{}")).await, Err(FetchError::WrongContentType));
    let gzip = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
    assert_eq!(outcome_of(move |_| Reply::new(200, &gzip, "{}")).await, Err(FetchError::WrongContentType));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = Server::start(Authority::new().identity(), |_| Reply::json("{}")).await;
    let refused = outcome(&fetcher(&Authority::new(), Limits::default()), &server.url("/")).await;
    assert!(matches!(refused, Err(FetchError::Tls(_))), "{refused:?}");
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let authority = Authority::new();
    let expired = authority.identity_with(&["localhost"], |params| {
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    });
    let server = Server::start(expired, |_| Reply::json("{}")).await;
    let refused = outcome(&fetcher(&authority, Limits::default()), &server.url("/")).await;
    assert!(matches!(&refused, Err(FetchError::Tls(why)) if why.contains("expired")), "{refused:?}");
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new();
    let server = Server::start(authority.identity_with(&["other.example"], |_| ()), |_| Reply::json("{}")).await;
    let refused = outcome(&fetcher(&authority, Limits::default()), &server.url("/")).await;
    assert!(matches!(refused, Err(FetchError::Tls(_))), "{refused:?}");
    assert_eq!(server.requests(), [""; 0]);
}

#[tokio::test]
async fn a_body_that_ends_early_is_no_document() {
    let cut_off = |_: &str| {
        Reply::raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{}".to_owned())
    };
    let refused = outcome_of(cut_off).await;
    assert!(matches!(refused, Err(FetchError::Transport(_))), "{refused:?}");
}

#[tokio::test]
async fn no_connection_is_used_twice() {
    let keep_alive = |_: &str| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n";
        Reply::raw(head.to_owned()).then("{}").then_stall()
    };
    let (server, fetcher) = site(keep_alive).await;
    for connections in 1..4 {
        assert_eq!(outcome(&fetcher, &server.url("/jwks")).await, Ok(b"{}".to_vec()));
        assert_eq!(server.connections(), connections);
    }
}

#[tokio::test]
async fn no_error_shows_the_query() {
    let (server, fetcher) = site(|_| Reply::raw("nonsense\r\n\r\n".to_owned())).await;
    let garbled = outcome(&fetcher, &server.url("/a?token=secret")).await.unwrap_err();
    let url = server.url("/a?token=secret");
    server.stop().await;
    let refused = outcome(&fetcher, &url).await.unwrap_err();
    for error in [garbled, refused] {
        assert!(matches!(error, FetchError::Transport(_)), "{error}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

/// The environment of this process cannot be changed safely, and so the test runs once more in a process of its own.
#[tokio::test]
async fn proxies_from_the_environment_are_not_used() {
    const INSIDE: &str = "GRANTOR_TEST_IN_AN_ENVIRONMENT_WITH_A_PROXY";
    let nowhere = "http://127.0.0.1:9";
    if std::env::var_os(INSIDE).is_some() {
        assert_eq!(std::env::var("HTTPS_PROXY").as_deref(), Ok(nowhere));
        assert_eq!(outcome_of(|_| Reply::json("{}")).await, Ok(b"{}".to_vec()));
        return;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::guard::proxies_from_the_environment_are_not_used"])
        .envs(["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].map(|name| (name, nowhere)))
        .env(INSIDE, "1")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output();
    let child = child.unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}
