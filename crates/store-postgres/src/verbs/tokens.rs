//! Access tokens that were taken back, one by one or all before a moment.

use super::grants::{key, numbers, owned_from_row, position, uuid};
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::Result;
use grantor_protocol::grant::{Standing, TokenRef};
use grantor_protocol::value::{TenantName, TokenId, UnixTime};
use std::collections::BTreeMap;

/// Every statement of these verbs.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[REVOKE, CUT_OFF, STANDS];

const REVOKE: &str = "
INSERT INTO revoked_tokens (tenant, token, expires)
SELECT r.tenant, r.token, r.expires FROM unnest($1::text[], $2::uuid[], $3::int8[]) AS r (tenant, token, expires)
ON CONFLICT (tenant, token) DO UPDATE SET expires = GREATEST(revoked_tokens.expires, excluded.expires)";

/// Everything of this owner that was issued before `cutoff`. The later of two cut-offs stays.
pub(crate) const CUT_OFF: &str = "
INSERT INTO cutoffs (tenant, subject, client, cutoff, expires) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, subject, client) DO UPDATE
SET cutoff = GREATEST(cutoffs.cutoff, excluded.cutoff), expires = GREATEST(cutoffs.expires, excluded.expires)";

/// A row says that the token is good, and brings its grant.
const STANDS: &str = "
SELECT r.n, g.generation, g.rotated, g.expires, g.revoked, g.terms,
  (SELECT u.body FROM users AS u WHERE u.tenant = g.tenant AND u.sub = g.subject) AS owner
FROM unnest($1::int4[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::bytea[])
  AS r (n, tenant, token, client, id, key)
LEFT JOIN grants AS g ON g.tenant = r.tenant AND g.key = r.key AND COALESCE(g.revoked, -1) = -1
WHERE (r.key IS NULL OR g.key IS NOT NULL)
  AND r.token >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
  AND (r.id IS NULL OR r.id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch'))
  AND NOT EXISTS (SELECT 1 FROM revoked_tokens AS t WHERE t.tenant = r.tenant AND t.token = r.token)
  AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = '' AND c.client = r.client AND c.cutoff > r.token)
  AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = '' AND c.cutoff > r.token)
  AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = r.client AND c.cutoff > r.token)";

/// A token that is taken back. May be done twice.
pub(crate) struct RevokeToken {
    pub(crate) tenant: TenantName,
    pub(crate) token: TokenId,
    pub(crate) expires: UnixTime,
}

impl Job for RevokeToken {
    type Answer = ();
    const WRITES: bool = true;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, _uncertain: bool) -> Result<()> {
        let mut latest = BTreeMap::new();
        for Pending { job, .. } in &*jobs {
            let expires = latest.entry((job.tenant.as_str(), job.token)).or_insert(job.expires);
            *expires = job.expires.max(*expires);
        }
        let tenants: Vec<_> = latest.keys().map(|(tenant, _)| *tenant).collect();
        let tokens: Vec<_> = latest.keys().map(|(_, token)| uuid(token.as_bytes())).collect();
        let expires: Vec<_> = latest.values().map(|expires| expires.get()).collect();
        held.execute(REVOKE, &[&tenants, &tokens, &expires]).await?;
        for pending in jobs {
            pending.answer(());
        }
        Ok(())
    }
}

/// A token that is asked for.
pub(crate) struct Stands {
    pub(crate) tenant: TenantName,
    pub(crate) token: TokenRef,
}

impl Job for Stands {
    type Answer = Standing;
    const WRITES: bool = false;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, _uncertain: bool) -> Result<()> {
        let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str()).collect();
        let tokens: Vec<_> = jobs.iter().map(|pending| uuid(pending.job.token.token.as_bytes())).collect();
        let clients: Vec<_> = jobs.iter().map(|pending| pending.job.token.client.as_str()).collect();
        let ids: Vec<_> = jobs.iter().map(|pending| pending.job.token.grant.map(|id| uuid(id.as_bytes()))).collect();
        let keys: Vec<_> = jobs.iter().map(|pending| pending.job.token.grant.map(key)).collect();
        let rows = held.query(STANDS, &[&numbers(jobs.len()), &tenants, &tokens, &clients, &ids, &keys]).await?;
        for row in &rows {
            let Some(pending) = jobs.get_mut(position(row)?) else { continue };
            let grant = pending.job.token.grant.map(|id| owned_from_row(id, row)).transpose()?;
            pending.answer(Standing::Good(grant.map(Box::new)));
        }
        jobs.iter_mut().filter(|pending| pending.is_open()).for_each(|pending| pending.answer(Standing::Revoked));
        Ok(())
    }
}
