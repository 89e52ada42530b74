//! `grantor.toml`, section by section. The defaults stand here and nowhere else.

use grantor_fetch::Origin;
use grantor_protocol::value::{Issuer, Secret};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "settings have the names that people write")]
pub(super) struct File {
    /// The URL of the server, as clients know it; without one `http://localhost` and the port.
    pub(super) issuer: Option<Issuer>,
    /// Where to answer.
    pub(super) listen: Listen,
    /// The data directory.
    pub(super) data: DataDirectory,
    /// The URL of a PostgreSQL database; without one a file in the data directory.
    #[serde(deserialize_with = "secret")]
    pub(super) database: Option<Secret>,
    /// A file with its password.
    pub(super) database_password_file: Option<PathBuf>,
    /// Who brings its schema up to date.
    pub(super) migrate: Option<Migrate>,
    /// For how many seconds it serves on after it was told to stop.
    pub(super) drain_seconds: Option<u32>,
    /// TLS of its own.
    pub(super) tls: Tls,
    /// The listener for mutual TLS.
    pub(super) mtls: Mtls,
    /// A proxy in front.
    pub(super) proxy: Proxy,
    /// Requests that the server makes.
    pub(super) outgoing: Outgoing,
    /// The pages for learning.
    pub(super) playground: Playground,
    /// The key that seals all others.
    pub(super) master_key: MasterKey,
    /// The log.
    pub(super) log: Log,
    /// Figures.
    pub(super) metrics: Metrics,
    /// The audit log.
    pub(super) audit: Audit,
}

/// `[metrics]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    /// Where they are; without it nowhere, and nothing is counted.
    pub(super) listen: Option<Listen>,
}

/// `[audit]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Audit {
    /// For how many days events are kept; 0: for ever.
    pub(super) keep_days: Option<u32>,
}

/// `[tls]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    /// A PEM file with the chain.
    pub(super) certificate: Option<PathBuf>,
    /// A PEM file with the private key.
    pub(super) key: Option<PathBuf>,
    /// Whether TLS 1.2 is restricted to the suites of FAPI 2.0, at every listener.
    pub(super) fapi: bool,
}

/// `[mtls]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Mtls {
    /// Where clients with certificates are answered; without it nowhere.
    pub(super) listen: Option<Listen>,
    /// A PEM file with the chain; without one that of `[tls]`.
    pub(super) certificate: Option<PathBuf>,
    /// A PEM file with the private key; without one that of `[tls]`.
    pub(super) key: Option<PathBuf>,
    /// A PEM file with the authorities that say who a client is.
    pub(super) client_roots: Option<PathBuf>,
    /// By which URL clients know that listener; without one the issuer's host and its port.
    pub(super) public_url: Option<String>,
}

/// `[proxy]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Proxy {
    /// The addresses whose forwarded headers are believed.
    pub(super) trusted: Vec<Network>,
    /// Whether they say which certificate a client showed (RFC 9440).
    pub(super) client_cert_header: bool,
    /// Whether they may ask what a request's token is worth.
    pub(super) forward_auth: bool,
}

/// `[outgoing]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Outgoing {
    /// A PEM file with authorities that are trusted besides those of the platform.
    pub(super) extra_ca: Option<PathBuf>,
    /// Networks that may be asked although they are not public.
    pub(super) allowed_networks: Vec<Network>,
}

/// `[playground]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Playground {
    /// The origins of other servers that it may walk through.
    pub(super) issuers: Vec<OtherServer>,
}

/// `[master_key]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct MasterKey {
    /// A file with 32 bytes in base64url.
    pub(super) file: Option<PathBuf>,
}

/// `[log]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    /// For people or for programs.
    pub(super) format: LogFormat,
    /// How much.
    pub(super) level: Level,
}

/// `log.format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// `log.level`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// What went wrong.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And how.
    Debug,
    /// And everything else.
    Trace,
}

/// `migrate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Migrate {
    /// Every server, when it starts.
    #[default]
    Auto,
    /// `grantor migrate` alone.
    Manual,
}

/// `listen`: an IP address and a port; `localhost` is 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listen(pub(super) SocketAddr);

/// `data`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct DataDirectory(pub(super) PathBuf);

/// An address or a network in CIDR form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network(pub(super) IpNet);

/// The origin of another server.
#[derive(Clone, Debug)]
pub(super) struct OtherServer(pub(super) Origin);

impl Default for Listen {
    fn default() -> Self {
        Self(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))
    }
}

impl Default for DataDirectory {
    fn default() -> Self {
        Self(PathBuf::from("grantor-data"))
    }
}

impl Listen {
    /// The only door in.
    pub(super) fn parse(raw: &str) -> Option<Self> {
        let numeric = raw.strip_prefix("localhost:").map(|port| format!("127.0.0.1:{port}"));
        numeric.as_deref().unwrap_or(raw).parse().ok().map(Self)
    }
}

/// Taken as it is: what is wrong with it is said without showing it.
fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    String::deserialize(deserializer).map(Secret::new).map(Some)
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).ok_or_else(|| {
            serde::de::Error::custom(format!("{raw:?} is no address and port, such as 127.0.0.1:8080 or [::1]:8080"))
        })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        let network = raw.parse::<IpNet>().or_else(|_| raw.parse::<std::net::IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| {
            serde::de::Error::custom(format!("{raw:?} is no address or network, such as 10.0.0.7 or 10.0.0.0/8"))
        })
    }
}

impl<'de> Deserialize<'de> for OtherServer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Origin::parse(&raw).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "{raw:?} is no https origin, such as https://idp.example (no path, no slash)"
            ))
        })
    }
}
