//! How an API is set up.

use crate::api::{Clock, Inner};
use crate::cache::Cache;
use crate::dpop::Dpop;
use crate::introspection::{Asker, Introspection};
use crate::keys::Keys;
use crate::replay::Replay;
use crate::status::StatusLists;
use crate::{Api, Requirement, Revocations};
use arc_swap::ArcSwapOption;
use grantor_fetch::{Fetcher, KeySets};
use grantor_jose::names::Names;
use grantor_jose::{JwkSet, SigningAlgorithm};
use grantor_protocol::protected_resource::{ProtectedResource, origin, well_known};
use grantor_protocol::token::dpop::KnownKeys;
use grantor_protocol::token::handle::{HandleKey, HandleKeys};
use grantor_protocol::value::{Issuer, Scope, Seconds, UnixTime};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An API that is being set up; see [`Api::builder`].
#[derive(Debug)]
#[must_use]
pub struct Builder {
    issuer: String,
    audience: String,
    origin: Option<String>,
    scopes: String,
    name: Option<String>,
    documentation: Option<String>,
    requirement: Requirement,
    algorithms: Vec<SigningAlgorithm>,
    leeway: Seconds,
    verified: usize,
    proofs: usize,
    form: bool,
    nonces: Option<Nonce>,
    introspection: Option<Introspection>,
    revocations: Option<Arc<dyn Revocations>>,
    status_lists: Follow,
    status_bound: Seconds,
    fetcher: Option<Fetcher>,
    keys: Option<Arc<JwkSet>>,
    clock: Clock,
}

/// Whose status lists are followed.
#[derive(Clone, Debug)]
enum Follow {
    None,
    /// Those below the issuer.
    Issuer,
    Below(String),
}

/// With which secret nonces are made. Debug must not show it.
#[derive(Clone, Copy)]
enum Nonce {
    Drawn,
    Shared([u8; 32]),
}

impl std::fmt::Debug for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonce")
    }
}

/// Why an API cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The issuer is no https URL (http on loopback) without query and fragment (RFC 8414 2).
    #[error("the issuer is no https URL without query and fragment (http on loopback only)")]
    Issuer,
    /// The audience is no absolute URI without fragment (RFC 8707 2).
    #[error("the audience is no absolute URI without fragment")]
    Audience,
    /// The audience is no URL of the web, so that the origin must be given.
    #[error("the origin is no URL without query and fragment, or the audience does not tell it and it was not given")]
    Origin,
    /// The scopes are none (RFC 6749 3.3).
    #[error("the scopes are none")]
    Scopes,
    /// No algorithm is allowed.
    #[error("no signature algorithm is allowed")]
    NoAlgorithm,
    /// The leeway is more than five minutes.
    #[error("the leeway is more than five minutes")]
    Leeway,
    /// No randomness could be had.
    #[error("no randomness could be had")]
    Randomness,
    /// The fetcher could not be set up.
    #[error(transparent)]
    Fetcher(#[from] grantor_fetch::SetupError),
}

/// The most that clocks may be apart. More would make every lifetime a suggestion.
const MAX_LEEWAY: Seconds = Seconds::new(300);

/// How many keys of DPoP proofs stay parsed.
const KNOWN_KEYS: usize = 4_096;

impl Builder {
    pub(crate) fn new(issuer: &str, audience: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
            origin: None,
            scopes: String::new(),
            name: None,
            documentation: None,
            requirement: Requirement::valid_token(),
            algorithms: SigningAlgorithm::ALL.to_vec(),
            leeway: Seconds::new(10),
            verified: 16 * 1024,
            proofs: 512 * 1024,
            form: false,
            nonces: None,
            introspection: None,
            revocations: None,
            status_lists: Follow::Issuer,
            status_bound: Seconds::new(30),
            fetcher: None,
            keys: None,
            clock: Clock(Arc::new(system_time)),
        }
    }

    /// What stands before the path in the URLs that clients call: `https://api.example`, with a path where something on
    /// the way takes that off. DPoP proofs are made for it (RFC 9449 4.3). Otherwise it is the origin of the audience.
    pub fn origin(self, origin: &str) -> Self {
        Self { origin: Some(origin.to_owned()), ..self }
    }

    /// Every scope of the API, with spaces between them, for its metadata (`scopes_supported`, RFC 9728 2).
    pub fn scopes(self, scopes: &str) -> Self {
        Self { scopes: scopes.to_owned(), ..self }
    }

    /// What people call the API (`resource_name`, RFC 9728 2).
    pub fn name(self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self }
    }

    /// A page for developers (`resource_documentation`, RFC 9728 2).
    pub fn documentation(self, url: &str) -> Self {
        Self { documentation: Some(url.to_owned()), ..self }
    }

    /// What every route of the API wants, besides what each wants itself.
    pub fn requirement(self, requirement: Requirement) -> Self {
        Self { requirement, ..self }
    }

    /// The signature algorithms of tokens and proofs that are accepted; all that are safe, unless it is said otherwise
    /// (RFC 8725 3.1).
    pub fn algorithms(self, algorithms: &[SigningAlgorithm]) -> Self {
        Self { algorithms: algorithms.to_vec(), ..self }
    }

    /// By how many seconds the issuer's clock may be off; 10 unless it is said otherwise, 300 at the most. A token is
    /// accepted for so long after `exp`.
    pub fn leeway(self, seconds: u32) -> Self {
        Self { leeway: Seconds::new(seconds), ..self }
    }

    /// How many verified tokens are remembered, so that they cost no signature; 16384 unless it is said otherwise. Of a
    /// token its claims are kept, and a digest of its text.
    pub fn remembered_tokens(self, tokens: usize) -> Self {
        Self { verified: tokens, ..self }
    }

    /// How many DPoP proofs are remembered at once; 524288 unless it is said otherwise, at 100 bytes each at the most. One is for
    /// about 70 seconds, with nonces for five minutes. Beyond that, requests with proofs are answered with 503.
    pub fn remembered_proofs(self, proofs: usize) -> Self {
        Self { proofs, ..self }
    }

    /// Allows tokens in form bodies (RFC 6750 2.2); see [`Api::check_with_form`].
    pub fn accept_form_tokens(self) -> Self {
        Self { form: true, ..self }
    }

    /// Wants a nonce in every DPoP proof (RFC 9449 9), made with a secret that this process draws.
    pub fn dpop_nonces(self) -> Self {
        Self { nonces: Some(Nonce::Drawn), ..self }
    }

    /// The same with a secret that all processes of the API share, so that each accepts the nonces of the others.
    pub fn dpop_nonces_with(self, secret: [u8; 32]) -> Self {
        Self { nonces: Some(Nonce::Shared(secret)), ..self }
    }

    /// Accepts opaque tokens too, by asking the issuer (RFC 7662). Without it only JWTs are accepted.
    pub fn introspection(self, introspection: Introspection) -> Self {
        Self { introspection: Some(introspection), ..self }
    }

    /// Who else knows which JWTs were taken back before their time: status lists are followed anyway.
    pub fn revocations(self, revocations: Arc<dyn Revocations>) -> Self {
        Self { revocations: Some(revocations), ..self }
    }

    /// For how many seconds a status list is used that cannot be confirmed, since the issuer is down; 30 unless it is said
    /// otherwise. After that its tokens are refused with 503: nobody knows which were taken back.
    pub fn status_list_bound(self, seconds: u32) -> Self {
        Self { status_bound: Seconds::new(seconds), ..self }
    }

    /// Follows status lists whose address begins with this, for an issuer that publishes them elsewhere; otherwise those
    /// below the issuer. They must be signed by the issuer's keys all the same.
    pub fn status_lists_below(self, url: &str) -> Self {
        Self { status_lists: Follow::Below(url.to_owned()), ..self }
    }

    /// Does not look whether a token was taken back, although it says where that is to be seen: it holds until `exp`.
    pub fn ignore_status_lists(self) -> Self {
        Self { status_lists: Follow::None, ..self }
    }

    /// What fetches keys and asks the issuer, with roots and networks of your own. Otherwise one that asks public addresses
    /// alone, and loopback when the issuer is on it.
    pub fn fetcher(self, fetcher: Fetcher) -> Self {
        Self { fetcher: Some(fetcher), ..self }
    }

    /// The issuer's keys, which are then never fetched.
    pub fn keys(self, keys: JwkSet) -> Self {
        Self { keys: Some(Arc::new(keys)), ..self }
    }

    /// Another clock than the system's, for tests.
    pub fn clock(self, clock: impl Fn() -> UnixTime + Send + Sync + 'static) -> Self {
        Self { clock: Clock(Arc::new(clock)), ..self }
    }

    /// The API. Touches no network: keys are fetched when the first token comes.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub fn build(self) -> Result<Api, SetupError> {
        let issuer = Issuer::parse(&self.issuer).ok_or(SetupError::Issuer)?;
        if grantor_protocol::value::Resource::parse(&self.audience).is_none() {
            return Err(SetupError::Audience);
        }
        let scopes = Scope::parse(&self.scopes).ok_or(SetupError::Scopes)?;
        if self.algorithms.is_empty() {
            return Err(SetupError::NoAlgorithm);
        }
        if self.leeway > MAX_LEEWAY {
            return Err(SetupError::Leeway);
        }
        tell_if_unfulfillable(&self.requirement);
        let fetcher = match self.fetcher {
            Some(fetcher) => fetcher,
            None if issuer.is_https() => Fetcher::new(grantor_fetch::Settings::default())?,
            None => Fetcher::for_loopback(grantor_fetch::Settings::default())?,
        };
        let nonces = self.nonces.map(|nonce| nonce_keys(nonce, &issuer)).transpose()?;
        let mut metadata = ProtectedResource::new(&self.audience, &self.issuer).bound_by(self.requirement.binding());
        metadata.scopes_supported = scopes.iter().map(ToString::to_string).collect();
        metadata.dpop_signing_alg_values_supported.clone_from(&self.algorithms);
        metadata.resource_name = self.name;
        metadata.resource_documentation = self.documentation;
        if self.form {
            metadata.bearer_methods_supported.push("body");
        }
        let sets = KeySets::new(fetcher.clone());
        let keys = Arc::new(match self.keys {
            Some(keys) => Keys::fixed(keys),
            None => Keys::of_issuer(self.issuer.clone(), sets.clone()),
        });
        let below = match self.status_lists {
            Follow::None => None,
            Follow::Issuer => Some(format!("{}/", self.issuer.trim_end_matches('/'))),
            Follow::Below(url) => Some(url),
        };
        let statuses = below.map(|below| {
            let bound = Duration::from_secs(self.status_bound.get().into());
            let (algorithms, leeway, clock) = (self.algorithms.clone(), self.leeway, self.clock.clone());
            let settings = crate::status::Settings { below, bound, algorithms, leeway, clock };
            StatusLists::new(settings, Arc::clone(&keys), fetcher.clone())
        });
        let dpop = Dpop {
            origin: origin(self.origin.as_deref(), &self.audience).ok_or(SetupError::Origin)?,
            algorithms: self.algorithms.clone(),
            nonces,
            replay: Replay::new(self.proofs),
            known: KnownKeys::new(KNOWN_KEYS),
        };
        Ok(Api::of(Inner {
            keys,
            statuses,
            header: ArcSwapOption::empty(),
            introspection: self.introspection.map(|settings| Asker::new(settings, fetcher, sets)),
            metadata_place: well_known(&self.audience),
            metadata,
            issuer: self.issuer,
            audience: self.audience,
            requirement: self.requirement,
            algorithms: self.algorithms,
            leeway: self.leeway,
            form: self.form,
            dpop,
            revocations: self.revocations,
            names: Names::new(&drawn()?),
            cache: Cache::new(self.verified),
            clock: self.clock,
        }))
    }
}

/// Nobody would understand otherwise why every request is refused.
pub(crate) fn tell_if_unfulfillable(requirement: &Requirement) {
    if requirement.is_unfulfillable() {
        tracing::error!(
            ?requirement,
            "a requirement that no token fulfils: every request to its route will be refused"
        );
    }
}

fn nonce_keys(nonce: Nonce, issuer: &Issuer) -> Result<HandleKeys, SetupError> {
    let secret = match nonce {
        Nonce::Shared(secret) => secret,
        Nonce::Drawn => drawn()?,
    };
    Ok(HandleKeys::new(issuer, vec![HandleKey::new(&secret)]))
}

fn drawn() -> Result<[u8; 32], SetupError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|_| SetupError::Randomness)?;
    Ok(secret)
}

fn system_time() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
