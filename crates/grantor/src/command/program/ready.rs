//! From a profile to a client that can ask, and a source of tokens.

use super::options::{self, Options, Which};
use super::profile::{Profile, SecretMethod, TokenStoreKind};
use super::{place, sign_in};
use crate::failure::{Context as _, Failure, Result};
use grantor_client::{
    Ask, Authentication, Client, DpopKey, Error, FileStore, Grant, Http, Issuer, KeyringStore, MemoryStore, Name,
    Provider, Tls, TokenSource, TokenStore, Workload, discover,
};
use grantor_jose::{PrivateJwk, SigningAlgorithm};
use grantor_protocol::value::{ClientId, Resource, Scope, Secret};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What a command works with.
pub(super) struct Ready {
    pub(super) name: Name,
    pub(super) profile: Profile,
    pub(super) client: Client,
    pub(super) ask: Ask,
    pub(super) source: TokenSource,
}

impl Ready {
    /// For a command that uses a token: of the server that is named on the spot, or of the profile.
    pub(super) async fn of(which: &Which, options: Options) -> Result<Self> {
        let (name, profile) = if options.is_whole() {
            (which.name()?, options.alone()?)
        } else {
            let (name, profile) = which.profile()?;
            // A token that is kept was asked for with other words.
            if options.over(profile.clone()) != profile {
                return Err(Failure::usage("this is not what the profile says")
                    .hint("give --issuer and --client-id too, or change the profile with grantor login".to_owned()));
            }
            (name, profile)
        };
        let ready = Self::new(name, profile).await?;
        // Nothing is kept: the user signs in now.
        if ready.profile.token_store == TokenStoreKind::None && !ready.profile.machine {
            let grant = sign_in::in_browser(&ready.client, &ready.ask, true).await?;
            ready.source.keep(grant).await?;
        }
        Ok(ready)
    }

    /// A good token, and what it came with.
    pub(super) async fn grant(&self) -> Result<Arc<Grant>> {
        self.source.grant().await.map_err(|error| self.explained(error))
    }

    /// Why there is none. Where only the user can help, the command is the one for this profile.
    pub(super) fn explained(&self, error: Error) -> Failure {
        let again = matches!(error, Error::SignInAgain(_)).then(|| options::login(&self.name, ""));
        let failure = Failure::from(error);
        if again.is_some() { failure.hint(again) } else { failure }
    }

    /// Finds the server, and opens the store before anybody signs in for nothing.
    pub(super) async fn new(name: Name, profile: Profile) -> Result<Self> {
        let ask = ask(&profile)?;
        let store = store(profile.token_store).await?;
        let issuer = Issuer::parse(&profile.issuer).ok_or_else(|| {
            Failure::usage(format!(
                "{:?} is no issuer: an https URL without query and fragment (http on loopback only)",
                profile.issuer
            ))
        })?;
        let id = ClientId::parse(&profile.client_id)
            .ok_or_else(|| Failure::usage(format!("{:?} is no client_id", profile.client_id)))?;
        let http = Http::with_tls(tls(&profile)?)?;
        let provider = discover(&http, &issuer).await?;
        let authentication = authentication(&profile, &provider)?;
        let client = Client::new(provider, id, authentication, http);
        let client = if profile.dpop { client.with_dpop(DpopKey::generate()?)? } else { client };
        let source = if profile.machine {
            TokenSource::stored_client_credentials(client.clone(), ask.clone(), store, name.clone())
        } else {
            TokenSource::stored(client.clone(), store, name.clone())
        };
        Ok(Self { name, profile, client, ask, source })
    }
}

/// The store of a kind. The keyring may ask the user for its password, and is opened where that may take its time.
pub(super) async fn store(kind: TokenStoreKind) -> Result<Arc<dyn TokenStore>> {
    Ok(match kind {
        TokenStoreKind::None => Arc::new(MemoryStore::default()),
        TokenStoreKind::File => Arc::new(FileStore::open(place::tokens()?)?),
        TokenStoreKind::Keyring => {
            let locks = place::locks()?;
            let opened = tokio::task::spawn_blocking(move || KeyringStore::open("grantor", locks)).await;
            Arc::new(opened.context(|| "open the keyring".to_owned())??)
        }
    })
}

fn ask(profile: &Profile) -> Result<Ask> {
    let text = profile.scope.as_deref().unwrap_or_default();
    let scope = Scope::parse(text).ok_or_else(|| Failure::usage(format!("{text:?} is no scope (RFC 6749 3.3)")))?;
    let resource = |raw: &String| {
        Resource::parse(raw)
            .ok_or_else(|| Failure::usage(format!("{raw:?} is no resource: an absolute URI without a fragment")))
    };
    Ok(Ask { scope, resources: profile.resources.iter().map(resource).collect::<Result<_>>()?, ..Ask::default() })
}

fn tls(profile: &Profile) -> Result<Tls> {
    let mut tls = Tls::default();
    if let Some(ca) = &profile.ca {
        tls.trust(&read(ca)?)?;
    }
    if let (Some(certificate), Some(key)) = (&profile.certificate, &profile.certificate_key) {
        tls.show(&read(certificate)?, &read(key)?)?;
    }
    Ok(tls)
}

fn authentication(profile: &Profile, provider: &Provider) -> Result<Authentication> {
    if let Some(path) = &profile.client_secret_file {
        let text = String::from_utf8(read(path)?.to_vec())
            .map_err(|_| Failure::new(format!("{} holds no text", path.display())))?;
        let secret = Secret::new(text.trim_end_matches(['\n', '\r']).to_owned());
        return Ok(match profile.auth_method {
            None => Authentication::secret(secret, provider),
            Some(SecretMethod::Basic) => Authentication::SecretBasic(secret),
            Some(SecretMethod::Post) => Authentication::SecretPost(secret),
            Some(SecretMethod::Jwt) => Authentication::SecretJwt(secret),
        });
    }
    if let Some(path) = &profile.private_key_file {
        return private_key(path);
    }
    if profile.certificate.is_some() {
        return Ok(Authentication::Certificate);
    }
    profile.workload.as_deref().map_or(Ok(Authentication::None), |which| workload(which).map(Authentication::Workload))
}

fn private_key(path: &Path) -> Result<Authentication> {
    let refused = |why: &dyn std::fmt::Display| Failure::new(format!("{}: {why}", path.display()));
    let key = PrivateJwk::parse(read(path)?.as_slice()).map_err(|why| refused(&why))?;
    let fits = SigningAlgorithm::ALL.iter().find_map(|algorithm| key.signing_key(*algorithm).ok());
    let key = fits.ok_or_else(|| refused(&"no algorithm signs with this key"))?;
    Ok(Authentication::PrivateKey(Arc::new(key)))
}

fn workload(which: &str) -> Result<Workload> {
    Ok(match which {
        "auto" => Workload::found().ok_or_else(|| {
            Failure::new("no identity of a workload was found: neither GitHub Actions nor Kubernetes is around")
                .hint("name it: --workload env:NAME, or --workload FILE".to_owned())
        })?,
        "github" => Workload::GitHubActions,
        "kubernetes" => Workload::Kubernetes(None),
        other => match other.strip_prefix("env:") {
            Some(name) => Workload::Environment(name.to_owned()),
            None => Workload::File(PathBuf::from(other)),
        },
    })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    std::fs::read(path).map(Zeroizing::new).context(|| format!("read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_has_a_name_a_variable_or_a_file() {
        assert_eq!(workload("github").unwrap(), Workload::GitHubActions);
        assert_eq!(workload("env:ID_TOKEN").unwrap(), Workload::Environment("ID_TOKEN".to_owned()));
        assert_eq!(workload("/run/token").unwrap(), Workload::File("/run/token".into()));
    }
}
