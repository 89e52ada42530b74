//! SIGKILL under load, of nodes and of the database in turn: whatever was acknowledged is there afterwards, and nothing
//! is spent twice.

use crate::common::cluster::Cluster;
use crate::common::ledger::Counts;
use crate::common::load::{self, Load, Worker};
use crate::common::report::Report;
use crate::common::stores::Backend;
use anyhow::{Result, anyhow, ensure};
use clap::Args;
use grantor_local_postgres::{Options, Server};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// `grantor-proof kill`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: Backend,
    #[arg(long, default_value_t = 6)]
    kills: u32,
}

const NODES: usize = 2;
const WORKERS: usize = 8;
/// How long a node may need to find its database again.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who dies.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Node(usize),
    Database,
}

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    report.check("a store that forgets is found out", forgetful().await);
    let mut database = match arguments.store {
        Backend::Sqlite => None,
        Backend::Postgres => Some(Server::start(Options::default())?),
    };
    let url = database.as_ref().map(Server::fresh_database).transpose()?;
    let mut cluster = Cluster::start(&vec![url; NODES], None).await?;
    let mut workers = load::hire(&cluster, WORKERS).await?;
    let mut total = Counts::default();
    for kill in 1..=arguments.kills {
        let victim = match (database.is_some(), usize::try_from(kill)?) {
            (true, even) if even % 2 == 0 => Victim::Database,
            (true, odd) => Victim::Node(odd / 2 % NODES),
            (false, any) => Victim::Node(any % NODES),
        };
        if workers.is_empty() {
            workers = load::hire(&cluster, WORKERS).await?;
        }
        let name = format!("kill {kill}, of {victim:?}: what was acknowledged is there");
        let round = round(&mut cluster, database.as_mut(), victim, std::mem::take(&mut workers), &mut total).await;
        workers = report.check(&name, round).unwrap_or_default();
    }
    println!("{total:?}");
    for (what, count) in
        [("redemptions", total.redeemed), ("refreshes", total.refreshed), ("revocations", total.revoked)]
    {
        let enough = count >= u64::from(arguments.kills);
        report.check(&format!("there were {what} to lose"), enough.then_some(()).ok_or_else(|| anyhow!("{count}")));
    }
    Ok(report.finish())
}

/// Whether this proof would see it: the file of a node that was killed is put back to what it was before.
async fn forgetful() -> Result<()> {
    let mut cluster = Cluster::start(&[None], None).await?;
    let workers = load::hire(&cluster, 2).await?;
    let (file, copy) = (cluster.home().join("data/grantor.db"), cluster.home().join("copy.db"));
    cluster.operate(&["backup", &copy.display().to_string()], "").await?;
    let load = Load::begin(&cluster.addresses(), cluster.host(), workers);
    let begun = Instant::now();
    while load.counts().acknowledged() < 50 {
        ensure!(begun.elapsed() < PATIENCE, "nobody was told anything");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    load.disturb();
    cluster.kill(0).await?;
    std::fs::rename(copy, &file)?;
    for beside in ["grantor.db-wal", "grantor.db-shm"] {
        let _ = std::fs::remove_file(file.with_file_name(beside));
    }
    cluster.begin(0).await?;
    load::recovered(&cluster, PATIENCE).await?;
    let held = match load.stop().await {
        Ok(mut workers) => load::look(&cluster.addresses(), cluster.host(), &mut workers).await.map(drop),
        Err(why) => Err(why),
    };
    let why = held.err().map(|why| format!("{why:#}")).unwrap_or_default();
    ensure!(
        why.contains("the refresh token that was given last is refused") || why.contains("is not active"),
        "{why:?}"
    );
    Ok(())
}

async fn round(
    cluster: &mut Cluster,
    database: Option<&mut Server>,
    victim: Victim,
    workers: Vec<Worker>,
    total: &mut Counts,
) -> Result<Vec<Worker>> {
    let load = Load::begin(&cluster.addresses(), cluster.host(), workers);
    tokio::time::sleep(Duration::from_millis(100 + fastrand::u64(0..500))).await;
    load.disturb();
    match (victim, database) {
        (Victim::Node(node), _) => {
            cluster.kill(node).await?;
            cluster.begin(node).await?;
        }
        (Victim::Database, Some(database)) => {
            database.kill()?;
            database.restart()?;
        }
        (Victim::Database, None) => anyhow::bail!("there is no database to kill"),
    }
    load::recovered(cluster, PATIENCE).await?;
    load.calm();
    // Whatever began before is over by now; from now on everything is answered.
    total.add(load.counts());
    let mut workers = load.stop().await?;
    let seen = load::look(&cluster.addresses(), cluster.host(), &mut workers).await?;
    ensure!(seen > 0, "nobody had anything to lose");
    Ok(workers)
}
