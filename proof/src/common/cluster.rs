//! Nodes of Grantor over one database, as an operator would set them up.

use super::http::Connection;
use anyhow::{Context as _, Result, bail, ensure};
use grantor_jose::base64url;
use grantor_protocol::client::ClientSecret;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

/// The application that people allow something.
pub(crate) const CLIENT: &str = "web";
/// The API that introspects.
pub(crate) const API: &str = "notes-api";
/// From which the secret of both follows.
const SEED: [u8; 32] = [9; 32];
/// Who allows.
pub(crate) const USERNAME: &str = "alice";
pub(crate) const PASSWORD: &str = "proof-password";
pub(crate) const REDIRECT_URI: &str = "http://127.0.0.1:5997/callback";
/// Sealed tokens: so that what is introspected is what Grantor alone can read.
pub(crate) const SCOPE: &str = "notes:read offline_access";
/// One master key for all nodes; there is nothing to protect.
const MASTER_KEY: [u8; 32] = [7; 32];
/// The code and the window of grace last longer than any proof, so that what is refused is refused for one reason only.
const HOURS: u32 = 7_200;
/// Codes live for ten minutes at most (RFC 6749 4.1.2).
const CODE: u32 = 600;
const PATIENCE: Duration = Duration::from_mins(1);

/// Nodes, running or not.
#[derive(Debug)]
pub(crate) struct Cluster {
    binary: PathBuf,
    home: TempDir,
    /// What clients know it by.
    host: String,
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    /// None: a file in the directory of the cluster.
    database: Option<String>,
    child: Option<Child>,
}

impl Cluster {
    /// Nodes, each with the URL of its database, or over one file; what clients know them by is at `front`, or at the
    /// first node. All are started, and know the application, the API and the user.
    pub(crate) async fn start(databases: &[Option<String>], front: Option<SocketAddr>) -> Result<Self> {
        let binary = std::env::var_os("GRANTOR_BINARY").map_or_else(release, |binary| Ok(PathBuf::from(binary)))?;
        let binary = binary.canonicalize().with_context(|| format!("GRANTOR_BINARY: {}", binary.display()))?;
        let mut nodes = Vec::new();
        for database in databases {
            nodes.push(Node { address: free_address()?, database: database.clone(), child: None });
        }
        let first = nodes.first().context("no node")?.address;
        let host = format!("localhost:{}", front.unwrap_or(first).port());
        let mut cluster = Self { binary, home: tempfile::tempdir()?, host, nodes };
        cluster.apply(&manifest(&cluster.issuer())).await?;
        for node in 0..databases.len() {
            cluster.begin(node).await?;
        }
        Ok(cluster)
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.host)
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where each node answers.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// A connection to a node.
    pub(crate) fn connect(&self, node: usize) -> Result<Connection> {
        Ok(Connection::new(self.nodes.get(node).context("no such node")?.address, &self.host))
    }

    /// Starts a node that is down; returns when it answers.
    pub(crate) async fn begin(&mut self, node: usize) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.log(node))?;
        let mut command = self.command(node)?;
        command.args(["serve", "--json"]).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn()?;
        let mut lines = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        let Ok(line) = tokio::time::timeout(PATIENCE, lines.next_line()).await else {
            bail!("node {node} did not start: {}", self.said(node));
        };
        ensure!(line?.is_some(), "node {node} ended while it started: {}", self.said(node));
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        self.nodes.get_mut(node).context("no such node")?.child = Some(child);
        Ok(())
    }

    /// Kills a node with SIGKILL.
    pub(crate) async fn kill(&mut self, node: usize) -> Result<()> {
        if let Some(mut child) = self.nodes.get_mut(node).and_then(|node| node.child.take()) {
            child.kill().await?;
        }
        Ok(())
    }

    /// Tells a node to end, as an operator does, and waits for it.
    pub(crate) async fn stop(&mut self, node: usize) -> Result<()> {
        let mut child = self.nodes.get_mut(node).and_then(|node| node.child.take()).context("it is down")?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw).context("no process")?;
        kill_process(id, Signal::TERM)?;
        let Ok(status) = tokio::time::timeout(PATIENCE, child.wait()).await else {
            bail!("node {node} did not end within {PATIENCE:?}");
        };
        ensure!(status?.success(), "node {node} ended badly: {}", self.said(node));
        Ok(())
    }

    /// Runs a command of the operator's, beside the first node, with this on its standard input.
    pub(crate) async fn operate(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = self.command(0)?;
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().context("no standard input")?.write_all(input.as_bytes()).await?;
        let output = child.wait_with_output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "grantor {}: {}", arguments.join(" "), said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Makes true what a manifest says.
    pub(crate) async fn apply(&self, manifest: &Value) -> Result<()> {
        self.operate(&["apply", "-"], &manifest.to_string()).await.map(drop)
    }

    /// A directory for whatever a proof needs beside.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    fn command(&self, node: usize) -> Result<Command> {
        let Node { address, database, .. } = self.nodes.get(node).context("no such node")?;
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("GRANTOR_")) {
            command.env_remove(name);
        }
        let data = if database.is_some() { format!("data-{node}") } else { "data".to_owned() };
        command.env("GRANTOR_DATA", self.home().join(data)).env("GRANTOR_LISTEN", address.to_string());
        command.env("GRANTOR_ISSUER", self.issuer()).env("GRANTOR_MASTER_KEY", base64url::encode(MASTER_KEY));
        command.env("GRANTOR_PROXY_TRUSTED", "127.0.0.1").env("GRANTOR_LOG_LEVEL", "warn");
        if let Some(database) = database {
            command.env("GRANTOR_DATABASE", database);
        }
        command.stdin(Stdio::null()).kill_on_drop(true);
        Ok(command)
    }

    fn log(&self, node: usize) -> PathBuf {
        self.home().join(format!("node-{node}.log"))
    }

    /// The end of a node's log.
    pub(crate) fn said(&self, node: usize) -> String {
        let log = std::fs::read_to_string(self.log(node)).unwrap_or_default();
        let mut last: Vec<_> = log.lines().rev().take(5).collect();
        last.reverse();
        last.join(" | ")
    }
}

/// Where a release build leaves it.
fn release() -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let target = here.ancestors().nth(2).context("no target directory")?;
    Ok(target.join("release/grantor"))
}

/// Below those that outgoing connections take: one of them could have it while the node is down.
pub(crate) fn free_address() -> Result<SocketAddr> {
    let addresses = std::iter::repeat_with(|| SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..30_000))));
    addresses.take(100).find(|address| TcpListener::bind(address).is_ok()).context("no port is free")
}

/// The secret of every client: of Grantor's own form, whose check costs microseconds.
pub(crate) fn secret() -> String {
    ClientSecret::new(SEED).into_secret().expose().to_owned()
}

fn manifest(issuer: &str) -> Value {
    let audience = format!("{issuer}/notes");
    let (secret, method) = (secret(), "client_secret_post");
    json!({
        "tenants": [{ "name": "default", "lifetimes": { "refresh_grace": HOURS, "code": CODE } }],
        "apis": [{
            "audience": audience, "name": "Notes", "scopes": [{ "name": "notes:read", "description": "Read your notes" }],
            "token": { "format": "opaque", "lifetime": HOURS }, "resource_servers": [API],
        }],
        "clients": [
            {
                "client_id": CLIENT, "client_secret": secret, "token_endpoint_auth_method": method, "redirect_uris": [REDIRECT_URI], "scope": SCOPE,
                "grant_types": ["authorization_code", "refresh_token"],
            },
            {
                "client_id": API, "client_secret": secret, "token_endpoint_auth_method": method,
                "grant_types": ["client_credentials"],
            },
        ],
        "users": [{ "username": USERNAME, "password": PASSWORD }],
    })
}
