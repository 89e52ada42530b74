//! The token desk: workspaces, their members, and what lies in them. A change whose answer was lost knows its own work
//! again: what is there is what was to be there.
//!
//! Whoever puts something into a workspace holds the workspace's row until it is there, and so does whoever drops the
//! workspace: nothing is left behind in one that is gone.

use super::directory::{changed, read};
use super::grants::uuid;
use crate::PostgresStore;
use crate::connect::{Connections, Live, Row};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::transaction::Transaction;
use async_trait::async_trait;
use grantor_protocol::value::{ItemId, Subject, TenantName, WorkspaceId};
use grantor_protocol::workspace::{Item, Right, Workspace};
use grantor_store::Desk;
use std::collections::BTreeMap;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

const OPEN: &str = "INSERT INTO workspaces (tenant, id, version, name, sharing) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (tenant, id) DO NOTHING";
const CHANGE: &str = "UPDATE workspaces SET version = $3, name = $4, sharing = $5
     WHERE tenant = $1 AND id = $2 AND version + 1 = $3";
const CLEAR_MEMBERS: &str = "DELETE FROM workspace_members WHERE tenant = $1 AND workspace = $2";
const MEMBERS: &str = "INSERT INTO workspace_members (tenant, workspace, subject, may)
     SELECT $1, $2, subject, may FROM unnest($3::text[], $4::text[]) AS member (subject, may)";
const WORKSPACES: &str = "SELECT w.id, w.version, w.name, w.sharing, m.subject, m.may
     FROM workspace_members AS own
     JOIN workspaces AS w ON w.tenant = own.tenant AND w.id = own.workspace
     JOIN workspace_members AS m ON m.tenant = w.tenant AND m.workspace = w.id
     WHERE own.tenant = $1 AND own.subject = $2 ORDER BY w.id";
const WORKSPACE: &str = "SELECT w.id, w.version, w.name, w.sharing, m.subject, m.may
     FROM workspaces AS w JOIN workspace_members AS m ON m.tenant = w.tenant AND m.workspace = w.id
     WHERE w.tenant = $1 AND w.id = $2";
const HOLD: &str = "SELECT 1 FROM workspaces WHERE tenant = $1 AND id = $2 FOR UPDATE";
const LIES_THERE: &str = "SELECT 1 FROM desk_items WHERE tenant = $1 AND workspace = $2 LIMIT 1";
const DROP_WORKSPACE: &str = "DELETE FROM workspaces WHERE tenant = $1 AND id = $2";

const PUT: &str = "INSERT INTO desk_items (tenant, workspace, id, owner, version, sealed)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, workspace, id) DO NOTHING";
const REPLACE: &str = "UPDATE desk_items SET owner = $4, version = $5, sealed = $6
     WHERE tenant = $1 AND workspace = $2 AND id = $3 AND version + 1 = $5";
const ITEM: &str = "SELECT id, owner, version, sealed FROM desk_items
     WHERE tenant = $1 AND workspace = $2 AND id = $3";
const ITEMS: &str = "SELECT id, owner, version, sealed FROM desk_items
     WHERE tenant = $1 AND workspace = $2 ORDER BY id";
const DROP_ITEM: &str = "DELETE FROM desk_items WHERE tenant = $1 AND workspace = $2 AND id = $3 AND version = $4";

/// What hung on a user, in this order: whoever puts something into one of his workspaces waits at its row.
pub(super) const OF_A_USER: [&str; 5] = [
    "UPDATE workspaces SET version = version + 1 WHERE tenant = $1 AND id IN
       (SELECT workspace FROM workspace_members WHERE tenant = $1 AND subject = $2)",
    "DELETE FROM workspaces WHERE tenant = $1 AND id IN
       (SELECT workspace FROM workspace_members WHERE tenant = $1 AND subject = $2 AND may = 'own')",
    "DELETE FROM desk_items WHERE tenant = $1 AND (owner = $2 OR workspace IN
       (SELECT workspace FROM workspace_members WHERE tenant = $1 AND subject = $2 AND may = 'own'))",
    "DELETE FROM workspace_members WHERE tenant = $1 AND workspace IN
       (SELECT workspace FROM workspace_members WHERE tenant = $1 AND subject = $2 AND may = 'own')",
    "DELETE FROM workspace_members WHERE tenant = $1 AND subject = $2",
];

#[async_trait]
impl Desk for PostgresStore {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> grantor_store::Result<bool> {
        let kept = async {
            let mut attempts = Attempts::default();
            loop {
                match keep_workspace(&self.connections, tenant, &workspace).await {
                    Ok(true) => return Ok(true),
                    Ok(false) => break,
                    Err(failure) => attempts.again(failure, Repeatable::Always).await?,
                }
            }
            let id = uuid(workspace.id.as_bytes());
            let rows = read(&self.connections, WORKSPACE, &[&tenant.as_str(), &id]).await?;
            Ok(collected(&rows)?.first() == Some(&workspace))
        };
        self.connections.in_time(kept).await
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> grantor_store::Result<Vec<Workspace>> {
        let rows = read(&self.connections, WORKSPACES, &[&tenant.as_str(), &of.as_str()]).await?;
        Ok(collected(&rows)?)
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> grantor_store::Result<bool> {
        let dropped = async {
            let mut attempts = Attempts::default();
            loop {
                match drop_workspace(&self.connections, tenant, uuid(workspace.as_bytes())).await {
                    Ok(dropped) => return Ok(dropped),
                    Err(failure) => attempts.again(failure, Repeatable::Always).await?,
                }
            }
        };
        self.connections.in_time(dropped).await
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> grantor_store::Result<bool> {
        let (within, id, version) = (uuid(workspace.as_bytes()), uuid(item.id.as_bytes()), signed(item.version)?);
        let parameters: [&(dyn ToSql + Sync); 6] =
            [&tenant.as_str(), &within, &id, &item.owner.as_str(), &version, &item.sealed];
        let kept = async {
            if version > 1 {
                return changed(&self.connections, REPLACE, &parameters).await;
            }
            let mut attempts = Attempts::default();
            loop {
                match put(&self.connections, &parameters).await {
                    Ok(put) => return Ok(put),
                    Err(failure) => attempts.again(failure, Repeatable::Always).await?,
                }
            }
        };
        if self.connections.in_time(kept).await? == 1 {
            return Ok(true);
        }
        Ok(self.item(tenant, workspace, item.id).await?.as_ref() == Some(&item))
    }

    async fn item(
        &self,
        tenant: &TenantName,
        workspace: WorkspaceId,
        item: ItemId,
    ) -> grantor_store::Result<Option<Item>> {
        let (within, id) = (uuid(workspace.as_bytes()), uuid(item.as_bytes()));
        let rows = read(&self.connections, ITEM, &[&tenant.as_str(), &within, &id]).await?;
        Ok(rows.first().map(found).transpose()?)
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> grantor_store::Result<Vec<Item>> {
        let rows = read(&self.connections, ITEMS, &[&tenant.as_str(), &uuid(workspace.as_bytes())]).await?;
        Ok(rows.iter().map(found).collect::<Result<_>>()?)
    }

    async fn drop_item(
        &self,
        tenant: &TenantName,
        workspace: WorkspaceId,
        item: ItemId,
        version: u64,
    ) -> grantor_store::Result<bool> {
        let (within, id, version) = (uuid(workspace.as_bytes()), uuid(item.as_bytes()), signed(version)?);
        let parameters: [&(dyn ToSql + Sync); 4] = [&tenant.as_str(), &within, &id, &version];
        let dropped = self.connections.in_time(changed(&self.connections, DROP_ITEM, &parameters)).await?;
        Ok(dropped == 1 || self.item(tenant, workspace, item).await?.is_none())
    }
}

/// What hung on a user.
pub(super) async fn clear_of(db: &Live, tenant: &TenantName, subject: &Subject) -> Result<()> {
    for sql in OF_A_USER {
        db.execute(sql, &[&tenant.as_str(), &subject.as_str()]).await?;
    }
    Ok(())
}

async fn keep_workspace(connections: &Connections, tenant: &TenantName, workspace: &Workspace) -> Result<bool> {
    let (tenant, id, version) = (tenant.as_str(), uuid(workspace.id.as_bytes()), signed(workspace.version)?);
    let subjects: Vec<&str> = workspace.members.keys().map(Subject::as_str).collect();
    let rights: Vec<&str> = workspace.members.values().map(|right| right.as_str()).collect();
    let transaction = Transaction::begin(connections).await?;
    let kept = async {
        let sql = if version == 1 { OPEN } else { CHANGE };
        if transaction.execute(sql, &[&tenant, &id, &version, &workspace.name, &workspace.sharing]).await? == 0 {
            return Ok(false);
        }
        transaction.execute(CLEAR_MEMBERS, &[&tenant, &id]).await?;
        transaction.execute(MEMBERS, &[&tenant, &id, &subjects, &rights]).await?;
        Ok(true)
    }
    .await;
    transaction.end(kept).await
}

async fn drop_workspace(connections: &Connections, tenant: &TenantName, id: Uuid) -> Result<bool> {
    let tenant = tenant.as_str();
    let transaction = Transaction::begin(connections).await?;
    let dropped = async {
        transaction.query(HOLD, &[&tenant, &id]).await?;
        if !transaction.query(LIES_THERE, &[&tenant, &id]).await?.is_empty() {
            return Ok(false);
        }
        transaction.execute(DROP_WORKSPACE, &[&tenant, &id]).await?;
        transaction.execute(CLEAR_MEMBERS, &[&tenant, &id]).await?;
        Ok(true)
    }
    .await;
    transaction.end(dropped).await
}

/// Into a workspace that is there until it is in it. The parameters are those of [`PUT`].
async fn put(connections: &Connections, parameters: &[&(dyn ToSql + Sync); 6]) -> Result<u64> {
    let [tenant, within, ..] = parameters;
    let transaction = Transaction::begin(connections).await?;
    let put = async {
        if transaction.query(HOLD, &[*tenant, *within]).await?.is_empty() {
            return Ok(0);
        }
        transaction.execute(PUT, parameters).await
    }
    .await;
    transaction.end(put).await
}

/// From rows of one member each, those of one workspace together.
fn collected(rows: &[Row]) -> Result<Vec<Workspace>> {
    let mut all: Vec<Workspace> = Vec::new();
    for row in rows {
        let id = WorkspaceId::from_bytes(*row.try_get::<_, Uuid>(0)?.as_bytes());
        if all.last().is_none_or(|last| last.id != id) {
            let version = u64::try_from(row.try_get::<_, i64>(1)?).map_err(|_| Failure::Record("version"))?;
            let (name, sharing) = (row.try_get(2)?, row.try_get(3)?);
            all.push(Workspace { id, version, name, sharing, members: BTreeMap::new() });
        }
        let subject = Subject::parse(row.try_get(4)?).ok_or(Failure::Record("subject"))?;
        let right = Right::parse(row.try_get(5)?).ok_or(Failure::Record("right"))?;
        all.last_mut().map(|last| last.members.insert(subject, right));
    }
    Ok(all)
}

fn found(row: &Row) -> Result<Item> {
    Ok(Item {
        id: ItemId::from_bytes(*row.try_get::<_, Uuid>(0)?.as_bytes()),
        owner: Subject::parse(row.try_get(1)?).ok_or(Failure::Record("subject"))?,
        version: u64::try_from(row.try_get::<_, i64>(2)?).map_err(|_| Failure::Record("version"))?,
        sealed: row.try_get(3)?,
    })
}

fn signed(version: u64) -> Result<i64> {
    i64::try_from(version).map_err(|_| Failure::Record("version"))
}
