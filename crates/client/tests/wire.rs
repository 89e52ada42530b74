//! What goes over the wire, against servers that say exactly what a test wants to hear. What a real server says is in the
//! tests of `grantor`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use grantor_client::{
    Ask, Authentication, Client, DeviceProblem, DpopKey, Error, Grant, Http, Issuer, TokenSource, TokenType, discover,
};
use grantor_protocol::token::dpop;
use grantor_protocol::value::{ClientId, RedirectUri, Scope, Secret, UnixTime};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One request: its line, its headers in lower case, its body.
struct Request {
    line: String,
    headers: HashMap<String, String>,
    body: String,
}

/// Answers each request with what `answer` says: status, further header lines, body.
async fn serve(answer: impl Fn(&str, &Request) -> (u16, String, String) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (own, answer) = (base.clone(), Arc::new(answer));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(one(stream, own.clone(), Arc::clone(&answer)));
        }
    });
    base
}

async fn one(mut stream: TcpStream, base: String, answer: Arc<impl Fn(&str, &Request) -> (u16, String, String)>) {
    let mut raw = Vec::new();
    let (head, length) = loop {
        if stream.read_buf(&mut raw).await.unwrap() == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&raw).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), head.len() + 4);
        }
    };
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let request = Request {
        line: head.lines().next().unwrap().to_owned(),
        headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
        body: String::from_utf8_lossy(&raw[length..]).into_owned(),
    };
    let (status, more, body) = answer(&base, &request);
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
}

fn metadata(base: &str) -> String {
    format!(
        r#"{{"issuer":"{base}","token_endpoint":"{base}/token","device_authorization_endpoint":"{base}/device",
        "dpop_signing_alg_values_supported":["ES256"]}}"#
    )
}

async fn client(base: &str) -> Client {
    let http = Http::new().unwrap();
    let provider = discover(&http, &Issuer::parse(base).unwrap()).await.unwrap();
    Client::new(provider, ClientId::parse("app").unwrap(), Authentication::None, http)
}

fn is_proof(request: &Request, method: &str, uri: &str, token: Option<&str>, nonce: &str) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let expected = dpop::Expected {
        method,
        uri,
        access_token: token,
        nonces: None,
        algorithms: &[grantor_jose::SigningAlgorithm::Es256],
        known: None,
        now: UnixTime::new(now.try_into().unwrap()),
    };
    let proof = request.headers["dpop"].as_str();
    let payload = grantor_jose::base64url::decode(proof.split('.').nth(1).unwrap()).unwrap();
    let said = grantor_jose::parse_object(&payload).unwrap();
    dpop::verify(&[proof], &expected).unwrap().is_some() && said.get("nonce").is_some_and(|said| said == nonce)
}

#[tokio::test]
async fn rfc8414_3_1_the_second_form_is_found_when_the_first_is_not() {
    let base = serve(|base, request| {
        if request.line.starts_with("GET /.well-known/oauth-authorization-server/t/acme ") {
            (200, String::new(), metadata(&format!("{base}/t/acme")))
        } else {
            (404, String::new(), String::new())
        }
    })
    .await;
    let http = Http::new().unwrap();
    let issuer = |path: &str| Issuer::parse(&format!("{base}{path}")).unwrap();
    assert_eq!(discover(&http, &issuer("/t/acme")).await.unwrap().issuer().as_str(), format!("{base}/t/acme"));
    let none = discover(&http, &issuer("")).await.unwrap_err();
    assert!(matches!(none, Error::NoMetadata { .. }), "{none}");
}

#[tokio::test]
async fn rfc9449_8_and_9_the_nonce_is_learned_and_the_request_sent_once_more() {
    let base = serve(|base, request| {
        let wants = |status| {
            (
                status,
                "dpop-nonce: n1\r\nwww-authenticate: DPoP error=\"use_dpop_nonce\"\r\n".to_owned(),
                r#"{"error":"use_dpop_nonce"}"#.to_owned(),
            )
        };
        let knows = |path: &str, method, token| is_proof(request, method, &format!("{base}{path}"), token, "n1");
        let known = request.headers.get("dpop").is_some_and(|proof| {
            let payload = grantor_jose::base64url::decode(proof.split('.').nth(1).unwrap()).unwrap();
            grantor_jose::parse_object(&payload).unwrap().contains_key("nonce")
        });
        match request.line.split(' ').nth(1).unwrap() {
            "/.well-known/openid-configuration" => (200, String::new(), metadata(base)),
            "/token" if !known => wants(400),
            "/token" => {
                assert!(knows("/token", "POST", None));
                (200, String::new(), r#"{"access_token":"at","token_type":"DPoP","expires_in":600}"#.to_owned())
            }
            "/api" => {
                assert_eq!(request.headers["authorization"], "DPoP at");
                if known && knows("/api", "PUT", Some("at")) {
                    (200, String::new(), request.body.clone())
                } else {
                    wants(401)
                }
            }
            // One who wants another nonce each time is not asked forever.
            _ => {
                (401, "dpop-nonce: n2\r\nwww-authenticate: DPoP error=\"use_dpop_nonce\"\r\n".to_owned(), String::new())
            }
        }
    })
    .await;
    let client = client(&base).await.with_dpop(DpopKey::generate().unwrap()).unwrap();
    let http = client.http().reqwest().clone();
    let source = TokenSource::client_credentials(client, Ask::default());
    assert_eq!(source.grant().await.unwrap().tokens.token_type, TokenType::Dpop);
    // The API has a nonce of its own: the same origin here, and so it is known already.
    let answer = source.send(http.put(format!("{base}/api")).body("hello")).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "hello"));
    assert_eq!(source.send(http.get(format!("{base}/never"))).await.unwrap().status(), 401);
}

#[tokio::test]
async fn rfc6749_7_1_a_bearer_token_in_the_place_of_a_bound_one_is_refused() {
    let base = serve(|base, request| match request.line.split(' ').nth(1).unwrap() {
        "/token" => (200, String::new(), r#"{"access_token":"at","token_type":"Bearer","expires_in":600}"#.to_owned()),
        _ => (200, String::new(), metadata(base)),
    })
    .await;
    let client = client(&base).await;
    let bound = client.clone().with_dpop(DpopKey::generate().unwrap()).unwrap();
    assert!(matches!(bound.client_credentials(&Ask::default()).await, Err(Error::Token(_))));
    assert!(client.client_credentials(&Ask::default()).await.is_ok());
}

/// A server that answers the device's questions one after another.
async fn device(answers: &'static [&'static str]) -> Result<Grant, Error> {
    let asked = Arc::new(Mutex::new(answers.iter()));
    let base = serve(move |base, request| match request.line.split(' ').nth(1).unwrap() {
        "/device" => {
            assert!(request.body.contains("client_id=app") && request.body.contains("scope=notes"), "{}", request.body);
            let body = format!(r#"{{"device_code":"dc","user_code":"BCDF","verification_uri":"{base}/d","expires_in":60,"interval":0}}"#);
            (200, String::new(), body)
        }
        "/token" => {
            assert!(request.body.contains("device_code=dc"), "{}", request.body);
            let answer = *asked.lock().unwrap().next().unwrap();
            let status = if answer.contains("error") { 400 } else { 200 };
            (status, String::new(), answer.to_owned())
        }
        _ => (200, String::new(), metadata(base)),
    })
    .await;
    let (client, ask) = (client(&base).await, Ask { scope: Scope::parse("notes").unwrap(), ..Ask::default() });
    let device = client.begin_device(&ask).await?;
    assert_eq!(device.user_code, "BCDF");
    client.wait_for_device(&device, &ask).await
}

#[tokio::test]
async fn rfc8628_3_5_one_asks_until_it_is_decided() {
    const PENDING: &str = r#"{"error":"authorization_pending"}"#;
    let got =
        device(&[PENDING, PENDING, r#"{"access_token":"at","token_type":"Bearer","expires_in":600}"#]).await.unwrap();
    assert_eq!(got.tokens.access_token.expose(), "at");
    let denied = device(&[PENDING, r#"{"error":"access_denied"}"#]).await.unwrap_err();
    assert!(matches!(denied, Error::Device(DeviceProblem::Denied)), "{denied}");
    let expired = device(&[r#"{"error":"expired_token"}"#]).await.unwrap_err();
    assert!(matches!(expired, Error::Device(DeviceProblem::Expired)), "{expired}");
    let other = device(&[r#"{"error":"invalid_client"}"#]).await.unwrap_err();
    assert!(matches!(other, Error::Refused(_)), "{other}");
}

#[tokio::test]
async fn rfc6750_5_3_a_token_is_not_sent_where_others_can_hear_it() {
    let base = serve(|base, request| match request.line.split(' ').nth(1).unwrap() {
        "/token" => (200, String::new(), r#"{"access_token":"at","token_type":"Bearer","expires_in":600}"#.to_owned()),
        _ => (200, String::new(), metadata(base)),
    })
    .await;
    let client = client(&base).await;
    let http = client.http().reqwest().clone();
    let source = TokenSource::client_credentials(client, Ask::default());
    let refused = source.send(http.get("http://api.example/")).await.unwrap_err();
    assert!(refused.to_string().contains("is not sent to http://api.example/"), "{refused}");
}

#[tokio::test]
async fn a_token_that_has_not_ended_is_used_while_the_server_is_away_and_no_longer() {
    let base = serve(|base, request| match request.line.split(' ').nth(1).unwrap() {
        "/token" if request.body.contains("refresh_token=gone") => {
            (400, String::new(), r#"{"error":"invalid_grant"}"#.to_owned())
        }
        "/token" if request.body.contains("refresh_token") => (503, String::new(), "away".to_owned()),
        "/token" => {
            let body = r#"{"access_token":"at","token_type":"Bearer","expires_in":600,"refresh_token":"rt"}"#;
            (200, String::new(), body.to_owned())
        }
        _ => (200, String::new(), metadata(base)),
    })
    .await;
    let client = client(&base).await;
    let grant = client.client_credentials(&Ask::default()).await.unwrap();
    let now = grant.tokens.obtained.get();
    let ends = |seconds: i64| {
        let mut grant = grant.clone();
        grant.tokens.obtained = UnixTime::new(now - 1_000);
        grant.tokens.expires = Some(UnixTime::new(now + seconds));
        grant
    };
    // Inside of the margin: it is to be renewed, and good.
    let source = TokenSource::of(client.clone(), ends(40)).await.unwrap();
    assert_eq!(source.token().await.unwrap().expose(), "at");
    // An API refused it: to hand it out again would not help.
    assert!(matches!(source.renew().await, Err(Error::Answer { status: 503, .. })));
    let source = TokenSource::of(client.clone(), ends(-1)).await.unwrap();
    assert!(matches!(source.token().await, Err(Error::Answer { status: 503, .. })));

    let mut gone = ends(40);
    gone.tokens.refresh_token = Some(Secret::new("gone".to_owned()));
    let source = TokenSource::of(client, gone).await.unwrap();
    assert!(matches!(source.token().await, Err(Error::SignInAgain(_))));
    assert!(source.kept().await.unwrap().is_none());
}

#[tokio::test]
async fn rfc6749_6_a_refresh_token_from_elsewhere_is_adopted() {
    let base = serve(|base, request| match request.line.split(' ').nth(1).unwrap() {
        "/token" => {
            let named = |field: &str| request.body.split('&').any(|one| one == field);
            assert!(named("grant_type=refresh_token") && !named("scope="), "{}", request.body);
            let with = |more: &str| format!(r#"{{"access_token":"at","token_type":"Bearer"{more}}}"#);
            match () {
                () if named("refresh_token=kept") => (200, String::new(), with("")),
                () if named("refresh_token=old") && named("scope=a") => {
                    (200, String::new(), with(r#","refresh_token":"new","scope":"a""#))
                }
                () => (400, String::new(), r#"{"error":"invalid_grant"}"#.to_owned()),
            }
        }
        _ => (200, String::new(), metadata(base)),
    })
    .await;
    let client = client(&base).await;
    let secret = |text: &str| Secret::new(text.to_owned());
    let held = |grant: Grant| grant.tokens.refresh_token.map(|token| token.expose().to_owned());
    let kept = client.adopt(secret("kept"), &Ask::default()).await.unwrap();
    assert_eq!(held(kept).as_deref(), Some("kept"));
    let less = Ask { scope: Scope::parse("a").unwrap(), ..Ask::default() };
    let replaced = client.adopt(secret("old"), &less).await.unwrap();
    assert_eq!(held(replaced).as_deref(), Some("new"));
    let gone = client.adopt(secret("gone"), &Ask::default()).await.unwrap_err();
    assert!(matches!(gone, Error::SignInAgain(_)), "{gone}");
}

#[tokio::test]
async fn rfc9126_5_a_server_that_wants_pushed_requests_and_takes_none_is_told() {
    let base = serve(|base, _| {
        let more = format!(
            r#""authorization_endpoint":"{base}/authorize","require_pushed_authorization_requests":true,"issuer""#
        );
        (200, String::new(), metadata(base).replace("\"issuer\"", &more))
    })
    .await;
    let redirect = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
    let refused = client(&base).await.begin(redirect, &Ask::default()).await.unwrap_err();
    assert!(matches!(refused, Error::Unsupported(_)), "{refused}");
}

#[tokio::test]
async fn nobody_is_waited_for_forever() {
    let base = serve(|base, _| {
        let more = format!(r#""authorization_endpoint":"{base}/authorize?own=1","issuer""#);
        (200, String::new(), metadata(base).replace("\"issuer\"", &more))
    })
    .await;
    let mut opened = String::new();
    let waited = client(&base).await.sign_in(&Ask::default(), Duration::ZERO, |url| opened = url.to_string()).await;
    assert!(matches!(waited, Err(Error::TimedOut(_))));
    // RFC 6749 3.1: the query that the endpoint has of its own stays.
    assert!(opened.starts_with(&format!("{base}/authorize?own=1&response_type=code&client_id=app&")), "{opened}");
}
