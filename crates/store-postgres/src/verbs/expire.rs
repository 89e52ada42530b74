//! Dropping what nobody can ask for any more: in small steps, or a day at a time. One node does it; another follows within
//! the time of a lease. None depends on it.

use crate::PostgresStore;
use crate::connect::{Connections, Live};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use crate::lease;
use crate::ring::{DAY, DAYS};
use crate::transaction::Transaction;
use async_trait::async_trait;
use grantor_protocol::value::{EventId, Seconds, TokenId, UnixTime};
use grantor_store::{Activity, Store, StoreError};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;
use uuid::Uuid;

/// No access token lives longer: for so long its grant must be found after it has expired.
const LONGEST_TOKEN: Seconds = DAY;
/// How long a node has the right to do this.
const LEASE: Duration = Duration::from_secs(30);
/// A day is dropped when it has been over for so long: the clocks of the nodes differ.
const AFTER_MIDNIGHT: i64 = 3_600;
/// So many versions of the directory back, what was deleted is still told.
const VERSIONS: i64 = 10_000;

/// What goes at its `expires`. The second look is for a row whose end was moved in the meantime.
const TABLES: [&str; 7] = [
    "DELETE FROM spent_codes WHERE expires <= $1 AND (tenant, code) IN
       (SELECT tenant, code FROM spent_codes WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM revoked_tokens WHERE expires <= $1 AND (tenant, token) IN
       (SELECT tenant, token FROM revoked_tokens WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM statuses WHERE expires <= $1 AND (tenant, list, idx) IN
       (SELECT tenant, list, idx FROM statuses WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM cutoffs WHERE expires <= $1 AND (tenant, subject, client) IN
       (SELECT tenant, subject, client FROM cutoffs WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM sessions WHERE expires <= $1 AND (tenant, key) IN
       (SELECT tenant, key FROM sessions WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM devices WHERE expires <= $1 AND (tenant, user_code) IN
       (SELECT tenant, user_code FROM devices WHERE expires <= $1 ORDER BY expires LIMIT $2)",
    "DELETE FROM remembered WHERE expires <= $1 AND (tenant, purpose, value) IN
       (SELECT tenant, purpose, value FROM remembered WHERE expires <= $1 ORDER BY expires LIMIT $2)",
];

/// A table of the ring.
struct Day {
    /// Its rows, as far as they are counted, and when the last of these expires.
    count: &'static str,
    delete: &'static str,
    truncate: &'static str,
}

/// The database's clock, which no node's is trusted to be ahead of: what has not expired by both is kept.
const CLOCK: &str = "SELECT (extract(epoch FROM now()))::bigint";

/// With fewer rows a day is dropped row by row, so that they can be counted.
const FEW: i64 = 10_000;

const RINGS: [[Day; 4]; 2] = [
    [
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM spent_codes_0 LIMIT $1) AS counted",
            delete: "DELETE FROM spent_codes_0 WHERE (tenant, code) IN (SELECT tenant, code FROM spent_codes_0 LIMIT $1)",
            truncate: "TRUNCATE spent_codes_0",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM spent_codes_1 LIMIT $1) AS counted",
            delete: "DELETE FROM spent_codes_1 WHERE (tenant, code) IN (SELECT tenant, code FROM spent_codes_1 LIMIT $1)",
            truncate: "TRUNCATE spent_codes_1",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM spent_codes_2 LIMIT $1) AS counted",
            delete: "DELETE FROM spent_codes_2 WHERE (tenant, code) IN (SELECT tenant, code FROM spent_codes_2 LIMIT $1)",
            truncate: "TRUNCATE spent_codes_2",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM spent_codes_3 LIMIT $1) AS counted",
            delete: "DELETE FROM spent_codes_3 WHERE (tenant, code) IN (SELECT tenant, code FROM spent_codes_3 LIMIT $1)",
            truncate: "TRUNCATE spent_codes_3",
        },
    ],
    [
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM remembered_0 LIMIT $1) AS counted",
            delete: "DELETE FROM remembered_0 WHERE (tenant, purpose, value) IN (SELECT tenant, purpose, value FROM remembered_0 LIMIT $1)",
            truncate: "TRUNCATE remembered_0",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM remembered_1 LIMIT $1) AS counted",
            delete: "DELETE FROM remembered_1 WHERE (tenant, purpose, value) IN (SELECT tenant, purpose, value FROM remembered_1 LIMIT $1)",
            truncate: "TRUNCATE remembered_1",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM remembered_2 LIMIT $1) AS counted",
            delete: "DELETE FROM remembered_2 WHERE (tenant, purpose, value) IN (SELECT tenant, purpose, value FROM remembered_2 LIMIT $1)",
            truncate: "TRUNCATE remembered_2",
        },
        Day {
            count: "SELECT count(*), max(expires) FROM (SELECT expires FROM remembered_3 LIMIT $1) AS counted",
            delete: "DELETE FROM remembered_3 WHERE (tenant, purpose, value) IN (SELECT tenant, purpose, value FROM remembered_3 LIMIT $1)",
            truncate: "TRUNCATE remembered_3",
        },
    ],
];

const DUE: &str = "SELECT tenant, key, expires <= $1 FROM grants WHERE due <= $1 ORDER BY due LIMIT $2";
const DROP_GRANTS: &str = "DELETE FROM grants WHERE expires <= $3 AND (tenant, key) IN
     (SELECT tenant, key FROM unnest($1::text[], $2::bytea[]) AS gone (tenant, key))";
const PUT_OFF: &str = "UPDATE grants SET due = expires WHERE expires > $3 AND (tenant, key) IN
     (SELECT tenant, key FROM unnest($1::text[], $2::bytea[]) AS kept (tenant, key))";
const EVENTS: &str = "DELETE FROM events WHERE (tenant, id) IN
     (SELECT tenant, id FROM events WHERE id < $1 ORDER BY id LIMIT $2)";

/// The floor first, in the same transaction: nobody is told of changes without those that are gone.
const FLOOR: &str = "UPDATE meta SET number = $1 WHERE name = 'directory_floor' AND number < $1
     AND EXISTS (SELECT 1 FROM directory WHERE body IS NULL AND version <= $1)";
const TOMBSTONES: &str = "DELETE FROM directory WHERE body IS NULL AND version <= $1";

/// The epoch first: nobody opens a session afterwards that is not to stand.
const MOVE_EPOCH: &str = "UPDATE meta SET bytes = $1 WHERE name = 'epoch' AND bytes < $1";

#[async_trait]
impl Store for PostgresStore {
    async fn expire(&self, now: UnixTime, keep_events_from: EventId, limit: u32) -> grantor_store::Result<u64> {
        expire(&self.connections, now, keep_events_from, limit).await
    }

    async fn move_epoch(&self, epoch: TokenId) -> grantor_store::Result<()> {
        let moved = async {
            let mut attempts = Attempts::default();
            while let Err(failure) = move_epoch(&self.connections, epoch).await {
                attempts.again(failure, Repeatable::Always).await?;
            }
            Ok(())
        };
        self.connections.in_time(moved).await
    }

    async fn backup(&self, _to: &Path) -> grantor_store::Result<()> {
        Err(StoreError::Broken("a cluster is copied with the tools of its database".to_owned()))
    }

    fn activity(&self) -> Activity {
        self.lanes.activity()
    }
}

async fn move_epoch(connections: &Connections, epoch: TokenId) -> Result<()> {
    let transaction = Transaction::begin(connections).await?;
    let moved = async {
        transaction.execute(MOVE_EPOCH, &[&epoch.as_bytes().as_slice()]).await?;
        transaction.script("TRUNCATE sessions").await
    }
    .await;
    transaction.end(moved).await
}

/// Drops at most `limit` rows, or a day with many, which counts as so many. Gives how many.
async fn expire(
    connections: &Connections,
    mut now: UnixTime,
    keep_events_from: EventId,
    limit: u32,
) -> grantor_store::Result<u64> {
    let mut left = Left(i64::from(limit));
    {
        let db = connections.writer().await?;
        if !has_lease(&db).await? {
            return Ok(0);
        }
        now = now.min(clock(&db).await?);
        for sql in TABLES {
            left.drop(&db, sql, now).await?;
        }
        left.drop_grants(&db, now.minus(LONGEST_TOKEN)).await?;
        if left.0 > 0 {
            let horizon = Uuid::from_bytes(*keep_events_from.as_bytes());
            left.less(db.execute(EVENTS, &[&horizon, &left.0]).await?);
        }
    }
    left.drop_yesterday(connections, now).await?;
    forget_tombstones(connections).await?;
    Ok(u64::try_from(i64::from(limit) - left.0).unwrap_or(0))
}

/// How many rows may still be dropped.
struct Left(i64);

impl Left {
    fn less(&mut self, dropped: u64) {
        self.0 = self.0.saturating_sub(i64::try_from(dropped).unwrap_or(i64::MAX)).max(0);
    }

    async fn drop(&mut self, db: &Live, sql: &'static str, until: UnixTime) -> Result<()> {
        if self.0 > 0 {
            self.less(db.execute(sql, &[&until.get(), &self.0]).await?);
        }
        Ok(())
    }

    /// Looks at the grants that are due: drops those that ended before `horizon`, and puts off those that were refreshed
    /// in the meantime.
    async fn drop_grants(&mut self, db: &Live, horizon: UnixTime) -> Result<()> {
        if self.0 == 0 {
            return Ok(());
        }
        let (mut over, mut kept) = (Rows::default(), Rows::default());
        for row in db.query(DUE, &[&horizon.get(), &self.0]).await? {
            let rows = if row.try_get(2)? { &mut over } else { &mut kept };
            rows.tenants.push(row.try_get(0)?);
            rows.keys.push(row.try_get(1)?);
        }
        if !kept.keys.is_empty() {
            db.execute(PUT_OFF, &[&kept.tenants, &kept.keys, &horizon.get()]).await?;
        }
        if !over.keys.is_empty() {
            self.less(db.execute(DROP_GRANTS, &[&over.tenants, &over.keys, &horizon.get()]).await?);
        }
        Ok(())
    }

    /// What expired yesterday, whole: nobody writes there. Whoever still reads there is not waited for. A clock that is
    /// days slow takes for yesterday's table one that is in use, which the rows in it tell.
    async fn drop_yesterday(&mut self, connections: &Connections, now: UnixTime) -> Result<()> {
        let day = i64::from(DAY.get());
        if now.get().rem_euclid(day) < AFTER_MIDNIGHT {
            return Ok(());
        }
        let yesterday = usize::try_from((now.get().div_euclid(day) - 1).rem_euclid(DAYS)).unwrap_or(0);
        for day in RINGS.iter().filter_map(|ring| ring.get(yesterday)) {
            if self.0 == 0 {
                return Ok(());
            }
            let db = connections.writer().await.map_err(Failure::from)?;
            let rows = db.query(day.count, &[&FEW.max(self.0)]).await?;
            let row = rows.first().ok_or(Failure::Record("count"))?;
            let (counted, last): (i64, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
            if last.is_some_and(|last| last > now.get()) {
                continue;
            }
            if counted < FEW {
                self.less(db.execute(day.delete, &[&self.0]).await?);
                continue;
            }
            drop(db);
            let transaction = Transaction::begin(connections).await?;
            let truncated = async {
                transaction.script("SET LOCAL lock_timeout = '200ms'").await?;
                transaction.script(day.truncate).await
            }
            .await;
            match transaction.end(truncated).await {
                Ok(()) => self.less(u64::try_from(counted).unwrap_or(0)),
                // The next time.
                Err(Failure::Busy(_) | Failure::Undone(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Rows {
    tenants: Vec<String>,
    keys: Vec<Vec<u8>>,
}

async fn has_lease(db: &Live) -> Result<bool> {
    static HOLDER: OnceLock<Uuid> = OnceLock::new();
    let holder = HOLDER.get_or_init(|| Uuid::from_u64_pair(crate::connect::draw(), crate::connect::draw()));
    let seconds = i64::try_from(LEASE.as_secs()).unwrap_or(i64::MAX);
    Ok(!db.query(lease::TAKE, &[&"expire", holder, &seconds]).await?.is_empty())
}

async fn clock(db: &Live) -> Result<UnixTime> {
    let rows = db.query(CLOCK, &[]).await?;
    Ok(UnixTime::new(rows.first().ok_or(Failure::Record("clock"))?.try_get(0)?))
}

async fn forget_tombstones(connections: &Connections) -> Result<()> {
    let rows = {
        let db = connections.reader().await?;
        db.query("SELECT number FROM meta WHERE name = 'directory_version'", &[]).await?
    };
    let version: i64 = rows.first().ok_or(Failure::Record("directory version"))?.try_get(0)?;
    let floor = version - VERSIONS;
    if floor <= 0 {
        return Ok(());
    }
    let transaction = Transaction::begin(connections).await?;
    let forgotten = async {
        if transaction.execute(FLOOR, &[&floor]).await? > 0 {
            transaction.execute(TOMBSTONES, &[&floor]).await?;
        }
        Ok(())
    }
    .await;
    transaction.end(forgotten).await
}
