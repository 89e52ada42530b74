//! Dropping what nobody can ask for any more, in small steps.

use crate::failure::Result;
use grantor_protocol::value::{EventId, Seconds, UnixTime};
use rusqlite::{Connection, params};

/// No access token lives longer: for so long its grant must be found after it has expired.
const LONGEST_TOKEN: Seconds = Seconds::new(86_400);

/// What goes at its `expires`, or at the end of its bucket, by its columns of identity. Of codes those are looked at that
/// were made first: the first to expire but for a few, which go when they come first. That needs no index.
const TABLES: [&str; 7] = [
    "DELETE FROM spent_codes WHERE expires <= ?1 AND (code, tenant) IN
       (SELECT code, tenant FROM spent_codes ORDER BY code, tenant LIMIT ?2)",
    "DELETE FROM revoked_tokens WHERE (tenant, token) IN
       (SELECT tenant, token FROM revoked_tokens WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
    "DELETE FROM statuses WHERE (tenant, list, idx) IN
       (SELECT tenant, list, idx FROM statuses WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
    "DELETE FROM cutoffs WHERE (tenant, subject, client) IN
       (SELECT tenant, subject, client FROM cutoffs WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
    "DELETE FROM sessions WHERE (tenant, key) IN
       (SELECT tenant, key FROM sessions WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
    "DELETE FROM devices WHERE (tenant, user_code) IN
       (SELECT tenant, user_code FROM devices WHERE expires <= ?1 ORDER BY expires LIMIT ?2)",
    "DELETE FROM remembered WHERE (bucket, place) IN
       (SELECT bucket, place FROM remembered WHERE bucket <= ?1 ORDER BY bucket LIMIT ?2)",
];

/// Drops at most `limit` rows. Gives how many.
pub(crate) fn expire(db: &Connection, now: UnixTime, keep_events_from: EventId, limit: u32) -> Result<u64> {
    let mut left = u64::from(limit);
    for sql in TABLES {
        if left == 0 {
            break;
        }
        let dropped = db.prepare_cached(sql)?.execute(params![now.get(), i64::try_from(left).unwrap_or(i64::MAX)])?;
        left = left.saturating_sub(u64::try_from(dropped).unwrap_or(u64::MAX));
    }
    left = left.saturating_sub(expire_grants(db, now.minus(LONGEST_TOKEN), left)?);
    left = left.saturating_sub(expire_events(db, keep_events_from, left)?);
    Ok(u64::from(limit) - left)
}

/// Looks at the events that were written first: they are the oldest but for a few, which go when they come first. There
/// is no index to keep, and nothing is searched, however many tenants and events there are.
fn expire_events(db: &Connection, keep_from: EventId, limit: u64) -> Result<u64> {
    let dropped = db
        .prepare_cached(
            "DELETE FROM events WHERE id < ?1 AND rowid IN (SELECT rowid FROM events ORDER BY rowid LIMIT ?2)",
        )?
        .execute(params![keep_from.as_bytes(), i64::try_from(limit).unwrap_or(i64::MAX)])?;
    Ok(u64::try_from(dropped).unwrap_or(u64::MAX))
}

/// Looks at the grants that are due: drops those that ended before `horizon`, and puts off those that were refreshed
/// in the meantime.
fn expire_grants(db: &Connection, horizon: UnixTime, limit: u64) -> Result<u64> {
    let mut due = db.prepare_cached("SELECT place, expires <= ?1 FROM grants WHERE due <= ?1 ORDER BY due LIMIT ?2")?;
    let mut drop = db.prepare_cached("DELETE FROM grants WHERE place = ?")?;
    let mut put_off = db.prepare_cached("UPDATE grants SET due = expires WHERE place = ?")?;
    let found: Vec<(i64, bool)> = due
        .query_map(params![horizon.get(), i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut dropped = 0;
    for (place, over) in found {
        if over {
            drop.execute([place])?;
            dropped += 1;
        } else {
            put_off.execute([place])?;
        }
    }
    Ok(dropped)
}
