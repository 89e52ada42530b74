//! Values that are remembered for a while, so that nobody brings them twice.

use crate::failure::Result;
use grantor_protocol::value::{TenantName, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, params};

/// The narrowest bucket, in seconds.
const NARROWEST: u64 = 16;
/// What is remembered longer than this, 34 years, shares buckets with what is remembered so long.
const LONGEST: u64 = 1 << 30;

/// Exactly one of those who bring the same value is told `true`, until it expires. Writes with its last statement only.
pub(crate) fn remember(
    db: &Connection,
    tenant: &TenantName,
    purpose: &str,
    value: &[u8; 32],
    expires: UnixTime,
    now: UnixTime,
) -> Result<bool> {
    let mut next = db.prepare_cached("SELECT bucket FROM remembered WHERE bucket > ? ORDER BY bucket LIMIT 1")?;
    let mut find = db.prepare_cached(
        "SELECT 1 FROM remembered WHERE bucket = ? AND value = ? AND purpose = ? AND tenant = ? AND expires > ?",
    )?;
    let mut after = now.get();
    while let Some(bucket) = next.query_row([after], |row| row.get::<_, i64>(0)).optional()? {
        if find.exists(params![bucket, value, purpose, tenant.as_str(), now.get()])? {
            return Ok(false);
        }
        after = bucket;
    }
    db.prepare_cached(
        "INSERT INTO remembered (bucket, value, purpose, tenant, expires) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET expires = excluded.expires",
    )?
    .execute(params![bucket(expires, now), value, purpose, tenant.as_str(), expires.get()])?;
    Ok(true)
}

/// The end of the bucket for what expires then: at most a quarter longer than it had to be remembered, and half in the
/// worst case. So there are at most six buckets for each doubling of that time, however many values there are.
fn bucket(expires: UnixTime, now: UnixTime) -> i64 {
    let span = u64::try_from(expires.get().saturating_sub(now.get())).unwrap_or(0).min(LONGEST);
    let width = i64::try_from((span.next_power_of_two() / 4).max(NARROWEST)).unwrap_or(i64::MAX);
    (expires.get().div_euclid(width) + 1).saturating_mul(width)
}

#[cfg(test)]
mod tests {
    use super::{bucket, remember};
    use grantor_protocol::value::UnixTime;
    use grantor_store::contract::samples::{START, at, digest, tenant};
    use rusqlite::Connection;

    #[test]
    fn a_bucket_ends_when_or_after_what_is_in_it_has_expired() {
        for span in [0, 1, 15, 16, 17, 60, 300, 301, 3_600, 86_400, 31_536_000, u32::MAX] {
            for now in 0..40 {
                let expires = at(now).plus(grantor_protocol::value::Seconds::new(span));
                let end = bucket(expires, at(now));
                let longer = end - expires.get();
                assert!(longer > 0 && longer <= (i64::from(span) / 2).max(16), "{span} ends {longer} later");
            }
        }
        assert_eq!(bucket(UnixTime::FOREVER, START), i64::MAX);
        assert!(bucket(UnixTime::new(i64::MIN), START) < START.get());
    }

    #[test]
    fn few_buckets_have_not_ended_however_long_values_are_remembered() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(
            "CREATE TABLE remembered (bucket, value, purpose, tenant, expires, PRIMARY KEY (bucket, value, purpose, tenant))",
        )
        .unwrap();
        for n in 0..4_000u32 {
            // For between a minute and ten, as assertions and proofs are.
            let (now, span) = (at(n / 2), 60 + n * 7 % 540);
            let expires = now.plus(grantor_protocol::value::Seconds::new(span));
            assert!(remember(&db, &tenant(), "jti", &digest(n.into()), expires, now).unwrap());
        }
        let sql = "SELECT count(DISTINCT bucket) FROM remembered WHERE bucket > ?";
        let live: i64 = db.query_row(sql, [at(2_000).get()], |row| row.get(0)).unwrap();
        assert!(live <= 20, "{live}");
    }
}
