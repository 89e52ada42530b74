//! `grantor token inspect` and `grantor token revoke`, with the store of a server; `grantor token` alone is a program's, and
//! asks a server for one.

use crate::command::program::Print;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::output::brief;
use crate::{command, fresh, master_key, open, revocation};
use clap::{Args, Subcommand};
use grantor_protocol::value::{GrantId, Issuer, Secret, TenantName, TokenId, UnixTime};
use grantor_server::inspect::TokenReport;
use grantor_server::{MasterKey, Server, Settings, SystemWorld};
use grantor_store::Store;
use serde_json::{Value, json};
use std::sync::Arc;

/// `grantor token`, alone or with what is to be done to one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TokenCommand {
    /// What is done to a token.
    #[command(subcommand)]
    pub(crate) with: Option<Token>,
    /// Which one is printed.
    #[command(flatten)]
    pub(crate) print: Print,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Say what a token is, what it is for and what not, and whether it is still good
    Inspect(Named),
    /// Take back an access token, or the grant of a refresh token
    Revoke(Named),
}

#[derive(Args)]
pub(crate) struct Named {
    /// The token; - reads it from standard input, so that it stays out of the shell's history
    token: String,
    /// The issuer, if it is not the one for which the data was last used
    #[arg(long, value_name = "URL", value_parser = parse_issuer)]
    issuer: Option<Issuer>,
}

impl std::fmt::Debug for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Named")
    }
}

impl Token {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::Inspect(named) => {
                let (_, report) = named.look(context).await?;
                if context.output.json {
                    return context.output.value(|| json!(report));
                }
                print(context, &report)
            }
            Self::Revoke(named) => {
                let (store, report) = named.look(context).await?;
                revoke(context, &*store, &report).await
            }
        }
    }
}

impl Named {
    async fn look(self, context: &Context) -> Result<(Arc<dyn Store>, TokenReport)> {
        let token = if self.token == "-" { command::from_stdin("token")? } else { Secret::new(self.token) };
        let store = open::existing(&context.configuration).await?;
        let records = store.directory().await?;
        if records.keys.is_empty() {
            return Err(Failure::new("no token was ever made with this data: it has no keys yet")
                .hint("name the data directory of the server with --data".to_owned()));
        }
        let bytes = master_key::load(&context.configuration, true)?;
        let issuer = self.issuer.unwrap_or_else(|| open::issuer(&context.configuration));
        let master = MasterKey::from_bytes(*bytes);
        let server = Server::new(Arc::clone(&store), master, Settings::new(issuer), Arc::new(SystemWorld))
            .await
            .context(|| "open the keys".to_owned())?;
        let tenants: Vec<TenantName> = match context.named_tenant() {
            Some(tenant) => vec![tenant.clone()],
            None => records.tenants.into_iter().map(|tenant| tenant.name).collect(),
        };
        let report = server.inspect(token.expose().trim(), &tenants).await?;
        Ok((store, report))
    }
}

fn print(context: &Context, report: &TokenReport) -> Result<()> {
    let output = context.output;
    output.say(format!("{}: {}", report.kind, if report.good { "good" } else { "NOT good" }))?;
    output.say(format!("  {}", report.verdict))?;
    output.say(format!("\nFor      {}\nNot for  {}", report.purpose, report.not_for))?;
    if let Some(tenant) = report.tenant.as_ref().filter(|tenant| !tenant.is_default()) {
        output.say(format!("Tenant   {tenant}"))?;
    }
    if report.claims.is_empty() {
        return Ok(());
    }
    if let Some(bound) = report.claims.get("cnf").and_then(bound) {
        output.say(format!("Bound    {bound}"))?;
    }
    let trust = if report.tenant.is_some() { "" } else { " (unverified)" };
    output.say(format!("\nWhat it says{trust}:"))?;
    let width = report.claims.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, value) in &report.claims {
        output.say(format!("  {name:width$}  {}", claim(name, value)))?;
    }
    Ok(())
}

/// What its bearer must prove, in words.
fn bound(confirmation: &Value) -> Option<String> {
    let text = |name: &str| confirmation.get(name).and_then(Value::as_str);
    if let Some(key) = text("jkt") {
        return Some(format!("to the key {key}: sent as DPoP with a proof, never as Bearer (RFC 9449 7.1)"));
    }
    let certificate = text("x5t#S256")?;
    Some(format!("to the certificate {certificate}: sent over a connection that showed it (RFC 8705 3)"))
}

/// A claim for people: times are moments.
fn claim(name: &str, value: &Value) -> String {
    match value.as_i64() {
        Some(seconds) if matches!(name, "exp" | "iat" | "nbf" | "auth_time" | "updated_at") => {
            format!("{seconds} ({})", command::moment(UnixTime::new(seconds)))
        }
        _ => brief(value),
    }
}

async fn revoke(context: &Context, store: &dyn Store, report: &TokenReport) -> Result<()> {
    let Some(tenant) = &report.tenant else {
        return Err(Failure::new(format!("this cannot be taken back: {}", report.verdict)));
    };
    let text = |name: &str| report.claims.get(name).and_then(Value::as_str);
    let now = fresh::now();
    let token = text("jti").and_then(TokenId::parse).filter(|_| report.kind.ends_with("access token"));
    let (what, target) = if let Some(token) = token {
        let expires = report.claims.get("exp").and_then(Value::as_i64).map_or(now, UnixTime::new);
        store.revoke_token(tenant, token, expires).await?;
        ("access token", token.to_string())
    } else if let Some(grant) = text("grant_id").and_then(GrantId::parse) {
        store.revoke_grant(tenant, grant, now).await?;
        ("grant", grant.to_string())
    } else {
        return Err(Failure::new(format!(
            "this is an {} and cannot be taken back",
            report.kind.trim_start_matches("an ")
        ))
        .hint("`grantor grant revoke` takes back what it belongs to".to_owned()));
    };
    revocation::record(store, tenant, what, &target, now).await?;
    context.output.say(format!("Took back the {what} {target}."))?;
    context.output.value(|| json!({ "revoked": what, "id": target, "tenant": tenant }))
}

fn parse_issuer(raw: &str) -> Result<Issuer, String> {
    Issuer::parse(raw).ok_or_else(|| "an https URL without query and fragment (http on loopback only)".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_is_said_in_words() {
        let key = bound(&json!({ "jkt": "abc" })).unwrap();
        assert!(key.starts_with("to the key abc: sent as DPoP"), "{key}");
        let certificate = bound(&json!({ "x5t#S256": "def" })).unwrap();
        assert!(certificate.starts_with("to the certificate def"), "{certificate}");
        assert_eq!(bound(&json!({})), None);
    }
}
