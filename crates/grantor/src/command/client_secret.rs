//! `grantor client secret ...`.

use super::client::{Found, find, parse_id, step};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::fresh;
use crate::manifest::{self, Kind, What};
use clap::Subcommand;
use grantor_protocol::client::{ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::value::{ClientId, Seconds};
use grantor_store::Change;
use serde_json::json;

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Make a new secret, shown this once; the old ones work until the overlap ends
    Rotate {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        /// For how many seconds the old secrets still work
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap: u32,
    },
}

impl Secret {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Self::Rotate { client_id, overlap } = self;
        rotate(context, &client_id, overlap).await
    }
}

async fn rotate(context: &Context, client_id: &ClientId, overlap: u32) -> Result<()> {
    let Found { store, mut client, records } = find(context, client_id).await?;
    if !client.metadata.token_endpoint_auth_method.needs_secret() {
        let method = client.metadata.token_endpoint_auth_method.as_str();
        return Err(Failure::new(format!("{client_id} has no secret: it authenticates with {method}")));
    }
    let now = fresh::now();
    let end = now.plus(Seconds::new(overlap));
    let secret = ClientSecret::new(fresh::bytes()?).into_secret();
    client.secrets.retain(|held| held.is_alive(now));
    for held in &mut client.secrets {
        held.expires = Some(held.expires.map_or(end, |expires| expires.min(end)));
    }
    client.secrets.push(StoredSecret { hash: SecretHash::quick(&secret), created: now, expires: None });
    let what = What::Changed(vec!["client_secret".to_owned()]);
    let step = step(&client.metadata.tenant, Kind::Client, client_id.to_string(), what);
    manifest::execute(&*store, vec![Change::PutClient(client)], Some(records.version), &[step], now).await?;
    context.output.say(format!(
        "The new secret of {client_id}, shown this once:\n  {}\nThe old ones work until {}.",
        secret.expose(),
        super::moment(end)
    ))?;
    context
        .output
        .value(|| json!({ "client_id": client_id, "client_secret": secret.expose(), "old_secrets_expire_at": end }))
}
