//! The options by which a program says which server, which client, and what for.

use super::profile::{Profile, Profiles, TokenStoreKind};
use crate::failure::{Failure, Result};
use clap::Args;
use grantor_client::Name;
use std::path::PathBuf;

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
    /// The authorization server, as it writes itself
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// The client that this program is there
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
    /// The file with the client's private key, as a JWK
    #[arg(long, value_name = "FILE", help_heading = "How the client proves who it is", group = "proof")]
    private_key_file: Option<PathBuf>,
    /// The file with the client's certificate, in PEM
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
        let default = || Name::parse("default").ok_or_else(|| Failure::usage("give --profile"));
        self.profile.clone().map_or_else(default, Ok)
    }

    /// The profile of that name.
    pub(super) fn profile(&self) -> Result<(Name, Profile)> {
        let name = self.name()?;
        let found = Profiles::load()?.find(&name).cloned();
        let missing = || {
            Failure::new(format!("there is no profile {name}"))
                .hint("grantor login --issuer URL --client-id ID makes it".to_owned())
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
            private_key_file: self.private_key_file.or(before.private_key_file),
            certificate: self.certificate.or(before.certificate),
            certificate_key: self.certificate_key.or(before.certificate_key),
            workload: self.workload.or(before.workload),
            ca: self.ca.or(before.ca),
        }
    }
}

pub(super) fn parse_name(raw: &str) -> Result<Name, String> {
    Name::parse(raw).ok_or_else(|| "1 to 64 of A-Z a-z 0-9 - _ . (no dot in front)".to_owned())
}
