//! What is allowed and yet lets in more than most people mean.

use super::condition::Test;
use super::platform::Platform;
use super::{Condition, FederatedCredential, glob};

impl FederatedCredential {
    /// What lets in more, or less, than is likely meant, each with its remedy.
    pub fn warnings(&self) -> Vec<String> {
        let mut found = Vec::new();
        found.extend(self.borrowed_audience());
        match Platform::of(self) {
            Some(platform) => {
                found.extend(self.names_without_numbers(platform));
                found.extend(self.whole_owner(platform));
                found.extend(self.any_branch(platform));
                found.extend(self.proposals(platform));
                found.extend(self.never_equal(platform));
            }
            None if !self.names_subject() => found.push(
                "No condition on `sub` says exactly whose token it is: add one, unless the others leave no doubt."
                    .to_owned(),
            ),
            None => {}
        }
        found
    }

    /// A token with it was likely given to somebody else, who could come with it.
    fn borrowed_audience(&self) -> Option<String> {
        let audience = self.audience.as_str();
        let default = audience == self.issuer
            || ["https://github.com/", "https://kubernetes.default"].iter().any(|start| audience.starts_with(start))
            || ["api://AzureADTokenExchange", "sts.amazonaws.com", "sigstore", "vault"].contains(&audience);
        default.then(|| {
            format!(
                "The audience {audience:?} is one that tokens for other services have, and whoever is given such a token could \
                 use it here: ask the platform for tokens with this server's issuer as their audience."
            )
        })
    }

    /// Names are given to others when their owner leaves or is renamed.
    fn names_without_numbers(&self, platform: &Platform) -> Vec<String> {
        let unsettled = self.conditions.iter().filter(|named| {
            platform.has_name(named) && !self.conditions.iter().any(|condition| platform.settles(condition, named))
        });
        unsettled
            .map(|named| {
                let number = if named.name() == platform.owner { platform.owner_id } else { platform.project_id };
                format!(
                    "`{}` holds a name, and whoever is given that name later is let in: add a condition on {number}, which \
                     nobody inherits.",
                    named.claim
                )
            })
            .collect()
    }

    fn whole_owner(&self, platform: &Platform) -> Option<String> {
        let owner = self.conditions.iter().any(|condition| platform.names_owner(condition));
        let project = self.conditions.iter().any(|condition| platform.names_project(condition));
        (owner && !project).then(|| {
            format!(
                "The conditions let in every project of the owner, those that others will make too: add a condition on {}.",
                platform.project_id
            )
        })
    }

    fn any_branch(&self, platform: &Platform) -> Option<String> {
        let limited = self.conditions.iter().any(|condition| platform.limits_branch(condition));
        (!limited).then(|| {
            "The conditions let in any branch, and with it whoever may push one: add a condition on `environment`, or on \
             `ref`."
                .to_owned()
        })
    }

    /// Pull requests carry what nobody has looked at yet, and forks can send them.
    fn proposals(&self, platform: &Platform) -> Vec<String> {
        let lets_in = |condition: &&Condition| {
            let (name, patterns) = (condition.name(), condition.patterns());
            let any =
                |texts: &[&str]| texts.iter().any(|text| patterns.iter().any(|pattern| glob::fits(pattern, text)));
            let said = platform.proposals.iter().any(|(claim, texts)| *claim == name && any(texts));
            let in_sub = |pattern: &str| {
                platform.subject(pattern).is_some_and(|subject| match subject.rest {
                    Some(rest) => glob::fits(rest, "pull_request"),
                    None => subject.project.ends_with("**"),
                })
            };
            said || (name == "sub" && platform.name == "GitHub" && patterns.iter().any(|pattern| in_sub(pattern)))
        };
        let open = self.conditions.iter().filter(lets_in);
        open.map(|condition| {
            format!(
                "`{}` lets in pull requests, whose code nobody has accepted yet and a fork may have sent: limit it to what \
                 is merged, by `environment` or `ref`.",
                condition.claim
            )
        })
        .collect()
    }

    /// Numbers and truths are texts in these tokens.
    fn never_equal(&self, platform: &Platform) -> Vec<String> {
        let texts = [platform.project_id, platform.owner_id, "ref_protected", "environment_protected", "actor_id"];
        let no_text = |condition: &&Condition| {
            texts.contains(&&*condition.name())
                && match condition.test() {
                    Some(Test::Equals(value)) => !value.is_string(),
                    Some(Test::OneOf(values)) => !values.iter().all(serde_json::Value::is_string),
                    Some(Test::Glob(_)) | None => false,
                }
        };
        let wrong = self.conditions.iter().filter(no_text);
        wrong
            .map(|condition| {
                format!(
                    "`{}` is a text in the tokens of {}, which nothing but a text equals: put the value in quotes.",
                    condition.claim, platform.name
                )
            })
            .collect()
    }
}

#[cfg(test)]
#[path = "warnings_tests.rs"]
mod tests;
