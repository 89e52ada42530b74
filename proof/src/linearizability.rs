//! Whether the answers of two nodes, taken together, are those of one store: for every code and the grant that it gave
//! there must be an order of all calls, consistent with when each began and ended, in which every answer is right. The
//! history is judged by a program that nobody here wrote (porcupine), with a model in `proof/go`.

mod cutter;
mod history;
mod judge;
mod load;

use crate::common::report::Report;
use crate::common::stores::{Backend, Pair};
use crate::common::succession::Succession;
use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use cutter::Cutter;
use history::History;
use judge::{Verdict, build, judged};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

/// `grantor-proof linearizability`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: Backend,
    /// How long the two nodes are busy
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Half way the primary dies and its standby takes over
    #[arg(long)]
    failover: bool,
    /// Where the history is kept, a line of JSON per call [default: nowhere]
    #[arg(long)]
    keep: Option<PathBuf>,
}

/// How long there is no primary.
const INTERREGNUM: Duration = Duration::from_secs(1);

/// Histories that are wrong, each by one fault. The judge must refuse every one.
const PLANTED: [(&str, &str); 3] = [
    (
        "a code that is spent twice",
        r#"{"code":1,"op":"redeem","grant":0,"call":0,"return":1,"result":"fresh"}
           {"code":1,"op":"redeem","grant":1,"call":0,"return":2,"result":"fresh","at":1}"#,
    ),
    (
        "a refresh after a revoke",
        r#"{"code":1,"op":"redeem","grant":0,"call":0,"return":1,"result":"fresh"}
           {"code":1,"op":"revoke","grant":0,"call":2,"return":3,"result":"stood"}
           {"code":1,"op":"rotate","grant":0,"grace":30,"call":4,"return":5,"result":"rotated","at":1}"#,
    ),
    (
        "a token that stands after a revoke",
        r#"{"code":1,"op":"redeem","grant":0,"call":0,"return":1,"result":"fresh"}
           {"code":1,"op":"revoke","grant":0,"call":2,"return":3,"result":"stood"}
           {"code":1,"op":"introspect","grant":0,"call":4,"return":5,"result":"good"}"#,
    ),
];

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let scratch = tempfile::tempdir()?;
    let judge = build(scratch.path())?;
    for (name, wrong) in PLANTED {
        let file = scratch.path().join("planted");
        std::fs::write(&file, wrong)?;
        report.check(&format!("the judge finds {name}"), found(&judge, &file));
    }
    let file = arguments.keep.unwrap_or_else(|| scratch.path().join("history"));
    let (time, history) = (Duration::from_secs(arguments.seconds), History::begin(&file)?);
    let store = arguments.store;
    let (written, through) = match (arguments.failover, store) {
        (false, _) => (undisturbed(store, history, time).await, ""),
        (true, Backend::Postgres) => (failover(history, time).await, ", through a failover,"),
        (true, Backend::Sqlite) => bail!("a file has no standby"),
    };
    let name = format!("{} s of two nodes on {}{through} are linearizable", arguments.seconds, store.name());
    report.check(&name, written.and_then(|history| judge_of(history, &judge, &file)));
    Ok(report.finish())
}

/// On PostgreSQL connections are cut meanwhile.
async fn undisturbed(store: Backend, history: History, time: Duration) -> Result<History> {
    let pair = Pair::open(store).await?;
    let cutter = (store == Backend::Postgres).then(Cutter::begin);
    let history = load::run(&pair, history, time).await?;
    if let Some(cutter) = cutter {
        println!("{} connections were cut", cutter.cuts());
        ensure!(cutter.cuts() > 0, "no connection was cut");
    }
    Ok(history)
}

/// Half way the primary dies, and its synchronous standby takes over.
async fn failover(history: History, time: Duration) -> Result<History> {
    let mut succession = Succession::start()?;
    let pair = Pair::connect(&succession.url()).await?;
    let successor = thread::spawn(move || {
        thread::sleep(time / 2);
        succession.primary.kill()?;
        thread::sleep(INTERREGNUM);
        succession.standby.promote()?;
        // It lives until the load has ended.
        Ok::<_, std::io::Error>(succession)
    });
    let history = load::run(&pair, history, time).await?;
    let _ended = successor.join().map_err(|_| anyhow!("the failover panicked"))??;
    Ok(history)
}

fn judge_of(history: History, judge: &Path, file: &Path) -> Result<()> {
    let counts = history.end()?;
    println!("{counts}");
    // A history in which nothing happened proves nothing.
    counts.are_all_there()?;
    match judged(judge, file)? {
        (Verdict::Right, said) => println!("{said}"),
        (Verdict::Wrong, said) => bail!("{said}"),
    }
    Ok(())
}

fn found(judge: &Path, file: &Path) -> Result<()> {
    let (verdict, said) = judged(judge, file)?;
    ensure!(verdict == Verdict::Wrong, "{said}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_judge_finds_every_planted_fault_and_nothing_else() {
        let scratch = tempfile::tempdir().unwrap();
        let judge = build(scratch.path()).unwrap();
        let file = scratch.path().join("history");
        for (name, wrong) in PLANTED {
            std::fs::write(&file, wrong).unwrap();
            assert_eq!(judged(&judge, &file).unwrap().0, Verdict::Wrong, "{name}");
            // All but the last call is as it should be.
            let right = wrong.rsplit_once('\n').unwrap().0;
            std::fs::write(&file, right).unwrap();
            assert_eq!(judged(&judge, &file).unwrap().0, Verdict::Right, "{name}");
        }
        std::fs::write(&file, "nonsense").unwrap();
        assert!(judged(&judge, &file).is_err());
    }
}
