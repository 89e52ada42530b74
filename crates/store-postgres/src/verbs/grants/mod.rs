//! Grants, the codes that they came from, and what takes them back.
//!
//! A statement finds each row by the whole of its key, in a way that leaves the planner nothing to believe: two cut-offs
//! are looked for one by one, and `COALESCE(revoked, -1) = -1` says `revoked IS NULL` so that no partial index can be
//! mistaken for the way to one grant.

mod find;
mod redeem;
mod revoke;
mod revoke_all;
mod rotate;

pub(crate) use find::Find;
pub(crate) use redeem::Redeem;
pub(crate) use revoke::Revoke;
pub(crate) use rotate::Rotate;

use super::tokens::{RevokeToken, Stands};
use crate::PostgresStore;
use crate::connect::Row;
use crate::failure::{Failure, Result};
use async_trait::async_trait;
use grantor_protocol::grant::{Grant, OwnedGrant, Redemption, Renewal, Rotation, Spend, Standing, TokenRef};
use grantor_protocol::value::{GrantId, Seconds, TenantName, TokenId, UnixTime};
use grantor_store::{Grants, GrantsOf};
use uuid::Uuid;

/// Every statement of these verbs.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] =
    &[redeem::STATEMENTS, rotate::STATEMENTS, revoke::STATEMENTS, revoke_all::STATEMENTS, find::STATEMENTS];

#[async_trait]
impl Grants for PostgresStore {
    async fn redeem(&self, tenant: &TenantName, redemption: Redemption, now: UnixTime) -> grantor_store::Result<Spend> {
        self.lanes.redeem.ask(Redeem::new(tenant.clone(), redemption, now)).await
    }

    async fn rotate(
        &self,
        tenant: &TenantName,
        grant: GrantId,
        generation: u32,
        grace: Seconds,
        now: UnixTime,
    ) -> grantor_store::Result<Rotation> {
        let (tenant, attempt) = (tenant.clone(), self.lanes.attempt());
        self.lanes.rotate.ask(Rotate { tenant, id: grant, generation, grace, now, attempt }).await
    }

    async fn grant(&self, tenant: &TenantName, grant: GrantId) -> grantor_store::Result<Option<Grant>> {
        Ok(self.owned_grant(tenant, grant).await?.map(|owned| owned.grant))
    }

    async fn owned_grant(&self, tenant: &TenantName, grant: GrantId) -> grantor_store::Result<Option<OwnedGrant>> {
        self.lanes.find.ask(Find { tenant: tenant.clone(), id: grant }).await
    }

    async fn grants(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        now: UnixTime,
        limit: usize,
    ) -> grantor_store::Result<Vec<Grant>> {
        find::list(&self.connections, tenant, of, now, limit).await
    }

    async fn revoke_grant(&self, tenant: &TenantName, grant: GrantId, now: UnixTime) -> grantor_store::Result<bool> {
        let (tenant, attempt) = (tenant.clone(), self.lanes.attempt());
        self.lanes.revoke.ask(Revoke { tenant, id: grant, now, attempt }).await
    }

    async fn revoke_all(
        &self,
        tenant: &TenantName,
        of: GrantsOf<'_>,
        cutoff: TokenId,
        cutoff_expires: UnixTime,
        now: UnixTime,
    ) -> grantor_store::Result<u64> {
        revoke_all::revoke_all(&self.connections, tenant, of, (cutoff, cutoff_expires), now).await
    }

    async fn revoke_token(&self, tenant: &TenantName, token: TokenId, expires: UnixTime) -> grantor_store::Result<()> {
        self.lanes.revoke_token.ask(RevokeToken { tenant: tenant.clone(), token, expires }).await
    }

    async fn standing(&self, tenant: &TenantName, token: &TokenRef) -> grantor_store::Result<Standing> {
        self.lanes.stands.ask(Stands { tenant: tenant.clone(), token: token.clone() }).await
    }
}

/// The key of a grant's row: the last byte of its id comes first.
pub(crate) fn key(id: GrantId) -> Vec<u8> {
    let mut key = id.as_bytes().to_vec();
    key.rotate_right(1);
    key
}

/// The other way round.
pub(crate) fn id_of(key: &[u8]) -> Result<GrantId> {
    let mut id = <[u8; 16]>::try_from(key).map_err(|_| Failure::Record("key of a grant"))?;
    id.rotate_left(1);
    Ok(GrantId::from_bytes(id))
}

/// An id as the driver knows it.
pub(crate) fn uuid(bytes: &[u8; 16]) -> Uuid {
    Uuid::from_bytes(*bytes)
}

/// From the columns generation, rotated, expires, revoked, terms.
pub(crate) fn from_row(id: GrantId, row: &Row) -> Result<Grant> {
    let Renewal { generation, rotated, expires } = renewal(row)?;
    let revoked = row.try_get::<_, Option<i64>>("revoked")?.map(UnixTime::new);
    Ok(Grant { id, generation, rotated, expires, revoked, terms: serde_json::from_str(row.try_get("terms")?)? })
}

/// The same, and the column owner.
pub(crate) fn owned_from_row(id: GrantId, row: &Row) -> Result<OwnedGrant> {
    let owner: Option<&str> = row.try_get("owner")?;
    Ok(OwnedGrant { grant: from_row(id, row)?, owner: owner.map(serde_json::from_str).transpose()? })
}

/// From the columns generation, rotated, expires.
fn renewal(row: &Row) -> Result<Renewal> {
    let generation = u32::try_from(row.try_get::<_, i64>("generation")?);
    Ok(Renewal {
        generation: generation.map_err(|_| Failure::Record("generation of a grant"))?,
        rotated: UnixTime::new(row.try_get("rotated")?),
        expires: UnixTime::new(row.try_get("expires")?),
    })
}

/// Which job of a batch a row belongs to, by its column `n`.
pub(crate) fn position(row: &Row) -> Result<usize> {
    usize::try_from(row.try_get::<_, i32>("n")?).map_err(|_| Failure::Record("number"))
}

/// The numbers of the jobs of a batch.
pub(crate) fn numbers(count: usize) -> Vec<i32> {
    (0_i32..).take(count).collect()
}
