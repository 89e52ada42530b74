//! Clients that nobody declared, in the directory: those that registered themselves, and those whose documents were read.

use super::Directory;
use crate::client::Client;
use crate::registration::{RegistrationError, document};
use crate::value::{ClientId, UnixTime};

impl Directory {
    /// Whether a client is not declared, and may describe itself in a document at its identifier.
    pub fn may_have_document(&self, id: &ClientId) -> bool {
        // Nothing more is asked of nearly every name.
        id.as_str().starts_with("https://")
            && self.clients.get(id.as_str()).is_none()
            && self.tenant.registration.tier_of_document(id).is_some()
    }

    /// Reads a document again, unless it is the one that was read last; then the client is there.
    pub fn read_document(&self, id: &ClientId, body: &[u8], now: UnixTime) -> Result<(), RegistrationError> {
        if self.parsed.is_of(id, body, &self.tenant) {
            return Ok(());
        }
        match document::read(id, body, &self.tenant) {
            Ok(metadata) => {
                let client = Client { metadata, secrets: Vec::new(), issued_at: now };
                self.parsed.put_document(body.to_vec(), client, &self.tenant);
                Ok(())
            }
            Err(error) => {
                self.forget_document(id);
                Err(error)
            }
        }
    }

    /// Forgets a document that is not what it was.
    pub fn forget_document(&self, id: &ClientId) {
        self.parsed.forget_document(id, &self.tenant);
    }

    /// How many clients registered themselves.
    pub fn registered(&self) -> usize {
        self.registered
    }

    /// The clients that registered themselves, as they are stored, in no order.
    pub fn registered_clients(&self) -> impl Iterator<Item = Client> {
        let records = self.clients.iter().filter(|record| record.may_be_registered());
        records.filter_map(|record| record.parse().ok()).filter(|client| !client.metadata.origin.is_declared())
    }

    /// The record of a client as it is stored, not held to anything: to be changed and put back.
    pub fn stored_client(&self, id: &ClientId) -> Option<Client> {
        self.clients.get(id.as_str())?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::ClientMetadata;
    use crate::directory::{ClientRecord, ParsedClients, Tenant};
    use crate::value::TenantName;
    use serde_json::json;
    use std::sync::Arc;

    fn directory() -> Directory {
        Directory::new(Tenant::new(TenantName::default()), Arc::new(ParsedClients::new(10)))
    }

    fn id(id: &str) -> ClientId {
        ClientId::parse(id).unwrap()
    }

    fn declared(id: &str, disabled: bool) -> ClientRecord {
        let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse(id).unwrap());
        metadata.disabled = disabled;
        ClientRecord::of(&Client { metadata, secrets: Vec::new(), issued_at: UnixTime::new(0) }).unwrap()
    }

    #[test]
    fn a_client_whose_name_is_a_url_is_what_its_document_says_under_the_policy_of_now() {
        let mut directory = directory();
        let url = id("https://app.example/client");
        let body =
            |name: &str| json!({"client_id": url, "client_name": name, "redirect_uris": ["http://localhost/cb"]});
        let read = |directory: &Directory, name: &str| {
            directory.read_document(&url, body(name).to_string().as_bytes(), UnixTime::new(1))
        };
        assert!(!directory.has_enabled_client(&url) && read(&directory, "off").is_err());
        let mut tenant = (*directory.tenant).clone();
        let policy = json!({"metadata_documents": true, "tiers": [{"name": "t", "hosts": ["app.example"]}]});
        tenant.registration = serde_json::from_value(policy).unwrap();
        directory.put_tenant(tenant.clone());
        assert!(directory.client(&url).is_none() && directory.has_enabled_client(&url));
        read(&directory, "one").unwrap();
        let first = directory.client(&url).unwrap();
        read(&directory, "one").unwrap();
        assert!(Arc::ptr_eq(&first, &directory.client(&url).unwrap()), "the same document is not read twice");
        read(&directory, "two").unwrap();
        assert_eq!(directory.client(&url).unwrap().metadata.client_name.in_language("en"), "two");
        assert!(directory.read_document(&url, b"{}", UnixTime::new(1)).is_err());
        assert!(directory.client(&url).is_none(), "a document that went wrong takes its client away");
        read(&directory, "two").unwrap();
        directory.put_client(declared(url.as_str(), true));
        assert!(directory.client(&url).unwrap().metadata.disabled, "who is declared is not looked up");
        assert!(!directory.has_enabled_client(&url));
        directory.delete_client(&url);
        tenant.registration.metadata_documents = false;
        directory.put_tenant(tenant);
        assert!(directory.client(&url).is_none() && !directory.has_enabled_client(&url));
    }

    #[test]
    fn a_client_that_registered_itself_is_counted_and_falls_with_its_tier() {
        let mut directory = directory();
        let origin = json!({"registered": {"token_hash": "x", "used": 1}});
        let record = json!({"metadata": {"client_id": "r", "origin": origin, "redirect_uris": ["https://a.example/"]},
                            "issued_at": 1});
        let record = ClientRecord::of(&serde_json::from_value(record).unwrap()).unwrap();
        directory.put_client(record.clone());
        directory.put_client(record);
        directory.put_client(declared("declared", false));
        assert_eq!((directory.registered(), directory.registered_clients().count()), (1, 1));
        assert!(!directory.has_enabled_client(&id("r")), "no tier fits it");
        let mut tenant = (*directory.tenant).clone();
        tenant.registration = serde_json::from_value(json!({"tiers": [{"name": "t", "hosts": ["*"]}]})).unwrap();
        directory.put_tenant(tenant);
        assert!(directory.has_enabled_client(&id("r")));
        directory.delete_client(&id("r"));
        assert_eq!(directory.registered(), 0);
    }
}
