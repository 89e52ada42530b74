//! `grantor api ...`.

use super::client::parse_id;
use super::single;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::manifest::{self, Kind, Step, What};
use crate::{fresh, open};
use clap::{Args, Subcommand};
use grantor_protocol::directory::Api as Record;
use grantor_protocol::value::{ClientId, Resource};
use grantor_store::{Change, Store};
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(crate) enum Api {
    /// List the APIs
    List,
    /// Show an API
    Show {
        #[arg(value_parser = parse_audience)]
        audience: Resource,
    },
    /// Declare an API
    Create {
        #[arg(value_parser = parse_audience)]
        audience: Resource,
        #[command(flatten)]
        options: Options,
    },
    /// Change an API; what is not named stays as it is
    Update {
        #[arg(value_parser = parse_audience)]
        audience: Resource,
        #[command(flatten)]
        options: Options,
    },
    /// Delete an API, and the roles that users have there
    Delete {
        #[arg(value_parser = parse_audience)]
        audience: Resource,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What people call it
    #[arg(long)]
    name: Option<String>,
    /// A scope and what the user is shown for it; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    scope: Vec<String>,
    /// A role and what it is for; may be repeated
    #[arg(long, value_name = "NAME=TEXT")]
    role: Vec<String>,
    /// jwt or opaque
    #[arg(long)]
    format: Option<String>,
    /// What a JWT is signed with
    #[arg(long, value_name = "ALG")]
    algorithm: Option<String>,
    /// How long a token lives
    #[arg(long, value_name = "SECONDS")]
    lifetime: Option<u32>,
    /// What the bearer of a token must prove: none, dpop (a key), mtls (a certificate) or any of both
    #[arg(long)]
    binding: Option<String>,
    /// Whether a JWT says where it is seen that it was taken back; each then costs a write
    #[arg(long, value_name = "BOOL")]
    status_list: Option<bool>,
    /// A client that may introspect its tokens; may be repeated
    #[arg(long, value_name = "CLIENT_ID", value_parser = parse_id)]
    resource_server: Vec<ClientId>,
    /// The most that a client can get, with spaces between the scopes; without one a client gets nothing for itself
    #[arg(long, value_name = "CLIENT_ID=SCOPE")]
    ceiling: Vec<String>,
}

impl Options {
    fn write(self, record: &mut Map<String, Value>) {
        let named = |items: Vec<String>| -> Vec<Value> {
            let described = |item: &String| {
                let (name, text) = item.split_once('=').unwrap_or((item, ""));
                json!({ "name": name, "description": text })
            };
            items.iter().map(described).collect()
        };
        if let Some(name) = self.name {
            record.insert("name".to_owned(), name.into());
        }
        for (key, items) in [("scopes", named(self.scope)), ("roles", named(self.role))] {
            if !items.is_empty() {
                record.insert(key.to_owned(), items.into());
            }
        }
        if !self.resource_server.is_empty() {
            record.insert("resource_servers".to_owned(), json!(self.resource_server));
        }
        if !self.ceiling.is_empty() {
            let ceiling = |item: &String| {
                let (client, scope) = item.split_once('=').unwrap_or((item, ""));
                json!({ "client_id": client, "scope": scope })
            };
            record.insert("ceilings".to_owned(), self.ceiling.iter().map(ceiling).collect());
        }
        let token = record.entry("token").or_insert_with(|| json!({}));
        if let Some(token) = token.as_object_mut() {
            for (key, value) in [("format", self.format), ("algorithm", self.algorithm), ("binding", self.binding)] {
                if let Some(value) = value {
                    token.insert(key.to_owned(), value.into());
                }
            }
            if let Some(lifetime) = self.lifetime {
                token.insert("lifetime".to_owned(), lifetime.into());
            }
            if let Some(status_list) = self.status_list {
                token.insert("status_list".to_owned(), status_list.into());
            }
        }
    }
}

impl Api {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List => list(context).await,
            Self::Show { audience } => {
                let (_, api) = find(context, &audience).await?;
                context.output.record(&json!(api))
            }
            Self::Create { audience, options } => create(context, &audience, options).await,
            Self::Update { audience, options } => {
                let (store, api) = find(context, &audience).await?;
                let mut record = single::members(&api);
                options.write(&mut record);
                let applied = single::put(&*store, Kind::Api, record, context).await?;
                for step in &applied.steps {
                    context.output.say(step.sentence())?;
                }
                context.output.value(|| json!({ "audience": audience, "changed": applied.fields() }))
            }
            Self::Delete { audience } => delete(context, &audience).await,
        }
    }
}

async fn list(context: &Context) -> Result<()> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let mut apis = store.directory().await?.apis;
    apis.retain(|api| api.tenant == tenant);
    apis.sort_by(|a, b| a.audience.cmp(&b.audience));
    context.output.list(
        &apis,
        &["audience", "name", "token", "scopes"],
        |api| {
            vec![
                api.audience.to_string(),
                api.name.in_language("en").to_owned(),
                match api.token.format {
                    grantor_protocol::directory::TokenFormat::Jwt => format!("jwt {}", api.token.algorithm),
                    grantor_protocol::directory::TokenFormat::Opaque => "opaque".to_owned(),
                },
                api.scope().to_string(),
            ]
        },
        |api| json!(api),
        "No APIs yet. Create one with: grantor api create https://api.example --name Notes --scope notes:read='Read your notes'",
    )
}

async fn create(context: &Context, audience: &Resource, options: Options) -> Result<()> {
    let store = open::or_new(&context.configuration).await?;
    let tenant = context.tenant();
    let records = store.directory().await?;
    if records.apis.iter().any(|api| api.tenant == tenant && api.audience == *audience) {
        return Err(single::exists(Kind::Api, audience.as_str()));
    }
    let mut record = Map::new();
    record.insert("tenant".to_owned(), json!(tenant));
    record.insert("audience".to_owned(), json!(audience));
    record.insert("name".to_owned(), audience.as_str().into());
    options.write(&mut record);
    single::put(&*store, Kind::Api, record, context).await?;
    context.output.say(format!("Created the API {audience}."))?;
    context.output.value(|| json!({ "audience": audience, "tenant": tenant }))
}

async fn delete(context: &Context, audience: &Resource) -> Result<()> {
    let (store, api) = find(context, audience).await?;
    let records = store.directory().await?;
    let tenant = api.tenant;
    let guard = records.policies.iter().find(|policy| policy.tenant == tenant && policy.api == *audience);
    if let Some(policy) = guard {
        return Err(Failure::new(format!("the policy {} guards this API", policy.name))
            .hint("take the policy out of the manifest too, and apply it with --prune".to_owned()));
    }
    let mut changes = vec![Change::DeleteApi(tenant.clone(), audience.clone())];
    for mut user in store.users(&tenant).await? {
        if user.roles.remove(audience).is_some() {
            changes.push(Change::PutUser(user));
        }
    }
    let step = Step { tenant, kind: Kind::Api, name: audience.to_string(), what: What::Deleted };
    manifest::execute(&*store, changes, Some(records.version), &[step], fresh::now()).await?;
    context.output.say(format!("Deleted the API {audience}."))?;
    context.output.value(|| json!({ "audience": audience, "deleted": true }))
}

async fn find(context: &Context, audience: &Resource) -> Result<(Arc<dyn Store>, Record)> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let apis = store.directory().await?.apis;
    if let Some(api) = apis.iter().find(|api| api.tenant == tenant && api.audience == *audience) {
        return Ok((store, api.clone()));
    }
    let known = apis.iter().filter(|api| api.tenant == tenant).map(|api| api.audience.as_str());
    Err(single::missing(Kind::Api, audience.as_str(), known))
}

fn parse_audience(raw: &str) -> Result<Resource, String> {
    Resource::parse(raw).ok_or_else(|| "an absolute URI without a fragment, such as https://api.example".to_owned())
}
