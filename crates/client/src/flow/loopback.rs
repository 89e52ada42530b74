//! Where the browser comes back to: an address of this machine alone (RFC 8252 7.3, 8.3).

use crate::error::{Error, Result};
use crate::redirect::{Code, Pending, RedirectProblem};
use grantor_protocol::value::RedirectUri;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Listens on loopback, on a port that the system chooses, until the browser comes back.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    address: SocketAddr,
}

/// Where the browser comes back to, and nowhere else.
const PATH: &str = "/callback";

/// A request of a browser is smaller.
const MAX_HEAD: usize = 32 * 1024;

/// A connection that says nothing for so long is one that the browser keeps for later.
const SILENCE: Duration = Duration::from_secs(20);

/// So many requests wait to be looked at; more are not read yet.
const WAITING: usize = 8;

impl Loopback {
    /// Takes a free port of 127.0.0.1, or of `[::1]` where there is no IPv4. No other machine can reach it.
    pub async fn bind() -> Result<Self> {
        let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.map_err(Error::Loopback)?,
        };
        let address = listener.local_addr().map_err(Error::Loopback)?;
        Ok(Self { listener, address })
    }

    /// As it is sent: register `http://127.0.0.1/callback` and `http://[::1]/callback`, without a port.
    pub fn redirect_uri(&self) -> Result<RedirectUri> {
        let uri = format!("http://{}{PATH}", self.address);
        RedirectUri::parse(&uri).ok_or_else(|| Error::Setup(format!("{uri} is no redirect URI")))
    }

    /// Waits for the answer to this request. Whatever else comes is turned away and changes nothing: another path, another
    /// method, an answer with another `state`, which any page in the browser can send here.
    pub(crate) async fn wait_for(self, pending: &Pending) -> Result<Code> {
        let (found, mut requests) = mpsc::channel(WAITING);
        loop {
            tokio::select! {
                accepted = self.listener.accept() => {
                    let (stream, _) = accepted.map_err(Error::Loopback)?;
                    tokio::spawn(read(stream, found.clone()));
                }
                Some((stream, request)) = requests.recv() => {
                    if let Some(answer) = look(stream, &request, pending).await {
                        return answer.map_err(Error::Redirect);
                    }
                }
            }
        }
    }
}

/// What a request says, and whether it is the one that was waited for.
async fn look(stream: TcpStream, request: &str, pending: &Pending) -> Option<Result<Code, RedirectProblem>> {
    let Some(query) = query(request) else {
        say(stream, "404 Not Found", "There is nothing here.").await;
        return None;
    };
    let answer = pending.accept(query);
    match &answer {
        Ok(_) => say(stream, "200 OK", "You are signed in. You may close this window.").await,
        Err(RedirectProblem::State | RedirectProblem::Malformed) => {
            tracing::warn!("a request that answers nothing came to the loopback address");
            say(stream, "400 Bad Request", "This answers nothing that was asked.").await;
            return None;
        }
        Err(_) => {
            say(
                stream,
                "400 Bad Request",
                "The sign-in did not succeed. You may close this window; the program says why.",
            )
            .await;
        }
    }
    Some(answer)
}

/// The query of `GET /callback?...`; of nothing else.
fn query(request: &str) -> Option<&str> {
    let line = request.lines().next()?;
    let target = line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let (path, query) = target.split_once('?')?;
    (path == PATH).then_some(query)
}

/// Reads one request's head, in a task of its own: browsers open connections that they then keep silent.
async fn read(mut stream: TcpStream, to: mpsc::Sender<(TcpStream, String)>) {
    let mut head = Vec::new();
    let whole = async {
        while !head.ends_with(b"\r\n\r\n") && head.len() < MAX_HEAD {
            if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                break;
            }
        }
    };
    if tokio::time::timeout(SILENCE, whole).await.is_ok()
        && let Ok(text) = String::from_utf8(head)
        && text.ends_with("\r\n\r\n")
    {
        // Nobody waits any more when this fails.
        let _ = to.send((stream, text)).await;
    }
}

/// Nothing of what was asked is repeated, and the page can load nothing.
async fn say(mut stream: TcpStream, status: &str, text: &str) {
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Sign-in</title><body style=\"font-family:sans-serif;margin:4rem auto;max-width:30rem;padding:0 1rem\"><p>{text}</p>"
    );
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\ncache-control: no-store\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\nreferrer-policy: no-referrer\r\n\
         x-content-type-options: nosniff\r\n\r\n",
        page.len()
    );
    // The user has what he needs when the program goes on; a browser that has gone away is no error.
    let _ = stream.write_all(format!("{head}{page}").as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc8252_8_3_only_the_expected_path_is_read() {
        assert_eq!(query("GET /callback?code=c&state=s HTTP/1.1\r\nhost: x\r\n\r\n"), Some("code=c&state=s"));
        for other in [
            "GET /callback HTTP/1.1\r\n\r\n",
            "GET /favicon.ico?code=c HTTP/1.1\r\n\r\n",
            "GET /callback/?code=c HTTP/1.1\r\n\r\n",
            "POST /callback?code=c HTTP/1.1\r\n\r\n",
            "GET http://127.0.0.1/callback?code=c HTTP/1.1\r\n\r\n",
            "",
        ] {
            assert_eq!(query(other), None, "{other}");
        }
    }

    #[tokio::test]
    async fn rfc8252_7_3_the_address_is_loopback_and_its_port_is_free() {
        let (one, two) = (Loopback::bind().await.unwrap(), Loopback::bind().await.unwrap());
        assert!(one.address.ip().is_loopback() && one.address.port() != two.address.port());
        let uri = one.redirect_uri().unwrap();
        assert!(RedirectUri::parse("http://127.0.0.1/callback").unwrap().matches(&uri), "{uri}");
    }
}
