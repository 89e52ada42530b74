//! The rules for a token of another issuer, each with its outcome: for the decision, and for whoever asks what a token
//! would come to.

use super::FederatedCredential;
use crate::error::Refusal;
use crate::profile::Profile;
use crate::value::{Seconds, UnixTime};
use serde::Serialize;
use serde_json::{Map, Value};

/// What a token comes to under a credential.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Every rule.
    pub lines: Vec<JudgedRule>,
}

/// One rule and what a token comes to under it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JudgedRule {
    /// What it is called: `issuer`, `expires`, `repository_id equals "1"`.
    pub rule: String,
    /// Whether it holds.
    pub holds: bool,
    /// What the token says; absent when it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Value>,
    /// Why it holds or does not.
    pub reason: String,
}

/// Why it holds; or why not, and what it is refused as.
type Outcome = Result<String, (Refusal, String)>;

struct Rule<'a> {
    name: String,
    found: Option<&'a Value>,
    outcome: Outcome,
}

impl Judgement {
    /// Whether the token speaks for the client.
    pub fn holds(&self) -> bool {
        self.lines.iter().all(|line| line.holds)
    }
}

impl FederatedCredential {
    /// What a token with these claims would come to for a client of the default profile.
    pub fn judge(&self, claims: &Map<String, Value>, now: UnixTime) -> Judgement {
        self.judge_for(Profile::default(), claims, now)
    }

    /// What a token with these claims would come to for a client of a profile; its signature is another matter.
    pub fn judge_for(&self, profile: Profile, claims: &Map<String, Value>, now: UnixTime) -> Judgement {
        Judgement { lines: self.rules(profile, claims, now).into_iter().map(Rule::line).collect() }
    }

    /// The same as a decision: the first rule that does not hold is the refusal.
    pub(super) fn accept(&self, profile: Profile, claims: &Map<String, Value>, now: UnixTime) -> Result<(), Refusal> {
        let outcomes = self.rules(profile, claims, now).into_iter().map(|rule| rule.outcome);
        outcomes.map(|outcome| outcome.map_err(|(refusal, _)| refusal)).try_for_each(|outcome| outcome.map(drop))
    }

    fn rules<'a>(&self, profile: Profile, claims: &'a Map<String, Value>, now: UnixTime) -> Vec<Rule<'a>> {
        let claim = |name: &str| claims.get(name);
        let rule = |name: &str, found, outcome| Rule { name: name.to_owned(), found, outcome };
        let mut rules = vec![
            rule("issuer", claim("iss"), self.issued(claim("iss"))),
            rule("audience", claim("aud"), self.meant(profile, claim("aud"))),
            rule("expires", claim("exp"), expires(profile, claim("exp"), now)),
            rule("not before", claim("nbf"), begins(claim("nbf"), now)),
            rule("subject", claim("sub"), subject(claim("sub"))),
            rule("jti", claim("jti"), identifier(claim("jti"))),
        ];
        rules.extend(self.conditions.iter().map(|condition| {
            let found = condition.find(claims);
            let outcome = condition.holds(found).map_err(|why| (Refusal::NoFederatedCredentialFits, why));
            Rule { name: condition.to_string(), found, outcome }
        }));
        if profile.is_fapi2() && self.reusable {
            let why = format!("the profile {} wants tokens that are good once", profile.as_str());
            rules.push(rule("reusable", None, Err((Refusal::NoFederatedCredentialFits, why))));
        }
        if self.conditions.is_empty() {
            let why = "there are none: anybody with a token of this issuer would be let in".to_owned();
            rules.push(rule("conditions", None, Err((Refusal::NoFederatedCredentialFits, why))));
        }
        rules
    }

    /// RFC 7523 3, item 1: as it is written.
    fn issued(&self, found: Option<&Value>) -> Outcome {
        if found.and_then(Value::as_str) == Some(&self.issuer) {
            return Ok("it is the issuer of this credential".to_owned());
        }
        Err((Refusal::AssertionIssuerMismatch, format!("it must be {:?}, character by character", self.issuer)))
    }

    /// RFC 7523 3, item 3. A list may hold others, as those of Kubernetes do; not for FAPI 2.0, where whoever else is meant
    /// could come with the token (FAPI 2.0 Security Profile 5.3.2.1; CVE-2025-27370).
    fn meant(&self, profile: Profile, found: Option<&Value>) -> Outcome {
        let ours = |value: &Value| value.as_str() == Some(&self.audience);
        let fits = match found {
            Some(Value::Array(_)) if profile.is_fapi2() => false,
            Some(Value::Array(list)) => list.iter().all(Value::is_string) && list.iter().any(ours),
            Some(value) => ours(value),
            None => false,
        };
        if fits {
            return Ok("it names the audience of this credential".to_owned());
        }
        let others = if profile.is_fapi2() { "and no list" } else { "or a list of texts with it" };
        Err((Refusal::AssertionAudienceMismatch, format!("it must be {:?}, {others}", self.audience)))
    }
}

impl Rule<'_> {
    fn line(self) -> JudgedRule {
        let holds = self.outcome.is_ok();
        let reason = self.outcome.unwrap_or_else(|(_, why)| why);
        JudgedRule { rule: self.name, holds, found: self.found.cloned(), reason }
    }
}

/// A moment: whole seconds since 1970 (RFC 7519 2). The fractions that the RFC allows are refused: nobody means them.
pub(super) fn moment(found: Option<&Value>) -> Option<UnixTime> {
    found.and_then(Value::as_i64).filter(|seconds| *seconds >= 0).map(UnixTime::new)
}

/// RFC 7523 3, item 4. How far ahead is the issuer's matter: those of Kubernetes may live for a year. Not for FAPI 2.0.
fn expires(profile: Profile, found: Option<&Value>, now: UnixTime) -> Outcome {
    match (found, moment(found)) {
        (None, _) => Err((Refusal::AssertionWithoutExpiry, "the token must say when it ends".to_owned())),
        (Some(_), None) => Err(no_moment()),
        (_, Some(end)) if now >= end => {
            Err((Refusal::AssertionExpired, format!("it ended {} seconds ago", now.remaining(end).get())))
        }
        (_, Some(end)) if profile.is_fapi2() && end > now.plus(LONGEST_LIFE).plus(CLOCK_DIFFERENCE) => {
            let (longest, profile) = (LONGEST_LIFE.get(), profile.as_str());
            let why = format!("it is further ahead than the {longest} seconds that the profile {profile} allows");
            Err((Refusal::AssertionLivesTooLong, why))
        }
        (_, Some(end)) => Ok(format!("it is good for {} more seconds", end.remaining(now).get())),
    }
}

/// RFC 7523 3, item 5.
fn begins(found: Option<&Value>, now: UnixTime) -> Outcome {
    match (found, moment(found)) {
        (None, _) => Ok("the token does not say; it is good at once".to_owned()),
        (Some(_), None) => Err(no_moment()),
        (_, Some(start)) if start > now.plus(CLOCK_DIFFERENCE) => {
            Err((Refusal::AssertionNotYetValid, format!("it begins in {} seconds", start.remaining(now).get())))
        }
        (_, Some(_)) => Ok("it has begun".to_owned()),
    }
}

fn no_moment() -> (Refusal, String) {
    (Refusal::MalformedClientAssertion, "it must be a whole number of seconds since 1970".to_owned())
}

/// RFC 7523 3, item 2.
fn subject(found: Option<&Value>) -> Outcome {
    match found.and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok("the token has one; conditions say which".to_owned()),
        _ => Err((Refusal::AssertionSubjectMismatch, "the token must have one, as a text".to_owned())),
    }
}

/// RFC 7523 3, item 7. Tokens of Kubernetes before 1.30 have none.
fn identifier(found: Option<&Value>) -> Outcome {
    match found {
        None => Ok("the token has none; a digest of what was signed stands for it".to_owned()),
        Some(Value::String(text)) if !text.is_empty() => Ok("it tells the token from every other".to_owned()),
        Some(_) => Err((Refusal::AssertionWithoutId, "it must be a text that is not empty".to_owned())),
    }
}

/// How long a token may be good for a client of FAPI 2.0: platforms make them for an hour.
const LONGEST_LIFE: Seconds = Seconds::new(3_600);

/// How far another issuer's clock may be ahead.
const CLOCK_DIFFERENCE: Seconds = Seconds::new(60);

#[cfg(test)]
#[path = "judgement_tests.rs"]
mod tests;
