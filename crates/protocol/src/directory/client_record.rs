//! Clients as a server keeps them: a hundred thousand texts, of which the few that are busy are read.

use super::{Named, Tenant};
use crate::client::Client;
use crate::value::{ClientId, TenantName, look_at};
use grantor_jose::{EncryptionAlgorithm, SigningAlgorithm};
use memchr::memmem::Finder;
use quick_cache::Equivalent;
use quick_cache::sync::Cache;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

/// A client by its identifier and its JSON text. Nothing of it is parsed before it is asked for, and a copy shares the
/// text. Where a question is put to the text, a `"` in it ends or begins a name or a value: within strings it is escaped.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientRecord(Arc<str>);

/// The clients that were parsed last, of all tenants of a process: as many as [`ParsedClients::new`] is told, at about
/// 1,300 bytes each; and 4,096 that describe themselves in documents, which are kept with them.
pub struct ParsedClients {
    declared: Cache<Held, Arc<Client>>,
    documents: Cache<(TenantName, ClientId), Arc<FromDocument>>,
}

/// How many clients with documents are kept at the most: strangers choose how large these are, up to 5 KiB.
const DOCUMENTS: usize = 4096;

/// To prepare a search takes as long as to carry it out.
static SPACED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\": "));
static SIGNED_RESPONSE: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("_signed_response_alg\":\""));
static REQUEST_ENCRYPTION: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"request_object_encryption_alg\":\""));
static DISABLED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"disabled\":true"));
static SLOW_HASH: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"phc\":\""));
static REGISTERED: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"origin\":{"));
static SECRET: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("\"hash\":{"));

/// What a parsed client was made of, held so that an address stays its own. Of one record there is one client: that of the
/// tenant as it was when the record was read last.
struct Held {
    record: ClientRecord,
    tenant: Arc<Tenant>,
}

/// The same as a question: is there a client of this very record, and of this very tenant?
#[derive(Clone, Copy)]
struct Asked<'a>(&'a ClientRecord, &'a Arc<Tenant>);

/// A client as its document described it when it was last read.
struct FromDocument {
    /// The document.
    body: Vec<u8>,
    tenant: Arc<Tenant>,
    client: Arc<Client>,
}

impl ClientRecord {
    /// From the JSON text of a [`Client`] as it is stored. What does not fit is found when the client is asked for.
    pub fn new(client_id: &str, json: &str) -> Self {
        // What a database has laid out anew is written as it was.
        let spaced = SPACED.find(json.as_bytes()).is_some();
        let compact = spaced.then(|| serde_json::from_str::<serde_json::Value>(json).ok()).flatten();
        let compact = compact.map(|value| value.to_string());
        Self([client_id, "\n", compact.as_deref().unwrap_or(json)].concat().into())
    }

    /// Of a client that is at hand.
    pub fn of(client: &Client) -> Result<Self, serde_json::Error> {
        Ok(Self::new(client.metadata.client_id.as_str(), &client.stored()?.to_string()))
    }

    /// Reads it; an error says why it cannot be read.
    pub fn parse(&self) -> Result<Client, serde_json::Error> {
        serde_json::from_str(self.json())
    }

    /// What the server signs for it with: ID tokens, userinfo, and other answers.
    pub fn signing_algorithms(&self) -> impl Iterator<Item = SigningAlgorithm> {
        self.values_of(&SIGNED_RESPONSE).filter_map(SigningAlgorithm::parse)
    }

    /// How the keys of its encrypted request objects are wrapped.
    pub fn request_encryption_algorithm(&self) -> Option<EncryptionAlgorithm> {
        self.values_of(&REQUEST_ENCRYPTION).find_map(EncryptionAlgorithm::parse)
    }

    /// Whether it may be switched off: `false` is certain.
    pub(super) fn may_be_disabled(&self) -> bool {
        DISABLED.find(self.json().as_bytes()).is_some()
    }

    /// Whether it may have registered itself: `false` is certain.
    pub fn may_be_registered(&self) -> bool {
        REGISTERED.find(self.json().as_bytes()).is_some()
    }

    /// Whether a secret of it may have a slow hash: `false` is certain.
    pub(super) fn may_have_a_slow_hash(&self) -> bool {
        SLOW_HASH.find(self.json().as_bytes()).is_some()
    }

    /// Whether it may have a secret: `false` is certain.
    pub(super) fn may_have_a_secret(&self) -> bool {
        SECRET.find(self.json().as_bytes()).is_some()
    }

    /// The texts that are values of members whose names end like this.
    fn values_of<'a>(&'a self, end: &'a Finder<'static>) -> impl Iterator<Item = &'a str> {
        let json = self.json();
        end.find_iter(json.as_bytes()).filter_map(move |at| {
            let value = json.get(at + end.needle().len()..)?;
            value.split_once('"').map(|(value, _)| value)
        })
    }

    fn json(&self) -> &str {
        self.0.split_once('\n').map_or("", |(_, json)| json)
    }

    /// Reads where it lies.
    pub(super) fn look_at(&self) -> usize {
        look_at(self.0.as_bytes())
    }

    fn address(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

impl Named for ClientRecord {
    fn name(&self) -> &str {
        self.0.split_once('\n').map_or("", |(id, _)| id)
    }
}

impl std::fmt::Debug for ClientRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientRecord({:?})", self.name())
    }
}

impl ParsedClients {
    /// With room for this many that are declared.
    pub fn new(most: usize) -> Self {
        Self { declared: Cache::new(most), documents: Cache::new(DOCUMENTS) }
    }

    /// The client of a record, held to its tenant's profiles; none when the record cannot be read.
    pub(super) fn get(&self, record: &ClientRecord, tenant: &Arc<Tenant>) -> Option<Arc<Client>> {
        if let Some(known) = self.declared.get(&Asked(record, tenant)) {
            return Some(known);
        }
        let mut client = record.parse().ok()?;
        tenant.hold(&mut client.metadata);
        let client = Arc::new(client);
        let held = Held { record: record.clone(), tenant: Arc::clone(tenant) };
        // What was made of the tenant before is of no use any more.
        self.declared.remove(&held);
        self.declared.insert(held, Arc::clone(&client));
        Some(client)
    }

    /// The client of a document that was read lately, under the tenant's policy as it is now.
    pub(super) fn of_document(&self, id: &ClientId, tenant: &Arc<Tenant>) -> Option<Arc<Client>> {
        let known = self.documents.get(&(tenant.name.clone(), id.clone()))?;
        Arc::ptr_eq(&known.tenant, tenant).then(|| Arc::clone(&known.client))
    }

    /// Whether it was read from this very document, under the tenant's policy as it is now.
    pub(super) fn is_of(&self, id: &ClientId, body: &[u8], tenant: &Arc<Tenant>) -> bool {
        let known = self.documents.get(&(tenant.name.clone(), id.clone()));
        known.is_some_and(|known| Arc::ptr_eq(&known.tenant, tenant) && known.body == body)
    }

    /// Keeps what was read from a document.
    pub(super) fn put_document(&self, body: Vec<u8>, mut client: Client, tenant: &Arc<Tenant>) {
        let name = (tenant.name.clone(), client.metadata.client_id.clone());
        tenant.hold(&mut client.metadata);
        let read = FromDocument { body, tenant: Arc::clone(tenant), client: Arc::new(client) };
        self.documents.insert(name, Arc::new(read));
    }

    /// Forgets a document.
    pub(super) fn forget_document(&self, id: &ClientId, tenant: &Tenant) {
        self.documents.remove(&(tenant.name.clone(), id.clone()));
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.record.0, &other.record.0)
    }
}

impl Eq for Held {}

impl Hash for Held {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(&self.record, &self.tenant).hash(state);
    }
}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.address().hash(state);
    }
}

impl Equivalent<Held> for Asked<'_> {
    fn equivalent(&self, held: &Held) -> bool {
        Arc::ptr_eq(&self.0.0, &held.record.0) && Arc::ptr_eq(self.1, &held.tenant)
    }
}

impl std::fmt::Debug for ParsedClients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParsedClients({}, {})", self.declared.len(), self.documents.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{ClientMetadata, SecretHash, StoredSecret};
    use crate::profile::Profile;
    use crate::value::{ClientId, TenantName, UnixTime};

    fn client() -> Client {
        let metadata = ClientMetadata::new(TenantName::default(), ClientId::parse("a\"b").unwrap());
        Client { metadata, secrets: Vec::new(), issued_at: UnixTime::new(1) }
    }

    fn record(change: impl FnOnce(&mut Client)) -> ClientRecord {
        let mut client = client();
        change(&mut client);
        ClientRecord::of(&client).unwrap()
    }

    #[test]
    fn a_record_is_its_client() {
        let record = record(|_| {});
        assert_eq!(record.name(), "a\"b");
        assert_eq!(record.parse().unwrap(), client());
        assert!(ClientRecord::new("a", "{}").parse().is_err());
    }

    #[test]
    fn its_algorithms_are_found_in_the_text() {
        let found = record(|client| {
            client.metadata.id_token_signed_response_alg = SigningAlgorithm::Ps256;
            client.metadata.userinfo_signed_response_alg = Some(SigningAlgorithm::EdDsa);
            client.metadata.request_object_encryption_alg = Some(EncryptionAlgorithm::RsaOaep256);
            client.metadata.request_object_signing_alg = Some(SigningAlgorithm::Es256);
            client.metadata.client_name = r#""x_signed_response_alg":"ES384""#.into();
        });
        let signed: Vec<_> = found.signing_algorithms().collect();
        assert_eq!(signed, [SigningAlgorithm::Ps256, SigningAlgorithm::EdDsa]);
        assert_eq!(found.request_encryption_algorithm(), Some(EncryptionAlgorithm::RsaOaep256));
        assert_eq!(record(|_| {}).request_encryption_algorithm(), None);
    }

    #[test]
    fn what_is_asked_of_the_text_is_never_wrongly_denied() {
        let plain = record(|client| client.metadata.client_name = r#""disabled":true,"hash":{"phc":"#.into());
        assert!(!plain.may_be_disabled() && !plain.may_have_a_secret() && !plain.may_have_a_slow_hash());
        let secret = |hash| {
            move |client: &mut Client| {
                client.secrets = vec![StoredSecret { hash, created: UnixTime::new(1), expires: None }];
            }
        };
        let quick = record(secret(SecretHash::Sha256("x".into())));
        assert!(quick.may_have_a_secret() && !quick.may_have_a_slow_hash());
        let slow = record(secret(SecretHash::Phc("x".into())));
        assert!(slow.may_have_a_secret() && slow.may_have_a_slow_hash());
        assert!(record(|client| client.metadata.disabled = true).may_be_disabled());
    }

    #[test]
    fn a_text_that_was_laid_out_anew_gives_the_same_answers() {
        let mut disabled = client();
        disabled.metadata.disabled = true;
        let pretty = serde_json::to_string_pretty(&disabled).unwrap();
        let record = ClientRecord::new("a\"b", &pretty);
        assert!(record.may_be_disabled());
        assert_eq!(record.signing_algorithms().collect::<Vec<_>>(), [SigningAlgorithm::Rs256]);
        assert_eq!(record.parse().unwrap(), disabled);
    }

    #[test]
    fn however_many_clients_stay_parsed_documents_have_a_bound_of_their_own() {
        let parsed = ParsedClients::new(DOCUMENTS * 4);
        let tenant = Arc::new(Tenant::new(TenantName::default()));
        for number in 0..DOCUMENTS * 2 {
            let mut client = client();
            client.metadata.client_id = ClientId::parse(&format!("https://{number}.example/client")).unwrap();
            parsed.put_document(b"{}".to_vec(), client, &tenant);
        }
        assert!((1..=DOCUMENTS).contains(&parsed.documents.len()), "{parsed:?}");
    }

    #[test]
    fn a_client_is_parsed_once_and_anew_when_its_record_or_its_tenant_changes() {
        let parsed = ParsedClients::new(10);
        let lax = Arc::new(Tenant::new(TenantName::default()));
        let first = record(|_| {});
        let client = parsed.get(&first, &lax).unwrap();
        assert!(Arc::ptr_eq(&client, &parsed.get(&first.clone(), &lax).unwrap()));
        assert!(!Arc::ptr_eq(&client, &parsed.get(&record(|_| {}), &lax).unwrap()));
        let mut strict = (*lax).clone();
        strict.profiles = vec![Profile::Fapi2];
        assert_eq!(parsed.get(&first, &Arc::new(strict)).unwrap().metadata.profile, Profile::Fapi2);
        assert_eq!(parsed.get(&ClientRecord::new("a", "{}"), &lax), None);
    }
}
