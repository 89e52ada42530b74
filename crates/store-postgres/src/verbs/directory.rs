//! What an administrator declares: JSON documents by kind, and users with a unique name.
//!
//! A change raises the version first, in the same transaction: the lock on that row puts changes in a line, so that they
//! become visible in the order of their versions, and whoever reads what has changed since a version misses none.

use super::desk;
use crate::PostgresStore;
use crate::connect::{Connections, Live, Row};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::transaction::Transaction;
use async_trait::async_trait;
use grantor_protocol::directory::{ClientRecord, DirectoryRecords, PackedDirectory, User};
use grantor_protocol::value::{ClientId, Resource, Subject, TenantName};
use grantor_store::{Change, Directories, MOST_CHANGES, StoreError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::ToSql;

const TENANT: &str = "tenant";
const API: &str = "api";
const CLIENT: &str = "client";
const POLICY: &str = "policy";
const KEY: &str = "key";

/// What of a tenant goes with its record; the audit log is append-only and keeps its rows.
const OF_A_TENANT: [&str; 11] = [
    "DELETE FROM revoked_tokens WHERE tenant = $1",
    "DELETE FROM cutoffs WHERE tenant = $1",
    "DELETE FROM sessions WHERE tenant = $1",
    "DELETE FROM consents WHERE tenant = $1",
    "DELETE FROM devices WHERE tenant = $1",
    "DELETE FROM statuses WHERE tenant = $1",
    "DELETE FROM credential_uses WHERE tenant = $1",
    "DELETE FROM users WHERE tenant = $1",
    "DELETE FROM workspaces WHERE tenant = $1",
    "DELETE FROM workspace_members WHERE tenant = $1",
    "DELETE FROM desk_items WHERE tenant = $1",
];

/// What goes after its record, in steps: nobody asks for it any more, and there may be very much of it.
const LEFT_BY_A_TENANT: [&str; 11] = [
    "DELETE FROM grants WHERE (tenant, key) IN
       (SELECT tenant, key FROM grants WHERE tenant = $1 ORDER BY key LIMIT $2)",
    "DELETE FROM spent_codes_0 WHERE (tenant, code) IN
       (SELECT tenant, code FROM spent_codes_0 WHERE tenant = $1 ORDER BY code LIMIT $2)",
    "DELETE FROM spent_codes_1 WHERE (tenant, code) IN
       (SELECT tenant, code FROM spent_codes_1 WHERE tenant = $1 ORDER BY code LIMIT $2)",
    "DELETE FROM spent_codes_2 WHERE (tenant, code) IN
       (SELECT tenant, code FROM spent_codes_2 WHERE tenant = $1 ORDER BY code LIMIT $2)",
    "DELETE FROM spent_codes_3 WHERE (tenant, code) IN
       (SELECT tenant, code FROM spent_codes_3 WHERE tenant = $1 ORDER BY code LIMIT $2)",
    "DELETE FROM spent_codes WHERE (tenant, code) IN
       (SELECT tenant, code FROM spent_codes WHERE tenant = $1 ORDER BY code LIMIT $2)",
    "DELETE FROM remembered_0 WHERE (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered_0 WHERE tenant = $1 ORDER BY purpose, value LIMIT $2)",
    "DELETE FROM remembered_1 WHERE (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered_1 WHERE tenant = $1 ORDER BY purpose, value LIMIT $2)",
    "DELETE FROM remembered_2 WHERE (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered_2 WHERE tenant = $1 ORDER BY purpose, value LIMIT $2)",
    "DELETE FROM remembered_3 WHERE (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered_3 WHERE tenant = $1 ORDER BY purpose, value LIMIT $2)",
    "DELETE FROM remembered WHERE (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered WHERE tenant = $1 ORDER BY purpose, value LIMIT $2)",
];
const LEFT_BY_A_CLIENT: &str = "DELETE FROM grants WHERE (tenant, key) IN
     (SELECT tenant, key FROM grants WHERE tenant = $1 AND client = $3 AND revoked IS NULL ORDER BY key LIMIT $2)";
const LEFT_BY_A_USER: &str = "DELETE FROM grants WHERE (tenant, key) IN
     (SELECT tenant, key FROM grants WHERE tenant = $1 AND subject = $3 AND revoked IS NULL ORDER BY key LIMIT $2)";

/// How many rows go in one step.
const STEP_ROWS: i64 = 2_000;

const TOMBSTONES_OF_A_TENANT: &str = "UPDATE directory SET version = $2, body = NULL
     WHERE kind IN ('tenant', 'api', 'client', 'policy', 'key') AND tenant = $1 AND body IS NOT NULL";
const TOMBSTONE: &str = "UPDATE directory SET version = $4, body = NULL
     WHERE kind = $1 AND tenant = $2 AND name = $3 AND body IS NOT NULL";
const PUT: &str = "INSERT INTO directory (kind, tenant, name, version, body) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (kind, tenant, name) DO UPDATE SET version = excluded.version, body = excluded.body";
const PUT_USER: &str = "INSERT INTO users (tenant, sub, folded, body) VALUES ($1, $2, $3, $4)
     ON CONFLICT (tenant, sub) DO UPDATE SET folded = excluded.folded, body = excluded.body";
const TAKEN: &str = "SELECT 1 FROM users WHERE tenant = $1 AND folded = $2 AND sub <> $3";
const RAISE: &str = "UPDATE meta SET number = number + 1 WHERE name = 'directory_version' RETURNING number";
/// The same, and those who listen are told with the commit.
const RAISE_ALOUD: &str = "UPDATE meta SET number = number + 1 WHERE name = 'directory_version'
     RETURNING number, pg_notify('grantor_directory', '')";

/// Both are one statement, and so one snapshot.
const EVERYTHING: &str = "SELECT meta.number, d.kind, d.body, d.tenant, d.name FROM meta
     LEFT JOIN directory AS d ON d.body IS NOT NULL
     WHERE meta.name = 'directory_version'
     ORDER BY d.kind, d.tenant, d.name";
const SINCE: &str = "SELECT now.number, since.number, d.kind, d.tenant, d.name, d.body FROM meta AS now
     JOIN meta AS since ON since.name = 'directory_floor'
     LEFT JOIN directory AS d ON d.version > $1
     WHERE now.name = 'directory_version' LIMIT $2";
const USER: &str = "SELECT body FROM users WHERE tenant = $1 AND sub = $2";
const USER_BY_NAME: &str = "SELECT body FROM users WHERE tenant = $1 AND folded = $2";
const USERS: &str = "SELECT body FROM users WHERE tenant = $1 ORDER BY folded";

#[async_trait]
impl Directories for PostgresStore {
    async fn directory_version(&self) -> grantor_store::Result<u64> {
        let sql = "SELECT number FROM meta WHERE name = 'directory_version'";
        let rows = read_feed(&self.connections, sql, &[]).await?;
        Ok(version_in(&rows)?)
    }

    async fn directory_changed(&self) {
        self.connections.ear.changed().await;
    }

    async fn directory(&self) -> grantor_store::Result<DirectoryRecords> {
        let rows = read_whole(&self.connections).await?;
        Ok(records(&rows, &mut |row, records| {
            records.clients.push(document(row, 2)?);
            Ok(())
        })?)
    }

    async fn packed_directory(&self) -> grantor_store::Result<PackedDirectory> {
        let rows = read_whole(&self.connections).await?;
        let mut clients: Vec<(TenantName, Vec<ClientRecord>)> = Vec::new();
        let records = records(&rows, &mut |row, _| {
            let (tenant, record) = (row.try_get::<_, &str>(3)?, ClientRecord::new(row.try_get(4)?, row.try_get(2)?));
            match clients.last_mut().filter(|(last, _)| last.as_str() == tenant) {
                Some((_, of_tenant)) => of_tenant.push(record),
                None => clients.push((TenantName::parse(tenant).ok_or(Failure::Record("tenant"))?, vec![record])),
            }
            Ok(())
        })?;
        Ok(PackedDirectory { records, clients })
    }

    async fn directory_since(&self, version: u64) -> grantor_store::Result<Option<(u64, Vec<Change>)>> {
        let Ok(asked) = i64::try_from(version) else { return Ok(None) };
        let most = i64::try_from(MOST_CHANGES).unwrap_or(i64::MAX).saturating_add(1);
        let rows = read_feed(&self.connections, SINCE, &[&asked, &most]).await?;
        Ok(changes(&rows, version)?)
    }

    async fn change_directory(&self, changes: Vec<Change>, expected: Option<u64>) -> grantor_store::Result<u64> {
        let changed = if is_long(&changes) {
            change(&self.connections, &changes, expected).await
        } else {
            self.connections.in_time(change(&self.connections, &changes, expected)).await
        };
        // A client that was deleted and declared again begins anew.
        self.recent.forget();
        self.connections.ear.hear();
        let version = changed?;
        for change in &changes {
            sweep(&self.connections, change).await?;
        }
        Ok(version)
    }

    async fn user(&self, tenant: &TenantName, subject: &Subject) -> grantor_store::Result<Option<User>> {
        self.one_user(USER, tenant, subject.as_str()).await
    }

    async fn user_by_username(&self, tenant: &TenantName, username: &str) -> grantor_store::Result<Option<User>> {
        self.one_user(USER_BY_NAME, tenant, &username.to_lowercase()).await
    }

    async fn users(&self, tenant: &TenantName) -> grantor_store::Result<Vec<User>> {
        let tenant = tenant.as_str();
        let rows = read(&self.connections, USERS, &[&tenant]).await?;
        Ok(rows.iter().map(|row| document(row, 0)).collect::<Result<_>>()?)
    }
}

impl PostgresStore {
    async fn one_user(
        &self,
        sql: &'static str,
        tenant: &TenantName,
        name: &str,
    ) -> grantor_store::Result<Option<User>> {
        let tenant = tenant.as_str();
        let rows = read(&self.connections, sql, &[&tenant, &name]).await?;
        Ok(rows.first().map(|row| document(row, 0)).transpose()?)
    }
}

/// More changes than this take as long as they take.
const FEW_CHANGES: usize = 100;

/// Whether changes are many, or one of them takes the users of a tenant.
fn is_long(changes: &[Change]) -> bool {
    changes.len() > FEW_CHANGES || changes.iter().any(|change| matches!(change, Change::DeleteTenant(_)))
}

/// All changes or none. Gives the new version.
async fn change(connections: &Connections, changes: &[Change], expected: Option<u64>) -> grantor_store::Result<u64> {
    let mut attempts = Attempts::default();
    loop {
        let attempt = async {
            let transaction = if is_long(changes) {
                Transaction::begin_long(connections).await?
            } else {
                Transaction::begin(connections).await?
            };
            let changed = carry_out(&transaction, changes, expected, connections.ear.works()).await;
            transaction.end(changed).await
        };
        match attempt.await {
            Ok(version) => return Ok(version),
            // Not when nobody knows whether it was done: the version would count twice.
            Err(failure) => attempts.again(failure, Repeatable::Undone).await?,
        }
    }
}

/// What a deletion leaves. Until it is gone nothing of it is of use: the record is not there any more.
///
/// A delete whose caller is told to come again may be asked again: what is left goes then.
async fn sweep(connections: &Connections, change: &Change) -> grantor_store::Result<()> {
    match change {
        Change::DeleteTenant(tenant) => {
            for sql in LEFT_BY_A_TENANT {
                in_steps(connections, sql, &[&tenant.as_str(), &STEP_ROWS]).await?;
            }
            Ok(())
        }
        Change::DeleteClient(tenant, client) => {
            in_steps(connections, LEFT_BY_A_CLIENT, &[&tenant.as_str(), &STEP_ROWS, &client.as_str()]).await
        }
        Change::DeleteUser(tenant, subject) => {
            in_steps(connections, LEFT_BY_A_USER, &[&tenant.as_str(), &STEP_ROWS, &subject.as_str()]).await
        }
        _ => Ok(()),
    }
}

/// Until a step finds nothing.
async fn in_steps(
    connections: &Connections,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> grantor_store::Result<()> {
    while connections.in_time(changed(connections, sql, parameters)).await? > 0 {}
    Ok(())
}

/// How many rows a statement changed that may be carried out twice.
pub(super) async fn changed(
    connections: &Connections,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> grantor_store::Result<u64> {
    let mut attempts = Attempts::default();
    loop {
        let db = connections.writer().await?;
        let changed = db.execute(sql, parameters).await;
        drop(db);
        match changed {
            Ok(rows) => return Ok(rows),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

async fn carry_out(db: &Live, changes: &[Change], expected: Option<u64>, aloud: bool) -> Result<u64> {
    let raise = if aloud { RAISE_ALOUD } else { RAISE };
    let next = version_in(&db.query(raise, &[]).await?)?;
    let found = next.saturating_sub(1);
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        return Err(StoreError::Conflict { expected, found }.into());
    }
    for change in changes {
        apply(db, change, i64::try_from(next).map_err(|_| Failure::Record("directory version"))?).await?;
    }
    Ok(next)
}

async fn apply(db: &Live, change: &Change, version: i64) -> Result<()> {
    match change {
        Change::PutTenant(tenant) => put(db, TENANT, &tenant.name, tenant.name.as_str(), version, tenant).await,
        Change::PutApi(api) => put(db, API, &api.tenant, api.audience.as_str(), version, api).await,
        Change::PutClient(client) => {
            let (tenant, name) = (&client.metadata.tenant, client.metadata.client_id.as_str());
            put(db, CLIENT, tenant, name, version, &client.stored()?).await
        }
        Change::PutPolicy(policy) => put(db, POLICY, &policy.tenant, &policy.name, version, policy).await,
        Change::PutKey(key) => put(db, KEY, &key.tenant, &key.kid, version, key).await,
        Change::PutUser(user) => put_user(db, user).await,
        Change::DeleteTenant(tenant) => delete_tenant(db, tenant, version).await,
        Change::DeleteApi(tenant, audience) => delete(db, API, tenant, audience.as_str(), version).await,
        Change::DeleteClient(tenant, client) => delete_client(db, tenant, client, version).await,
        Change::DeletePolicy(tenant, name) => delete(db, POLICY, tenant, name, version).await,
        Change::DeleteKey(tenant, kid) => delete(db, KEY, tenant, kid, version).await,
        Change::DeleteUser(tenant, subject) => delete_user(db, tenant, subject).await,
    }
}

async fn put<T: Serialize>(
    db: &Live,
    kind: &str,
    tenant: &TenantName,
    name: &str,
    version: i64,
    record: &T,
) -> Result<()> {
    let body = serde_json::to_string(record)?;
    db.execute(PUT, &[&kind, &tenant.as_str(), &name, &version, &body]).await?;
    Ok(())
}

/// The index of names decides; changes stand in a line, so that a look before finds what it would refuse.
async fn put_user(db: &Live, user: &User) -> Result<()> {
    let (tenant, sub, folded) = (user.tenant.as_str(), user.sub.as_str(), user.username.to_lowercase());
    if !db.query(TAKEN, &[&tenant, &folded, &sub]).await?.is_empty() {
        return Err(StoreError::Taken(format!("username {:?}", user.username)).into());
    }
    db.execute(PUT_USER, &[&tenant, &sub, &folded, &serde_json::to_string(user)?]).await?;
    Ok(())
}

async fn delete(db: &Live, kind: &str, tenant: &TenantName, name: &str, version: i64) -> Result<()> {
    db.execute(TOMBSTONE, &[&kind, &tenant.as_str(), &name, &version]).await?;
    Ok(())
}

async fn delete_tenant(db: &Live, tenant: &TenantName, version: i64) -> Result<()> {
    db.execute(TOMBSTONES_OF_A_TENANT, &[&tenant.as_str(), &version]).await?;
    for sql in OF_A_TENANT {
        db.execute(sql, &[&tenant.as_str()]).await?;
    }
    Ok(())
}

/// Its row first: whoever notes a use of it holds that row until the use is there to be deleted.
async fn delete_client(db: &Live, tenant: &TenantName, client: &ClientId, version: i64) -> Result<()> {
    delete(db, CLIENT, tenant, client.as_str(), version).await?;
    for sql in [
        "DELETE FROM consents WHERE tenant = $1 AND client = $2",
        "DELETE FROM credential_uses WHERE tenant = $1 AND client = $2",
    ] {
        db.execute(sql, &[&tenant.as_str(), &client.as_str()]).await?;
    }
    Ok(())
}

async fn delete_user(db: &Live, tenant: &TenantName, subject: &Subject) -> Result<()> {
    for sql in [
        "DELETE FROM users WHERE tenant = $1 AND sub = $2",
        "DELETE FROM sessions WHERE tenant = $1 AND subject = $2",
        "DELETE FROM consents WHERE tenant = $1 AND subject = $2",
    ] {
        db.execute(sql, &[&tenant.as_str(), &subject.as_str()]).await?;
    }
    desk::clear_of(db, tenant, subject).await
}

/// A read may be tried again whatever became of it.
pub(super) async fn read(
    connections: &Connections,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> grantor_store::Result<Vec<Row>> {
    connections.in_time(read_again(connections, sql, parameters)).await
}

/// The same on the connection of the feed, behind nobody.
async fn read_feed(
    connections: &Connections,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> grantor_store::Result<Vec<Row>> {
    let mut attempts = Attempts::default();
    let read = async {
        loop {
            let db = connections.feed().await?;
            let read = db.query(sql, parameters).await;
            drop(db);
            match read {
                Ok(rows) => return Ok(rows),
                Err(failure) => attempts.again(failure, Repeatable::Always).await?,
            }
        }
    };
    connections.in_time(read).await
}

/// Everything at once, which takes as long as it takes to bring it.
async fn read_whole(connections: &Connections) -> grantor_store::Result<Vec<Row>> {
    let mut attempts = Attempts::default();
    loop {
        let attempt = async {
            let transaction = Transaction::begin_long(connections).await?;
            let read = transaction.query(EVERYTHING, &[]).await;
            transaction.end(read).await
        };
        match attempt.await {
            Ok(rows) => return Ok(rows),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

async fn read_again(
    connections: &Connections,
    sql: &'static str,
    parameters: &[&(dyn ToSql + Sync)],
) -> grantor_store::Result<Vec<Row>> {
    let mut attempts = Attempts::default();
    loop {
        let db = connections.reader().await?;
        let read = db.query(sql, parameters).await;
        drop(db);
        match read {
            Ok(rows) => return Ok(rows),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

/// From the rows of [`EVERYTHING`]: one without a kind says the version alone. Clients go elsewhere.
fn records(
    rows: &[Row],
    client: &mut (dyn FnMut(&Row, &mut DirectoryRecords) -> Result<()> + Send),
) -> Result<DirectoryRecords> {
    let mut records = DirectoryRecords { version: version_in(rows)?, ..DirectoryRecords::default() };
    for row in rows {
        match row.try_get::<_, Option<&str>>(1)? {
            Some(TENANT) => records.tenants.push(document(row, 2)?),
            Some(API) => records.apis.push(document(row, 2)?),
            Some(CLIENT) => client(row, &mut records)?,
            Some(POLICY) => records.policies.push(document(row, 2)?),
            Some(KEY) => records.keys.push(document(row, 2)?),
            // None at all, or one of a newer binary, whose nodes know what to do with it.
            _ => {}
        }
    }
    Ok(records)
}

/// From the rows of [`SINCE`]. Tenants go before everything else goes, and everything goes before anything comes: what is
/// in a tenant that went and came again came after it.
fn changes(rows: &[Row], version: u64) -> Result<Option<(u64, Vec<Change>)>> {
    let first = rows.first().ok_or(Failure::Record("directory version"))?;
    let (now, floor) = (natural(first, 0)?, natural(first, 1)?);
    if !(floor..=now).contains(&version) || rows.len() > MOST_CHANGES {
        return Ok(None);
    }
    let (mut tenants, mut deletes, mut puts) = (Vec::new(), Vec::new(), Vec::new());
    for row in rows {
        let Some(kind) = row.try_get::<_, Option<&str>>(2)? else { continue };
        if row.try_get::<_, Option<&str>>(5)?.is_some() {
            puts.extend(match kind {
                TENANT => Some(Change::PutTenant(document(row, 5)?)),
                API => Some(Change::PutApi(document(row, 5)?)),
                CLIENT => Some(Change::PutClient(document(row, 5)?)),
                POLICY => Some(Change::PutPolicy(document(row, 5)?)),
                KEY => Some(Change::PutKey(document(row, 5)?)),
                _ => None,
            });
            continue;
        }
        let tenant = TenantName::parse(row.try_get(3)?).ok_or(Failure::Record("tenant"))?;
        let name: &str = row.try_get(4)?;
        match kind {
            TENANT => tenants.push(Change::DeleteTenant(tenant)),
            API => {
                let audience = Resource::parse(name).ok_or(Failure::Record("audience"))?;
                deletes.push(Change::DeleteApi(tenant, audience));
            }
            CLIENT => {
                let client = ClientId::parse(name).ok_or(Failure::Record("client"))?;
                deletes.push(Change::DeleteClient(tenant, client));
            }
            POLICY => deletes.push(Change::DeletePolicy(tenant, name.to_owned())),
            KEY => deletes.push(Change::DeleteKey(tenant, name.to_owned())),
            _ => {}
        }
    }
    puts.sort_by_key(|put| !matches!(put, Change::PutTenant(_)));
    Ok(Some((now, [tenants, deletes, puts].into_iter().flatten().collect())))
}

/// A JSON document.
pub(super) fn document<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T> {
    Ok(serde_json::from_str(row.try_get(column)?)?)
}

fn version_in(rows: &[Row]) -> Result<u64> {
    natural(rows.first().ok_or(Failure::Record("directory version"))?, 0)
}

fn natural(row: &Row, column: usize) -> Result<u64> {
    u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| Failure::Record("number"))
}
