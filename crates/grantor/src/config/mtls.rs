//! `[mtls]`: where clients show certificates (RFC 8705).

use super::check::Read;
use super::file;
use super::{TlsPaths, overrides::place};
use crate::document::{Problem, Problems};
use grantor_protocol::value::Issuer;
use std::net::SocketAddr;
use std::path::PathBuf;
use url::Url;

/// Where clients show certificates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mtls {
    /// A listener of the server's own.
    pub(crate) listen: Option<MutualListen>,
    /// The authorities that say who a client is.
    pub(crate) client_roots: Option<PathBuf>,
    /// Scheme, host and port by which clients know it, whether it is the server's own or a proxy's.
    pub(crate) public_url: Option<String>,
}

/// A listener for mutual TLS.
#[derive(Clone, Debug)]
pub(crate) struct MutualListen {
    /// Where it answers.
    pub(crate) address: SocketAddr,
    /// What it shows itself.
    pub(crate) tls: TlsPaths,
}

impl Mtls {
    /// What the server is told; nothing when there is no such place.
    pub(super) fn settings(&self) -> Option<grantor_server::Mtls> {
        (self.listen.is_some() || self.public_url.is_some()).then(|| grantor_server::Mtls {
            client_roots: self.client_roots.clone(),
            public_url: self.public_url.clone(),
        })
    }
}

impl Read<'_> {
    /// The section as it is meant.
    pub(super) fn mtls(
        &self,
        section: file::Mtls,
        issuer: &Issuer,
        tls: Option<&TlsPaths>,
        problems: &mut Problems,
    ) -> Mtls {
        let own = self.certificate("mtls", section.certificate, section.key, problems);
        let client_roots = section.client_roots.map(|path| self.file("mtls.client_roots", path, problems));
        let given = section.public_url.as_deref().and_then(origin);
        if let (Some(url), None) = (&section.public_url, &given) {
            let problem = Problem::error(format!("{url:?} is no https URL of scheme, host and port alone"));
            self.push("mtls.public_url", problem, problems);
        }
        let Some(file::Listen(address)) = section.listen else {
            for name in ["mtls.certificate", "mtls.key", "mtls.client_roots"] {
                if place(self.tree, name).is_some() {
                    let problem = Problem::warning(format!("{name} says nothing without mtls.listen"));
                    self.push(name, problem, problems);
                }
            }
            return Mtls { listen: None, client_roots, public_url: given };
        };
        let public_url = given.or_else(|| beside(issuer, address.port()));
        if public_url.is_none() && place(self.tree, "mtls.public_url").is_none() {
            let problem =
                Problem::error("with port 0 the URL of the listener for mutual TLS cannot be known beforehand")
                    .help("give mtls.public_url, or a port".to_owned());
            self.push("mtls.listen", problem, problems);
        }
        let Some(tls) = own.or_else(|| tls.cloned()) else {
            let there = ["mtls.certificate", "mtls.key", "tls.certificate", "tls.key"].iter();
            // Half of a certificate has been said already.
            if !there.into_iter().any(|name| place(self.tree, name).is_some()) {
                let problem = Problem::error("the listener for mutual TLS needs a certificate of the server")
                    .help("give mtls.certificate and mtls.key, or those of [tls]".to_owned());
                self.push("mtls.listen", problem, problems);
            }
            return Mtls { listen: None, client_roots, public_url };
        };
        Mtls { listen: Some(MutualListen { address, tls }), client_roots, public_url }
    }
}

/// The issuer's host at another port.
fn beside(issuer: &Issuer, port: u16) -> Option<String> {
    let url = Url::parse(issuer.as_str()).ok().filter(|_| port != 0)?;
    origin(&format!("https://{}:{port}", url.host_str()?))
}

/// Scheme, host and port of an https URL that has nothing else.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let origin = url.origin().ascii_serialization();
    let alone = url.scheme() == "https" && url.as_str().trim_end_matches('/') == origin;
    alone.then_some(origin)
}
