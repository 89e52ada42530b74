//! Refresh on PostgreSQL, one node, beside what pgbench gets out of the same server.

use super::{Scale, Section, verdict};
use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use crate::measure::{Asked, median, micros, ratio};
use crate::path::{CHAINS, Chains, Stage, new_grants};
use crate::site::Site;
use grantor_local_postgres::{Options, Server};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PGBENCH_CONNECTIONS: usize = 32;
/// pgbench's own table, a row for each of so many accounts times 100,000.
const PGBENCH_SCALE: &str = "1";
const UPDATE: &str = "\\set aid random(1, 100000)\n\
                      UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;\n";

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let postgres = Server::start(Options::default())?;
    let (database, other) = (postgres.database("grantor")?, postgres.database("pgbench")?);
    let program = pgbench()?;
    let made = Command::new(&program).args(["-i", "-q", "-s", PGBENCH_SCALE, &other]).output()?;
    if !made.status.success() {
        return broken(format!("pgbench: {}", String::from_utf8_lossy(&made.stderr)));
    }
    let site = Site::with("postgres", &[("GRANTOR_DATABASE", &database)])?;
    let script = site.folder.join("update.sql");
    std::fs::write(&script, UPDATE)?;
    let server = site.start()?;
    // Each path has grants of its own, as many as there are connections.
    let grants = new_grants(&site, CHAINS)?;
    pin(Core::Load);
    let stage = Stage { script: Box::new(Chains::new(grants, CHAINS)), refill: None };
    let mut asked = Asked::new(&server, stage);
    let mut section = Section::new(
        "Refresh on PostgreSQL",
        "One node and 64 connections, beside `pgbench -M prepared -c 32` with single-row updates by primary key, in turn, on the \
         same server with its defaults (fsync and synchronous_commit on). Grantor and the load have a core each; PostgreSQL \
         runs on both.",
        &["what", "a second", "p50 us", "p99 us", "node's CPU us", "ratio", "wanted", "verdict"],
    );
    let (mut rates, mut cpus, mut updates) = (Vec::new(), Vec::new(), Vec::new());
    let mut whole = crate::load::Outcome::new()?;
    for _ in 0..scale.pace.rounds {
        let (outcome, cpu) = asked.slice(scale.pace.slice)?;
        whole.add(&outcome)?;
        rates.push(outcome.rate());
        cpus.push(cpu);
        updates.push(update(&program, &script, &other, scale.pace.slice)?);
    }
    section.broken.extend(whole.complaint("refresh"));
    let times = ratio(&rates, &updates);
    section.row([
        "refresh".into(),
        format!("{:.0}", median(&rates)),
        micros(whole.quantile(0.5)).to_string(),
        micros(whole.quantile(0.99)).to_string(),
        format!("{:.1}", median(&cpus)),
        format!("{times:.2}"),
        "1.00".into(),
        verdict(times >= 1.0),
    ]);
    let empty = String::new;
    section.row([
        "pgbench, single-row UPDATE".into(),
        format!("{:.0}", median(&updates)),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
    ]);
    section.notes.push(postgres.sql("postgres", "SELECT version()")?.trim().to_owned());
    section.figure("postgres.refresh.rate", median(&rates));
    section.figure("postgres.refresh.cpu", median(&cpus) / 1e6);
    section.figure("postgres.update.rate", median(&updates));
    Ok(section)
}

fn update(program: &Path, script: &Path, database: &str, time: Duration) -> Result<f64> {
    let mut pgbench = Command::new(program);
    pgbench.args(["-n", "-M", "prepared", "-j", "2", "-c", &PGBENCH_CONNECTIONS.to_string()]);
    pgbench.args(["-T", &time.as_secs().max(1).to_string(), "-f"]).arg(script).arg(database);
    let done = crate::affinity::anywhere(|| pgbench.output())?;
    let said = String::from_utf8_lossy(&done.stdout);
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    tps.ok_or_else(|| format!("pgbench: {said}{}", String::from_utf8_lossy(&done.stderr)).into())
}

/// Debian keeps it beside the server, by version.
fn pgbench() -> Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> =
        versions.map(|version| version.path().join("bin/pgbench")).filter(|file| file.is_file()).collect();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = std::env::split_paths(&path).map(|folder| folder.join("pgbench")).find(|file| file.is_file());
    found.pop().or(elsewhere).ok_or_else(|| "pgbench is missing: Debian's package is postgresql-contrib".into())
}
