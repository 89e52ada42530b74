//! The audit log.

use super::directory::{document, read};
use crate::PostgresStore;
use crate::connect::Live;
use crate::failure::Result;
use async_trait::async_trait;
use grantor_protocol::audit::Event;
use grantor_protocol::value::{EventId, TenantName};
use grantor_store::AuditLog;
use uuid::Uuid;

/// An event that is there already is this one, whose answer was lost.
const APPEND: &str = "INSERT INTO events (tenant, id, body)
     SELECT tenant, id, body FROM unnest($1::text[], $2::uuid[], $3::text[]) AS new (tenant, id, body)
     ON CONFLICT (tenant, id) DO NOTHING";
const AFTER: &str = "SELECT body FROM events WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";

#[async_trait]
impl AuditLog for PostgresStore {
    async fn record(&self, events: Vec<Event>) -> grantor_store::Result<()> {
        self.connections.in_time(self.notes.record(events)).await
    }

    fn note(&self, event: Event) {
        self.notes.event(event);
    }

    async fn events(
        &self,
        tenant: &TenantName,
        after: Option<EventId>,
        limit: usize,
    ) -> grantor_store::Result<Vec<Event>> {
        let (tenant, limit) = (tenant.as_str(), i64::try_from(limit).unwrap_or(i64::MAX));
        let after = after.map_or(Uuid::nil(), |id| Uuid::from_bytes(*id.as_bytes()));
        let rows = read(&self.connections, AFTER, &[&tenant, &after, &limit]).await?;
        Ok(rows.iter().map(|row| document(row, 0)).collect::<Result<_>>()?)
    }
}

/// All of them or none; may be done twice.
pub(crate) async fn append(db: &Live, events: &[&Event]) -> Result<()> {
    let tenants: Vec<&str> = events.iter().map(|event| event.tenant.as_str()).collect();
    let ids: Vec<Uuid> = events.iter().map(|event| Uuid::from_bytes(*event.id.as_bytes())).collect();
    let bodies: Vec<String> = events.iter().map(serde_json::to_string).collect::<std::result::Result<_, _>>()?;
    db.execute(APPEND, &[&tenants, &ids, &bodies]).await?;
    Ok(())
}
