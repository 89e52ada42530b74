//! A federated credential on the command line: by issuer and conditions, or in the ready form of a platform.

use super::condition::{self, FORMS};
use crate::command::jwks_file;
use crate::context::Context;
use crate::failure::{Failure, Result};
use crate::open;
use clap::{ArgGroup, Args};
use grantor_protocol::client::federated::{Condition, FederatedCredential, Form, Place};
use grantor_protocol::made::Made;
use std::path::PathBuf;

/// The issuer of GitLab for everybody.
const GITLAB: &str = "https://gitlab.com";

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("platform").args(["github", "gitlab", "kubernetes"]),
    group = ArgGroup::new("place").args(["environment", "branch", "tag"]),
    group = ArgGroup::new("number").args(["github_id", "gitlab_id"]),
    group = ArgGroup::new("keys").args(["jwks", "jwks_uri"]),
)]
pub(crate) struct Declared {
    /// The `iss` of the tokens
    #[arg(long, value_name = "URL", required_unless_present_any = ["github", "gitlab"], conflicts_with = "github")]
    issuer: Option<String>,
    /// The `aud` of the tokens [default: the issuer of this server]
    #[arg(long)]
    audience: Option<String>,
    /// What a claim must be; may be repeated, and all of them must hold: 'claim=text', 'claim:=JSON', 'claim~glob' (* stops at
    /// / and :, ** does not) or 'claim in a,b'
    #[arg(long, value_name = "CONDITION", value_parser = condition::parse)]
    condition: Vec<Condition>,
    /// One token may be used again and again until it ends, as where a platform gives a workload a new one only every so
    /// often; a ready form for Kubernetes has it
    #[arg(long)]
    reusable: bool,
    /// A file with the issuer's keys, where it publishes none that can be reached
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// Where the issuer's keys are, if it has no metadata
    #[arg(long, value_name = "URL")]
    jwks_uri: Option<String>,
    /// Workflows of a repository on GitHub; with --environment, --branch or --tag
    #[arg(long, value_name = "OWNER/REPOSITORY", help_heading = "Ready forms", requires = "place")]
    github: Option<String>,
    /// Its number, which nobody inherits with the name: gh api repos/OWNER/REPOSITORY --jq .id
    #[arg(long, value_name = "NUMBER", help_heading = "Ready forms", requires = "github")]
    github_id: Option<u64>,
    /// Jobs of a project on GitLab; with --environment, --branch or --tag, and --issuer for an instance of one's own
    #[arg(long, value_name = "GROUP/PROJECT", help_heading = "Ready forms", requires = "place")]
    gitlab: Option<String>,
    /// Its number, as the project's page shows it
    #[arg(long, value_name = "NUMBER", help_heading = "Ready forms", requires = "gitlab")]
    gitlab_id: Option<u64>,
    /// Pods of a Kubernetes cluster that run as a service account; with --issuer
    #[arg(long, value_name = "NAMESPACE/SERVICEACCOUNT", help_heading = "Ready forms", requires = "issuer")]
    kubernetes: Option<String>,
    /// Only jobs that deploy to this environment
    #[arg(long, value_name = "NAME", help_heading = "Ready forms", requires = "platform")]
    environment: Option<String>,
    /// Only jobs that run for this branch; may be a pattern
    #[arg(long, value_name = "NAME", help_heading = "Ready forms", requires = "platform")]
    branch: Option<String>,
    /// Only jobs that run for this tag; may be a pattern
    #[arg(long, value_name = "NAME", help_heading = "Ready forms", requires = "platform")]
    tag: Option<String>,
}

impl Declared {
    /// What was declared; what is wrong with it is said when it is put into the directory.
    pub(super) fn credential(self, name: &str, context: &Context) -> Result<FederatedCredential> {
        let own = || open::issuer(&context.configuration).of_tenant(&context.tenant()).to_string();
        let audience = self.audience.clone().unwrap_or_else(own);
        let mut credential = match self.form()? {
            Some(form) => form.credential(name, &audience),
            None => FederatedCredential {
                name: name.to_owned(),
                issuer: self.issuer.unwrap_or_default(),
                audience,
                conditions: Vec::new(),
                jwks: None,
                key_set: Made::default(),
                jwks_uri: None,
                reusable: false,
            },
        };
        // Without its number the name stays alone, and is warned about.
        credential.conditions.retain(|condition| condition.equals != Some("".into()));
        credential.conditions.extend(self.condition);
        credential.jwks = self.jwks.as_deref().map(jwks_file).transpose()?;
        credential.jwks_uri = self.jwks_uri;
        credential.reusable |= self.reusable;
        if credential.conditions.is_empty() {
            return Err(Failure::usage("no condition: anybody with a token of this issuer would be let in")
                .hint(format!("--condition {FORMS}")));
        }
        Ok(credential)
    }

    fn form(&self) -> Result<Option<Form>> {
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        if let Some(repository) = &self.github {
            let (owner, repository) = halves(repository, "--github", "OWNER/REPOSITORY")?;
            let repository_id = number(self.github_id);
            return Ok(Some(Form::GitHub { owner, repository, repository_id, place: self.place()? }));
        }
        if let Some(project) = &self.gitlab {
            halves(project, "--gitlab", "GROUP/PROJECT")?;
            return Ok(Some(Form::GitLab {
                issuer: self.issuer.clone().unwrap_or_else(|| GITLAB.to_owned()),
                project_path: project.clone(),
                project_id: number(self.gitlab_id),
                place: self.place()?,
            }));
        }
        let Some(account) = &self.kubernetes else { return Ok(None) };
        let (namespace, service_account) = halves(account, "--kubernetes", "NAMESPACE/SERVICEACCOUNT")?;
        let issuer = self.issuer.clone().unwrap_or_default();
        Ok(Some(Form::Kubernetes { issuer, namespace, service_account }))
    }

    fn place(&self) -> Result<Place> {
        let environment = self.environment.clone().map(Place::Environment);
        let branch = self.branch.clone().map(Place::Branch);
        let place = environment.or(branch).or(self.tag.clone().map(Place::Tag));
        place.ok_or_else(|| Failure::usage("which jobs? give --environment, --branch or --tag"))
    }
}

fn halves(raw: &str, option: &str, form: &str) -> Result<(String, String)> {
    match raw.split_once('/') {
        Some((first, second)) if !first.is_empty() && !second.is_empty() => Ok((first.to_owned(), second.to_owned())),
        _ => Err(Failure::usage(format!("{option} {raw}: write {form}"))),
    }
}
