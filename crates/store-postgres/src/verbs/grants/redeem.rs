//! Redemption (RFC 6749 4.1.2): one statement spends the code, makes the grant and says so in the audit log: all or
//! nothing.
//!
//! A cut-off that is made at the same time may not see the new grant, and the new grant not the cut-off. So each writes
//! first and looks afterwards, in statements of their own: one of the two sees the other's work. That is why a second
//! statement follows right behind the first on the same connection. What it takes back was never acknowledged, and the
//! audit log says nothing of it.
//!
//! A redemption whose answer was lost is tried again: a code that was spent for the very grant that it brings is its own.

use super::{key, numbers, position, uuid};
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::{Failure, Result};
use crate::ring;
use grantor_protocol::audit::Event;
use grantor_protocol::grant::{Grant, Redemption, Spend};
use grantor_protocol::value::{CodeId, GrantId, TenantName, UnixTime};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] =
    &[SPEND[0], SPEND[1], SPEND[2], SPEND[3], SPEND[4], TAKE_BACK_AGAIN, WHY_NOT, REVOKE];

macro_rules! spend {
    ($home:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "
WITH r AS (
  SELECT n, tenant, code, id, expires, key, client, subject, rotated, ends_idle, idle, ends, terms, event, body
  FROM unnest($1::int4[], $2::text[], $3::uuid[], $4::uuid[], $5::int8[], $6::bytea[], $7::text[], $8::text[],
    $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::text[], $14::uuid[], $15::text[])
    AS u (n, tenant, code, id, expires, key, client, subject, rotated, ends_idle, idle, ends, terms, event, body)
), spent AS (
  INSERT INTO ",
            $home,
            " (tenant, code, grant_id, expires)
  SELECT r.tenant, r.code, r.id, r.expires FROM r
  WHERE r.code >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
    AND r.id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
    AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = r.subject AND c.client = '' AND c.cutoff > r.code)
    AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = '' AND c.client = r.client AND c.cutoff > r.code)
    AND NOT EXISTS (SELECT 1 FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = r.subject AND c.client = r.client AND c.cutoff > r.code)
    AND NOT EXISTS (SELECT 1 FROM ",
            $a,
            " AS s WHERE s.tenant = r.tenant AND s.code = r.code)
    AND NOT EXISTS (SELECT 1 FROM ",
            $b,
            " AS s WHERE s.tenant = r.tenant AND s.code = r.code)
    AND NOT EXISTS (SELECT 1 FROM ",
            $c,
            " AS s WHERE s.tenant = r.tenant AND s.code = r.code)
    AND NOT EXISTS (SELECT 1 FROM ",
            $d,
            " AS s WHERE s.tenant = r.tenant AND s.code = r.code)
  ON CONFLICT (tenant, code) DO NOTHING
  RETURNING grant_id
), said AS (
  INSERT INTO events (tenant, id, body)
  SELECT r.tenant, r.event, r.body FROM r JOIN spent ON spent.grant_id = r.id
)
INSERT INTO grants (tenant, key, client, subject, generation, rotated, expires, idle, ends, due, terms)
SELECT r.tenant, r.key, r.client, r.subject, 0, r.rotated, r.ends_idle, r.idle, r.ends, r.ends_idle, r.terms
FROM r JOIN spent ON spent.grant_id = r.id
RETURNING tenant, key"
        )
    };
}

/// By the table in which the code is spent.
const SPEND: [&str; 5] = [
    spend!("spent_codes_0", "spent_codes_1", "spent_codes_2", "spent_codes_3", "spent_codes"),
    spend!("spent_codes_1", "spent_codes_0", "spent_codes_2", "spent_codes_3", "spent_codes"),
    spend!("spent_codes_2", "spent_codes_0", "spent_codes_1", "spent_codes_3", "spent_codes"),
    spend!("spent_codes_3", "spent_codes_0", "spent_codes_1", "spent_codes_2", "spent_codes"),
    spend!("spent_codes", "spent_codes_0", "spent_codes_1", "spent_codes_2", "spent_codes_3"),
];

/// The second look: a cut-off that was made meanwhile.
const TAKE_BACK_AGAIN: &str = "
WITH back AS (
  UPDATE grants AS g SET revoked = r.now
  FROM unnest($1::int4[], $2::text[], $3::uuid[], $4::bytea[], $5::int8[], $6::uuid[])
    AS r (n, tenant, code, key, now, event)
  WHERE g.tenant = r.tenant AND g.key = r.key AND COALESCE(g.revoked, -1) = -1
    AND (COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
        WHERE c.tenant = g.tenant AND c.subject = g.subject AND c.client = ''), FALSE)
      OR COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
        WHERE c.tenant = g.tenant AND c.subject = '' AND c.client = g.client), FALSE)
      OR COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
        WHERE c.tenant = g.tenant AND c.subject = g.subject AND c.client = g.client), FALSE))
  RETURNING r.n, r.tenant, r.event
), unsaid AS (
  DELETE FROM events AS e USING back WHERE e.tenant = back.tenant AND e.id = back.event
)
SELECT n FROM back";

/// For which grant the code was spent, and whether it is older than a cut-off or the epoch.
const WHY_NOT: &str = "
SELECT r.n,
  COALESCE(
    (SELECT s.grant_id FROM spent_codes_0 AS s WHERE s.tenant = r.tenant AND s.code = r.code),
    (SELECT s.grant_id FROM spent_codes_1 AS s WHERE s.tenant = r.tenant AND s.code = r.code),
    (SELECT s.grant_id FROM spent_codes_2 AS s WHERE s.tenant = r.tenant AND s.code = r.code),
    (SELECT s.grant_id FROM spent_codes_3 AS s WHERE s.tenant = r.tenant AND s.code = r.code),
    (SELECT s.grant_id FROM spent_codes AS s WHERE s.tenant = r.tenant AND s.code = r.code)
  ) AS grant_id,
  r.code < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
    OR r.id < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')
    OR COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = r.subject AND c.client = ''), FALSE)
    OR COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = '' AND c.client = r.client), FALSE)
    OR COALESCE((SELECT c.cutoff > r.code FROM cutoffs AS c
      WHERE c.tenant = r.tenant AND c.subject = r.subject AND c.client = r.client), FALSE)
    AS is_taken_back
FROM unnest($1::int4[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::text[])
  AS r (n, tenant, code, id, subject, client)";

/// The grants that codes gave which came again.
const REVOKE: &str = "
UPDATE grants AS g SET revoked = r.now
FROM unnest($1::text[], $2::bytea[], $3::uuid[], $4::int8[]) AS r (tenant, key, id, now)
WHERE g.tenant = r.tenant AND g.key = r.key AND COALESCE(g.revoked, -1) = -1
  AND r.id >= (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch')";

/// How often a code may be forgotten between the statement that spends it and a look at it.
const ROUNDS: u32 = 5;

/// A redemption that waits.
pub(crate) struct Redeem {
    tenant: TenantName,
    code: CodeId,
    remember_until: UnixTime,
    grant: Grant,
    event: Event,
    falls_when_replayed: bool,
    now: UnixTime,
}

impl Redeem {
    pub(crate) fn new(tenant: TenantName, redemption: Redemption, now: UnixTime) -> Self {
        let Redemption { code, remember_until, grant, terms, event, falls_when_replayed } = redemption;
        Self { tenant, code, remember_until, grant: Grant::new(grant, terms), event, falls_when_replayed, now }
    }

    fn fresh(&self) -> Spend {
        Spend::Fresh(self.grant.clone())
    }
}

impl Job for Redeem {
    type Answer = Spend;
    const WRITES: bool = true;

    fn shape(&self) -> i64 {
        ring::place(self.remember_until, self.now)
    }

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, _uncertain: bool) -> Result<()> {
        jobs.sort_by(|one, other| (&one.job.tenant, one.job.code).cmp(&(&other.job.tenant, other.job.code)));
        for _ in 0..ROUNDS {
            spend(held, jobs).await?;
            jobs.retain(Pending::is_open);
            if jobs.is_empty() {
                return Ok(());
            }
            why_not(held, jobs).await?;
            jobs.retain(Pending::is_open);
            if jobs.is_empty() {
                return Ok(());
            }
        }
        Err(Failure::Busy("a code is forgotten again and again".to_owned()))
    }
}

/// Those that are fresh.
async fn spend(held: &Held, jobs: &mut [Pending<Redeem>]) -> Result<()> {
    let Some(place) = jobs.first().map(|pending| pending.job.shape()) else { return Ok(()) };
    let n = numbers(jobs.len());
    let of = |pending: &Pending<Redeem>| uuid(pending.job.grant.id.as_bytes());
    let tenants = column(jobs, |job| job.tenant.as_str());
    let codes = column(jobs, |job| uuid(job.code.as_bytes()));
    let ids: Vec<Uuid> = jobs.iter().map(of).collect();
    let expires = column(jobs, |job| job.remember_until.get());
    let keys = column(jobs, |job| key(job.grant.id));
    let clients = column(jobs, |job| job.grant.terms.client.as_str());
    let subjects = column(jobs, |job| job.grant.terms.subject.as_str());
    let rotated = column(jobs, |job| job.grant.rotated.get());
    let ends_idle = column(jobs, |job| job.grant.expires.get());
    let idle = column(jobs, |job| i64::from(job.grant.terms.idle.get()));
    let ends = column(jobs, |job| job.grant.terms.ends.get());
    let now = column(jobs, |job| job.now.get());
    let events = column(jobs, |job| uuid(job.event.id.as_bytes()));
    let (mut terms, mut bodies) = (Vec::with_capacity(jobs.len()), Vec::with_capacity(jobs.len()));
    for Pending { job, .. } in &*jobs {
        terms.push(serde_json::to_string(&job.grant.terms)?);
        bodies.push(serde_json::to_string(&job.event)?);
    }
    let (spend, again) = (ring::pick(&SPEND, place), TAKE_BACK_AGAIN);
    held.prepare(spend).await?;
    held.prepare(again).await?;
    let to_spend: [&(dyn ToSql + Sync); 15] = [
        &n, &tenants, &codes, &ids, &expires, &keys, &clients, &subjects, &rotated, &ends_idle, &idle, &ends, &terms,
        &events, &bodies,
    ];
    let to_look: [&(dyn ToSql + Sync); 6] = [&n, &tenants, &codes, &keys, &now, &events];
    let (spent, taken_back) = tokio::join!(biased; held.query(spend, &to_spend), held.query(again, &to_look));
    let (spent, taken_back) = (spent?, taken_back?);
    let taken_back = taken_back.iter().map(position).collect::<Result<Vec<_>>>()?;
    let mut spent_for = Vec::with_capacity(spent.len());
    for row in &spent {
        spent_for.push((row.try_get::<_, String>("tenant")?, super::id_of(row.try_get("key")?)?));
    }
    spent_for.sort_unstable();
    for (n, pending) in jobs.iter_mut().enumerate() {
        let name = |(tenant, id): &(String, GrantId)| {
            (tenant.as_str(), *id).cmp(&(pending.job.tenant.as_str(), pending.job.grant.id))
        };
        if spent_for.binary_search_by(name).is_ok() {
            let spend = if taken_back.contains(&n) { Spend::TakenBack } else { pending.job.fresh() };
            pending.answer(spend);
        }
    }
    Ok(())
}

/// Those that are not; and the end of the grants whose codes came again.
async fn why_not(held: &Held, jobs: &mut [Pending<Redeem>]) -> Result<()> {
    let tenants = column(jobs, |job| job.tenant.as_str());
    let codes = column(jobs, |job| uuid(job.code.as_bytes()));
    let ids = column(jobs, |job| uuid(job.grant.id.as_bytes()));
    let subjects = column(jobs, |job| job.grant.terms.subject.as_str());
    let clients = column(jobs, |job| job.grant.terms.client.as_str());
    let rows = held.query(WHY_NOT, &[&numbers(jobs.len()), &tenants, &codes, &ids, &subjects, &clients]).await?;
    let mut replayed = Vec::new();
    for row in &rows {
        let n = position(row)?;
        let Some(pending) = jobs.get_mut(n) else { continue };
        let earlier = row.try_get::<_, Option<Uuid>>("grant_id")?.map(|id| GrantId::from_bytes(*id.as_bytes()));
        match earlier {
            _ if row.try_get("is_taken_back")? => pending.answer(Spend::TakenBack),
            // Ours, from before the answer was lost.
            Some(id) if id == pending.job.grant.id => pending.answer(pending.job.fresh()),
            Some(id) if pending.job.falls_when_replayed => replayed.push((n, id)),
            Some(id) => pending.answer(Spend::Spent(id)),
            None => {}
        }
    }
    if replayed.is_empty() {
        return Ok(());
    }
    let mut rows: Vec<_> = replayed
        .iter()
        .filter_map(|(n, id)| {
            jobs.get(*n).map(|Pending { job, .. }| (job.tenant.as_str(), key(*id), *id, job.now.get()))
        })
        .collect();
    rows.sort_unstable();
    rows.dedup_by(|one, other| (one.0, one.2) == (other.0, other.2));
    let tenants: Vec<_> = rows.iter().map(|row| row.0).collect();
    let keys: Vec<_> = rows.iter().map(|row| row.1.as_slice()).collect();
    let ids: Vec<_> = rows.iter().map(|row| uuid(row.2.as_bytes())).collect();
    let now: Vec<_> = rows.iter().map(|row| row.3).collect();
    held.execute(REVOKE, &[&tenants, &keys, &ids, &now]).await?;
    for (n, id) in replayed {
        if let Some(pending) = jobs.get_mut(n) {
            pending.answer(Spend::Spent(id));
        }
    }
    Ok(())
}

fn column<'a, T>(jobs: &'a [Pending<Redeem>], of: impl Fn(&'a Redeem) -> T) -> Vec<T> {
    jobs.iter().map(|pending| of(&pending.job)).collect()
}
