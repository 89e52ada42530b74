//! Configuration: `grantor.toml`, then the environment, then the command line; read once into [`Configuration`], which
//! nothing below the composition root sees.

mod check;
mod database;
mod file;
mod mtls;
mod operations;
mod outgoing;
mod overrides;
mod show;
#[cfg(test)]
mod tests;

pub(crate) use database::Cluster;
pub(crate) use file::{Level, LogFormat};
pub(crate) use mtls::Mtls;
pub(crate) use operations::Operations;
pub(crate) use outgoing::Outgoing;

use crate::document::{Format, Problem, Problems, Source};
use crate::failure::{Context as _, Failure, Result};
use grantor_fetch::{Origin, Origins};
use grantor_protocol::value::{Issuer, Secret};
use ipnet::IpNet;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What the program runs with.
#[derive(Debug)]
pub(crate) struct Configuration {
    /// Where it answers.
    pub(crate) listen: SocketAddr,
    /// Who it is.
    pub(crate) issuer: Issuer,
    /// Whether nobody said who it is.
    pub(crate) issuer_is_default: bool,
    /// Where it keeps everything.
    pub(crate) data: PathBuf,
    /// The database, when it is not a file there.
    pub(crate) cluster: Option<Cluster>,
    /// Certificate and key, when it speaks TLS itself.
    pub(crate) tls: Option<TlsPaths>,
    /// Whether TLS 1.2 is restricted to the suites of FAPI 2.0.
    pub(crate) fapi_tls: bool,
    /// Where clients show certificates.
    pub(crate) mtls: Mtls,
    /// Whose forwarded headers are believed.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// Whether these say which certificate a client showed.
    pub(crate) client_cert_header: bool,
    /// Whether these may ask what a request's token is worth.
    pub(crate) forward_auth: bool,
    /// What is allowed of requests that the server makes.
    pub(crate) outgoing: Outgoing,
    /// The origins of other servers that the playground may walk through.
    pub(crate) playground_issuers: Vec<Origin>,
    /// What those who run it say.
    pub(crate) operations: Operations,
    /// Where the master key is.
    pub(crate) master_key: MasterKeyAt,
    /// What the log looks like.
    pub(crate) log_format: LogFormat,
    /// How much the log says.
    pub(crate) log_level: Level,
    /// Each setting, its value and where it came from, for `config check`.
    pub(crate) shown: Vec<Shown>,
    /// What looks wrong but stops nothing.
    pub(crate) warnings: Problems,
}

/// Certificate and key as PEM files.
#[derive(Clone, Debug)]
pub(crate) struct TlsPaths {
    /// The chain, the server's own certificate first.
    pub(crate) certificate: PathBuf,
    /// Its private key.
    pub(crate) key: PathBuf,
}

/// Where the master key is.
#[derive(Clone, Debug)]
pub(crate) enum MasterKeyAt {
    /// `master.key` in the data directory, made when it is missing.
    Data,
    /// In a file that somebody else made.
    File(PathBuf),
    /// In the environment.
    Environment(Secret),
}

/// A setting as `config check` shows it.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    /// Its name, with dots.
    pub(crate) name: &'static str,
    /// Its value.
    pub(crate) value: Value,
    /// Where it came from.
    pub(crate) from: String,
}

/// What the command line says over the file and the environment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// `--config`.
    pub(crate) config: Option<PathBuf>,
    /// `--data`.
    pub(crate) data: Option<PathBuf>,
    /// `--database`.
    pub(crate) database: Option<String>,
    /// `--listen`.
    pub(crate) listen: Option<String>,
    /// `--issuer`.
    pub(crate) issuer: Option<String>,
    /// `--mtls-listen`.
    pub(crate) mtls_listen: Option<String>,
    /// `--metrics-listen`.
    pub(crate) metrics_listen: Option<String>,
}

/// What is wrong with the text of a file by itself.
pub(crate) fn problems_of(text: &str) -> String {
    let mut problems = Problems::default();
    let source = Source::new("grantor.toml", text);
    if let Some(tree) = source.parse(Format::Toml, &[], &mut problems) {
        check::settle(tree, &source, Path::new(""), &[], &mut problems);
    }
    problems.render(false)
}

impl Configuration {
    /// Reads everything, or says everything that is wrong. `environment` are the variables that begin with `GRANTOR_`.
    pub(crate) fn read(flags: &Flags, environment: &[(String, String)]) -> Result<Self> {
        let mut problems = Problems::default();
        let source = match &flags.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).context(|| format!("read {}", path.display()))?;
                Source::new(path.display().to_string(), text)
            }
            None => Source::new("defaults", ""),
        };
        let base = flags.config.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let configuration =
            source.parse(Format::guess(&source.name, &source.text), &[], &mut problems).and_then(|mut tree| {
                overrides::apply(&mut tree, flags, environment, &mut problems);
                check::settle(tree, &source, base, environment, &mut problems)
            });
        match configuration {
            Some(mut configuration) if problems.errors() == 0 => {
                configuration.warnings = problems.sorted();
                Ok(configuration)
            }
            _ => {
                let count = problems.errors();
                let what = if count == 1 { "one problem".to_owned() } else { format!("{count} problems") };
                Err(Failure::refused(format!("the configuration has {what}"), problems))
            }
        }
    }

    /// [`Self::read`] with the environment of this process.
    pub(crate) fn of_this_process(flags: &Flags) -> Result<Self> {
        let environment: Vec<(String, String)> =
            std::env::vars().filter(|(name, _)| name.starts_with(overrides::PREFIX)).collect();
        Self::read(flags, &environment)
    }

    /// What the server is told.
    pub(crate) fn settings(&self) -> grantor_server::Settings {
        grantor_server::Settings {
            trusted_proxies: self.trusted_proxies.clone(),
            outgoing: self.outgoing(),
            relay: Origins::new(self.playground_issuers.clone()),
            mtls: self.mtls.settings(),
            fapi_tls: self.fapi_tls,
            client_cert_header: self.client_cert_header,
            forward_auth: self.forward_auth,
            drain: self.operations.drain,
            metrics: self.operations.metrics.is_some(),
            keep_audit_days: self.operations.keep_audit_days,
            ..grantor_server::Settings::new(self.issuer.clone())
        }
    }

    /// What requests to others are told.
    pub(crate) fn outgoing(&self) -> grantor_fetch::Settings {
        grantor_fetch::Settings {
            extra_roots: self.outgoing.extra_roots.clone(),
            allowed_networks: self.outgoing.allowed_networks.clone(),
        }
    }

    /// The file of a database that is no cluster.
    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("grantor.db")
    }
}

impl TlsPaths {
    /// For the server.
    pub(crate) fn files(&self) -> grantor_server::TlsFiles {
        grantor_server::TlsFiles { certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

/// A problem at a place, if there is one.
fn placed(problem: Problem, place: Option<crate::document::Place>) -> Problem {
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}
