//! Keys by reference, cached.

use crate::cache::{Cache, Capacity, Fresh, Retention};
use crate::discovery::{IssuerMetadata, well_known};
use crate::target::Target;
use crate::{Document, FetchError, Fetcher};
use grantor_jose::JwkSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The key sets of clients and of foreign issuers. Cheap to clone; clones share what they keep.
///
/// A set is kept for as long as its `Cache-Control` says, within a minute and an hour. While it cannot be fetched again
/// the last good one is used, for a day at the most.
#[derive(Clone)]
pub struct KeySets(Arc<Inner>);

struct Inner {
    fetcher: Fetcher,
    sets: Cache<JwkSet>,
    /// What each issuer says of itself.
    issuers: Cache<IssuerMetadata>,
}

/// For how long a set is kept that does not say itself.
const TTL: Duration = Duration::from_mins(5);
/// A set is not asked for more often than this, whatever it says.
const MIN_TTL: Duration = Duration::from_mins(1);
/// A key that was withdrawn is not used for longer than this, whatever its set says.
const MAX_TTL: Duration = Duration::from_hours(1);
/// For how long it is remembered where an issuer's keys are.
const DISCOVERY_TTL: Duration = Duration::from_hours(1);
/// A server that is down for a while does not lock out whoever needs its keys.
const KEPT: Retention = Retention { failure: Duration::from_secs(5), stale: Duration::from_hours(24) };

/// The largest sets fill it a hundred and twenty-eight times.
const SETS: Capacity = Capacity { entries: 4096, weight: 32 * 1024 * 1024 };
const ISSUERS: Capacity = Capacity { entries: 4096, weight: 4 * 1024 * 1024 };

impl KeySets {
    /// Empty caches in front of the guard.
    pub fn new(fetcher: Fetcher) -> Self {
        Self(Arc::new(Inner { fetcher, sets: Cache::new(SETS, KEPT), issuers: Cache::new(ISSUERS, KEPT) }))
    }

    /// The key set behind a `jwks_uri`. `kid` is the key that is looked for: a kept set that lacks it is fetched again,
    /// though not within 30 seconds of the last time that this happened. Whether the set that comes has it is for the
    /// caller to see. Answers within 5 seconds.
    ///
    /// # Errors
    ///
    /// See [`FetchError`]. After a failure the same one is given for 5 seconds without asking again.
    pub async fn of_uri(&self, jwks_uri: &str, kid: Option<&str>) -> Result<Arc<JwkSet>, FetchError> {
        // A URL that is never asked for takes no place in the cache.
        let target = self.0.fetcher.target(jwks_uri)?;
        let url = target.as_str().to_owned();
        let has_it = |set: &JwkSet| kid.is_none_or(|kid| set.find(kid).is_some());
        self.0.sets.of(&url, has_it, key_set(self.0.fetcher.clone(), target)).await
    }

    /// The key set of an issuer, found by OpenID Connect Discovery or, where there is none, by RFC 8414. Otherwise as
    /// [`Self::of_uri`]. Answers within 15 seconds: two places for the metadata, and one for the keys.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn of_issuer(&self, issuer: &str, kid: Option<&str>) -> Result<Arc<JwkSet>, FetchError> {
        let metadata = self.metadata(issuer).await?;
        self.of_uri(&metadata.jwks_uri, kid).await
    }

    /// What an issuer says of itself, kept for an hour and, while it cannot be had, for a day. Answers within 10 seconds.
    ///
    /// # Errors
    ///
    /// See [`FetchError`].
    pub async fn metadata(&self, issuer: &str) -> Result<Arc<IssuerMetadata>, FetchError> {
        let [openid, oauth] = well_known(issuer)?;
        let places = [self.0.fetcher.target(&openid)?, self.0.fetcher.target(&oauth)?];
        let discovery = discover(self.0.fetcher.clone(), places, issuer.to_owned());
        self.0.issuers.of(issuer, |_| true, discovery).await
    }
}

async fn key_set(fetcher: Fetcher, jwks_uri: Target) -> Result<Fresh<JwkSet>, FetchError> {
    let fetched = fetcher.get_target(jwks_uri, Document::KeySet).await?;
    let value = JwkSet::parse(&fetched.body).map_err(|_| FetchError::NotAKeySet)?;
    let ttl = fetched.max_age.unwrap_or(TTL).clamp(MIN_TTL, MAX_TTL);
    Ok(Fresh { value, ttl, weight: fetched.body.len() })
}

async fn discover(
    fetcher: Fetcher,
    [openid, oauth]: [Target; 2],
    issuer: String,
) -> Result<Fresh<IssuerMetadata>, FetchError> {
    let metadata = match fetcher.get_target(openid, Document::Metadata).await {
        Err(error) if speaks_of_absence(&error) => fetcher.get_target(oauth, Document::Metadata).await,
        other => other,
    };
    let value = IssuerMetadata::parse(&metadata?.body, &issuer)?;
    Ok(Fresh { weight: value.weight(), value, ttl: DISCOVERY_TTL })
}

/// Whether an answer came, and was none: what servers say about a place where they have nothing.
fn speaks_of_absence(error: &FetchError) -> bool {
    matches!(error, FetchError::Status(400..=499) | FetchError::Redirected | FetchError::WrongContentType)
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySets").finish_non_exhaustive()
    }
}
