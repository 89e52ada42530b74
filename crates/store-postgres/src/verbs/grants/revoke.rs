//! Taking one grant back. One whose answer was lost is tried again, and knows its own work by `revoker`.

use super::{key, numbers, position, uuid};
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::Result;
use grantor_protocol::value::{GrantId, TenantName, UnixTime};
use uuid::Uuid;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[REVOKE, OWN];

const REVOKE: &str = "
UPDATE grants AS g SET revoked = r.now, revoker = r.attempt
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::uuid[], $5::int8[], $6::uuid[])
  AS r (n, tenant, key, id, now, attempt)
WHERE g.tenant = r.tenant AND g.key = r.key AND COALESCE(g.revoked, -1) = -1
  AND r.id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
RETURNING r.n, g.expires > r.now AS stood";

/// Those that an attempt took back whose answer was lost.
const OWN: &str = "
SELECT r.n, g.expires > r.now AS stood
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::int8[], $5::uuid[]) AS r (n, tenant, key, now, attempt)
JOIN grants AS g ON g.tenant = r.tenant AND g.key = r.key AND g.revoker = r.attempt";

/// A revocation that waits.
pub(crate) struct Revoke {
    pub(crate) tenant: TenantName,
    pub(crate) id: GrantId,
    pub(crate) now: UnixTime,
    pub(crate) attempt: Uuid,
}

impl Job for Revoke {
    type Answer = bool;
    const WRITES: bool = true;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, uncertain: bool) -> Result<()> {
        jobs.sort_by_cached_key(|pending| (pending.job.tenant.clone(), key(pending.job.id)));
        if uncertain {
            own(held, jobs).await?;
            jobs.retain(Pending::is_open);
        }
        revoke(held, jobs).await
    }
}

async fn own(held: &Held, jobs: &mut [Pending<Revoke>]) -> Result<()> {
    let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str()).collect();
    let keys: Vec<_> = jobs.iter().map(|pending| key(pending.job.id)).collect();
    let now: Vec<_> = jobs.iter().map(|pending| pending.job.now.get()).collect();
    let attempts: Vec<_> = jobs.iter().map(|pending| pending.job.attempt).collect();
    for row in &held.query(OWN, &[&numbers(jobs.len()), &tenants, &keys, &now, &attempts]).await? {
        if let Some(pending) = jobs.get_mut(position(row)?) {
            pending.answer(row.try_get("stood")?);
        }
    }
    Ok(())
}

/// Of several for one grant the first; to the others it did not stand any more.
async fn revoke(held: &Held, jobs: &mut [Pending<Revoke>]) -> Result<()> {
    let mut columns = (vec![], vec![], vec![], vec![], vec![], vec![]);
    let mut last = None;
    for (n, Pending { job, .. }) in (0_i32..).zip(&*jobs) {
        if last.replace((&job.tenant, job.id)) == Some((&job.tenant, job.id)) {
            continue;
        }
        columns.0.push(n);
        columns.1.push(job.tenant.as_str());
        columns.2.push(key(job.id));
        columns.3.push(uuid(job.id.as_bytes()));
        columns.4.push(job.now.get());
        columns.5.push(job.attempt);
    }
    let (n, tenant, key, id, now, attempt) = &columns;
    if n.is_empty() {
        return Ok(());
    }
    for row in &held.query(REVOKE, &[n, tenant, key, id, now, attempt]).await? {
        if let Some(pending) = jobs.get_mut(position(row)?) {
            pending.answer(row.try_get("stood")?);
        }
    }
    jobs.iter_mut().filter(|pending| pending.is_open()).for_each(|pending| pending.answer(false));
    Ok(())
}
