//! `grantor curl URL`: one request to an API, with the right header.

use super::options::{Options, Which};
use super::ready::Ready;
use crate::failure::{Context as _, Failure, Result};
use clap::Args;
use grantor_client::Error;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use std::io::Read as _;
use url::Url;

#[derive(Debug, Args)]
#[command(after_help = "For example:
  grantor curl https://notes.example/ -d 'text=hello'")]
pub(crate) struct Curl {
    /// The address of the API: https, or http on this machine
    url: Url,
    /// The method [default: GET, or POST with -d]
    #[arg(short = 'X', long = "request", value_name = "METHOD")]
    method: Option<Method>,
    /// What is sent; @FILE reads it from a file, @- from standard input
    #[arg(short = 'd', value_name = "DATA")]
    body: Option<String>,
    /// A header; may be given several times
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = parse_header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// Print status and headers too
    #[arg(short, long)]
    include: bool,
    /// Fail when the API answers 400 or more
    #[arg(short, long)]
    fail: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    options: Options,
}

impl Curl {
    /// Redirects are told and not followed: the token is for one API.
    pub(crate) async fn run(self) -> Result<()> {
        let body = self.body.as_deref().map(data).transpose()?;
        let ready = Ready::of(&self.which, self.options).await?;
        let method = self.method.unwrap_or(if body.is_some() { Method::POST } else { Method::GET });
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in self.header {
            headers.append(name, value);
        }
        let mut request = ready.client.http().reqwest().request(method, self.url);
        if let Some(body) = body {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/x-www-form-urlencoded"));
            request = request.body(body);
        }
        let mut response = ready.source.send(request.headers(headers)).await.map_err(|error| ready.explained(error))?;
        let status = response.status();
        let mut out = std::io::stdout().lock();
        if self.include {
            write_all(&mut out, format!("{:?} {status}\r\n", response.version()).as_bytes())?;
            for (name, value) in response.headers() {
                write_all(&mut out, &[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat())?;
            }
            write_all(&mut out, b"\r\n")?;
        }
        let broken = |error: reqwest::Error| Error::Transport {
            url: "the API".to_owned(),
            why: error.without_url().to_string(),
        };
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            write_all(&mut out, &chunk)?;
        }
        if self.fail && status.as_u16() >= 400 {
            return Err(Failure::new(format!("the API answers {status}")));
        }
        Ok(())
    }
}

/// Whoever reads it may stop reading (`| head`): that is no failure.
fn write_all(out: &mut impl std::io::Write, bytes: &[u8]) -> Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write: {error}")))
        }
        _ => Ok(()),
    }
}

fn data(raw: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match raw.strip_prefix('@') {
        None => bytes.extend_from_slice(raw.as_bytes()),
        Some("-") => drop(std::io::stdin().read_to_end(&mut bytes).context(|| "read standard input".to_owned())?),
        Some(path) => bytes = std::fs::read(path).context(|| format!("read {path}"))?,
    }
    Ok(bytes)
}

/// `Name: value`. The token is the command's to send.
fn parse_header(raw: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = raw.split_once(':').ok_or("a header is NAME: VALUE")?;
    let name = HeaderName::try_from(name.trim()).map_err(|error| error.to_string())?;
    if name == AUTHORIZATION || name == "dpop" {
        return Err(format!("{name} is what this command sends itself"));
    }
    Ok((name, HeaderValue::try_from(value.trim()).map_err(|error| error.to_string())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_a_name_and_a_value_and_never_the_token() {
        let (name, value) = parse_header("X-Trace: a:b").unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-trace", "a:b"));
        for bad in ["x-trace", "a b: c", "Authorization: Bearer x", "dpop: x", "x: a\nb"] {
            assert!(parse_header(bad).is_err(), "{bad}");
        }
    }
}
