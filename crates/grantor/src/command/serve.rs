//! `grantor serve`.

use super::count;
use crate::config::{Flags, MasterKeyAt, Outgoing, TlsPaths};
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::output::{color, line};
use crate::{log, master_key, open, running};
use clap::Args;
use grantor_server::{MasterKey, Server, SystemWorld};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to answer [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The URL by which clients know the server [default: http://localhost and the port]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    /// Where to answer clients that show a certificate (RFC 8705) [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    mtls_listen: Option<String>,
    /// Where figures for Prometheus are, at /metrics [default: nowhere]
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<String>,
}

impl Serve {
    /// What the command line says over the configuration.
    pub(crate) fn flags(&self, flags: &mut Flags) {
        flags.listen.clone_from(&self.listen);
        flags.issuer.clone_from(&self.issuer);
        flags.mtls_listen.clone_from(&self.mtls_listen);
        flags.metrics_listen.clone_from(&self.metrics_listen);
    }

    pub(crate) async fn run(self, context: Context) -> Result<()> {
        let configuration = &context.configuration;
        let output = context.output;
        eprint!("{}", configuration.warnings.render(color()));
        log::start(configuration.log_format, configuration.log_level);
        if configuration.listen.port() == 0 && configuration.issuer_is_default {
            return Err(Failure::usage("with port 0 the issuer cannot be known beforehand")
                .hint("give --issuer, or a port".to_owned()));
        }
        let mut stop = running::Stop::listen()?;
        let listener = running::listen(configuration.listen).await?;
        let mutual = match &configuration.mtls.listen {
            Some(mutual) => Some((running::listen(mutual.address).await?, mutual.tls.files())),
            None => None,
        };
        let figures = match configuration.operations.metrics {
            Some(address) => Some(running::listen(address).await?),
            None => None,
        };
        let first_start = open::is_new(configuration).await?;
        let Some(store) = stop.or(Box::pin(open::or_new(configuration))).await else {
            tracing::info!("told to stop before the database was open: an upgrade goes on with the next start");
            return Ok(());
        };
        let store = store?;
        if first_start {
            output.say(format!("Made the database {}.", open::name(configuration)))?;
        }
        let key_file = configuration.data.join(master_key::FILE);
        let had_key_file = key_file.exists();
        // To look through a large directory takes a while: it is done where the answer matters.
        let is_made_here = matches!(configuration.master_key, MasterKeyAt::Data) && !had_key_file;
        let is_in_use = is_made_here && !first_start && master_key::is_in_use(&store.directory().await?);
        let bytes = master_key::load(configuration, is_in_use)?;
        if let Err(failure) = open::claim_master_key(configuration, &bytes).await {
            if is_made_here {
                // Nothing rests under it, and the right one is to be put there.
                let _ = std::fs::remove_file(&key_file);
            }
            return Err(failure);
        }
        if !had_key_file && key_file.exists() {
            output.say(format!("Made the master key {}: keep a copy of it elsewhere.", key_file.display()))?;
        }
        if open::is_demo(configuration) {
            tracing::warn!("this data was made by the demo: it has a user and secrets that everybody may know");
        }
        if let Some(other) = open::remember_issuer(configuration)? {
            tracing::warn!(before = %other, now = %configuration.issuer, "the issuer has changed: clients know the server by the old one");
        }
        say_what_is_allowed(&configuration.outgoing);
        let master = MasterKey::from_bytes(*bytes);
        let server = Server::new(Arc::clone(&store), master, configuration.settings(), Arc::new(SystemWorld))
            .await
            .context(|| "start the server".to_owned())?;
        let made = server.keys_made_at_start();
        if made > 0 {
            output.say(format!("Made {}.", count(made, "key")))?;
        }
        let setup = server.setup_link().await.context(|| "make the link for the first administrator".to_owned())?;
        if let Some(link) = &setup {
            output.say(format!("\nSet up the first administrator here, once, within a day:\n  {link}\n"))?;
        }
        let address = local_address(&listener)?;
        let mutual_address = mutual.as_ref().map(|(listener, _)| local_address(listener)).transpose()?;
        output.say(format!("Grantor is {} and listens on {address}.", configuration.issuer))?;
        if let Some(address) = mutual_address {
            let url = configuration.mtls.public_url.as_deref().unwrap_or_default();
            output.say(format!("Clients with certificates are answered on {address}, as {url}."))?;
        }
        let figures_address = figures.as_ref().map(local_address).transpose()?;
        if let Some(address) = figures_address {
            output.say(format!("Figures are at http://{address}/metrics."))?;
        }
        if output.json {
            line(
                &json!({
                    "issuer": configuration.issuer, "listen": address.to_string(), "data": configuration.data,
                    "setup_url": setup, "mtls_listen": mutual_address.map(|address| address.to_string()),
                    "metrics_listen": figures_address.map(|address| address.to_string()),
                })
                .to_string(),
            )?;
        }
        let tls = configuration.tls.as_ref().map(TlsPaths::files);
        running::serve(server, vec![listener], tls, mutual, figures, stop).await
    }
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr> {
    listener.local_addr().context(|| "find the address".to_owned())
}

/// What is for tests and closed networks stands in the log of every start.
fn say_what_is_allowed(outgoing: &Outgoing) {
    if let Some(path) = &outgoing.extra_ca {
        tracing::warn!(file = %path.display(), "outgoing requests trust further authorities: for tests and closed networks only");
    }
    for network in &outgoing.allowed_networks {
        tracing::warn!(%network, "outgoing requests may go to a network that is not public: for tests and closed networks only");
    }
}
