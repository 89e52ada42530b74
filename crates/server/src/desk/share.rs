//! Sharing without giving away (docs/adr/0021-desk-sharing.md). The order of the steps is what makes the end of sharing an
//! end at once: a derived token's grant is written down with the item before the member's right is looked at for the last
//! time, and whoever ends the sharing ends the right first and the grants after it. One of the two sees the other's work.

use super::add::asked_scope;
use super::{ItemChange, Opened, ROUNDS, Seat};
use crate::failure::failed;
use crate::token::open_access_token;
use crate::{issue, proof, status_lists};
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::client::Client;
use grantor_protocol::directory::{Api, User};
use grantor_protocol::grant::{Grant, GrantType, Redemption, Spend, Standing, TokenRef};
use grantor_protocol::narrow;
use grantor_protocol::params::Params;
use grantor_protocol::token::dpop::Proof;
use grantor_protocol::token::{AccessToken, Binding, presented_subject};
use grantor_protocol::value::{CodeId, GrantId, ItemId, Scope, Seconds, Subject, TokenId, WorkspaceId};
use grantor_protocol::workspace::{Derivation, Right, Workspace, derive, may_share, share_terms};
use std::sync::Arc;

/// As what a policy and the figures see a derived token: the user's grant is used once more.
const AS: GrantType = GrantType::RefreshToken;

/// A code that nobody ever sees is spent at once.
const CODE_LIFE: Seconds = Seconds::new(60);

/// What a member is given.
pub(crate) struct Derived {
    pub(crate) access_token: String,
    pub(crate) token: AccessToken,
}

/// Everything that must be so for a member to be given a token.
pub(crate) struct Source {
    token: AccessToken,
    grant: Grant,
    owner: User,
    client: Arc<Client>,
    apis: Vec<Arc<Api>>,
    allowed: Scope,
}

impl Seat<'_> {
    /// Lets the others use an item, or not any more. On: by whoever put it there, for a token that is his to share. Off:
    /// also by whoever manages.
    pub(crate) async fn share(&self, workspace: &Workspace, id: ItemId, on: bool) -> Result<(), Refusal> {
        self.change_item(workspace, id, if on { &ItemChange::Share } else { &ItemChange::Unshare }).await?;
        let what = if on { "desk sharing on" } else { "desk sharing off" };
        self.note(Action::Configuration, what, &id.to_string()).await
    }

    /// Whether he may let others use it: what he put there, and is his to share.
    pub(super) async fn may_be_shared(&self, opened: &Opened) -> Result<(), Refusal> {
        if !self.call.tenancy.directory.tenant.desk_sharing {
            return Err(Refusal::SharingOff);
        }
        if !self.owns(opened) {
            return Err(Refusal::RightMissing);
        }
        self.source(opened).await.map(drop)
    }

    /// The switch of a workspace: its owner's to put on, and whoever manages puts it off. What had been derived is worth
    /// nothing at once.
    pub(crate) async fn share_workspace(&self, id: WorkspaceId, on: bool) -> Result<(), Refusal> {
        if on && !self.call.tenancy.directory.tenant.desk_sharing {
            return Err(Refusal::SharingOff);
        }
        self.workspace(id, if on { Right::Own } else { Right::Manage }).await?;
        if !on {
            self.take_back_all(id, None).await?;
        }
        self.change(id, |workspace| Ok(Workspace { sharing: on, ..workspace }.changed())).await?;
        if !on {
            self.take_back_all(id, None).await?;
        }
        let what = if on { "desk workspace sharing on" } else { "desk workspace sharing off" };
        self.note(Action::Configuration, what, &id.to_string()).await
    }

    /// Lets somebody in, or changes what he may do; what he derived by a larger right is taken back.
    pub(crate) async fn admit(&self, id: WorkspaceId, member: &Subject, right: Right) -> Result<(), Refusal> {
        self.change(id, |workspace| workspace.admit(&self.user.sub, member, right)).await?;
        if right < Right::Use {
            self.take_back_all(id, Some(member)).await?;
        }
        self.note(Action::Configuration, "desk member admitted", member).await
    }

    /// Sends a member away: what he derived is worth nothing at once, and what he had put there goes.
    pub(crate) async fn dismiss(&self, id: WorkspaceId, member: &Subject) -> Result<(), Refusal> {
        self.workspace(id, Right::View).await?.dismiss(&self.user.sub, member)?;
        self.take_back_all(id, Some(member)).await?;
        self.change(id, |workspace| workspace.dismiss(&self.user.sub, member)).await?;
        self.take_back_all(id, Some(member)).await?;
        for (item, _) in self.contents(id).await?.iter().filter(|(item, _)| item.owner == *member) {
            self.drop_item(id, item.id).await?;
        }
        self.note(Action::Configuration, "desk member dismissed", member).await
    }

    /// Closes a workspace with all that lies in it.
    pub(crate) async fn close(&self, id: WorkspaceId) -> Result<(), Refusal> {
        self.workspace(id, Right::Own).await?;
        let (store, tenant) = (&self.call.context.store, self.call.tenancy.name());
        for _ in 0..ROUNDS {
            for item in store.items(tenant, id).await.map_err(|error| failed(&error))? {
                self.drop_item(id, item.id).await?;
            }
            if store.drop_workspace(tenant, id).await.map_err(|error| failed(&error))? {
                return Ok(());
            }
        }
        Err(Refusal::Busy)
    }

    /// A token of his own, derived from a shared one: bound to the key of his proof. Everything is looked at each time.
    pub(crate) async fn derive(
        &self,
        (workspace, item): (WorkspaceId, ItemId),
        form: &Params,
        proof: Option<&Proof>,
    ) -> Result<Derived, Refusal> {
        let call = self.call;
        let asked = asked_scope(form)?;
        let here = self.workspace(workspace, Right::Use).await?;
        let opened = self.shared_item(&here, item).await?;
        let source = self.source(&opened).await?;
        let binding = self.bound(&source, proof)?;
        // What is refused writes nothing: once without a grant, to see that it would be given.
        let (nobody, id) =
            (GrantId::from_bytes([0; 16]), TokenId::new(call.context.world.millis(), call.context.world.random()));
        let would_be = self.derived(&source, (nobody, id), binding, asked.as_ref())?;
        proof::once(call, proof).await?;
        let using = ItemChange::Use(&source, &would_be.scope);
        let share = self.change_item(&here, item, &using).await?.ok_or(Refusal::Broken)?;
        // The last look: the grant is written down, so that whoever ends this from now on finds it.
        let here = self.workspace(workspace, Right::Use).await?;
        let opened = self.shared_item(&here, item).await?;
        if opened.token.shares.get(&self.user.sub) != Some(&share) {
            return Err(Refusal::SharingOff);
        }
        let mut token = self.derived(&source, (share, id), binding, asked.as_ref())?;
        let named = TokenRef { token: id, grant: Some(share), client: token.client.clone() };
        token.status = status_lists::assign(call, source.apis.first(), &named, token.expires).await?;
        let event = call.event(Action::Token, Outcome::Allowed).user(self.user).target(&source.owner.sub);
        let event = event.with("what", "derived").with("workspace", workspace).with("item", item);
        let event = event.with("grant_id", share).with("client_id", &token.client).with("scope", &token.scope);
        let event = token.binding.confirmation().into_iter().fold(event, |event, cnf| event.with("cnf", cnf));
        event.commit().await?;
        let access_token = issue::access_token(call, AS, &token, source.apis.first())?;
        Ok(Derived { access_token, token })
    }

    /// Takes back what was derived from an item, and forgets it: for good with the change that it is part of.
    pub(super) async fn take_back(&self, opened: &mut Opened) -> Result<(), Refusal> {
        let (store, tenant, now) = (&self.call.context.store, self.call.tenancy.name(), self.call.now());
        for (member, grant) in std::mem::take(&mut opened.token.shares) {
            store.revoke_grant(tenant, grant, now).await.map_err(|error| failed(&error))?;
            let event = self.call.event(Action::Revocation, Outcome::Allowed).user(self.user).target(&grant);
            event.with("what", "derived tokens").with("member", member).commit().await?;
        }
        Ok(())
    }

    /// The same in a whole workspace, of one member or of all.
    async fn take_back_all(&self, id: WorkspaceId, of: Option<&Subject>) -> Result<(), Refusal> {
        let (store, tenant, now) = (&self.call.context.store, self.call.tenancy.name(), self.call.now());
        for opened in self.all_items(id).await? {
            for (member, grant) in opened.token.shares.iter().filter(|(member, _)| of.is_none_or(|of| of == *member)) {
                if store.revoke_grant(tenant, *grant, now).await.map_err(|error| failed(&error))? {
                    let event = self.call.event(Action::Revocation, Outcome::Allowed).user(self.user).target(grant);
                    event.with("what", "derived tokens").with("member", member).commit().await?;
                }
            }
        }
        Ok(())
    }

    async fn shared_item(&self, workspace: &Workspace, item: ItemId) -> Result<Opened, Refusal> {
        let opened = self.item(workspace, item).await?;
        if self.is_shared(workspace, &opened) { Ok(opened) } else { Err(Refusal::SharingOff) }
    }

    /// The token behind an item: of this issuer, of whoever put it there, standing, with what is allowed of it today.
    async fn source(&self, opened: &Opened) -> Result<Source, Refusal> {
        let (call, directory) = (self.call, &self.call.tenancy.directory);
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        let text = opened.token.access_token.expose();
        let token = open_access_token(&call.tenancy, text).map_err(|_| Refusal::NotShareable)?;
        let named = TokenRef { token: token.id, grant: token.grant, client: token.client.clone() };
        let grant = match store.standing(tenant, &named).await.map_err(|error| failed(&error))? {
            Standing::Good(Some(owned)) => owned.grant,
            Standing::Good(None) => return Err(Refusal::NotShareable),
            Standing::Revoked => return Err(Refusal::GrantRevoked),
        };
        may_share(&token, &grant, &opened.item.owner)?;
        let owner = store.user(tenant, &opened.item.owner).await.map_err(|error| failed(&error))?;
        let owner = owner.filter(|user| !user.disabled).ok_or(Refusal::UserDisabled)?;
        let client = directory.client(&token.client).filter(|client| !client.metadata.disabled);
        let client = client.ok_or(Refusal::ClientDisabled)?;
        let issuer = &call.tenancy.issuer;
        let allowed = narrow::still_allowed(&grant.terms.access, directory, issuer, &client, &owner, AS)?;
        let of_the_token = allowed.access.iter().filter(|(audience, _)| token.audience.contains(audience));
        let allowed = of_the_token.fold(Scope::default(), |all, (_, scope)| all.union(scope));
        let apis = token.audience.iter().filter_map(|audience| directory.api(audience).cloned()).collect();
        Ok(Source { token, grant, owner, client, apis, allowed })
    }

    /// RFC 9449 5: the member's key, and what the client and its APIs require besides.
    fn bound(&self, source: &Source, proof: Option<&Proof>) -> Result<Binding, Refusal> {
        let metadata = &source.client.metadata;
        proof::within_profile(proof, metadata.profile)?;
        let proven = proof::proven(self.call, proof);
        proven.bind(metadata, source.apis.iter().map(|api| &api.token.binding))
    }

    fn derived(
        &self,
        source: &Source,
        (share, id): (GrantId, TokenId),
        binding: Binding,
        asked: Option<&Scope>,
    ) -> Result<AccessToken, Refusal> {
        let keys = &self.call.tenancy.ready()?.keys;
        let actor = presented_subject(&source.client.metadata, &self.user.sub, &keys.pairwise);
        let roles = match source.apis.as_slice() {
            [api] => source.owner.roles_at(&api.audience),
            _ => &[],
        };
        let derivation = Derivation { share, actor, id, binding, asked, allowed: &source.allowed, roles };
        derive(&source.token, derivation, self.call.now())
    }

    /// The grant behind what this member derives from this item: that which there is, while it stands on the same source,
    /// or a new one.
    pub(super) async fn share_grant(&self, opened: &mut Opened, source: &Source) -> Result<GrantId, Refusal> {
        let (call, now, world) = (self.call, self.call.now(), &self.call.context.world);
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        let before = opened.token.shares.get(&self.user.sub).copied();
        if let Some(before) = before {
            let found = store.grant(tenant, before).await.map_err(|error| failed(&error))?;
            let good = |grant: &Grant| {
                let same = grant.terms.delegation.as_ref().is_some_and(|of| of.source == source.grant.id);
                same && grant.revoked.is_none()
                    && now < grant.expires
                    && grant.terms.access.scope().covers(&source.token.scope)
            };
            if found.as_ref().is_some_and(good) {
                return Ok(before);
            }
            store.revoke_grant(tenant, before, now).await.map_err(|error| failed(&error))?;
        }
        let grant = GrantId::new(world.millis(), world.random());
        let terms = share_terms(&source.token, &source.grant, &self.user.sub, now);
        let event = call.event(Action::Consent, Outcome::Allowed).actor(&opened.item.owner).target(&self.user.sub);
        let event = event.with("what", "desk share").with("grant_id", grant).with("source", source.grant.id).event();
        let redemption = Redemption {
            code: CodeId::new(world.millis(), world.random()),
            remember_until: now.plus(CODE_LIFE),
            grant,
            terms,
            event,
            falls_when_replayed: true,
        };
        match store.redeem(tenant, redemption, now).await.map_err(|error| failed(&error))? {
            Spend::Fresh(made) => {
                opened.token.shares.insert(self.user.sub.clone(), made.id);
                Ok(made.id)
            }
            Spend::Spent(_) | Spend::TakenBack => Err(Refusal::GrantRevoked),
        }
    }

    pub(super) async fn note(&self, action: Action, what: &str, target: &impl ToString) -> Result<(), Refusal> {
        let event = self.call.event(action, Outcome::Allowed).user(self.user).target(target);
        event.with("what", what).commit().await
    }
}
