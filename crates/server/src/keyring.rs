//! The keys of each tenant: made, sealed at rest under the master key, rotated, loaded.

use crate::world::World;
use grantor_jose::jwe::{DecryptionKey, Opened, Unopened};
use grantor_jose::mac::MacKey;
use grantor_jose::seal::SealKey;
use grantor_jose::{EncryptionAlgorithm, Jwk, SigningAlgorithm, SigningKey, base64url};
use grantor_protocol::audit::{Action, Event, Outcome};
use grantor_protocol::client::SecretHash;
use grantor_protocol::directory::{Api, ClientRecord, KeyKind, KeyRecord};
use grantor_protocol::token::handle::{HandleKey, HandleKeys};
use grantor_protocol::value::{ClientId, EventId, Issuer, Seconds, Secret, TenantName, UnixTime, WorkspaceId};
use grantor_protocol::workspace::Item;
use grantor_store::{Change, Store, StoreError};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The key under which every private key rests. It never touches the database.
pub struct MasterKey(SealKey);

/// A tenant's keys, ready for use.
pub struct TenantKeys {
    signing: HashMap<SigningAlgorithm, Arc<SigningKey>>,
    /// What opens what is encrypted to this tenant.
    decryption: Vec<DecryptionKey>,
    /// Everything that is published, oldest first.
    published: Vec<Jwk>,
    /// Seals and opens handles.
    pub handles: HandleKeys,
    /// Makes pairwise subjects.
    pub pairwise: MacKey,
}

/// Why keys could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The master key is not the one that the keys were sealed under.
    #[error("key {kid} of tenant {tenant} cannot be opened: is this the right master key?")]
    WrongMasterKey {
        /// Whose key.
        tenant: TenantName,
        /// Which key.
        kid: String,
    },
    /// A key could not be made or read.
    #[error("a key could not be made or read: {0}")]
    Key(#[from] grantor_jose::KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program ends while a key is made.
    #[error("a key was not made to its end")]
    BrokenOff,
    /// A tenant has no key of a kind that it cannot do without.
    #[error("tenant {0} misses a key")]
    Missing(TenantName),
}

/// The algorithms that every tenant has keys for from the start: ES256 for access tokens, RS256 because OpenID Connect
/// wants it for ID tokens (Core 15.1).
const AT_FIRST: [SigningAlgorithm; 2] = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256];

/// What the one key for key agreement opens; published without `alg`, because it is good for each.
const AGREEMENT: [EncryptionAlgorithm; 3] =
    [EncryptionAlgorithm::EcdhEs, EncryptionAlgorithm::EcdhEsA128Kw, EncryptionAlgorithm::EcdhEsA256Kw];
/// What the one RSA key opens.
const TRANSPORT: [EncryptionAlgorithm; 2] = [EncryptionAlgorithm::RsaOaep256, EncryptionAlgorithm::RsaOaep];

/// For how long verifiers may cache the JWKS; a new key is published for that long before it is used.
pub const JWKS_MAX_AGE: Seconds = Seconds::new(300);

/// For how long a retired signing key stays published: longer than any token signed with it lives.
const SIGNING_AFTERLIFE: Seconds = Seconds::new(86_400 + 300);
/// For how long a retired handle key still opens: longer than any refresh token lives idle.
const HANDLE_AFTERLIFE: Seconds = Seconds::new(400 * 86_400);

impl MasterKey {
    /// From its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(SealKey::new(&Zeroizing::new(bytes)))
    }

    /// Seals the secret of a client that signs its assertions with it (OpenID Connect Core 10.1).
    pub fn seal_secret(&self, tenant: &TenantName, client: &ClientId, salt: [u8; 16], secret: &Secret) -> SecretHash {
        let sealed = self.0.seal(Self::secret_context(tenant, client).as_bytes(), salt, secret.expose().as_bytes());
        SecretHash::Sealed(base64url::encode(sealed))
    }

    /// Opens what [`Self::seal_secret`] sealed for this client.
    pub fn open_secret(&self, tenant: &TenantName, client: &ClientId, hash: &SecretHash) -> Option<Secret> {
        let SecretHash::Sealed(sealed) = hash else { return None };
        let context = Self::secret_context(tenant, client);
        let opened = self.0.open(context.as_bytes(), &base64url::decode(sealed)?)?;
        String::from_utf8(opened).ok().map(Secret::new)
    }

    fn secret_context(tenant: &TenantName, client: &ClientId) -> String {
        format!("grantor client secret {tenant} {client}")
    }

    /// Seals what lies on the token desk: whose it is, where it lies and which version it is cannot be changed without the
    /// key either.
    pub fn seal_item(
        &self,
        tenant: &TenantName,
        workspace: WorkspaceId,
        item: &Item,
        salt: [u8; 16],
        document: &[u8],
    ) -> Vec<u8> {
        self.0.seal(Self::item_context(tenant, workspace, item).as_bytes(), salt, document)
    }

    /// Opens what [`Self::seal_item`] sealed.
    pub(crate) fn open_item(
        &self,
        tenant: &TenantName,
        workspace: WorkspaceId,
        item: &Item,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let context = Self::item_context(tenant, workspace, item);
        self.0.open(context.as_bytes(), &item.sealed).map(Zeroizing::new)
    }

    fn item_context(tenant: &TenantName, workspace: WorkspaceId, item: &Item) -> String {
        let Item { id, owner, version, sealed: _ } = item;
        format!("grantor desk item {tenant} {workspace} {id} {version} {owner}")
    }

    fn seal(&self, tenant: &TenantName, kid: &str, salt: [u8; 16], private: &[u8]) -> Vec<u8> {
        self.0.seal(Self::context(tenant, kid).as_bytes(), salt, private)
    }

    fn open(&self, record: &KeyRecord) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let opened = self.0.open(Self::context(&record.tenant, &record.kid).as_bytes(), &record.sealed);
        opened
            .map(Zeroizing::new)
            .ok_or_else(|| KeyringError::WrongMasterKey { tenant: record.tenant.clone(), kid: record.kid.clone() })
    }

    fn context(tenant: &TenantName, kid: &str) -> String {
        format!("grantor key {tenant} {kid}")
    }
}

impl TenantKeys {
    /// Opens a tenant's keys, as they stand at `now`.
    pub fn load(
        master: &MasterKey,
        tenant: &TenantName,
        issuer: &Issuer,
        records: &[KeyRecord],
        now: UnixTime,
    ) -> Result<Self, KeyringError> {
        let mut own: Vec<&KeyRecord> =
            records.iter().filter(|key| &key.tenant == tenant && key.expires.is_none_or(|end| now < end)).collect();
        // What is in use before what was retired, the youngest first.
        own.sort_by_key(|key| std::cmp::Reverse((key.active <= now, key.expires.is_none(), key.active)));
        let mut signing = HashMap::new();
        let mut decryption = Vec::new();
        let mut published = Vec::new();
        let mut handles = Vec::new();
        let mut pairwise = None;
        for record in own {
            let private = master.open(record)?;
            match record.kind {
                KeyKind::Sig(algorithm) => {
                    let key = Arc::new(SigningKey::from_pkcs8(algorithm, &private)?);
                    published.push(key.public_jwk());
                    if record.active <= now {
                        signing.entry(algorithm).or_insert(key);
                    }
                }
                KeyKind::Enc(algorithm) => {
                    let family: &[_] = if AGREEMENT.contains(&algorithm) { &AGREEMENT } else { &TRANSPORT };
                    for algorithm in family {
                        decryption.push(DecryptionKey::from_pkcs8(*algorithm, &private)?);
                    }
                    let jwk = decryption.last().and_then(DecryptionKey::public_jwk);
                    published.extend(jwk.map(Jwk::without_algorithm));
                }
                KeyKind::Handle => handles.push(HandleKey::new(&*secret(&private, record)?)),
                KeyKind::Pairwise => pairwise = Some(MacKey::new(&*secret(&private, record)?)),
            }
        }
        let pairwise = pairwise.filter(|_| !handles.is_empty()).ok_or_else(|| KeyringError::Missing(tenant.clone()))?;
        Ok(Self { signing, decryption, published, handles: HandleKeys::new(issuer, handles), pairwise })
    }

    /// The key that signs with an algorithm now.
    pub fn signing(&self, algorithm: SigningAlgorithm) -> Option<&Arc<SigningKey>> {
        self.signing.get(&algorithm)
    }

    /// The algorithms that can be signed with, in the order of the one list.
    pub fn algorithms(&self) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::ALL.iter().copied().filter(|algorithm| self.signing.contains_key(algorithm)).collect()
    }

    /// The algorithms in which something can be encrypted to this tenant.
    pub fn encryption_algorithms(&self) -> Vec<EncryptionAlgorithm> {
        let mut all: Vec<_> = self.decryption.iter().map(DecryptionKey::algorithm).collect();
        all.sort_by_key(|algorithm| algorithm.as_str());
        all.dedup();
        all
    }

    /// Opens what was encrypted to this tenant.
    pub fn decrypt(&self, token: &str) -> Option<Vec<u8>> {
        let unopened = Unopened::parse(token).ok()?;
        self.decryption.iter().find_map(|key| unopened.open(key).ok()).map(Opened::into_plaintext)
    }

    /// Every key that is published: those in use, those to come, and those that still verify.
    pub fn published(&self) -> &[Jwk] {
        &self.published
    }
}

/// A key that a tenant needs and has not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Want {
    pub(crate) tenant: TenantName,
    pub(crate) kind: KeyKind,
}

/// How many keys are made before they are written down.
const AT_ONCE: usize = 64;
/// How often it is looked anew what others made meanwhile.
const LOOKS: usize = 20;

/// What every tenant needs.
pub(crate) fn wanted_at_first() -> impl Iterator<Item = KeyKind> {
    let others = [KeyKind::Enc(EncryptionAlgorithm::EcdhEs), KeyKind::Handle, KeyKind::Pairwise];
    AT_FIRST.into_iter().map(KeyKind::Sig).chain(others)
}

/// What an API needs.
pub(crate) fn wanted_by_api(api: &Api) -> KeyKind {
    KeyKind::Sig(api.token.algorithm)
}

/// What a client needs.
pub(crate) fn wanted_by_client(client: &ClientRecord) -> impl Iterator<Item = KeyKind> {
    let transport = client.request_encryption_algorithm().filter(|algorithm| TRANSPORT.contains(algorithm));
    let encrypted = transport.map(|_| KeyKind::Enc(EncryptionAlgorithm::RsaOaep256));
    client.signing_algorithms().map(KeyKind::Sig).chain(encrypted)
}

/// What is wanted and not there. A key for an algorithm that a tenant never used before is used at once: no verifier
/// knows any other.
pub(crate) fn missing(tenant: &TenantName, wanted: impl Iterator<Item = KeyKind>, own: &[KeyRecord]) -> Vec<Want> {
    let mut there: HashSet<KeyKind> = own.iter().filter(|key| key.expires.is_none()).map(|key| key.kind).collect();
    wanted.filter(|kind| there.insert(*kind)).map(|kind| Want { tenant: tenant.clone(), kind }).collect()
}

/// Makes these keys, which nobody had at `version` of the directory: two of each signing algorithm (one in use, one to
/// come). Gives those that were made. What another node makes at the same time is left to it.
pub(crate) async fn make_wanted(
    store: &dyn Store,
    master: &MasterKey,
    mut wants: Vec<Want>,
    mut version: u64,
    world: &dyn World,
) -> Result<Vec<KeyRecord>, KeyringError> {
    let mut all = Vec::new();
    while !wants.is_empty() {
        let some = wants.split_off(wants.len().saturating_sub(AT_ONCE));
        let now = world.now();
        let mut made = Vec::new();
        for Want { tenant, kind } in &some {
            made.push(make(master, tenant, *kind, now, world).await?);
            if matches!(kind, KeyKind::Sig(_)) {
                made.push(KeyRecord { active: UnixTime::FOREVER, ..make(master, tenant, *kind, now, world).await? });
            }
        }
        version = put(store, &mut made, version).await?;
        store.record(made.iter().map(|key| event(key, world)).collect()).await?;
        all.extend(made);
    }
    Ok(all)
}

/// Writes keys down if nobody else has made the like since `version`; gives the version that this leads to.
async fn put(store: &dyn Store, made: &mut Vec<KeyRecord>, mut version: u64) -> Result<u64, KeyringError> {
    for _ in 0..LOOKS {
        if made.is_empty() {
            return Ok(version);
        }
        let puts = made.iter().cloned().map(Change::PutKey).collect();
        let (expected, found) = match store.change_directory(puts, Some(version)).await {
            Ok(version) => return Ok(version),
            Err(StoreError::Conflict { expected, found }) => (expected, found),
            Err(error) => return Err(error.into()),
        };
        let lost = StoreError::Conflict { expected, found };
        let (now, changes) = store.directory_since(version).await?.ok_or(lost)?;
        made.retain(|key| {
            !changes.iter().any(|change| match change {
                Change::PutKey(other) => other.tenant == key.tenant && other.kind == key.kind,
                Change::DeleteTenant(tenant) => *tenant == key.tenant,
                _ => false,
            })
        });
        version = now;
    }
    Err(StoreError::Busy("the directory changes too often for keys to be made".to_owned()).into())
}

/// The audit line of a key that the server made by itself.
fn event(key: &KeyRecord, world: &dyn World) -> Event {
    Event {
        id: EventId::new(world.millis(), world.random()),
        time: world.now(),
        tenant: key.tenant.clone(),
        action: Action::Key,
        outcome: Outcome::Allowed,
        actor: Some("server".to_owned()),
        target: Some(key.kid.clone()),
        address: None,
        request_id: None,
        details: [("what".to_owned(), "made".into())].into_iter().collect(),
    }
}

/// Rotates keys: the key to come becomes the one in use as soon as verifiers have had time to see it, another is made to
/// come after it, and the one in use is kept until nothing made with it can still live. `at_once` does not wait: for a
/// key that was stolen; it is then dropped too, and what it signed is worth nothing any more.
pub async fn rotate(
    store: &dyn Store,
    master: &MasterKey,
    tenant: &TenantName,
    only: Option<KeyKind>,
    at_once: bool,
    world: &dyn World,
) -> Result<Vec<KeyRecord>, KeyringError> {
    let records = store.directory().await?;
    let now = world.now();
    let mut changed = Vec::new();
    let mut kinds: Vec<KeyKind> = Vec::new();
    for key in records.keys.iter().filter(|key| &key.tenant == tenant && key.kind != KeyKind::Pairwise) {
        if only.is_none_or(|only| only == key.kind) && !kinds.contains(&key.kind) {
            kinds.push(key.kind);
        }
    }
    for kind in kinds {
        let mut alive: Vec<&KeyRecord> = records
            .keys
            .iter()
            .filter(|key| &key.tenant == tenant && key.kind == kind && key.expires.is_none())
            .collect();
        alive.sort_by_key(|key| key.active);
        let afterlife = if kind == KeyKind::Handle { HANDLE_AFTERLIFE } else { SIGNING_AFTERLIFE };
        let to_come = alive.iter().find(|key| key.active == UnixTime::FOREVER);
        let successor = match to_come {
            Some(key) => (*key).clone(),
            None => make(master, tenant, kind, now, world).await?,
        };
        let seen = successor.published.plus(JWKS_MAX_AGE);
        let signs = matches!(kind, KeyKind::Sig(_));
        let active = if at_once || !signs { now } else { now.max(seen) };
        for key in alive.iter().filter(|key| key.active != UnixTime::FOREVER) {
            let expires = if at_once { now } else { active.plus(afterlife) };
            changed.push(KeyRecord { expires: Some(expires), ..(*key).clone() });
        }
        if at_once {
            // The stolen one may be among those that were retired before.
            let retired = records.keys.iter().filter(|key| &key.tenant == tenant && key.kind == kind);
            let retired = retired.filter(|key| key.expires.is_some_and(|end| now < end));
            changed.extend(retired.map(|key| KeyRecord { expires: Some(now), ..key.clone() }));
        }
        changed.push(KeyRecord { active, ..successor });
        if matches!(kind, KeyKind::Sig(_)) {
            changed.push(KeyRecord { active: UnixTime::FOREVER, ..make(master, tenant, kind, now, world).await? });
        }
    }
    // What has outlived its afterlife goes.
    let dead = records.keys.iter().filter(|key| &key.tenant == tenant && key.expires.is_some_and(|end| end <= now));
    let drops: Vec<Change> = dead.map(|key| Change::DeleteKey(tenant.clone(), key.kid.clone())).collect();
    let changes = drops.into_iter().chain(changed.iter().cloned().map(Change::PutKey)).collect();
    store.change_directory(changes, Some(records.version)).await?;
    Ok(changed)
}

/// What takes a while is done where nobody waits for the thread: an RSA key takes a tenth of a second and more.
async fn make(
    master: &MasterKey,
    tenant: &TenantName,
    kind: KeyKind,
    now: UnixTime,
    world: &dyn World,
) -> Result<KeyRecord, KeyringError> {
    let (kid, private) = match kind {
        KeyKind::Handle | KeyKind::Pairwise => {
            (base64url::encode(world.random::<16>()), Zeroizing::new(world.random::<32>().to_vec()))
        }
        KeyKind::Sig(_) | KeyKind::Enc(_) => {
            tokio::task::spawn_blocking(move || generate(kind)).await.map_err(|_| KeyringError::BrokenOff)??
        }
    };
    let sealed = master.seal(tenant, &kid, world.random(), &private);
    Ok(KeyRecord { tenant: tenant.clone(), kid, kind, sealed, published: now, active: now, expires: None })
}

fn generate(kind: KeyKind) -> Result<(String, Zeroizing<Vec<u8>>), KeyringError> {
    match kind {
        KeyKind::Sig(algorithm) => {
            let key = SigningKey::generate(algorithm)?;
            Ok((key.key_id().to_owned(), Zeroizing::new(key.to_pkcs8().to_vec())))
        }
        KeyKind::Enc(algorithm) => {
            let key = DecryptionKey::generate(algorithm)?;
            let private = key.to_pkcs8().map(<[u8]>::to_vec).unwrap_or_default();
            Ok((key.key_id().unwrap_or_default().to_owned(), Zeroizing::new(private)))
        }
        KeyKind::Handle | KeyKind::Pairwise => Err(KeyringError::BrokenOff),
    }
}

fn secret(private: &[u8], record: &KeyRecord) -> Result<Zeroizing<[u8; 32]>, KeyringError> {
    private.try_into().map(Zeroizing::new).map_err(|_| KeyringError::Missing(record.tenant.clone()))
}
