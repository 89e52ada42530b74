//! How long migrations take on many grants, and how long they hold up a node that refreshes meanwhile.
//!
//! ```text
//! cargo run --release -p grantor-store-postgres --example migrate_timing -- 10000000
//! ```
//!
//! Starts a PostgreSQL server of its own with its defaults, fills `grants`, then adds a column, fills it in steps and makes
//! an index, each as a migration is carried out, while another connection rotates grants one after another. Prints for
//! each how long it took, and what the rotations took meanwhile: the longest is the worst stall.

#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a measurement, for people")]

use grantor_local_postgres::{Options, Server};
use grantor_store_postgres::Target;
use grantor_store_postgres::migrate::{MIGRATIONS, Migration, Migrator, Report};
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::Client;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const COLUMN: &str = "ALTER TABLE grants ADD COLUMN IF NOT EXISTS region text NOT NULL DEFAULT '';\n";
const BACKFILL: &str = "--! backfill
WITH batch AS (
  SELECT tenant, key FROM grants
  WHERE (tenant, key) > (split_part($1, ' ', 1), decode(split_part($1, ' ', 2), 'hex'))
  ORDER BY tenant, key LIMIT $2
), changed AS (
  UPDATE grants SET region = 'eu' FROM batch WHERE grants.tenant = batch.tenant AND grants.key = batch.key RETURNING 1
)
SELECT (SELECT tenant || ' ' || encode(key, 'hex') FROM batch ORDER BY tenant DESC, key DESC LIMIT 1),
  (SELECT count(*) FROM changed);
";
const INDEX: &str =
    "--! index grants_region\nCREATE INDEX CONCURRENTLY IF NOT EXISTS grants_region ON grants (tenant, region, key);\n";

const FILL: &str = "INSERT INTO grants (tenant, key, client, subject, generation, rotated, expires, idle, ends, due, terms)
  SELECT 'default', substr(id, 16, 1) || substr(id, 1, 15), 'client-' || n % 1000, 'user-' || n % 1000000, 0, 1700000000, 1702592000,
    2592000, 1731536000, 1702592000 + n % 2592000, repeat('t', 400)
  FROM (SELECT n, decode(lpad(to_hex(1700000000000 + n), 12, '0') || substr(md5(n::text), 1, 20), 'hex') AS id
    FROM generate_series($1::bigint, $2::bigint) AS n) AS rows";

#[tokio::main]
async fn main() -> Result<()> {
    let rows: i64 = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    let server = Server::start(Options::default())?;
    let target = Target::parse(&server.fresh_database()?)?;
    let (work, keep) = (target.client().await?, target.client().await?);
    Migrator::new(&work, &keep).run(MIGRATIONS, &mut |_| {}).await?;
    let begun = Instant::now();
    let mut next = 1;
    while next <= rows {
        let last = rows.min(next + 999_999);
        work.execute(FILL, &[&next, &last]).await?;
        next = last + 1;
    }
    work.batch_execute("VACUUM ANALYZE grants").await?;
    let bytes: i64 = work.query_one("SELECT pg_total_relation_size('grants')::bigint", &[]).await?.try_get(0)?;
    println!("{rows} grants in {:.0} s, {} bytes each with their indexes", begun.elapsed().as_secs_f64(), bytes / rows);
    let alone = Writer::start(target.client().await?, rows);
    tokio::time::sleep(Duration::from_secs(10)).await;
    report("nothing else", Duration::from_secs(10), None, &mut alone.stop().await?);
    let known = u32::try_from(MIGRATIONS.len())?;
    let mut migrations = MIGRATIONS.to_vec();
    for (position, (name, sql)) in
        (1_u32..).zip([("add a column", COLUMN), ("backfill", BACKFILL), ("new index", INDEX)])
    {
        migrations.push(Migration { number: known + position, name, sql, ends: 0 });
        let writer = Writer::start(target.client().await?, rows);
        let begun = Instant::now();
        let mut filled = None;
        Migrator::new(&work, &keep)
            .run(&migrations, &mut |report| {
                if let Report::Filled { rows, .. } = report {
                    filled = Some(rows);
                }
            })
            .await?;
        let took = begun.elapsed();
        report(name, took, filled, &mut writer.stop().await?);
    }
    Ok(())
}

/// A node that refreshes.
struct Writer {
    stop: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<Vec<Duration>>>,
}

impl Writer {
    fn start(client: Client, rows: i64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let rotate = "UPDATE grants SET generation = generation + 1, rotated = rotated + 1, expires = expires + 1
                          WHERE tenant = 'default' AND key = $1 AND revoked IS NULL";
            let keys = "SELECT key FROM grants WHERE tenant = 'default' AND key > $1 ORDER BY key LIMIT 1";
            let (rotate, keys) = (client.prepare(rotate).await?, client.prepare(keys).await?);
            let mut taken = Vec::new();
            let mut place = 1_u64;
            while !stopped.load(Ordering::Relaxed) {
                place = place.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(rows.unsigned_abs() | 1);
                let near = (place >> 32).to_be_bytes();
                // Near to a random one of the 256 places, and then at a random time.
                let time = (1_700_000_000_000 + place % rows.unsigned_abs()).to_be_bytes();
                let near: Vec<u8> = near.last().into_iter().chain(time.iter().skip(2)).copied().collect();
                let Some(row) = client.query_opt(&keys, &[&near]).await? else { continue };
                let key: Vec<u8> = row.try_get(0)?;
                let begun = Instant::now();
                client.execute(&rotate, &[&key]).await?;
                taken.push(begun.elapsed());
            }
            Ok(taken)
        });
        Self { stop, task }
    }

    async fn stop(self) -> Result<Vec<Duration>> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await?
    }
}

fn report(name: &str, took: Duration, filled: Option<u64>, taken: &mut [Duration]) {
    taken.sort_unstable();
    let at = |part: usize| taken.get((taken.len().saturating_sub(1)) * part / 1000).map_or(0.0, Duration::as_secs_f64);
    let rate = filled.map_or_else(String::new, |rows| format!(" ({:.0} rows/s)", rows as f64 / took.as_secs_f64()));
    println!(
        "{name}: {:.1} s{rate}; {} rotations meanwhile, p50 {:.2} ms, p99 {:.2} ms, p999 {:.2} ms, worst {:.2} ms",
        took.as_secs_f64(),
        taken.len(),
        at(500) * 1e3,
        at(990) * 1e3,
        at(999) * 1e3,
        at(1000) * 1e3,
    );
}
