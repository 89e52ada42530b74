//! Sessions and consents.

use super::directory::{changed, document, read};
use crate::PostgresStore;
use crate::connect::{Connections, Live, Row};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::transaction::Transaction;
use async_trait::async_trait;
use grantor_protocol::grant::{Access, Consent};
use grantor_protocol::session::Session;
use grantor_protocol::value::{ClientId, Subject, TenantName, UnixTime};
use grantor_store::Sessions;
use tokio_postgres::types::ToSql;

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

#[async_trait]
impl Sessions for PostgresStore {
    async fn open_session(&self, session: Session, replaces: Option<[u8; 32]>) -> grantor_store::Result<()> {
        self.connections.in_time(open(&self.connections, &session, replaces)).await
    }

    async fn session(
        &self,
        tenant: &TenantName,
        key: &[u8; 32],
        now: UnixTime,
    ) -> grantor_store::Result<Option<Session>> {
        let rows = read(&self.connections, FIND, &[&tenant.as_str(), &key.as_slice(), &now.get()]).await?;
        Ok(rows.first().map(|row| found(tenant, key, row)).transpose()?)
    }

    async fn close_session(&self, tenant: &TenantName, key: &[u8; 32]) -> grantor_store::Result<()> {
        let key = key.as_slice();
        self.connections.in_time(changed(&self.connections, CLOSE, &[&tenant.as_str(), &key])).await.map(drop)
    }

    async fn close_sessions(&self, tenant: &TenantName, subject: &Subject) -> grantor_store::Result<()> {
        let (tenant, subject) = (tenant.as_str(), subject.as_str());
        self.connections.in_time(changed(&self.connections, CLOSE_ALL, &[&tenant, &subject])).await.map(drop)
    }

    async fn record_consent(
        &self,
        tenant: &TenantName,
        subject: &Subject,
        client: &ClientId,
        asked: &Access,
        allowed: &Access,
        now: UnixTime,
    ) -> grantor_store::Result<()> {
        let whose = (tenant.as_str(), subject.as_str(), client.as_str());
        let again = async {
            let mut attempts = Attempts::default();
            loop {
                let db = self.connections.writer().await?;
                let added = add_consent(&db, whose, asked, allowed, now.get()).await;
                drop(db);
                match added {
                    Ok(true) => return Ok(()),
                    // Each time one of those who are at it comes through.
                    Ok(false) => {}
                    Err(failure) => attempts.again(failure, Repeatable::Always).await?,
                }
            }
        };
        self.connections.in_time(again).await
    }

    async fn consent(
        &self,
        tenant: &TenantName,
        subject: &Subject,
        client: &ClientId,
    ) -> grantor_store::Result<Option<Consent>> {
        let whose: [&(dyn ToSql + Sync); 3] = [&tenant.as_str(), &subject.as_str(), &client.as_str()];
        let rows = read(&self.connections, CONSENT, &whose).await?;
        Ok(rows.first().map(|row| consent(subject, row)).transpose()?)
    }

    async fn consents(&self, tenant: &TenantName, subject: &Subject) -> grantor_store::Result<Vec<Consent>> {
        let rows = read(&self.connections, CONSENTS, &[&tenant.as_str(), &subject.as_str()]).await?;
        Ok(rows.iter().map(|row| consent(subject, row)).collect::<Result<_>>()?)
    }

    async fn remember(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> grantor_store::Result<bool> {
        self.remember_once(tenant, purpose, value, expires, now).await
    }
}

/// May be done twice.
async fn open(connections: &Connections, session: &Session, replaces: Option<[u8; 32]>) -> grantor_store::Result<()> {
    let mut attempts = Attempts::default();
    loop {
        let opened = match replaces {
            Some(key) => replace(connections, session, key).await,
            None => insert(&*connections.writer().await?, session).await,
        };
        match opened {
            Ok(()) => return Ok(()),
            Err(failure) => attempts.again(failure, Repeatable::Always).await?,
        }
    }
}

async fn replace(connections: &Connections, session: &Session, replaces: [u8; 32]) -> Result<()> {
    let transaction = Transaction::begin(connections).await?;
    let opened = async {
        transaction.execute(CLOSE, &[&session.tenant.as_str(), &replaces.as_slice()]).await?;
        insert(&transaction, session).await
    }
    .await;
    transaction.end(opened).await
}

async fn insert(db: &Live, session: &Session) -> Result<()> {
    let (tenant, key, subject) = (session.tenant.as_str(), session.key.as_slice(), session.subject.as_str());
    let (authentication, expires) = (serde_json::to_string(&session.authentication)?, session.expires.get());
    db.execute(OPEN, &[&tenant, &key, &session.sid, &subject, &authentication, &expires]).await?;
    Ok(())
}

/// Gives whether it came through: somebody else may have said something between the look and the statement.
async fn add_consent(
    db: &Live,
    (tenant, subject, client): (&str, &str, &str),
    asked: &Access,
    allowed: &Access,
    now: i64,
) -> Result<bool> {
    let rows = db.query(CONSENT, &[&tenant, &subject, &client]).await?;
    let Some(row) = rows.first() else {
        let access = serde_json::to_string(allowed)?;
        return Ok(db.execute(FIRST, &[&tenant, &subject, &client, &access, &now]).await? == 1);
    };
    let (held, seen) = (document::<Access>(row, 3)?, row.try_get::<_, &str>(3)?);
    let access = serde_json::to_string(&held.without(asked).union(allowed))?;
    Ok(db.execute(NEXT, &[&tenant, &subject, &client, &seen, &access, &now]).await? == 1)
}

fn found(tenant: &TenantName, key: &[u8; 32], row: &Row) -> Result<Session> {
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
