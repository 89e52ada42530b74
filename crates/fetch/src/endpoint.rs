//! Endpoints that are asked with a form, by somebody who shows who he is (RFC 6749 3.2, RFC 7662 2.1).

use crate::fetcher::read;
use crate::{Document, FetchError, Fetched, Fetcher};
use reqwest::Client;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use std::fmt;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

/// An endpoint behind the guard. Unlike documents, which are cached, it is asked every time; its connections are kept.
pub struct Endpoint {
    client: Client,
    url: Url,
    total: Duration,
}

/// What came of asking again for a document.
#[derive(Clone, Debug)]
pub enum Polled {
    /// It is the version that was known.
    Unchanged,
    /// Another one, and the name of this version if it has one.
    Changed(Fetched, Option<String>),
}

impl Fetcher {
    /// The endpoint at this URL. Touches no network.
    ///
    /// # Errors
    ///
    /// When the URL must not be asked, see [`FetchError`].
    pub async fn endpoint(&self, url: &str) -> Result<Endpoint, FetchError> {
        let url = self.target(url)?.into_url();
        let (client, total) = self.for_endpoints().await?;
        Ok(Endpoint { client, url, total })
    }
}

impl Endpoint {
    /// Posts a form, written as `application/x-www-form-urlencoded`, and gives what is answered to it with 200 and JSON.
    /// Answers within 5 seconds. How many ask at once is for the caller to bound.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn post_form(&self, authorization: Option<&str>, form: String) -> Result<Fetched, FetchError> {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(ACCEPT, Document::Answer.content_types().join(", "))
            .header(ACCEPT_ENCODING, "identity")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::try_from(authorization)
                .map_err(|_| FetchError::Transport("the credentials cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let exchange = async {
            let response = request.send().await.map_err(|why| FetchError::of_exchange(&why))?;
            read(response, Document::Answer).await
        };
        timeout(self.total, exchange).await.unwrap_or(Err(FetchError::TooSlow))
    }

    /// Asks for a document that is asked for again and again; `known` is the version that is at hand (RFC 9110 13.1.2).
    /// Answers within 5 seconds.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn poll(&self, what: Document, known: Option<&str>) -> Result<Polled, FetchError> {
        let mut request = self
            .client
            .get(self.url.clone())
            .header(ACCEPT, what.content_types().join(", "))
            .header(ACCEPT_ENCODING, "identity");
        if let Some(known) = known.and_then(|known| HeaderValue::try_from(known).ok()) {
            request = request.header(IF_NONE_MATCH, known);
        }
        let exchange = async {
            let response = request.send().await.map_err(|why| FetchError::of_exchange(&why))?;
            if known.is_some() && response.status() == StatusCode::NOT_MODIFIED {
                return Ok(Polled::Unchanged);
            }
            let version = response.headers().get(ETAG).and_then(|version| version.to_str().ok()).map(str::to_owned);
            Ok(Polled::Changed(read(response, what).await?, version))
        };
        timeout(self.total, exchange).await.unwrap_or(Err(FetchError::TooSlow))
    }
}

/// Without the URL: it may be one that not everybody may see.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[tokio::test]
    async fn an_endpoint_is_behind_the_guard() {
        let guarded = Fetcher::new(Settings::default()).unwrap();
        let here = Fetcher::for_loopback(Settings::default()).unwrap();
        let refusal = async |fetcher: &Fetcher, url: &str| fetcher.endpoint(url).await.err();
        for url in ["http://id.example/introspect", "http://127.0.0.1/introspect"] {
            assert_eq!(refusal(&guarded, url).await, Some(FetchError::NotHttps), "{url}");
        }
        assert_eq!(refusal(&guarded, "https://127.0.0.1/introspect").await, Some(FetchError::ForbiddenAddress));
        assert_eq!(refusal(&guarded, "https://a:b@id.example/").await, Some(FetchError::MalformedUrl));
        assert_eq!(refusal(&guarded, "https://id.example/introspect").await, None);
        assert_eq!(refusal(&here, "http://127.0.0.1:8080/introspect").await, None);
        assert_eq!(refusal(&here, "http://id.example/introspect").await, Some(FetchError::NotHttps));
        assert_eq!(refusal(&here, "https://10.0.0.1/introspect").await, Some(FetchError::ForbiddenAddress));
    }

    #[tokio::test]
    async fn what_cannot_stand_in_a_header_is_not_sent() {
        let fetcher = Fetcher::for_loopback(Settings::default()).unwrap();
        let endpoint = fetcher.endpoint("http://127.0.0.1:9/").await.unwrap();
        let refused = endpoint.post_form(Some("Basic a\r\nX: y"), String::new()).await;
        assert!(matches!(refused, Err(FetchError::Transport(why)) if why.contains("header")));
    }
}
