//! The request that a proxy asks about: what a DPoP proof must be made for (RFC 9449 4.3).

use crate::error::Refusal;
use url::Url;

/// Method and path of the request that the client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Original {
    /// The method, as it came.
    pub method: String,
    /// The path, as it came: escapes are kept, the query is not part of it.
    pub path: String,
}

/// The headers in which proxies say it: method, and path with query or the whole URL. The first two are what people write
/// into the configuration of nginx, the third is what Traefik and Caddy send.
pub const SOURCES: [(&str, &str); 3] = [
    ("x-original-method", "x-original-uri"),
    ("x-original-method", "x-original-url"),
    ("x-forwarded-method", "x-forwarded-uri"),
];

impl Original {
    /// From the headers of the proxy's question; `values` gives every value of a header.
    ///
    /// # Errors
    ///
    /// A request that is described in two ways, or twice, is refused: a proxy sets one of them and lets the others of a
    /// client through, and it is not known which is which.
    pub fn of_headers<'a>(values: impl Fn(&str) -> Vec<&'a str>) -> Result<Self, Refusal> {
        let said: Vec<_> = SOURCES.into_iter().filter(|(_, uri)| !values(uri).is_empty()).collect();
        let [(method, uri)] = said.as_slice() else {
            return Err(if said.is_empty() {
                Refusal::OriginalRequestUnknown
            } else {
                Refusal::OriginalRequestAmbiguous
            });
        };
        let one = |name: &str| match values(name).as_slice() {
            [one] => Ok((*one).to_owned()),
            [] => Err(Refusal::OriginalRequestUnknown),
            _ => Err(Refusal::OriginalRequestAmbiguous),
        };
        Self::new(&one(method)?, &one(uri)?)
    }

    /// From a question that repeats the request, as Envoy's does: its method, and what follows the proxy's prefix.
    ///
    /// # Errors
    ///
    /// When that is no path.
    pub fn new(method: &str, target: &str) -> Result<Self, Refusal> {
        let path = if target.starts_with('/') {
            target.split(['?', '#']).next().unwrap_or_default().to_owned()
        } else {
            let url = Url::parse(target).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
            url.ok_or(Refusal::OriginalRequestUnknown)?.path().to_owned()
        };
        Ok(Self { method: method.to_owned(), path })
    }
}
