//! Devices that wait for somebody to allow them (RFC 8628).

use crate::failure::Result;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, INTERVAL, Poll, SLOWER};
use grantor_protocol::value::{ClientId, CodeId, TenantName, UnixTime, UserCode};
use grantor_store::StoreError;
use rusqlite::{Connection, OptionalExtension as _, params};

/// One that is over makes room; said twice it is as said once.
pub(crate) fn open(db: &Connection, tenant: &TenantName, device: &Device, now: UnixTime) -> Result<bool> {
    let opened = db
        .prepare_cached(
            "INSERT INTO devices (tenant, user_code, id, client, query, expires, interval, next, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 + ?7, NULL)
             ON CONFLICT (tenant, user_code) DO UPDATE SET id = excluded.id, client = excluded.client,
               query = excluded.query, expires = excluded.expires, interval = excluded.interval, next = excluded.next,
               answer = NULL
             WHERE devices.expires <= ?8 OR devices.id = excluded.id",
        )?
        .execute(params![
            tenant.as_str(),
            device.user_code.as_str(),
            device.id.as_bytes(),
            device.client.as_str(),
            device.query,
            device.expires.get(),
            INTERVAL.get(),
            now.get()
        ])?;
    Ok(opened == 1)
}

/// Only while it waits.
pub(crate) fn find(db: &Connection, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
    let found = db
        .prepare_cached(
            "SELECT id, client, query, expires FROM devices
             WHERE tenant = ? AND user_code = ? AND expires > ? AND answer IS NULL AND id >= (SELECT id FROM epoch)",
        )?
        .query_row(params![tenant.as_str(), user_code.as_str(), now.get()], |row| {
            Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    found
        .map(|(id, client, query, expires)| {
            let client = ClientId::parse(&client);
            let client = client.ok_or_else(|| StoreError::Broken("the client of a device has no name".to_owned()))?;
            let (id, expires) = (CodeId::from_bytes(id), UnixTime::new(expires));
            Ok(Device { id, user_code, client, query, expires })
        })
        .transpose()
}

/// The first word counts; the same again is the same.
pub(crate) fn answer(
    db: &Connection,
    tenant: &TenantName,
    device: CodeId,
    allowed: Option<&Code>,
    now: UnixTime,
) -> Result<bool> {
    let answer = allowed.map(serde_json::to_string).transpose()?.unwrap_or_default();
    let said = db
        .prepare_cached(
            "UPDATE devices SET answer = ?3
             WHERE tenant = ?1 AND id = ?2 AND expires > ?4 AND (answer IS NULL OR answer = ?3)
               AND id >= (SELECT id FROM epoch)",
        )?
        .execute(params![tenant.as_str(), device.as_bytes(), answer, now.get()])?;
    Ok(said == 1)
}

/// Writes once at the most, and nothing when somebody has said something.
pub(crate) fn poll(db: &Connection, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
    let found: Option<(Option<String>, bool)> = db
        .prepare_cached(
            "SELECT answer, next > ?3 FROM devices
             WHERE tenant = ?1 AND id = ?2 AND expires > ?3 AND id >= (SELECT id FROM epoch)",
        )?
        .query_row(params![tenant.as_str(), device.as_bytes(), now.get()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let early = match found {
        None => return Ok(Poll::Unknown),
        Some((Some(answer), _)) if answer.is_empty() => return Ok(Poll::Denied),
        Some((Some(answer), _)) => return Ok(Poll::Allowed(serde_json::from_str(&answer)?)),
        Some((None, early)) => early,
    };
    let slower = if early { SLOWER.get() } else { 0 };
    db.prepare_cached(
        "UPDATE devices SET interval = interval + ?3, next = ?4 + interval + ?3 WHERE tenant = ?1 AND id = ?2",
    )?
    .execute(params![tenant.as_str(), device.as_bytes(), slower, now.get()])?;
    Ok(if early { Poll::SlowDown } else { Poll::Pending })
}
