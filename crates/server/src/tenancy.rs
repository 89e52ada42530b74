//! One tenant as it is served: its directory, and the keys and documents that are made of it when it is first asked for.

use crate::keyring::{KeyringError, MasterKey, TenantKeys};
use axum::body::Bytes;
use grantor_protocol::Refusal;
use grantor_protocol::directory::{Directory, KeyKind, KeyRecord, Named};
use grantor_protocol::metadata::{self, Facilities};
use grantor_protocol::value::{Issuer, TenantName, UnixTime, look_at};
use grantor_web::Language;
use std::sync::{Arc, OnceLock};

/// One tenant, ready to serve.
pub(crate) struct Tenancy {
    pub(crate) issuer: Issuer,
    /// What stands before the path of each page: the issuer's path, and `/t/{name}` but for the default tenant.
    pub(crate) base: String,
    pub(crate) directory: Directory,
    /// That of `directory.tenant`: who finds a tenant by its name has looked at this already, and not yet at that.
    name: TenantName,
    records: Arc<[KeyRecord]>,
    /// Whether it has the keys that nothing works without.
    has_keys: bool,
    loaded_at: UnixTime,
    certificates: Certificates,
    master: Arc<MasterKey>,
    ready: OnceLock<Result<Ready, ()>>,
}

/// Where, and whether at all, clients show certificates.
#[derive(Clone, Debug)]
pub(crate) struct Certificates {
    /// The issuer's address at the listener for mutual TLS.
    pub(crate) address: Option<String>,
    /// Whether they are known at all, there or behind a proxy.
    pub(crate) known: bool,
}

/// What is made of a tenant when it is first asked for: an idle tenant costs its records only.
pub(crate) struct Ready {
    pub(crate) keys: Arc<TenantKeys>,
    pub(crate) metadata: Bytes,
    pub(crate) jwks: Bytes,
    /// How many of the clients with a secret have one with a slow hash, of 2^32.
    pub(crate) slow_share: u32,
}

impl Tenancy {
    pub(crate) fn new(
        issuer: Issuer,
        directory: Directory,
        records: Vec<KeyRecord>,
        loaded_at: UnixTime,
        certificates: Certificates,
        master: Arc<MasterKey>,
    ) -> Self {
        let base = url::Url::parse(issuer.as_str()).map_or_else(|_| String::new(), |url| url.path().to_owned());
        let base = base.trim_end_matches('/').to_owned();
        let has = |kind| records.iter().any(|key| key.kind == kind);
        let has_keys = has(KeyKind::Handle) && has(KeyKind::Pairwise);
        let (name, records, ready) = (directory.tenant.name.clone(), records.into(), OnceLock::new());
        Self { issuer, base, directory, name, records, has_keys, loaded_at, certificates, master, ready }
    }

    /// The same tenant after a change that concerns no key: what was opened stays open.
    pub(crate) fn with_directory(&self, directory: Directory) -> Self {
        let (issuer, base) = (self.issuer.clone(), self.base.clone());
        let (certificates, master) = (self.certificates.clone(), Arc::clone(&self.master));
        let (records, has_keys, loaded_at) = (Arc::clone(&self.records), self.has_keys, self.loaded_at);
        let (name, ready) = (self.name.clone(), OnceLock::new());
        let changed = Self { issuer, base, directory, name, records, has_keys, loaded_at, certificates, master, ready };
        if let Some(Ok(known)) = self.ready.get() {
            let _ = changed.ready.set(Ok(changed.describe(Arc::clone(&known.keys))));
        }
        changed
    }

    /// The same tenant at a later moment, at which other keys are in use.
    pub(crate) fn at(&self, now: UnixTime) -> Self {
        let master = Arc::clone(&self.master);
        let (directory, records) = (self.directory.clone(), self.records.to_vec());
        Self::new(self.issuer.clone(), directory, records, now, self.certificates.clone(), master)
    }

    /// Its keys, as they are stored.
    pub(crate) fn key_records(&self) -> &[KeyRecord] {
        &self.records
    }

    /// Whether it has the keys that nothing works without.
    pub(crate) fn has_keys(&self) -> bool {
        self.has_keys
    }

    /// When a key next becomes active or ends.
    pub(crate) fn stale_at(&self) -> UnixTime {
        let moments = self.records.iter().flat_map(|key| [Some(key.active), key.expires]).flatten();
        moments.filter(|moment| *moment > self.loaded_at).min().unwrap_or(UnixTime::FOREVER)
    }

    /// The name of the tenant.
    pub(crate) fn name(&self) -> &TenantName {
        &self.name
    }

    /// The address of an endpoint at the listener for mutual TLS (RFC 8705 5).
    pub(crate) fn mtls_endpoint(&self, path: &str) -> Option<String> {
        self.certificates.address.as_ref().map(|address| format!("{address}{path}"))
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

    /// What a request for a token needs of a tenant lies in a dozen places, and where there are thousands of tenants each of
    /// them is a wait for memory. They are read here without one waiting for the other, so that a request waits once.
    pub(crate) fn look_around(&self) {
        std::hint::black_box(self.directory.look_around() ^ look_at(self.issuer.as_str().as_bytes()));
        // What takes a lock waits for all that was begun before it.
        if let Some(Ok(ready)) = self.ready.get() {
            std::hint::black_box(ready.keys.handles.look_around());
        }
    }

    /// Makes them now, so that a wrong master key is found at the start and not by the first user.
    pub(crate) fn open(&self) -> Result<(), KeyringError> {
        let made = self.load()?;
        let _ = self.ready.set(Ok(made));
        Ok(())
    }

    fn load(&self) -> Result<Ready, KeyringError> {
        let keys = TenantKeys::load(&self.master, self.name(), &self.issuer, &self.records, self.loaded_at)?;
        Ok(self.describe(Arc::new(keys)))
    }

    fn describe(&self, keys: Arc<TenantKeys>) -> Ready {
        let facilities = Facilities {
            signing: &keys.algorithms(),
            encryption: &keys.encryption_algorithms(),
            languages: &Language::ALL.map(Language::tag),
            mtls: self.certificates.address.as_deref(),
            certificates: self.certificates.known,
        };
        let document = metadata::document(&self.issuer, &self.directory, &facilities);
        let metadata = serde_json::to_vec(&document).unwrap_or_default().into();
        let jwks = serde_json::to_vec(&serde_json::json!({ "keys": keys.published() })).unwrap_or_default().into();
        Ready { keys, metadata, jwks, slow_share: self.directory.slow_share() }
    }
}

impl Named for Tenancy {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}
