//! `grantor user ...`.

use super::single;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::manifest::{self, Kind};
use crate::{fresh, open, revocation};
use clap::{Args, Subcommand};
use grantor_protocol::directory::User as Record;
use grantor_protocol::value::Subject;
use grantor_store::{Change, GrantsOf, Store};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A user is named by username or by sub.
#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// List the users
    List,
    /// Show a user
    Show { user: String },
    /// Add a user
    Create {
        username: String,
        #[command(flatten)]
        options: Options,
    },
    /// Change a user; what is not named stays as it is
    Update {
        user: String,
        #[command(flatten)]
        options: Options,
    },
    /// Set a password, read from standard input
    SetPassword { user: String },
    /// Delete a user and take back everything that he allowed
    Delete { user: String },
    /// Take back every token and grant of a user and sign him out everywhere
    Revoke { user: String },
    /// Lock a user out, and his tokens with him
    Disable { user: String },
    /// Let a user in again
    Enable { user: String },
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// His full name
    #[arg(long)]
    name: Option<String>,
    /// His e-mail address
    #[arg(long)]
    email: Option<String>,
    /// A role at an API; may be repeated
    #[arg(long, value_name = "AUDIENCE=ROLE")]
    role: Vec<String>,
    /// Whether he may administer the server
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    administrator: Option<bool>,
    /// Any claim of OpenID Connect Core 5.1; the value is JSON, or a text
    #[arg(long, value_name = "CLAIM=VALUE")]
    set: Vec<String>,
}

impl Options {
    fn write(self, record: &mut Map<String, Value>) -> Result<()> {
        if self.password_stdin {
            record.insert("password".to_owned(), super::from_stdin("password")?.expose().into());
        }
        for (key, value) in [("name", self.name), ("email", self.email)] {
            if let Some(value) = value {
                record.insert(key.to_owned(), value.into());
            }
        }
        if let Some(administrator) = self.administrator {
            record.insert("administrator".to_owned(), administrator.into());
        }
        let mut roles: Map<String, Value> = Map::new();
        for role in &self.role {
            // An audience may contain an equals sign; a role hardly.
            let (audience, name) =
                role.rsplit_once('=').ok_or_else(|| Failure::usage(format!("--role {role}: write AUDIENCE=ROLE")))?;
            if let Some(list) = roles.entry(audience).or_insert_with(|| json!([])).as_array_mut() {
                list.push(name.into());
            }
        }
        if !roles.is_empty() {
            record.insert("roles".to_owned(), roles.into());
        }
        for claim in &self.set {
            let (key, value) =
                claim.split_once('=').ok_or_else(|| Failure::usage(format!("--set {claim}: write CLAIM=VALUE")))?;
            record.insert(key.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
        }
        Ok(())
    }
}

impl User {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List => list(context).await,
            Self::Show { user } => {
                let (_, user) = find(context, &user).await?;
                context.output.record(&shown(user))
            }
            Self::Create { username, options } => create(context, username, options).await,
            Self::Update { user, options } => update(context, &user, |record| options.write(record)).await,
            Self::SetPassword { user } => {
                update(context, &user, |record| {
                    record.insert("password".to_owned(), super::from_stdin("password")?.expose().into());
                    Ok(())
                })
                .await
            }
            Self::Disable { user } => set_disabled(context, &user, true).await,
            Self::Enable { user } => set_disabled(context, &user, false).await,
            Self::Delete { user } => {
                let (store, user) = find(context, &user).await?;
                let change = Change::DeleteUser(user.tenant.clone(), user.sub.clone());
                single::delete(&*store, Kind::User, user.tenant, user.username.clone(), change).await?;
                context.output.say(format!("Deleted {} and took back everything that he allowed.", user.username))?;
                context.output.value(|| json!({ "sub": user.sub, "username": user.username, "deleted": true }))
            }
            Self::Revoke { user } => {
                let (store, user) = find(context, &user).await?;
                let now = fresh::now();
                store.close_sessions(&user.tenant, &user.sub).await?;
                let grants = revocation::revoke_all(&*store, &user.tenant, GrantsOf::Subject(&user.sub), now).await?;
                revocation::record(&*store, &user.tenant, "user", user.sub.as_str(), now).await?;
                let grants_said = super::count_u64(grants, "grant");
                context.output.say(format!("Signed {} out everywhere and took back {grants_said}.", user.username))?;
                context.output.value(|| json!({ "sub": user.sub, "revoked_grants": grants }))
            }
        }
    }
}

async fn list(context: &Context) -> Result<()> {
    let store = open::existing(&context.configuration).await?;
    let users = store.users(&context.tenant()).await?;
    context.output.list(
        &users,
        &["username", "sub", "name", "e-mail", ""],
        |user| {
            let mut marks = Vec::new();
            if user.administrator {
                marks.push("administrator");
            }
            if user.disabled {
                marks.push("disabled");
            }
            if user.password_hash.is_none() {
                marks.push("no password");
            }
            vec![
                user.username.clone(),
                user.sub.to_string(),
                user.claims.name.clone().unwrap_or_default(),
                user.claims.email.clone().unwrap_or_default(),
                marks.join(", "),
            ]
        },
        |user| shown(user.clone()),
        "No users yet. Add one with: grantor user create alice --password-stdin",
    )
}

async fn create(context: &Context, username: String, options: Options) -> Result<()> {
    let store = open::or_new(&context.configuration).await?;
    let tenant = context.tenant();
    if store.user_by_username(&tenant, &username).await?.is_some() {
        return Err(single::exists(Kind::User, &username));
    }
    let mut record = Map::new();
    record.insert("tenant".to_owned(), json!(tenant));
    record.insert("username".to_owned(), username.clone().into());
    options.write(&mut record)?;
    let without_password = !record.contains_key("password");
    single::put(&*store, Kind::User, record, context).await?;
    let made = store.user_by_username(&tenant, &username).await?;
    context.output.say(format!("Created the user {username}."))?;
    if without_password {
        context
            .output
            .say(format!("He cannot sign in yet. Give him a password with: grantor user set-password {username}"))?;
    }
    context.output.value(|| json!({ "username": username, "tenant": tenant, "sub": made.map(|user| user.sub) }))
}

async fn set_disabled(context: &Context, user: &str, disabled: bool) -> Result<()> {
    update(context, user, |record| {
        record.insert("disabled".to_owned(), disabled.into());
        Ok(())
    })
    .await
}

async fn update(
    context: &Context,
    user: &str,
    change: impl FnOnce(&mut Map<String, Value>) -> Result<()>,
) -> Result<()> {
    let (store, user) = find(context, user).await?;
    let (sub, username) = (user.sub.clone(), user.username.clone());
    let mut record = single::members(&manifest::user_entry(user, false));
    change(&mut record)?;
    let applied = single::put(&*store, Kind::User, record, context).await?;
    for step in &applied.steps {
        context.output.say(step.sentence())?;
    }
    context.output.value(|| json!({ "sub": sub, "username": username, "changed": applied.fields() }))
}

async fn find(context: &Context, named: &str) -> Result<(Arc<dyn Store>, Record)> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let mut found = store.user_by_username(&tenant, named).await?;
    if let (None, Some(subject)) = (&found, Subject::parse(named)) {
        found = store.user(&tenant, &subject).await?;
    }
    if let Some(user) = found {
        return Ok((store, user));
    }
    let users = store.users(&tenant).await?;
    Err(single::missing(Kind::User, named, users.iter().map(|user| user.username.as_str())))
}

fn shown(user: Record) -> Value {
    let has_password = user.password_hash.is_some();
    let mut members = single::members(&manifest::user_entry(user, false));
    members.insert("has_password".to_owned(), has_password.into());
    Value::Object(members)
}
