//! Taking back everything that a user or a client has.
//!
//! The cut-off is made first and by itself: once it stands, older codes give nothing, older access tokens are revoked and
//! older grants are not refreshed, whatever becomes of the rest. Then the grants are revoked in small steps, each a
//! statement of its own: however many there are, none takes longer than a statement may.
//!
//! A redemption at the same time is either seen by a step or sees the cut-off: see [redemption](super::redeem).
//!
//! Tried again when the connection was lost: everything is taken back all the same, but the grants of a step whose
//! answer was lost are not counted.

use super::super::tokens::CUT_OFF;
use super::uuid;
use crate::connect::{Connections, Live};
use crate::failure::{Attempts, Repeatable, Result};
use crate::transaction::Transaction;
use grantor_protocol::value::{TenantName, TokenId, UnixTime};
use grantor_store::GrantsOf;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OF_SUBJECT, OF_CLIENT, STEP, FORGET_CONSENT];

/// How many grants are revoked together.
const STEP_ROWS: i64 = 2_000;

/// The next keys, after the last of the step before: rows that were changed a moment ago are not looked at again.
const OF_SUBJECT: &str = "
SELECT key FROM grants
WHERE tenant = $1 AND subject = $2 AND ($3 = '' OR client = $3) AND revoked IS NULL AND key > $4
  AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
ORDER BY key LIMIT $5";

const OF_CLIENT: &str = "
SELECT key FROM grants
WHERE tenant = $1 AND client = $3 AND $2 = '' AND revoked IS NULL AND key > $4
  AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
ORDER BY key LIMIT $5";

const STEP: &str = "
UPDATE grants AS g SET revoked = $3
FROM unnest($1::text[], $2::bytea[]) AS r (tenant, key)
WHERE g.tenant = r.tenant AND g.key = r.key AND COALESCE(g.revoked, -1) = -1
RETURNING g.expires > $3 AS stood";

const FORGET_CONSENT: &str = "DELETE FROM consents WHERE tenant = $1 AND subject = $2 AND client = $3";

pub(super) async fn revoke_all(
    connections: &Connections,
    tenant: &TenantName,
    of: GrantsOf<'_>,
    cutoff: (TokenId, UnixTime),
    now: UnixTime,
) -> grantor_store::Result<u64> {
    let of = Owned::new(tenant, of);
    connections.in_time(cut_off(connections, &of, cutoff)).await?;
    let (mut after, mut stood) = (Vec::new(), 0);
    loop {
        let (last, revoked) = connections.in_time(step(connections, &of, &after, now)).await?;
        stood += revoked;
        match last {
            Some(last) => after = last,
            None => return Ok(stood),
        }
    }
}

/// Whose grants, in the form of the columns: an empty text stands for anybody.
struct Owned<'a> {
    tenant: &'a str,
    subject: &'a str,
    client: &'a str,
}

impl<'a> Owned<'a> {
    fn new(tenant: &'a TenantName, of: GrantsOf<'a>) -> Self {
        let (subject, client) = match of {
            GrantsOf::Subject(subject) => (subject.as_str(), ""),
            GrantsOf::Client(client) => ("", client.as_str()),
            GrantsOf::Application(subject, client) => (subject.as_str(), client.as_str()),
        };
        Self { tenant: tenant.as_str(), subject, client }
    }
}

async fn cut_off(connections: &Connections, of: &Owned<'_>, cutoff: (TokenId, UnixTime)) -> grantor_store::Result<()> {
    let mut attempts = Attempts::default();
    loop {
        let attempt = async {
            let transaction = Transaction::begin(connections).await?;
            let cut = make_cut_off(&transaction, of, cutoff).await;
            transaction.end(cut).await
        };
        match attempt.await {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

async fn make_cut_off(db: &Live, of: &Owned<'_>, (cutoff, expires): (TokenId, UnixTime)) -> Result<()> {
    let (cutoff, expires) = (uuid(cutoff.as_bytes()), expires.get());
    db.execute(CUT_OFF, &[&of.tenant, &of.subject, &of.client, &cutoff, &expires]).await?;
    if !of.subject.is_empty() && !of.client.is_empty() {
        db.execute(FORGET_CONSENT, &[&of.tenant, &of.subject, &of.client]).await?;
    }
    Ok(())
}

/// Gives the last key that it looked at, unless there are no more, and how many grants stood.
async fn step(
    connections: &Connections,
    of: &Owned<'_>,
    after: &[u8],
    now: UnixTime,
) -> grantor_store::Result<(Option<Vec<u8>>, u64)> {
    let mut attempts = Attempts::default();
    loop {
        let held = connections.writer().await?;
        let revoked = revoke_next(&held, of, after, now).await;
        drop(held);
        match revoked {
            Ok(revoked) => return Ok(revoked),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

async fn revoke_next(db: &Live, of: &Owned<'_>, after: &[u8], now: UnixTime) -> Result<(Option<Vec<u8>>, u64)> {
    let sql = if of.subject.is_empty() { OF_CLIENT } else { OF_SUBJECT };
    let found = db.query(sql, &[&of.tenant, &of.subject, &of.client, &after, &STEP_ROWS]).await?;
    let keys = found.iter().map(|row| Ok(row.try_get("key")?)).collect::<Result<Vec<Vec<u8>>>>()?;
    let Some(last) = keys.last().cloned() else { return Ok((None, 0)) };
    let tenants = vec![of.tenant; keys.len()];
    let rows = db.query(STEP, &[&tenants, &keys, &now.get()]).await?;
    let stood = rows.iter().map(|row| Ok(u64::from(row.try_get::<_, bool>("stood")?))).sum::<Result<u64>>()?;
    Ok((Some(last), stood))
}
