//! Following the directory: what an administrator changed is effective on every node within [`BOUND`], and a node that
//! cannot tell whether it knows the newest version says so rather than to act upon an old one.

use crate::context::{Context, StartError};
use crate::keyring::{self, KeyringError};
use crate::snapshot::{Making, Snapshot};
use arc_swap::ArcSwap;
use grantor_protocol::directory::{KeyRecord, Tenant};
use grantor_protocol::value::TenantName;
use grantor_store::{Change, Store, StoreError};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// For how long a node acts upon a version of the directory that it has seen to be the newest: after that, whatever it
/// issued or confirmed might have been forbidden for longer than is promised.
pub(crate) const BOUND: Duration = Duration::from_secs(1);
/// How often it is looked.
const POLL: Duration = Duration::from_millis(200);
/// How often at the most, however often the store hears that something changed.
const SHORTEST: Duration = Duration::from_millis(10);
/// How long a request waits for a look that is late, on a machine that is busy.
const PATIENCE: Duration = Duration::from_millis(250);
/// For how long a change waits for the keys that it needs. Others that came with it must not wait longer.
const KEYS: Duration = Duration::from_millis(400);

/// The directory as it is known, and since when.
pub(crate) struct Feed {
    snapshot: ArcSwap<Snapshot>,
    pub(crate) making: Making,
    began: Instant,
    /// When the look began that found the snapshot to be the newest, in milliseconds after `began`.
    seen: AtomicU64,
    /// When a request last waited in vain, in the same way.
    missed: AtomicU64,
    /// Asks for a look now.
    hurry: Notify,
    /// Counts looks, whatever came of them.
    looks: watch::Sender<u64>,
    /// How many keys were made before the first request.
    pub(crate) made_at_start: AtomicUsize,
    key_making: Mutex<Option<KeyMaking>>,
}

/// Keys that are being made, beside everything else.
type KeyMaking = JoinHandle<Result<Vec<KeyRecord>, KeyringError>>;

const NEVER: u64 = u64::MAX;

impl Feed {
    /// Nothing is known yet.
    pub(crate) fn new(making: Making) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(Snapshot::empty()),
            making,
            began: Instant::now(),
            seen: AtomicU64::new(NEVER),
            missed: AtomicU64::new(NEVER),
            hurry: Notify::new(),
            looks: watch::Sender::new(0),
            made_at_start: AtomicUsize::new(0),
            key_making: Mutex::default(),
        }
    }

    /// The directory as it is known.
    pub(crate) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Whether the snapshot was the newest less than [`BOUND`] ago.
    pub(crate) fn is_current(&self) -> bool {
        self.is_within(&self.seen, BOUND)
    }

    /// The same, after a look where none was taken in time: on a machine that was busy that is no reason to refuse.
    pub(crate) async fn is_current_after_a_look(&self) -> bool {
        if self.is_current() {
            return true;
        }
        // Whoever waited just now waited in vain for all.
        if self.is_within(&self.missed, POLL) {
            return false;
        }
        let mut looks = self.looks.subscribe();
        self.hurry.notify_one();
        let looked = async { while !self.is_current() && looks.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(PATIENCE, looked).await;
        let is_current = self.is_current();
        if !is_current {
            self.missed.store(self.millis(Instant::now()), Ordering::Relaxed);
        }
        is_current
    }

    /// Returns when this version is served here, or when every node must have looked for it.
    pub(crate) async fn reaches(&self, version: u64) {
        let mut looks = self.looks.subscribe();
        self.hurry.notify_one();
        let reached = async { while self.snapshot().version() < version && looks.changed().await.is_ok() {} };
        let _ = tokio::time::timeout(BOUND, reached).await;
    }

    /// Returns when it is time to look again. What the store hears only makes it sooner.
    async fn due(&self, store: &dyn Store) {
        let heard = async {
            sleep(SHORTEST).await;
            store.directory_changed().await;
        };
        tokio::select! {
            () = self.hurry.notified() => {}
            () = heard => {}
            () = sleep(POLL) => {}
        }
    }

    fn is_within(&self, moment: &AtomicU64, bound: Duration) -> bool {
        let moment = moment.load(Ordering::Acquire);
        moment != NEVER && self.began.elapsed() < Duration::from_millis(moment) + bound
    }

    fn millis(&self, moment: Instant) -> u64 {
        u64::try_from(moment.saturating_duration_since(self.began).as_millis()).unwrap_or(NEVER - 1)
    }
}

impl Context {
    /// Makes the default tenant and all missing keys, and reads the directory.
    pub(crate) async fn start_feed(self: &Arc<Self>) -> Result<(), StartError> {
        loop {
            self.look().await?;
            let snapshot = self.feed.snapshot.load_full();
            if !snapshot.is_declared(&TenantName::default()) {
                let default = Change::PutTenant(Tenant::new(TenantName::default()));
                match self.store.change_directory(vec![default], Some(snapshot.version())).await {
                    Ok(_) | Err(StoreError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            } else if snapshot.wanted().is_empty() {
                return match snapshot.tenant(&TenantName::default()) {
                    Some(default) => Ok(default.open()?),
                    None => Err(KeyringError::Missing(TenantName::default()).into()),
                };
            } else {
                let made = self.make_keys(&snapshot).await?.len();
                self.feed.made_at_start.fetch_add(made, Ordering::Relaxed);
            }
        }
    }

    /// Looks for changes of the directory for as long as the server is there.
    pub(crate) async fn follow(server: Weak<Self>) {
        loop {
            {
                let Some(context) = server.upgrade() else { return };
                context.feed.due(&*context.store).await;
            }
            let Some(context) = server.upgrade() else { return };
            if let Err(error) = context.look().await {
                tracing::error!(%error, "the directory cannot be followed; after a second no token is issued or confirmed");
            }
            context.feed.looks.send_modify(|looks| *looks = looks.wrapping_add(1));
        }
    }

    /// Serves the newest directory from now on.
    async fn look(self: &Arc<Self>) -> Result<(), StartError> {
        let began = Instant::now();
        let version = self.store.directory_version().await?;
        let before = self.feed.snapshot.load_full();
        let mut next = self.newer(&before, version).await?;
        if self.feed.seen.load(Ordering::Relaxed) != NEVER
            && !next.wanted().is_empty()
            && self.keys_are_made(&next).await
        {
            let version = self.store.directory_version().await?;
            next = self.newer(&next, version).await?;
        }
        let version = next.version();
        if !Arc::ptr_eq(&before, &next) {
            self.feed.snapshot.store(next);
        }
        self.feed.seen.store(self.feed.millis(began), Ordering::Release);
        self.operations.health.directory_is_current(version);
        Ok(())
    }

    async fn newer(&self, before: &Arc<Snapshot>, version: u64) -> Result<Arc<Snapshot>, StartError> {
        let (making, now) = (&self.feed.making, self.now());
        // The first of all is read whole.
        if before.version() == version && version != 0 {
            return Ok(if before.is_stale(now) { Arc::new(before.at(now)) } else { Arc::clone(before) });
        }
        let changes = if before.version() == 0 { None } else { self.store.directory_since(before.version()).await? };
        if let Some((version, changes)) = changes
            && let Ok(next) = before.changed(version, changes, making, now)
        {
            return Ok(Arc::new(if next.is_stale(now) { next.at(now) } else { next }));
        }
        Ok(Arc::new(Snapshot::of(self.store.packed_directory().await?, making, now)))
    }

    /// Has the missing keys made, and waits a moment for them; whoever needs them later is served when they are there.
    async fn keys_are_made(self: &Arc<Self>, snapshot: &Arc<Snapshot>) -> bool {
        let making = self.feed.key_making.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut making = making.unwrap_or_else(|| {
            let (context, snapshot) = (Arc::clone(self), Arc::clone(snapshot));
            tokio::spawn(async move { context.make_keys(&snapshot).await })
        });
        match tokio::time::timeout(KEYS, &mut making).await {
            Ok(Ok(Ok(_))) => true,
            Ok(Ok(Err(error))) => {
                tracing::error!(%error, "keys could not be made");
                false
            }
            Ok(Err(_)) => false,
            Err(_) => {
                *self.feed.key_making.lock().unwrap_or_else(PoisonError::into_inner) = Some(making);
                false
            }
        }
    }

    async fn make_keys(&self, snapshot: &Snapshot) -> Result<Vec<KeyRecord>, KeyringError> {
        let wants = snapshot.wanted().to_vec();
        let made = keyring::make_wanted(&*self.store, &self.master, wants, snapshot.version(), &*self.world).await?;
        tracing::info!(keys = made.len(), "made keys");
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::MasterKey;
    use crate::settings::Settings;
    use grantor_protocol::value::Issuer;
    use grantor_store::{Directories as _, MemoryStore};

    /// A feed that last saw the newest version so long ago.
    fn feed(ago: Duration) -> Arc<Feed> {
        let settings = Settings::new(Issuer::parse("https://issuer.example").unwrap());
        let mut feed = Feed::new(Making::new(&settings, Arc::new(MasterKey::from_bytes([7; 32]))));
        feed.began = Instant::now().checked_sub(ago).unwrap();
        feed.seen = AtomicU64::new(0);
        Arc::new(feed)
    }

    /// Looks when it is asked to; the store answers or does not.
    fn look(feed: &Arc<Feed>, answers: bool) {
        let feed = Arc::clone(feed);
        tokio::spawn(async move {
            loop {
                feed.hurry.notified().await;
                if answers {
                    feed.seen.store(feed.millis(Instant::now()), Ordering::Release);
                }
                feed.looks.send_modify(|looks| *looks += 1);
            }
        });
    }

    #[test]
    fn what_was_seen_is_acted_upon_within_the_bound_only() {
        assert!(feed(BOUND / 100).is_current());
        assert!(!feed(BOUND + Duration::from_millis(1)).is_current());
        let settings = Settings::new(Issuer::parse("https://issuer.example").unwrap());
        let never = Feed::new(Making::new(&settings, Arc::new(MasterKey::from_bytes([7; 32]))));
        assert!(!never.is_current());
    }

    #[tokio::test]
    async fn a_look_that_is_late_is_asked_for_and_waited_for() {
        let late = feed(BOUND * 2);
        look(&late, true);
        assert!(late.is_current_after_a_look().await);
        let cut_off = feed(BOUND * 2);
        look(&cut_off, false);
        assert!(!cut_off.is_current_after_a_look().await);
        assert!(!cut_off.is_current_after_a_look().await);
        assert!(!feed(BOUND * 2).is_current_after_a_look().await, "nobody looks at all");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_looked_sooner_when_the_store_hears_of_a_change_and_not_all_the_time() {
        let (feed, store) = (feed(BOUND), MemoryStore::new());
        let waited = async || {
            let began = tokio::time::Instant::now();
            feed.due(&store).await;
            began.elapsed()
        };
        assert!(waited().await >= POLL);
        for _ in 0..3 {
            store.change_directory(Vec::new(), None).await.unwrap();
            let waited = waited().await;
            assert!((SHORTEST..POLL).contains(&waited), "{waited:?}");
        }
        feed.hurry.notify_one();
        assert!(waited().await < SHORTEST);
    }
}
