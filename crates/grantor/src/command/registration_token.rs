//! `grantor client registration-token ...`: initial access tokens (RFC 7591 3).

use super::client::step;
use super::client_secret::{End, parse_end};
use super::{moment, single};
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::manifest::{self, Kind, What};
use crate::{fresh, open};
use clap::Subcommand;
use grantor_protocol::directory::{DirectoryRecords, Tenant};
use grantor_protocol::registration::{InitialAccessToken, TokenHash, initial_access_token};
use grantor_store::{Change, Store};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Debug, Subcommand)]
pub(crate) enum RegistrationToken {
    /// List the tokens with which clients may be registered, never themselves
    List,
    /// Make a token with which a client may be registered, shown this once
    Create {
        /// What you call it
        name: String,
        /// When it stops to work: 90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z
        #[arg(long, value_name = "WHEN", value_parser = parse_end, default_value = "24h")]
        expires: End,
        /// How many clients may be registered with it
        #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        uses: u32,
    },
    /// Take a token away; the clients that were registered with it stay
    Remove {
        /// What you call it
        name: String,
    },
}

/// The tenant, and the directory in which it was found.
struct Found {
    store: Arc<dyn Store>,
    tenant: Tenant,
    records: DirectoryRecords,
}

impl RegistrationToken {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List => list(context).await,
            Self::Create { name, expires, uses } => create(context, name, expires, uses).await,
            Self::Remove { name } => remove(context, &name).await,
        }
    }
}

async fn list(context: &Context) -> Result<()> {
    let Found { tenant, .. } = find(context).await?;
    let now = fresh::now();
    context.output.list(
        &tenant.registration.initial_access_tokens,
        &["token", "made", "works until", "uses left"],
        |token| {
            let over = if token.expires <= now { " (over)" } else { "" };
            let end = format!("{}{over}", moment(token.expires));
            vec![token.name.clone(), moment(token.created), end, token.uses.to_string()]
        },
        shown,
        "No tokens. Make one with: grantor client registration-token create my-token",
    )
}

async fn create(context: &Context, name: String, expires: End, uses: u32) -> Result<()> {
    let now = fresh::now();
    let expires = expires.from(now);
    if expires <= now {
        return Err(Failure::usage("--expires is in the past: the token would never work"));
    }
    let mut found = find(context).await?;
    let tokens = &mut found.tenant.registration.initial_access_tokens;
    // What nobody can use any more needs no place.
    tokens.retain(|token| token.is_alive(now));
    if tokens.iter().any(|token| token.name == name) {
        return Err(Failure::new(format!("there is a token {name} already"))
            .hint(format!("`grantor client registration-token remove {name}` takes it away")));
    }
    let secret = initial_access_token(fresh::bytes()?);
    tokens.push(InitialAccessToken {
        name: name.clone(),
        token_hash: TokenHash::of(&secret),
        created: now,
        expires,
        uses,
    });
    put(found).await?;
    context.output.say(format!("The token {name}, shown this once:\n  {}", secret.expose()))?;
    context.output.say(format!(
        "It registers {} until {}.",
        super::count_u64(uses.into(), "client"),
        moment(expires)
    ))?;
    context
        .output
        .value(|| json!({ "name": name, "initial_access_token": secret.expose(), "expires": expires, "uses": uses }))
}

async fn remove(context: &Context, name: &str) -> Result<()> {
    let mut found = find(context).await?;
    let tokens = &mut found.tenant.registration.initial_access_tokens;
    let before = tokens.len();
    tokens.retain(|token| token.name != name);
    if tokens.len() == before {
        return Err(Failure::new(format!("there is no token {name}"))
            .hint("`grantor client registration-token list` names all of them".to_owned()));
    }
    put(found).await?;
    context.output.say(format!("Took the token {name} away."))?;
    context.output.value(|| json!({ "name": name, "removed": true }))
}

async fn find(context: &Context) -> Result<Found> {
    let store = open::existing(&context.configuration).await?;
    let name = context.tenant();
    let records = store.directory().await?;
    if let Some(tenant) = records.tenants.iter().find(|tenant| tenant.name == name) {
        return Ok(Found { store, tenant: tenant.clone(), records });
    }
    let known = records.tenants.iter().map(|tenant| tenant.name.as_str());
    Err(single::missing(Kind::Tenant, name.as_str(), known))
}

async fn put(found: Found) -> Result<()> {
    let Found { store, tenant, records } = found;
    let what = What::Changed(vec!["initial_access_tokens".to_owned()]);
    let step = step(&tenant.name, Kind::Tenant, tenant.name.to_string(), what);
    let changes = vec![Change::PutTenant(tenant)];
    Ok(manifest::execute(&*store, changes, Some(records.version), &[step], fresh::now()).await?)
}

fn shown(token: &InitialAccessToken) -> Value {
    json!({ "name": token.name, "created": token.created, "expires": token.expires, "uses": token.uses })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use grantor_protocol::value::Seconds;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: RegistrationToken,
    }

    #[test]
    fn a_token_is_good_for_one_client_and_a_day_unless_somebody_says_otherwise() {
        let line = Line::parse_from(["x", "create", "ci"]);
        let RegistrationToken::Create { expires, uses, .. } = line.command else { panic!("create") };
        assert_eq!((expires.from(fresh::now()).remaining(fresh::now()), uses), (Seconds::new(86_400), 1));
        assert!(Line::try_parse_from(["x", "create", "ci", "--uses", "0"]).is_err());
    }
}
