//! The playground's relay is no open proxy: whom it asks, for whom, and what passes through it.

use crate::harness::{Answer, Plan, Site};
use grantor_fetch::{Origin, Origins};
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::TenantName;
use grantor_store::Change;
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// Another server, by plain http on this machine; it remembers what it was asked.
pub struct Other {
    pub origin: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Other {
    /// `answer` is all that it ever says, with head and body.
    async fn says(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::that(move |_, _| answer.clone()).await
    }

    /// It says what this makes of its own origin and of what it was asked.
    pub async fn that(answer: impl Fn(&str, &str) -> String + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (heard, answer, own) = (Arc::clone(&asked), Arc::new(answer), origin.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (heard, answer, own) = (Arc::clone(&heard), Arc::clone(&answer), own.clone());
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    while !is_whole(&request) {
                        let mut chunk = [0; 4096];
                        match stream.read(&mut chunk).await? {
                            0 => break,
                            length => request.extend_from_slice(&chunk[..length]),
                        }
                    }
                    let request = String::from_utf8(request).unwrap();
                    let answer = answer(&own, &request);
                    heard.lock().unwrap().push(request);
                    stream.write_all(answer.as_bytes()).await?;
                    stream.shutdown().await
                });
            }
        });
        Self { origin, asked }
    }

    /// With this status, these headers and this body.
    pub async fn answering(status: u16, headers: &str, body: &str) -> Self {
        Self::says(&answer(status, headers, body)).await
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A whole answer.
pub fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\n{headers}\r\n{body}")
}

/// Whether head and body have come.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

pub fn listed(origins: &[&str]) -> Origins {
    Origins::new(origins.iter().map(|origin| Origin::parse(origin).unwrap()).collect())
}

/// A site that relays to these.
async fn site(relay: Origins) -> Site {
    Site::planned(Plan { relay, ..Plan::default() }, |_| {}).await
}

/// A site that relays to any server on this machine, as a demo does.
pub async fn demo() -> Site {
    site(Origins::of_this_machine()).await
}

/// What the page sends, with its headers changed; an empty value leaves one out.
async fn post(site: &Site, path: &str, changed: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut headers =
        vec![("content-type", "application/json"), ("sec-fetch-site", "same-origin"), ("origin", site.issuer.as_str())];
    for (name, value) in changed {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    headers.retain(|(_, value)| !value.is_empty());
    site.send(Method::POST, path, &headers, Some(body.to_vec())).await
}

async fn relay(site: &Site, request: &Value) -> Answer {
    post(site, "/playground/relay", &[], request.to_string().as_bytes()).await
}

async fn relay_to(site: &Site, url: &str) -> Answer {
    relay(site, &json!({ "method": "GET", "url": url })).await
}

#[tokio::test]
async fn what_the_page_composed_is_passed_on_and_the_answer_comes_back() {
    let other =
        Other::answering(400, "content-type: application/json\r\nx-b: 1\r\n", r#"{"error":"invalid_grant"}"#).await;
    let site = demo().await;
    let request = json!({
        "method": "POST",
        "url": format!("{}/token?a=b", other.origin),
        "headers": [["authorization", "Basic Zm9vOmJhcg=="], ["dpop", "proof"], ["content-type", "application/x-www-form-urlencoded"], ["accept", "application/json"]],
        "body": "grant_type=client_credentials",
    });
    let answer = relay(&site, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let enclosed = answer.json();
    assert_eq!(
        (enclosed["status"].as_u64(), enclosed["body"].as_str()),
        (Some(400), Some(r#"{"error":"invalid_grant"}"#))
    );
    let headers = enclosed["headers"].as_array().unwrap();
    assert!(headers.contains(&json!(["x-b", "1"])) && headers.contains(&json!(["content-type", "application/json"])));
    assert_eq!(answer.header("cache-control"), "no-store");
    let [asked] = other.asked().try_into().unwrap();
    assert!(
        asked.starts_with("POST /token?a=b HTTP/1.1\r\n") && asked.ends_with("\r\n\r\ngrant_type=client_credentials"),
        "{asked}"
    );
    for header in
        ["authorization: Basic Zm9vOmJhcg==", "dpop: proof", "accept: application/json", "accept-encoding: identity"]
    {
        assert!(asked.contains(&format!("{header}\r\n")), "{header}: {asked}");
    }
    assert!(!asked.contains(&site.issuer) && !asked.to_ascii_lowercase().contains("forwarded"), "{asked}");
}

#[tokio::test]
async fn whose_time_it_took_is_said() {
    let other = Other::answering(200, "", "x").await;
    let answer = relay_to(&demo().await, &other.origin).await;
    let time = answer.json()["time"].clone();
    // The clock of the tests stands still but for a moment at each look; that of the other server's answer is real.
    assert!(
        time["own"].as_f64().is_some_and(|own| own >= 0.0) && time["other"].as_f64().is_some_and(|other| other > 0.0),
        "{time}"
    );
    let timing = answer.header("server-timing");
    assert!(timing.starts_with("grantor;dur=") && timing.contains(", other;dur="), "{timing}");
}

#[tokio::test]
async fn without_a_list_and_without_a_playground_there_is_no_relay() {
    let other = Other::answering(200, "", "x").await;
    let nobody = site(Origins::default()).await;
    assert_eq!(relay_to(&nobody, &other.origin).await.status, 404);
    assert!(!nobody.get("/playground", &[]).await.body.contains("data-relay"));
    let plan = Plan { relay: Origins::of_this_machine(), ..Plan::default() };
    let closed = Site::planned(plan, |changes| {
        changes.push(Change::PutTenant(Tenant { playground: false, ..Tenant::new(TenantName::default()) }));
        changes.push(Change::PutTenant(Tenant::new(TenantName::parse("acme").unwrap())));
    })
    .await;
    assert_eq!(relay_to(&closed, &other.origin).await.status, 404);
    assert!(other.asked().is_empty());
    let request = json!({ "method": "GET", "url": other.origin }).to_string();
    assert_eq!(post(&closed, "/t/acme/playground/relay", &[], request.as_bytes()).await.status, 200);
    assert_eq!(closed.get("/t/acme/playground/relay", &[]).await.status, 405);
    assert!(closed.get("/t/acme/playground", &[]).await.body.contains("data-relay=\"/t/acme/playground/relay\""));
}

#[tokio::test]
async fn rfc9700_4_7_another_site_cannot_use_it() {
    let other = Other::answering(200, "", "x").await;
    let site = demo().await;
    let request = json!({ "method": "GET", "url": other.origin }).to_string();
    for changed in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
        ("sec-fetch-site", ""),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", ""),
    ] {
        let answer = post(&site, "/playground/relay", &[changed], request.as_bytes()).await;
        assert_eq!(answer.status, 403, "{changed:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    for kind in
        ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain; application/json", ""]
    {
        let answer = post(&site, "/playground/relay", &[("content-type", kind)], request.as_bytes()).await;
        assert_eq!(answer.status, 415, "{kind}");
    }
    // Who asks for leave first gets none.
    let preflight = site.send(Method::OPTIONS, "/playground/relay", &[("origin", "https://evil.example")], None).await;
    assert_eq!(preflight.header("access-control-allow-origin"), "");
    assert_eq!(preflight.header("access-control-allow-methods"), "");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn nobody_is_asked_who_is_not_on_the_list() {
    let (named, other) = (Other::answering(200, "", "x").await, Other::answering(200, "", "x").await);
    let outgoing =
        grantor_fetch::Settings { allowed_networks: vec!["127.0.0.0/8".parse().unwrap()], ..Default::default() };
    let plan = Plan { relay: listed(&[&named.origin, "https://idp.example"]), outgoing, ..Plan::default() };
    let site = Site::planned(plan, |_| {}).await;
    assert_eq!(relay_to(&site, &format!("{}/x", named.origin)).await.status, 200);
    let port = named.origin.rsplit(':').next().unwrap();
    for url in [
        // Another port, another name of the same host, another scheme.
        other.origin.clone(),
        format!("http://localhost:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("http://[::1]:{port}/"),
        // The name in another place.
        format!("{}@{}/", named.origin, other.origin.trim_start_matches("http://")),
        format!("{}/?{}", other.origin, named.origin),
        format!("{}/#{}", other.origin, named.origin),
        format!("{}\\@{}/", named.origin, other.origin.trim_start_matches("http://")),
        "https://idp.example.evil.example/".to_owned(),
        "https://sub.idp.example/".to_owned(),
        "https://idp.example:8443/".to_owned(),
        "https://idp.example@127.0.0.1/".to_owned(),
        // Other schemes.
        "http://idp.example/".to_owned(),
        "ftp://idp.example/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_x".to_owned(),
        "//idp.example/".to_owned(),
        "/playground/relay".to_owned(),
        String::new(),
    ] {
        let answer = relay_to(&site, &url).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (403, "not_listed"), "{url}");
    }
    assert_eq!((named.asked().len(), other.asked().len()), (1, 0));
}

#[tokio::test]
async fn the_list_opens_no_address_that_is_not_public() {
    let other = Other::answering(200, "", "x").await;
    let port = other.origin.rsplit(':').next().unwrap();
    // A name that leads here, the addresses of this machine in each form, a private one, and that of cloud metadata.
    let origins = [
        format!("https://localhost:{port}"),
        format!("http://localhost:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::1]:{port}"),
        format!("https://[::ffff:7f00:1]:{port}"),
        "https://10.0.0.1".to_owned(),
        "https://169.254.169.254".to_owned(),
    ];
    let site = site(listed(&origins.each_ref().map(String::as_str))).await;
    for origin in origins {
        let answer = relay_to(&site, &format!("{origin}/")).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (502, "unreachable"), "{origin}");
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_is_shown_and_not_followed() {
    let secret = Other::answering(200, "", "internal").await;
    let other = Other::answering(302, &format!("location: {}/\r\n", secret.origin), "").await;
    let enclosed = relay_to(&demo().await, &other.origin).await.json();
    assert_eq!(enclosed["status"], 302);
    assert!(enclosed["headers"].as_array().unwrap().contains(&json!(["location", format!("{}/", secret.origin)])));
    assert!(secret.asked().is_empty());
}

#[tokio::test]
async fn cookies_pass_in_neither_direction() {
    let other = Other::answering(200, "set-cookie: a=b\r\nSet-Cookie: c=d\r\n", "x").await;
    let site = demo().await;
    let request = json!({ "method": "GET", "url": other.origin }).to_string();
    let answer = post(&site, "/playground/relay", &[("cookie", "session=secret")], request.as_bytes()).await;
    assert_eq!(answer.header("set-cookie"), "");
    assert!(
        !answer.body.contains("a=b") && !answer.body.to_ascii_lowercase().contains("set-cookie"),
        "{}",
        answer.body
    );
    assert!(!other.asked()[0].to_ascii_lowercase().contains("cookie"), "{:?}", other.asked());
}

#[tokio::test]
async fn two_methods_and_four_headers_are_passed_on() {
    let other = Other::answering(200, "", "x").await;
    let site = demo().await;
    let url = &other.origin;
    for refused in [
        json!({ "method": "PUT", "url": url }),
        json!({ "method": "DELETE", "url": url }),
        json!({ "method": "CONNECT", "url": url }),
        json!({ "method": "GET", "url": url, "body": "x" }),
        json!({ "method": "GET", "url": url, "headers": [["cookie", "a=b"]] }),
        json!({ "method": "GET", "url": url, "headers": [["host", "internal.example"]] }),
        json!({ "method": "GET", "url": url, "headers": [["x-forwarded-for", "127.0.0.1"]] }),
        json!({ "method": "GET", "url": url, "headers": [["accept", "a\r\nhost: b"]] }),
        json!({ "method": "GET", "url": url, "proxy": true }),
        json!({ "url": url }),
        json!([]),
    ] {
        let answer = relay(&site, &refused).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "malformed"), "{refused}");
    }
    assert_eq!(post(&site, "/playground/relay", &[], b"{").await.status, 400);
    assert_eq!(post(&site, "/playground/relay", &[], &vec![b' '; 70_000]).await.status, 413);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_compressed_is_no_answer() {
    let site = demo().await;
    for (headers, length, status) in
        [("", 256 * 1024, 200), ("", 256 * 1024 + 1, 502), ("content-encoding: gzip\r\n", 1, 502)]
    {
        let other = Other::answering(200, headers, &"x".repeat(length)).await;
        assert_eq!(relay_to(&site, &other.origin).await.status, status, "{headers} {length}");
    }
}

#[tokio::test]
async fn an_address_has_so_many_requests_in_an_hour() {
    let site = demo().await;
    // Nothing listens there, and whatever is not listed counts, too: nobody shall try out what is.
    for url in ["http://127.0.0.1:9/", "https://idp.example/"] {
        assert_ne!(relay_to(&site, url).await.status, 429);
    }
    for _ in 0..598 {
        assert_eq!(relay_to(&site, "https://idp.example/").await.status, 403);
    }
    assert_eq!(relay_to(&site, "https://idp.example/").await.status, 429);
    assert_eq!(relay_to(&site, "http://127.0.0.1:9/").await.status, 429);
    site.later(3600);
    assert_eq!(relay_to(&site, "https://idp.example/").await.status, 403);
}
