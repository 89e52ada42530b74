//! What an administrator declares: JSON documents by kind, and users with a unique name.

use super::grants::{Owner, drop_grants};
use super::sessions;
use crate::failure::{Failure, Result};
use grantor_protocol::directory::{DirectoryRecords, User};
use grantor_protocol::value::{ClientId, Subject, TenantName};
use grantor_store::{Change, StoreError};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

const TENANT: &str = "tenant";
const API: &str = "api";
const CLIENT: &str = "client";
const POLICY: &str = "policy";
const KEY: &str = "key";

/// Every table that has rows of a tenant; the audit log is append-only and keeps its rows.
const OF_A_TENANT: [&str; 10] = [
    "DELETE FROM grants WHERE tenant = ?",
    "DELETE FROM spent_codes WHERE tenant = ?",
    "DELETE FROM revoked_tokens WHERE tenant = ?",
    "DELETE FROM cutoffs WHERE tenant = ?",
    "DELETE FROM sessions WHERE tenant = ?",
    "DELETE FROM consents WHERE tenant = ?",
    "DELETE FROM remembered WHERE tenant = ?",
    "DELETE FROM credential_uses WHERE tenant = ?",
    "DELETE FROM directory WHERE kind IN ('tenant', 'api', 'client', 'policy', 'key') AND tenant = ?",
    "DELETE FROM users WHERE tenant = ?",
];

pub(crate) fn version(db: &Connection) -> Result<u64> {
    let version: i64 = db
        .prepare_cached("SELECT value FROM meta WHERE name = 'directory_version'")?
        .query_row((), |row| row.get(0))?;
    u64::try_from(version).map_err(|_| Failure::Record("directory version"))
}

/// One snapshot of everything but users.
pub(crate) fn records(db: &Connection) -> Result<DirectoryRecords> {
    let snapshot = db.unchecked_transaction()?;
    Ok(DirectoryRecords {
        version: version(&snapshot)?,
        tenants: of_kind(&snapshot, TENANT)?,
        apis: of_kind(&snapshot, API)?,
        clients: of_kind(&snapshot, CLIENT)?,
        policies: of_kind(&snapshot, POLICY)?,
        keys: of_kind(&snapshot, KEY)?,
    })
}

/// All changes or none. Gives the new version.
pub(crate) fn change(db: &Connection, changes: &[Change], expected: Option<u64>) -> Result<u64> {
    let found = version(db)?;
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(StoreError::Conflict { expected, found }.into());
    }
    changes.iter().try_for_each(|change| apply(db, change))?;
    let next = found.saturating_add(1);
    db.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'directory_version'")?.execute(())?;
    Ok(next)
}

pub(crate) fn user(db: &Connection, tenant: &TenantName, subject: &Subject) -> Result<Option<User>> {
    one_user(db, "SELECT body FROM users WHERE tenant = ? AND sub = ?", tenant, subject.as_str())
}

pub(crate) fn user_by_username(db: &Connection, tenant: &TenantName, username: &str) -> Result<Option<User>> {
    one_user(db, "SELECT body FROM users WHERE tenant = ? AND folded = ?", tenant, &username.to_lowercase())
}

pub(crate) fn users(db: &Connection, tenant: &TenantName) -> Result<Vec<User>> {
    documents(db, "SELECT body FROM users WHERE tenant = ? ORDER BY folded", tenant.as_str())
}

fn apply(db: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::PutTenant(tenant) => put(db, TENANT, &tenant.name, tenant.name.as_str(), tenant),
        Change::PutApi(api) => put(db, API, &api.tenant, api.audience.as_str(), api),
        Change::PutClient(client) => {
            put(db, CLIENT, &client.metadata.tenant, client.metadata.client_id.as_str(), client)
        }
        Change::PutPolicy(policy) => put(db, POLICY, &policy.tenant, &policy.name, policy),
        Change::PutKey(key) => put(db, KEY, &key.tenant, &key.kid, key),
        Change::PutUser(user) => put_user(db, user),
        Change::DeleteTenant(tenant) => delete_tenant(db, tenant),
        Change::DeleteApi(tenant, audience) => delete(db, API, tenant, audience.as_str()),
        Change::DeleteClient(tenant, client) => delete_client(db, tenant, client),
        Change::DeletePolicy(tenant, name) => delete(db, POLICY, tenant, name),
        Change::DeleteKey(tenant, kid) => delete(db, KEY, tenant, kid),
        Change::DeleteUser(tenant, subject) => delete_user(db, tenant, subject),
    }
}

fn put<T: Serialize>(db: &Connection, kind: &str, tenant: &TenantName, name: &str, record: &T) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO directory (kind, tenant, name, body) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET body = excluded.body",
    )?
    .execute([kind, tenant.as_str(), name, &serde_json::to_string(record)?])?;
    Ok(())
}

fn put_user(db: &Connection, user: &User) -> Result<()> {
    let folded = user.username.to_lowercase();
    let taken = db.prepare_cached("SELECT 1 FROM users WHERE tenant = ? AND folded = ? AND sub <> ?")?.exists([
        user.tenant.as_str(),
        &folded,
        user.sub.as_str(),
    ])?;
    if taken {
        return Err(StoreError::Taken(format!("username {:?}", user.username)).into());
    }
    db.prepare_cached(
        "INSERT INTO users (tenant, sub, folded, body) VALUES (?, ?, ?, ?)
         ON CONFLICT (tenant, sub) DO UPDATE SET folded = excluded.folded, body = excluded.body",
    )?
    .execute([user.tenant.as_str(), user.sub.as_str(), &folded, &serde_json::to_string(user)?])?;
    Ok(())
}

fn delete(db: &Connection, kind: &str, tenant: &TenantName, name: &str) -> Result<()> {
    db.prepare_cached("DELETE FROM directory WHERE kind = ? AND tenant = ? AND name = ?")?.execute([
        kind,
        tenant.as_str(),
        name,
    ])?;
    Ok(())
}

fn delete_tenant(db: &Connection, tenant: &TenantName) -> Result<()> {
    OF_A_TENANT.iter().try_for_each(|sql| {
        db.prepare_cached(sql)?.execute([tenant.as_str()])?;
        Ok(())
    })
}

fn delete_client(db: &Connection, tenant: &TenantName, client: &ClientId) -> Result<()> {
    delete(db, CLIENT, tenant, client.as_str())?;
    drop_grants(db, tenant, &Owner::client(client))?;
    db.prepare_cached("DELETE FROM consents WHERE tenant = ? AND client = ?")?
        .execute([tenant.as_str(), client.as_str()])?;
    db.prepare_cached("DELETE FROM credential_uses WHERE tenant = ? AND client = ?")?
        .execute([tenant.as_str(), client.as_str()])?;
    Ok(())
}

fn delete_user(db: &Connection, tenant: &TenantName, subject: &Subject) -> Result<()> {
    db.prepare_cached("DELETE FROM users WHERE tenant = ? AND sub = ?")?
        .execute([tenant.as_str(), subject.as_str()])?;
    drop_grants(db, tenant, &Owner::subject(subject))?;
    sessions::close_all(db, tenant, subject)?;
    db.prepare_cached("DELETE FROM consents WHERE tenant = ? AND subject = ?")?
        .execute([tenant.as_str(), subject.as_str()])?;
    Ok(())
}

fn one_user(db: &Connection, sql: &str, tenant: &TenantName, name: &str) -> Result<Option<User>> {
    let body: Option<String> =
        db.prepare_cached(sql)?.query_row([tenant.as_str(), name], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

fn of_kind<T: DeserializeOwned>(db: &Connection, kind: &str) -> Result<Vec<T>> {
    documents(db, "SELECT body FROM directory WHERE kind = ? ORDER BY tenant, name", kind)
}

fn documents<T: DeserializeOwned>(db: &Connection, sql: &str, of: &str) -> Result<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([of])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let body = row.get_ref(0)?.as_str().map_err(|_| Failure::Record("document"))?;
        found.push(serde_json::from_str(body)?);
    }
    Ok(found)
}
