//! HTTP/1.1 over a connection that is kept. Nothing is sent twice behind anybody's back.

use anyhow::{Context as _, Result};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HOST, HeaderMap};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longer than a server may take for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is sent.
pub(crate) type Message = Request<Full<Bytes>>;

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A connection to one address, made when it is needed.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    /// What the server is called, whatever its address.
    host: String,
    sender: Option<SendRequest<Full<Bytes>>>,
    longest: Duration,
}

impl Connection {
    pub(crate) fn new(address: SocketAddr, host: &str) -> Self {
        Self { address, host: host.to_owned(), sender: None, longest: Duration::ZERO }
    }

    /// Sends one request. After an error nobody knows whether it was carried out.
    pub(crate) async fn send(&mut self, message: Message) -> Result<Answer> {
        // A connection on which no answer came is not used again: it was taken, and is not put back.
        let begun = Instant::now();
        let answer = timeout(PATIENCE, self.exchange(message)).await;
        self.longest = self.longest.max(begun.elapsed());
        answer.with_context(|| format!("no answer within {PATIENCE:?}"))?
    }

    /// The longest that any request took so far.
    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    async fn exchange(&mut self, mut message: Message) -> Result<Answer> {
        message.headers_mut().insert(HOST, self.host.parse()?);
        let mut sender = self.connected().await?;
        let response = sender.send_request(message).await.context("send")?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.context("receive")?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    async fn connected(&mut self) -> Result<SendRequest<Full<Bytes>>> {
        if let Some(mut sender) = self.sender.take()
            && sender.ready().await.is_ok()
        {
            return Ok(sender);
        }
        let stream = TcpStream::connect(self.address).await.context("connect")?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        sender.ready().await?;
        Ok(sender)
    }
}

impl Answer {
    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A member that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.json().get(name)?.as_str().map(str::to_owned)
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

/// A form, as a browser or a client sends it.
pub(crate) fn form(fields: &[(&str, &str)]) -> Full<Bytes> {
    let written = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    Full::new(Bytes::from(written))
}
