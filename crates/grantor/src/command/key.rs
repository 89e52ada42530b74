//! `grantor key ...`.

use super::moment;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::{fresh, master_key, open};
use clap::{Args, Subcommand};
use grantor_jose::SigningAlgorithm;
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::directory::{KeyKind, KeyRecord};
use grantor_protocol::value::UnixTime;
use grantor_server::{MasterKey, SystemWorld, keyring};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// List the keys of a tenant
    List,
    /// Let the next keys take over, and make others to come after them
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Only the keys of this algorithm
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm)]
    algorithm: Option<SigningAlgorithm>,
    /// Only the key that seals codes, refresh tokens and opaque tokens
    #[arg(long, conflicts_with = "algorithm")]
    handles: bool,
    /// Do not wait until verifiers have seen the next key, and drop the present one: for a key that was stolen.
    /// What it signed or sealed is worth nothing any more
    #[arg(long)]
    now: bool,
}

impl Key {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List => list(context).await,
            Self::Rotate(rotate) => rotate.run(context).await,
        }
    }
}

impl Rotate {
    async fn run(self, context: &Context) -> Result<()> {
        let store = open::existing(&context.configuration).await?;
        let tenant = context.tenant();
        let records = store.directory().await?;
        let own: Vec<&KeyRecord> = records.keys.iter().filter(|key| key.tenant == tenant).collect();
        let only = self.algorithm.map(KeyKind::Sig).or(self.handles.then_some(KeyKind::Handle));
        if own.is_empty() {
            return Err(no_keys());
        }
        if let Some(kind) = only.filter(|kind| !own.iter().any(|key| key.kind == *kind)) {
            return Err(Failure::new(format!("there is no key for {}", purpose(kind)))
                .hint("keys are made when an API or a client asks for the algorithm".to_owned()));
        }
        let bytes = master_key::load(&context.configuration, true)?;
        let master = MasterKey::from_bytes(*bytes);
        let changed = keyring::rotate(&*store, &master, &tenant, only, self.now, &SystemWorld)
            .await
            .context(|| "rotate the keys".to_owned())?;
        let now = fresh::now();
        let mut events = Vec::new();
        for key in changed.iter().filter(|key| key.expires.is_none() && key.active != UnixTime::FOREVER) {
            let mut details = serde_json::Map::new();
            details.insert("purpose".to_owned(), purpose(key.kind).into());
            details.insert("at_once".to_owned(), self.now.into());
            events.push(Event {
                id: fresh::event_id()?,
                time: now,
                tenant: tenant.clone(),
                action: Action::Key,
                outcome: Outcome::Allowed,
                actor: Some("cli".to_owned()),
                target: Some(key.kid.clone()),
                address: None,
                request_id: None,
                details,
            });
            let when = if key.active <= now { "now".to_owned() } else { format!("from {}", moment(key.active)) };
            context.output.say(format!("{} is used {when}: {}", key.kid, purpose(key.kind)))?;
        }
        store.record(events).await?;
        for key in &changed {
            if let Some(expires) = key.expires {
                let until =
                    if expires <= now { "dropped".to_owned() } else { format!("kept until {}", moment(expires)) };
                context.output.say(format!("{} is {until}: {}", key.kid, purpose(key.kind)))?;
            }
        }
        context.output.value(|| changed.iter().map(|key| shown(key, &changed, now)).collect())
    }
}

async fn list(context: &Context) -> Result<()> {
    let store = open::existing(&context.configuration).await?;
    let tenant = context.tenant();
    let mut keys = store.directory().await?.keys;
    keys.retain(|key| key.tenant == tenant);
    keys.sort_by_key(|key| (purpose(key.kind), key.active));
    let now = fresh::now();
    context.output.list(
        &keys,
        &["for", "kid", "state", "made", "used from", "kept until"],
        |key| {
            let time = |time: UnixTime| if time == UnixTime::FOREVER { "-".to_owned() } else { moment(time) };
            vec![
                purpose(key.kind),
                key.kid.clone(),
                state(key, &keys, now).to_owned(),
                time(key.published),
                time(key.active),
                key.expires.map_or_else(|| "-".to_owned(), time),
            ]
        },
        |key| shown(key, &keys, now),
        "No keys yet: `grantor serve` makes them when it starts for the first time.",
    )
}

fn no_keys() -> Failure {
    Failure::new("there are no keys yet")
        .hint("`grantor serve` makes them when it starts for the first time".to_owned())
}

/// What a key does at a moment.
fn state(key: &KeyRecord, all: &[KeyRecord], now: UnixTime) -> &'static str {
    if key.expires.is_some_and(|end| end <= now) {
        return "dropped";
    }
    if key.active > now {
        return "to come";
    }
    let younger = |other: &KeyRecord| other.kind == key.kind && other.active <= now && other.active > key.active;
    if all.iter().any(younger) { "retired" } else { "in use" }
}

fn purpose(kind: KeyKind) -> String {
    match kind {
        KeyKind::Sig(algorithm) => format!("signing {algorithm}"),
        KeyKind::Enc(algorithm) => format!("decryption {algorithm}"),
        KeyKind::Handle => "handles".to_owned(),
        KeyKind::Pairwise => "pairwise subjects".to_owned(),
    }
}

fn shown(key: &KeyRecord, all: &[KeyRecord], now: UnixTime) -> Value {
    let time = |time: UnixTime| (time != UnixTime::FOREVER).then_some(time);
    json!({
        "tenant": key.tenant, "kid": key.kid, "kind": key.kind, "state": state(key, all, now),
        "published": key.published, "active": time(key.active), "expires": key.expires,
    })
}

fn parse_algorithm(raw: &str) -> Result<SigningAlgorithm, String> {
    SigningAlgorithm::parse(raw).ok_or_else(|| {
        let all: Vec<&str> = SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
        format!("one of {}", all.join(", "))
    })
}
