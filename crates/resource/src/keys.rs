//! The issuer's keys, at hand without waiting.
//!
//! Requests read what is at hand. A task in the background asks [`KeySets`] for the set twice a minute, which fetches it
//! when it has aged (after as long as its `Cache-Control` says, between a minute and an hour), so that no request waits
//! for that. A request waits only for the first set, and when its token names a key that the set lacks: then the set is
//! fetched again, once in 30 seconds at the most, whoever asks for whichever key. While the issuer is down the last good
//! set is used, for 24 hours since it was read, with a warning in the log at each try.

use crate::Refusal;
use arc_swap::ArcSwapOption;
use grantor_fetch::KeySets;
use grantor_jose::JwkSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How often the background task looks after the set.
const LOOK: Duration = Duration::from_secs(30);

/// What nobody has looked after for so long is not used without asking: the task went with its runtime.
const UNATTENDED: Duration = Duration::from_mins(2);

/// The keys of one issuer.
pub(crate) struct Keys(Source);

enum Source {
    /// Given, and never fetched.
    Fixed(Arc<JwkSet>),
    Followed(Arc<Followed>),
}

struct Followed {
    issuer: String,
    sets: KeySets,
    at_hand: ArcSwapOption<AtHand>,
    /// Rises when a key is withdrawn.
    withdrawals: AtomicU64,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct AtHand {
    set: Arc<JwkSet>,
    attended: Instant,
}

impl Keys {
    pub(crate) const fn fixed(set: Arc<JwkSet>) -> Self {
        Self(Source::Fixed(set))
    }

    pub(crate) fn of_issuer(issuer: String, sets: KeySets) -> Self {
        Self(Source::Followed(Arc::new(Followed {
            issuer,
            sets,
            at_hand: ArcSwapOption::empty(),
            withdrawals: AtomicU64::new(0),
            task: Mutex::default(),
        })))
    }

    /// The set, if it is at hand.
    pub(crate) fn at_hand(&self) -> Option<Arc<JwkSet>> {
        match &self.0 {
            Source::Fixed(set) => Some(Arc::clone(set)),
            Source::Followed(followed) => {
                let at_hand = followed.at_hand.load();
                let at_hand = at_hand.as_ref().filter(|it| it.attended.elapsed() < UNATTENDED)?;
                Some(Arc::clone(&at_hand.set))
            }
        }
    }

    /// Whether it makes sense to fetch the set because of a key that it lacks.
    pub(crate) const fn can_be_fetched(&self) -> bool {
        matches!(self.0, Source::Followed(_))
    }

    /// The set, fetched if need be. `kid` is the key that is looked for.
    pub(crate) async fn fetch(&self, kid: Option<&str>) -> Result<Arc<JwkSet>, Refusal> {
        match &self.0 {
            Source::Fixed(set) => Ok(Arc::clone(set)),
            Source::Followed(followed) => {
                followed.ensure_followed();
                followed.look(kid).await.map_err(Refusal::NoKeys)
            }
        }
    }

    /// How often a key was withdrawn so far. What was verified before the last time may have been by that key.
    pub(crate) fn withdrawals(&self) -> u64 {
        match &self.0 {
            Source::Fixed(_) => 0,
            Source::Followed(followed) => followed.withdrawals.load(Ordering::Acquire),
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Source::Followed(followed) = &self.0
            && let Some(task) = followed.task().take()
        {
            task.abort();
        }
    }
}

impl Followed {
    async fn look(&self, kid: Option<&str>) -> Result<Arc<JwkSet>, grantor_fetch::FetchError> {
        match self.sets.of_issuer(&self.issuer, kid).await {
            Ok(set) => {
                let before =
                    self.at_hand.swap(Some(Arc::new(AtHand { set: Arc::clone(&set), attended: Instant::now() })));
                if before.is_some_and(|before| !Arc::ptr_eq(&before.set, &set) && lacks_one_of(&set, &before.set)) {
                    tracing::info!(issuer = self.issuer, "the issuer withdrew a key: every token is verified anew");
                    self.withdrawals.fetch_add(1, Ordering::AcqRel);
                }
                Ok(set)
            }
            Err(error) => {
                // There is no last good set, or it is too old.
                if self.at_hand.swap(None).is_some() {
                    tracing::error!(issuer = self.issuer, %error, "the issuer's keys are too old to be used any longer");
                }
                Err(error)
            }
        }
    }

    /// Starts the task in the runtime of the request that is the first to wait, and again where that one is gone.
    fn ensure_followed(self: &Arc<Self>) {
        let mut task = self.task();
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        let followed = Arc::downgrade(self);
        *task = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
                let Some(followed) = followed.upgrade() else { return };
                // What went wrong is in the log.
                let _ = followed.look(None).await;
            }
        }));
    }

    fn task(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lacks_one_of(now: &JwkSet, before: &JwkSet) -> bool {
    before.keys.iter().any(|key| !now.keys.contains(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_fetch::{Fetcher, Settings};

    #[test]
    fn keys_that_nobody_looks_after_are_not_used_unasked() {
        let sets = KeySets::new(Fetcher::new(Settings::default()).unwrap());
        let keys = Keys::of_issuer("https://id.example".to_owned(), sets);
        let Source::Followed(followed) = &keys.0 else { panic!("they are followed") };
        let now = Instant::now();
        let with = |attended| {
            followed.at_hand.store(Some(Arc::new(AtHand { set: Arc::default(), attended })));
            keys.at_hand().is_some()
        };
        assert!(with(now));
        assert!(!with(now.checked_sub(UNATTENDED).unwrap()));
    }
}
