//! Indexes in status lists.

use super::directory::read;
use super::grants::{key, uuid};
use crate::PostgresStore;
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::{Failure, Result};
use async_trait::async_trait;
use grantor_protocol::grant::TokenRef;
use grantor_protocol::status_list::StatusIndex;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::Statuses;

/// Every statement that runs in a lane.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ASSIGN];

const ASSIGN: &str = "
INSERT INTO statuses (tenant, list, idx, token, client, grant_id, grant_key, expires)
SELECT r.tenant, r.list, r.idx, r.token, r.client, r.id, r.key, r.expires
FROM unnest($1::text[], $2::int8[], $3::int8[], $4::uuid[], $5::text[], $6::uuid[], $7::bytea[], $8::int8[])
  AS r (tenant, list, idx, token, client, id, key, expires)
ON CONFLICT (tenant, list, idx) DO NOTHING";

const USED: &str = "SELECT 1 FROM statuses WHERE tenant = $1 AND list = $2 LIMIT 1";

/// What `STANDS` says of each, and that clients and users may be disabled.
const INVALID: &str = "SELECT s.idx FROM statuses AS s
     LEFT JOIN grants AS g ON g.tenant = s.tenant AND g.key = s.grant_key AND g.revoked IS NULL
     WHERE s.tenant = $1 AND s.list = $2 AND (
       s.token < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
       OR s.client = ANY($3::text[])
       OR EXISTS (SELECT 1 FROM revoked_tokens AS t WHERE t.tenant = s.tenant AND t.token = s.token)
       OR EXISTS (SELECT 1 FROM cutoffs AS c
         WHERE c.tenant = s.tenant AND c.subject = '' AND c.client = s.client AND c.cutoff > s.token)
       OR (s.grant_key IS NOT NULL AND (
         g.key IS NULL
         OR s.grant_id < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
         OR EXISTS (SELECT 1 FROM cutoffs AS c
           WHERE c.tenant = s.tenant AND c.subject = g.subject AND c.client IN ('', s.client) AND c.cutoff > s.token)
         OR EXISTS (SELECT 1 FROM users AS u
           WHERE u.tenant = s.tenant AND u.sub = g.subject AND u.body::jsonb ->> 'disabled' = 'true'))))
     ORDER BY s.idx";

/// A token that gets its index. May be done twice.
pub(crate) struct Assign {
    tenant: TenantName,
    at: StatusIndex,
    token: TokenRef,
    expires: UnixTime,
}

impl Job for Assign {
    type Answer = ();
    const WRITES: bool = true;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, _uncertain: bool) -> Result<()> {
        let of = |pending: &Pending<Self>| pending.job.token.clone();
        let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str().to_owned()).collect();
        let lists: Vec<_> = jobs.iter().map(|pending| pending.job.at.list.cast_signed()).collect();
        let indexes: Vec<_> = jobs.iter().map(|pending| i64::from(pending.job.at.index)).collect();
        let tokens: Vec<_> = jobs.iter().map(|pending| uuid(of(pending).token.as_bytes())).collect();
        let clients: Vec<_> = jobs.iter().map(|pending| of(pending).client.as_str().to_owned()).collect();
        let ids: Vec<_> = jobs.iter().map(|pending| of(pending).grant.map(|id| uuid(id.as_bytes()))).collect();
        let keys: Vec<_> = jobs.iter().map(|pending| of(pending).grant.map(key)).collect();
        let expires: Vec<_> = jobs.iter().map(|pending| pending.job.expires.get()).collect();
        held.execute(ASSIGN, &[&tenants, &lists, &indexes, &tokens, &clients, &ids, &keys, &expires]).await?;
        for pending in jobs {
            pending.answer(());
        }
        Ok(())
    }
}

#[async_trait]
impl Statuses for PostgresStore {
    async fn assign_status(
        &self,
        tenant: &TenantName,
        at: StatusIndex,
        token: &TokenRef,
        expires: UnixTime,
    ) -> grantor_store::Result<()> {
        self.lanes.assign_status.ask(Assign { tenant: tenant.clone(), at, token: token.clone(), expires }).await
    }

    async fn invalid_statuses(
        &self,
        tenant: &TenantName,
        list: u64,
        disabled: &[ClientId],
    ) -> grantor_store::Result<Option<Vec<u32>>> {
        let (tenant, list) = (tenant.as_str(), list.cast_signed());
        if read(&self.connections, USED, &[&tenant, &list]).await?.is_empty() {
            return Ok(None);
        }
        let disabled: Vec<&str> = disabled.iter().map(ClientId::as_str).collect();
        let rows = read(&self.connections, INVALID, &[&tenant, &list, &disabled]).await?;
        let index = |row: &crate::connect::Row| {
            u32::try_from(row.try_get::<_, i64>(0)?).map_err(|_| Failure::Record("index of a status"))
        };
        Ok(Some(rows.iter().map(index).collect::<Result<_>>()?))
    }
}
