//! The token desk in memory.

use super::{MemoryStore, State};
use crate::{Desk, Result};
use async_trait::async_trait;
use grantor_protocol::value::{ItemId, Subject, TenantName, WorkspaceId};
use grantor_protocol::workspace::{Item, Right, Workspace};

#[async_trait]
impl Desk for MemoryStore {
    async fn keep_workspace(&self, tenant: &TenantName, workspace: Workspace) -> Result<bool> {
        let mut state = self.lock();
        let key = (tenant.clone(), workspace.id);
        let there = state.workspaces.get(&key);
        let follows = there.map_or(0, |there| there.version).checked_add(1) == Some(workspace.version);
        let said = there == Some(&workspace);
        if follows {
            state.workspaces.insert(key, workspace);
        }
        Ok(follows || said)
    }

    async fn workspaces(&self, tenant: &TenantName, of: &Subject) -> Result<Vec<Workspace>> {
        let state = self.lock();
        let here =
            state.workspaces.iter().filter(|((at, _), workspace)| at == tenant && workspace.members.contains_key(of));
        Ok(here.map(|(_, workspace)| workspace.clone()).collect())
    }

    async fn drop_workspace(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<bool> {
        let mut state = self.lock();
        if state.items.keys().any(|(at, within, _)| at == tenant && *within == workspace) {
            return Ok(false);
        }
        state.workspaces.remove(&(tenant.clone(), workspace));
        Ok(true)
    }

    async fn keep_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: Item) -> Result<bool> {
        let mut state = self.lock();
        if !state.workspaces.contains_key(&(tenant.clone(), workspace)) {
            return Ok(false);
        }
        let key = (tenant.clone(), workspace, item.id);
        let there = state.items.get(&key);
        let follows = there.map_or(0, |there| there.version).checked_add(1) == Some(item.version);
        let said = there == Some(&item);
        if follows {
            state.items.insert(key, item);
        }
        Ok(follows || said)
    }

    async fn item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId) -> Result<Option<Item>> {
        Ok(self.lock().items.get(&(tenant.clone(), workspace, item)).cloned())
    }

    async fn items(&self, tenant: &TenantName, workspace: WorkspaceId) -> Result<Vec<Item>> {
        let state = self.lock();
        let here = state.items.iter().filter(|((at, within, _), _)| at == tenant && *within == workspace);
        Ok(here.map(|(_, item)| item.clone()).collect())
    }

    async fn drop_item(&self, tenant: &TenantName, workspace: WorkspaceId, item: ItemId, version: u64) -> Result<bool> {
        let mut state = self.lock();
        let key = (tenant.clone(), workspace, item);
        if state.items.get(&key).is_some_and(|there| there.version != version) {
            return Ok(false);
        }
        state.items.remove(&key);
        Ok(true)
    }
}

impl State {
    /// His workspaces with all that lies in them, what he put into others, and his place there.
    pub(super) fn clear_desk_of(&mut self, tenant: &TenantName, subject: &Subject) {
        let owned = |workspace: &Workspace| workspace.right_of(subject) == Some(Right::Own);
        let own: Vec<WorkspaceId> = self
            .workspaces
            .iter()
            .filter(|((at, _), held)| at == tenant && owned(held))
            .map(|((_, id), _)| *id)
            .collect();
        self.workspaces.retain(|(at, id), _| at != tenant || !own.contains(id));
        self.items.retain(|(at, within, _), item| at != tenant || (!own.contains(within) && &item.owner != subject));
        for ((at, _), workspace) in &mut self.workspaces {
            if at == tenant && workspace.members.remove(subject).is_some() {
                workspace.version = workspace.version.saturating_add(1);
            }
        }
    }
}
