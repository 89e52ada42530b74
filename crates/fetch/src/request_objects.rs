//! Request objects by reference, remembered for a moment (RFC 9101 10.4).

use crate::cache::{Cache, Capacity, Fresh, Retention};
use crate::target::Target;
use crate::{Document, FetchError, Fetched, Fetcher};
use std::time::Duration;

/// The largest objects fill it sixty-four times.
const CAPACITY: Capacity = Capacity { entries: 1024, weight: 4 * 1024 * 1024 };

/// What came of fetching request objects. However many ask for one, its server is asked once in a while.
pub(crate) struct RequestObjects {
    remembered: Duration,
    objects: Cache<Fetched>,
}

impl RequestObjects {
    /// `remembered` is for how long an outcome is given again, a failure as well as an object, and whatever the answer
    /// says of itself: its server may be the one that wants to be asked without end. An old object never stands in for
    /// one that cannot be had.
    pub(crate) fn new(remembered: Duration) -> Self {
        let retention = Retention { failure: remembered, stale: Duration::ZERO };
        Self { remembered, objects: Cache::new(CAPACITY, retention) }
    }

    pub(crate) async fn of(&self, fetcher: Fetcher, target: Target) -> Result<Fetched, FetchError> {
        let (url, ttl) = (target.as_str().to_owned(), self.remembered);
        let fetch = async move {
            let value = fetcher.get_target(target, Document::RequestObject).await?;
            Ok(Fresh { ttl, weight: value.body.len(), value })
        };
        self.objects.of(&url, |_| true, fetch).await.map(|fetched| Fetched::clone(&fetched))
    }
}
