//! Credentials for the platforms that most tokens come from, by what does not change hands: numbers, not names.

use super::{Condition, FederatedCredential, platform};
use crate::made::Made;
use serde_json::Value;

/// Where a token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// A workflow of GitHub Actions.
    GitHub {
        /// The user or organisation.
        owner: String,
        /// The repository, without its owner.
        repository: String,
        /// Its number: `gh api repos/OWNER/REPOSITORY --jq .id`.
        repository_id: String,
        /// Which of its jobs.
        place: Place,
    },
    /// A job of GitLab CI/CD.
    GitLab {
        /// The instance: `https://gitlab.com`.
        issuer: String,
        /// The project with its groups: `group/project`.
        project_path: String,
        /// Its number, as its page shows it.
        project_id: String,
        /// Which of its jobs.
        place: Place,
    },
    /// A pod of a Kubernetes cluster.
    Kubernetes {
        /// The `--service-account-issuer` of the cluster.
        issuer: String,
        /// The namespace.
        namespace: String,
        /// The service account that the pod runs as.
        service_account: String,
    },
}

/// Which jobs of a repository. A name may be a pattern, as in [`Condition::glob`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Those that deploy to an environment, as its protection rules let them.
    Environment(String),
    /// Those that run for a branch.
    Branch(String),
    /// Those that run for a tag.
    Tag(String),
}

impl Form {
    /// The credential. `audience` is what tokens are asked for with; the server's own issuer is a good one.
    pub fn credential(&self, name: &str, audience: &str) -> FederatedCredential {
        let (issuer, conditions) = match self {
            Self::GitHub { owner, repository, repository_id, place } => {
                let repository = named("repository", &format!("{owner}/{repository}"));
                let place = match place {
                    Place::Environment(name) => named("environment", name),
                    Place::Branch(name) => named("ref", &format!("refs/heads/{name}")),
                    Place::Tag(name) => named("ref", &format!("refs/tags/{name}")),
                };
                // The number stays with a repository that is given away, the name with the place that it had.
                (platform::GITHUB.issuer, vec![repository, exactly("repository_id", repository_id), place])
            }
            Self::GitLab { issuer, project_path, project_id, place } => {
                let mut conditions = vec![named("project_path", project_path), exactly("project_id", project_id)];
                match place {
                    Place::Environment(name) => conditions.push(named("environment", name)),
                    Place::Branch(name) => conditions.extend([exactly("ref_type", "branch"), named("ref", name)]),
                    Place::Tag(name) => conditions.extend([exactly("ref_type", "tag"), named("ref", name)]),
                }
                (issuer.as_str(), conditions)
            }
            Self::Kubernetes { issuer, namespace, service_account } => {
                let subject = format!("system:serviceaccount:{namespace}:{service_account}");
                (issuer.as_str(), vec![exactly("sub", &subject)])
            }
        };
        FederatedCredential {
            name: name.to_owned(),
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            conditions,
            // A pod has one token at a time, for an hour or so.
            reusable: matches!(self, Self::Kubernetes { .. }),
            jwks: None,
            key_set: Made::default(),
            jwks_uri: None,
        }
    }
}

fn named(claim: &str, name: &str) -> Condition {
    if name.contains('*') {
        return Condition { claim: claim.to_owned(), equals: None, one_of: None, glob: Some(name.to_owned()) };
    }
    exactly(claim, name)
}

fn exactly(claim: &str, text: &str) -> Condition {
    Condition { claim: claim.to_owned(), equals: Some(Value::from(text)), one_of: None, glob: None }
}

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
