//! The caches in front of real servers.

use super::server::{Reply, Server, site};
use crate::{FetchError, KeySets};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::time::{advance, pause, resume};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// A set with these keys.
fn set(kids: &[&str]) -> String {
    let key = |kid: &&str| {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}"#)
    };
    format!(r#"{{"keys":[{}]}}"#, kids.iter().map(key).collect::<Vec<_>>().join(","))
}

/// Time passes at once; what requests take besides is real, and the tests keep away from the edges by more than that.
async fn pass(time: Duration) {
    pause();
    advance(time).await;
    resume();
}

async fn key_sets(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Server, KeySets) {
    let (server, fetcher) = site(reply).await;
    (server, KeySets::new(fetcher))
}

/// A server whose answers can be switched to a failure, and what reads its keys.
async fn fragile() -> (Server, KeySets, Arc<AtomicU16>) {
    let status = Arc::new(AtomicU16::new(200));
    let said = Arc::clone(&status);
    let reply =
        move |_: &str| Reply::new(said.load(Ordering::SeqCst), &[("Content-Type", "application/json")], &set(&["a"]));
    let (server, sets) = key_sets(reply).await;
    (server, sets, status)
}

#[tokio::test]
async fn a_set_is_kept_for_five_minutes() {
    let (server, sets) = key_sets(|_| Reply::json(&set(&["a"]))).await;
    let url = server.url("/jwks");
    let first = sets.of_uri(&url, Some("a")).await.unwrap();
    assert!(first.find("a").is_some());
    pass(280 * SECOND).await;
    assert!(Arc::ptr_eq(&first, &sets.of_uri(&url, None).await.unwrap()));
    assert_eq!(server.requests().len(), 1);
    pass(20 * SECOND).await;
    sets.of_uri(&url, Some("a")).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    sets.of_uri(&server.url("/other"), None).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_set_is_kept_as_long_as_it_says_within_bounds() {
    for (cache_control, kept) in [("max-age=600", 600), ("max-age=1", 60), ("no-store", 60), ("max-age=86400", 3600)] {
        let headers = [("Content-Type", "application/json"), ("Cache-Control", cache_control)];
        let (server, sets) = key_sets(move |_| Reply::new(200, &headers, &set(&["a"]))).await;
        for (time, requests) in [(0, 1), (kept - 20, 1), (20, 2)] {
            pass(time * SECOND).await;
            sets.of_uri(&server.url("/jwks"), None).await.unwrap();
            assert_eq!(server.requests().len(), requests, "{cache_control}");
        }
    }
}

#[tokio::test]
async fn an_unknown_key_is_looked_for_once_in_thirty_seconds() {
    let (server, sets) = key_sets(|_| Reply::json(&set(&["a"]))).await;
    let url = server.url("/jwks");
    for (kid, requests) in [("a", 1), ("b", 2), ("b", 2), ("c", 2), ("a", 2)] {
        assert_eq!(sets.of_uri(&url, Some(kid)).await.unwrap().find(kid).is_some(), kid == "a");
        assert_eq!(server.requests().len(), requests, "{kid}");
    }
    pass(20 * SECOND).await;
    sets.of_uri(&url, Some("b")).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    pass(10 * SECOND).await;
    sets.of_uri(&url, Some("b")).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_key_that_was_added_is_found_at_once() {
    let round = AtomicU16::new(0);
    let (server, sets) = key_sets(move |_| match round.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::json(&set(&["a"])),
        _ => Reply::json(&set(&["b"])),
    })
    .await;
    let url = server.url("/jwks");
    assert!(sets.of_uri(&url, Some("a")).await.unwrap().find("a").is_some());
    assert!(sets.of_uri(&url, Some("b")).await.unwrap().find("b").is_some());
    assert!(sets.of_uri(&url, Some("a")).await.unwrap().find("a").is_none(), "it was withdrawn");
}

#[tokio::test]
async fn fifty_callers_make_one_request() {
    let (server, sets) = key_sets(|_| Reply::json(&set(&["a"]))).await;
    for kid in ["a", "unknown"] {
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let (sets, url) = (sets.clone(), server.url("/jwks"));
                tokio::spawn(async move { sets.of_uri(&url, Some(kid)).await.unwrap() })
            })
            .collect();
        for caller in callers {
            assert!(caller.await.unwrap().find("a").is_some());
        }
    }
    assert_eq!(server.requests().len(), 2, "one for the set, and one for the unknown key");
}

#[tokio::test]
async fn the_last_good_set_is_used_for_a_day_while_its_server_is_down() {
    let (server, sets) = key_sets(|_| Reply::json(&set(&["a"]))).await;
    let url = server.url("/jwks");
    let good = sets.of_uri(&url, None).await.unwrap();
    server.stop().await;
    for _ in 0..3 {
        pass(7 * 60 * MINUTE).await;
        assert!(Arc::ptr_eq(&good, &sets.of_uri(&url, Some("a")).await.unwrap()));
        assert!(Arc::ptr_eq(&good, &sets.of_uri(&url, Some("b")).await.unwrap()));
    }
    pass(3 * 60 * MINUTE).await;
    let gone = sets.of_uri(&url, Some("a")).await;
    assert!(matches!(gone, Err(FetchError::Transport(_))), "{gone:?}");
}

#[tokio::test]
async fn a_failure_is_remembered_for_five_seconds() {
    let (server, sets, status) = fragile().await;
    let url = server.url("/jwks");
    status.store(503, Ordering::SeqCst);
    for _ in 0..10 {
        assert_eq!(sets.of_uri(&url, Some("a")).await, Err(FetchError::Status(503)));
    }
    assert_eq!(server.requests().len(), 1);
    status.store(200, Ordering::SeqCst);
    pass(2 * SECOND).await;
    assert_eq!(sets.of_uri(&url, None).await, Err(FetchError::Status(503)));
    pass(3 * SECOND).await;
    assert!(sets.of_uri(&url, None).await.is_ok());
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_failure_with_a_good_set_is_remembered_too() {
    let (server, sets, status) = fragile().await;
    let url = server.url("/jwks");
    sets.of_uri(&url, None).await.unwrap();
    status.store(404, Ordering::SeqCst);
    pass(5 * MINUTE).await;
    for _ in 0..10 {
        assert!(sets.of_uri(&url, Some("a")).await.is_ok());
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_is_no_key_set_is_refused() {
    let private = r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#;
    for body in ["", "{}", "[]", r#"{"keys":{}}"#, private] {
        let (server, sets) = key_sets(move |_| Reply::json(body)).await;
        assert_eq!(sets.of_uri(&server.url("/jwks"), None).await, Err(FetchError::NotAKeySet), "{body}");
    }
}

#[tokio::test]
async fn what_the_guard_refuses_is_refused_here() {
    let (_, sets) = key_sets(|_| Reply::json("{}")).await;
    for (url, error) in [
        ("http://client.example/jwks", FetchError::NotHttps),
        ("https://10.0.0.1/jwks", FetchError::ForbiddenAddress),
        ("https://user@client.example/jwks", FetchError::MalformedUrl),
        ("https://client.example/jwks#", FetchError::MalformedUrl),
        ("https:client.example", FetchError::MalformedUrl),
        ("client.example", FetchError::MalformedUrl),
    ] {
        assert_eq!(sets.of_uri(url, None).await, Err(error.clone()), "{url}");
        assert_eq!(sets.of_issuer(url, None).await, Err(error), "{url}");
    }
}

const OPENID: &str = "/tenant/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server/tenant";

/// An issuer at `/tenant`, whose metadata stands at one path and may say something else in place of its own URL or of
/// that of its keys.
async fn issuer(at: &'static str, issuer: &'static str, jwks_uri: &'static str) -> (Server, KeySets, String) {
    let origin = Arc::new(std::sync::OnceLock::<String>::new());
    let known = Arc::clone(&origin);
    let (server, sets) = key_sets(move |path| {
        let origin = known.get().unwrap();
        let own = |text: &str| text.replace("ORIGIN", origin);
        match path {
            "/keys" => Reply::json(&set(&["a"])),
            path if path == at => {
                Reply::json(&format!(r#"{{"issuer":"{}","jwks_uri":"{}"}}"#, own(issuer), own(jwks_uri)))
            }
            _ => Reply::new(404, &[("Content-Type", "text/html")], "<p>nothing"),
        }
    })
    .await;
    origin.set(server.url("")).unwrap();
    let url = server.url("/tenant");
    (server, sets, url)
}

#[tokio::test]
async fn oidc_discovery_4_an_issuers_keys_are_found_and_kept() {
    let (server, sets, url) = issuer(OPENID, "ORIGIN/tenant", "ORIGIN/keys").await;
    for _ in 0..3 {
        assert!(sets.of_issuer(&url, Some("a")).await.unwrap().find("a").is_some());
    }
    assert_eq!(server.paths(), [OPENID, "/keys"]);
    sets.of_issuer(&url, Some("b")).await.unwrap();
    assert_eq!(server.paths(), [OPENID, "/keys", "/keys"]);
    pass(59 * MINUTE).await;
    sets.of_issuer(&url, Some("a")).await.unwrap();
    assert_eq!(server.paths(), [OPENID, "/keys", "/keys", "/keys"]);
    pass(MINUTE).await;
    sets.of_issuer(&url, Some("a")).await.unwrap();
    assert_eq!(server.paths(), [OPENID, "/keys", "/keys", "/keys", OPENID]);
}

#[tokio::test]
async fn rfc8414_3_1_the_other_place_is_tried_when_the_first_is_empty() {
    let (server, sets, url) = issuer(OAUTH, "ORIGIN/tenant", "ORIGIN/keys").await;
    assert!(sets.of_issuer(&url, Some("a")).await.unwrap().find("a").is_some());
    assert_eq!(server.paths(), [OPENID, OAUTH, "/keys"]);
    let (server, sets, url) = issuer("/nowhere", "ORIGIN/tenant", "ORIGIN/keys").await;
    assert_eq!(sets.of_issuer(&url, None).await, Err(FetchError::Status(404)));
    assert_eq!(sets.of_issuer(&url, None).await, Err(FetchError::Status(404)));
    assert_eq!(server.paths(), [OPENID, OAUTH]);
}

#[tokio::test]
async fn rfc8414_3_3_metadata_of_another_issuer_is_refused() {
    for other in ["ORIGIN", "ORIGIN/tenant/", "https://other.example"] {
        let (server, sets, url) = issuer(OPENID, other, "ORIGIN/keys").await;
        assert_eq!(sets.of_issuer(&url, None).await, Err(FetchError::IssuerMismatch), "{other}");
        assert_eq!(server.paths(), [OPENID]);
    }
}

#[tokio::test]
async fn an_issuer_cannot_send_the_server_where_it_must_not_go() {
    for (jwks_uri, error) in [
        ("http://client.example/keys", FetchError::NotHttps),
        ("https://169.254.169.254/latest/meta-data", FetchError::ForbiddenAddress),
        ("file:///etc/passwd", FetchError::NotHttps),
    ] {
        let (_server, sets, url) = issuer(OPENID, "ORIGIN/tenant", jwks_uri).await;
        assert_eq!(sets.of_issuer(&url, None).await, Err(error), "{jwks_uri}");
    }
}
