//! What is wrong with the declaration of a federated credential: nothing of it may be stored.

use super::condition::Test;
use super::platform::{Platform, begins_fixed};
use super::{Condition, FederatedCredential};
use crate::value::Issuer;
use grantor_jose::JwkSet;
use serde_json::Value;
use url::Url;

impl FederatedCredential {
    /// What is wrong with the declaration, in the order of the fields.
    pub fn problems(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.name.trim().is_empty() {
            found.push("name is empty".to_owned());
        }
        if !is_issuer(&self.issuer) {
            found.push(format!("issuer is no https URL without query and fragment: {:?}", self.issuer));
        }
        if self.audience.is_empty() {
            found.push("audience is empty: tokens must be made for this server".to_owned());
        }
        if self.conditions.is_empty() {
            found.push("conditions is empty: anybody with a token of this issuer would be let in".to_owned());
        } else if !self.says_who() {
            let remedy = match Platform::of(self) {
                Some(platform) => format!("add one on {}", platform.project_id),
                None => "add one on sub".to_owned(),
            };
            found.push(format!("no condition says whose token it is, so that strangers would be let in: {remedy}"));
        }
        for (position, condition) in self.conditions.iter().enumerate() {
            found.extend(wrong(condition).map(|why| format!("conditions[{position}] ({}): {why}", condition.claim)));
        }
        if self.jwks.is_some() && self.jwks_uri.is_some() {
            found.push("jwks and jwks_uri exclude each other".to_owned());
        }
        if self.jwks.as_ref().is_some_and(|jwks| !is_key_set(jwks)) {
            found.push("jwks is no set of public keys that can verify here (RFC 7517 5)".to_owned());
        }
        if self.jwks_uri.as_deref().is_some_and(|uri| !is_https(uri)) {
            found.push("jwks_uri is no https URL".to_owned());
        }
        found
    }

    /// Whether the conditions say who it is at all; on platforms for everybody, whether they leave no doubt.
    fn says_who(&self) -> bool {
        match Platform::of(self) {
            Some(platform) if platform.is_shared(&self.issuer) => {
                self.conditions.iter().any(|condition| platform.names_owner(condition))
            }
            _ => self.conditions.iter().any(|condition| !WHAT_AND_WHEN.contains(&&*condition.name())),
        }
    }

    /// Whether a condition names the subject, as far as can be told of an issuer that is not known here.
    pub(super) fn names_subject(&self) -> bool {
        self.conditions.iter().any(|condition| {
            let patterns = condition.patterns();
            let fixed = |pattern: &str| begins_fixed(pattern.strip_prefix("system:serviceaccount:").unwrap_or(pattern));
            condition.name() == "sub" && !patterns.is_empty() && patterns.iter().all(|pattern| fixed(pattern))
        })
    }
}

fn wrong(condition: &Condition) -> Option<&'static str> {
    let empty = |value: &Value| value.as_str().is_some_and(str::is_empty);
    if condition.claim.is_empty() {
        return Some("the claim needs a name");
    }
    if condition.claim.starts_with('/') && !is_pointer(&condition.claim) {
        return Some("a claim that begins with / is a JSON pointer, where ~ is written ~0 (RFC 6901)");
    }
    match condition.test() {
        None => Some("it needs exactly one of equals, one_of and glob"),
        Some(Test::Equals(value)) if empty(value) => Some("equals is empty"),
        Some(Test::OneOf([])) => Some("one_of is empty"),
        Some(Test::OneOf(values)) if values.iter().any(empty) => Some("one_of has an empty text"),
        Some(Test::Glob("")) => Some("glob is empty"),
        Some(Test::Glob(pattern)) if pattern.bytes().all(|byte| byte == b'*') => {
            Some("glob fits everything: say what must be there, or leave the condition out")
        }
        Some(Test::Glob(pattern)) if pattern.len() > MAX_GLOB => Some("glob has more than 512 bytes"),
        Some(_) => None,
    }
}

/// RFC 6901 3.
fn is_pointer(text: &str) -> bool {
    text.split('~').skip(1).all(|after| after.starts_with(['0', '1']))
}

fn is_issuer(text: &str) -> bool {
    Issuer::parse(text).is_some_and(|issuer| issuer.is_https()) && is_https(text)
}

/// With a name or a password in it, it would look like another host to people.
fn is_https(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.is_some_and(|url| url.username().is_empty() && url.password().is_none())
}

fn is_key_set(jwks: &Value) -> bool {
    let set = jwks.as_object().and_then(|members| JwkSet::from_members(members).ok());
    set.is_some_and(|set| !set.keys.is_empty())
}

/// Claims that say what runs and when, but not whose it is.
const WHAT_AND_WHEN: [&str; 26] = [
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "ref",
    "ref_type",
    "ref_path",
    "ref_protected",
    "base_ref",
    "head_ref",
    "sha",
    "environment",
    "environment_protected",
    "deployment_tier",
    "event_name",
    "pipeline_source",
    "workflow",
    "repository_visibility",
    "project_visibility",
    "runner_environment",
    "run_attempt",
    "azp",
    "typ",
    "ver",
];

/// The longest pattern, in bytes: a token has to be held against it.
const MAX_GLOB: usize = 512;

#[cfg(test)]
#[path = "problems_tests.rs"]
mod tests;
