//! The audit log.

use crate::failure::Result;
use grantor_protocol::audit::Event;
use grantor_protocol::value::{EventId, TenantName};
use rusqlite::{Connection, params};

pub(crate) fn append(db: &Connection, event: &Event) -> Result<()> {
    db.prepare_cached("INSERT INTO events (tenant, id, body) VALUES (?, ?, ?)")?.execute(params![
        event.tenant.as_str(),
        event.id.as_bytes(),
        serde_json::to_string(event)?
    ])?;
    Ok(())
}

pub(crate) fn after(db: &Connection, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
    let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
    let mut statement = db.prepare_cached("SELECT body FROM events WHERE tenant = ? AND id > ? ORDER BY id LIMIT ?")?;
    let mut rows = statement.query(params![tenant.as_str(), after, i64::try_from(limit).unwrap_or(i64::MAX)])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?);
    }
    Ok(events)
}
