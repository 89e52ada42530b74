//! `grantor login`, `grantor logout`, `grantor whoami`.

use super::options::{self, Options, Which};
use super::profile::{Profiles, TokenStoreKind};
use super::ready::{self, Ready};
use super::sign_in;
use crate::command::moment;
use crate::failure::{Failure, Result};
use crate::output::Output;
use clap::Args;
use grantor_client::{Error, Grant, Identity, Name};
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(after_help = "The first time:
  grantor login --issuer https://id.example --client-id my-cli --scope 'openid offline_access notes:read'
and then, as it was:
  grantor login")]
pub(crate) struct Login {
    /// Sign in on another device, where this machine has no browser (RFC 8628)
    #[arg(long, conflicts_with_all = ["machine", "workload"])]
    device: bool,
    /// Open no browser; the address is printed
    #[arg(long)]
    no_browser: bool,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Args)]
pub(crate) struct Logout {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(crate) struct Whoami {
    #[command(flatten)]
    which: Which,
}

impl Login {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (profiles, name) = (Profiles::load()?, self.which.name()?);
        // Another issuer is another beginning: nothing of the one before is meant for it.
        let before = profiles.find(&name).filter(|_| !self.options.is_whole()).cloned();
        if before.is_none() && !self.options.is_whole() {
            return Err(Failure::usage(format!("there is no profile {name} yet"))
                .hint(options::login(&name, " --issuer URL --client-id ID")));
        }
        let ready = Ready::new(name, self.options.over(before.unwrap_or_default())).await?;
        if ready.profile.token_store == TokenStoreKind::File {
            eprintln!("warning: tokens are kept in a file: whoever can read your files as you can take them");
        }
        ready.source.prepare().await?;
        let grant = if ready.profile.machine {
            ready.client.client_credentials(&ready.ask).await?
        } else if self.device {
            sign_in::on_another_device(&ready.client, &ready.ask).await?
        } else {
            sign_in::in_browser(&ready.client, &ready.ask, !self.no_browser).await?
        };
        ready.source.keep(grant.clone()).await?;
        profiles.keep(&ready.name, ready.profile.clone())?;
        // Names are told at userinfo (OpenID Connect Core 5.4). Who it is is known without.
        let claims = ready.source.userinfo().await.ok();
        let claims = claims.as_ref().or(grant.identity.as_ref().map(Identity::claims));
        let who = claims.map_or_else(String::new, |claims| format!(" as {}", called(claims)));
        tell(&ready.name, &grant, &who, ready.profile.token_store, output)
    }
}

fn tell(name: &Name, grant: &Grant, who: &str, kept: TokenStoreKind, output: Output) -> Result<()> {
    output.say(format!("Signed in at {}{who}, as the profile {name}.", grant.issuer))?;
    if kept == TokenStoreKind::None {
        output.say("Nothing was kept: each command signs in.")?;
    }
    output.value(|| record(name, grant))
}

impl Logout {
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (name, profile) = self.which.profile()?;
        let ready = match Ready::new(name.clone(), profile.clone()).await {
            Ok(ready) => ready,
            Err(failure) => {
                // What is kept here is forgotten even when the server is gone.
                ready::store(profile.token_store).await?.remove(&name)?;
                return Err(
                    failure.hint("it was forgotten here; the server could not be asked to take it back".to_owned())
                );
            }
        };
        let was = ready.source.sign_out().await.map_err(|error| match error {
            // Then it is still there.
            Error::Store(_) => error.into(),
            _ => {
                Failure::from(error).hint("it was forgotten here, and lives on at the server until it ends".to_owned())
            }
        })?;
        output.say(if was {
            format!("Signed out of {}.", profile.issuer)
        } else {
            "Nobody was signed in.".to_owned()
        })?;
        output.value(|| json!({ "profile": name.as_str(), "issuer": profile.issuer, "revoked": was }))
    }
}

impl Whoami {
    /// From what is kept; nobody is asked.
    pub(crate) async fn run(self, output: Output) -> Result<()> {
        let (name, profile) = self.which.profile()?;
        let store = ready::store(profile.token_store).await?;
        let loaded = {
            let name = name.clone();
            tokio::task::spawn_blocking(move || store.load(&name)).await
        };
        let grant = loaded.map_err(|error| Failure::new(error.to_string()))??;
        let grant = grant.filter(|grant| grant.issuer == profile.issuer);
        let nobody =
            || Failure::new(format!("nobody is signed in as the profile {name}")).hint(options::login(&name, ""));
        output.record(&record(&name, &grant.ok_or_else(nobody)?))
    }
}

/// What may be shown of a grant: no token.
fn record(name: &Name, grant: &Grant) -> Value {
    let claim = |name: &str| grant.identity.as_ref().and_then(|identity| identity.claims().get(name)).cloned();
    json!({
        "profile": name.as_str(),
        "issuer": grant.issuer,
        "client_id": grant.client,
        "sub": claim("sub"),
        "name": claim("name"),
        "email": claim("email"),
        "scope": grant.tokens.scope,
        "token_type": grant.tokens.token_type.as_str(),
        "access_token_expires": grant.tokens.expires.map(moment),
        "renews_itself": grant.tokens.refresh_token.is_some(),
    })
}

/// What people call him.
fn called(claims: &serde_json::Map<String, Value>) -> String {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let called = ["name", "email", "preferred_username", "sub"].into_iter().find_map(text).unwrap_or_default();
    called.chars().filter(|c| !c.is_control()).collect()
}
