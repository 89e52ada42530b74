//! `grantor client ...`.

use super::client_options::Options;
use super::client_secret::Secret;
use super::federation::Federation;
use super::registration_token::RegistrationToken;
use super::single;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::manifest::{self, Kind, Step, What};
use crate::{fresh, open, revocation};
use clap::{Args, Subcommand};
use grantor_protocol::client::{Client as Record, ClientMetadata};
use grantor_protocol::directory::{DirectoryRecords, Policy};
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{ClientId, TenantName};
use grantor_store::{Change, GrantsOf, Store};
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(crate) enum Client {
    /// List the clients
    List,
    /// Show a client
    Show {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Register a client; its secret is shown this once
    Create(Create),
    /// Change a client; what is not named stays as it is
    Update {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        #[command(flatten)]
        options: Options,
    },
    /// Delete a client and take back everything that it has
    Delete {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Take back every token and grant of a client; it may obtain new ones
    Revoke {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Switch a client off, and its tokens with it
    Disable {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Switch a client on again
    Enable {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Secrets of a client
    #[command(subcommand)]
    Secret(Secret),
    /// Tokens of other issuers that speak for a client: GitHub, GitLab, Kubernetes, any other
    #[command(subcommand)]
    Federation(Federation),
    /// Tokens with which programs may register clients (RFC 7591)
    #[command(subcommand)]
    RegistrationToken(RegistrationToken),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Its identifier; made when absent
    #[arg(value_parser = parse_id)]
    client_id: Option<ClientId>,
    /// Read a secret from standard input instead of making one
    #[arg(long)]
    secret_stdin: bool,
    #[command(flatten)]
    options: Options,
}

impl Client {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Create(create) => create.run(context).await,
            Self::List => list(context).await,
            Self::Show { client_id } => {
                let Found { client, records, .. } = find(context, &client_id).await?;
                context.output.record(&shown(&client, &records))
            }
            Self::Update { client_id, options } => update(context, &client_id, |record| options.write(record)).await,
            Self::Disable { client_id } => set_disabled(context, &client_id, true).await,
            Self::Enable { client_id } => set_disabled(context, &client_id, false).await,
            Self::Delete { client_id } => delete(context, &client_id).await,
            Self::Revoke { client_id } => {
                let Found { store, client, .. } = find(context, &client_id).await?;
                let (tenant, now) = (client.metadata.tenant, fresh::now());
                let grants = revocation::revoke_all(&*store, &tenant, GrantsOf::Client(&client_id), now).await?;
                revocation::record(&*store, &tenant, "client", client_id.as_str(), now).await?;
                context
                    .output
                    .say(format!("Took back every token of {client_id} and {}.", super::count_u64(grants, "grant")))?;
                context.output.value(|| json!({ "client_id": client_id, "revoked_grants": grants }))
            }
            Self::Secret(secret) => secret.run(context).await,
            Self::Federation(federation) => federation.run(context).await,
            Self::RegistrationToken(token) => token.run(context).await,
        }
    }
}

impl Create {
    async fn run(self, context: &Context) -> Result<()> {
        let store = open::or_new(&context.configuration).await?;
        let client_id = match self.client_id {
            Some(id) => id.to_string(),
            None => fresh::uuid()?,
        };
        let tenant = context.tenant();
        let records = store.directory().await?;
        if records.clients.iter().any(|it| it.metadata.tenant == tenant && it.metadata.client_id.as_str() == client_id)
        {
            return Err(single::exists(Kind::Client, &client_id));
        }
        let mut record = Map::new();
        record.insert("tenant".to_owned(), json!(tenant));
        record.insert("client_id".to_owned(), client_id.clone().into());
        self.options.write(&mut record)?;
        if self.secret_stdin {
            record.insert("client_secret".to_owned(), super::from_stdin("secret")?.expose().into());
        }
        let applied = single::put(&*store, Kind::Client, record, context).await?;
        let secret = applied.generated.first().map(|(_, _, secret)| secret.expose());
        context.output.say(format!("Created the client {client_id}."))?;
        if let Some(secret) = secret {
            context.output.say(format!("Its secret, shown this once:\n  {secret}"))?;
        }
        context.output.value(|| json!({ "client_id": client_id, "tenant": tenant, "client_secret": secret }))
    }
}

async fn delete(context: &Context, client_id: &ClientId) -> Result<()> {
    let Found { store, client, records } = find(context, client_id).await?;
    let tenant = client.metadata.tenant;
    let names = |policy: &&Policy| policy.tenant == tenant && policy.clients.contains(client_id);
    // Taken out of the list, the policy might fit every client.
    if let Some(policy) = records.policies.iter().find(names) {
        return Err(Failure::new(format!("the policy {} names this client", policy.name))
            .hint("change the policy in the manifest first, and apply it".to_owned()));
    }
    let mut changes = vec![Change::DeleteClient(tenant.clone(), client_id.clone())];
    let mut steps = vec![step(&tenant, Kind::Client, client_id.to_string(), What::Deleted)];
    for mut api in records.apis.into_iter().filter(|api| api.tenant == tenant) {
        let before = api.clone();
        api.ceilings.retain(|ceiling| ceiling.client_id != *client_id);
        api.resource_servers.retain(|server| server != client_id);
        if api != before {
            let fields = manifest::differing(&before, &api);
            steps.push(step(&tenant, Kind::Api, api.audience.to_string(), What::Changed(fields)));
            changes.push(Change::PutApi(api));
        }
    }
    manifest::execute(&*store, changes, Some(records.version), &steps, fresh::now()).await?;
    context.output.say(format!("Deleted the client {client_id} and took back everything that it had."))?;
    context.output.value(|| json!({ "client_id": client_id, "deleted": true }))
}

pub(super) fn step(tenant: &TenantName, kind: Kind, name: String, what: What) -> Step {
    Step { tenant: tenant.clone(), kind, name, what }
}

async fn list(context: &Context) -> Result<()> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let mut records = store.directory().await?;
    let mut clients = std::mem::take(&mut records.clients);
    clients.retain(|client| client.metadata.tenant == tenant);
    clients.sort_by(|a, b| a.metadata.client_id.cmp(&b.metadata.client_id));
    context.output.list(
        &clients,
        &["client_id", "name", "authentication", "grant types", ""],
        |client| {
            let it = &client.metadata;
            vec![
                it.client_id.to_string(),
                it.client_name.in_language("en").to_owned(),
                it.token_endpoint_auth_method.as_str().to_owned(),
                it.grant_types.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(" "),
                if it.disabled { "disabled".to_owned() } else { String::new() },
            ]
        },
        |client| shown(client, &records),
        "No clients yet. Create one with: grantor client create my-app --redirect-uri https://app.example/callback",
    )
}

async fn set_disabled(context: &Context, client_id: &ClientId, disabled: bool) -> Result<()> {
    update(context, client_id, |record| {
        record.insert("disabled".to_owned(), disabled.into());
        Ok(())
    })
    .await
}

async fn update(
    context: &Context,
    client_id: &ClientId,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<()>,
) -> Result<()> {
    let Found { store, client, .. } = find(context, client_id).await?;
    let mut record = single::members(&manifest::client_entry(&client, false, fresh::now()));
    change(&mut record)?;
    let applied = single::put(&*store, Kind::Client, record, context).await?;
    for step in &applied.steps {
        context.output.say(step.sentence())?;
    }
    let secret = applied.generated.first().map(|(_, _, secret)| secret.expose());
    if let Some(secret) = secret {
        context.output.say(format!("Its secret, shown this once:\n  {secret}"))?;
    }
    context.output.value(|| json!({ "client_id": client_id, "client_secret": secret, "changed": applied.fields() }))
}

/// A client, and the directory in which it was found.
pub(super) struct Found {
    pub(super) store: Arc<dyn Store>,
    pub(super) client: Record,
    pub(super) records: DirectoryRecords,
}

pub(super) async fn find(context: &Context, client_id: &ClientId) -> Result<Found> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let records = store.directory().await?;
    let here = |client: &&Record| client.metadata.tenant == tenant;
    if let Some(client) = records.clients.iter().filter(here).find(|client| client.metadata.client_id == *client_id) {
        return Ok(Found { store, client: client.clone(), records });
    }
    let known = records.clients.iter().filter(here).map(|client| client.metadata.client_id.as_str());
    Err(single::missing(Kind::Client, client_id.as_str(), known))
}

fn shown(client: &Record, records: &DirectoryRecords) -> Value {
    let mut members = single::members(&manifest::client_entry(client, false, fresh::now()));
    if let Some(Value::Object(registered)) = members.get_mut("origin").and_then(|origin| origin.get_mut("registered")) {
        registered.remove("token_hash");
    }
    members.insert("profile".to_owned(), profile_of(&client.metadata, records).as_str().into());
    members.insert("client_id_issued_at".to_owned(), json!(client.issued_at));
    members.insert("secrets".to_owned(), client.secrets.len().into());
    Value::Object(members)
}

/// The profile that a client is held to.
pub(super) fn profile_of(client: &ClientMetadata, records: &DirectoryRecords) -> Profile {
    let tenant = records.tenants.iter().find(|tenant| tenant.name == client.tenant);
    tenant.map_or(client.profile, |tenant| tenant.profile_of(client))
}

pub(super) fn parse_id(raw: &str) -> Result<ClientId, String> {
    ClientId::parse(raw).ok_or_else(|| "1 to 255 visible ASCII characters".to_owned())
}
