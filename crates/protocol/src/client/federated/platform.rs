//! What GitHub and GitLab say in their tokens of who runs what: the words by which a declaration can be told narrow or
//! wide. Gitea and Forgejo use the words of GitHub, installations of one's own those of their kind.

use super::{Condition, FederatedCredential, glob};

/// A platform that builds for strangers.
pub(super) struct Platform {
    pub(super) name: &'static str,
    /// Where everybody can have an account.
    pub(super) issuer: &'static str,
    /// How `sub` begins, before `OWNER/PROJECT` and what it ran for.
    prefix: &'static str,
    pub(super) project: &'static str,
    pub(super) owner: &'static str,
    pub(super) project_id: &'static str,
    pub(super) owner_id: &'static str,
    /// Whether a project's name is safe once its owner is known by number: not where the groups of one owner belong to many.
    owners_keep_names: bool,
    /// What `sub` says after the project of a branch, before its name.
    branch: &'static str,
    /// The claims that name the file of the workflow and its branch.
    workflow: &'static [&'static str],
    /// The claims that tell a pull request, and what they say then.
    pub(super) proposals: &'static [(&'static str, &'static [&'static str])],
}

/// <https://docs.github.com/en/actions/reference/security/oidc>
pub(super) const GITHUB: Platform = Platform {
    name: "GitHub",
    issuer: "https://token.actions.githubusercontent.com",
    prefix: "repo:",
    project: "repository",
    owner: "repository_owner",
    project_id: "repository_id",
    owner_id: "repository_owner_id",
    owners_keep_names: true,
    branch: "ref:refs/heads/",
    workflow: &["job_workflow_ref", "workflow_ref"],
    proposals: &[("event_name", &["pull_request", "pull_request_target"]), ("ref", &["refs/pull/1/merge"])],
};

/// <https://docs.gitlab.com/ci/secrets/id_token_authentication/>
pub(super) const GITLAB: Platform = Platform {
    name: "GitLab",
    issuer: "https://gitlab.com",
    prefix: "project_path:",
    project: "project_path",
    owner: "namespace_path",
    project_id: "project_id",
    owner_id: "namespace_id",
    owners_keep_names: false,
    branch: "ref_type:branch:ref:",
    workflow: &["ci_config_ref_uri"],
    proposals: &[("pipeline_source", &["merge_request_event", "external_pull_request_event"])],
};

/// What `sub` says of a project and of what it ran for.
pub(super) struct Subject<'a> {
    pub(super) project: &'a str,
    pub(super) rest: Option<&'a str>,
}

impl Platform {
    /// The platform whose words a credential speaks.
    pub(super) fn of(credential: &FederatedCredential) -> Option<&'static Self> {
        [&GITHUB, &GITLAB].into_iter().find(|platform| {
            platform.is_shared(&credential.issuer) || credential.conditions.iter().any(|one| platform.is_of_ours(one))
        })
    }

    /// The issuer for everybody; an enterprise has a path of its own below that of GitHub, but its own `sub` all the same.
    pub(super) fn is_shared(&self, issuer: &str) -> bool {
        issuer.strip_prefix(self.issuer).is_some_and(|rest| rest.is_empty() || rest == "/")
    }

    fn is_of_ours(&self, condition: &Condition) -> bool {
        let name = condition.name();
        let ours = [self.project, self.owner, self.project_id, self.owner_id];
        ours.contains(&&*name)
            || self.workflow.contains(&&*name)
            || (name == "sub" && condition.patterns().iter().any(|pattern| pattern.starts_with(self.prefix)))
    }

    /// `sub` in the form that it has unless somebody changed it.
    pub(super) fn subject<'a>(&self, text: &'a str) -> Option<Subject<'a>> {
        let after = text.strip_prefix(self.prefix)?;
        Some(match after.split_once(':') {
            Some((project, rest)) => Subject { project, rest: Some(rest) },
            None => Subject { project: after, rest: None },
        })
    }

    /// Whether a condition leaves no doubt who owns the project. A job's workflow does not: strangers may call it.
    pub(super) fn names_owner(&self, condition: &Condition) -> bool {
        all(condition, |name, pattern| match name {
            "sub" => match self.subject(pattern) {
                Some(subject) => begins_fixed(subject.project),
                None => self.keyed(pattern).is_some_and(|(_, value)| begins_fixed(value)),
            },
            "enterprise" | "enterprise_id" => is_fixed(pattern),
            name if name == self.project => begins_fixed(pattern),
            name if [self.owner, self.project_id, self.owner_id].contains(&name) => is_fixed(pattern),
            _ => false,
        })
    }

    /// Whether a condition leaves no doubt which project it is, or which workflow.
    pub(super) fn names_project(&self, condition: &Condition) -> bool {
        all(condition, |name, pattern| match name {
            "sub" => match self.subject(pattern) {
                Some(subject) => !is_whole_owner(subject.project),
                None => self.keyed(pattern).is_none_or(|(key, _)| key != self.owner && key != self.owner_id),
            },
            name if name == self.project => !is_whole_owner(pattern),
            name => name == self.project_id || self.workflow.contains(&name),
        })
    }

    /// Whether a condition has a name in it that may be given to others.
    pub(super) fn has_name(&self, condition: &Condition) -> bool {
        let name = condition.name();
        name == self.project
            || name == self.owner
            || (name == "sub" && condition.patterns().iter().any(|pattern| self.subject(pattern).is_some()))
    }

    /// Whether a condition says by a number whose name another condition has.
    pub(super) fn settles(&self, condition: &Condition, named: &Condition) -> bool {
        let owner_is_enough = self.owners_keep_names || named.name() == self.owner;
        all(condition, |name, pattern| match name {
            // GitHub since July 2026: repo:OWNER@ID/PROJECT@ID.
            "sub" => match self.subject(pattern) {
                Some(subject) => subject.project.split('/').all(|part| part.contains('@')),
                None => self.keyed(pattern).is_some_and(|(key, _)| self.is_number(key, owner_is_enough)),
            },
            name => self.is_number(name, owner_is_enough),
        })
    }

    fn is_number(&self, claim: &str, owner_is_enough: bool) -> bool {
        claim == self.project_id || (owner_is_enough && claim == self.owner_id)
    }

    /// Whether a condition keeps out a branch that nobody has heard of.
    pub(super) fn limits_branch(&self, condition: &Condition) -> bool {
        let some_branch = format!("refs/heads/{SOME}");
        all(condition, |name, pattern| match name {
            "ref" | "ref_path" => !glob::fits(pattern, &some_branch) && !glob::fits(pattern, SOME),
            "environment" => !glob::fits(pattern, SOME),
            "ref_protected" | "environment_protected" => pattern == "true",
            "sha" => is_fixed(pattern),
            "sub" => self.subject(pattern).is_some_and(|subject| {
                let branch = format!("{}{SOME}", self.branch);
                subject.rest.is_some_and(|rest| !glob::fits(rest, &branch))
            }),
            name if self.workflow.contains(&name) => {
                pattern.rsplit_once('@').is_some_and(|(_, branch)| !glob::fits(branch, &some_branch))
            }
            _ => false,
        })
    }

    /// `sub` as an owner may have made it: `repository_id:74:environment:prod`. Only some words say who it is.
    fn keyed<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
        let (key, value) = text.split_once(':')?;
        [self.project, self.owner, self.project_id, self.owner_id, "enterprise", "enterprise_id"]
            .contains(&key)
            .then_some((key, value))
    }
}

/// Whether every text that the condition allows is of a kind.
fn all(condition: &Condition, is: impl Fn(&str, &str) -> bool) -> bool {
    let (name, patterns) = (condition.name(), condition.patterns());
    !patterns.is_empty() && patterns.iter().all(|pattern| is(&name, pattern))
}

pub(super) fn is_fixed(pattern: &str) -> bool {
    !pattern.is_empty() && !pattern.contains('*')
}

/// Whether what comes first is fixed: a star in it would let in whoever takes a name that begins or ends alike.
pub(super) fn begins_fixed(pattern: &str) -> bool {
    pattern.split(['/', ':']).next().is_some_and(is_fixed)
}

fn is_whole_owner(project: &str) -> bool {
    project
        .rsplit_once('/')
        .is_none_or(|(owner, _)| owner.contains('*') || glob::fits(project, &format!("{owner}/{SOME}")))
}

/// A name that no declaration means.
const SOME: &str = "some-name-that-nobody-thought-of";
