//! Requests that the server itself puts together of what a user saved: more of HTTP than a page may send, and still nothing
//! by which a request says that it comes from somebody else.

use super::{RelayError, RelayRequest};
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// Methods that make something else of a connection, or show what a proxy added (RFC 9110 9.3.6, 9.3.8).
const REFUSED_METHODS: [Method; 2] = [Method::CONNECT, Method::TRACE];

/// Headers that are the connection's, the client's or a browser's to set (RFC 9110 7.6.1, 8.6, 10.1.1; RFC 9112 6; Fetch,
/// "forbidden request-header"), cookies, and those by which a proxy that is trusted says for whom it speaks.
const REFUSED_HEADERS: [&str; 21] = [
    "accept-encoding",
    "client-cert",
    "client-cert-chain",
    "connection",
    "content-length",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "origin",
    "referer",
    "remote-user",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "via",
];

/// The beginnings of others of this kind.
const REFUSED_BEGINNINGS: [&str; 9] =
    ["access-control-", "cf-", "proxy-", "sec-", "x-client-", "x-forwarded", "x-original-", "x-real-", "x-remote-"];

impl RelayRequest {
    /// A request that a user saved: any method but CONNECT and TRACE, and any header that does not say who asks, or how the
    /// connection is to be used. It goes to listed origins only, as all others do.
    ///
    /// # Errors
    ///
    /// [`RelayError::Method`] and [`RelayError::Header`].
    pub fn composed<'h>(
        method: &str,
        url: String,
        headers: impl IntoIterator<Item = (&'h str, &'h str)>,
        body: Option<String>,
    ) -> Result<Self, RelayError> {
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| RelayError::Method)?;
        if REFUSED_METHODS.contains(&method) {
            return Err(RelayError::Method);
        }
        let mut carried = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::try_from(name).map_err(|_| RelayError::Header)?;
            let mut value = HeaderValue::try_from(value).map_err(|_| RelayError::Header)?;
            value.set_sensitive(true);
            // Whoever reads headers as CGI does takes the two for one (RFC 3875 4.1.18).
            let known = name.as_str().replace('_', "-");
            let refused = REFUSED_HEADERS.contains(&known.as_str())
                || REFUSED_BEGINNINGS.iter().any(|beginning| known.starts_with(beginning));
            if refused || carried.insert(name, value).is_some() {
                return Err(RelayError::Header);
            }
        }
        Ok(Self { method, url, headers: carried, body: body.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(method: &str, headers: &[(&str, &str)]) -> Option<RelayError> {
        let url = "https://api.example".to_owned();
        RelayRequest::composed(method, url, headers.iter().copied(), None).err()
    }

    #[test]
    fn a_saved_request_may_be_any_that_speaks_for_itself() {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"] {
            assert_eq!(
                refused(method, &[("Authorization", "a"), ("X-Trace", "b"), ("If-Match", "c")]),
                None,
                "{method}"
            );
        }
        for method in ["CONNECT", "TRACE", "", "GET /", "GET\r\n"] {
            assert_eq!(refused(method, &[]), Some(RelayError::Method), "{method:?}");
        }
    }

    #[test]
    fn nothing_says_that_it_comes_from_somebody_else() {
        for name in [
            "Host",
            "Cookie",
            "Origin",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Upgrade",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-User",
            "X-Real-IP",
            "x_forwarded_for",
            "Proxy-Authorization",
            "Sec-Fetch-Site",
            "X-Client-Cert",
            "Client-Cert",
            "Remote-User",
            "Via",
            "Accept-Encoding",
            "a b",
            "",
        ] {
            assert_eq!(refused("POST", &[(name, "x")]), Some(RelayError::Header), "{name}");
        }
        assert_eq!(refused("POST", &[("Accept", "a\r\nHost: b")]), Some(RelayError::Header));
        assert_eq!(refused("POST", &[("Accept", "a"), ("accept", "b")]), Some(RelayError::Header));
    }
}
