//! The token desk as one user sees it: his workspaces, what he may see in them, and changing it. What an item is rests
//! sealed under the master key; it is opened here and nowhere else.

mod abroad;
mod add;
mod obtain;
mod renew;
mod saved;
mod send;
mod share;

pub(crate) use abroad::Stopped;
pub(crate) use obtain::{CALLBACK, Flow, Next, Place};
pub(crate) use saved::OpenedDocument;
pub(crate) use send::{Bench, Choice, Sent};

use share::Source;

use crate::extract::Call;
use crate::failure::failed;
use grantor_protocol::Refusal;
use grantor_protocol::desk::Given;
use grantor_protocol::directory::User;
use grantor_protocol::token::TokenResponse;
use grantor_protocol::value::{GrantId, ItemId, Scope, Subject, WorkspaceId};
use grantor_protocol::workspace::{Content, Item, KeptToken, MOST_ITEMS, MOST_WORKSPACES, Right, Workspace};
use zeroize::Zeroizing;

/// How often a change is begun anew because somebody else was faster.
const ROUNDS: usize = 32;

/// A signed-in user at his desk.
pub(crate) struct Seat<'a> {
    pub(crate) call: &'a Call,
    pub(crate) user: &'a User,
}

/// An item that was opened.
pub(crate) struct Opened {
    pub(crate) item: Item,
    pub(crate) token: KeptToken,
}

/// What may become of an item.
pub(crate) enum ItemChange<'a> {
    /// It is called something else.
    Rename(&'a str),
    /// These came for its refresh token.
    Renewed(&'a TokenResponse),
    /// These came by the settings that obtained it.
    Refreshed(&'a Given),
    /// Its settings obtained another, which nobody shares yet.
    Obtained(&'a KeptToken),
    /// It was taken back at its server.
    Revoked,
    /// Others may use it.
    Share,
    /// Not any more.
    Unshare,
    /// The user is about to be given what is derived from this source, for these scopes.
    Use(&'a Source, &'a Scope),
}

impl Opened {
    /// None for what is no token.
    fn of(item: Item, content: Content) -> Option<Self> {
        content.into_token().map(|token| Self { item, token })
    }
}

impl<'a> Seat<'a> {
    /// Where the tenant has a desk.
    pub(crate) fn take(call: &'a Call, user: &'a User) -> Result<Self, Refusal> {
        if call.tenancy.directory.tenant.desk { Ok(Self { call, user }) } else { Err(Refusal::NotOnTheDesk) }
    }

    /// His workspaces, and those of others that he is a member of.
    pub(crate) async fn workspaces(&self) -> Result<Vec<Workspace>, Refusal> {
        let found = self.call.context.store.workspaces(self.call.tenancy.name(), &self.user.sub).await;
        found.map_err(|error| failed(&error))
    }

    /// One of them, in which he may do what needs `right`.
    pub(crate) async fn workspace(&self, id: WorkspaceId, right: Right) -> Result<Workspace, Refusal> {
        let all = self.workspaces().await?;
        let found = all.into_iter().find(|workspace| workspace.id == id).ok_or(Refusal::NotOnTheDesk)?;
        found.admits(&self.user.sub, right)?;
        Ok(found)
    }

    /// A new workspace of his own.
    pub(crate) async fn open(&self, name: String) -> Result<Workspace, Refusal> {
        let own = |workspace: &&Workspace| workspace.owner() == Some(&self.user.sub);
        if self.workspaces().await?.iter().filter(own).count() >= MOST_WORKSPACES {
            return Err(Refusal::DeskIsFull);
        }
        let world = &self.call.context.world;
        let id = WorkspaceId::new(world.millis(), world.random());
        let workspace = Workspace::new(id, self.user.sub.clone(), name);
        self.keep(workspace.clone()).await?;
        Ok(workspace)
    }

    /// Changes a workspace as it stands.
    pub(crate) async fn change(
        &self,
        id: WorkspaceId,
        change: impl Fn(Workspace) -> Result<Workspace, Refusal>,
    ) -> Result<Workspace, Refusal> {
        for _ in 0..ROUNDS {
            let changed = change(self.workspace(id, Right::View).await?)?;
            if self.keep(changed.clone()).await? {
                return Ok(changed);
            }
        }
        Err(Refusal::Busy)
    }

    /// What he sees in a workspace: his own, and what is shared.
    pub(crate) async fn items(&self, workspace: &Workspace) -> Result<Vec<Opened>, Refusal> {
        let all = self.all_items(workspace.id).await?;
        Ok(all.into_iter().filter(|opened| self.sees(workspace, opened)).collect())
    }

    /// One of them.
    pub(crate) async fn item(&self, workspace: &Workspace, id: ItemId) -> Result<Opened, Refusal> {
        let opened = self.any_item(workspace.id, id).await?.ok_or(Refusal::NotOnTheDesk)?;
        if self.sees(workspace, &opened) { Ok(opened) } else { Err(Refusal::NotOnTheDesk) }
    }

    /// Puts something new into a workspace.
    pub(crate) async fn put(&self, workspace: &Workspace, token: KeptToken) -> Result<(), Refusal> {
        self.put_content(workspace, Content::Token(Box::new(token))).await.map(drop)
    }

    async fn put_content(&self, workspace: &Workspace, content: Content) -> Result<ItemId, Refusal> {
        workspace.admits(&self.user.sub, Right::Manage)?;
        if self.contents(workspace.id).await?.len() >= MOST_ITEMS {
            return Err(Refusal::DeskIsFull);
        }
        let world = &self.call.context.world;
        let id = ItemId::new(world.millis(), world.random());
        let blank = Item { id, owner: self.user.sub.clone(), version: 1, sealed: Vec::new() };
        if self.keep_item(workspace.id, blank, content).await? { Ok(id) } else { Err(Refusal::NotOnTheDesk) }
    }

    /// Changes an item as it stands. Gives the grant behind a use.
    pub(crate) async fn change_item(
        &self,
        workspace: &Workspace,
        id: ItemId,
        change: &ItemChange<'_>,
    ) -> Result<Option<GrantId>, Refusal> {
        for _ in 0..ROUNDS {
            let mut opened = self.item(workspace, id).await?;
            let mut grant = None;
            match change {
                ItemChange::Rename(name) => {
                    self.may_manage(workspace, &opened)?;
                    (*name).clone_into(&mut opened.token.name);
                }
                ItemChange::Renewed(tokens) => self.renewed(&mut opened.token, tokens),
                ItemChange::Refreshed(given) => self.refreshed(&mut opened.token, given),
                ItemChange::Obtained(token) => {
                    self.take_back(&mut opened).await?;
                    opened.token = (*token).clone();
                }
                ItemChange::Revoked => {
                    self.take_back(&mut opened).await?;
                    let now = self.call.now();
                    let token = &mut opened.token;
                    (token.shared, token.refresh_token) = (false, None);
                    token.expires = Some(token.expires.map_or(now, |expires| expires.min(now)));
                }
                ItemChange::Share => {
                    self.may_be_shared(&opened).await?;
                    opened.token.shared = true;
                }
                ItemChange::Unshare => {
                    self.may_manage(workspace, &opened)?;
                    self.take_back(&mut opened).await?;
                    opened.token.shared = false;
                }
                ItemChange::Use(source, scope) => {
                    if !self.is_shared(workspace, &opened) {
                        return Err(Refusal::SharingOff);
                    }
                    grant = Some(self.share_grant(&mut opened, source).await?);
                    opened.token.note_use(self.user.sub.clone(), self.call.now(), scope.to_string());
                }
            }
            let Opened { mut item, token } = opened;
            item.version = item.version.saturating_add(1);
            if self.keep_item(workspace.id, item, Content::Token(Box::new(token))).await? {
                return Ok(grant);
            }
        }
        Err(Refusal::Busy)
    }

    /// Drops an item; whatever was derived from it is worth nothing at once.
    pub(crate) async fn drop_item(&self, workspace: WorkspaceId, id: ItemId) -> Result<(), Refusal> {
        for _ in 0..ROUNDS {
            let (store, tenant) = (&self.call.context.store, self.call.tenancy.name());
            let Some(item) = store.item(tenant, workspace, id).await.map_err(|error| failed(&error))? else {
                return Ok(());
            };
            let version = item.version;
            // What cannot be opened any more was shared with nobody who could use it.
            if let Some(mut opened) = self.opened(workspace, item).and_then(|(item, content)| Opened::of(item, content))
            {
                self.take_back(&mut opened).await?;
            }
            if store.drop_item(tenant, workspace, id, version).await.map_err(|error| failed(&error))? {
                return Ok(());
            }
        }
        Err(Refusal::Busy)
    }

    /// Whether he may do with an item what its owner may, and whoever manages what he sees.
    pub(crate) fn may_manage(&self, workspace: &Workspace, opened: &Opened) -> Result<(), Refusal> {
        if self.owns(opened) { Ok(()) } else { workspace.admits(&self.user.sub, Right::Manage) }
    }

    /// Whether he put it there.
    pub(crate) fn owns(&self, opened: &Opened) -> bool {
        opened.item.owner == self.user.sub
    }

    /// Whether other members may use it, by every switch that there is.
    pub(crate) fn is_shared(&self, workspace: &Workspace, opened: &Opened) -> bool {
        opened.token.shared && self.sharing_is_on(workspace, &opened.item)
    }

    /// Whether what its owner shares is shared here.
    pub(crate) fn sharing_is_on(&self, workspace: &Workspace, item: &Item) -> bool {
        let owner_is_there = workspace.right_of(&item.owner).is_some();
        self.call.tenancy.directory.tenant.desk_sharing && workspace.sharing && owner_is_there
    }

    fn sees(&self, workspace: &Workspace, opened: &Opened) -> bool {
        self.owns(opened) || self.is_shared(workspace, opened)
    }

    async fn all_items(&self, workspace: WorkspaceId) -> Result<Vec<Opened>, Refusal> {
        let all = self.contents(workspace).await?.into_iter();
        Ok(all.filter_map(|(item, content)| Opened::of(item, content)).collect())
    }

    async fn any_item(&self, workspace: WorkspaceId, id: ItemId) -> Result<Option<Opened>, Refusal> {
        Ok(self.content(workspace, id).await?.and_then(|(item, content)| Opened::of(item, content)))
    }

    async fn contents(&self, workspace: WorkspaceId) -> Result<Vec<(Item, Content)>, Refusal> {
        let items = self.call.context.store.items(self.call.tenancy.name(), workspace).await;
        let items = items.map_err(|error| failed(&error))?;
        Ok(items.into_iter().filter_map(|item| self.opened(workspace, item)).collect())
    }

    async fn content(&self, workspace: WorkspaceId, id: ItemId) -> Result<Option<(Item, Content)>, Refusal> {
        let item = self.call.context.store.item(self.call.tenancy.name(), workspace, id).await;
        Ok(item.map_err(|error| failed(&error))?.and_then(|item| self.opened(workspace, item)))
    }

    /// None for what was sealed under another key, or is of a kind that this program does not know.
    fn opened(&self, workspace: WorkspaceId, item: Item) -> Option<(Item, Content)> {
        let document = self.call.context.master.open_item(self.call.tenancy.name(), workspace, &item);
        let content = document.and_then(|document| serde_json::from_slice::<Content>(&document).ok());
        if content.is_none() {
            tracing::warn!(tenant = %self.call.tenancy.name(), item = %item.id, "an item of the desk cannot be opened");
        }
        content.map(|content| (item, content))
    }

    async fn keep(&self, workspace: Workspace) -> Result<bool, Refusal> {
        let kept = self.call.context.store.keep_workspace(self.call.tenancy.name(), workspace).await;
        kept.map_err(|error| failed(&error))
    }

    async fn keep_item(&self, workspace: WorkspaceId, item: Item, content: Content) -> Result<bool, Refusal> {
        let (context, tenant) = (&self.call.context, self.call.tenancy.name());
        let document = serde_json::to_vec(&content).map_err(|_| Refusal::Broken)?;
        let document = Zeroizing::new(document);
        let sealed = context.master.seal_item(tenant, workspace, &item, context.world.random(), &document);
        let kept = context.store.keep_item(tenant, workspace, Item { sealed, ..item }).await;
        kept.map_err(|error| failed(&error))
    }
}

/// The one whom a form names by his username.
pub(crate) async fn member(call: &Call, username: &str) -> Result<Subject, Refusal> {
    let found = call.context.store.user_by_username(call.tenancy.name(), username.trim()).await;
    let found = found.map_err(|error| failed(&error))?;
    found.filter(|user| !user.disabled).map(|user| user.sub).ok_or(Refusal::NotOnTheDesk)
}
