//! HTTP/1.1 as far as a load generator needs it: requests are bytes that were made before, answers are a status, a length
//! and a body.

use crate::failure::{Result, broken};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Where an answer's parts lie in what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) status: u16,
    /// How many bytes its head takes.
    pub(crate) head: usize,
    /// How many bytes its body takes.
    pub(crate) body: usize,
}

/// The frame of an answer, as soon as its head is there. An answer without a length has no body: none that is asked
/// for here comes in chunks.
pub(crate) fn frame(bytes: &[u8]) -> Result<Option<Frame>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes)? else { return Ok(None) };
    let mut body = 0;
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            body = std::str::from_utf8(header.value)?.trim().parse()?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return broken("an answer came in chunks");
        }
    }
    Ok(Some(Frame { status: response.code.unwrap_or_default(), head, body }))
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    /// Every header of this name.
    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.head.lines().filter_map(move |line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// A member of a JSON object that is a text.
    pub(crate) fn text(&self, name: &str) -> Result<String> {
        let body: serde_json::Value = serde_json::from_str(&self.body)?;
        let text = body.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        text.ok_or_else(|| format!("no {name} in {} {}", self.status, self.body).into())
    }

    /// Itself, if the request was granted.
    pub(crate) fn good(self) -> Result<Self> {
        if (200..400).contains(&self.status) {
            return Ok(self);
        }
        broken(format!("{} {}", self.status, self.body))
    }
}

/// A connection for preparations, one request after another.
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(Self(stream))
    }

    /// Sends a request and reads its answer.
    pub(crate) fn call(&mut self, request: &[u8]) -> Result<Answer> {
        self.0.write_all(request)?;
        let mut read = Vec::new();
        let mut part = [0; 16 * 1024];
        loop {
            if let Some(frame) = frame(&read)?
                && let Some(body) = read.get(frame.head..frame.head + frame.body)
            {
                let head = read.get(..frame.head).unwrap_or_default();
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                return Ok(Answer { status: frame.status, head: text(head), body: text(body) });
            }
            match self.0.read(&mut part)? {
                0 => return broken("the server closed the connection"),
                n => read.extend_from_slice(part.get(..n).unwrap_or_default()),
            }
        }
    }
}

/// A GET.
pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    request("GET", path, headers, None)
}

/// A POST of a form.
pub(crate) fn form(path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (name, value) in fields {
        if !body.is_empty() {
            body.push('&');
        }
        body.push_str(name);
        body.push('=');
        body.push_str(&escaped(value));
    }
    request("POST", path, headers, Some(&body))
}

fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: */*\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if let Some(body) = body {
        let length = body.len();
        let _ = write!(text, "content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text.into_bytes()
}

/// `application/x-www-form-urlencoded`, and good for a query too.
pub(crate) fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_framed_when_its_head_is_whole() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(frame(&whole[..20]).unwrap(), None);
        assert_eq!(frame(whole).unwrap(), Some(Frame { status: 200, head: 38, body: 5 }));
        assert!(frame(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    }

    #[test]
    fn forms_are_escaped() {
        let text = String::from_utf8(form("/t", &[], &[("a", "b c"), ("d", "e&f")])).unwrap();
        assert!(text.ends_with("content-length: 15\r\n\r\na=b%20c&d=e%26f"), "{text}");
    }
}
