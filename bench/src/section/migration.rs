//! A migration of PostgreSQL, with many rows in the way and a node of the version before at work.

use super::{Scale, Section};
use crate::affinity::{Core, anywhere, pin};
use crate::failure::{Result, broken};
use crate::measure::{Asked, median};
use crate::path::{CHAINS, Chains, Stage, new_grants};
use crate::site::Site;
use grantor_local_postgres::{Options, Server};
use grantor_store_postgres::Target;
use grantor_store_postgres::migrate::{MIGRATIONS, Migration, Migrator, Report};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const GRANTS: u64 = 100_000;
const GRANTS_LONG: u64 = 10_000_000;
/// Rows of one statement that makes them.
const AT_ONCE: u64 = 1_000_000;

/// All that a migration can do to a table that is in use: a column, a value in each row, and an index.
const NEXT: &str = "
--! lock ACCESS EXCLUSIVE on grants, for a moment
ALTER TABLE grants ADD COLUMN IF NOT EXISTS touched bigint NOT NULL DEFAULT 0;

--! backfill
WITH batch AS (
  SELECT tenant, key FROM grants
  WHERE (tenant, key) > (split_part($1, ' ', 1), decode(split_part($1, ' ', 2), 'hex'))
  ORDER BY tenant, key LIMIT $2
), changed AS (
  UPDATE grants SET touched = 1 FROM batch WHERE grants.tenant = batch.tenant AND grants.key = batch.key RETURNING 1
)
SELECT (SELECT tenant || ' ' || encode(key, 'hex') FROM batch ORDER BY tenant DESC, key DESC LIMIT 1),
  (SELECT count(*) FROM changed);

--! index grants_touched
CREATE INDEX CONCURRENTLY IF NOT EXISTS grants_touched ON grants (tenant, touched) WHERE touched = 0;
";

/// How long each statement took, in order.
type Steps = Vec<(String, Duration)>;

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let rows = if scale.long { GRANTS_LONG } else { GRANTS };
    let postgres = Server::start(Options::default())?;
    let database = postgres.database("migration")?;
    let site = Site::with("migration", &[("GRANTOR_DATABASE", &database)])?;
    let server = site.start()?;
    let grants = new_grants(&site, CHAINS)?;
    eprintln!("  making {rows} grants");
    fill(&postgres, rows)?;
    pin(Core::Load);
    let mut asked = Asked::new(&server, Stage { script: Box::new(Chains::new(grants, CHAINS)), refill: None });
    let mut section = Section::new(
        "Migration on PostgreSQL",
        &format!(
            "The most that a migration does to a table in use, on {rows} grants: a column, a value in each row, in steps, and an \
             index. A node of the version before refreshes tokens meanwhile, 64 at a time; it has a core and the load the other, \
             PostgreSQL runs on both. A migration that only adds tables takes as long as its first statement here."
        ),
        &["what", "seconds", "rows a second", "refreshes a second", "refused or broken"],
    );
    let mut before = crate::load::Outcome::new()?;
    for _ in 0..scale.pace.rounds {
        before.add(&asked.slice(scale.pace.slice)?.0)?;
    }
    section.broken.extend(before.complaint("refreshes before"));
    let quiet = before.rate();
    section.row(["nothing".into(), String::new(), String::new(), format!("{quiet:.0}"), before.bad().to_string()]);
    let (said, steps) = mpsc::channel();
    let migrating = anywhere(|| std::thread::spawn(move || said.send(migrate(&database))));
    let (mut rates, mut bad) = (Vec::new(), 0);
    let steps: Steps = loop {
        let (outcome, _) = asked.slice(scale.pace.slice)?;
        rates.push(outcome.rate());
        bad += outcome.bad();
        match steps.try_recv() {
            Ok(steps) => break steps?,
            Err(mpsc::TryRecvError::Empty) => {}
            Err(mpsc::TryRecvError::Disconnected) => return broken("the migration ended without a word"),
        }
    };
    if migrating.join().is_err() {
        return broken("the migration panicked");
    }
    for (what, took) in &steps {
        let each = rows as f64 / took.as_secs_f64();
        let each = if what.starts_with("ALTER") { String::new() } else { format!("{each:.0}") };
        section.row([what.clone(), format!("{:.2}", took.as_secs_f64()), each, String::new(), String::new()]);
    }
    let whole: Duration = steps.iter().map(|(_, took)| *took).sum();
    section.row([
        "all of it".into(),
        format!("{:.2}", whole.as_secs_f64()),
        format!("{:.0}", rows as f64 / whole.as_secs_f64()),
        format!("{:.0}", median(&rates)),
        bad.to_string(),
    ]);
    if bad > 0 {
        section.broken.push(format!("{bad} refreshes were refused or went wrong during the migration"));
    }
    section.figure("migration.rate", rows as f64 / whole.as_secs_f64());
    Ok(section)
}

/// More grants, like one that is there.
fn fill(postgres: &Server, rows: u64) -> Result<()> {
    let mut made = 0;
    while made < rows {
        let last = (made + AT_ONCE).min(rows);
        let first = made + 1;
        postgres.sql(
            "migration",
            &format!(
                "INSERT INTO grants (tenant, key, client, subject, generation, rotated, expires, idle, ends, due, terms)
                 SELECT tenant, decode(lpad(to_hex(n), 2 * length(key), '0'), 'hex'), client, subject, generation, rotated,
                   expires, idle, ends, due, terms
                 FROM (SELECT * FROM grants ORDER BY key DESC LIMIT 1) AS one, generate_series({first}, {last}) AS n"
            ),
        )?;
        made = last;
    }
    postgres.sql("migration", "VACUUM ANALYZE grants")?;
    postgres.sql("migration", "CHECKPOINT")?;
    Ok(())
}

fn migrate(database: &str) -> Result<Steps> {
    let mut migrations = MIGRATIONS.to_vec();
    let number = migrations.last().map_or(1, |last| last.number + 1);
    migrations.push(Migration { number, name: "next", sql: NEXT, ends: 0 });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let target = Target::parse(database)?;
        let (work, keep) = (target.client().await?, target.client().await?);
        let mut begun: Vec<(String, Instant)> = Vec::new();
        Migrator::new(&work, &keep)
            .run(&migrations, &mut |report| {
                if let Report::Begins { statement, .. } = report {
                    begun.push((name(&statement.sql), Instant::now()));
                }
            })
            .await?;
        let ends = begun.iter().skip(1).map(|(_, at)| *at).chain([Instant::now()]);
        Ok(begun.iter().zip(ends).map(|((what, at), end)| (what.clone(), end.duration_since(*at))).collect())
    })
}

/// What a statement is, by its first words.
fn name(sql: &str) -> String {
    let words =
        if sql.starts_with("WITH") { "a value in each row" } else { sql.split(" IF NOT").next().unwrap_or(sql) };
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
