//! What every request sees: the settings, the store, and a snapshot of the directory that is read from memory.

use crate::budget::Budget;
use crate::keyring::{self, KeyringError, MasterKey};
use crate::known_secrets::KnownSecrets;
use crate::settings::{Origin, Settings};
use crate::tenancy::{Certificates, Tenancy};
use crate::world::World;
use arc_swap::ArcSwap;
use grantor_fetch::{Fetcher, KeySets};
use grantor_login::{PasswordPool, Throttle};
use grantor_protocol::directory::{Directory, KeyRecord, Tenant};
use grantor_protocol::value::{EventId, Issuer, Seconds, TenantName, UnixTime};
use grantor_store::{Change, Store, StoreError};
use grantor_web::Pages;
use std::collections::HashMap;
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
    pub(crate) throttle: Throttle,
    /// Refusals of peers who did not say who they are, written down.
    pub(crate) strangers: Budget,
    /// What the demo API keeps.
    pub(crate) notes: Mutex<Vec<String>>,
    pub(crate) origin: Origin,
    /// Keys by reference: those of clients, and those of issuers that speak for clients.
    pub(crate) key_sets: KeySets,
    /// Documents by reference.
    pub(crate) fetcher: Fetcher,
    pub(crate) master: Arc<MasterKey>,
    snapshot: ArcSwap<Snapshot>,
}

/// The directory at one version.
struct Snapshot {
    version: u64,
    tenants: HashMap<TenantName, Arc<Tenancy>>,
    /// When a key next becomes active or ends, so that the snapshot must be made anew.
    stale_at: UnixTime,
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
/// How often the directory is looked at for changes that another process made.
const POLL: Duration = Duration::from_millis(200);
/// How often a small step of expired rows is dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
/// What has expired is kept for so long: were it forgotten at once, a clock that was too fast and is put right would bring
/// a code that was spent, or an assertion that was used, back to life.
const WRONG_CLOCK: Seconds = Seconds::new(2 * 3600);
/// Until the audit log has an end of its own.
const EVERY_EVENT: EventId = EventId::from_bytes([0; 16]);
const EXPIRE_ROWS: u32 = 1000;
const EXPIRE_STEPS: u32 = 100;

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
        let empty = Snapshot { version: 0, tenants: HashMap::new(), stale_at: UnixTime::new(0) };
        let context = Arc::new(Self {
            origin: Origin::of(&settings.issuer),
            passwords: PasswordPool::new(threads, world.random()),
            known_secrets: KnownSecrets::new(world.random()),
            throttle: Throttle::default(),
            strangers: Budget::new(STRANGERS),
            notes: Mutex::default(),
            key_sets: KeySets::new(fetcher.clone()),
            fetcher,
            master: Arc::new(master),
            snapshot: ArcSwap::from_pointee(empty),
            settings,
            store,
            world,
            pages,
        });
        context.reload().await?;
        tokio::spawn(Self::keep_up(Arc::downgrade(&context)));
        Ok(context)
    }

    /// The tenant of this name, at the newest version that is known.
    pub(crate) fn tenancy(&self, name: &TenantName) -> Option<Arc<Tenancy>> {
        self.snapshot.load().tenants.get(name).map(Arc::clone)
    }

    /// The address of an issuer, or of one of its endpoints, at the listener for mutual TLS (RFC 8705 5).
    pub(crate) fn mtls_endpoint(&self, issuer: &Issuer, path: &str) -> Option<String> {
        let base = self.settings.mtls.as_ref()?.public_url.as_deref()?.trim_end_matches('/');
        let below_origin = issuer.endpoint(path).strip_prefix(&issuer.origin())?.to_owned();
        Some(format!("{base}{below_origin}"))
    }

    /// Now, in whole seconds.
    pub(crate) fn now(&self) -> UnixTime {
        self.world.now()
    }

    /// Looks for changes of the directory and drops what has expired, for as long as the server is there.
    async fn keep_up(server: Weak<Self>) {
        let mut since_expiry = Duration::ZERO;
        loop {
            tokio::time::sleep(POLL).await;
            let Some(context) = server.upgrade() else { return };
            context.follow_directory().await;
            since_expiry += POLL;
            if since_expiry >= EXPIRE_EVERY {
                since_expiry = Duration::ZERO;
                context.drop_expired().await;
            }
        }
    }

    /// Small steps, so that verbs come in between, for as long as there is something to drop.
    async fn drop_expired(&self) {
        let passed = self.now().minus(WRONG_CLOCK);
        for _ in 0..EXPIRE_STEPS {
            match self.store.expire(passed, EVERY_EVENT, EXPIRE_ROWS).await {
                Ok(dropped) if dropped >= u64::from(EXPIRE_ROWS) => {}
                Ok(_) => return,
                Err(error) => return tracing::warn!(%error, "expired rows could not be dropped"),
            }
        }
    }

    async fn follow_directory(&self) {
        let stale = match self.store.directory_version().await {
            Ok(version) => version != self.snapshot.load().version || self.now() >= self.snapshot.load().stale_at,
            Err(error) => return tracing::error!(%error, "the directory's version cannot be read"),
        };
        if stale && let Err(error) = self.reload().await {
            tracing::error!(%error, "the directory cannot be read anew; the last one stays");
        }
    }

    /// Reads the directory, makes the keys that are missing, and serves it from now on.
    async fn reload(&self) -> Result<(), StartError> {
        let mut records = self.store.directory().await?;
        if !records.tenants.iter().any(|tenant| tenant.name.is_default()) {
            let default = Change::PutTenant(Tenant::new(TenantName::default()));
            self.store.change_directory(vec![default], Some(records.version)).await?;
            records = self.store.directory().await?;
        }
        let made = keyring::ensure_all_keys(&*self.store, &self.master, &records, &*self.world).await?;
        if !made.is_empty() {
            tracing::info!(keys = made.len(), "made keys");
            records = self.store.directory().await?;
        }
        let now = self.now();
        let mut keys: HashMap<TenantName, Vec<KeyRecord>> = HashMap::new();
        for record in &records.keys {
            keys.entry(record.tenant.clone()).or_default().push(record.clone());
        }
        let tenants = Directory::by_tenant(&records)
            .into_iter()
            .map(|(name, directory)| {
                let issuer = self.settings.issuer.of_tenant(&name);
                let own = keys.remove(&name).unwrap_or_default();
                // A wrong master key is found now and not by the first user.
                let certificates = Certificates {
                    address: self.mtls_endpoint(&issuer, ""),
                    known: self.settings.mtls.is_some() || self.settings.client_cert_header,
                };
                let master = Arc::clone(&self.master);
                (name.clone(), Arc::new(Tenancy::new(issuer, directory, own, now, certificates, master)))
            })
            .collect::<HashMap<_, _>>();
        if let Some(default) = tenants.get(TenantName::DEFAULT) {
            default.load()?;
        }
        let moments = records.keys.iter().flat_map(|key| [Some(key.active), key.expires]).flatten();
        let stale_at = moments.filter(|moment| *moment > now).min().unwrap_or(UnixTime::FOREVER);
        self.snapshot.store(Arc::new(Snapshot { version: records.version, tenants, stale_at }));
        Ok(())
    }
}
