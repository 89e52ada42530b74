//! The primary dies under load and its synchronous standby takes over: 503 meanwhile, nothing wrong, and full service
//! soon after.

use crate::common::cluster::Cluster;
use crate::common::load::{self, Load};
use crate::common::report::Report;
use crate::common::succession::Succession;
use anyhow::{Result, anyhow};
use clap::Args;
use std::process::ExitCode;
use std::time::Duration;

/// `grantor-proof failover`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How long there is no primary, in seconds
    #[arg(long, default_value_t = 3)]
    seconds: u64,
}

const NODES: usize = 2;
const WORKERS: usize = 8;
const UNDISTURBED: Duration = Duration::from_secs(2);
/// How long an answer may take that says: later.
const BOUNDED: Duration = Duration::from_secs(10);
/// After the promotion.
const FULL_SERVICE: Duration = Duration::from_secs(30);

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let mut succession = Succession::start()?;
    let cluster = Cluster::start(&vec![Some(succession.url()); NODES], None).await?;
    let load = Load::begin(&cluster.addresses(), cluster.host(), load::hire(&cluster, WORKERS).await?);
    tokio::time::sleep(UNDISTURBED).await;

    load.disturb();
    let before = load.counts();
    succession.primary.kill()?;
    tokio::time::sleep(Duration::from_secs(arguments.seconds)).await;
    let meanwhile = load.counts();
    succession.standby.promote()?;
    let recovered = load::recovered(&cluster, FULL_SERVICE).await;
    let (during, longest) = (load.counts(), load.longest());
    load.calm();
    tokio::time::sleep(UNDISTURBED).await;

    let later = meanwhile.unavailable > before.unavailable && during.unanswered == before.unanswered;
    let said = anyhow!("before {before:?}, without a primary {meanwhile:?}, then {during:?}: {}", cluster.said(0));
    report.check("without a primary the nodes say 503", later.then_some(()).ok_or(said));
    let bounded = longest <= BOUNDED;
    println!("the longest request took {longest:?}");
    report.check("they say so in bounded time", bounded.then_some(()).ok_or_else(|| anyhow!("{longest:?}")));
    if let Some(time) = report.check("full service within 30 s of the promotion", recovered) {
        println!("full service {time:?} after the promotion");
    }
    println!("{:?}", load.counts());
    let mut workers = report.check("nobody was told anything wrong", load.stop().await).unwrap_or_default();
    let held = load::look(&cluster.addresses(), cluster.host(), &mut workers).await;
    report.check(
        "whatever was acknowledged holds",
        held.and_then(|seen| match seen {
            0 => Err(anyhow!("there was nothing to lose")),
            seen => Ok(seen),
        }),
    );
    Ok(report.finish())
}
