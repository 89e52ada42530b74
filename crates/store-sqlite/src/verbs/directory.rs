//! What an administrator declares: JSON documents by kind, and users with a unique name.

use super::grants::{Owner, drop_grants};
use super::{desk, sessions};
use crate::failure::{Failure, Result};
use grantor_protocol::directory::{ClientRecord, DirectoryRecords, PackedDirectory, User};
use grantor_protocol::value::{ClientId, Resource, Subject, TenantName};
use grantor_store::{Change, KNOWN_VERSIONS, MOST_CHANGES, StoreError};
use rusqlite::{Connection, OptionalExtension as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

const TENANT: &str = "tenant";
const API: &str = "api";
const CLIENT: &str = "client";
const POLICY: &str = "policy";
const KEY: &str = "key";

const ALL_OF_KIND: &str = "SELECT body FROM directory WHERE kind = ? ORDER BY tenant, name";

/// The rows stay until their bucket ends, as nobody's: their places must not be given again.
pub(super) const FORGET_REMEMBERED: &str = "UPDATE remembered SET tenant = '' WHERE tenant = ?";

/// Every table that has rows of a tenant; the audit log is append-only and keeps its rows.
pub(super) const OF_A_TENANT: [&str; 16] = [
    // Each finds its partial index.
    "DELETE FROM grants WHERE tenant = ? AND revoked IS NULL",
    "DELETE FROM grants WHERE tenant = ? AND revoked IS NOT NULL",
    "DELETE FROM spent_codes WHERE tenant = ?",
    "DELETE FROM devices WHERE tenant = ?",
    "DELETE FROM statuses WHERE tenant = ?",
    "DELETE FROM revoked_tokens WHERE tenant = ?",
    "DELETE FROM cutoffs WHERE tenant = ?",
    "DELETE FROM sessions WHERE tenant = ?",
    "DELETE FROM consents WHERE tenant = ?",
    FORGET_REMEMBERED,
    "DELETE FROM credential_uses WHERE tenant = ?",
    "DELETE FROM directory WHERE kind IN ('tenant', 'api', 'client', 'policy', 'key') AND tenant = ?",
    "DELETE FROM users WHERE tenant = ?",
    "DELETE FROM workspaces WHERE tenant = ?",
    "DELETE FROM workspace_members WHERE tenant = ?",
    "DELETE FROM desk_items WHERE tenant = ?",
];

pub(crate) fn version(db: &Connection) -> Result<u64> {
    number(db, "SELECT value FROM meta WHERE name = 'directory_version'")
}

/// One snapshot of everything but users.
pub(crate) fn records(db: &Connection) -> Result<DirectoryRecords> {
    let snapshot = db.unchecked_transaction()?;
    let clients = documents(&snapshot, ALL_OF_KIND, CLIENT)?;
    Ok(DirectoryRecords { clients, ..without_clients(&snapshot)? })
}

/// The same with the clients as they are stored.
pub(crate) fn packed(db: &Connection) -> Result<PackedDirectory> {
    let snapshot = db.unchecked_transaction()?;
    let (records, clients) = (without_clients(&snapshot)?, client_records(&snapshot)?);
    drop(snapshot);
    // Nobody reads all this again soon.
    db.execute_batch("PRAGMA shrink_memory")?;
    Ok(PackedDirectory { records, clients })
}

/// As they lie in the table: nobody needs an order.
fn client_records(snapshot: &Connection) -> Result<Vec<(TenantName, Vec<ClientRecord>)>> {
    let mut statement =
        snapshot.prepare_cached("SELECT tenant, name, body FROM directory NOT INDEXED WHERE kind = 'client'")?;
    let mut rows = statement.query(())?;
    let mut clients: Vec<(TenantName, Vec<ClientRecord>)> = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(|_| Failure::Record("client"));
        let (tenant, record) = (text(0)?, ClientRecord::new(text(1)?, text(2)?));
        match clients.last_mut().filter(|(last, _)| last.as_str() == tenant) {
            Some((_, of_tenant)) => of_tenant.push(record),
            None => clients.push((TenantName::parse(tenant).ok_or(Failure::Record("tenant"))?, vec![record])),
        }
    }
    Ok(clients)
}

/// What changed after a version: what is gone first, then what is there, tenants before what belongs to them.
pub(crate) fn since(db: &Connection, version: u64) -> Result<Option<(u64, Vec<Change>)>> {
    let snapshot = db.unchecked_transaction()?;
    let now = self::version(&snapshot)?;
    let floor = number(&snapshot, "SELECT value FROM meta WHERE name = 'directory_floor'")?;
    let Some(since) = i64::try_from(version).ok().filter(|_| (floor..=now).contains(&version)) else { return Ok(None) };
    let mut statement = snapshot.prepare_cached(
        "SELECT kind, tenant, name, NULL FROM directory_gone WHERE version > ?1
         UNION ALL SELECT kind, tenant, name, body FROM directory WHERE version > ?1
         LIMIT ?2",
    )?;
    let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX);
    let mut rows = statement.query([since, most.saturating_add(1)])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| row.get_ref(column)?.as_str().map_err(|_| Failure::Record("change"));
        let body = row.get_ref(3)?.as_str_or_null().map_err(|_| Failure::Record("change"))?;
        changes.push(told(text(0)?, text(1)?, text(2)?, body)?);
    }
    if changes.len() > MOST_CHANGES {
        return Ok(None);
    }
    changes.sort_by_key(|change| match change {
        Change::DeleteTenant(_) => 0,
        Change::PutTenant(_) => 2,
        change if is_put(change) => 3,
        _ => 1,
    });
    Ok(Some((now, changes)))
}

/// All changes or none. Gives the new version.
pub(crate) fn change(db: &Connection, changes: &[Change], expected: Option<u64>) -> Result<u64> {
    let found = version(db)?;
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(StoreError::Conflict { expected, found }.into());
    }
    // Before the records, which carry it.
    db.prepare_cached("UPDATE meta SET value = value + 1 WHERE name = 'directory_version'")?.execute(())?;
    changes.iter().try_for_each(|change| apply(db, change))?;
    let next = found.saturating_add(1);
    if changes.iter().any(|change| !is_put(change)) {
        forget(db, next.saturating_sub(KNOWN_VERSIONS))?;
    }
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
            put(db, CLIENT, &client.metadata.tenant, client.metadata.client_id.as_str(), &client.stored()?)
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
        "INSERT INTO directory (kind, tenant, name, body, version)
         VALUES (?, ?, ?, ?, (SELECT value FROM meta WHERE name = 'directory_version'))
         ON CONFLICT DO UPDATE SET body = excluded.body, version = excluded.version",
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
    gone(db, kind, tenant, name)
}

fn delete_tenant(db: &Connection, tenant: &TenantName) -> Result<()> {
    for sql in OF_A_TENANT {
        db.prepare_cached(sql)?.execute([tenant.as_str()])?;
    }
    gone(db, TENANT, tenant, tenant.as_str())
}

/// For [`since`].
fn gone(db: &Connection, kind: &str, tenant: &TenantName, name: &str) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO directory_gone (kind, tenant, name, version)
         VALUES (?, ?, ?, (SELECT value FROM meta WHERE name = 'directory_version'))
         ON CONFLICT DO UPDATE SET version = excluded.version",
    )?
    .execute([kind, tenant.as_str(), name])?;
    Ok(())
}

/// What was deleted long ago.
fn forget(db: &Connection, until: u64) -> Result<()> {
    let until = i64::try_from(until).map_err(|_| Failure::Record("directory version"))?;
    let forgotten = db.prepare_cached("DELETE FROM directory_gone WHERE version <= ?")?.execute([until])?;
    if forgotten > 0 {
        db.prepare_cached("UPDATE meta SET value = ? WHERE name = 'directory_floor'")?.execute([until])?;
    }
    Ok(())
}

fn is_put(change: &Change) -> bool {
    match change {
        Change::PutTenant(_)
        | Change::PutApi(_)
        | Change::PutClient(_)
        | Change::PutUser(_)
        | Change::PutPolicy(_)
        | Change::PutKey(_) => true,
        Change::DeleteTenant(_)
        | Change::DeleteApi(..)
        | Change::DeleteClient(..)
        | Change::DeleteUser(..)
        | Change::DeletePolicy(..)
        | Change::DeleteKey(..) => false,
    }
}

fn told(kind: &str, tenant: &str, name: &str, body: Option<&str>) -> Result<Change> {
    let tenant = || TenantName::parse(tenant).ok_or(Failure::Record("tenant"));
    Ok(match (kind, body) {
        (TENANT, Some(body)) => Change::PutTenant(serde_json::from_str(body)?),
        (API, Some(body)) => Change::PutApi(serde_json::from_str(body)?),
        (CLIENT, Some(body)) => Change::PutClient(serde_json::from_str(body)?),
        (POLICY, Some(body)) => Change::PutPolicy(serde_json::from_str(body)?),
        (KEY, Some(body)) => Change::PutKey(serde_json::from_str(body)?),
        (TENANT, None) => Change::DeleteTenant(tenant()?),
        (API, None) => Change::DeleteApi(tenant()?, Resource::parse(name).ok_or(Failure::Record("API"))?),
        (CLIENT, None) => Change::DeleteClient(tenant()?, ClientId::parse(name).ok_or(Failure::Record("client"))?),
        (POLICY, None) => Change::DeletePolicy(tenant()?, name.to_owned()),
        (KEY, None) => Change::DeleteKey(tenant()?, name.to_owned()),
        _ => return Err(Failure::Record("change")),
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
    desk::clear_of(db, tenant, subject)?;
    db.prepare_cached("DELETE FROM consents WHERE tenant = ? AND subject = ?")?
        .execute([tenant.as_str(), subject.as_str()])?;
    Ok(())
}

fn one_user(db: &Connection, sql: &str, tenant: &TenantName, name: &str) -> Result<Option<User>> {
    let body: Option<String> =
        db.prepare_cached(sql)?.query_row([tenant.as_str(), name], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

fn without_clients(snapshot: &Connection) -> Result<DirectoryRecords> {
    Ok(DirectoryRecords {
        version: version(snapshot)?,
        tenants: documents(snapshot, ALL_OF_KIND, TENANT)?,
        apis: documents(snapshot, ALL_OF_KIND, API)?,
        clients: Vec::new(),
        policies: documents(snapshot, ALL_OF_KIND, POLICY)?,
        keys: documents(snapshot, ALL_OF_KIND, KEY)?,
    })
}

fn number(db: &Connection, sql: &str) -> Result<u64> {
    let number: i64 = db.prepare_cached(sql)?.query_row((), |row| row.get(0))?;
    u64::try_from(number).map_err(|_| Failure::Record("directory version"))
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
