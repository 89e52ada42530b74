//! The identity that a platform gives to what runs on it: with it, a workload proves who it is and keeps no secret.

use crate::error::{Error, Result};
use crate::http::Http;
use crate::provider::secure;
use grantor_jose::parse_object;
use grantor_protocol::value::Secret;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use std::path::{Path, PathBuf};

/// Where the identity of a workload comes from. It is looked up anew each time: platforms exchange it while one runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Workload {
    /// GitHub Actions: its address and its token are in the environment of a job with the permission `id-token: write`.
    GitHubActions,
    /// Kubernetes: the token of a projected volume; where Kubernetes puts the one of the service account, unless named.
    Kubernetes(Option<PathBuf>),
    /// Any platform that keeps a JWT in a file.
    File(PathBuf),
    /// Any platform that keeps a JWT in a variable of the environment: GitLab's `id_tokens`, for example.
    Environment(String),
}

/// Where Kubernetes puts the token of the service account, unless told otherwise.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The names that GitHub documents for its jobs.
const GITHUB_URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const GITHUB_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// Tokens of platforms are small.
const MAX_TOKEN: u64 = 64 * 1024;

impl Workload {
    /// The one that this process finds around it: GitHub's variables, then the file of Kubernetes.
    pub fn found() -> Option<Self> {
        if std::env::var_os(GITHUB_URL).is_some() {
            return Some(Self::GitHubActions);
        }
        Path::new(SERVICE_ACCOUNT).exists().then_some(Self::Kubernetes(None))
    }

    /// The platform's token. `audience` is for whom: the issuer that it will be shown to.
    pub(crate) async fn token(&self, http: &Http, audience: &str) -> Result<Secret> {
        match self {
            Self::GitHubActions => github(http, &variable(GITHUB_URL)?, &variable(GITHUB_TOKEN)?, audience).await,
            Self::Kubernetes(path) => read(path.as_deref().unwrap_or(Path::new(SERVICE_ACCOUNT))),
            Self::File(path) => read(path),
            Self::Environment(name) => jwt(&variable(name)?, name),
        }
    }
}

async fn github(http: &Http, address: &str, token: &str, audience: &str) -> Result<Secret> {
    let broken = |what: &str| Error::Workload(format!("{GITHUB_URL} {what}"));
    let mut url = secure(address).ok_or_else(|| broken("is no https URL"))?;
    url.query_pairs_mut().append_pair("audience", audience);
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Workload(format!("{GITHUB_TOKEN} is no token")))?;
    value.set_sensitive(true);
    let answer = http.get(&url, HeaderMap::from_iter([(AUTHORIZATION, value)])).await?;
    if answer.status != 200 {
        return Err(broken(&format!("answered {}: has the job the permission `id-token: write`?", answer.status)));
    }
    let members = parse_object(&answer.body).unwrap_or_default();
    jwt(members.get("value").and_then(|value| value.as_str()).unwrap_or_default(), GITHUB_URL)
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| Error::Workload(format!("the variable {name} is not set")))
}

fn read(path: &Path) -> Result<Secret> {
    use std::io::Read as _;
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_TOKEN).read_to_string(&mut text));
    read.map_err(|error| Error::Workload(format!("{}: {error}", path.display())))?;
    jwt(&text, &path.display().to_string())
}

/// What is no JWT is told here, where it can be said whose it is.
fn jwt(text: &str, of: &str) -> Result<Secret> {
    let text = text.trim();
    let fits = text.split('.').count() == 3 && text.bytes().all(|b| b.is_ascii_graphic());
    if fits { Ok(Secret::new(text.to_owned())) } else { Err(Error::Workload(format!("{of} holds no JWT"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_jwt_is_told_without_being_shown() {
        assert_eq!(jwt(" a.b.c\n", "x").unwrap().expose(), "a.b.c");
        for bad in ["", "secret", "a.b", "a.b.c d", "a.b.c.d"] {
            let said = jwt(bad, "the file").unwrap_err().to_string();
            assert!(said.contains("the file holds no JWT") && !said.contains("secret"), "{said}");
        }
        let said = read(Path::new("/nowhere/token")).unwrap_err().to_string();
        assert!(said.contains("/nowhere/token"), "{said}");
        let said = variable("GRANTOR_TEST_NOT_SET").unwrap_err().to_string();
        assert!(said.contains("GRANTOR_TEST_NOT_SET"), "{said}");
    }
}
