//! Sessions and consents.

use crate::failure::{Failure, Result};
use grantor_protocol::grant::{Access, Consent};
use grantor_protocol::session::Session;
use grantor_protocol::value::{ClientId, Subject, TenantName, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

pub(crate) fn open(db: &Connection, session: &Session, replaces: Option<[u8; 32]>) -> Result<()> {
    if let Some(key) = replaces {
        close(db, &session.tenant, &key)?;
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO sessions (tenant, key, sid, subject, authentication, expires) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        session.tenant.as_str(),
        session.key,
        session.sid,
        session.subject.as_str(),
        serde_json::to_string(&session.authentication)?,
        session.expires.get()
    ])?;
    Ok(())
}

pub(crate) fn find(db: &Connection, tenant: &TenantName, key: &[u8; 32], now: UnixTime) -> Result<Option<Session>> {
    db.prepare_cached(
        "SELECT sid, subject, authentication, expires FROM sessions WHERE tenant = ? AND key = ? AND expires > ?",
    )?
    .query_row(params![tenant.as_str(), key, now.get()], |row| Ok(session(tenant, key, row)))
    .optional()?
    .transpose()
}

pub(crate) fn close(db: &Connection, tenant: &TenantName, key: &[u8; 32]) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE tenant = ? AND key = ?")?.execute(params![tenant.as_str(), key])?;
    Ok(())
}

pub(crate) fn close_all(db: &Connection, tenant: &TenantName, subject: &Subject) -> Result<()> {
    db.prepare_cached("DELETE FROM sessions WHERE tenant = ? AND subject = ?")?
        .execute([tenant.as_str(), subject.as_str()])?;
    Ok(())
}

pub(crate) fn record_consent(
    db: &Connection,
    tenant: &TenantName,
    subject: &Subject,
    client: &ClientId,
    asked: &Access,
    allowed: &Access,
    now: UnixTime,
) -> Result<()> {
    let held = find_consent(db, tenant, subject, client)?;
    let access = held.map_or_else(|| allowed.clone(), |consent| consent.access.without(asked).union(allowed));
    db.prepare_cached(
        "INSERT INTO consents (tenant, subject, client, access, first, last) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT DO UPDATE SET access = excluded.access, last = max(last, excluded.last)",
    )?
    .execute(params![
        tenant.as_str(),
        subject.as_str(),
        client.as_str(),
        serde_json::to_string(&access)?,
        now.get()
    ])?;
    Ok(())
}

pub(crate) fn find_consent(
    db: &Connection,
    tenant: &TenantName,
    subject: &Subject,
    client: &ClientId,
) -> Result<Option<Consent>> {
    db.prepare_cached(
        "SELECT client, access, first, last FROM consents WHERE tenant = ? AND subject = ? AND client = ?",
    )?
    .query_row([tenant.as_str(), subject.as_str(), client.as_str()], |row| Ok(consent(subject, row)))
    .optional()?
    .transpose()
}

pub(crate) fn consents(db: &Connection, tenant: &TenantName, subject: &Subject) -> Result<Vec<Consent>> {
    let mut statement = db.prepare_cached(
        "SELECT client, access, first, last FROM consents WHERE tenant = ? AND subject = ? ORDER BY last DESC, client",
    )?;
    let mut rows = statement.query([tenant.as_str(), subject.as_str()])?;
    let mut consents = Vec::new();
    while let Some(row) = rows.next()? {
        consents.push(consent(subject, row)?);
    }
    Ok(consents)
}

pub(crate) fn forget_consent(db: &Connection, tenant: &TenantName, subject: &Subject, client: &ClientId) -> Result<()> {
    db.prepare_cached("DELETE FROM consents WHERE tenant = ? AND subject = ? AND client = ?")?.execute([
        tenant.as_str(),
        subject.as_str(),
        client.as_str(),
    ])?;
    Ok(())
}

fn session(tenant: &TenantName, key: &[u8; 32], row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        tenant: tenant.clone(),
        key: *key,
        sid: row.get("sid")?,
        subject: Subject::parse(&row.get::<_, String>("subject")?).ok_or(Failure::Record("subject"))?,
        authentication: serde_json::from_str(&row.get::<_, String>("authentication")?)?,
        expires: UnixTime::new(row.get("expires")?),
    })
}

fn consent(subject: &Subject, row: &Row<'_>) -> Result<Consent> {
    Ok(Consent {
        subject: subject.clone(),
        client: ClientId::parse(&row.get::<_, String>("client")?).ok_or(Failure::Record("client"))?,
        access: serde_json::from_str(&row.get::<_, String>("access")?)?,
        first: UnixTime::new(row.get("first")?),
        last: UnixTime::new(row.get("last")?),
    })
}
