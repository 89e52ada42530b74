//! Saved requests and environments. Who did not put a document there sees it only while it is shared, and never its secrets.

use super::{ROUNDS, Seat};
use grantor_protocol::Refusal;
use grantor_protocol::audit::Action;
use grantor_protocol::value::ItemId;
use grantor_protocol::workspace::{Content, Document, Item, Right, Saved, Workspace};
use zeroize::Zeroizing;

/// A document that was opened. Of one that somebody else put there the secrets are left out.
pub(crate) struct OpenedDocument<D> {
    pub(crate) item: Item,
    pub(crate) saved: Saved<D>,
}

impl Seat<'_> {
    /// The documents of a kind that he sees in a workspace: his own, and what is shared.
    pub(crate) async fn documents<D: Document>(&self, here: &Workspace) -> Result<Vec<OpenedDocument<D>>, Refusal> {
        let all = self.contents(here.id).await?.into_iter();
        let all = all.filter_map(|(item, content)| D::from_content(content).map(|saved| (item, saved)));
        Ok(all.filter_map(|(item, saved)| self.seen(here, item, saved)).collect())
    }

    /// One of them.
    pub(crate) async fn document<D: Document>(
        &self,
        here: &Workspace,
        id: ItemId,
    ) -> Result<OpenedDocument<D>, Refusal> {
        let found = self.content(here.id, id).await?;
        let found = found.and_then(|(item, content)| D::from_content(content).map(|saved| (item, saved)));
        found.and_then(|(item, saved)| self.seen(here, item, saved)).ok_or(Refusal::NotOnTheDesk)
    }

    /// Puts a new one into a workspace.
    pub(crate) async fn save<D: Document>(&self, here: &Workspace, document: D) -> Result<ItemId, Refusal> {
        self.put_content(here, fitting(Saved::new(document))?).await
    }

    /// Changes one in the version that he saw, which only he may who put it there: nobody else has all of it.
    pub(crate) async fn change_document<D: Document, T, E: From<Refusal>>(
        &self,
        here: &Workspace,
        (id, version): (ItemId, u64),
        change: impl FnOnce(&mut Saved<D>) -> Result<T, E>,
    ) -> Result<T, E> {
        let OpenedDocument { mut item, mut saved } = self.document::<D>(here, id).await?;
        if item.owner != self.user.sub {
            return Err(Refusal::RightMissing.into());
        }
        if item.version != version {
            return Err(Refusal::ChangedMeanwhile.into());
        }
        let done = change(&mut saved)?;
        item.version = item.version.saturating_add(1);
        let kept = self.keep_item(here.id, item, fitting(saved)?).await?;
        if kept { Ok(done) } else { Err(Refusal::ChangedMeanwhile.into()) }
    }

    /// Lets the other members see one, without its secrets, or not any more. On: by whoever put it there. Off: also by whoever
    /// manages what he sees.
    pub(crate) async fn share_document<D: Document>(
        &self,
        here: &Workspace,
        id: ItemId,
        on: bool,
    ) -> Result<(), Refusal> {
        if on && !self.call.tenancy.directory.tenant.desk_sharing {
            return Err(Refusal::SharingOff);
        }
        for _ in 0..ROUNDS {
            let seen = self.document::<D>(here, id).await?;
            if seen.item.owner != self.user.sub {
                if on {
                    return Err(Refusal::RightMissing);
                }
                here.admits(&self.user.sub, Right::Manage)?;
            }
            // With its secrets, which who manages does not see.
            let (mut item, content) = self.content(here.id, id).await?.ok_or(Refusal::NotOnTheDesk)?;
            let mut saved = D::from_content(content).ok_or(Refusal::NotOnTheDesk)?;
            saved.shared = on;
            item.version = item.version.saturating_add(1);
            if self.keep_item(here.id, item, D::into_content(saved)).await? {
                let what = if on { "desk sharing on" } else { "desk sharing off" };
                return self.note(Action::Configuration, what, &id.to_string()).await;
            }
        }
        Err(Refusal::Busy)
    }

    /// Drops one: its owner, or whoever manages what he sees.
    pub(crate) async fn drop_document<D: Document>(&self, here: &Workspace, id: ItemId) -> Result<(), Refusal> {
        let opened = self.document::<D>(here, id).await?;
        if opened.item.owner != self.user.sub {
            here.admits(&self.user.sub, Right::Manage)?;
        }
        self.drop_item(here.id, id).await
    }

    fn seen<D: Document>(&self, here: &Workspace, item: Item, saved: Saved<D>) -> Option<OpenedDocument<D>> {
        if item.owner == self.user.sub {
            return Some(OpenedDocument { item, saved });
        }
        let is_shared = saved.shared && self.sharing_is_on(here, &item);
        is_shared.then(|| OpenedDocument { item, saved: saved.without_secrets() })
    }
}

/// As an item, when it is not too long for one.
fn fitting<D: Document>(saved: Saved<D>) -> Result<Content, Refusal> {
    let content = D::into_content(saved);
    let bytes = serde_json::to_vec(&content).map(Zeroizing::new).map_err(|_| Refusal::Broken)?;
    if bytes.len() > D::MOST_BYTES { Err(Refusal::DeskIsFull) } else { Ok(content) }
}
