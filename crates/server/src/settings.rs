//! What the composition root decides. Nothing below it sees the configuration itself.

use grantor_protocol::value::{EventId, Issuer};
use ipnet::IpNet;
use std::path::PathBuf;
use std::time::Duration;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The issuer of the default tenant.
    pub issuer: Issuer,
    /// The proxies whose forwarded headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether the demo APIs are served.
    pub demo_api: bool,
    /// Clients of the demo, with all that they prove themselves by: its playground gives them to everybody who opens it.
    pub demo_clients: Vec<serde_json::Value>,
    /// A folder with templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// What is allowed of outgoing requests.
    pub outgoing: grantor_fetch::Settings,
    /// Whom the playground's relay may ask; nobody: there is no relay.
    pub relay: grantor_fetch::Origins,
    /// How many connections are served at once.
    pub max_connections: usize,
    /// For how long new connections are still served after the server was told to stop, so that whoever spreads
    /// requests over several nodes sees in time that this one is not ready any more.
    pub drain: Duration,
    /// Whether figures are kept for [`Server::run_operations`](crate::Server::run_operations).
    pub metrics: bool,
    /// For how many days audit events are kept; without one, for ever.
    pub keep_audit_days: Option<u32>,
    /// What concerns the listener for mutual TLS, if there is one.
    pub mtls: Option<Mtls>,
    /// Whether TLS 1.2 is restricted to the cipher suites that FAPI 2.0 Security Profile 5.2.2 permits, at every
    /// listener.
    pub fapi_tls: bool,
    /// Whether `Client-Cert` is believed from `trusted_proxies` (RFC 9440). They must have checked the chain of what
    /// they pass on, and must let no such header of a client through.
    pub client_cert_header: bool,
    /// Whether `trusted_proxies` are told at `/forward-auth` what the token of a request is worth. Where such a proxy also
    /// passes requests on to this server, it must keep that address out of them.
    pub forward_auth: bool,
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
            demo_clients: Vec::new(),
            templates: None,
            outgoing: grantor_fetch::Settings::default(),
            relay: grantor_fetch::Origins::default(),
            max_connections: 10_000,
            drain: Duration::ZERO,
            metrics: false,
            keep_audit_days: None,
            mtls: None,
            fapi_tls: false,
            client_cert_header: false,
            forward_auth: false,
        }
    }

    /// The first audit event that is kept, when it is this many milliseconds since the epoch.
    pub(crate) fn keep_events_from(&self, millis: u64) -> EventId {
        let days = self.keep_audit_days.map(|days| u64::from(days).saturating_mul(MILLIS_OF_A_DAY));
        EventId::from_bytes(match days.and_then(|days| millis.checked_sub(days)) {
            // Ids sort by the millisecond that they begin with.
            Some(from) => (u128::from(from) << 80).to_be_bytes(),
            None => [0; 16],
        })
    }
}

const MILLIS_OF_A_DAY: u64 = 86_400_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audit_events_are_kept_for_as_many_days_as_was_said() {
        let mut settings = Settings::new(Issuer::parse("https://id.example").unwrap());
        let now = 1_800_000_000_000;
        assert_eq!(settings.keep_events_from(now), EventId::from_bytes([0; 16]), "for ever");
        settings.keep_audit_days = Some(400);
        let from = settings.keep_events_from(now);
        let edge = now - 400 * MILLIS_OF_A_DAY;
        assert!(EventId::new(edge, [0; 10]) >= from && EventId::new(edge - 1, [0xff; 10]) < from);
        settings.keep_audit_days = Some(u32::MAX);
        assert_eq!(settings.keep_events_from(now), EventId::from_bytes([0; 16]), "longer than time");
    }
}
