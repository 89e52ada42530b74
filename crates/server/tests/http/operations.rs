//! What those who run the server rely on: health, an end without a lost request, and refusals where there is too much.

use crate::harness::{Plan, Site, text};
use crate::stores::Folder;
use crate::tls::certify;
use grantor_protocol::value::Issuer;
use grantor_server::{MasterKey, Server, Settings, SystemWorld, TlsFiles};
use grantor_store::{MemoryStore, Store};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any test: what ends before it has ended for another reason.
const LONG: Duration = Duration::from_mins(10);

/// A server with settings of its own, on a listener.
struct Node {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<std::io::Result<()>>,
    server: Server,
}

impl Node {
    async fn start(change: impl FnOnce(&mut Settings)) -> Self {
        Self::with_tls(change, None).await
    }

    async fn with_tls(change: impl FnOnce(&mut Settings), tls: Option<TlsFiles>) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut settings = Settings::new(Issuer::parse(&format!("http://{address}")).unwrap());
        change(&mut settings);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let world = Arc::new(SystemWorld);
        let server = Server::new(store, MasterKey::from_bytes([7; 32]), settings, world).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = server.clone();
        let running = tokio::spawn(async move { serving.run(listener, tls, async { drop(stopped.await) }).await });
        Self { address, stop: Some(stop), running, server }
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    async fn connect(&self) -> Client {
        Client(BufStream::new(TcpStream::connect(&self.address).await.unwrap()))
    }

    async fn until_not_ready(&self) {
        while self.server.is_ready() {
            tokio::task::yield_now().await;
        }
    }
}

/// A connection of HTTP/1.1 that stays open.
struct Client(BufStream<TcpStream>);

/// Status, whether the connection is closed after it, body.
type Said = (u16, bool, String);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
        self.0.flush().await.unwrap();
    }

    async fn get(&mut self, path: &str) -> std::io::Result<Said> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.0.write_all(request.as_bytes()).await?;
        self.0.flush().await?;
        self.answer().await
    }

    async fn answer(&mut self) -> std::io::Result<Said> {
        let (mut status, mut close, mut length) = (0, false, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(rest) = line.strip_prefix("http/1.1 ") {
                status = rest[..3].parse().unwrap();
            } else if line == "connection: close" {
                close = true;
            } else if let Some(rest) = line.strip_prefix("content-length: ") {
                length = rest.parse().unwrap();
            } else if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((status, close, String::from_utf8(body).unwrap()))
    }
}

#[tokio::test]
async fn a_node_that_is_told_to_stop_says_so_before_it_takes_no_more_connections() {
    let mut node = Node::start(|settings| settings.drain = LONG).await;
    let mut before = node.connect().await;
    for (path, word) in [("/health", "ok"), ("/health/live", "ok"), ("/health/ready", "ready")] {
        let (status, close, body) = before.get(path).await.unwrap();
        assert_eq!((status, close), (200, false), "{path}");
        assert!(body.contains(word), "{body}");
    }
    node.stop();
    node.until_not_ready().await;
    // Whoever comes now is still served; and told to go elsewhere with the next.
    let mut after = node.connect().await;
    let (status, close, body) = after.get("/health/ready").await.unwrap();
    assert_eq!((status, close), (503, true));
    assert!(body.contains("draining"), "{body}");
    assert_eq!(node.connect().await.get("/health/live").await.unwrap().0, 200);
    let (status, close, _) = before.get("/jwks").await.unwrap();
    assert_eq!((status, close), (200, true), "an open connection ends with its next answer");
    assert!(before.get("/jwks").await.is_err());
    node.running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_clients_that_keep_their_connections_no_request_is_lost() {
    let mut node = Node::start(|settings| settings.drain = LONG).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let mut client = node.connect().await;
        let answered = Arc::clone(&answered);
        clients.spawn(async move {
            loop {
                let (status, close, _) = client.get("/.well-known/openid-configuration").await.expect("an answer");
                assert_eq!(status, 200);
                answered.fetch_add(1, Ordering::Relaxed);
                if close {
                    return;
                }
            }
        });
    }
    while answered.load(Ordering::Relaxed) < 200 {
        tokio::task::yield_now().await;
    }
    node.stop();
    // Each of them was told with an answer.
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    node.running.abort();
}

#[tokio::test]
async fn a_request_that_was_begun_before_the_end_is_answered() {
    let mut node = Node::start(|_| {}).await;
    let mut client = node.connect().await;
    client.send("POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 7\r\n\r\nab").await;
    // The server has seen its header when it has answered somebody who came later.
    assert_eq!(node.connect().await.get("/health").await.unwrap().0, 200);
    node.stop();
    node.until_not_ready().await;
    while TcpStream::connect(&node.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    client.send("cd=ef").await;
    let (status, close, body) = client.answer().await.unwrap();
    assert_eq!((status, close), (401, true), "{body}");
    node.running.await.unwrap().unwrap();
}

/// Also where there is no drain and a line of those who wait: each came before the end, and would be told that its
/// connection is reset.
#[tokio::test]
async fn requests_that_were_sent_before_the_end_are_answered() {
    let mut node = Node::start(|_| {}).await;
    let mut clients = Vec::new();
    // More than are called at once, and no more than are always served.
    for _ in 0..128 {
        let mut client = node.connect().await;
        assert_eq!(client.get("/health").await.unwrap().0, 200);
        clients.push(client);
    }
    let request = b"GET /jwks HTTP/1.1\r\nhost: localhost\r\n\r\n";
    // All of this is one thread: the server has seen nothing of it when it is told to stop.
    for client in &clients {
        assert_eq!(client.0.get_ref().try_write(request).unwrap(), request.len());
    }
    node.stop();
    for mut client in clients {
        let (status, close, _) = client.answer().await.unwrap();
        assert_eq!((status, close), (200, true));
    }
    node.running.await.unwrap().unwrap();
}

/// Connects for each request, as a proxy does while a node drains, and is answered each time until nobody takes the
/// connection; after how long that was known.
fn knock(address: &str) -> Duration {
    loop {
        let begun = Instant::now();
        let Ok(mut stream) = std::net::TcpStream::connect(address) else { return begun.elapsed() };
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_can_connect_is_answered_and_who_comes_too_late_is_refused_before_it_can_send() {
    // A system that did not hear the first attempt hears of the end with the second, a second later. Who knocks all the
    // time knocks in the moment before the end as well, unless the machine leaves it no time in just that moment.
    for _ in 0..20 {
        let mut node = Node::start(|settings| settings.drain = Duration::from_millis(20)).await;
        let mut clients = tokio::task::JoinSet::new();
        for _ in 0..4 {
            let address = node.address.clone();
            clients.spawn_blocking(move || knock(&address));
        }
        node.stop();
        let refused = clients.join_all().await;
        node.running.await.unwrap().unwrap();
        if refused.iter().any(|after| *after > Duration::from_millis(500)) {
            return;
        }
    }
    panic!("nobody came in the last moment");
}

#[tokio::test]
async fn rfc9113_6_8_a_connection_of_http_2_is_told_at_once_and_its_requests_are_answered() {
    let folder = Folder::new();
    let trusted = certify(&folder.0);
    let files = TlsFiles { certificate: folder.0.join("chain.pem"), key: folder.0.join("key.pem") };
    let mut node = Node::with_tls(|settings| settings.drain = LONG, Some(files)).await;
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let stream = TcpStream::connect(&node.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap();
    let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream));
    let (mut requests, connection) = handshake.await.unwrap();
    let connection = tokio::spawn(connection);
    let request = || hyper::Request::get("https://localhost/jwks").body(String::new()).unwrap();
    assert_eq!(requests.send_request(request()).await.unwrap().status(), 200);
    let in_flight = requests.send_request(request());
    node.stop();
    assert_eq!(in_flight.await.unwrap().status(), 200);
    // It ends although the drain has only begun.
    connection.await.unwrap().unwrap();
    assert!(!node.running.is_finished());
    node.running.abort();
}

#[tokio::test]
async fn who_finds_no_place_is_told_so_instead_of_waiting_in_silence() {
    // A tenth of them may be of one address.
    let node = Node::start(|settings| settings.max_connections = 20).await;
    let (mut one, mut other) = (node.connect().await, node.connect().await);
    assert_eq!(one.get("/health").await.unwrap().0, 200);
    assert_eq!(other.get("/health").await.unwrap().0, 200);
    let mut third = node.connect().await;
    third.send("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut said = String::new();
    third.0.read_to_string(&mut said).await.unwrap();
    assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("retry-after: 1\r\n"), "{said}");
    drop(one);
    // There is a place again as soon as the server has seen that one went.
    while node.connect().await.get("/health").await.is_ok_and(|(status, ..)| status != 200) {}
    node.running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_store_hangs_few_wait_and_all_others_are_refused_at_once() {
    let folder = Folder::new();
    let site = Arc::new(Site::planned(Plan { store: folder.store(), ..Plan::default() }, |_| {}).await);
    let tokens = site.tokens("openid notes:read").await;
    let refresh: Arc<str> = text(&tokens, "refresh_token").into();
    // Whoever holds the lock of the file keeps every writer waiting.
    let lock = rusqlite::Connection::open(folder.0.join("grantor.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = Arc::new(AtomicBool::new(true));
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..300 {
        let (site, refresh, held) = (Arc::clone(&site), Arc::clone(&refresh), Arc::clone(&held));
        waiting.spawn(async move {
            let answer = site.refresh(&refresh, &[]).await;
            (answer.status.as_u16(), held.load(Ordering::Relaxed))
        });
    }
    // Anybody may be refused now, and is told when to come again.
    let refused = loop {
        let answer = site.get("/jwks", &[]).await;
        if answer.status == 503 {
            break answer;
        }
    };
    assert_eq!((refused.error().as_str(), refused.header("retry-after")), ("temporarily_unavailable", "1"));
    assert_eq!(refused.header("access-control-allow-origin"), "*");
    for path in ["/health", "/health/live", "/health/ready"] {
        assert_eq!(site.get(path, &[]).await.status, 200, "{path} is never refused");
    }
    lock.execute_batch("ROLLBACK").unwrap();
    held.store(false, Ordering::Relaxed);
    drop(lock);
    let answers = waiting.join_all().await;
    assert!(answers.iter().all(|(status, _)| [200, 503].contains(status)), "{answers:?}");
    // And all is as it was.
    while site.get("/jwks", &[]).await.status != 200 {}
    assert_eq!(site.refresh(&refresh, &[]).await.status, 200);
}

/// A form of which one byte is missing.
const UNFINISHED: &str = "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-length: 7\r\n\r\nab=cde";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_do_not_end_close_the_gate_for_nobody() {
    let site = Site::start().await;
    let address = site.address.strip_prefix("http://").unwrap();
    let mut open = Vec::new();
    for _ in 0..300 {
        let mut client = Client(BufStream::new(TcpStream::connect(address).await.unwrap()));
        client.send(UNFINISHED).await;
        open.push(client);
    }
    // For several times as long as something must have been too much before anybody is refused.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(600) {
        assert_eq!(site.get("/jwks", &[]).await.status, 200);
        let answer = site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    // They were waited for.
    for mut client in open {
        client.send("f").await;
        assert_eq!(client.answer().await.unwrap().0, 400);
    }
}

#[tokio::test]
async fn one_address_has_a_share_of_the_bodies_that_are_under_way() {
    // A tenth of the connections may be of one address, and half as many bodies.
    let node = Node::start(|settings| settings.max_connections = 40).await;
    let mut open = [node.connect().await, node.connect().await];
    for client in &mut open {
        client.send(UNFINISHED).await;
    }
    // The server has seen them when it has answered somebody who came later.
    let mut third = node.connect().await;
    assert_eq!(third.get("/jwks").await.unwrap().0, 200);
    third.send(UNFINISHED).await;
    let (status, _, body) = third.answer().await.unwrap();
    assert!(status == 503 && body.contains("temporarily_unavailable"), "{status} {body}");
    let mut fourth = node.connect().await;
    fourth.send(&format!("{UNFINISHED}f")).await;
    assert_eq!(fourth.answer().await.unwrap().0, 400, "a body that comes with its header needs no place");
    for client in &mut open {
        client.send("f").await;
        assert_eq!(client.answer().await.unwrap().0, 400);
    }
    node.running.abort();
}

#[tokio::test]
async fn who_refreshed_stays_visible_however_many_do_at_once() {
    let site = Site::start().await;
    let (one, other) = (site.tokens("openid notes:read").await, site.tokens("openid notes:read").await);
    for tokens in [&one, &other] {
        assert_eq!(site.refresh(text(tokens, "refresh_token"), &[]).await.status, 200);
    }
    let events = site.events().await;
    let refreshed = events.iter().filter(|event| event.details.get("grant_type").is_some_and(|t| t == "refresh_token"));
    let grants: std::collections::BTreeSet<_> = refreshed.map(|event| event.details["grant_id"].as_str()).collect();
    assert_eq!(grants.len(), 2, "{grants:?}");
}

#[tokio::test]
async fn figures_are_at_their_own_listener_and_nowhere_else() {
    let node = Node::start(|settings| settings.metrics = true).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = node.server.clone();
    let running = tokio::spawn(async move { server.run_operations(listener, std::future::pending()).await });
    let mut client = node.connect().await;
    assert_eq!(client.get("/jwks").await.unwrap().0, 200);
    assert_eq!(client.get("/metrics").await.unwrap().0, 404);
    let mut watcher = Client(BufStream::new(TcpStream::connect(&address).await.unwrap()));
    let (status, _, scraped) = watcher.get("/metrics").await.unwrap();
    assert_eq!(status, 200);
    assert!(scraped.contains("grantor_http_requests_total{endpoint=\"jwks\",status=\"200\"} 1\n"), "{scraped}");
    assert!(scraped.contains("grantor_ready 1\n"), "{scraped}");
    assert_eq!(watcher.get("/health/ready").await.unwrap().0, 200);
    assert_eq!(watcher.get("/jwks").await.unwrap().0, 404);
    running.abort();
    node.running.abort();
}
