//! The dry run: what a token of another issuer would come to, rule by rule. Nothing is remembered of it, and the token is
//! never printed.

use crate::command::client::{Found, find, parse_id, profile_of};
use crate::command::from_stdin;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::fresh;
use clap::Args;
use grantor_fetch::{Fetcher, KeySets};
use grantor_jose::JwkSet;
use grantor_jose::jws::Unverified;
use grantor_protocol::client::auth::assertion::Assertion;
use grantor_protocol::client::federated::{self, FederatedCredential, JudgedRule};
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{ClientId, Secret, UnixTime};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct Trial {
    #[arg(value_parser = parse_id)]
    client_id: ClientId,
    /// A file with the token; - reads it from standard input
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// Do not fetch the issuer's keys; a signature that needs them is not checked
    #[arg(long)]
    offline: bool,
}

/// What a token is judged with.
struct Bench<'a> {
    token: &'a Secret,
    assertion: Assertion,
    /// None when nothing may be fetched.
    sets: Option<KeySets>,
    /// What the client is held to.
    profile: Profile,
    now: UnixTime,
}

/// What the token comes to under one credential.
struct Outcome<'a> {
    credential: &'a FederatedCredential,
    rules: Vec<JudgedRule>,
    /// Whether the signature was looked at, and not only what the token says.
    checked: bool,
}

impl Trial {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let Found { client, records, .. } = find(context, &self.client_id).await?;
        let token = self.token()?;
        let assertion = Assertion::parse(token.expose())
            .map_err(|why| Failure::new(format!("this is no token that could be held against anything: {why}")))?;
        let sets = if self.offline { None } else { Some(key_sets(context)?) };
        let profile = profile_of(&client.metadata, &records);
        let bench = Bench { token: &token, assertion, sets, profile, now: fresh::now() };
        let mut outcomes = Vec::new();
        for credential in federated::candidates(&client.metadata, &bench.assertion) {
            outcomes.push(bench.judge(credential).await);
        }
        let issuer = bench.assertion.unverified_issuer();
        let others: Vec<&FederatedCredential> =
            client.metadata.federated_credentials.iter().filter(|one| one.issuer != issuer).collect();
        let fits = outcomes.iter().find(|outcome| outcome.holds()).map(|outcome| &outcome.credential.name);
        if context.output.json {
            let credentials: Vec<Value> = outcomes.iter().map(Outcome::to_json).collect();
            let others: Vec<Value> =
                others.iter().map(|one| json!({ "name": one.name, "issuer": one.issuer })).collect();
            context.output.value(|| {
                json!({
                    "client_id": self.client_id, "issuer": issuer, "fits": fits, "credentials": credentials,
                    "other_issuers": others,
                })
            })?;
        } else {
            for outcome in &outcomes {
                outcome.say(context)?;
            }
            for other in &others {
                context.output.say(format!("{}: not asked, it trusts {}\n", other.name, other.issuer))?;
            }
        }
        let Some(name) = fits else { return Err(none_fits(&self.client_id, issuer, outcomes.is_empty())) };
        let unchecked = outcomes.iter().any(|outcome| outcome.holds() && !outcome.checked);
        let but = if unchecked { ", if the issuer signed it: that was not checked" } else { "" };
        if client.metadata.disabled {
            context.output.say(format!("{} is disabled: nothing lets it in until it is enabled.", self.client_id))?;
        }
        context.output.say(format!("The token speaks for {} by {name}{but}.", self.client_id))
    }

    fn token(&self) -> Result<Secret> {
        if self.token_file.as_os_str() == "-" {
            let token = from_stdin("token")?;
            return Ok(Secret::new(token.expose().trim().to_owned()));
        }
        let text = std::fs::read_to_string(&self.token_file);
        let text = Secret::new(text.context(|| format!("read {}", self.token_file.display()))?);
        Ok(Secret::new(text.expose().trim().to_owned()))
    }
}

fn none_fits(client_id: &ClientId, issuer: &str, nobody_trusts: bool) -> Failure {
    let failure = Failure::new(format!("no federated credential of {client_id} fits this token"));
    // `iss` is compared character by character, and a slash at its end is a character.
    let said = format!("its iss is {}, which no credential names", json!(issuer));
    if nobody_trusts { failure.hint(said) } else { failure }
}

fn key_sets(context: &Context) -> Result<KeySets> {
    let fetcher = Fetcher::new(context.configuration.outgoing()).context(|| "prepare outgoing requests".to_owned())?;
    Ok(KeySets::new(fetcher))
}

impl Bench<'_> {
    async fn judge<'a>(&self, credential: &'a FederatedCredential) -> Outcome<'a> {
        let mut rules = credential.judge_for(self.profile, self.assertion.unverified_claims(), self.now).lines;
        let keys = keys(credential, self.assertion.kid(), self.sets.as_ref()).await;
        let checked = keys.is_some();
        match keys {
            None => {}
            Some(Err(why)) => {
                rules.push(rule("signature", false, format!("the keys of the issuer cannot be had: {why}")));
            }
            Some(Ok(keys)) => {
                let signature = self.signature(&keys);
                let signed = signature.holds;
                rules.push(signature);
                // What the server decides in the end, which knows a rule more: the type of the token.
                let decided = federated::verify(&self.assertion, credential, &keys, self.profile, self.now);
                if let (true, Err(why)) = (signed && rules.iter().all(|rule| rule.holds), decided) {
                    rules.push(rule("type", false, why.to_string()));
                }
            }
        }
        Outcome { credential, rules, checked }
    }

    fn signature(&self, keys: &JwkSet) -> JudgedRule {
        let verified = match Unverified::parse(self.token.expose()) {
            Ok(token) => token.verify_with_set(keys, &self.profile.algorithms()).map_err(|why| why.to_string()),
            Err(why) => Err(why.to_string()),
        };
        match verified {
            Ok(_) => rule("signature", true, "a key of the issuer made it".to_owned()),
            Err(why) => rule("signature", false, why),
        }
    }
}

/// The issuer's keys; none when they would have to be fetched and must not.
async fn keys(
    credential: &FederatedCredential,
    kid: Option<&str>,
    sets: Option<&KeySets>,
) -> Option<Result<Arc<JwkSet>, String>> {
    if let Some(jwks) = &credential.jwks {
        let set = jwks.as_object().and_then(|members| JwkSet::from_members(members).ok());
        return Some(set.map(Arc::new).ok_or_else(|| "jwks is no set of keys".to_owned()));
    }
    let sets = sets?;
    let fetched = match &credential.jwks_uri {
        Some(uri) => sets.of_uri(uri, kid).await,
        None => sets.of_issuer(&credential.issuer, kid).await,
    };
    Some(fetched.map_err(|error| error.to_string()))
}

fn rule(name: &str, holds: bool, reason: String) -> JudgedRule {
    JudgedRule { rule: name.to_owned(), holds, found: None, reason }
}

impl Outcome<'_> {
    fn holds(&self) -> bool {
        self.rules.iter().all(|rule| rule.holds)
    }

    fn say(&self, context: &Context) -> Result<()> {
        let verdict = if self.holds() { "fits" } else { "does not fit" };
        context.output.say(format!("{}: {verdict}", self.credential.name))?;
        let width = |text: fn(&JudgedRule) -> String| {
            self.rules.iter().map(|rule| text(rule).chars().count()).max().unwrap_or(0).min(WIDEST)
        };
        let (names, values) = (width(|rule| rule.rule.clone()), width(found));
        for rule in &self.rules {
            let mark = if rule.holds { '✓' } else { '✗' };
            context.output.say(format!("  {mark} {:names$}  {:values$}  {}", rule.rule, found(rule), rule.reason))?;
        }
        if !self.checked {
            context.output.say("  ? signature: not checked (--offline)")?;
        }
        context.output.say("")
    }

    fn to_json(&self) -> Value {
        json!({
            "name": self.credential.name, "fits": self.holds(), "signature_checked": self.checked, "rules": self.rules,
        })
    }
}

/// What the token says, as JSON: nothing in it can move the cursor of a terminal.
fn found(rule: &JudgedRule) -> String {
    rule.found.as_ref().map_or_else(|| "-".to_owned(), Value::to_string)
}

/// A longer value does not push the others away.
const WIDEST: usize = 48;
