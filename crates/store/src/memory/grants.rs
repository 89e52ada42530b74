//! Grants in memory: [`Grant::present`] as it stands.

use super::{MemoryStore, State, Whose};
use crate::{Grants, GrantsOf, Result, taken_back_at};
use async_trait::async_trait;
use grantor_protocol::grant::{
    Grant, NewGrant, OwnedGrant, Presented, Redemption, Rotation, Spend, Standing, TokenRef,
};
use grantor_protocol::value::{GrantId, Seconds, TenantName, TokenId, UnixTime};

#[async_trait]
impl Grants for MemoryStore {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> Result<Spend> {
        let mut state = self.lock();
        if state.took_back(tenant, &redemption) {
            return Ok(Spend::TakenBack);
        }
        let code = (tenant.clone(), redemption.code);
        if let Some(&(earlier, _)) = state.spent_codes.get(&code) {
            if redemption.falls_when_replayed {
                state.revoke(tenant, earlier, now);
            }
            return Ok(Spend::Spent(earlier));
        }
        let (grant, event) = (Grant::new(redemption.grant, redemption.terms), redemption.event);
        state.events.insert((event.tenant.clone(), event.id), event);
        state.spent_codes.insert(code, (grant.id, redemption.remember_until));
        state.grants.insert((tenant.clone(), grant.id), grant.clone());
        Ok(Spend::Fresh(grant))
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> Result<Rotation> {
        let mut state = self.lock();
        let before_epoch = state.before_epoch(grant.as_bytes());
        let Some(grant) = state.grants.get_mut(&(tenant.clone(), grant)) else { return Ok(Rotation::Unknown) };
        if before_epoch {
            return Ok(Rotation::Revoked);
        }
        Ok(match grant.present(generation, now, grace) {
            Presented::Current => {
                *grant = grant.clone().rotated(now);
                Rotation::Rotated(grant.renewal())
            }
            Presented::Repeated => Rotation::Repeated(grant.renewal()),
            Presented::Reused => {
                grant.revoked = Some(now);
                Rotation::Reused
            }
            Presented::Revoked => Rotation::Revoked,
            Presented::Expired => Rotation::Expired,
            Presented::Unknown => Rotation::Unknown,
        })
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<Grant>> {
        Ok(self.lock().grant(tenant, grant))
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> Result<Option<OwnedGrant>> {
        let state = self.lock();
        Ok(state.grant(tenant, grant).map(|grant| state.owned(tenant, grant)))
    }

    async fn grants(&self, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
        let state = self.lock();
        let of_these = state.grants.iter().rev().filter(|((at, _), grant)| {
            at == tenant
                && of.fits(&grant.terms)
                && grant.revoked.is_none()
                && now < grant.expires
                && !state.before_epoch(grant.id.as_bytes())
        });
        Ok(of_these.map(|(_, grant)| grant.clone()).take(limit).collect())
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> Result<bool> {
        Ok(self.lock().revoke(tenant, grant, now))
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> Result<u64> {
        let mut state = self.lock();
        let fitting: Vec<GrantId> = state
            .grants
            .iter()
            .filter(|((at, _), grant)| at == tenant && of.fits(&grant.terms))
            .map(|((_, id), _)| *id)
            .collect();
        let stood = fitting.into_iter().map(|id| u64::from(state.revoke(tenant, id, now))).sum();
        let held = state.cutoffs.entry((tenant.clone(), Whose::from(of))).or_insert((cutoff, cutoff_expires));
        *held = (held.0.max(cutoff), held.1.max(cutoff_expires));
        if let GrantsOf::Application(subject, client) = of {
            state.consents.remove(&(tenant.clone(), subject.clone(), client.clone()));
        }
        Ok(stood)
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> Result<()> {
        let mut state = self.lock();
        let held = state.revoked_tokens.entry((tenant.clone(), token)).or_insert(expires);
        *held = expires.max(*held);
        Ok(())
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Result<Standing> {
        Ok(self.lock().standing(tenant, token))
    }
}

impl State {
    pub(super) fn standing(&self, tenant: &TenantName, token: &TokenRef) -> Standing {
        let cut_off =
            |whose| self.cutoffs.get(&(tenant.clone(), whose)).is_some_and(|(cutoff, _)| token.token < *cutoff);
        let revoked = self.revoked_tokens.contains_key(&(tenant.clone(), token.token));
        let before_epoch = self.before_epoch(token.token.as_bytes());
        if revoked || before_epoch || cut_off(Whose::Client(token.client.clone())) {
            return Standing::Revoked;
        }
        let Some(grant) = token.grant else { return Standing::Good(None) };
        let grant = self.grants.get(&(tenant.clone(), grant)).filter(|grant| {
            grant.revoked.is_none()
                && !self.before_epoch(grant.id.as_bytes())
                && !cut_off(Whose::Subject(grant.terms.subject.clone()))
                && !cut_off(Whose::Application(grant.terms.subject.clone(), token.client.clone()))
        });
        grant.map_or(Standing::Revoked, |grant| Standing::Good(Some(Box::new(self.owned(tenant, grant.clone())))))
    }

    fn grant(&self, tenant: &TenantName, grant: GrantId) -> Option<Grant> {
        let mut found = self.grants.get(&(tenant.clone(), grant)).cloned();
        if let (Some(grant), Some(epoch)) = (&mut found, self.epoch)
            && self.before_epoch(grant.id.as_bytes())
        {
            grant.revoked.get_or_insert(taken_back_at(epoch));
        }
        found
    }

    fn owned(&self, tenant: &TenantName, grant: Grant) -> OwnedGrant {
        let owner = self.directory.users.get(&(tenant.clone(), grant.terms.subject.clone())).cloned();
        OwnedGrant { grant, owner }
    }

    /// Whether the epoch, or a cut-off of its user or its client, is younger than the code.
    fn took_back(&self, tenant: &TenantName, redemption: &Redemption) -> bool {
        if self.before_epoch(redemption.code.as_bytes()) || self.before_epoch(redemption.grant.as_bytes()) {
            return true;
        }
        let (subject, client) = (redemption.terms.subject.clone(), redemption.terms.client.clone());
        let whose =
            [Whose::Subject(subject.clone()), Whose::Client(client.clone()), Whose::Application(subject, client)];
        whose.into_iter().any(|whose| {
            let cutoff = self.cutoffs.get(&(tenant.clone(), whose));
            cutoff.is_some_and(|(cutoff, _)| redemption.code.as_bytes() < cutoff.as_bytes())
        })
    }

    /// Whether a code, a grant or a token of this identifier was issued before the epoch.
    pub(super) fn before_epoch(&self, id: &[u8; 16]) -> bool {
        self.epoch.is_some_and(|epoch| id < epoch.as_bytes())
    }

    /// Gives whether it stood until now.
    fn revoke(&mut self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> bool {
        if self.before_epoch(grant.as_bytes()) {
            return false;
        }
        let Some(grant) = self.grants.get_mut(&(tenant.clone(), grant)) else { return false };
        let stood = grant.revoked.is_none() && now < grant.expires;
        grant.revoked.get_or_insert(now);
        stood
    }

    /// Drops those that are not revoked: what is gone counts as revoked, and can be neither rotated nor listed.
    pub(super) fn drop_grants(&mut self, tenant: &TenantName, of: GrantsOf<'_>) {
        self.grants.retain(|(at, _), grant| at != tenant || !of.fits(&grant.terms) || grant.revoked.is_some());
    }
}

impl GrantsOf<'_> {
    fn fits(self, terms: &NewGrant) -> bool {
        match self {
            Self::Subject(subject) => &terms.subject == subject,
            Self::Client(client) => &terms.client == client,
            Self::Application(subject, client) => &terms.subject == subject && &terms.client == client,
        }
    }
}

impl From<GrantsOf<'_>> for Whose {
    fn from(of: GrantsOf<'_>) -> Self {
        match of {
            GrantsOf::Subject(subject) => Self::Subject(subject.clone()),
            GrantsOf::Client(client) => Self::Client(client.clone()),
            GrantsOf::Application(subject, client) => Self::Application(subject.clone(), client.clone()),
        }
    }
}
