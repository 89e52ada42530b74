//! nginx, as it stands in front of nodes: round robin, connections kept on both sides.

use anyhow::{Context as _, Result, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

/// Ended when it is dropped.
#[derive(Debug)]
pub(super) struct Nginx {
    _child: Child,
    log: PathBuf,
}

impl Nginx {
    /// At `front`, before these nodes; its files are in `home`. Returns when it takes connections.
    pub(super) async fn start(front: SocketAddr, nodes: &[SocketAddr], home: &Path) -> Result<Self> {
        let file = home.join("nginx.conf");
        std::fs::write(&file, configuration(front, nodes, home))?;
        let log = home.join("nginx.log");
        let mut nginx = Command::new(program()?);
        nginx.arg("-p").arg(home).arg("-c").arg(&file).arg("-e").arg(&log);
        let child = nginx.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn().context("nginx")?;
        for _ in 0..500 {
            if TcpStream::connect(front).await.is_ok() {
                return Ok(Self { _child: child, log });
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("nginx did not start: {}", std::fs::read_to_string(log).unwrap_or_default())
    }

    /// What went wrong between it and the nodes, as it tells it.
    pub(super) fn complaints(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("[error]")).collect::<Vec<_>>().join(" | ")
    }
}

/// One process, so that ending it ends all. What could not be delivered is tried at the next node, but nothing that may
/// have been carried out.
fn configuration(front: SocketAddr, nodes: &[SocketAddr], home: &Path) -> String {
    let servers: Vec<_> = nodes.iter().map(|node| format!("server {node} max_fails=0;")).collect();
    let servers = servers.join(" ");
    let home = home.display();
    format!(
        "daemon off;
master_process off;
pid {home}/nginx.pid;
error_log {home}/nginx.log info;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {home}/nginx-body;
    proxy_temp_path {home}/nginx-proxy;
    fastcgi_temp_path {home}/nginx-fastcgi;
    uwsgi_temp_path {home}/nginx-uwsgi;
    scgi_temp_path {home}/nginx-scgi;
    upstream grantor {{
        {servers}
        keepalive 32;
        # Shorter than the nodes drain (docs/operations.md).
        keepalive_timeout 3s;
    }}
    server {{
        listen {front};
        location / {{
            proxy_pass http://grantor;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"
    )
}

/// Debian puts it where the PATH of a user does not lead.
fn program() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    let mut files = places.map(|place| place.join("nginx"));
    files.find(|file| file.is_file()).context("nginx is missing: Debian's package is nginx-light")
}
