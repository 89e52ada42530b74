//! Three nodes behind a proxy are restarted one after another under load: no request fails.

mod nginx;

use crate::common::cluster::{Cluster, free_address};
use crate::common::load::{self, Load};
use crate::common::report::Report;
use crate::common::stores::Backend;
use anyhow::{Context as _, Result, anyhow};
use clap::Args;
use grantor_local_postgres::Server;
use nginx::Nginx;
use std::process::ExitCode;
use std::time::Duration;

/// `grantor-proof rolling`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: Backend,
    /// How often each node is restarted
    #[arg(long, default_value_t = 1)]
    times: u32,
}

const NODES: usize = 3;
const WORKERS: usize = 8;
const BETWEEN: Duration = Duration::from_millis(500);

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let url = match arguments.store {
        Backend::Sqlite => None,
        Backend::Postgres => Some(Server::shared()?.fresh_database()?),
    };
    let front = free_address()?;
    let mut cluster = Cluster::start(&vec![url; NODES], Some(front)).await?;
    let nginx = Nginx::start(front, &cluster.addresses(), cluster.home()).await?;
    let load = Load::begin(&[front], cluster.host(), load::hire(&cluster, WORKERS).await?);
    let mut restarted = Ok(());
    for node in (0..arguments.times).flat_map(|_| 0..NODES) {
        tokio::time::sleep(BETWEEN).await;
        restarted = match cluster.stop(node).await {
            Ok(()) => cluster.begin(node).await,
            failed => failed,
        };
        if restarted.is_err() {
            break;
        }
    }
    tokio::time::sleep(BETWEEN).await;
    let counts = load.counts();
    println!("{counts:?}, the longest request took {:?}", load.longest());
    report.check("each node ends when it is told to, and starts again", restarted);
    let stopped = load.stop().await;
    let enough = counts.acknowledged() > u64::from(arguments.times);
    let stopped = stopped.and_then(|workers| enough.then_some(workers).ok_or_else(|| anyhow!("too little happened")));
    let stopped = stopped.with_context(|| nginx.complaints());
    let mut workers = report.check("no request fails while they are restarted", stopped).unwrap_or_default();
    let held = load::look(&cluster.addresses(), cluster.host(), &mut workers).await;
    report.check("whatever was acknowledged holds", held);
    Ok(report.finish())
}
