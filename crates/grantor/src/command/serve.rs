//! `grantor serve`.

use super::count;
use crate::config::Flags;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::output::{color, line};
use crate::{log, master_key, open, running};
use clap::Args;
use grantor_protocol::value::TenantName;
use grantor_server::{MasterKey, Server, Settings, SystemWorld, TlsFiles};
use grantor_store::Store;
use serde_json::json;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to answer [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The URL by which clients know the server [default: http://localhost and the port]
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
}

impl Serve {
    /// What the command line says over the configuration.
    pub(crate) fn flags(&self, flags: &mut Flags) {
        flags.listen.clone_from(&self.listen);
        flags.issuer.clone_from(&self.issuer);
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
        let stop = running::Stop::listen()?;
        let listener = running::listen(configuration.listen).await?;
        let first_start = !configuration.database().exists();
        let store = open::or_new(configuration)?;
        if first_start {
            output.say(format!("Made the database {}.", configuration.database().display()))?;
        }
        let keys_before = keys(&*store).await?;
        let key_file = configuration.data.join(master_key::FILE);
        let had_key_file = key_file.exists();
        let bytes = master_key::load(configuration, keys_before > 0)?;
        if !had_key_file && key_file.exists() {
            output.say(format!("Made the master key {}: keep a copy of it elsewhere.", key_file.display()))?;
        }
        if open::is_demo(configuration) {
            tracing::warn!("this data was made by the demo: it has a user and secrets that everybody may know");
        }
        if let Some(other) = open::remember_issuer(configuration)? {
            tracing::warn!(before = %other, now = %configuration.issuer, "the issuer has changed: clients know the server by the old one");
        }
        let settings = Settings {
            trusted_proxies: configuration.trusted_proxies.clone(),
            ..Settings::new(configuration.issuer.clone())
        };
        let master = MasterKey::from_bytes(*bytes);
        let server = Server::new(Arc::clone(&store), master, settings, Arc::new(SystemWorld))
            .await
            .context(|| "start the server".to_owned())?;
        let made = keys(&*store).await?.saturating_sub(keys_before);
        if made > 0 {
            output.say(format!("Made {}.", count(made, "key")))?;
        }
        let setup = server.setup_link().await.context(|| "make the link for the first administrator".to_owned())?;
        if let Some(link) = &setup {
            output.say(format!("\nSet up the first administrator here, once, within a day:\n  {link}\n"))?;
        }
        let address = listener.local_addr().context(|| "find the address".to_owned())?;
        output.say(format!("Grantor is {} and listens on {address}.", configuration.issuer))?;
        if output.json {
            line(&json!({ "issuer": configuration.issuer, "listen": address.to_string(), "data": configuration.data, "setup_url": setup }).to_string())?;
        }
        let tls = configuration
            .tls
            .as_ref()
            .map(|tls| TlsFiles { certificate: tls.certificate.clone(), key: tls.key.clone() });
        running::serve(server, vec![listener], tls, stop).await
    }
}

async fn keys(store: &dyn Store) -> Result<usize> {
    let tenant = TenantName::default();
    Ok(store.directory().await?.keys.iter().filter(|key| key.tenant == tenant).count())
}
