//! When credentials were used last.

use crate::failure::Result;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::ONE_USE;
use rusqlite::{Connection, params};
use std::collections::BTreeMap;

/// Unless the client is gone, or the use counts as the one that is stored.
pub(crate) fn note(
    db: &Connection,
    tenant: &TenantName,
    client: &ClientId,
    credential: &str,
    now: UnixTime,
) -> Result<()> {
    db.prepare_cached(
        "INSERT INTO credential_uses (tenant, client, credential, time)
         SELECT ?1, ?2, ?3, ?4
         WHERE EXISTS (SELECT 1 FROM directory WHERE kind = 'client' AND tenant = ?1 AND name = ?2)
         ON CONFLICT DO UPDATE SET time = excluded.time WHERE excluded.time > time + ?5",
    )?
    .execute(params![tenant.as_str(), client.as_str(), credential, now.get(), ONE_USE.get()])?;
    Ok(())
}

pub(crate) fn last(db: &Connection, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
    let mut statement =
        db.prepare_cached("SELECT credential, time FROM credential_uses WHERE tenant = ? AND client = ?")?;
    let uses = statement
        .query_map([tenant.as_str(), client.as_str()], |row| Ok((row.get(0)?, UnixTime::new(row.get(1)?))))?
        .collect::<rusqlite::Result<_>>()?;
    Ok(uses)
}
