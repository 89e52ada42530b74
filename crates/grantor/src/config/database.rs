//! `database`: where the records are, when it is not a file in the data directory.

use super::check::Read;
use super::file::Migrate;
use crate::document::{Problem, Problems};
use crate::failure::{Context as _, Failure, Result};
use grantor_protocol::value::Secret;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// A PostgreSQL database, or one of what speaks its protocol.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    /// `postgres://user@host:5432/name`, perhaps with a password.
    url: Secret,
    /// A file with the password.
    password_file: Option<PathBuf>,
    /// Whether a server brings the schema up to date when it starts.
    pub(crate) migrates: bool,
}

impl Cluster {
    /// For people and logs.
    pub(crate) fn shown(&self) -> String {
        masked(self.url.expose())
    }

    /// The file with the password.
    pub(super) fn password_file(&self) -> Option<&PathBuf> {
        self.password_file.as_ref()
    }

    /// The URL with the password from the file or from `PGPASSWORD`, unless it has one itself.
    pub(crate) fn url(&self) -> Result<Secret> {
        let given = match &self.password_file {
            Some(path) => {
                let text = Zeroizing::new(
                    std::fs::read_to_string(path)
                        .context(|| format!("read the password of the database in {}", path.display()))?,
                );
                let password = text.trim_end_matches(['\r', '\n']);
                if password.is_empty() {
                    return Err(Failure::new(format!("{} holds no password", path.display())));
                }
                Some(Zeroizing::new(password.to_owned()))
            }
            None => std::env::var("PGPASSWORD").ok().filter(|password| !password.is_empty()).map(Zeroizing::new),
        };
        let url = self.url.expose();
        let parts = Parts::of(url);
        match given {
            Some(password) if !parts.has_password() => {
                let password: String = url::form_urlencoded::byte_serialize(password.as_bytes()).collect();
                // A form writes a space as a plus sign, an authority does not.
                let password = Zeroizing::new(password.replace('+', "%20"));
                let Parts { scheme, user, rest, .. } = parts;
                Ok(Secret::new(format!("{scheme}{}:{}@{rest}", user.unwrap_or("postgres"), *password)))
            }
            _ => Ok(self.url.clone()),
        }
    }
}

impl Read<'_> {
    /// What `database`, `database_password_file` and `migrate` come to. No problem shows a line with the URL in it.
    pub(super) fn database(
        &self,
        url: Option<Secret>,
        password_file: Option<PathBuf>,
        migrate: Option<Migrate>,
        problems: &mut Problems,
    ) -> Option<Cluster> {
        let Some(url) = url else {
            let settings = [("database_password_file", password_file.is_some()), ("migrate", migrate.is_some())];
            for (name, _) in settings.into_iter().filter(|(_, given)| *given) {
                let problem = Problem::error(format!("{name} says nothing without database"));
                self.push(name, problem, problems);
            }
            return None;
        };
        let parts = Parts::of(url.expose());
        if !matches!(parts.scheme, "postgres://" | "postgresql://") {
            let problem = Problem::error("database is no URL of a PostgreSQL database").help(
                "such as postgres://grantor@db.example/grantor; without one everything is in the data directory"
                    .to_owned(),
            );
            problems.push(problem);
            return None;
        }
        let password_file = match password_file {
            Some(_) if parts.has_password() => {
                let problem = Problem::error("the password of the database is given twice: in its URL and in a file");
                self.push("database_password_file", problem, problems);
                None
            }
            Some(path) => Some(self.file("database_password_file", path, problems)),
            None => None,
        };
        Some(Cluster { url, password_file, migrates: migrate.unwrap_or_default() == Migrate::Auto })
    }
}

/// A URL as far as passwords are concerned. It may name several hosts, which is no URL to others.
struct Parts<'a> {
    /// With `://`; empty when there is none.
    scheme: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
    /// Hosts, path and query.
    rest: &'a str,
}

impl<'a> Parts<'a> {
    fn of(url: &'a str) -> Self {
        let (scheme, after) = url.find("://").map_or(("", url), |at| url.split_at(at + 3));
        let authority = after.find(['/', '?']).unwrap_or(after.len());
        let (credentials, rest) = match after.get(..authority).and_then(|authority| authority.rfind('@')) {
            Some(at) => (after.get(..at), after.get(at + 1..).unwrap_or_default()),
            None => (None, after),
        };
        let (user, password) = match credentials.map(|credentials| credentials.split_once(':')) {
            Some(Some((user, password))) => (Some(user), Some(password)),
            Some(None) => (credentials, None),
            None => (None, None),
        };
        Self { scheme, user, password, rest }
    }

    fn has_password(&self) -> bool {
        self.password.is_some() || self.parameters().any(is_password)
    }

    fn parameters(&self) -> impl Iterator<Item = &'a str> {
        self.rest.split_once('?').map_or("", |(_, query)| query).split('&')
    }
}

fn is_password(parameter: &str) -> bool {
    parameter.starts_with("password=")
}

/// What is not understood is not shown at all.
fn masked(url: &str) -> String {
    let parts = Parts::of(url);
    if parts.scheme.is_empty() {
        return "(not shown)".to_owned();
    }
    let place = parts.rest.split_once('?').map_or(parts.rest, |(place, _)| place);
    let parameters = parts.parameters().filter(|parameter| !parameter.is_empty());
    let parameters: Vec<_> =
        parameters.map(|parameter| if is_password(parameter) { "password=***" } else { parameter }).collect();
    let credentials = match (parts.user, parts.password) {
        (Some(user), Some(_)) => format!("{user}:***@"),
        (Some(user), None) => format!("{user}@"),
        (None, _) => String::new(),
    };
    let query = if parameters.is_empty() { String::new() } else { format!("?{}", parameters.join("&")) };
    format!("{}{credentials}{place}{query}", parts.scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(url: &str, password_file: Option<PathBuf>) -> Cluster {
        Cluster { url: Secret::new(url.to_owned()), password_file, migrates: true }
    }

    #[test]
    fn a_password_is_never_shown() {
        for (url, shown) in [
            ("postgres://a:h@sh@h1:1,h2:2/db?x=y", "postgres://a:***@h1:1,h2:2/db?x=y"),
            ("postgres://a:hash/db", "postgres://a:hash/db"),
            ("postgres://a@h/db?password=hash&x=y", "postgres://a@h/db?password=***&x=y"),
            ("postgres://h", "postgres://h"),
            ("a:hash@h", "(not shown)"),
        ] {
            assert_eq!(cluster(url, None).shown(), shown);
            assert!(!format!("{:?}", cluster(url, None)).contains("hash"));
        }
    }

    #[test]
    fn a_password_in_a_file_goes_into_the_url() {
        let scratch = crate::scratch::Scratch::new().unwrap();
        let path = scratch.path().join("password");
        std::fs::write(&path, "a b/@:%\n").unwrap();
        let url = |url| cluster(url, Some(path.clone())).url().unwrap().expose().to_owned();
        assert_eq!(url("postgres://g@h1,h2/db?x=y"), "postgres://g:a%20b%2F%40%3A%25@h1,h2/db?x=y");
        assert_eq!(url("postgres://h/db"), "postgres://postgres:a%20b%2F%40%3A%25@h/db");
        std::fs::write(&path, "\n").unwrap();
        assert!(cluster("postgres://g@h/db", Some(path)).url().is_err());
    }
}
