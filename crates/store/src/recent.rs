//! Uses of credentials that were noted a moment ago, so that a busy client costs a backend nothing.

use crate::ONE_USE;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use hashbrown::HashTable;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many are known at once: two megabytes.
const KNOWN: usize = 65_536;

/// When each use was sent to be written. Two credentials that meet in one digest would share their uses for a minute:
/// with a random key and 64 bits they do not.
#[derive(Debug, Default)]
pub struct Recent {
    key: RandomState,
    /// By the digest of what was used.
    sent: Mutex<HashTable<(u64, UnixTime)>>,
}

impl Recent {
    /// Sends a use, unless it counts as one that was sent before. What `send` found no room for is not known afterwards.
    ///
    /// Uses are sent one at a time, so that they are queued in the order of their times.
    pub fn note(
        &self,
        tenant: &TenantName,
        client: &ClientId,
        credential: &str,
        now: UnixTime,
        send: impl FnOnce() -> crate::Result<()>,
    ) {
        let digest = self.key.hash_one((tenant.as_str(), client.as_str(), credential));
        let mut sent = self.lock();
        let known = sent.find_mut(digest, |(of, _)| *of == digest);
        if known.as_ref().is_some_and(|(_, last)| now <= last.plus(ONE_USE)) || send().is_err() {
            return;
        }
        if let Some((_, last)) = known {
            *last = now;
            return;
        }
        if sent.len() >= KNOWN {
            sent.clear();
        }
        sent.insert_unique(digest, (digest, now), |(of, _)| *of);
    }

    /// Knows none any more: what they were noted of may be gone.
    pub fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashTable<(u64, UnixTime)>> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Recent};
    use crate::StoreError;
    use crate::contract::samples::{at, client, other_tenant, tenant};
    use grantor_protocol::value::TenantName;

    #[test]
    fn a_minute_is_one_use() {
        let recent = Recent::default();
        let said = [100, 100, 160, 50, 161, 200, 222].map(|now| sends(&recent, &tenant(), 1, "key", now));
        assert_eq!(said, [true, false, false, false, true, false, true]);
    }

    #[test]
    fn each_credential_has_its_own_minute() {
        let recent = Recent::default();
        for sent in [true, false] {
            assert_eq!(sends(&recent, &tenant(), 1, "key", 0), sent);
            assert_eq!(sends(&recent, &tenant(), 1, "other", 0), sent);
            assert_eq!(sends(&recent, &tenant(), 2, "key", 0), sent);
            assert_eq!(sends(&recent, &other_tenant(), 1, "key", 0), sent);
        }
    }

    #[test]
    fn what_found_no_room_is_sent_again() {
        let recent = Recent::default();
        recent.note(&tenant(), &client(1), "key", at(0), || Err(StoreError::Busy(String::new())));
        assert!(sends(&recent, &tenant(), 1, "key", 0));
    }

    #[test]
    fn after_forgetting_and_when_too_many_are_known_it_begins_anew() {
        let recent = Recent::default();
        assert!(sends(&recent, &tenant(), 1, "key", 0));
        recent.forget();
        assert!(sends(&recent, &tenant(), 1, "key", 0));
        for n in 0..=KNOWN {
            assert!(sends(&recent, &tenant(), 1, &n.to_string(), 0));
        }
        assert!(recent.lock().len() <= KNOWN);
    }

    fn sends(recent: &Recent, tenant: &TenantName, of: u64, credential: &str, now: u32) -> bool {
        let mut sent = false;
        recent.note(tenant, &client(of), credential, at(now), || {
            sent = true;
            Ok(())
        });
        sent
    }
}
