//! Requests that somebody composes in a browser, passed on to the few servers that the operator named: no open proxy.
//!
//! What may be sent is decided twice. Here by construction: of a page two methods and four headers, of the desk what
//! [`RelayRequest::composed`] says, no cookie in either direction, and of all origins those on the list; then by the guard, as
//! for every other request. Being on the list opens no address: one that is not public is asked only if the operator allows
//! its network too.

mod composed;

use crate::fetcher::Limits;
use crate::target::Target;
use crate::{FetchError, Fetcher, Settings, SetupError};
use ipnet::{Ipv4Net, Ipv6Net};
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName,
    HeaderValue, SET_COOKIE, TRANSFER_ENCODING,
};
use reqwest::{Method, Response};
use std::fmt;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use url::{Host, Url};

/// Scheme, host and port (RFC 6454 4): https, or http at this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

/// Who may be asked. Nobody, unless it is said.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    named: Vec<Origin>,
    loopback: bool,
}

/// Passes requests on. Cheap when nobody uses it: nothing is set up before the first request.
pub struct Relay {
    fetcher: Fetcher,
    origins: Origins,
    places: Semaphore,
}

/// A request that may be passed on, if its URL is at a listed origin.
pub struct RelayRequest {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: String,
}

/// What came of it, whatever its status.
#[derive(Clone)]
pub struct RelayAnswer {
    /// The status.
    pub status: u16,
    /// The headers, as text; without cookies and without those that concern the connection alone.
    pub headers: Vec<(String, String)>,
    /// The body, at most 256 KiB; what is no UTF-8 in it is replaced.
    pub body: String,
    /// From resolving the name to the last byte: the time of others.
    pub took: Duration,
}

/// Why a request was not passed on, or not answered. The texts are for the log; none of them holds any part of the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayError {
    /// Another method than GET and POST, or a GET with a body.
    #[error("the method is not passed on")]
    Method,
    /// A header that is not on the list, twice, or not a header.
    #[error("a header is not passed on")]
    Header,
    /// The URL's origin is not on the list.
    #[error("the URL is not at a listed origin")]
    NotListed,
    /// The guard refused, or nothing came.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// The headers of a request that are passed on.
const CARRIED: [HeaderName; 4] = [ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("dpop")];

/// The headers of an answer that are not: cookies would be another site's, the others are each connection's own (RFC 9110 7.6.1).
const DROPPED: [HeaderName; 4] = [SET_COOKIE, CONNECTION, TRANSFER_ENCODING, HeaderName::from_static("keep-alive")];

/// So many are under way at once.
const PLACES: usize = 16;

/// The longest body of an answer, in bytes: that of a key set.
const MAX_ANSWER: usize = 256 * 1024;

impl Origin {
    /// Reads an origin as browsers write it: no path, no default port, lower case. An http origin is one of this machine.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let url = Url::parse(raw).ok()?;
        let known = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url),
            _ => false,
        };
        let origin = url.origin().ascii_serialization();
        // A pattern is refused rather than taken for the name of a host.
        (known && origin == raw && !raw.contains('*')).then_some(Self(origin))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Origins {
    /// These and no others.
    #[must_use]
    pub fn new(named: Vec<Origin>) -> Self {
        Self { named, loopback: false }
    }

    /// Every port of this machine, also by plain http: for a demo.
    #[must_use]
    pub fn of_this_machine() -> Self {
        Self { named: Vec::new(), loopback: true }
    }

    /// Whether nobody may be asked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && !self.loopback
    }

    /// Those that are named.
    #[must_use]
    pub fn named(&self) -> &[Origin] {
        &self.named
    }

    /// Whether every port of this machine may be asked.
    #[must_use]
    pub fn loopback(&self) -> bool {
        self.loopback
    }

    /// Of the URL that will be asked, never of the text that it was read from.
    fn admit(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        self.named.iter().any(|named| named.0 == origin) || (self.loopback && is_loopback(url))
    }
}

impl RelayRequest {
    /// Reads what a page wants to send.
    ///
    /// # Errors
    ///
    /// [`RelayError::Method`] and [`RelayError::Header`].
    pub fn parse(
        method: &str,
        url: String,
        headers: &[(String, String)],
        body: Option<String>,
    ) -> Result<Self, RelayError> {
        let method = match (method, &body) {
            ("GET", None) => Method::GET,
            ("POST", _) => Method::POST,
            _ => return Err(RelayError::Method),
        };
        let mut carried = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| RelayError::Header)?;
            let mut value = HeaderValue::try_from(value).map_err(|_| RelayError::Header)?;
            value.set_sensitive(true);
            if !CARRIED.contains(&name) || carried.insert(name, value).is_some() {
                return Err(RelayError::Header);
            }
        }
        Ok(Self { method, url, headers: carried, body: body.unwrap_or_default() })
    }

    /// Where it is to go, as far as a log may say: scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> String {
        Url::parse(&self.url).map_or_else(|_| "no URL".to_owned(), |url| url.origin().ascii_serialization())
    }
}

impl Relay {
    /// A relay to these origins. What `settings` allows is allowed here too; touches no network.
    ///
    /// # Errors
    ///
    /// When one of the additional roots is not usable.
    pub fn new(settings: Settings, origins: Origins) -> Result<Self, SetupError> {
        Self::with_limits(settings, origins, Limits::default())
    }

    fn with_limits(settings: Settings, origins: Origins, limits: Limits) -> Result<Self, SetupError> {
        let fetcher = Fetcher::for_relay(settings, origins.loopback, limits)?;
        Ok(Self { fetcher, origins, places: Semaphore::new(PLACES) })
    }

    /// To whom it relays.
    #[must_use]
    pub fn origins(&self) -> &Origins {
        &self.origins
    }

    /// Passes a request on. Answers within 6 seconds. A redirect is an answer like any other: it is not followed.
    ///
    /// # Errors
    ///
    /// See [`RelayError`].
    pub async fn pass_on(&self, request: RelayRequest) -> Result<RelayAnswer, RelayError> {
        // Whom a URL means comes first: what is not listed learns nothing about the network.
        let everywhere = [Ipv4Net::default().into(), Ipv6Net::default().into()];
        if !self.origins.admit(&Target::parse_or_loopback(&request.url, &everywhere)?.into_url()) {
            return Err(RelayError::NotListed);
        }
        let url = Target::parse_or_loopback(&request.url, self.fetcher.allowed())?.into_url();
        let (client, queue, total) = self.fetcher.for_relayed().await?;
        let place = timeout(queue, self.places.acquire()).await.ok().and_then(Result::ok);
        let _place = place.ok_or(FetchError::Throttled)?;
        let begun = Instant::now();
        let request = client
            .request(request.method, url)
            .headers(request.headers)
            .header(ACCEPT_ENCODING, "identity")
            .body(request.body);
        let exchange = async { read(request.send().await.map_err(|why| FetchError::of_exchange(&why))?).await };
        let (status, headers, body) = timeout(total, exchange).await.unwrap_or(Err(FetchError::TooSlow))?;
        Ok(RelayAnswer { status, headers, body, took: begun.elapsed() })
    }
}

type Read = (u16, Vec<(String, String)>, String);

async fn read(mut response: Response) -> Result<Read, FetchError> {
    if response.headers().get_all(CONTENT_ENCODING).iter().any(|value| value != "identity") {
        return Err(FetchError::WrongContentType);
    }
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().filter(|(name, _)| !DROPPED.contains(name));
    let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|why| FetchError::of_exchange(&why))? {
        if body.len().saturating_add(chunk.len()) > MAX_ANSWER {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, String::from_utf8_lossy(&body).into_owned()))
}

/// A literal loopback address, or the name that RFC 6761 6.3 reserves for it.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("origins", &self.origins).finish_non_exhaustive()
    }
}

/// Without URL, headers and body: there are secrets in each of them.
impl fmt::Debug for RelayRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayRequest").field("origin", &self.origin()).finish_non_exhaustive()
    }
}

/// Without headers and body: an answer of a token endpoint is nothing but secrets.
impl fmt::Debug for RelayAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayAnswer").field("status", &self.status).field("took", &self.took).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(origins: &[&str]) -> Origins {
        Origins::new(origins.iter().map(|origin| Origin::parse(origin).unwrap()).collect())
    }

    async fn asked(relay: &Relay, url: &str) -> Option<RelayError> {
        relay.pass_on(RelayRequest::parse("GET", url.to_owned(), &[], None).unwrap()).await.err()
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for origin in ["https://idp.example", "https://idp.example:8443", "http://localhost:9000", "http://[::1]:9000"]
        {
            assert_eq!(Origin::parse(origin).unwrap().as_str(), origin);
        }
        for other in [
            "https://idp.example/",
            "https://idp.example:443",
            "https://IDP.example",
            "https://idp.example/realm",
            "https://a@idp.example",
            "https://*.example",
            "http://idp.example",
            "http://10.0.0.1",
            "file:///etc",
            "idp.example",
            "*",
            "null",
            "",
        ] {
            assert_eq!(Origin::parse(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_admitted_begins_with_a_listed_origin(raw in "https://[a-z0-9.:@#/?\\\\]{0,12}(idp\\.example)?[a-z0-9.:@#/?\\\\]{0,12}") {
            let everywhere = [Ipv4Net::default().into(), Ipv6Net::default().into()];
            if let Ok(target) = Target::parse_or_loopback(&raw, &everywhere)
                && listed(&["https://idp.example"]).admit(&target.into_url())
            {
                let rest = raw.strip_prefix("https://idp.example").unwrap();
                // The default port may be written out, or left empty (RFC 3986 6.2.3).
                let port = |after: &'_ str| after.trim_start_matches('0').strip_prefix("443").unwrap_or(after).to_owned();
                let rest = rest.strip_prefix(':').map_or_else(|| rest.to_owned(), port);
                prop_assert!(rest.is_empty() || rest.starts_with(['/', '?']), "{}", raw);
            }
        }
    }

    #[test]
    fn two_methods_and_four_headers_are_passed_on() {
        let parse = |method: &str, headers: &[(&str, &str)], body: Option<&str>| {
            let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            RelayRequest::parse(method, "https://idp.example".to_owned(), &headers, body.map(str::to_owned)).err()
        };
        let all = [("Authorization", "a"), ("DPoP", "b"), ("content-type", "c"), ("Accept", "d")];
        assert_eq!(parse("POST", &all, Some("x")), None);
        assert_eq!(parse("GET", &all, None), None);
        for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE", "get", ""] {
            assert_eq!(parse(method, &[], None), Some(RelayError::Method), "{method}");
        }
        assert_eq!(parse("GET", &[], Some("")), Some(RelayError::Method));
        for name in ["Cookie", "Host", "Origin", "X-Forwarded-For", "Content-Length", "Proxy-Authorization", "a b", ""]
        {
            assert_eq!(parse("POST", &[(name, "x")], None), Some(RelayError::Header), "{name}");
        }
        assert_eq!(parse("POST", &[("Accept", "a\r\nHost: b")], None), Some(RelayError::Header));
        assert_eq!(parse("POST", &[("Accept", "a"), ("accept", "b")], None), Some(RelayError::Header));
    }

    #[tokio::test]
    async fn nobody_is_asked_who_is_not_on_the_list() {
        let relay = Relay::new(Settings::default(), listed(&["https://idp.example"])).unwrap();
        for url in [
            "https://idp.example.evil.example/",
            "https://idp.example:8443/",
            "https://sub.idp.example/",
            "https://evil.example/https://idp.example",
            "https://evil.example/?https://idp.example",
        ] {
            assert_eq!(asked(&relay, url).await, Some(RelayError::NotListed), "{url}");
        }
        for url in
            ["https://idp.example@evil.example/", "https://idp.example\\@evil.example/", "https://idp.example/#x"]
        {
            assert_eq!(asked(&relay, url).await, Some(FetchError::MalformedUrl.into()), "{url}");
        }
        for url in ["http://idp.example/", "ftp://idp.example/", "file:///etc/passwd", "data:,x"] {
            assert_eq!(asked(&relay, url).await, Some(FetchError::NotHttps.into()), "{url}");
        }
        let nobody = Relay::new(Settings::default(), Origins::default()).unwrap();
        assert_eq!(asked(&nobody, "https://idp.example/").await, Some(RelayError::NotListed));
        assert!(nobody.origins().is_empty());
    }

    #[tokio::test]
    async fn the_list_opens_no_address_that_is_not_public() {
        let origins = [
            "https://127.0.0.1:9",
            "http://127.0.0.1:9",
            "https://[::ffff:7f00:1]:9",
            "https://10.0.0.1",
            "https://localhost:9",
        ];
        let relay = Relay::new(Settings::default(), listed(&origins)).unwrap();
        for url in origins {
            assert_eq!(asked(&relay, url).await, Some(FetchError::ForbiddenAddress.into()), "{url}");
        }
    }

    #[tokio::test]
    async fn a_few_wait_for_others_and_none_for_ever() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let short = Duration::from_millis(200);
        let limits = Limits { total: short, queue: short, ..Limits::default() };
        let relay = Relay::with_limits(Settings::default(), Origins::of_this_machine(), limits).unwrap();
        // It takes the connection and says nothing.
        assert_eq!(asked(&relay, &url).await, Some(FetchError::TooSlow.into()));
        let all = relay.places.acquire_many(u32::try_from(PLACES).unwrap()).await.unwrap();
        assert_eq!(asked(&relay, &url).await, Some(FetchError::Throttled.into()));
        drop(all);
        assert_eq!(asked(&relay, &url).await, Some(FetchError::TooSlow.into()));
    }

    #[tokio::test]
    async fn this_machine_means_this_machine() {
        let relay = Relay::new(Settings::default(), Origins::of_this_machine()).unwrap();
        for url in ["https://idp.example/", "https://localhost.evil.example/", "https://8.8.8.8/"] {
            assert_eq!(asked(&relay, url).await, Some(RelayError::NotListed), "{url}");
        }
        assert_eq!(asked(&relay, "http://localhost.evil.example/").await, Some(FetchError::NotHttps.into()));
        // Nothing listens at port 9: the guard let it through.
        assert!(matches!(
            asked(&relay, "http://127.0.0.1:9/").await,
            Some(RelayError::Fetch(FetchError::Transport(_)))
        ));
    }
}
