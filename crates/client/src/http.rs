//! How the authorization server is asked: TLS with the platform's roots, no redirects, bounded in time and size.

use crate::error::{Error, Result};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, redirect};
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use rustls_platform_verifier::Verifier;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Longer answers are none of OAuth.
const MAX_BODY: usize = 1 << 20;

/// From the call to the last byte.
const WITHIN: Duration = Duration::from_secs(30);

/// What a connection needs besides the platform's roots.
#[derive(Debug, Default)]
pub struct Tls {
    /// Certificates that are trusted besides those of the platform.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// The certificate that the client shows (RFC 8705), and its key.
    pub identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
}

/// Asks over HTTP. Cheap to clone; clones share their connections.
#[derive(Clone, Debug)]
pub struct Http {
    client: reqwest::Client,
    shows_certificate: bool,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Tls {
    /// Roots from a PEM file's text.
    pub fn trust(&mut self, pem: &[u8]) -> Result<()> {
        self.extra_roots.extend(certificates(pem)?);
        Ok(())
    }

    /// The client's certificate chain and its key, as the text of PEM files.
    pub fn show(&mut self, chain: &[u8], key: &[u8]) -> Result<()> {
        let key = PrivateKeyDer::from_pem_slice(key)
            .map_err(|_| Error::Setup("the file holds no private key in PEM".to_owned()))?;
        self.identity = Some((certificates(chain)?, key));
        Ok(())
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().unwrap_or_default();
    if all.is_empty() { Err(Error::Setup("the file holds no certificate in PEM".to_owned())) } else { Ok(all) }
}

impl Http {
    /// With the platform's roots and nothing else. Reads them, which takes its time: make one and keep it.
    pub fn new() -> Result<Self> {
        Self::with_tls(Tls::default())
    }

    /// The same with roots of one's own, and with a certificate to show.
    pub fn with_tls(tls: Tls) -> Result<Self> {
        let setup = |error: &dyn std::fmt::Display| Error::Setup(format!("cannot set up TLS: {error}"));
        // Named here because the process need not have a default provider, and none is installed behind its back.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier =
            Verifier::new_with_extra_roots(tls.extra_roots, Arc::clone(&provider)).map_err(|error| setup(&error))?;
        let builder = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| setup(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let shows_certificate = tls.identity.is_some();
        let config = match tls.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).map_err(|error| setup(&error))?,
        };
        // No redirects: a token request that is sent elsewhere has sent its secret elsewhere.
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(redirect::Policy::none())
            .timeout(WITHIN)
            .user_agent(concat!("grantor-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| setup(&error))?;
        Ok(Self { client, shows_certificate })
    }

    /// The client of reqwest that is used, for requests to APIs.
    pub fn reqwest(&self) -> &reqwest::Client {
        &self.client
    }

    /// Whether a certificate is shown to those who ask for one.
    pub fn shows_certificate(&self) -> bool {
        self.shows_certificate
    }

    pub(crate) async fn get(&self, url: &Url, headers: HeaderMap) -> Result<Answer> {
        self.answer(self.client.request(Method::GET, url.clone()).headers(headers), url).await
    }

    pub(crate) async fn post(&self, url: &Url, mut headers: HeaderMap, form: &Form) -> Result<Answer> {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        self.answer(self.client.request(Method::POST, url.clone()).headers(headers).body(form.encode()), url).await
    }

    async fn answer(&self, request: reqwest::RequestBuilder, url: &Url) -> Result<Answer> {
        let response = request.send().await.map_err(|error| failed(error, url))?;
        read(response, url).await
    }
}

/// Reads an answer to its end, which must come soon.
pub(crate) async fn read(mut response: reqwest::Response, url: &Url) -> Result<Answer> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut answer = Answer { url: without_query(url), status, headers, body: Vec::new() };
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(error, url))? {
        if answer.body.len() + chunk.len() > MAX_BODY {
            return Err(answer.wrong("with more than a megabyte"));
        }
        answer.body.extend_from_slice(&chunk);
    }
    Ok(answer)
}

fn failed(error: reqwest::Error, url: &Url) -> Error {
    Error::Transport { url: without_query(url), why: cause(&error.without_url()) }
}

impl Answer {
    /// An answer that is not what it must be.
    pub(crate) fn wrong(&self, what: &str) -> Error {
        Error::Answer { url: self.url.clone(), status: self.status, what: what.to_owned() }
    }
}

/// The parameters of a request. Debug shows the names alone.
#[derive(Clone, Default)]
pub(crate) struct Form(Vec<(&'static str, zeroize::Zeroizing<String>)>);

impl Form {
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.push((name, zeroize::Zeroizing::new(value.into())));
    }

    pub(crate) fn add_some(&mut self, name: &'static str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    pub(crate) fn encode(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| (*name, value.as_str()));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// An address to be shown: what follows the path may be a secret.
pub(crate) fn without_query(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// The innermost reason, which says more than "error sending request".
pub(crate) fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
