//! The ceiling of what is written: the same rows in the same batches, committed by bare SQLite on the same core, with
//! nothing around it. No queue, no threads, no answers.

use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use clap::{Args, ValueEnum};
use hdrhistogram::Histogram;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Which rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rows {
    /// A grant's next generation
    Rotations,
    /// A spent code, its grant, and a line of the audit log
    Redemptions,
    /// A token's index in a status list
    Statuses,
    /// What is good once: the digest of a proof or an assertion
    Remembered,
}

/// `grantor-bench rows`.
#[derive(Debug, Args)]
pub(crate) struct Bare {
    #[arg(long, value_enum)]
    rows: Rows,
    /// The database of a server that is not writing now; a copy is made of it
    #[arg(long)]
    database: PathBuf,
    /// Verbs in each commit
    #[arg(long, default_value_t = 64)]
    batch: u64,
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Committed {
    /// Verbs a second.
    pub(crate) rate: f64,
    /// One commit, in microseconds.
    pub(crate) commit_p50: u64,
    pub(crate) commit_p99: u64,
    /// Processor time of a verb, in microseconds.
    pub(crate) cpu: f64,
}

/// Runs it in a process of its own, on the servers' core.
pub(crate) fn commit(rows: Rows, database: &std::path::Path, batch: u64, time: Duration) -> Result<Committed> {
    let mut command = Command::new(std::env::current_exe()?);
    let name = rows.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    command.arg("rows").args(["--rows", &name, "--batch", &batch.to_string(), "--seconds"]);
    command.arg(time.as_secs_f64().to_string()).arg("--database").arg(database);
    let done = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !done.status.success() {
        return broken("bare SQLite failed");
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

/// About as long as what the server writes of an event.
const EVENT: &str = r#"{"action":"token","outcome":"allowed","actor":"web","target":"018cc251-f400-7000-8000-000000000000","address":"127.0.0.1","request_id":"AAAAAAAAAAAA","details":{"grant_type":"refresh_token","scope":"opaque:read","binding":"none"}}"#;

impl Bare {
    pub(crate) fn run(&self) -> Result<()> {
        pin(Core::Server);
        let copy = self.database.with_file_name(format!("bare-{}.db", std::process::id()));
        // A copy through SQLite: the log of the original is in it.
        Connection::open(&self.database)?.backup("main", &copy, None::<fn(rusqlite::backup::Progress)>)?;
        let committed = self.committed(&copy);
        for ending in ["", "-wal", "-shm"] {
            let mut name = copy.clone().into_os_string();
            name.push(ending);
            let _ = std::fs::remove_file(name);
        }
        println!("{}", serde_json::to_string(&committed?)?);
        Ok(())
    }

    fn committed(&self, copy: &std::path::Path) -> Result<Committed> {
        let db = Connection::open(copy)?;
        // As the store sets them.
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8192;
             PRAGMA cache_size = -8192; PRAGMA temp_store = MEMORY;",
        )?;
        let places = self.grants(&db)?;
        let terms = db.query_row("SELECT terms FROM grants LIMIT 1", [], |row| row.get(0)).optional()?;
        let terms: String = terms.unwrap_or_default();
        let mut commits: Histogram<u64> = Histogram::new(3)?;
        let (mut verbs, mut fresh) = (0_u64, 0_u64);
        let (begun, cpu) = (Instant::now(), crate::process::cpu_of(std::process::id())?);
        while begun.elapsed().as_secs_f64() < self.seconds {
            let commit = Instant::now();
            db.execute_batch("BEGIN IMMEDIATE")?;
            for at in 0..self.batch {
                fresh += 1;
                match self.rows {
                    Rows::Rotations => {
                        let place = places.get(usize::try_from(at)? % places.len()).ok_or("no grants")?;
                        rotate(&db, *place)?;
                    }
                    Rows::Redemptions => redeem(&db, fresh, &terms)?,
                    Rows::Statuses => assign(&db, fresh)?,
                    Rows::Remembered => remember(&db, fresh)?,
                }
            }
            db.execute_batch("COMMIT")?;
            commits.saturating_record(u64::try_from(commit.elapsed().as_micros())?);
            verbs += self.batch;
        }
        let time = begun.elapsed().as_secs_f64();
        let cpu = crate::process::cpu_of(std::process::id())?.saturating_sub(cpu);
        Ok(Committed {
            rate: verbs as f64 / time,
            commit_p50: commits.value_at_quantile(0.5),
            commit_p99: commits.value_at_quantile(0.99),
            cpu: cpu.as_secs_f64() * 1e6 / verbs as f64,
        })
    }

    fn grants(&self, db: &Connection) -> Result<Vec<i64>> {
        let mut statement = db.prepare("SELECT place FROM grants ORDER BY place LIMIT ?")?;
        let rows = statement.query_map([i64::try_from(self.batch)?], |row| row.get(0))?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }
}

fn rotate(db: &Connection, place: i64) -> Result<()> {
    let sql = "UPDATE grants SET generation = generation + 1, rotated = ?2, expires = min(?2 + idle, ends)
               WHERE place = ?1 AND revoked IS NULL AND expires > ?2";
    match db.prepare_cached(sql)?.execute(params![place, crate::site::now()])? {
        1 => Ok(()),
        _ => broken("a grant is gone"),
    }
}

fn redeem(db: &Connection, n: u64, terms: &str) -> Result<()> {
    let (id, now) = (name_of(n), crate::site::now());
    db.prepare_cached("INSERT INTO spent_codes (tenant, code, grant_id, expires) VALUES ('default', ?, ?, ?)")?
        .execute(params![id, id, now + 120])?;
    db.prepare_cached(
        "INSERT INTO grants
           (place, tenant, id, client, subject, generation, rotated, expires, revoked, idle, ends, due, terms)
         VALUES (?5, 'default', ?1, 'web', 'user-of-the-bench', 0, ?2, ?3, NULL, 2592000, ?3, ?3, ?4)",
    )?
    .execute(params![id, now, now + 2_592_000, terms, (1_i64 << 62) + i64::try_from(n)?])?;
    db.prepare_cached("INSERT INTO events (tenant, id, body) VALUES ('default', ?, ?)")?.execute(params![id, EVENT])?;
    Ok(())
}

fn assign(db: &Connection, n: u64) -> Result<()> {
    let sql = "INSERT INTO statuses (tenant, list, idx, token, client, grant_id, expires)
               VALUES ('default', ?, ?, ?, 'machine', NULL, ?)";
    let (list, index) = (i64::try_from(n >> 14)?, i64::try_from(n & 0x3FFF)?);
    db.prepare_cached(sql)?.execute(params![list, index, name_of(n), crate::site::now() + 900])?;
    Ok(())
}

fn remember(db: &Connection, n: u64) -> Result<()> {
    let sql = "INSERT INTO remembered (bucket, place, value, purpose, tenant, expires)
               VALUES (?, ?, ?, 'bench', 'default', ?)";
    // Behind those that the server gave.
    let (place, expires) = (i64::try_from(n)? + (1 << 40), crate::site::now() + 300);
    db.prepare_cached(sql)?.execute(params![(expires / 128 + 1) * 128, place, digest_of(n), expires])?;
    Ok(())
}

/// In no order, as digests are (the finalizer of splitmix64).
fn digest_of(n: u64) -> [u8; 32] {
    let mut digest = [0; 32];
    for (part, at) in digest.chunks_exact_mut(8).zip(1..) {
        let mut word = n.wrapping_mul(4).wrapping_add(at).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        part.copy_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    digest
}

/// A name that is younger than every other.
fn name_of(n: u64) -> [u8; 16] {
    ((0x0FFF_u128 << 112) | (u128::from(n) << 32)).to_be_bytes()
}
