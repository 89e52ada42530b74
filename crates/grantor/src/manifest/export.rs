//! The store as a manifest. Applied elsewhere it gives the same: secrets and passwords as hashes, subjects as they are.

use super::HashedSecrets;
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::directory::{Api, Policy, Tenant, User, UserClaims};
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{ClientId, Resource, Subject, TenantName, UnixTime};
use grantor_store::{Result, Store};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A whole store, or one tenant of it.
#[derive(Debug, Serialize)]
pub(crate) struct Export {
    tenants: Vec<Tenant>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    apis: Vec<Api>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<ClientEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    users: Vec<UserEntry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy>,
}

/// A client as a manifest has it.
#[derive(Debug, Serialize)]
pub(crate) struct ClientEntry {
    tenant: TenantName,
    client_id: ClientId,
    /// All other members, without the profile when that is the default: the same is meant by a client that names none,
    /// and a tenant that has not the default profile refuses it where it is named.
    #[serde(flatten)]
    metadata: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_hash: Option<HashedSecrets>,
}

/// A user as a manifest has him.
#[derive(Debug, Serialize)]
pub(crate) struct UserEntry {
    tenant: TenantName,
    username: String,
    sub: Subject,
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    administrator: bool,
    disabled: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<Resource, Vec<String>>,
    #[serde(flatten)]
    claims: UserClaims,
}

/// A client as a manifest has it; with its hashes, or for people without.
pub(crate) fn client_entry(client: &Client, hashes: bool, now: UnixTime) -> ClientEntry {
    let client_secret_hash = if hashes { HashedSecrets::of(&client.secrets, now) } else { None };
    let Client { metadata: ClientMetadata { tenant, client_id, profile, .. }, .. } = client.clone();
    let mut metadata = match serde_json::to_value(&client.metadata) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    metadata.retain(|key, _| !matches!(key.as_str(), "tenant" | "client_id"));
    if profile == Profile::default() {
        metadata.remove("profile");
    }
    ClientEntry { tenant, client_id, metadata, client_secret_hash }
}

/// A user as a manifest has him; with the hash, or for people without.
pub(crate) fn user_entry(user: User, hash: bool) -> UserEntry {
    UserEntry {
        tenant: user.tenant,
        username: user.username,
        sub: user.sub,
        password_hash: user.password_hash.filter(|_| hash),
        administrator: user.administrator,
        disabled: user.disabled,
        roles: user.roles,
        claims: user.claims,
    }
}

/// Everything, in order of names; or what one tenant has.
pub(crate) async fn export(store: &dyn Store, only: Option<&TenantName>, now: UnixTime) -> Result<Export> {
    let mut records = store.directory().await?;
    let wanted = |tenant: &TenantName| only.is_none_or(|only| only == tenant);
    records.tenants.retain(|tenant| wanted(&tenant.name));
    records.tenants.sort_by(|a, b| (!a.name.is_default(), &a.name).cmp(&(!b.name.is_default(), &b.name)));
    records.apis.retain(|api| wanted(&api.tenant));
    records.apis.sort_by(|a, b| (&a.tenant, &a.audience).cmp(&(&b.tenant, &b.audience)));
    records.clients.retain(|client| wanted(&client.metadata.tenant));
    records
        .clients
        .sort_by(|a, b| (&a.metadata.tenant, &a.metadata.client_id).cmp(&(&b.metadata.tenant, &b.metadata.client_id)));
    records.policies.retain(|policy| wanted(&policy.tenant));
    records.policies.sort_by(|a, b| (&a.tenant, a.priority, &a.name).cmp(&(&b.tenant, b.priority, &b.name)));
    let mut users = Vec::new();
    for tenant in &records.tenants {
        users.extend(store.users(&tenant.name).await?.into_iter().map(|user| user_entry(user, true)));
    }
    Ok(Export {
        tenants: records.tenants,
        apis: records.apis,
        clients: records.clients.iter().map(|client| client_entry(client, true, now)).collect(),
        users,
        policies: records.policies,
    })
}
