//! `grantor demo`.

use crate::config::{Configuration, Flags, Level, LogFormat};
use crate::demo::{self, Certificates, Mutual, Tour};
use crate::document::{Format, Source};
use crate::failure::{Context as _, Failure, Result};
use crate::manifest::{self, How, Safe};
use crate::output::{Output, line};
use crate::scratch::Scratch;
use crate::{fresh, log, master_key, open, running};
use clap::Args;
use grantor_fetch::Origins;
use grantor_protocol::value::{Issuer, TenantName};
use grantor_server::{MasterKey, Mtls, Server, Settings, SystemWorld};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to answer; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where to answer clients that show a certificate, with certificates of a throw-away authority [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    mtls_listen: Option<SocketAddr>,
}

impl Demo {
    pub(crate) async fn run(self, data: Option<PathBuf>, output: Output) -> Result<()> {
        log::start(LogFormat::Text, Level::Warn);
        let asked = self.listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)));
        let mut stop = running::Stop::listen()?;
        let listener = running::listen(asked).await?;
        let taken = listener.local_addr().context(|| "find the address".to_owned())?;
        let mut listeners = vec![listener];
        listeners.extend(running::listen_beside(taken).await);
        let issuer = issuer(taken)?;
        // Dropped, and so removed, when the server has stopped.
        let scratch = if data.is_none() { Some(Scratch::new()?) } else { None };
        let kept = data.is_some();
        let data = data.or(scratch.as_ref().map(|scratch| scratch.path().to_owned())).unwrap_or_default();
        // The environment of a real server has nothing to say here.
        let flags = Flags { data: Some(data.clone()), issuer: Some(issuer.to_string()), ..Flags::default() };
        let configuration = Configuration::read(&flags, &[])?;
        open::claim_for_demo(&configuration)?;
        let Some(store) = stop.or(Box::pin(open::or_new(&configuration))).await else { return Ok(()) };
        let store = store?;
        let held = store.directory().await?;
        let bytes = master_key::load(&configuration, master_key::is_in_use(&held))?;
        open::remember_issuer(&configuration)?;
        let demo = demo::Demo::new(issuer.clone(), &bytes).ok_or_else(|| {
            Failure::new("no key for the demo follows from this master key; take another data directory")
        })?;
        let (mutual, mutual_listener) = match self.mtls_listen {
            Some(address) => {
                mutual(address, &data, demo.certified.id).await.map(|(mutual, at)| (Some(mutual), Some(at)))?
            }
            None => (None, None),
        };
        let source = Source::new("the demo", demo.manifest(!held.tenants.is_empty()).to_string());
        manifest::apply(&*store, &source, Format::Json, How::default(), Safe::Open(&bytes), fresh::now()).await?;
        let mtls = mutual.as_ref().map(|mutual| Mtls {
            client_roots: Some(mutual.certificates.authority.clone()),
            public_url: Some(mutual.url.clone()),
        });
        let (demo_clients, relay) = (demo.played(), Origins::of_this_machine());
        let settings = Settings { demo_api: true, demo_clients, mtls, relay, ..Settings::new(issuer) };
        let server = Server::new(Arc::clone(&store), MasterKey::from_bytes(*bytes), settings, Arc::new(SystemWorld))
            .await
            .context(|| "start the server".to_owned())?;
        let user = store.user_by_username(&TenantName::default(), demo::USERNAME).await?;
        let subject = user.map(|user| user.sub).ok_or_else(|| Failure::new("the demo has no user"))?;
        if !taken.ip().is_loopback() {
            eprintln!("warning: {taken} can be reached from other machines, and the demo's secrets are no secrets");
        }
        if output.json {
            line(&demo::to_json(&demo, &data, &subject, mutual.as_ref()).to_string())?;
        } else {
            let tour = Tour { demo: &demo, data: kept.then_some(data.as_path()), mutual: mutual.as_ref() };
            line(&tour.to_string())?;
        }
        let mutual = mutual_listener.zip(mutual.map(|mutual| mutual.certificates.server));
        running::serve(server, listeners, None, mutual, None, stop).await
    }
}

/// The listener for mutual TLS, and what belongs to it.
async fn mutual(address: SocketAddr, data: &Path, client: &str) -> Result<(Mutual, TcpListener)> {
    let listener = running::listen(address).await?;
    let port = listener.local_addr().context(|| "find the address".to_owned())?.port();
    let certificates = Certificates::make(data, client)?;
    Ok((Mutual { url: format!("https://localhost:{port}"), certificates }, listener))
}

/// The name under which an address on this machine is reached.
fn issuer(address: SocketAddr) -> Result<Issuer> {
    let (ip, port) = (address.ip(), address.port());
    let usual = ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST || ip == std::net::Ipv6Addr::LOCALHOST;
    let url = if usual { format!("http://localhost:{port}") } else { format!("http://{address}") };
    Issuer::parse(&url).ok_or_else(|| {
        Failure::usage(format!("the demo speaks http and so cannot be {url}"))
            .hint("listen on 127.0.0.1, or run `grantor serve` with TLS".to_owned())
    })
}
