//! Sessions and consents.

use super::directory::{document, read};
use crate::connect::{Connections, Live, Row};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::transaction::Transaction;
use grantor_protocol::grant::{Access, Consent};
use grantor_protocol::session::Session;
use grantor_protocol::value::{ClientId, Subject, TenantName, UnixTime};

const OPEN: &str =
    "INSERT INTO sessions (tenant, key, sid, subject, authentication, expires) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (tenant, key) DO UPDATE SET sid = excluded.sid, subject = excluded.subject,
       authentication = excluded.authentication, expires = excluded.expires";
const CLOSE: &str = "DELETE FROM sessions WHERE tenant = $1 AND key = $2";
const CLOSE_ALL: &str = "DELETE FROM sessions WHERE tenant = $1 AND subject = $2";
const FIND: &str = "SELECT sid, subject, authentication, expires FROM sessions
     WHERE tenant = $1 AND key = $2 AND expires > $3";

const CONSENT: &str =
    "SELECT client, first, last, access FROM consents WHERE tenant = $1 AND subject = $2 AND client = $3";
const CONSENTS: &str = "SELECT client, first, last, access FROM consents WHERE tenant = $1 AND subject = $2
     ORDER BY last DESC, client";
const FIRST: &str =
    "INSERT INTO consents (tenant, subject, client, access, first, last) VALUES ($1, $2, $3, $4, $5, $5)
     ON CONFLICT (tenant, subject, client) DO NOTHING";
/// Only on top of what was seen.
const NEXT: &str = "UPDATE consents SET access = $5, last = greatest(last, $6)
     WHERE tenant = $1 AND subject = $2 AND client = $3 AND access = $4";

pub(crate) async fn open(
    connections: &Connections,
    session: &Session,
    replaces: Option<[u8; 32]>,
) -> grantor_store::Result<()> {
    let tenant = session.tenant.as_str();
    let authentication = serde_json::to_string(&session.authentication).map_err(Failure::from)?;
    let carry_out = async |db: &Live| {
        if let Some(key) = replaces {
            db.execute(CLOSE, &[&tenant, &key.as_slice()]).await?;
        }
        let (key, expires) = (session.key.as_slice(), session.expires.get());
        db.execute(OPEN, &[&tenant, &key, &session.sid, &session.subject.as_str(), &authentication, &expires]).await?;
        Ok(())
    };
    let mut attempts = Attempts::default();
    loop {
        let attempt = async {
            match replaces {
                Some(_) => {
                    let transaction = Transaction::begin(connections).await?;
                    let opened = carry_out(&transaction).await;
                    transaction.end(opened).await
                }
                None => carry_out(&*connections.writer().await?).await,
            }
        };
        match attempt.await {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

pub(crate) async fn find(
    connections: &Connections,
    tenant: &TenantName,
    key: &[u8; 32],
    now: UnixTime,
) -> grantor_store::Result<Option<Session>> {
    let parameters = (tenant.as_str(), key.as_slice(), now.get());
    let work = async |db: &Live| db.query(FIND, &[&parameters.0, &parameters.1, &parameters.2]).await;
    let rows = read(connections, work).await?;
    Ok(rows.first().map(|row| session(tenant, key, row)).transpose()?)
}

pub(crate) async fn close(connections: &Connections, tenant: &TenantName, key: &[u8; 32]) -> grantor_store::Result<()> {
    write(connections, async |db: &Live| db.execute(CLOSE, &[&tenant.as_str(), &key.as_slice()]).await).await?;
    Ok(())
}

pub(crate) async fn close_all(
    connections: &Connections,
    tenant: &TenantName,
    subject: &Subject,
) -> grantor_store::Result<()> {
    write(connections, async |db: &Live| db.execute(CLOSE_ALL, &[&tenant.as_str(), &subject.as_str()]).await).await?;
    Ok(())
}

/// Somebody else's word between the look and the statement is taken into account: then it looks again.
pub(crate) async fn record_consent(
    connections: &Connections,
    tenant: &TenantName,
    subject: &Subject,
    client: &ClientId,
    asked: &Access,
    allowed: &Access,
    now: UnixTime,
) -> grantor_store::Result<()> {
    let (tenant, subject, client, now) = (tenant.as_str(), subject.as_str(), client.as_str(), now.get());
    let attempt = async |db: &Live| {
        let rows = db.query(CONSENT, &[&tenant, &subject, &client]).await?;
        let Some(row) = rows.first() else {
            let access = serde_json::to_string(allowed)?;
            return Ok(db.execute(FIRST, &[&tenant, &subject, &client, &access, &now]).await? == 1);
        };
        let (held, seen) = (document::<Access>(row, 3)?, row.try_get::<_, &str>(3)?);
        let access = serde_json::to_string(&held.without(asked).union(allowed))?;
        Ok(db.execute(NEXT, &[&tenant, &subject, &client, &seen, &access, &now]).await? == 1)
    };
    // Each time one of those who are at it comes through.
    while !write(connections, attempt).await? {}
    Ok(())
}

pub(crate) async fn find_consent(
    connections: &Connections,
    tenant: &TenantName,
    subject: &Subject,
    client: &ClientId,
) -> grantor_store::Result<Option<Consent>> {
    let parameters = (tenant.as_str(), subject.as_str(), client.as_str());
    let work = async |db: &Live| db.query(CONSENT, &[&parameters.0, &parameters.1, &parameters.2]).await;
    let rows = read(connections, work).await?;
    Ok(rows.first().map(|row| consent(subject, row)).transpose()?)
}

pub(crate) async fn consents(
    connections: &Connections,
    tenant: &TenantName,
    subject: &Subject,
) -> grantor_store::Result<Vec<Consent>> {
    let parameters = (tenant.as_str(), subject.as_str());
    let rows = read(connections, async |db: &Live| db.query(CONSENTS, &[&parameters.0, &parameters.1]).await).await?;
    Ok(rows.iter().map(|row| consent(subject, row)).collect::<Result<_>>()?)
}

/// What may be done twice.
pub(super) async fn write<T>(
    connections: &Connections,
    work: impl AsyncFn(&Live) -> Result<T>,
) -> grantor_store::Result<T> {
    let mut attempts = Attempts::default();
    loop {
        let db = connections.writer().await?;
        match work(&db).await {
            Ok(value) => return Ok(value),
            Err(failure) => {
                drop(db);
                attempts.again(failure, Repeatable::Always).await?;
            }
        }
    }
}

fn session(tenant: &TenantName, key: &[u8; 32], row: &Row) -> Result<Session> {
    Ok(Session {
        tenant: tenant.clone(),
        key: *key,
        sid: row.try_get(0)?,
        subject: Subject::parse(row.try_get(1)?).ok_or(Failure::Record("subject"))?,
        authentication: document(row, 2)?,
        expires: UnixTime::new(row.try_get(3)?),
    })
}

fn consent(subject: &Subject, row: &Row) -> Result<Consent> {
    Ok(Consent {
        subject: subject.clone(),
        client: ClientId::parse(row.try_get(0)?).ok_or(Failure::Record("client"))?,
        first: UnixTime::new(row.try_get(1)?),
        last: UnixTime::new(row.try_get(2)?),
        access: document(row, 3)?,
    })
}
