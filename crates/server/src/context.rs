//! What every request sees: the settings, the store, and a snapshot of the directory that is read from memory.

use crate::budget::{AddressBudget, Budget};
use crate::feed::Feed;
use crate::keyring::{KeyringError, MasterKey};
use crate::known_secrets::KnownSecrets;
use crate::metrics::MeteredStore;
use crate::operations::Operations;
use crate::settings::{Origin, Settings};
use crate::snapshot::Making;
use crate::standing::{Revocations, Standings, WatchedStore};
use crate::status_lists::StatusLists;
use crate::tally::Tally;
use crate::tenancy::Tenancy;
use crate::world::World;
use grantor_fetch::{Fetcher, KeySets, Relay};
use grantor_login::{PasswordPool, Throttle};
use grantor_protocol::token::dpop::KnownKeys;
use grantor_protocol::value::{Seconds, TenantName, UnixTime};
use grantor_store::{Store, StoreError};
use grantor_web::Pages;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// What every request sees.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) pages: Pages,
    pub(crate) passwords: PasswordPool,
    pub(crate) known_secrets: KnownSecrets,
    /// Those of DPoP proofs.
    pub(crate) known_keys: KnownKeys,
    pub(crate) throttle: Throttle,
    /// Guesses at what devices show.
    pub(crate) user_codes: Throttle,
    /// Devices of clients that anybody can claim to be.
    pub(crate) devices: Budget,
    /// Refusals of peers who did not say who they are, written down.
    pub(crate) strangers: Budget,
    /// Clients that anybody may register.
    pub(crate) registrations: AddressBudget,
    /// The playground's requests to others, where somebody may be asked.
    pub(crate) relay: Option<Relay>,
    /// How many of them an address may have passed on.
    pub(crate) relayed: AddressBudget,
    /// What the demo API keeps.
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) origin: Origin,
    /// Keys by reference: those of clients, and those of issuers that speak for clients.
    pub(crate) key_sets: KeySets,
    /// Documents by reference.
    pub(crate) fetcher: Fetcher,
    pub(crate) master: Arc<MasterKey>,
    /// Health, figures, and the gate against overload.
    pub(crate) operations: Operations,
    /// Audit events of which many are alike.
    pub(crate) tally: Tally,
    /// How the tokens that were presented lately stand.
    pub(crate) standings: Standings,
    /// Where tokens say how they stand.
    pub(crate) status_lists: StatusLists,
    pub(crate) feed: Feed,
}

/// Why a server could not be made.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The keys.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is allowed of outgoing requests.
    #[error("outgoing requests cannot be made: {0}")]
    Outgoing(String),
    /// The templates.
    #[error("the pages cannot be made: {0}")]
    Pages(String),
}

/// Refusals of strangers that are written down in a second.
const STRANGERS: u32 = 50;
/// How many keys of DPoP proofs stay parsed.
const KNOWN_KEYS: usize = 4_096;
/// Devices of public clients that are written down in a second, whoever asks: with ten minutes to live, 60,000 rows.
const DEVICES: u32 = 100;
/// How often a small step of expired rows is dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
/// What has expired is kept for so long: were it forgotten at once, a clock that was too fast and is put right would bring
/// a code that was spent, or an assertion that was used, back to life.
const WRONG_CLOCK: Seconds = Seconds::new(2 * 3600);
const EXPIRE_ROWS: u32 = 1000;
const EXPIRE_STEPS: u32 = 100;
/// After so many of those, it is looked for registered clients that are not used.
const UNUSED_EVERY: u32 = 12;
/// Registrations from one address in an hour, where anybody may register.
const REGISTRATIONS: u32 = 60;
/// Requests of the playground that are passed on for one address in an hour: one each six seconds.
const RELAYED: u32 = 600;

impl Context {
    /// Makes the default tenant and all missing keys, reads the directory, and follows it from now on.
    pub(crate) async fn new(
        store: Arc<dyn Store>,
        master: MasterKey,
        settings: Settings,
        world: Arc<dyn World>,
    ) -> Result<Arc<Self>, StartError> {
        let pages = match &settings.templates {
            Some(folder) => Pages::with_overrides(folder),
            None => Pages::new(),
        };
        let pages = pages.map_err(|error| StartError::Pages(error.to_string()))?;
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let fetcher =
            Fetcher::new(settings.outgoing.clone()).map_err(|error| StartError::Outgoing(error.to_string()))?;
        let relay = (!settings.relay.is_empty()).then(|| Relay::new(settings.outgoing.clone(), settings.relay.clone()));
        let relay = relay.transpose().map_err(|error| StartError::Outgoing(error.to_string()))?;
        let operations = Operations::new(settings.metrics, settings.max_connections);
        let store: Arc<dyn Store> = match &operations.metrics {
            Some(metrics) => Arc::new(MeteredStore::new(store, Arc::clone(&metrics.store))),
            None => store,
        };
        let revocations = Arc::new(Revocations::new());
        let store: Arc<dyn Store> = Arc::new(WatchedStore::new(store, Arc::clone(&revocations)));
        let master = Arc::new(master);
        let feed = Feed::new(Making::new(&settings, Arc::clone(&master)));
        let context = Arc::new(Self {
            origin: Origin::of(&settings.issuer),
            passwords: PasswordPool::new(threads, world.random()),
            known_secrets: KnownSecrets::new(world.random()),
            known_keys: KnownKeys::new(KNOWN_KEYS),
            throttle: Throttle::default(),
            user_codes: Throttle::default(),
            devices: Budget::new(DEVICES),
            strangers: Budget::new(STRANGERS),
            registrations: AddressBudget::new(REGISTRATIONS),
            relay,
            relayed: AddressBudget::new(RELAYED),
            notes: Mutex::default(),
            key_sets: KeySets::new(fetcher.clone()),
            fetcher,
            master,
            operations,
            tally: Tally::new(Arc::clone(&store), Arc::clone(&world)),
            standings: Standings::new(revocations, &world.random()),
            status_lists: StatusLists::new(),
            feed,
            settings,
            store,
            world,
            pages,
        });
        if let Some(metrics) = &context.operations.metrics {
            metrics.follow(&context);
        }
        let passwords = context.passwords.clone();
        context.operations.gate.watch(move || passwords.present());
        context.start_feed().await?;
        tokio::spawn(Self::follow(Arc::downgrade(&context)));
        tokio::spawn(Self::sweep(Arc::downgrade(&context)));
        Ok(context)
    }

    /// The tenant of this name, at the newest version that is known.
    pub(crate) fn tenancy(&self, name: &TenantName) -> Option<Arc<Tenancy>> {
        self.feed.snapshot().tenant(name).map(Arc::clone)
    }

    /// Now, in whole seconds.
    pub(crate) fn now(&self) -> UnixTime {
        self.world.now()
    }

    /// Drops what has expired, for as long as the server is there.
    async fn sweep(server: Weak<Self>) {
        let mut steps = 0_u32;
        loop {
            tokio::time::sleep(EXPIRE_EVERY).await;
            let Some(context) = server.upgrade() else { return };
            context.tally.finish(context.now());
            context.drop_expired().await;
            steps = steps.wrapping_add(1);
            if steps.is_multiple_of(UNUSED_EVERY) {
                context.drop_unused_clients().await;
            }
        }
    }

    /// Small steps, so that verbs come in between, for as long as there is something to drop.
    async fn drop_expired(&self) {
        let passed = self.now().minus(WRONG_CLOCK);
        let keep_events_from = self.settings.keep_events_from(self.world.millis());
        for _ in 0..EXPIRE_STEPS {
            match self.store.expire(passed, keep_events_from, EXPIRE_ROWS).await {
                Ok(dropped) if dropped >= u64::from(EXPIRE_ROWS) => {}
                Ok(_) => return,
                Err(error) => return tracing::warn!(%error, "expired rows could not be dropped"),
            }
        }
    }
}
