//! What the composition root decides. Nothing below it sees the configuration itself.

use grantor_protocol::value::Issuer;
use ipnet::IpNet;
use std::path::PathBuf;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of the default tenant.
    pub issuer: Issuer,
    /// The proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the demo APIs are served.
    pub demo_api: bool,
    /// A folder with templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// What is allowed of outgoing requests.
    pub outgoing: grantor_fetch::Settings,
    /// How many connections are served at once.
    pub max_connections: usize,
    /// What concerns the listener for mutual TLS, if there is one.
    pub mtls: Option<Mtls>,
    /// Whether TLS 1.2 is restricted to the cipher suites that FAPI 2.0 Security Profile 5.2.2 permits, at every
    /// listener.
    pub fapi_tls: bool,
    /// Whether `Client-Cert` is believed from `trusted_proxies` (RFC 9440). They must have checked the chain of what
    /// they pass on, and must let no such header of a client through.
    pub client_cert_header: bool,
}

/// What concerns the listener for mutual TLS (RFC 8705).
#[derive(Clone, Debug, Default)]
pub struct Mtls {
    /// The authorities that are trusted to say who a client is (`tls_client_auth`), PEM; reloaded when the file
    /// changes. Without it there are none, and certificates serve `self_signed_tls_client_auth` and bound tokens alone.
    pub client_roots: Option<PathBuf>,
    /// Scheme, host and port by which clients know that listener: the base of `mtls_endpoint_aliases` (RFC 8705 5).
    pub public_url: Option<String>,
}

/// The files of the certificate; reloaded when they change.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, PEM, leaf first.
    pub certificate: PathBuf,
    /// The key, PEM.
    pub key: PathBuf,
}

impl Settings {
    /// The defaults for an issuer.
    pub fn new(issuer: Issuer) -> Self {
        Self {
            issuer,
            trusted_proxies: Vec::new(),
            demo_api: false,
            templates: None,
            outgoing: grantor_fetch::Settings::default(),
            max_connections: 10_000,
            mtls: None,
            fapi_tls: false,
            client_cert_header: false,
        }
    }
}

/// The server's own origin, as browsers send it.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) text: String,
    pub(crate) secure: bool,
}

impl Origin {
    pub(crate) fn of(issuer: &Issuer) -> Self {
        Self { text: issuer.origin(), secure: issuer.is_https() }
    }
}
