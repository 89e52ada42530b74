//! Status lists (draft-ietf-oauth-status-list): the layer follows those that the tokens which it sees refer to.
//!
//! Requests read what is at hand. A task in the background asks for each list again after as long as the list says (`ttl`,
//! between a second and a minute), so that what was taken back is known within that time. A request waits only for the
//! first copy of a list, and when the copy at hand was not confirmed for longer than [`Settings::bound`]: while the issuer
//! cannot be reached nothing is known about its tokens, and they are refused with 503.

use crate::api::Clock;
use crate::keys::Keys;
use crate::{Refusal, Standing};
use arc_swap::{ArcSwap, ArcSwapOption};
use grantor_fetch::{Document, FetchError, Fetcher, Polled};
use grantor_jose::jws::{Refused, Unverified};
use grantor_jose::{SigningAlgorithm, parse_object};
use grantor_protocol::status_list::{StatusListToken, StatusReference, TYP};
use grantor_protocol::value::{Seconds, UnixTime};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

/// How often it is looked which list is due.
const TICK: Duration = Duration::from_secs(1);
/// After how long a list is asked for again that does not say itself.
const USUAL: Duration = Duration::from_secs(5);
/// A list is asked for no less often than this, whatever it says.
const RAREST: Duration = Duration::from_mins(1);
/// A list that cannot be had is asked for no more often than this by requests.
const PAUSE: Duration = Duration::from_millis(500);
/// A list that no token referred to for so many looks is followed no longer.
const IDLE: u32 = 600;
/// How many lists are followed: 33 million live tokens of Grantor's.
const LISTS: usize = 2048;
/// How many are asked for at once.
const AT_ONCE: usize = 16;

/// What the API decides.
pub(crate) struct Settings {
    /// What the address of a list begins with.
    pub(crate) below: String,
    /// For how long a copy is used that could not be confirmed.
    pub(crate) bound: Duration,
    pub(crate) algorithms: Vec<SigningAlgorithm>,
    pub(crate) leeway: Seconds,
    pub(crate) clock: Clock,
}

/// The lists of one issuer.
pub(crate) struct StatusLists(Arc<Inner>);

struct Inner {
    settings: Settings,
    keys: Arc<Keys>,
    fetcher: Fetcher,
    lists: ArcSwap<HashMap<String, Arc<List>>>,
    /// For adding and dropping lists, and the task that follows them.
    task: Mutex<Option<JoinHandle<()>>>,
}

struct List {
    uri: String,
    copy: ArcSwapOption<Copy>,
    /// Looks since a token last referred to it.
    idle: AtomicU32,
    /// When it was asked for last; held by the one who asks.
    asked: tokio::sync::Mutex<Option<Instant>>,
}

/// A list as it was last seen.
#[derive(Clone)]
struct Copy {
    token: Arc<StatusListToken>,
    etag: Option<String>,
    /// When the issuer last said that it is so, from before it was asked.
    confirmed: Instant,
}

impl StatusLists {
    pub(crate) fn new(settings: Settings, keys: Arc<Keys>, fetcher: Fetcher) -> Self {
        let (lists, task) = (ArcSwap::default(), Mutex::default());
        Self(Arc::new(Inner { settings, keys, fetcher, lists, task }))
    }

    /// What is known of a token without waiting.
    pub(crate) fn standing(&self, reference: &StatusReference, now: UnixTime) -> Standing {
        let lists = self.0.lists.load();
        lists
            .get(&reference.uri)
            .map_or(Standing::Unknown, |list| list.standing(reference.index, now, &self.0.settings))
    }

    /// The same with waiting: the list is fetched if it is not at hand.
    pub(crate) async fn learn(&self, reference: &StatusReference, now: UnixTime) -> Standing {
        let Some(list) = self.0.list(&reference.uri) else { return Standing::Unknown };
        self.0.ensure_followed();
        list.look(&self.0, now).await;
        list.standing(reference.index, now, &self.0.settings)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = self.task.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Inner {
    /// The list at this address, followed from now on; none where it would not be the issuer's, or there are too many.
    fn list(&self, uri: &str) -> Option<Arc<List>> {
        if !uri.starts_with(&self.settings.below) {
            tracing::warn!(
                uri,
                below = self.settings.below,
                "a token refers to a status list elsewhere: it is not asked"
            );
            return None;
        }
        let _turn = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let lists = self.lists.load();
        if let Some(list) = lists.get(uri) {
            return Some(Arc::clone(list));
        }
        if lists.len() >= LISTS {
            tracing::error!(lists = LISTS, "no more status lists can be followed");
            return None;
        }
        let list = Arc::new(List {
            uri: uri.to_owned(),
            copy: ArcSwapOption::empty(),
            idle: AtomicU32::new(0),
            asked: tokio::sync::Mutex::default(),
        });
        let mut more = HashMap::clone(&lists);
        more.insert(uri.to_owned(), Arc::clone(&list));
        self.lists.store(Arc::new(more));
        Some(list)
    }

    /// Starts the task in the runtime of the request that is the first to wait, and again where that one is gone.
    fn ensure_followed(self: &Arc<Self>) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_some_and(|task| !task.is_finished()) {
            return;
        }
        *task = Some(tokio::spawn(Self::follow(Arc::downgrade(self))));
    }

    async fn follow(lists: Weak<Self>) {
        let mut under_way = JoinSet::new();
        loop {
            tokio::time::sleep(TICK).await;
            let Some(lists) = lists.upgrade() else { return };
            lists.forget_idle();
            let now = (lists.settings.clock.0)();
            for list in lists.lists.load().values().filter(|list| list.is_due()) {
                while under_way.len() >= AT_ONCE {
                    under_way.join_next().await;
                }
                let (lists, list) = (Arc::clone(&lists), Arc::clone(list));
                under_way.spawn(async move { list.look(&lists, now).await });
            }
            while under_way.try_join_next().is_some() {}
        }
    }

    fn forget_idle(&self) {
        let is_idle = |list: &Arc<List>| list.idle.fetch_add(1, Ordering::Relaxed) >= IDLE;
        let idle: Vec<_> =
            self.lists.load().values().filter(|list| is_idle(list)).map(|list| list.uri.clone()).collect();
        if !idle.is_empty() {
            let _turn = self.task.lock().unwrap_or_else(PoisonError::into_inner);
            let mut fewer = HashMap::clone(&self.lists.load());
            fewer.retain(|uri, _| !idle.contains(uri));
            self.lists.store(Arc::new(fewer));
        }
    }

    /// Fetches a list and checks it (8.3).
    async fn fetch(&self, uri: &str, held: Option<&Copy>, now: UnixTime) -> Result<Copy, Failed> {
        let confirmed = Instant::now();
        let known = held.and_then(|held| held.etag.as_deref());
        let endpoint = self.fetcher.endpoint(uri).await?;
        let (fetched, etag) = match (endpoint.poll(Document::StatusList, known).await?, held) {
            (Polled::Unchanged, Some(held)) => return Ok(Copy { confirmed, ..held.clone() }),
            (Polled::Unchanged, None) => return Err(Failed::Malformed),
            (Polled::Changed(fetched, etag), _) => (fetched, etag),
        };
        let text = std::str::from_utf8(&fetched.body).map_err(|_| Failed::Malformed)?;
        let unverified = Unverified::parse(text.trim()).map_err(|_| Failed::Malformed)?;
        if !unverified.header().has_type(TYP) {
            return Err(Failed::Malformed);
        }
        self.verify(&unverified).await?;
        let claims = parse_object(unverified.unverified_payload()).ok_or(Failed::Malformed)?;
        let token = StatusListToken::from_claims(&claims, uri).map_err(|_| Failed::Malformed)?;
        if token.issued > now.plus(self.settings.leeway) || has_ended(&token, now, &self.settings) {
            return Err(Failed::Time);
        }
        // Somebody on the way may give us what was true before.
        if held.is_some_and(|held| token.issued < held.token.issued) {
            return Err(Failed::Older);
        }
        Ok(Copy { token: Arc::new(token), etag, confirmed })
    }

    /// By a key of the issuer's, as its tokens are.
    async fn verify(&self, unverified: &Unverified<'_>) -> Result<(), Failed> {
        let algorithms = &self.settings.algorithms;
        if let Some(keys) = self.keys.at_hand() {
            match unverified.check_with_set(&keys, algorithms) {
                Ok(()) => return Ok(()),
                Err(Refused::KeyId | Refused::NoKey) if self.keys.can_be_fetched() => {}
                Err(why) => return Err(Failed::Signature(why)),
            }
        }
        let keys = self.keys.fetch(unverified.header().kid()).await.map_err(Failed::Keys)?;
        unverified.check_with_set(&keys, algorithms).map_err(Failed::Signature)
    }
}

impl List {
    fn standing(&self, index: u64, now: UnixTime, settings: &Settings) -> Standing {
        let copy = self.copy.load();
        let Some(copy) = copy.as_ref() else { return Standing::Unknown };
        if self.idle.load(Ordering::Relaxed) != 0 {
            self.idle.store(0, Ordering::Relaxed);
        }
        if copy.confirmed.elapsed() > settings.bound || has_ended(&copy.token, now, settings) {
            return Standing::Unknown;
        }
        match copy.token.list.is_valid(index) {
            Some(true) => Standing::Good,
            Some(false) => Standing::TakenBack,
            // 8.3: an error; the list may have grown since.
            None => Standing::Unknown,
        }
    }

    /// After how long the list is to be asked for again.
    fn every(&self) -> Duration {
        let copy = self.copy.load();
        let says = copy.as_ref().and_then(|copy| copy.token.ttl);
        says.map_or(USUAL, |ttl| Duration::from_secs(ttl.get().into()).clamp(TICK, RAREST))
    }

    /// Whether it is time to ask for it again, so that the copy is never older than it says by more than a look.
    fn is_due(&self) -> bool {
        let copy = self.copy.load();
        copy.as_ref().is_none_or(|copy| copy.confirmed.elapsed() + TICK > self.every())
    }

    /// Asks for the list, unless that was done a moment ago. One asks, and the others wait for what he learns.
    async fn look(&self, lists: &Inner, now: UnixTime) {
        let mut asked = self.asked.lock().await;
        if asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
            return;
        }
        *asked = Some(Instant::now());
        let held = self.copy.load_full();
        match lists.fetch(&self.uri, held.as_deref(), now).await {
            Ok(copy) => self.copy.store(Some(Arc::new(copy))),
            Err(error) => {
                let age = held.map(|held| held.confirmed.elapsed().as_secs());
                tracing::warn!(uri = self.uri, %error, age, "a status list cannot be had");
            }
        }
    }
}

fn has_ended(token: &StatusListToken, now: UnixTime, settings: &Settings) -> bool {
    token.expires.is_some_and(|end| end.plus(settings.leeway) <= now)
}

/// Why a list is not had.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("it could not be fetched: {0}")]
    Fetch(#[from] FetchError),
    #[error("it is not what it must be")]
    Malformed,
    #[error("its signature does not hold: {0}")]
    Signature(Refused),
    #[error("the issuer's keys cannot be had: {0}")]
    Keys(Refusal),
    #[error("it has ended, or is of the future")]
    Time,
    #[error("it is older than the one at hand")]
    Older,
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
