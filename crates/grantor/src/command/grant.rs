//! `grantor grant ...`.

use super::client::parse_id;
use super::moment;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::{fresh, open, revocation};
use clap::{ArgGroup, Subcommand};
use grantor_protocol::grant::Grant as Record;
use grantor_protocol::value::{ClientId, GrantId, Subject};
use grantor_store::GrantsOf;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Grant {
    /// List the grants of a user or of a client that still stand
    #[command(group = ArgGroup::new("whose").required(true))]
    List {
        /// Whose: the username or sub
        #[arg(long, group = "whose")]
        user: Option<String>,
        /// Or to whom
        #[arg(long, group = "whose", value_parser = parse_id)]
        client: Option<ClientId>,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Take one grant back, and every token that came from it
    Revoke {
        #[arg(value_parser = parse_grant)]
        grant: GrantId,
    },
}

impl Grant {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let store = open::existing(&context.configuration).await?;
        let tenant = context.tenant();
        match self {
            Self::List { user, client, limit } => {
                let grants = if let Some(client) = client {
                    store.grants(&tenant, GrantsOf::Client(&client), fresh::now(), limit).await?
                } else {
                    let named = user.unwrap_or_default();
                    let subject = match store.user_by_username(&tenant, &named).await? {
                        Some(user) => user.sub,
                        None => {
                            Subject::parse(&named).ok_or_else(|| Failure::new(format!("there is no user {named}")))?
                        }
                    };
                    store.grants(&tenant, GrantsOf::Subject(&subject), fresh::now(), limit).await?
                };
                context.output.list(
                    &grants,
                    &["grant", "client", "sub", "scope", "since", "expires"],
                    |grant| {
                        vec![
                            grant.id.to_string(),
                            grant.terms.client.to_string(),
                            grant.terms.subject.to_string(),
                            grant.terms.access.scope().to_string(),
                            moment(grant.terms.created),
                            moment(grant.expires),
                        ]
                    },
                    shown,
                    "No grants stand.",
                )
            }
            Self::Revoke { grant } => {
                let now = fresh::now();
                if store.grant(&tenant, grant).await?.is_none() {
                    return Err(Failure::new(format!("there is no grant {grant}"))
                        .hint("`grantor grant list --user NAME` prints a user's".to_owned()));
                }
                let stood = store.revoke_grant(&tenant, grant, now).await?;
                revocation::record(&*store, &tenant, "grant", &grant.to_string(), now).await?;
                let said = if stood { "Took the grant back" } else { "The grant had been taken back before" };
                context.output.say(format!("{said}: {grant}."))?;
                context.output.value(|| json!({ "grant": grant, "stood": stood }))
            }
        }
    }
}

fn shown(grant: &Record) -> Value {
    json!({
        "grant": grant.id,
        "client_id": grant.terms.client,
        "sub": grant.terms.subject,
        "access": grant.terms.access,
        "created": grant.terms.created,
        "generation": grant.generation,
        "rotated": grant.rotated,
        "expires": grant.expires,
        "narrowed": grant.terms.narrowed,
    })
}

fn parse_grant(raw: &str) -> Result<GrantId, String> {
    GrantId::parse(raw).ok_or_else(|| "a UUID, as `grantor grant list` prints it".to_owned())
}
