//! Indexes in status lists.

use crate::failure::{Failure, Result};
use grantor_protocol::grant::TokenRef;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{ClientId, GrantId, TenantName, UnixTime};
use rusqlite::{Connection, params};

/// Said twice it is as said once.
pub(crate) fn assign(
    db: &Connection,
    tenant: &TenantName,
    at: StatusIndex,
    token: &TokenRef,
    expires: UnixTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO statuses (tenant, list, idx, token, client, grant_id, expires) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        tenant.as_str(),
        at.list.cast_signed(),
        at.index,
        token.token.as_bytes(),
        token.client.as_str(),
        token.grant.as_ref().map(GrantId::as_bytes),
        expires.get()
    ])?;
    Ok(())
}

/// What [`super::tokens::standing`] says of each, and that clients and users may be disabled.
pub(crate) fn invalid(
    db: &Connection,
    tenant: &TenantName,
    list: u64,
    disabled: &[ClientId],
) -> Result<Option<Vec<u32>>> {
    let used = db
        .prepare_cached("SELECT 1 FROM statuses WHERE tenant = ? AND list = ?")?
        .exists(params![tenant.as_str(), list.cast_signed()])?;
    if !used {
        return Ok(None);
    }
    let disabled = serde_json::to_string(disabled).map_err(Failure::from)?;
    let mut statement = db.prepare_cached(
        "SELECT s.idx FROM statuses AS s
         WHERE s.tenant = ?1 AND s.list = ?2 AND (
           s.token < (SELECT id FROM epoch)
           OR s.client IN (SELECT value FROM json_each(?3))
           OR EXISTS (SELECT 1 FROM revoked_tokens WHERE tenant = ?1 AND token = s.token)
           OR EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND subject = '' AND client = s.client AND cutoff > s.token)
           OR (s.grant_id IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM grants AS g
             WHERE g.place BETWEEN place(s.grant_id) AND place(s.grant_id) + 15 AND g.id = s.grant_id AND +g.tenant = ?1
             AND g.revoked IS NULL AND g.id >= (SELECT id FROM epoch)
             AND NOT EXISTS (SELECT 1 FROM cutoffs WHERE tenant = ?1 AND subject = g.subject
                             AND client IN ('', s.client) AND cutoff > s.token)
             AND NOT EXISTS (SELECT 1 FROM users AS u WHERE u.tenant = ?1 AND u.sub = g.subject
                             AND u.body ->> '$.disabled'))))
         ORDER BY s.idx",
    )?;
    let indexes = statement.query_map(params![tenant.as_str(), list.cast_signed(), disabled], |row| row.get(0))?;
    Ok(Some(indexes.collect::<rusqlite::Result<_>>()?))
}
