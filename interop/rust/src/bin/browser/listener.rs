//! The client's side: a tiny HTTP server where the browser is sent back to.

use anyhow::{Context, Result};
use std::collections::HashMap;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

const PAGE: &str =
    "<!doctype html><html lang=en><title>Client</title><link rel=icon href=data:,><h1>Back at the client</h1>";

/// A response as it came to the redirect URI.
#[derive(Debug)]
pub struct Callback {
    pub method: String,
    parameters: HashMap<String, String>,
}

pub struct Listener {
    pub redirect_uri: String,
    callbacks: UnboundedReceiver<Callback>,
}

impl Listener {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let redirect_uri = format!("http://127.0.0.1:{}/callback", listener.local_addr()?.port());
        let (sender, callbacks) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move { answer(stream, &sender).await });
            }
        });
        Ok(Self { redirect_uri, callbacks })
    }

    /// Forgets what came before.
    pub fn clear(&mut self) {
        while self.callbacks.try_recv().is_ok() {}
    }

    pub async fn callback(&mut self) -> Result<Callback> {
        let next = tokio::time::timeout(Duration::from_secs(10), self.callbacks.recv()).await;
        next.context("the browser was not sent back to the client")?.context("the listener ended")
    }

    /// Nothing came.
    pub fn is_quiet(&mut self) -> bool {
        self.callbacks.try_recv().is_err()
    }
}

impl Callback {
    pub fn parameter(&self, name: &str) -> Result<&str> {
        let found = self.parameters.get(name).map(String::as_str);
        found.with_context(|| format!("{name} is not among {:?}", self.parameters.keys()))
    }
}

async fn answer(stream: TcpStream, sender: &UnboundedSender<Callback>) -> Result<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    if let Some(rest) = target.strip_prefix("/callback") {
        let query = rest.strip_prefix('?').unwrap_or_default().as_bytes();
        let parameters = if method == "POST" { body.as_slice() } else { query };
        let parameters = url::form_urlencoded::parse(parameters).into_owned().collect();
        let _ = sender.send(Callback { method: method.to_owned(), parameters });
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\nconnection: close\r\ncontent-length:";
    stream.write_all(format!("{head} {}\r\n\r\n{PAGE}", PAGE.len()).as_bytes()).await?;
    Ok(stream.shutdown().await?)
}
