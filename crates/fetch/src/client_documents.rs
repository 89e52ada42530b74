//! The metadata of clients whose identifiers are URLs, cached (draft-ietf-oauth-client-id-metadata-document 5.2).

use crate::cache::{Cache, Capacity, Fresh, Retention};
use crate::target::Target;
use crate::{Document, FetchError, Fetched, Fetcher};
use std::time::Duration;

/// For how long a document is kept that does not say itself.
const TTL: Duration = Duration::from_mins(5);
/// A document is not asked for more often than this, whatever it says: anyone can have it fetched.
const MIN_TTL: Duration = Duration::from_mins(1);
/// What a document says is believed for no longer than this, whatever it says.
const MAX_TTL: Duration = Duration::from_hours(1);
/// Who is down for a moment does not lock out the users of his client, and a document that is gone is believed for no
/// longer than one that is there.
const KEPT: Retention = Retention { failure: Duration::from_secs(10), stale: MAX_TTL };

/// The largest documents fill it eight hundred times.
const CAPACITY: Capacity = Capacity { entries: 2048, weight: 4 * 1024 * 1024 };

/// What came of fetching them.
pub(crate) struct ClientDocuments(Cache<Fetched>);

impl ClientDocuments {
    pub(crate) fn new() -> Self {
        Self(Cache::new(CAPACITY, KEPT))
    }

    /// A kept document that does not suffice is fetched again, though not within 30 seconds of the last time.
    pub(crate) async fn of(
        &self,
        fetcher: Fetcher,
        target: Target,
        suffices: impl Fn(&[u8]) -> bool,
    ) -> Result<Fetched, FetchError> {
        let url = target.as_str().to_owned();
        let fetch = async move {
            let value = fetcher.get_target(target, Document::ClientMetadata).await?;
            let ttl = value.max_age.unwrap_or(TTL).clamp(MIN_TTL, MAX_TTL);
            Ok(Fresh { ttl, weight: value.body.len(), value })
        };
        self.0.of(&url, |kept| suffices(&kept.body), fetch).await.map(|fetched| Fetched::clone(&fetched))
    }
}
