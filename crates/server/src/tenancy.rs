//! One tenant as it is served: its directory, and the keys and documents that are made of it when it is first asked for.

use crate::keyring::{KeyringError, MasterKey, TenantKeys};
use grantor_protocol::Refusal;
use grantor_protocol::client::SecretHash;
use grantor_protocol::directory::{Directory, KeyRecord};
use grantor_protocol::metadata::{self, Facilities};
use grantor_protocol::value::{Issuer, TenantName, UnixTime};
use grantor_web::Language;
use std::sync::{Arc, OnceLock};

/// One tenant, ready to serve.
pub(crate) struct Tenancy {
    pub(crate) issuer: Issuer,
    /// What stands before the path of each page: the issuer's path, and `/t/{name}` but for the default tenant.
    pub(crate) base: String,
    pub(crate) directory: Directory,
    records: Vec<KeyRecord>,
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
    pub(crate) keys: TenantKeys,
    pub(crate) metadata: Vec<u8>,
    pub(crate) jwks: Vec<u8>,
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
        Self { issuer, base, directory, records, loaded_at, certificates, master, ready: OnceLock::new() }
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

    pub(crate) fn load(&self) -> Result<Ready, KeyringError> {
        let keys = TenantKeys::load(&self.master, self.name(), &self.issuer, &self.records, self.loaded_at)?;
        let facilities = Facilities {
            signing: &keys.algorithms(),
            encryption: &keys.encryption_algorithms(),
            languages: &Language::ALL.map(Language::tag),
            mtls: self.certificates.address.as_deref(),
            certificates: self.certificates.known,
        };
        let document = metadata::document(&self.issuer, &self.directory, &facilities);
        let metadata = serde_json::to_vec(&document).unwrap_or_default();
        let jwks = serde_json::to_vec(&serde_json::json!({ "keys": keys.published() })).unwrap_or_default();
        Ok(Ready { keys, metadata, jwks, slow_share: self.slow_share() })
    }

    fn slow_share(&self) -> u32 {
        let slow = |hash: &SecretHash| matches!(hash, SecretHash::Phc(_));
        let with_secret = self.directory.clients().filter(|client| !client.secrets.is_empty());
        let (all, slow) = with_secret.fold((0_u64, 0_u64), |(all, found), client| {
            (all + 1, found + u64::from(client.secrets.iter().any(|stored| slow(&stored.hash))))
        });
        u32::try_from((slow << 32) / all.max(1)).unwrap_or(u32::MAX)
    }
}
