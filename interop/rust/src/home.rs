//! A server that is killed and started again on the same data.

use crate::demo::Demo;
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub struct Home {
    binary: PathBuf,
    folder: PathBuf,
    port: u16,
    environment: Vec<(OsString, OsString)>,
}

impl Home {
    /// An empty folder, and a port that stays the same, because the issuer has it in its name.
    pub fn new(name: &str) -> Result<Self> {
        let binary = std::env::var_os("GRANTOR_BINARY").context("GRANTOR_BINARY is the path of the server")?;
        let binary = PathBuf::from(binary).canonicalize().context("GRANTOR_BINARY")?;
        let folder = binary.ancestors().nth(2).unwrap_or(Path::new(".")).join("interop").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder)?;
        Ok(Self { binary, folder, port: free_port().context("no port is free")?, environment: Vec::new() })
    }

    /// Where everything of it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The server's own files.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Sets a variable of the servers that are started from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.environment.push((name.into(), value.into()));
    }

    /// Sets none any more.
    pub fn unset(&mut self) {
        self.environment.clear();
    }

    /// Starts the server; gives it and what it says about itself as soon as it accepts connections.
    pub async fn start(&self) -> Result<(Child, Demo)> {
        let log = OpenOptions::new().create(true).append(true).open(self.folder.join("server.log"))?;
        let mut command = Command::new(&self.binary);
        command.args(["demo", "--json", "--listen"]).arg(format!("127.0.0.1:{}", self.port));
        command.arg("--data").arg(self.data()).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::from(log)).kill_on_drop(true);
        let mut server = command.spawn()?;
        let stdout = server.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let Ok(line) = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await else {
            bail!("the server did not start within 20 s; see server.log in its folder");
        };
        let line = line?.context("the server ended while it started; see server.log in its folder")?;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((server, Demo::parse(&line)?))
    }
}

/// Below those that outgoing connections take: one of them could have it while the server is down.
fn free_port() -> Option<u16> {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..30_000)).take(100);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
}
