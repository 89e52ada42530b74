//! `grantor client federation ...`: the tokens of other issuers that speak for a client.

mod condition;
mod declared;
mod trial;

use super::client::{Found, find, parse_id};
use super::{moment, single};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::fresh;
use crate::manifest::{self, Kind};
use clap::Subcommand;
use declared::Declared;
use grantor_protocol::client::federated::FederatedCredential;
use grantor_protocol::client::{AuthMethod, ClientMetadata};
use grantor_protocol::grant::GrantType;
use grantor_protocol::value::ClientId;
use serde_json::{Map, Value, json};
use trial::Trial;

#[derive(Debug, Subcommand)]
pub(crate) enum Federation {
    /// List the federated credentials of a client, and when each was last used
    List {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Let the tokens of another issuer speak for a client, so that it needs no secret
    Add(Box<Add>),
    /// Take a federated credential away; its tokens are worth nothing at once
    Remove {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        /// What it is called
        name: String,
    },
    /// A dry run: hold a token against the credentials of a client, rule by rule, with the reason of each
    Try(Trial),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[arg(value_parser = parse_id)]
    client_id: ClientId,
    /// What to call it; unique within the client
    name: String,
    #[command(flatten)]
    declared: Declared,
    /// Let the client authenticate in no other way from now on: private_key_jwt takes the place of its method, and a secret
    /// that it has is gone
    #[arg(long)]
    replace_method: bool,
}

impl Federation {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List { client_id } => list(context, &client_id).await,
            Self::Add(add) => add.run(context).await,
            Self::Remove { client_id, name } => remove(context, &client_id, &name).await,
            Self::Try(trial) => trial.run(context).await,
        }
    }
}

async fn list(context: &Context, client_id: &ClientId) -> Result<()> {
    let Found { store, client, .. } = find(context, client_id).await?;
    let uses = store.last_uses(&client.metadata.tenant, client_id).await?;
    context.output.list(
        &client.metadata.federated_credentials,
        &["name", "issuer", "audience", "conditions", "last use"],
        |one| {
            let conditions: Vec<String> = one.conditions.iter().map(ToString::to_string).collect();
            let last = uses.get(&one.name).copied().map_or_else(|| "-".to_owned(), moment);
            vec![one.name.clone(), one.issuer.clone(), one.audience.clone(), conditions.join(" and "), last]
        },
        |one| {
            let mut members = single::members(one);
            members.insert("last_used".to_owned(), json!(uses.get(&one.name)));
            members.insert("warnings".to_owned(), json!(one.warnings()));
            Value::Object(members)
        },
        &format!("No tokens of other issuers speak for {client_id}. See: grantor client federation add --help"),
    )
}

impl Add {
    async fn run(self, context: &Context) -> Result<()> {
        let Self { client_id, name, declared, replace_method } = self;
        let Found { store, client, .. } = find(context, &client_id).await?;
        let metadata = &client.metadata;
        if metadata.federated_credentials.iter().any(|one| one.name == name) {
            return Err(Failure::new(format!("{client_id} has a federated credential {name} already"))
                .hint("take it away first, or call this one something else".to_owned()));
        }
        let credential = declared.credential(&name, context)?;
        if !takes_assertions(metadata) && !replace_method {
            let method = metadata.token_endpoint_auth_method.as_str();
            return Err(Failure::new(format!(
                "{client_id} authenticates with {method}, where no token of another speaks for it"
            ))
            .hint(
                "--replace-method lets it authenticate with private_key_jwt from now on; its secret is gone then"
                    .to_owned(),
            ));
        }
        let mut record = single::members(&manifest::client_entry(&client, false, fresh::now()));
        if replace_method {
            record.insert("token_endpoint_auth_method".to_owned(), AuthMethod::PrivateKeyJwt.as_str().into());
        }
        let mut all = metadata.federated_credentials.clone();
        all.push(credential.clone());
        record.insert("federated_credentials".to_owned(), json!(all));
        single::put(&*store, Kind::Client, record, context).await?;
        context.output.say(format!("Tokens of {} speak for {client_id} now, when:", credential.issuer))?;
        context.output.say(format!("  aud is {:?}", credential.audience))?;
        for condition in &credential.conditions {
            context.output.say(format!("  {condition}"))?;
        }
        context.output.say(format!("Try one with: grantor client federation try {client_id} --token-file FILE"))?;
        context.output.value(|| added(&client_id, &credential))
    }
}

fn added(client_id: &ClientId, credential: &FederatedCredential) -> Value {
    json!({ "client_id": client_id, "federated_credential": credential, "warnings": credential.warnings() })
}

async fn remove(context: &Context, client_id: &ClientId, name: &str) -> Result<()> {
    let Found { store, client, .. } = find(context, client_id).await?;
    let mut left = client.metadata.federated_credentials.clone();
    left.retain(|one| one.name != name);
    if left.len() == client.metadata.federated_credentials.len() {
        let all = client.metadata.federated_credentials.iter().map(|one| one.name.as_str());
        let near = crate::document::nearest(name, all).map(|near| format!("did you mean {near}?"));
        let hint = near.unwrap_or_else(|| format!("`grantor client federation list {client_id}` names all of them"));
        return Err(Failure::new(format!("{client_id} has no federated credential {name}")).hint(hint));
    }
    let metadata = &client.metadata;
    let others = metadata.jwks.is_some() || metadata.jwks_uri.is_some();
    if left.is_empty() && !others && metadata.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt {
        return Err(Failure::new(format!("{client_id} could not authenticate at all without {name}")).hint(format!(
            "`grantor client disable {client_id}` lets nobody in; `grantor client update {client_id} --auth-method \
             client_secret_basic --set federated_credentials=[]` gives it a secret instead"
        )));
    }
    let mut record: Map<String, Value> = single::members(&manifest::client_entry(&client, false, fresh::now()));
    record.insert("federated_credentials".to_owned(), json!(left));
    single::put(&*store, Kind::Client, record, context).await?;
    context.output.say(format!("Tokens that fit {name} speak for {client_id} no more."))?;
    context.output.value(|| json!({ "client_id": client_id, "name": name, "removed": true }))
}

fn takes_assertions(client: &ClientMetadata) -> bool {
    client.token_endpoint_auth_method == AuthMethod::PrivateKeyJwt || client.grant_types.contains(&GrantType::JwtBearer)
}
