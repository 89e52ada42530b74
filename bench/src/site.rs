//! A Grantor to measure: the release binary on a folder of its own, with what the paths need declared by a manifest.

mod manifest;
mod population;
mod session;

pub(crate) use population::{MACHINES, Population, first_grant_tokens, tenant_name, username};
pub(crate) use session::Browser;

use crate::failure::{Result, broken};
use crate::http::{self, Answer, Connection};
use crate::process::{Process, free_address};
use grantor_jose::{SigningAlgorithm, SigningKey, base64url};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use manifest::{Api, CALLBACK, PASSWORD, USER, secret};

/// The key under which the others rest: the folder is nobody's secret.
const MASTER_KEY: [u8; 32] = [7; 32];

/// A folder with a database in which the manifest is.
#[derive(Debug)]
pub(crate) struct Site {
    binary: PathBuf,
    pub(crate) folder: PathBuf,
    /// Where it answers when it runs; the issuer has the port in its name.
    pub(crate) address: SocketAddr,
    /// The key of the client that authenticates with one, which also makes proofs.
    pub(crate) key: SigningKey,
    /// Further variables of its environment.
    environment: Vec<(String, String)>,
}

impl Site {
    /// A new one in target/bench.
    pub(crate) fn new(name: &str) -> Result<Self> {
        Self::with(name, &[])
    }

    /// The same with further variables in its environment, which may name another store.
    pub(crate) fn with(name: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let binary = std::env::var_os("GRANTOR_BINARY").map_or_else(|| "target/release/grantor".into(), PathBuf::from);
        let binary = binary
            .canonicalize()
            .map_err(|error| format!("{}: {error}; cargo build --release -p grantor", binary.display()))?;
        let folder = Path::new("target/bench").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let key = SigningKey::generate(SigningAlgorithm::Es256)?;
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let site = Self { binary, folder, address: free_address()?, key, environment };
        let file = site.folder.join("manifest.json");
        std::fs::write(&file, manifest::manifest(&site.key).to_string())?;
        // The first step makes the database and the keys of what the manifest asks for.
        let applied = site.command().arg("apply").arg(&file).output()?;
        if !applied.status.success() {
            return broken(format!("grantor apply: {}", String::from_utf8_lossy(&applied.stderr)));
        }
        Ok(site)
    }

    /// The name of the default tenant's server.
    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("data/grantor.db")
    }

    /// Starts the server.
    pub(crate) fn start(&self) -> Result<Process> {
        let mut command = self.command();
        command.arg("serve");
        let log = std::env::var_os("GRANTOR_BENCH_LOG").map_or_else(|| self.folder.join("server.log"), PathBuf::from);
        Process::start(&mut command, self.address, &log)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        // What the operator of this machine has set is no part of a measurement.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GRANTOR_")) {
            command.env_remove(name);
        }
        command.current_dir(&self.folder);
        command.env("GRANTOR_MASTER_KEY", base64url::encode(MASTER_KEY));
        command.env("GRANTOR_DATA", self.folder.join("data"));
        command.env("GRANTOR_LISTEN", self.address.to_string()).env("GRANTOR_ISSUER", self.issuer());
        // The audit log is in the store; a copy of it in a file would measure the file.
        command.env("GRANTOR_LOG_LEVEL", "warn");
        // As behind a proxy: each device has an address of its own, and one peer any number of connections.
        command.env("GRANTOR_PROXY_TRUSTED", "127.0.0.0/8").env("GRANTOR_PROXY_FORWARD_AUTH", "true");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A connection for preparations.
    pub(crate) fn connect(&self) -> Result<Connection> {
        Connection::open(self.address)
    }
}

/// The credentials of a client with the secret.
pub(crate) fn basic(client: &str) -> String {
    format!("Basic {}", base64_standard(format!("{client}:{}", secret()).as_bytes()))
}

/// A form of a client with the secret.
pub(crate) fn form_of(client: &str, path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    http::form(path, &[("authorization", &basic(client))], fields)
}

/// The same, sent.
pub(crate) fn post(connection: &mut Connection, client: &str, path: &str, fields: &[(&str, &str)]) -> Result<Answer> {
    connection.call(&form_of(client, path, fields))?.good()
}

/// Basic credentials are in the alphabet that has `+` and `/` (RFC 7617 2).
fn base64_standard(bytes: &[u8]) -> String {
    let mut text = base64url::encode(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A value that nobody used before.
pub(crate) fn fresh() -> Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(base64url::encode(bytes))
}
