//! `grantor health`: for supervisors that can run a program but send no request.

use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use clap::Args;
use serde_json::json;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer that takes longer is none.
const WITHIN: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Ask whether it runs, not whether it should get requests
    #[arg(long)]
    live: bool,
}

impl Health {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let configuration = &context.configuration;
        let address = match (configuration.operations.metrics, &configuration.tls) {
            (Some(metrics), _) => metrics,
            (None, None) => configuration.listen,
            (None, Some(_)) => {
                return Err(Failure::usage("the server speaks TLS, under a name that is not this machine's")
                    .hint("give it metrics.listen: health is answered there too".to_owned()));
            }
        };
        let path = if self.live { "/health/live" } else { "/health/ready" };
        let asked = tokio::time::timeout(WITHIN, ask(nearby(address), path)).await;
        let answer = asked
            .map_err(|_| Failure::new("the server does not answer"))?
            .context(|| format!("ask the server at {address}"))?;
        let said = answer.split_once("\r\n\r\n").map(|(_, body)| body.trim().to_owned()).unwrap_or_default();
        if !answer.starts_with("HTTP/1.1 200 ") {
            return Err(Failure::new(format!("the server says {said}")));
        }
        context.output.say(said.clone())?;
        if context.output.json {
            crate::output::line(&json!({ "answer": said }).to_string())?;
        }
        Ok(())
    }
}

/// An address that stands for all of this machine is asked at its loopback.
fn nearby(address: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(64 * 1024).read_to_string(&mut answer).await?;
    Ok(answer)
}
