//! Whether the answers of two nodes, taken together, are those of one store: for every code and the grant that it gave
//! there must be an order of all calls, consistent with when each began and ended, in which every answer is right. The
//! history is judged by a program that nobody here wrote (porcupine), with a model in `proof/go`.

mod history;
mod load;

use crate::common::report::Report;
use crate::common::stores::{Backend, Pair};
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use grantor_local_postgres::Server;
use history::History;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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
    /// Where the history is kept, a line of JSON per call [default: nowhere]
    #[arg(long)]
    keep: Option<PathBuf>,
}

const BETWEEN_CUTS: Duration = Duration::from_millis(200);
/// One connection of a node, and one that is just writing if there is any.
const CUT: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grantor' \
                   ORDER BY state = 'active' DESC, random() LIMIT 1";

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
    let name = format!("{} s of two nodes on {} are linearizable", arguments.seconds, arguments.store.name());
    let seconds = Duration::from_secs(arguments.seconds);
    report.check(&name, two_nodes(arguments.store, seconds, &judge, &file).await);
    Ok(report.finish())
}

async fn two_nodes(store: Backend, time: Duration, judge: &Path, file: &Path) -> Result<()> {
    let pair = Pair::open(store).await?;
    let cutter = (store == Backend::Postgres).then(Cutter::begin);
    let history = load::run(&pair, History::begin(file)?, time).await?;
    if let Some(cutter) = cutter {
        let cuts = cutter.cuts.load(Ordering::Relaxed);
        println!("{cuts} connections were cut");
        ensure!(cuts > 0, "no connection was cut");
    }
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

/// Cuts connections of the nodes to PostgreSQL now and then, in the middle of whatever they carry: what was asked on them
/// may have happened or not, and is tried again only where that is right.
struct Cutter {
    ended: Arc<AtomicBool>,
    cuts: Arc<AtomicU64>,
}

impl Cutter {
    fn begin() -> Self {
        let (ended, cuts) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (until, made) = (Arc::clone(&ended), Arc::clone(&cuts));
        thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                thread::sleep(BETWEEN_CUTS);
                let cut = Server::shared().and_then(|server| server.sql("postgres", CUT));
                made.fetch_add(u64::from(cut.is_ok_and(|cut| cut == "t")), Ordering::Relaxed);
            }
        });
        Self { ended, cuts }
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
    }
}

fn found(judge: &Path, file: &Path) -> Result<()> {
    let (verdict, said) = judged(judge, file)?;
    ensure!(verdict == Verdict::Wrong, "{said}");
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Right,
    Wrong,
}

fn judged(judge: &Path, file: &Path) -> Result<(Verdict, String)> {
    let output = Command::new(judge).stdin(File::open(file)?).stderr(Stdio::inherit()).output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok((Verdict::Right, said)),
        Some(1) => Ok((Verdict::Wrong, said)),
        _ => bail!("the judge could not judge: {said}"),
    }
}

fn build(directory: &Path) -> Result<PathBuf> {
    let judge = directory.join("judge");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go");
    let built = Command::new("go").arg("build").arg("-o").arg(&judge).arg(".").current_dir(source).status();
    ensure!(built.context("go")?.success(), "the judge could not be built");
    Ok(judge)
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
