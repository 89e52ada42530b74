//! From what was written to what the program runs with, and what is refused on the way.

use super::file::{DataDirectory, File, Listen};
use super::overrides::{self, entry, place};
use super::{Configuration, MasterKeyAt, TlsPaths, placed, show};
use crate::document::{Node, Problem, Problems, Source, decode};
use grantor_protocol::value::{Issuer, Secret};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The settings, as far as they can be understood.
pub(super) fn settle(
    mut tree: Node,
    source: &Arc<Source>,
    base: &Path,
    environment: &[(String, String)],
    problems: &mut Problems,
) -> Option<Configuration> {
    let issuer_place = place(&tree, "issuer");
    let file: File = decode(&mut tree, &[], problems)?;
    if tree.tainted {
        hint_http_issuer(issuer_place, problems);
    }
    // What stands in the file is relative to the file; what was said elsewhere, to the working directory.
    let rooted = |name: &str, path: PathBuf| {
        let in_file = entry(&tree, name).is_some_and(|entry| Arc::ptr_eq(&entry.place.source, source));
        if in_file { base.join(path) } else { path }
    };
    let Listen(listen) = file.listen;
    let DataDirectory(data) = file.data;
    let data = rooted("data", data);
    let issuer_is_default = file.issuer.is_none();
    let issuer = match file.issuer {
        Some(issuer) => issuer,
        None if listen.ip().is_loopback() => Issuer::parse(&format!("http://localhost:{}", listen.port()))?,
        None => {
            let problem = Problem::error(format!("listening on {listen} needs an issuer"))
                .help("say by which URL clients reach it: issuer = \"https://id.example\"".to_owned());
            problems.push(placed(problem, place(&tree, "listen")));
            return None;
        }
    };
    let read = Read { tree: &tree, rooted: &rooted };
    let cluster = read.database(file.database, file.database_password_file, file.migrate, problems);
    let tls = read.certificate("tls", file.tls.certificate, file.tls.key, problems);
    let mtls = read.mtls(file.mtls, &issuer, tls.as_ref(), problems);
    let outgoing = read.outgoing(file.outgoing, problems);
    let trusted_proxies: Vec<_> = file.proxy.trusted.into_iter().map(|network| network.0).collect();
    let proxied = !trusted_proxies.is_empty();
    let operations = read.operations(file.drain_seconds, file.metrics, file.audit, proxied, problems);
    let client_cert_header = file.proxy.client_cert_header;
    if client_cert_header && trusted_proxies.is_empty() {
        let problem = Problem::error("client_cert_header believes the proxies in [proxy] trusted, and there is none");
        problems.push(placed(problem, place(&tree, "proxy.client_cert_header")));
    }
    let forward_auth = file.proxy.forward_auth;
    if forward_auth && trusted_proxies.is_empty() {
        let problem = Problem::error("forward_auth answers the proxies in [proxy] trusted, and there is none");
        problems.push(placed(problem, place(&tree, "proxy.forward_auth")));
    }
    // What was not understood has been replaced by a default, of which there is nothing to say.
    if !tree.tainted {
        check_exposure(&tree, &issuer, listen, tls.is_some(), !trusted_proxies.is_empty(), problems);
    }
    let given = environment.iter().find(|(name, value)| name == overrides::MASTER_KEY && !value.is_empty());
    let master_key = match (given, file.master_key.file) {
        (Some(_), Some(_)) => {
            let problem =
                Problem::error(format!("the master key is given twice: in {} and in a file", overrides::MASTER_KEY));
            problems.push(placed(problem, place(&tree, "master_key.file")));
            return None;
        }
        (Some((_, value)), None) => MasterKeyAt::Environment(Secret::new(value.clone())),
        (None, Some(path)) => MasterKeyAt::File(rooted("master_key.file", path)),
        (None, None) => MasterKeyAt::Data,
    };
    let mut configuration = Configuration {
        listen,
        issuer,
        issuer_is_default,
        data,
        cluster,
        tls,
        fapi_tls: file.tls.fapi,
        mtls,
        trusted_proxies,
        client_cert_header,
        forward_auth,
        outgoing,
        playground_issuers: file.playground.issuers.into_iter().map(|server| server.0).collect(),
        operations,
        master_key,
        log_format: file.log.format,
        log_level: file.log.level,
        shown: Vec::new(),
        warnings: Problems::default(),
    };
    configuration.shown = show::settings(&configuration, &tree);
    Some(configuration)
}

/// What is being read, and where.
pub(super) struct Read<'a> {
    pub(super) tree: &'a Node,
    /// The path of a setting, relative to what it is relative to.
    pub(super) rooted: &'a dyn Fn(&str, PathBuf) -> PathBuf,
}

impl Read<'_> {
    /// Certificate and key of a section: both or neither, and both there.
    pub(super) fn certificate(
        &self,
        section: &str,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        problems: &mut Problems,
    ) -> Option<TlsPaths> {
        let (of_certificate, of_key) = (format!("{section}.certificate"), format!("{section}.key"));
        match (certificate, key) {
            (Some(certificate), Some(key)) => Some(TlsPaths {
                certificate: self.file(&of_certificate, certificate, problems),
                key: self.file(&of_key, key, problems),
            }),
            (None, None) => None,
            (certificate, _) => {
                let (there, missing) =
                    if certificate.is_some() { (of_certificate, of_key) } else { (of_key, of_certificate) };
                let problem = Problem::error(format!("{missing} is missing beside {there}"));
                problems.push(placed(problem, place(self.tree, &there)));
                None
            }
        }
    }

    /// The path of a file that must be there.
    pub(super) fn file(&self, name: &str, path: PathBuf, problems: &mut Problems) -> PathBuf {
        let path = (self.rooted)(name, path);
        if !path.is_file() {
            self.push(name, Problem::error(format!("there is no file {}", path.display())), problems);
        }
        path
    }

    /// Says something of a setting.
    pub(super) fn push(&self, name: &str, problem: Problem, problems: &mut Problems) {
        problems.push(placed(problem, place(self.tree, name)));
    }
}

/// Tokens and passwords never cross a network in the clear.
fn check_exposure(
    tree: &Node,
    issuer: &Issuer,
    listen: std::net::SocketAddr,
    tls: bool,
    proxied: bool,
    problems: &mut Problems,
) {
    let listen_place = place(tree, "listen");
    let issuer_place = place(tree, "issuer");
    if tls && !issuer.is_https() {
        let problem = Problem::error("TLS is configured, but the issuer is an http URL")
            .help(format!("issuer = \"{}\"", issuer.as_str().replacen("http:", "https:", 1)));
        problems.push(placed(problem, issuer_place.or(place(tree, "tls.certificate"))));
    } else if !tls && !proxied && !listen.ip().is_loopback() {
        let problem = Problem::error(format!("listening on {listen} without TLS would send passwords and tokens in the clear"))
            .help(
                "give [tls] certificate and key, or name the proxy that speaks TLS in [proxy] trusted, or listen on 127.0.0.1"
                    .to_owned(),
            );
        problems.push(placed(problem, listen_place));
    } else if !tls && !proxied && issuer.is_https() {
        let problem = Problem::warning("the issuer is an https URL, but neither TLS nor a proxy is configured")
            .help("name the proxy in [proxy] trusted, so that the addresses of clients are known".to_owned());
        problems.push(placed(problem, issuer_place));
    } else if !issuer.is_https() {
        let problem =
            Problem::warning(format!("the issuer is {}: for development on this machine only", issuer.as_str()));
        problems.push(placed(problem, issuer_place));
    }
}

fn hint_http_issuer(issuer: Option<crate::document::Place>, problems: &mut Problems) {
    let Some(issuer) = issuer else { return };
    let text = issuer.source.text.get(issuer.span.clone()).unwrap_or_default();
    if text.trim_start_matches(['"', '\'']).starts_with("http:") {
        problems.help_at(
            &issuer,
            "use https: Grantor speaks TLS itself ([tls] certificate and key), or a proxy does ([proxy] trusted)",
        );
    }
}
