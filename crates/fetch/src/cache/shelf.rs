//! The entries of a cache, as many as there is room for.

use super::entry::{Entry, Landing};
use super::{Capacity, Fresh, Retention};
use crate::FetchError;
use std::collections::HashMap;
use tokio::time::Instant;

/// Entries by their URL.
pub(super) struct Shelf<V> {
    capacity: Capacity,
    retention: Retention,
    entries: HashMap<String, Place<V>>,
    /// What the documents of all entries weigh.
    weight: usize,
    /// Rises with each use.
    uses: u64,
}

struct Place<V> {
    entry: Entry<V>,
    used: u64,
}

impl<V> Shelf<V> {
    pub(super) fn new(capacity: Capacity, retention: Retention) -> Self {
        Self { capacity, retention, entries: HashMap::new(), weight: 0, uses: 0 }
    }

    /// The entry of a URL, an empty one when it is new.
    pub(super) fn entry(&mut self, url: &str) -> Result<&mut Entry<V>, FetchError> {
        if !self.entries.contains_key(url) && self.entries.len() >= self.capacity.entries && !self.drop_oldest() {
            return Err(FetchError::Throttled);
        }
        self.uses = self.uses.saturating_add(1);
        let retention = self.retention;
        let place = self.entries.entry(url.to_owned()).or_insert_with(|| Place::new(retention));
        place.used = self.uses;
        Ok(&mut place.entry)
    }

    /// Notes what came of a fetch.
    pub(super) fn land(&mut self, url: &str, result: Result<Fresh<V>, FetchError>, now: Instant) -> Landing<V> {
        let refused = result.as_ref().err().cloned();
        let retention = self.retention;
        let entry = &mut self.entries.entry(url.to_owned()).or_insert_with(|| Place::new(retention)).entry;
        let before = entry.weight();
        let landing = entry.land(result, now);
        self.weight = self.weight.saturating_sub(before).saturating_add(entry.weight());
        if let (Some(error), Ok(_)) = (refused, &landing) {
            // Nobody else learns of it. The query is left out: it may hold a secret.
            let url = url.split('?').next().unwrap_or_default();
            tracing::warn!(url, %error, "a document cannot be fetched again; the last good one is used");
        }
        while self.weight > self.capacity.weight && self.drop_oldest() {}
        landing
    }

    /// Makes room: what was used least recently goes, unless it is being fetched. `false` when everything is.
    ///
    /// Looking at every entry is cheap beside the fetch for which room is made.
    fn drop_oldest(&mut self) -> bool {
        let idle = self.entries.iter().filter(|(_, place)| place.entry.flight().is_none());
        let Some(url) = idle.min_by_key(|(_, place)| place.used).map(|(url, _)| url.clone()) else { return false };
        if let Some(gone) = self.entries.remove(&url) {
            self.weight = self.weight.saturating_sub(gone.entry.weight());
        }
        true
    }
}

impl<V> Place<V> {
    const fn new(retention: Retention) -> Self {
        Self { entry: Entry::new(retention), used: 0 }
    }
}
