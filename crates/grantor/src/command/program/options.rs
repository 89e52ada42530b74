//! The options by which a program says which server, which client, and what for.

use super::profile::{Profile, Profiles, SecretMethod, TokenStoreKind};
use crate::document::nearest;
use crate::failure::{Failure, Result};
use clap::Args;
use grantor_client::Name;
use std::path::PathBuf;

/// The profile that is meant when none is named.
const DEFAULT: &str = "default";

/// Which profile.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The profile [default: default]
    #[arg(long, value_name = "NAME", env = "GRANTOR_PROFILE", value_parser = parse_name)]
    profile: Option<Name>,
}

/// What a profile says, said here.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The authorization server: its issuer, letter by letter as its metadata have it
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// What this program is registered as there (client_id)
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// What the token may be used for, with spaces between
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// The API that the token is for; may be given several times
    #[arg(long, value_name = "URI")]
    resource: Vec<String>,
    /// Where tokens are kept [default: keyring]
    #[arg(long, value_name = "WHERE", value_enum)]
    token_store: Option<TokenStoreKind>,
    /// Bind the tokens to a key, so that a copied token is worth nothing (RFC 9449)
    #[arg(long)]
    dpop: bool,
    /// For the program itself, without a user (client credentials)
    #[arg(long)]
    machine: bool,
    /// The file with the client's secret
    #[arg(long, value_name = "FILE", help_heading = "How the client proves who it is", group = "proof")]
    client_secret_file: Option<PathBuf>,
    /// How the secret is shown [default: what the server's metadata name first of basic, post, jwt]
    #[arg(
        long,
        value_name = "METHOD",
        help_heading = "How the client proves who it is",
        value_enum,
        requires = "client_secret_file"
    )]
    auth_method: Option<SecretMethod>,
    /// The file with the client's private key, as a JWK
    #[arg(long, value_name = "FILE", help_heading = "How the client proves who it is", group = "proof")]
    private_key_file: Option<PathBuf>,
    /// The file with the client's certificate, in PEM: of an authority, or its own
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "How the client proves who it is",
        group = "proof",
        requires = "certificate_key"
    )]
    certificate: Option<PathBuf>,
    /// The file with the certificate's key, in PEM
    #[arg(long, value_name = "FILE", help_heading = "How the client proves who it is", requires = "certificate")]
    certificate_key: Option<PathBuf>,
    /// By the identity that its platform gives it: auto, github, kubernetes, env:NAME or a file. No user, no secret
    #[arg(long, value_name = "WHICH", help_heading = "How the client proves who it is", group = "proof")]
    workload: Option<String>,
    /// Certificates that are trusted besides those of the system, in PEM
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Which {
    /// The name of the profile.
    pub(super) fn name(&self) -> Result<Name> {
        let default = || Name::parse(DEFAULT).ok_or_else(|| Failure::usage("give --profile"));
        self.profile.clone().map_or_else(default, Ok)
    }

    /// The profile of that name.
    pub(super) fn profile(&self) -> Result<(Name, Profile)> {
        let name = self.name()?;
        let profiles = Profiles::load()?;
        let found = profiles.find(&name).cloned();
        let missing = || {
            let names: Vec<&str> = profiles.names().collect();
            let others = match nearest(name.as_str(), names.iter().copied()) {
                Some(near) => format!("did you mean {near}? "),
                None if names.is_empty() => String::new(),
                None => format!("there are: {}. ", names.join(", ")),
            };
            let made = login(&name, " --issuer URL --client-id ID");
            Failure::new(format!("there is no profile {name}")).hint(format!("{others}{made} makes it"))
        };
        Ok((name.clone(), found.ok_or_else(missing)?))
    }
}

impl Options {
    /// Whether a server is named here: then no profile is asked.
    pub(super) fn is_whole(&self) -> bool {
        self.issuer.is_some()
    }

    /// A profile of these options alone.
    pub(super) fn alone(self) -> Result<Profile> {
        // What a profile of the same name keeps must not be replaced by this.
        if self.token_store.is_some_and(|store| store != TokenStoreKind::None) {
            return Err(Failure::usage("of a server that is named on the spot nothing is kept")
                .hint("grantor login makes a profile of it".to_owned()));
        }
        Ok(self.over(Profile { token_store: TokenStoreKind::None, ..Profile::default() }))
    }

    /// A profile with these options over what it said before.
    pub(super) fn over(self, before: Profile) -> Profile {
        let proven = self.client_secret_file.is_some()
            || self.private_key_file.is_some()
            || self.certificate.is_some()
            || self.workload.is_some();
        let bare = |before: Profile| Profile {
            client_secret_file: None,
            auth_method: None,
            private_key_file: None,
            certificate: None,
            certificate_key: None,
            workload: None,
            ..before
        };
        // Another way to prove who it is takes the place of the one before.
        let before = if proven { bare(before) } else { before };
        Profile {
            issuer: self.issuer.unwrap_or(before.issuer),
            client_id: self.client_id.unwrap_or(before.client_id),
            scope: self.scope.or(before.scope),
            resources: if self.resource.is_empty() { before.resources } else { self.resource },
            token_store: self.token_store.unwrap_or(before.token_store),
            dpop: self.dpop || before.dpop,
            machine: self.machine || self.workload.is_some() || before.machine,
            client_secret_file: self.client_secret_file.or(before.client_secret_file),
            auth_method: self.auth_method.or(before.auth_method),
            private_key_file: self.private_key_file.or(before.private_key_file),
            certificate: self.certificate.or(before.certificate),
            certificate_key: self.certificate_key.or(before.certificate_key),
            workload: self.workload.or(before.workload),
            ca: self.ca.or(before.ca),
        }
    }
}

/// The command that makes or mends a profile.
pub(super) fn login(name: &Name, more: &str) -> String {
    if name.as_str() == DEFAULT {
        format!("grantor login{more}")
    } else {
        format!("grantor login --profile {name}{more}")
    }
}

pub(super) fn parse_name(raw: &str) -> Result<Name, String> {
    Name::parse(raw).ok_or_else(|| "1 to 64 of A-Z a-z 0-9 - _ . (no dot in front)".to_owned())
}
