//! Values that are remembered: the insert decides.
//!
//! A value that comes with another expiry may lie in another table. The statement that inserts looks there too, and so
//! does one right behind it on the same connection: of two that bring the same value at the same moment with expiries on
//! different days, at most one is told `true`; it may be neither.
//!
//! Tried again when an answer was lost: `attempt` tells whose the row is, and a second look elsewhere whether it was the
//! only one. It is lost too when the second statement is undone for others' sake: the row of the first stands.

use super::grants::{numbers, position};
use crate::PostgresStore;
use crate::batch::{Job, Pending};
use crate::connect::Held;
use crate::failure::{Failure, Result};
use crate::ring;
use grantor_protocol::value::{TenantName, UnixTime};
use std::collections::HashSet;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// Every statement of this verb.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[&REMEMBER, &ELSEWHERE, &OWN];

macro_rules! by_table {
    ($statement:ident) => {
        [
            $statement!("remembered_0", "remembered_1", "remembered_2", "remembered_3", "remembered"),
            $statement!("remembered_1", "remembered_0", "remembered_2", "remembered_3", "remembered"),
            $statement!("remembered_2", "remembered_0", "remembered_1", "remembered_3", "remembered"),
            $statement!("remembered_3", "remembered_0", "remembered_1", "remembered_2", "remembered"),
            $statement!("remembered", "remembered_0", "remembered_1", "remembered_2", "remembered_3"),
        ]
    };
}

/// Whether the value of `r` is remembered in one of four tables.
macro_rules! in_any {
    ($a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(in_one!($a), " OR ", in_one!($b), " OR ", in_one!($c), " OR ", in_one!($d))
    };
}

/// In a form that the planner can only carry out by the key.
macro_rules! in_one {
    ($table:literal) => {
        concat!(
            "COALESCE((SELECT o.expires FROM ",
            $table,
            " AS o WHERE o.tenant = r.tenant AND o.purpose = r.purpose AND o.value = r.value), $6::int8) > $6::int8"
        )
    };
}

macro_rules! remember {
    ($home:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "
INSERT INTO ",
            $home,
            " AS m (tenant, purpose, value, expires, attempt)
SELECT r.tenant, r.purpose, r.value, r.expires, r.attempt
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[], $5::uuid[]) AS r (tenant, purpose, value, expires, attempt)
WHERE NOT (",
            in_any!($a, $b, $c, $d),
            ")
ON CONFLICT (tenant, purpose, value) DO UPDATE SET expires = excluded.expires, attempt = excluded.attempt
  WHERE m.expires <= $6::int8
RETURNING attempt"
        )
    };
}

macro_rules! elsewhere {
    ($home:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "
SELECT r.attempt
FROM unnest($1::text[], $2::text[], $3::bytea[], $4::int8[], $5::uuid[]) AS r (tenant, purpose, value, expires, attempt)
WHERE ",
            in_any!($a, $b, $c, $d)
        )
    };
}

macro_rules! own {
    ($home:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "
SELECT r.n FROM unnest($1::int4[], $2::text[], $3::text[], $4::bytea[], $5::uuid[])
  AS r (n, tenant, purpose, value, attempt)
JOIN ",
            $home,
            " AS m ON m.tenant = r.tenant AND m.purpose = r.purpose AND m.value = r.value AND m.attempt = r.attempt"
        )
    };
}

/// Each by the table in which the value is to lie.
const REMEMBER: [&str; 5] = by_table!(remember);
const ELSEWHERE: [&str; 5] = by_table!(elsewhere);
const OWN: [&str; 5] = by_table!(own);

/// A value that waits to be remembered.
pub(crate) struct Remember {
    tenant: TenantName,
    purpose: String,
    value: [u8; 32],
    expires: UnixTime,
    now: UnixTime,
    attempt: Uuid,
}

impl PostgresStore {
    /// See [`grantor_store::Sessions::remember`].
    pub(crate) async fn remember_once(
        &self,
        tenant: &TenantName,
        purpose: &str,
        value: &[u8; 32],
        expires: UnixTime,
        now: UnixTime,
    ) -> grantor_store::Result<bool> {
        let (tenant, purpose, attempt) = (tenant.clone(), purpose.to_owned(), self.lanes.attempt());
        self.lanes.remember.ask(Remember { tenant, purpose, value: *value, expires, now, attempt }).await
    }
}

impl Remember {
    fn place(&self) -> i64 {
        ring::place(self.expires, self.now)
    }

    fn name(&self) -> (&str, &str, &[u8; 32]) {
        (self.tenant.as_str(), &self.purpose, &self.value)
    }
}

impl Job for Remember {
    type Answer = bool;
    const WRITES: bool = true;

    /// The same table, and the same moment.
    fn shape(&self) -> i64 {
        self.now.get().wrapping_mul(8).wrapping_add(self.place())
    }

    async fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, uncertain: bool) -> Result<()> {
        jobs.sort_by(|one, other| one.job.name().cmp(&other.job.name()));
        if uncertain {
            own(held, jobs).await?;
            jobs.retain(Pending::is_open);
        }
        remember(held, jobs).await
    }
}

/// Of several with one value the first; to the others it is remembered already.
async fn remember(held: &Held, jobs: &mut [Pending<Remember>]) -> Result<()> {
    let mut first: Vec<&Remember> = jobs.iter().map(|pending| &pending.job).collect();
    first.dedup_by(|one, other| one.name() == other.name());
    let Some(Remember { now, .. }) = first.first() else { return Ok(()) };
    let (now, place) = (now.get(), first.first().map_or(ring::DAYS, |job| job.place()));
    let tenants: Vec<_> = first.iter().map(|job| job.tenant.as_str()).collect();
    let purposes: Vec<_> = first.iter().map(|job| job.purpose.as_str()).collect();
    let values: Vec<_> = first.iter().map(|job| job.value.as_slice()).collect();
    let expires: Vec<_> = first.iter().map(|job| job.expires.get()).collect();
    let attempts: Vec<_> = first.iter().map(|job| job.attempt).collect();
    let (insert, elsewhere) = (ring::pick(&REMEMBER, place), ring::pick(&ELSEWHERE, place));
    held.prepare(insert).await?;
    held.prepare(elsewhere).await?;
    let parameters: [&(dyn ToSql + Sync); 6] = [&tenants, &purposes, &values, &expires, &attempts, &now];
    let (inserted, elsewhere) =
        tokio::join!(biased; held.query(insert, &parameters), held.query(elsewhere, &parameters));
    let inserted = names(&inserted?)?;
    let elsewhere = names(&elsewhere.map_err(unsure)?)?;
    for pending in jobs {
        let attempt = pending.job.attempt;
        pending.answer(inserted.contains(&attempt) && !elsewhere.contains(&attempt));
    }
    Ok(())
}

/// Those that an attempt had remembered whose answer was lost: they are true unless another brought one meanwhile that
/// lies elsewhere.
async fn own(held: &Held, jobs: &mut [Pending<Remember>]) -> Result<()> {
    let Some(place) = jobs.first().map(|pending| pending.job.place()) else { return Ok(()) };
    let now = jobs.first().map_or(0, |pending| pending.job.now.get());
    let tenants: Vec<_> = jobs.iter().map(|pending| pending.job.tenant.as_str()).collect();
    let purposes: Vec<_> = jobs.iter().map(|pending| pending.job.purpose.as_str()).collect();
    let values: Vec<_> = jobs.iter().map(|pending| pending.job.value.as_slice()).collect();
    let expires: Vec<_> = jobs.iter().map(|pending| pending.job.expires.get()).collect();
    let attempts: Vec<_> = jobs.iter().map(|pending| pending.job.attempt).collect();
    let sql = ring::pick(&OWN, place);
    let found = held.query(sql, &[&numbers(jobs.len()), &tenants, &purposes, &values, &attempts]).await?;
    if found.is_empty() {
        return Ok(());
    }
    let parameters: [&(dyn ToSql + Sync); 6] = [&tenants, &purposes, &values, &expires, &attempts, &now];
    let elsewhere = names(&held.query(ring::pick(&ELSEWHERE, place), &parameters).await?)?;
    for row in &found {
        if let Some(pending) = jobs.get_mut(position(row)?) {
            let alone = !elsewhere.contains(&pending.job.attempt);
            pending.answer(alone);
        }
    }
    Ok(())
}

/// What was undone was only the second look.
fn unsure(failure: Failure) -> Failure {
    match failure {
        Failure::Undone(text) => Failure::Lost(text),
        other => other,
    }
}

fn names(rows: &[crate::connect::Row]) -> Result<HashSet<Uuid>> {
    rows.iter().map(|row| Ok(row.try_get("attempt")?)).collect()
}

#[cfg(test)]
mod tests {
    use super::Remember;
    use crate::batch::{Job as _, Pending};
    use crate::{Options, PostgresStore};
    use grantor_local_postgres::Server;
    use grantor_protocol::value::{TenantName, UnixTime};
    use uuid::Uuid;

    const NOW: UnixTime = UnixTime::new(1_700_000_000);

    fn value(attempt: u128, expires: i64) -> Remember {
        let (tenant, expires) = (TenantName::parse("acme").unwrap(), UnixTime::new(NOW.get() + expires));
        let (purpose, attempt) = ("jti".to_owned(), Uuid::from_u128(attempt));
        Remember { tenant, purpose, value: [7; 32], expires, now: NOW, attempt }
    }

    async fn store() -> PostgresStore {
        let url = Server::shared().unwrap().fresh_database().unwrap();
        let minute = std::time::Duration::from_mins(1);
        let options = Options { patience: minute, reply: minute, ..Options::default() };
        PostgresStore::connect(&url, options).await.unwrap()
    }

    async fn run(store: &PostgresStore, job: Remember, uncertain: bool) -> bool {
        let held = store.connections.writer().await.unwrap();
        let (pending, answer) = Pending::new(job);
        let mut jobs = vec![pending];
        Remember::run(&held, &mut jobs, uncertain).await.unwrap();
        answer.await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn rfc9449_11_1_whose_answer_was_lost_is_told_true_only_while_nobody_else_may_be() {
        let store = store().await;
        assert!(run(&store, value(1, 30), false).await);
        assert!(run(&store, value(1, 30), true).await, "its own row");
        assert!(!run(&store, value(2, 30), true).await, "another's row");
        // Another came at the same moment with another day's expiry, and its look found nothing yet.
        let held = store.connections.writer().await.unwrap();
        let other = "INSERT INTO remembered (tenant, purpose, value, expires, attempt)
                     SELECT tenant, purpose, value, expires + 864000, NULL::uuid FROM remembered_3
                     UNION ALL SELECT tenant, purpose, value, expires + 864000, NULL::uuid FROM remembered_2
                     UNION ALL SELECT tenant, purpose, value, expires + 864000, NULL::uuid FROM remembered_1
                     UNION ALL SELECT tenant, purpose, value, expires + 864000, NULL::uuid FROM remembered_0";
        held.script(other).await.unwrap();
        drop(held);
        assert!(!run(&store, value(1, 30), true).await, "two may have been told true");
    }

    /// The first statement is carried out, and the second look is undone for others' sake.
    #[tokio::test]
    async fn rfc9449_11_1_what_was_remembered_is_ones_own_although_the_second_look_was_undone() {
        let store = store().await;
        let job = value(1, 30);
        let away = (job.place() + 1) % 4;
        let held = store.connections.writer().await.unwrap();
        held.script(&format!(
            "CREATE SEQUENCE looks;
             CREATE FUNCTION look() RETURNS text LANGUAGE plpgsql VOLATILE AS $$ BEGIN
               IF nextval('looks') = 2 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40001'; END IF;
               RETURN 'nobody'; END $$;
             ALTER TABLE remembered_{away} RENAME TO kept;
             CREATE VIEW remembered_{away} AS SELECT tenant, purpose, value, expires, attempt FROM kept
               UNION ALL (SELECT look(), 'none', '\\x'::bytea, 0::int8, NULL::uuid OFFSET 0)"
        ))
        .await
        .unwrap();
        drop(held);
        assert!(store.remember_once(&job.tenant, "jti", &job.value, job.expires, NOW).await.unwrap());
        let held = store.connections.writer().await.unwrap();
        let looks = held.lines("SELECT last_value FROM looks").await.unwrap();
        assert!(looks.iter().all(|looks| looks.parse::<u32>().unwrap() > 2), "{looks:?}");
        drop(held);
        let other = UnixTime::new(NOW.get() + 30);
        assert!(!store.remember_once(&job.tenant, "jti", &job.value, other, NOW).await.unwrap());
    }
}
