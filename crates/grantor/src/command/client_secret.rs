//! `grantor client secret ...`.

use super::client::{Found, find, parse_id, step};
use super::moment;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::fresh;
use crate::manifest::{self, Keeper, Kind, Safe, What};
use clap::Subcommand;
use grantor_jose::digest;
use grantor_protocol::client::{Client, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::value::{ClientId, Seconds, Secret as Text, UnixTime};
use grantor_store::Change;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// List the secrets of a client: when they were made and when they end, never themselves
    List {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
    },
    /// Make one more secret, shown this once; those that are there stay as they are
    Add {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        /// When it stops to work: 90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z [default: never]
        #[arg(long, value_name = "WHEN", value_parser = parse_end)]
        expires: Option<End>,
    },
    /// Make a new secret, shown this once; the old ones work until the overlap ends
    Rotate {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        /// For how many seconds the old secrets still work
        #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
        overlap: u32,
    },
    /// Take a secret away; it stops to work at once
    Remove {
        #[arg(value_parser = parse_id)]
        client_id: ClientId,
        /// Which one, as `list` names it
        secret: String,
    },
}

/// When something ends, as somebody says it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// At a moment.
    At(UnixTime),
    /// So long from now.
    In(Seconds),
}

impl Secret {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        match self {
            Self::List { client_id } => list(context, &client_id).await,
            Self::Add { client_id, expires } => add(context, &client_id, expires).await,
            Self::Rotate { client_id, overlap } => rotate(context, &client_id, overlap).await,
            Self::Remove { client_id, secret } => remove(context, &client_id, &secret).await,
        }
    }
}

async fn list(context: &Context, client_id: &ClientId) -> Result<()> {
    let Found { store, client, .. } = find(context, client_id).await?;
    let uses = store.last_uses(&client.metadata.tenant, client_id).await?;
    let now = fresh::now();
    let method = client.metadata.token_endpoint_auth_method.as_str();
    context.output.list(
        &client.secrets,
        &["secret", "kept as", "made", "works until", "last use"],
        |stored| {
            let end = match stored.expires {
                Some(end) if end <= now => format!("{} (over)", moment(end)),
                Some(end) => moment(end),
                None => "-".to_owned(),
            };
            let last = last_use(stored, &uses).map_or_else(|| "-".to_owned(), moment);
            vec![name(stored), kind(&stored.hash).to_owned(), moment(stored.created), end, last]
        },
        |stored| shown(stored, &uses, now),
        &format!("{client_id} has no secret: it authenticates with {method}."),
    )
}

async fn add(context: &Context, client_id: &ClientId, expires: Option<End>) -> Result<()> {
    let now = fresh::now();
    let expires = expires.map(|end| end.from(now));
    if expires.is_some_and(|end| end <= now) {
        return Err(Failure::usage("--expires is in the past: the secret would never work"));
    }
    let found = with_secrets(context, client_id).await?;
    let (secret, stored) = made(context, &found, expires, now)?;
    let name = name(&stored);
    put(found, |client| client.secrets.push(stored), now).await?;
    context.output.say(format!("A new secret of {client_id}, shown this once:\n  {}", secret.expose()))?;
    if let Some(end) = expires {
        context.output.say(format!("It works until {}.", moment(end)))?;
    }
    context.output.value(
        || json!({ "client_id": client_id, "secret": name, "client_secret": secret.expose(), "expires": expires }),
    )
}

async fn rotate(context: &Context, client_id: &ClientId, overlap: u32) -> Result<()> {
    let found = with_secrets(context, client_id).await?;
    let now = fresh::now();
    let end = now.plus(Seconds::new(overlap));
    let (secret, stored) = made(context, &found, None, now)?;
    let rotate = |client: &mut Client| {
        client.secrets.retain(|held| held.is_alive(now));
        for held in &mut client.secrets {
            held.expires = Some(held.expires.map_or(end, |expires| expires.min(end)));
        }
        client.secrets.push(stored);
    };
    put(found, rotate, now).await?;
    context.output.say(format!(
        "The new secret of {client_id}, shown this once:\n  {}\nThe old ones work until {}.",
        secret.expose(),
        moment(end)
    ))?;
    context
        .output
        .value(|| json!({ "client_id": client_id, "client_secret": secret.expose(), "old_secrets_expire_at": end }))
}

async fn remove(context: &Context, client_id: &ClientId, secret: &str) -> Result<()> {
    let found = with_secrets(context, client_id).await?;
    let now = fresh::now();
    let Some(gone) = found.client.secrets.iter().find(|stored| name(stored) == secret).cloned() else {
        return Err(Failure::new(format!("{client_id} has no secret {secret}"))
            .hint(format!("`grantor client secret list {client_id}` names all of them")));
    };
    if gone.is_alive(now) && found.client.secrets.iter().filter(|stored| stored.is_alive(now)).count() == 1 {
        return Err(Failure::new(format!("this is the last secret of {client_id} that works"))
            .hint(format!("`grantor client secret rotate {client_id} --overlap 0` puts another in its place")));
    }
    put(found, |client| client.secrets.retain(|stored| *stored != gone), now).await?;
    context.output.say(format!("Took the secret {secret} of {client_id} away."))?;
    context.output.value(|| json!({ "client_id": client_id, "secret": secret, "removed": true }))
}

async fn with_secrets(context: &Context, client_id: &ClientId) -> Result<Found> {
    let found = find(context, client_id).await?;
    let method = found.client.metadata.token_endpoint_auth_method;
    if method.needs_secret() {
        return Ok(found);
    }
    Err(Failure::new(format!("{client_id} has no secret: it authenticates with {}", method.as_str())))
}

fn made(context: &Context, found: &Found, expires: Option<UnixTime>, now: UnixTime) -> Result<(Text, StoredSecret)> {
    let secret = ClientSecret::new(fresh::bytes()?).into_secret();
    let safe = Safe::Configured(&context.configuration);
    let master = safe.open_for_client(&found.client, &found.records)?;
    let hash = Keeper::new(&found.client.metadata, master.as_ref()).keep(&secret)?;
    Ok((secret, StoredSecret { hash, created: now, expires }))
}

async fn put(found: Found, change: impl FnOnce(&mut Client), now: UnixTime) -> Result<()> {
    let Found { store, mut client, records } = found;
    change(&mut client);
    let what = What::Changed(vec!["client_secret".to_owned()]);
    let step = step(&client.metadata.tenant, Kind::Client, client.metadata.client_id.to_string(), what);
    manifest::execute(&*store, vec![Change::PutClient(client)], Some(records.version), &[step], now).await?;
    Ok(())
}

/// What tells it from the others: the beginning of a digest of what is kept, which gives nothing of the secret away.
fn name(stored: &StoredSecret) -> String {
    let kept = serde_json::to_vec(&stored.hash).unwrap_or_default();
    let [a, b, c, d, ..] = digest::sha256(&kept);
    format!("{:08x}", u32::from_be_bytes([a, b, c, d]))
}

/// What is kept of it.
fn kind(hash: &SecretHash) -> &str {
    match hash {
        SecretHash::Sha256(_) => "sha256",
        SecretHash::Sealed(_) => "sealed",
        SecretHash::Phc(phc) => match phc.trim_start_matches('$').split('$').next().unwrap_or_default() {
            "2a" | "2b" | "2y" => "bcrypt",
            named => named,
        },
    }
}

fn last_use(stored: &StoredSecret, uses: &BTreeMap<String, UnixTime>) -> Option<UnixTime> {
    uses.get(stored.name().as_str()).copied()
}

fn shown(stored: &StoredSecret, uses: &BTreeMap<String, UnixTime>, now: UnixTime) -> Value {
    json!({
        "secret": name(stored), "kind": kind(&stored.hash), "created": stored.created, "expires": stored.expires,
        "works": stored.is_alive(now), "last_used": last_use(stored, uses),
    })
}

impl End {
    pub(super) fn from(self, now: UnixTime) -> UnixTime {
        match self {
            Self::At(end) => end,
            Self::In(time) => now.plus(time),
        }
    }
}

pub(super) fn parse_end(raw: &str) -> Result<End, String> {
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let length = units.into_iter().find_map(|(unit, seconds)| {
        let number: u32 = raw.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).map(|seconds| End::In(Seconds::new(seconds)))
    });
    let moment = || raw.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second);
    let day = || {
        let midnight = raw.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(midnight.timestamp().as_second())
    };
    length
        .or_else(|| moment().or_else(day).map(|seconds| End::At(UnixTime::new(seconds))))
        .ok_or_else(|| "90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_length_a_day_or_a_moment() {
        let at = |raw: &str| parse_end(raw).unwrap().from(UnixTime::new(1000)).get();
        assert_eq!(at("90d"), 1000 + 90 * 86_400);
        assert_eq!(at("12h"), 1000 + 12 * 3600);
        assert_eq!(at("1970-01-02"), 86_400);
        assert_eq!(at("1970-01-02T00:00:01Z"), 86_401);
        for wrong in ["", "d", "90", "-1d", "soon", "99999999d"] {
            assert!(parse_end(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_kept_has_a_name_that_people_know() {
        let phc = |text: &str| SecretHash::Phc(text.to_owned());
        assert_eq!(kind(&phc("$argon2id$v=19$m=1,t=1,p=1$a$b")), "argon2id");
        assert_eq!(kind(&phc("$2b$10$abc")), "bcrypt");
        assert_eq!(kind(&phc("pbkdf2_sha256$600000$salt$hash")), "pbkdf2_sha256");
        assert_eq!(kind(&SecretHash::Sealed(String::new())), "sealed");
    }
}
