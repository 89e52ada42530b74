//! The token desk: workspaces, their members, and what lies in them.

use crate::failure::{Failure, Result};
use grantor_protocol::value::{ItemId, Subject, TenantName, WorkspaceId};
use grantor_protocol::workspace::{Item, Right, Workspace};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// What hung on a user.
const OF_A_USER: [&str; 5] = [
    "DELETE FROM desk_items WHERE tenant = ?1 AND (owner = ?2 OR workspace IN
       (SELECT workspace FROM workspace_members WHERE tenant = ?1 AND subject = ?2 AND may = 'own'))",
    "DELETE FROM workspaces WHERE tenant = ?1 AND id IN
       (SELECT workspace FROM workspace_members WHERE tenant = ?1 AND subject = ?2 AND may = 'own')",
    "UPDATE workspaces SET version = version + 1 WHERE tenant = ?1 AND id IN
       (SELECT workspace FROM workspace_members WHERE tenant = ?1 AND subject = ?2)",
    "DELETE FROM workspace_members WHERE tenant = ?1 AND workspace IN
       (SELECT workspace FROM workspace_members WHERE tenant = ?1 AND subject = ?2 AND may = 'own')",
    "DELETE FROM workspace_members WHERE tenant = ?1 AND subject = ?2",
];

/// Said twice it is as said once.
pub(crate) fn keep_workspace(db: &Connection, tenant: &TenantName, workspace: &Workspace) -> Result<bool> {
    let Workspace { id, version, name, sharing, members } = workspace;
    let (version, before) = versions(*version)?;
    let sql = if before == 0 {
        "INSERT INTO workspaces (tenant, id, version, name, sharing) SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 = 0
         ON CONFLICT DO NOTHING"
    } else {
        "UPDATE workspaces SET version = ?3, name = ?4, sharing = ?5 WHERE tenant = ?1 AND id = ?2 AND version = ?6"
    };
    let kept =
        db.prepare_cached(sql)?.execute(params![tenant.as_str(), id.as_bytes(), version, name, sharing, before])?;
    if kept == 0 {
        return Ok(find(db, tenant, *id)?.as_ref() == Some(workspace));
    }
    db.prepare_cached("DELETE FROM workspace_members WHERE tenant = ? AND workspace = ?")?
        .execute(params![tenant.as_str(), id.as_bytes()])?;
    let mut insert =
        db.prepare_cached("INSERT INTO workspace_members (tenant, workspace, subject, may) VALUES (?, ?, ?, ?)")?;
    for (subject, right) in members {
        insert.execute(params![tenant.as_str(), id.as_bytes(), subject.as_str(), right.as_str()])?;
    }
    Ok(true)
}

pub(crate) fn workspaces(db: &Connection, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
    let mut statement = db.prepare_cached(
        "SELECT w.id, w.version, w.name, w.sharing, m.subject, m.may
         FROM workspace_members AS own
         JOIN workspaces AS w ON w.tenant = own.tenant AND w.id = own.workspace
         JOIN workspace_members AS m ON m.tenant = w.tenant AND m.workspace = w.id
         WHERE own.tenant = ? AND own.subject = ? ORDER BY w.id",
    )?;
    collected(&mut statement.query([tenant.as_str(), of.as_str()])?)
}

/// Gives whether it is gone.
pub(crate) fn drop_workspace(db: &Connection, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
    let key = params![tenant.as_str(), workspace.as_bytes()];
    if db.prepare_cached("SELECT 1 FROM desk_items WHERE tenant = ? AND workspace = ?")?.exists(key)? {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM workspaces WHERE tenant = ? AND id = ?")?.execute(key)?;
    db.prepare_cached("DELETE FROM workspace_members WHERE tenant = ? AND workspace = ?")?.execute(key)?;
    Ok(true)
}

/// Said twice it is as said once. Writes once at the most.
pub(crate) fn keep_item(db: &Connection, tenant: &TenantName, within: WorkspaceId, item: &Item) -> Result<bool> {
    let (version, before) = versions(item.version)?;
    let sql = if before == 0 {
        "INSERT INTO desk_items (tenant, workspace, id, owner, version, sealed)
         SELECT tenant, id, ?3, ?4, ?5, ?6 FROM workspaces WHERE tenant = ?1 AND id = ?2 AND ?7 = 0
         ON CONFLICT DO NOTHING"
    } else {
        "UPDATE desk_items SET owner = ?4, version = ?5, sealed = ?6
         WHERE tenant = ?1 AND workspace = ?2 AND id = ?3 AND version = ?7"
    };
    let kept = db.prepare_cached(sql)?.execute(params![
        tenant.as_str(),
        within.as_bytes(),
        item.id.as_bytes(),
        item.owner.as_str(),
        version,
        item.sealed,
        before
    ])?;
    Ok(kept == 1 || self::item(db, tenant, within, item.id)?.as_ref() == Some(item))
}

pub(crate) fn item(db: &Connection, tenant: &TenantName, within: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
    db.prepare_cached(
        "SELECT id, owner, version, sealed FROM desk_items WHERE tenant = ? AND workspace = ? AND id = ?",
    )?
    .query_row(params![tenant.as_str(), within.as_bytes(), item.as_bytes()], |row| Ok(found(row)))
    .optional()?
    .transpose()
}

pub(crate) fn items(db: &Connection, tenant: &TenantName, within: WorkspaceId) -> Result<Vec<Item>> {
    let mut statement = db.prepare_cached(
        "SELECT id, owner, version, sealed FROM desk_items WHERE tenant = ? AND workspace = ? ORDER BY id",
    )?;
    let rows = statement.query_map(params![tenant.as_str(), within.as_bytes()], |row| Ok(found(row)))?;
    rows.map(|row| row?).collect()
}

/// Gives whether it is gone.
pub(crate) fn drop_item(
    db: &Connection,
    tenant: &TenantName,
    within: WorkspaceId,
    item: ItemId,
    version: u64,
) -> Result<bool> {
    let (version, _) = versions(version)?;
    let dropped = db
        .prepare_cached("DELETE FROM desk_items WHERE tenant = ? AND workspace = ? AND id = ? AND version = ?")?
        .execute(params![tenant.as_str(), within.as_bytes(), item.as_bytes(), version])?;
    Ok(dropped == 1 || self::item(db, tenant, within, item)?.is_none())
}

/// His workspaces with all that lies in them, what he put into others, and his place there.
pub(crate) fn clear_of(db: &Connection, tenant: &TenantName, subject: &Subject) -> Result<()> {
    for sql in OF_A_USER {
        db.prepare_cached(sql)?.execute([tenant.as_str(), subject.as_str()])?;
    }
    Ok(())
}

fn find(db: &Connection, tenant: &TenantName, id: WorkspaceId) -> Result<Option<Workspace>> {
    let mut statement = db.prepare_cached(
        "SELECT w.id, w.version, w.name, w.sharing, m.subject, m.may
         FROM workspaces AS w JOIN workspace_members AS m ON m.tenant = w.tenant AND m.workspace = w.id
         WHERE w.tenant = ? AND w.id = ?",
    )?;
    Ok(collected(&mut statement.query(params![tenant.as_str(), id.as_bytes()])?)?.pop())
}

/// From rows of one member each, those of one workspace together.
fn collected(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<Workspace>> {
    let mut all: Vec<Workspace> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = WorkspaceId::from_bytes(row.get(0)?);
        if all.last().is_none_or(|last| last.id != id) {
            let version = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Failure::Record("version"))?;
            let (name, sharing) = (row.get(2)?, row.get(3)?);
            all.push(Workspace { id, version, name, sharing, members: std::collections::BTreeMap::new() });
        }
        let subject = Subject::parse(&row.get::<_, String>(4)?).ok_or(Failure::Record("subject"))?;
        let right = Right::parse(&row.get::<_, String>(5)?).ok_or(Failure::Record("right"))?;
        all.last_mut().map(|last| last.members.insert(subject, right));
    }
    Ok(all)
}

fn found(row: &Row<'_>) -> Result<Item> {
    Ok(Item {
        id: ItemId::from_bytes(row.get(0)?),
        owner: Subject::parse(&row.get::<_, String>(1)?).ok_or(Failure::Record("subject"))?,
        version: u64::try_from(row.get::<_, i64>(2)?).map_err(|_| Failure::Record("version"))?,
        sealed: row.get(3)?,
    })
}

/// A version, and the one before it.
fn versions(version: u64) -> Result<(i64, i64)> {
    let version = i64::try_from(version).map_err(|_| Failure::Record("version"))?;
    Ok((version, version.saturating_sub(1)))
}
