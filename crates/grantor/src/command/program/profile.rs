//! Named profiles: which server, which client, what for. `profiles.toml` below the user's configuration.

use super::place;
use crate::failure::{Context as _, Failure, Result};
use clap::ValueEnum;
use grantor_client::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Every profile.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Profiles {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    profile: BTreeMap<String, Profile>,
}

/// One. Of secrets it names the files alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Profile {
    pub(super) issuer: String,
    pub(super) client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) resources: Vec<String>,
    pub(super) token_store: TokenStoreKind,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) machine: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) dpop: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_secret_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) auth_method: Option<SecretMethod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) private_key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) certificate_key: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) workload: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ca: Option<PathBuf>,
}

/// Where tokens are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TokenStoreKind {
    /// In the system's keyring
    #[default]
    Keyring,
    /// In a file that only you can read: whoever can act as you can copy it
    File,
    /// Nowhere: each command signs in
    None,
}

/// How a secret is shown, by the names of `token_endpoint_auth_method` (OpenID Connect Core 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
pub(crate) enum SecretMethod {
    /// In HTTP Basic
    #[serde(rename = "client_secret_basic")]
    #[value(name = "client_secret_basic")]
    Basic,
    /// In the form
    #[serde(rename = "client_secret_post")]
    #[value(name = "client_secret_post")]
    Post,
    /// Not at all: it signs a JWT
    #[serde(rename = "client_secret_jwt")]
    #[value(name = "client_secret_jwt")]
    Jwt,
}

impl Profiles {
    /// Those of the user; none when there is no file yet.
    pub(super) fn load() -> Result<Self> {
        let path = place::profiles()?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display()))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())
    }

    /// The profile of a name.
    pub(super) fn find(&self, name: &Name) -> Option<&Profile> {
        self.profile.get(name.as_str())
    }

    /// The names of all of them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.profile.keys().map(String::as_str)
    }

    /// Writes it down, beside the others. Whole or not at all.
    pub(super) fn keep(mut self, name: &Name, profile: Profile) -> Result<()> {
        if self.find(name) == Some(&profile) {
            return Ok(());
        }
        self.profile.insert(name.to_string(), profile);
        let path = place::profiles()?;
        let text = toml::to_string(&self).context(|| "write down the profile".to_owned())?;
        let beside = path.with_extension(format!("{}.new", std::process::id()));
        let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written =
            folder.and_then(|()| std::fs::write(&beside, text)).and_then(|()| std::fs::rename(&beside, &path));
        written.context(|| format!("write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_was_written() {
        let profile = Profile {
            issuer: "https://id.example/".to_owned(),
            client_id: "cli".to_owned(),
            resources: vec!["https://notes.example".to_owned()],
            token_store: TokenStoreKind::File,
            dpop: true,
            ..Profile::default()
        };
        let all = Profiles { profile: BTreeMap::from([("work".to_owned(), profile.clone())]) };
        let text = toml::to_string(&all).unwrap();
        let again = Profiles::parse(&text).unwrap();
        assert_eq!(again.find(&Name::parse("work").unwrap()), Some(&profile), "{text}");
        assert!(again.find(&Name::parse("play").unwrap()).is_none());
    }

    #[test]
    fn an_unknown_key_is_told_with_its_line() {
        let said = Profiles::parse("[profile.work]\nissuer = \"x\"\nclient_secret = \"hunter2\"\n").unwrap_err();
        assert!(said.contains("line 3") && said.contains("client_secret"), "{said}");
    }
}
