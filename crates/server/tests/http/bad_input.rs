//! What bad input gets: a clear error at once, and nothing lost.

use crate::harness::{Browser, Site};
use reqwest::Method;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn rfc6749_b_what_is_no_form_is_refused() {
    let site = Site::start().await;
    for path in ["/token", "/introspect", "/revoke"] {
        for (headers, body) in [
            (vec![("content-type", "application/json")], b"{}".to_vec()),
            (vec![], b"grant_type=client_credentials".to_vec()),
            (vec![FORM], b"client_id=%ff".to_vec()),
            (vec![FORM], b"client_id=%00".to_vec()),
            (vec![FORM], b"client_id=a\xff".to_vec()),
            (vec![FORM], b"client_id=web&client_id=web".to_vec()),
            (vec![FORM, ("authorization", "Basic YTpi"), ("authorization", "Basic YTpi")], b"a=b".to_vec()),
        ] {
            let answer = site.send(Method::POST, path, &headers, Some(body.clone())).await;
            assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid_request"), "{path} {body:?}");
            assert!(!answer.header("x-request-id").is_empty());
        }
        assert_eq!(site.get(path, &[]).await.status, 405);
    }
}

#[tokio::test]
async fn rfc9110_15_5_14_what_is_too_large_is_refused_at_once() {
    let site = Site::start().await;
    let started = Instant::now();
    let body = vec![b'a'; 70_000];
    assert_eq!(site.send(Method::POST, "/token", &[FORM], Some(body)).await.status, 413);
    let parameter = format!("scope={}", "x".repeat(20_000)).into_bytes();
    assert_eq!(site.send(Method::POST, "/token", &[FORM], Some(parameter)).await.status, 413);
    let long = format!("/jwks?{}", "x".repeat(17_000));
    assert_eq!(site.get(&long, &[]).await.status, 414);
    let state = "x".repeat(10_000);
    assert_eq!(Browser::new(&site).start("web", &[("state", &state)]).await.status, 414);
    assert!(started.elapsed() < Duration::from_secs(5));

    // Announced, and not sent: refused before a byte of it.
    let address = site.issuer.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = "POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn rfc6749_3_1_unknown_and_empty_parameters_are_ignored() {
    let site = Site::start().await;
    let answer = site
        .token(
            "machine",
            &[("grant_type", "client_credentials"), ("scope", "notes:read"), ("unknown", "x"), ("resource", "")],
        )
        .await;
    assert_eq!(answer.status, 200);
    let page = Browser::new(&site).start("web", &[("unknown", "x")]).await;
    assert_eq!(page.status, 200);
}

#[tokio::test]
async fn an_error_tells_nothing_of_the_inside() {
    let site = Site::start().await;
    let answers = [
        site.get("/nowhere", &[]).await,
        site.get("/t/acme/nowhere", &[]).await,
        site.token(
            "web",
            &[("grant_type", "authorization_code"), ("code", "gr_ac_x"), ("code_verifier", &"x".repeat(43))],
        )
        .await,
        site.bearer("/userinfo", "a.b.c").await,
        Browser::new(&site).get("/consent?interaction=gr_in_x").await,
    ];
    for answer in answers {
        for word in ["src/", ".rs", "panick", "SELECT", "sqlite", "0.1.0", "axum"] {
            assert!(!answer.body.contains(word), "{word}: {}", answer.body);
        }
        assert_eq!(answer.header("server"), "");
    }
}
