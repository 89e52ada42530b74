//! When credentials were used last, in memory.

use super::MemoryStore;
use crate::{LONGEST_CREDENTIAL_NAME, ONE_USE, Result, Uses};
use async_trait::async_trait;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use std::collections::BTreeMap;

#[async_trait]
impl Uses for MemoryStore {
    fn note_use(&self, tenant: &TenantName, client: &ClientId, credential: &str, now: UnixTime) {
        let mut state = self.lock();
        let declared = state.directory.clients.contains_key(&(tenant.clone(), client.clone()));
        if !declared || credential.len() > LONGEST_CREDENTIAL_NAME {
            return;
        }
        let last = state.uses.entry((tenant.clone(), client.clone(), credential.to_owned())).or_insert(now);
        if now > last.plus(ONE_USE) {
            *last = now;
        }
    }

    async fn last_uses(&self, tenant: &TenantName, client: &ClientId) -> Result<BTreeMap<String, UnixTime>> {
        let state = self.lock();
        let of_client = state.uses.iter().filter(|((at, of, _), _)| at == tenant && of == client);
        Ok(of_client.map(|((_, _, credential), last)| (credential.clone(), *last)).collect())
    }
}
