//! A server of documents on loopback, over real TLS.

use crate::fetcher::Limits;
use crate::{Fetcher, Settings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Whom a certificate is from.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for loopback.
    pub(super) fn identity(&self) -> ServerConfig {
        self.identity_with(&["localhost", "127.0.0.1"], |_| ())
    }

    pub(super) fn identity_with(&self, names: &[&str], change: impl Fn(&mut CertificateParams)) -> ServerConfig {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap()
    }
}

/// What the server says to a request.
pub(super) struct Reply {
    text: String,
    gate: Option<Arc<Semaphore>>,
    end: End,
}

enum End {
    Close,
    Stall,
    Repeat(String),
}

impl Reply {
    pub(super) fn new(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("HTTP/1.1 {status} Said So\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        Self::raw(text + "\r\n" + body)
    }

    pub(super) fn json(body: &str) -> Self {
        Self::new(200, &[("Content-Type", "application/json")], body)
    }

    pub(super) fn raw(text: String) -> Self {
        Self { text, gate: None, end: End::Close }
    }

    pub(super) fn then(mut self, text: &str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Not before the gate has a permit, which it takes.
    pub(super) fn behind(self, gate: &Arc<Semaphore>) -> Self {
        Self { gate: Some(Arc::clone(gate)), ..self }
    }

    /// And nothing more, but the connection stays.
    pub(super) fn then_stall(self) -> Self {
        Self { end: End::Stall, ..self }
    }

    /// And this, until nobody reads it any more.
    pub(super) fn then_repeat(self, text: String) -> Self {
        Self { end: End::Repeat(text), ..self }
    }
}

pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Seen>,
    accepting: JoinHandle<()>,
}

#[derive(Default)]
struct Seen {
    connections: Mutex<usize>,
    requests: Mutex<Vec<String>>,
    unanswered: Mutex<Unanswered>,
}

#[derive(Default)]
struct Unanswered {
    now: usize,
    most: usize,
}

impl Server {
    pub(super) async fn start(tls: ServerConfig, reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Seen::default());
        let (tls, reply) = (TlsAcceptor::from(Arc::new(tls)), Arc::new(reply));
        let accepting = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    *seen.connections.lock().unwrap() += 1;
                    let (tls, reply, seen) = (tls.clone(), Arc::clone(&reply), Arc::clone(&seen));
                    // Who hangs up early is among what is tested.
                    tokio::spawn(async move { serve(stream, &tls, &*reply, &seen).await.ok() });
                }
            }
        });
        Self { port, seen, accepting }
    }

    /// The URL of a path, by the server's name.
    pub(super) fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// From now on nobody listens at the port.
    pub(super) async fn stop(self) {
        self.accepting.abort();
        self.accepting.await.unwrap_err();
    }

    pub(super) fn connections(&self) -> usize {
        *self.seen.connections.lock().unwrap()
    }

    /// How many requests it had at once, at most, that it had not yet begun to answer.
    pub(super) fn most_at_once(&self) -> usize {
        self.seen.unanswered.lock().unwrap().most
    }

    /// Returns when so many requests came.
    pub(super) async fn asked(&self, times: usize) {
        while self.seen.requests.lock().unwrap().len() < times {
            tokio::task::yield_now().await;
        }
    }

    /// The heads of the requests, in small letters.
    pub(super) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn paths(&self) -> Vec<String> {
        let path = |head: &String| head.split(' ').nth(1).unwrap().to_owned();
        self.requests().iter().map(path).collect()
    }
}

async fn serve(
    stream: TcpStream,
    tls: &TlsAcceptor,
    reply: &(impl Fn(&str) -> Reply + ?Sized),
    seen: &Seen,
) -> std::io::Result<()> {
    let mut stream = tls.accept(stream).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    {
        let mut unanswered = seen.unanswered.lock().unwrap();
        unanswered.now += 1;
        unanswered.most = unanswered.most.max(unanswered.now);
    }
    seen.requests.lock().unwrap().push(head);
    let Reply { text, gate, end } = reply(&path);
    if let Some(gate) = gate {
        gate.acquire().await.unwrap().forget();
    }
    // Before the answer goes out: who has it may be replaced by the next one at once.
    seen.unanswered.lock().unwrap().now -= 1;
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    match end {
        End::Close => stream.shutdown().await,
        End::Stall => std::future::pending().await,
        End::Repeat(text) => loop {
            stream.write_all(text.as_bytes()).await?;
        },
    }
}

/// What trusts the authority and may connect to loopback by IPv4.
pub(super) fn settings(authority: &Authority) -> Settings {
    Settings { extra_roots: vec![authority.root()], allowed_networks: vec!["127.0.0.0/8".parse().unwrap()] }
}

pub(super) fn fetcher(authority: &Authority, limits: Limits) -> Fetcher {
    Fetcher::with_limits(settings(authority), limits).unwrap()
}

/// A server, and what may fetch from it.
pub(super) async fn site(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> (Server, Fetcher) {
    let authority = Authority::new();
    let server = Server::start(authority.identity(), reply).await;
    (server, fetcher(&authority, Limits::default()))
}
