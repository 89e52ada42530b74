//! Indexes in status lists, in memory.

use super::MemoryStore;
use crate::{Result, Statuses};
use async_trait::async_trait;
use grantor_protocol::grant::{Standing, TokenRef};
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};

#[async_trait]
impl Statuses for MemoryStore {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> Result<()> {
        self.lock().statuses.entry((tenant.clone(), at)).or_insert_with(|| (token.clone(), expires));
        Ok(())
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> Result<Option<Vec<u32>>> {
        let state = self.lock();
        let every = StatusIndex { list, index: 0 }..=StatusIndex { list, index: u32::MAX };
        let every = (tenant.clone(), *every.start())..=(tenant.clone(), *every.end());
        let mut listed = state.statuses.range(every).peekable();
        if listed.peek().is_none() {
            return Ok(None);
        }
        let is_invalid = |token: &TokenRef| match state.standing(tenant, token) {
            Standing::Revoked => true,
            Standing::Good(None) => disabled.contains(&token.client),
            Standing::Good(Some(owned)) => {
                disabled.contains(&token.client) || owned.owner.is_some_and(|user| user.disabled)
            }
        };
        Ok(Some(listed.filter(|(_, (token, _))| is_invalid(token)).map(|((_, at), _)| at.index).collect()))
    }
}
