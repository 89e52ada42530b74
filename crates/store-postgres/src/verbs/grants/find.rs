//! Looking grants up, one by one or all that somebody has.

use super::{from_row, id_of, key, numbers, owned_from_row, position, uuid};
use crate::batch::{Job, Pending};
use crate::connect::{Connections, Held};
use crate::failure::{Attempts, Repeatable, Result};
use grantor_protocol::grant::{Grant, OwnedGrant};
use grantor_protocol::value::{GrantId, TenantName, TokenId, UnixTime};
use grantor_store::{GrantsOf, taken_back_at};
use uuid::Uuid;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[FIND, OF_SUBJECT, OF_CLIENT];

const FIND: &str = "
SELECT r.n, g.generation, g.rotated, g.expires, g.revoked, g.terms,
  r.id < (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch') AS is_old,
  (SELECT encode(bytes, 'hex')::uuid FROM meta WHERE name = 'epoch') AS epoch,
  (SELECT u.body FROM users AS u WHERE u.tenant = g.tenant AND u.sub = g.subject) AS owner
FROM unnest($1::int4[], $2::text[], $3::bytea[], $4::uuid[]) AS r (n, tenant, key, id)
JOIN grants AS g ON g.tenant = r.tenant AND g.key = r.key";

/// What a user allowed anybody, or one client: few enough to be sorted.
const OF_SUBJECT: &str = "
SELECT key, generation, rotated, expires, revoked, terms FROM grants
WHERE tenant = $1 AND subject = $2 AND ($3 = '' OR client = $3) AND revoked IS NULL AND expires > $4
  AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
ORDER BY substring(key FROM 2) DESC, key DESC LIMIT $5";

/// What a client has may be millions: the youngest of each of the 256 places at which keys are appended, and of those
/// the youngest.
const OF_CLIENT: &str = "
SELECT g.key, g.generation, g.rotated, g.expires, g.revoked, g.terms
FROM unnest($5::bytea[], $6::bytea[]) AS place (low, high)
CROSS JOIN LATERAL (
  SELECT key, generation, rotated, expires, revoked, terms FROM grants
  WHERE tenant = $1 AND client = $2 AND revoked IS NULL AND expires > $3 AND key >= place.low AND key <= place.high
    AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
  ORDER BY key DESC LIMIT $4
) AS g
ORDER BY substring(g.key FROM 2) DESC, g.key DESC LIMIT $4";

/// A grant that is looked for.
pub(crate) struct Find {
    pub(crate) tenant: TenantName,
    pub(crate) id: GrantId,
}

impl Job for Find {
    type Answer = Option<OwnedGrant>;
    const WRITES: bool = false;

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, _uncertain: bool) -> Result<()> {
        let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str()).collect();
        let keys: Vec<_> = jobs.iter().map(|pending| key(pending.job.id)).collect();
        let ids: Vec<_> = jobs.iter().map(|pending| uuid(pending.job.id.as_bytes())).collect();
        for row in &held.query(FIND, &[&numbers(jobs.len()), &tenants, &keys, &ids]).await? {
            let Some(pending) = jobs.get_mut(position(row)?) else { continue };
            let mut owned = owned_from_row(pending.job.id, row)?;
            if row.try_get("is_old")? {
                let epoch: Uuid = row.try_get("epoch")?;
                owned.grant.revoked.get_or_insert(taken_back_at(TokenId::from_bytes(*epoch.as_bytes())));
            }
            pending.answer(Some(owned));
        }
        jobs.iter_mut().filter(|pending| pending.is_open()).for_each(|pending| pending.answer(None));
        Ok(())
    }
}

/// Those that stand, youngest first.
pub(super) async fn list(
    connections: &Connections,
    tenant: &TenantName,
    of: GrantsOf<'_>,
    now: UnixTime,
    limit: usize,
) -> grantor_store::Result<Vec<Grant>> {
    let again = async {
        let mut attempts = Attempts::default();
        loop {
            let held = connections.reader().await?;
            match page(&held, tenant, of, now, limit).await {
                Ok(grants) => return Ok(grants),
                Err(failure) => attempts.again(failure, Repeatable::Always).await?,
            }
        }
    };
    connections.in_time(again).await
}

async fn page(held: &Held, tenant: &TenantName, of: GrantsOf<'_>, now: UnixTime, limit: usize) -> Result<Vec<Grant>> {
    let (tenant, now, limit) = (tenant.as_str(), now.get(), i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = match of {
        GrantsOf::Subject(subject) => held.query(OF_SUBJECT, &[&tenant, &subject.as_str(), &"", &now, &limit]).await?,
        GrantsOf::Application(subject, client) => {
            held.query(OF_SUBJECT, &[&tenant, &subject.as_str(), &client.as_str(), &now, &limit]).await?
        }
        GrantsOf::Client(client) => {
            let low: Vec<_> = (0..=u8::MAX).map(|place| vec![place]).collect();
            let high: Vec<_> = (0..=u8::MAX).map(|place| [&[place][..], &[u8::MAX; 15]].concat()).collect();
            held.query(OF_CLIENT, &[&tenant, &client.as_str(), &now, &limit, &low, &high]).await?
        }
    };
    rows.iter().map(|row| from_row(id_of(row.try_get("key")?)?, row)).collect()
}
