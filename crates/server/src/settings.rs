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
    /// How many connections are served at once.
    pub max_connections: usize,
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
        Self { issuer, trusted_proxies: Vec::new(), demo_api: false, templates: None, max_connections: 10_000 }
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
