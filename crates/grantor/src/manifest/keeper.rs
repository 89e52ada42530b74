//! What is kept of a client's secret: a hash, or the secret itself under the master key where it must stay readable to
//! check a MAC (OpenID Connect Core 10.1).

use super::secret::hash_chosen;
use super::{Manifest, world::Held};
use crate::config::Configuration;
use crate::failure::Result;
use crate::{fresh, master_key};
use grantor_login::password;
use grantor_protocol::client::{AuthMethod, Client, ClientMetadata, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::directory::DirectoryRecords;
use grantor_protocol::value::Secret;
use grantor_server::MasterKey;

/// Where the master key is, should a secret have to stay readable.
#[derive(Clone, Copy)]
pub(crate) enum Safe<'a> {
    /// Where the configuration says.
    Configured(&'a Configuration),
    /// Here.
    Open(&'a [u8; 32]),
}

/// Keeps and recognises the secrets of one client.
pub(crate) struct Keeper<'a> {
    client: &'a ClientMetadata,
    /// There whenever the client's secrets are, were or become readable.
    master: Option<&'a MasterKey>,
}

impl Safe<'_> {
    /// The master key. It is made where it is missing, unless something rests under it already; a dry run makes one for
    /// itself alone.
    pub(crate) fn open(self, records: &DirectoryRecords, dry_run: bool) -> Result<MasterKey> {
        let configuration = match self {
            Self::Configured(configuration) => configuration,
            Self::Open(bytes) => return Ok(MasterKey::from_bytes(*bytes)),
        };
        let in_use = master_key::is_in_use(records);
        // That of a cluster is made by the first server, which claims the database for it.
        match master_key::load(configuration, in_use || dry_run || configuration.cluster.is_some()) {
            Ok(bytes) => Ok(MasterKey::from_bytes(*bytes)),
            Err(_) if dry_run && !in_use => Ok(MasterKey::from_bytes(fresh::bytes()?)),
            Err(failure) => Err(failure),
        }
    }

    /// The master key, if the manifest has to do with a secret that is readable.
    pub(super) fn open_for(self, manifest: &Manifest, held: &Held, dry_run: bool) -> Result<Option<MasterKey>> {
        let mut declared = manifest.clients.iter().map(|client| &client.record.metadata);
        let concerned = declared.any(|metadata| {
            is_readable(metadata) || held.client(metadata).is_some_and(|held| held.secrets.iter().any(is_sealed))
        });
        if concerned { self.open(&held.records, dry_run).map(Some) } else { Ok(None) }
    }

    /// The same for one client.
    pub(crate) fn open_for_client(self, client: &Client, records: &DirectoryRecords) -> Result<Option<MasterKey>> {
        if is_readable(&client.metadata) { self.open(records, false).map(Some) } else { Ok(None) }
    }
}

impl<'a> Keeper<'a> {
    /// Of this client.
    pub(crate) fn new(client: &'a ClientMetadata, master: Option<&'a MasterKey>) -> Self {
        Self { client, master }
    }

    /// Whether it has secrets at all.
    pub(super) fn is_needed(&self) -> bool {
        self.client.token_endpoint_auth_method.needs_secret()
    }

    /// What is to be stored of a secret.
    pub(crate) fn keep(&self, secret: &Secret) -> Result<SecretHash> {
        if let (true, Some(master)) = (is_readable(self.client), self.master) {
            return Ok(master.seal_secret(&self.client.tenant, &self.client.client_id, fresh::bytes()?, secret));
        }
        // What Grantor itself made has 256 bits of entropy, wherever it was made.
        if ClientSecret::recognises(secret.expose()) {
            Ok(SecretHash::quick(secret))
        } else {
            hash_chosen(secret).map(SecretHash::Phc)
        }
    }

    /// Whether this was kept of the secret.
    pub(super) fn matches(&self, hash: &SecretHash, secret: &Secret) -> bool {
        match hash {
            SecretHash::Sha256(_) => hash.matches_quickly(secret),
            SecretHash::Phc(phc) => password::verify(secret.expose(), phc),
            SecretHash::Sealed(_) => self.open(hash).is_some_and(|opened| opened.matches(secret)),
        }
    }

    /// Whether the secret can be read, if that is what it was kept for.
    pub(super) fn can_read(&self, hash: &SecretHash) -> bool {
        !matches!(hash, SecretHash::Sealed(_)) || self.open(hash).is_some()
    }

    /// A stored secret in the form that the client's method needs: a readable one is hashed when the client does not sign
    /// with it any more. The other way is none: a hash signs nothing.
    pub(super) fn fit(&self, stored: &StoredSecret) -> Result<Option<StoredSecret>> {
        if is_readable(self.client) == is_sealed(stored) {
            return Ok(self.can_read(&stored.hash).then(|| stored.clone()));
        }
        match self.open(&stored.hash) {
            Some(secret) => Ok(Some(StoredSecret { hash: self.keep(&secret)?, ..stored.clone() })),
            None => Ok(None),
        }
    }

    fn open(&self, hash: &SecretHash) -> Option<Secret> {
        self.master?.open_secret(&self.client.tenant, &self.client.client_id, hash)
    }
}

fn is_readable(client: &ClientMetadata) -> bool {
    client.token_endpoint_auth_method == AuthMethod::ClientSecretJwt
}

fn is_sealed(stored: &StoredSecret) -> bool {
    matches!(stored.hash, SecretHash::Sealed(_))
}
