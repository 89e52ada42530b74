//! The audit log in memory.

use super::MemoryStore;
use crate::{AuditLog, Result};
use async_trait::async_trait;
use grantor_protocol::audit::Event;
use grantor_protocol::value::{EventId, TenantName};

#[async_trait]
impl AuditLog for MemoryStore {
    async fn record(&self, events: Vec<Event>) -> Result<()> {
        for event in events {
            self.note(event);
        }
        Ok(())
    }

    fn note(&self, event: Event) {
        self.lock().events.insert((event.tenant.clone(), event.id), event);
    }

    async fn events(&self, tenant: &TenantName, after: Option<EventId>, limit: usize) -> Result<Vec<Event>> {
        let state = self.lock();
        let later = state.events.iter().filter(|((at, id), _)| at == tenant && after.is_none_or(|after| *id > after));
        Ok(later.map(|(_, event)| event.clone()).take(limit).collect())
    }
}
