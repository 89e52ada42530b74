//! What every request sees: the settings, the store, and a snapshot of the directory that is read from memory.

use crate::extract::Origin;
use crate::keyring::{self, KeyringError, MasterKey, TenantKeys};
use crate::settings::{Settings, TlsFiles};
use crate::world::World;
use crate::{listen, router};
use arc_swap::ArcSwap;
use grantor_login::{PasswordPool, Throttle};
use grantor_protocol::Refusal;
use grantor_protocol::directory::{Directory, KeyRecord, Tenant};
use grantor_protocol::metadata;
use grantor_protocol::value::{Issuer, TenantName, UnixTime};
use grantor_store::{Change, Store, StoreError};
use grantor_web::Pages;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::TcpListener;

/// A server, ready to accept connections.
#[derive(Clone)]
pub struct Server(pub(crate) Arc<Context>);

/// What every request sees.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) world: Arc<dyn World>,
    pub(crate) pages: Pages,
    pub(crate) passwords: PasswordPool,
    pub(crate) known_secrets: crate::token::KnownSecrets,
    pub(crate) throttle: Throttle,
    pub(crate) demo: crate::endpoint::demo::Notes,
    pub(crate) origin: Origin,
    master: Arc<MasterKey>,
    snapshot: ArcSwap<Snapshot>,
}

/// The directory at one version.
struct Snapshot {
    version: u64,
    tenants: HashMap<TenantName, Arc<Tenancy>>,
    /// When a key next becomes active or ends, so that the snapshot must be made anew.
    stale_at: UnixTime,
}

/// One tenant, ready to serve.
pub(crate) struct Tenancy {
    pub(crate) issuer: Issuer,
    /// What stands before the path of each page: the issuer's path, and `/t/{name}` but for the default tenant.
    pub(crate) base: String,
    pub(crate) directory: Directory,
    records: Vec<KeyRecord>,
    loaded_at: UnixTime,
    master: Arc<MasterKey>,
    ready: OnceLock<Result<Ready, ()>>,
}

/// What is made of a tenant when it is first asked for: an idle tenant costs its records only.
pub(crate) struct Ready {
    pub(crate) keys: TenantKeys,
    pub(crate) metadata: Vec<u8>,
    pub(crate) jwks: Vec<u8>,
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
    /// The templates.
    #[error("the pages cannot be made: {0}")]
    Pages(String),
}

/// How often the directory is looked at for changes that another process made.
const POLL: Duration = Duration::from_millis(200);
/// How often a small step of expired rows is dropped.
const EXPIRE_EVERY: Duration = Duration::from_secs(5);
const EXPIRE_ROWS: u32 = 1000;

impl Server {
    /// Makes the default tenant and all missing keys, and reads the directory.
    pub async fn new(
        store: Arc<dyn Store>,
        master: MasterKey,
        settings: Settings,
        world: Arc<dyn World>,
    ) -> Result<Self, StartError> {
        let pages = match &settings.templates {
            Some(folder) => Pages::with_overrides(folder),
            None => Pages::new(),
        };
        let pages = pages.map_err(|error| StartError::Pages(error.to_string()))?;
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        let context = Context {
            origin: Origin::of(&settings.issuer),
            passwords: PasswordPool::new(threads, world.random()),
            known_secrets: crate::token::KnownSecrets::new(world.random()),
            throttle: Throttle::default(),
            demo: crate::endpoint::demo::Notes::default(),
            master: Arc::new(master),
            snapshot: ArcSwap::from_pointee(Snapshot {
                version: 0,
                tenants: HashMap::new(),
                stale_at: UnixTime::new(0),
            }),
            settings,
            store,
            world,
            pages,
        };
        let server = Self(Arc::new(context));
        server.0.reload().await?;
        Ok(server)
    }

    /// Serves until `shutdown`, then lets the requests in flight end.
    pub async fn run(
        &self,
        listener: TcpListener,
        tls: Option<TlsFiles>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> std::io::Result<()> {
        let background = tokio::spawn(Arc::clone(&self.0).keep_up());
        let served =
            listen::serve(router::service(Arc::clone(&self.0)), listener, tls, &self.0.settings, shutdown).await;
        background.abort();
        served
    }
}

impl Context {
    /// The tenant of this name, at the newest version that is known.
    pub(crate) fn tenancy(&self, name: &TenantName) -> Option<Arc<Tenancy>> {
        self.snapshot.load().tenants.get(name).map(Arc::clone)
    }

    /// Now, in whole seconds.
    pub(crate) fn now(&self) -> UnixTime {
        self.world.now()
    }

    /// Looks for changes of the directory, drops what has expired.
    async fn keep_up(self: Arc<Self>) {
        let mut since_expiry = Duration::ZERO;
        loop {
            tokio::time::sleep(POLL).await;
            since_expiry += POLL;
            let stale = match self.store.directory_version().await {
                Ok(version) => version != self.snapshot.load().version || self.now() >= self.snapshot.load().stale_at,
                Err(error) => {
                    tracing::error!(%error, "the directory's version cannot be read");
                    false
                }
            };
            if stale && let Err(error) = self.reload().await {
                tracing::error!(%error, "the directory cannot be read anew; the last one stays");
            }
            if since_expiry >= EXPIRE_EVERY {
                since_expiry = Duration::ZERO;
                if let Err(error) = self.store.expire(self.now(), EXPIRE_ROWS).await {
                    tracing::warn!(%error, "expired rows could not be dropped");
                }
            }
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
        let mut made = 0;
        for tenant in &records.tenants {
            let keys = keyring::ensure_keys(&*self.store, &self.master, &tenant.name, &*self.world).await?;
            if !keys.is_empty() {
                tracing::info!(tenant = %tenant.name, keys = keys.len(), "made keys");
                made += keys.len();
            }
        }
        if made > 0 {
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
                (name.clone(), Arc::new(Tenancy::new(issuer, directory, own, now, Arc::clone(&self.master))))
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

impl Tenancy {
    fn new(
        issuer: Issuer,
        directory: Directory,
        records: Vec<KeyRecord>,
        loaded_at: UnixTime,
        master: Arc<MasterKey>,
    ) -> Self {
        let base = url::Url::parse(issuer.as_str()).map_or_else(|_| String::new(), |url| url.path().to_owned());
        let base = base.trim_end_matches('/').to_owned();
        Self { issuer, base, directory, records, loaded_at, master, ready: OnceLock::new() }
    }

    /// The name of the tenant.
    pub(crate) fn name(&self) -> &TenantName {
        &self.directory.tenant.name
    }

    /// What the pages call it.
    pub(crate) fn display_name(&self, language: &str) -> &str {
        match self.directory.tenant.display_name.in_language(language) {
            "" => "Grantor",
            name => name,
        }
    }

    /// Keys and documents, made when first asked for.
    pub(crate) fn ready(&self) -> Result<&Ready, Refusal> {
        let made = self.ready.get_or_init(|| {
            self.load()
                .map_err(|error| tracing::error!(tenant = %self.name(), %error, "the tenant's keys cannot be read"))
        });
        made.as_ref().map_err(|()| Refusal::Broken)
    }

    fn load(&self) -> Result<Ready, KeyringError> {
        let keys = TenantKeys::load(&self.master, self.name(), &self.issuer, &self.records, self.loaded_at)?;
        let document = metadata::document(&self.issuer, &self.directory, &keys.algorithms());
        let metadata = serde_json::to_vec(&document).unwrap_or_default();
        let jwks = serde_json::to_vec(&serde_json::json!({ "keys": keys.published() })).unwrap_or_default();
        Ok(Ready { keys, metadata, jwks })
    }
}
