//! Taking back everything that a user or a client has.
//!
//! One transaction makes the cut-off, forgets the consent and revokes the grants; a statement after it looks again, for
//! a grant that was made at the same time from a code older than the cut-off: see [redemption](super::redeem).
//!
//! Tried again when the connection was lost: everything is taken back all the same, but the grants that the first
//! attempt took back are not counted again.

use super::super::tokens::CUT_OFF;
use super::uuid;
use crate::connect::{Connections, Live};
use crate::failure::{Attempts, Repeatable, Result};
use crate::transaction::Transaction;
use grantor_protocol::value::{TenantName, TokenId, UnixTime};
use grantor_store::GrantsOf;

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[OF_SUBJECT, OF_CLIENT, FORGET_CONSENT];

const OF_SUBJECT: &str = "
UPDATE grants SET revoked = $4
WHERE tenant = $1 AND subject = $2 AND ($3 = '' OR client = $3) AND revoked IS NULL
  AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
RETURNING expires > $4 AS stood";

const OF_CLIENT: &str = "
UPDATE grants SET revoked = $4
WHERE tenant = $1 AND client = $3 AND $2 = '' AND revoked IS NULL
  AND substring(key FROM 2) || substring(key FROM 1 FOR 1) >= (SELECT bytes FROM meta WHERE name = 'epoch')
RETURNING expires > $4 AS stood";

const FORGET_CONSENT: &str = "DELETE FROM consents WHERE tenant = $1 AND subject = $2 AND client = $3";

pub(super) async fn revoke_all(
    connections: &Connections,
    tenant: &TenantName,
    of: GrantsOf<'_>,
    cutoff: (TokenId, UnixTime),
    now: UnixTime,
) -> grantor_store::Result<u64> {
    let mut attempts = Attempts::default();
    loop {
        match carry_out(connections, &Owned::new(tenant, of), cutoff, now).await {
            Ok(stood) => return Ok(stood),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
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

async fn carry_out(
    connections: &Connections,
    of: &Owned<'_>,
    cutoff: (TokenId, UnixTime),
    now: UnixTime,
) -> Result<u64> {
    let transaction = Transaction::begin(connections).await?;
    let stood = cut_off_and_revoke(&transaction, of, cutoff, now).await;
    let stood = transaction.end(stood).await?;
    let held = connections.writer().await?;
    Ok(stood + revoke(&held, of, now).await?)
}

async fn cut_off_and_revoke(
    db: &Live,
    of: &Owned<'_>,
    (cutoff, expires): (TokenId, UnixTime),
    now: UnixTime,
) -> Result<u64> {
    let (cutoff, expires) = (uuid(cutoff.as_bytes()), expires.get());
    db.execute(CUT_OFF, &[&of.tenant, &of.subject, &of.client, &cutoff, &expires]).await?;
    if !of.subject.is_empty() && !of.client.is_empty() {
        db.execute(FORGET_CONSENT, &[&of.tenant, &of.subject, &of.client]).await?;
    }
    revoke(db, of, now).await
}

async fn revoke(db: &Live, of: &Owned<'_>, now: UnixTime) -> Result<u64> {
    let sql = if of.subject.is_empty() { OF_CLIENT } else { OF_SUBJECT };
    let rows = db.query(sql, &[&of.tenant, &of.subject, &of.client, &now.get()]).await?;
    rows.iter().map(|row| Ok(u64::from(row.try_get::<_, bool>("stood")?))).sum()
}
