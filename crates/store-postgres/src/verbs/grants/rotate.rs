//! Rotation: [`Grant::present`] as one conditional statement for the common case, and for the others a look at the row
//! and a statement that changes it only if it is as it was seen.
//!
//! A rotation whose answer was lost is tried again, and knows its own work by `attempt`. When another rotation has
//! followed it meanwhile it cannot: then its caller is told to come again, and nothing is taken for reuse that may have
//! been our own.

use super::{from_row, key, numbers, position, renewal, uuid};
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::{Failure, Result};
use grantor_protocol::grant::{Grant, Presented, Rotation};
use grantor_protocol::value::{GrantId, Seconds, TenantName, UnixTime};
use grantor_store::StoreError;
use uuid::Uuid;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[ROTATE, LOOK, REUSED];

/// Touches no index, and no row that it does not change. A grant older than a cut-off may not be revoked yet: there may
/// be very many of them.
const ROTATE: &str = "
UPDATE grants AS g
SET generation = LEAST(g.generation + 1, 4294967295), rotated = r.now, expires = LEAST(r.now + g.idle, g.ends),
    attempt = r.attempt
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::uuid[], $5::int8[], $6::int8[], $7::uuid[])
  AS r (n, tenant, key, id, generation, now, attempt)
WHERE g.tenant = r.tenant AND g.key = r.key AND g.generation = r.generation AND g.expires > r.now
  AND COALESCE(g.revoked, -1) = -1
  AND r.id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
  AND NOT COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = ''), FALSE)
  AND NOT COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = '' AND c.client = g.client), FALSE)
  AND NOT COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
    WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = g.client), FALSE)
RETURNING r.n, g.generation, g.rotated, g.expires";

const LOOK: &str = "
SELECT r.n, g.generation, g.rotated, g.expires, g.revoked, g.attempt, g.revoker, g.terms,
  r.id < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
    OR COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = ''), FALSE)
    OR COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = '' AND c.client = g.client), FALSE)
    OR COALESCE((SELECT c.cutoff > r.id FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = g.subject AND c.client = g.client), FALSE)
    AS is_old
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::uuid[]) AS r (n, tenant, key, id)
JOIN grants AS g ON g.tenant = r.tenant AND g.key = r.key";

/// Only if it is as it was seen.
const REUSED: &str = "
UPDATE grants AS g SET revoked = r.now, revoker = r.attempt
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::int8[], $5::int8[], $6::int8[], $7::uuid[])
  AS r (n, tenant, key, generation, rotated, now, attempt)
WHERE g.tenant = r.tenant AND g.key = r.key AND g.generation = r.generation AND g.rotated = r.rotated
  AND COALESCE(g.revoked, -1) = -1
RETURNING r.n";

/// How often a row may change between a look at it and the statement that follows.
const ROUNDS: u32 = 50;

/// A rotation that waits.
pub(crate) struct Rotate {
    pub(crate) tenant: TenantName,
    pub(crate) id: GrantId,
    pub(crate) generation: u32,
    pub(crate) grace: Seconds,
    pub(crate) now: UnixTime,
    pub(crate) attempt: Uuid,
}

impl Job for Rotate {
    type Answer = Rotation;
    const WRITES: bool = true;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, uncertain: bool) -> Result<()> {
        // Rows are locked in one order everywhere, so that no two batches wait for each other.
        jobs.sort_by_cached_key(|pending| (pending.job.tenant.clone(), key(pending.job.id)));
        for _ in 0..ROUNDS {
            rotate(held, jobs).await?;
            jobs.retain(Pending::is_open);
            if jobs.is_empty() {
                return Ok(());
            }
            look(held, jobs, uncertain).await?;
            jobs.retain(Pending::is_open);
            if jobs.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::Busy("a grant changes all the time".to_owned()))
    }
}

/// Those whose generation is the good one; of several for one grant, the first.
async fn rotate(held: &Held, jobs: &mut [Pending<Rotate>]) -> Result<()> {
    let mut columns = (vec![], vec![], vec![], vec![], vec![], vec![], vec![]);
    let mut last = None;
    for (n, pending) in (0_i32..).zip(&*jobs) {
        let job = &pending.job;
        if last.replace((&job.tenant, job.id)) == Some((&job.tenant, job.id)) {
            continue;
        }
        columns.0.push(n);
        columns.1.push(job.tenant.as_str());
        columns.2.push(key(job.id));
        columns.3.push(uuid(job.id.as_bytes()));
        columns.4.push(i64::from(job.generation));
        columns.5.push(job.now.get());
        columns.6.push(job.attempt);
    }
    let (n, tenant, key, id, generation, now, attempt) = &columns;
    let rows = held.query(ROTATE, &[n, tenant, key, id, generation, now, attempt]).await?;
    for row in &rows {
        let Some(pending) = jobs.get_mut(position(row)?) else { continue };
        pending.answer(Rotation::Rotated(renewal(row)?));
    }
    Ok(())
}

/// What the row says to each, and the end of the grants whose tokens were used twice.
async fn look(held: &Held, jobs: &mut [Pending<Rotate>], uncertain: bool) -> Result<()> {
    let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str()).collect();
    let keys: Vec<_> = jobs.iter().map(|pending| key(pending.job.id)).collect();
    let ids: Vec<_> = jobs.iter().map(|pending| uuid(pending.job.id.as_bytes())).collect();
    let rows = held.query(LOOK, &[&numbers(jobs.len()), &tenants, &keys, &ids]).await?;
    let mut reused: Vec<(usize, Grant)> = Vec::new();
    let mut found = vec![false; jobs.len()];
    for row in &rows {
        let n = position(row)?;
        let Some(pending) = jobs.get_mut(n) else { continue };
        found.iter_mut().skip(n).take(1).for_each(|found| *found = true);
        let job = &pending.job;
        let grant = from_row(job.id, row)?;
        let mine = |column| row.try_get::<_, Option<Uuid>>(column).map(|attempt| attempt == Some(job.attempt));
        if row.try_get("is_old")? {
            pending.answer(Rotation::Revoked);
        } else if mine("attempt")? && job.generation.checked_add(1) == Some(grant.generation) {
            pending.answer(Rotation::Rotated(grant.renewal()));
        } else if mine("revoker")? {
            pending.answer(Rotation::Reused);
        } else {
            match grant.present(job.generation, job.now, job.grace) {
                // It became the good one after the statement that rotates.
                Presented::Current => {}
                Presented::Repeated => pending.answer(Rotation::Repeated(grant.renewal())),
                Presented::Reused if uncertain => {
                    let why = "the answer of the database was lost, and the grant was refreshed since";
                    pending.refuse(StoreError::Busy(why.to_owned()));
                }
                Presented::Reused if reused.last().is_some_and(|(_, other)| other.id == grant.id) => {}
                Presented::Reused => reused.push((n, grant)),
                Presented::Revoked => pending.answer(Rotation::Revoked),
                Presented::Expired => pending.answer(Rotation::Expired),
                Presented::Unknown => pending.answer(Rotation::Unknown),
            }
        }
    }
    for (pending, found) in jobs.iter_mut().zip(found) {
        if !found {
            pending.answer(Rotation::Unknown);
        }
    }
    revoke(held, jobs, reused).await
}

async fn revoke(held: &Held, jobs: &mut [Pending<Rotate>], reused: Vec<(usize, Grant)>) -> Result<()> {
    let mut columns = (vec![], vec![], vec![], vec![], vec![], vec![], vec![]);
    for (n, (position, grant)) in (0_i32..).zip(&reused) {
        let Some(Pending { job, .. }) = jobs.get(*position) else { continue };
        columns.0.push(n);
        columns.1.push(job.tenant.as_str());
        columns.2.push(key(job.id));
        columns.3.push(i64::from(grant.generation));
        columns.4.push(grant.rotated.get());
        columns.5.push(job.now.get());
        columns.6.push(job.attempt);
    }
    let (n, tenant, key, generation, rotated, now, attempt) = &columns;
    if n.is_empty() {
        return Ok(());
    }
    for row in &held.query(REUSED, &[n, tenant, key, generation, rotated, now, attempt]).await? {
        let Some((n, _)) = reused.get(position(row)?) else { continue };
        if let Some(pending) = jobs.get_mut(*n) {
            pending.answer(Rotation::Reused);
        }
    }
    Ok(())
}
