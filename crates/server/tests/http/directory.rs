//! What the tests find declared: APIs, clients, users, tenants.

use crate::harness::{CALLBACK, PASSWORD, secret};
use grantor_protocol::client::{Client, ClientMetadata, SecretHash, StoredSecret};
use grantor_protocol::directory::{Api, Tenant, User};
use grantor_protocol::value::{Secret, TenantName, UnixTime};
use grantor_store::Change;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub fn client_record(metadata: Value) -> Client {
    let metadata: ClientMetadata = serde_json::from_value(metadata).unwrap();
    let raw = secret(metadata.client_id.as_str());
    let hash = SecretHash::quick(&Secret::new(raw));
    let created = UnixTime::new(0);
    Client { metadata, secrets: vec![StoredSecret { hash, created, expires: None }], issued_at: created }
}

pub fn user_record(tenant: &str, username: &str) -> User {
    static HASH: LazyLock<String> = LazyLock::new(|| grantor_login::password::hash(PASSWORD, [1; 16]));
    serde_json::from_value(json!({
        "tenant": tenant, "sub": format!("sub-of-{username}"), "username": username, "password_hash": *HASH,
        "claims": {"name": "Alice Liddell", "email": "alice@example.com", "email_verified": true, "phone_number": "+1"},
    }))
    .unwrap()
}

/// Two APIs (notes: JWT, mail: opaque), the clients web, public, machine, api and other, the users alice and bob; the
/// tenant acme with a client web and a user alice of its own.
pub fn directory(issuer: &str) -> Vec<Change> {
    let notes: Api = serde_json::from_value(json!({
        "audience": format!("{issuer}/demo/notes"), "name": "Notes", "resource_servers": ["api"],
        "scopes": [{"name": "notes:read", "description": {"en": "Read your notes", "de": "Deine Notizen lesen"}},
                   {"name": "notes:write"}, {"name": "notes:admin", "roles": ["admin"]}],
        "roles": [{"name": "admin"}, {"name": "editor"}],
        "ceilings": [{"client_id": "machine", "scope": "notes:read", "roles": ["reader"]}],
    }))
    .unwrap();
    let mail: Api = serde_json::from_value(json!({
        "audience": format!("{issuer}/demo/mail"), "name": "Mail", "token": {"format": "opaque", "lifetime": 60},
        "scopes": [{"name": "mail:read"}], "resource_servers": ["api"],
        "ceilings": [{"client_id": "machine", "scope": "mail:read"}],
    }))
    .unwrap();
    let both = json!(["authorization_code", "refresh_token"]);
    let clients = [
        json!({"client_id": "web", "client_name": "Web", "redirect_uris": [CALLBACK], "grant_types": both,
               "post_logout_redirect_uris": ["https://app.example/bye"]}),
        json!({"client_id": "public", "token_endpoint_auth_method": "none", "grant_types": both,
               "redirect_uris": ["http://127.0.0.1/cb", CALLBACK]}),
        json!({"client_id": "machine", "grant_types": ["client_credentials"]}),
        json!({"client_id": "api", "grant_types": ["client_credentials"]}),
        json!({"client_id": "other", "grant_types": both, "redirect_uris": [CALLBACK]}),
    ];
    let mut alice = user_record("default", "alice");
    alice.roles.insert(notes.audience.clone(), vec!["editor".to_owned()]);
    let acme = TenantName::parse("acme").unwrap();
    let mut changes = vec![
        Change::PutTenant(Tenant::new(TenantName::default())),
        Change::PutTenant(Tenant::new(acme)),
        Change::PutApi(notes),
        Change::PutApi(mail),
        Change::PutUser(alice),
        Change::PutUser(user_record("default", "bob")),
        Change::PutUser(user_record("acme", "alice")),
    ];
    changes.extend(clients.map(|client| Change::PutClient(client_record(client))));
    changes.push(Change::PutClient(client_record(json!({"tenant": "acme", "client_id": "web-of-acme",
        "redirect_uris": [CALLBACK], "grant_types": both}))));
    changes
}

pub fn policy(text: Value) -> Change {
    Change::PutPolicy(serde_json::from_value(text).unwrap())
}
