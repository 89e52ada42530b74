//! A node that is cut off from its database, and comes back: it says 503 in bounded time, and never anything wrong. What
//! is taken back elsewhere meanwhile it must not call good.

use crate::common::client::{Said, active, revoke};
use crate::common::cluster::Cluster;
use crate::common::cut::Cable;
use crate::common::http::Connection;
use crate::common::ledger::BOUND;
use crate::common::load::{self, Load};
use crate::common::person::{Person, Tokens};
use crate::common::report::Report;
use anyhow::{Result, anyhow, ensure};
use clap::Args;
use grantor_local_postgres::{Options, Server};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// `grantor-proof cut-off`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// For how long
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

/// The node that keeps its database, and the one that does not.
const KEPT: usize = 0;
const CUT: usize = 1;
const WORKERS: usize = 4;
const UNDISTURBED: Duration = Duration::from_secs(1);
/// How long an answer may take that says: later. Above what a node gives a statement, and a connection.
const BOUNDED: Duration = Duration::from_secs(10);
/// How long a node may need to find its database again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Tokens whose standing the node knows when it is cut off.
const TOKENS: usize = 20;

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let database = Server::start(Options::default())?;
    let url = database.fresh_database()?;
    let cable = Cable::to(SocketAddr::from((Ipv4Addr::LOCALHOST, database.port()))).await?;
    let long_way = url.replace(&format!(":{}/", database.port()), &format!(":{}/", cable.address().port()));
    let cluster = Cluster::start(&[Some(url), Some(long_way)], None).await?;
    let addresses = cluster.addresses();
    let (kept, all) = (addresses.get(KEPT..=KEPT).unwrap_or_default(), &addresses);
    let tokens = known(&cluster).await?;

    let steady = Load::begin(kept, cluster.host(), load::hire(&cluster, WORKERS).await?);
    let shaken = Load::begin(all, cluster.host(), load::hire(&cluster, WORKERS).await?);
    tokio::time::sleep(UNDISTURBED).await;
    shaken.disturb();
    let before = shaken.counts();
    cable.cut();
    let end = Instant::now() + Duration::from_secs(arguments.seconds);
    let watched = watch(&cluster, &tokens, end).await;
    let (during, longest) = (shaken.counts(), shaken.longest());
    cable.mend();
    let recovered = load::recovered(&cluster, PATIENCE).await;
    shaken.calm();
    tokio::time::sleep(UNDISTURBED).await;

    report.check("a node that is cut off does not call a token active a second after it was taken back", watched);
    let later = during.unavailable > before.unavailable && during.unanswered == before.unanswered;
    let said = anyhow!("before {before:?}, then {during:?}: {}", cluster.said(CUT));
    report.check("a node that is cut off says 503", later.then_some(()).ok_or(said));
    let bounded = longest <= BOUNDED;
    println!("the longest request took {longest:?}");
    report.check("it says so in bounded time", bounded.then_some(()).ok_or_else(|| anyhow!("{longest:?}")));
    if let Some(time) = report.check("it comes back by itself", recovered) {
        println!("all was well again after {time:?}");
    }
    println!("beside it: {:?}; through both: {:?}", steady.counts(), shaken.counts());
    let steady = report.check("the other node serves all the time", steady.stop().await).unwrap_or_default();
    let shaken = report.check("nobody was told anything wrong", shaken.stop().await).unwrap_or_default();
    let mut workers: Vec<_> = steady.into_iter().chain(shaken).collect();
    report.check("whatever was acknowledged holds", load::look(all, cluster.host(), &mut workers).await);
    Ok(report.finish())
}

/// Grants whose tokens the node that will be cut off has just called good.
async fn known(cluster: &Cluster) -> Result<Vec<Tokens>> {
    let (mut kept, mut cut) = (cluster.connect(KEPT)?, cluster.connect(CUT)?);
    let mut person = Person::new(&cluster.issuer())?;
    let mut tokens = Vec::new();
    for _ in 0..TOKENS {
        let given = person.tokens(&mut kept).await?;
        ensure!(active(&mut cut, &given.access).await? == Ok(true), "a token that was given is not active");
        tokens.push(given);
    }
    Ok(tokens)
}

/// Takes one grant after another back at the node that is well, and asks the other one about all of them.
async fn watch(cluster: &Cluster, tokens: &[Tokens], end: Instant) -> Result<()> {
    let mut kept = cluster.connect(KEPT)?;
    let mut asking = tokio::task::JoinSet::new();
    let pause = end.saturating_duration_since(Instant::now()) / (2 * u32::try_from(tokens.len())?);
    for token in tokens {
        let done = revoke(&mut kept, &token.refresh).await?;
        ensure!(matches!(done, Said::Done(_)), "a revocation came to nothing: {done:?}");
        let (since, access, connection) = (Instant::now(), token.access.clone(), cluster.connect(CUT)?);
        asking.spawn(ask(connection, access, since, end));
        tokio::time::sleep(pause).await;
    }
    while let Some(asked) = asking.join_next().await {
        asked??;
    }
    Ok(())
}

async fn ask(mut connection: Connection, access: String, since: Instant, end: Instant) -> Result<()> {
    while Instant::now() < end {
        let asked = Instant::now();
        if active(&mut connection, &access).await? == Ok(true) {
            let late = asked.saturating_duration_since(since);
            ensure!(late <= BOUND, "it called a token active {late:?} after it was taken back");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
