//! Sessions, consents and remembered values in memory.

use super::MemoryStore;
use crate::{Result, Sessions};
use async_trait::async_trait;
use grantor_protocol::grant::{Access, Consent};
use grantor_protocol::session::Session;
use grantor_protocol::value::{ClientId, Subject, TenantName, UnixTime};
use std::cmp::Reverse;

#[async_trait]
impl Sessions for MemoryStore {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> Result<()> {
        let mut state = self.lock();
        if let Some(key) = replaces {
            state.sessions.remove(&(session.tenant.clone(), key));
        }
        state.sessions.insert((session.tenant.clone(), session.key), session);
        Ok(())
    }

    async fn session(&self, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
        Ok(self.lock().sessions.get(&(tenant.clone(), *key)).filter(|session| now < session.expires).cloned())
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
        self.lock().sessions.remove(&(tenant.clone(), *key));
        Ok(())
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> Result<()> {
        self.lock().sessions.retain(|(at, _), session| at != tenant || &session.subject != subject);
        Ok(())
    }

    async fn record_consent(
        &self,
        tenant: &TenantName,
        subject: &Subject,
        client: &ClientId,
        asked: &Access,
        allowed: &Access,
        now: UnixTime,
    ) -> Result<()> {
        let mut state = self.lock();
        let consent =
            state.consents.entry((tenant.clone(), subject.clone(), client.clone())).or_insert_with(|| Consent {
                subject: subject.clone(),
                client: client.clone(),
                access: Access::default(),
                first: now,
                last: now,
            });
        consent.access = consent.access.without(asked).union(allowed);
        consent.last = consent.last.max(now);
        Ok(())
    }

    async fn consent(&self, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<Option<Consent>> {
        Ok(self.lock().consents.get(&(tenant.clone(), subject.clone(), client.clone())).cloned())
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
        let state = self.lock();
        let of_subject = state.consents.iter().filter(|((at, by, _), _)| at == tenant && by == subject);
        let mut consents: Vec<_> = of_subject.map(|(_, consent)| consent.clone()).collect();
        consents.sort_by_key(|consent| Reverse(consent.last));
        Ok(consents)
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<bool> {
        let mut state = self.lock();
        let key = (tenant.clone(), purpose.to_owned(), *value);
        if state.remembered.get(&key).is_some_and(|until| now < *until) {
            return Ok(false);
        }
        state.remembered.insert(key, expires);
        Ok(true)
    }
}
