//! Loss of power under load, many times over in one run: what the server had acknowledged at any moment stands on the disk at
//! that moment, whatever the disk made of the rest.
//!
//! The server runs with a library between it and the disk that writes down every change and every sync. From this log, the
//! disk after a loss of power at any moment is made, and a server is started on it.

mod disk;

use anyhow::{Context, Result, bail};
use disk::Disk;
use grantor_interop::apply::apply_text;
use grantor_interop::demo::Demo;
use grantor_interop::home::Home;
use grantor_interop::ledger::{Counts, Entry};
use grantor_interop::person::Person;
use grantor_interop::report::Report;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const WORKERS: usize = 6;
/// Codes and the grace of refresh tokens live for so long here, since a loss of power is looked at minutes later.
const PATIENT: &str = "[[tenants]]\nname = \"default\"\nlifetimes = { code = 600, refresh_grace = 600 }\n";
const FRESH: Duration = Duration::from_secs(550);
/// How many entries are looked at after a loss of power, the youngest first.
const LOOKED_AT: usize = 12;

/// How an authorization stood from a length of the log on.
struct Moment {
    from: usize,
    entry: Entry,
}

type History = Vec<Moment>;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let losses: usize = std::env::args().nth(1).context("how many losses of power?")?.parse()?;
    let mut home = Home::new("power")?;
    let log = home.folder().join("disk.log");
    let load = Duration::from_secs(3 + losses as u64 / 100);
    let (histories, counts, first) = record(&mut home, &log, load).await?;
    println!("{} redemptions, {} refreshes, {} revocations", counts.redeemed, counts.refreshed, counts.revoked);
    let log = std::fs::read(log)?;
    let mut moments: Vec<usize> = (0..losses).map(|_| fastrand::usize(first..log.len())).collect();
    moments.sort_unstable();
    let mut report = Report::default();
    let data = home.data();
    let mut disk = Disk::new(log, &home.folder().join("base"), &data)?;
    let mut looked_at = 0;
    for (number, moment) in moments.into_iter().enumerate() {
        let lost = async {
            disk.advance(moment)?;
            disk.lose_power(&data, &data)?;
            looked_at += look(&home, &histories, disk.at()).await?;
            Ok(())
        };
        report.check(&format!("loss {}: what was acknowledged is there", number + 1), lost).await;
    }
    let lie = async {
        let mut disk = Disk::new(std::fs::read(home.folder().join("disk.log"))?, &home.folder().join("base"), &data)?;
        disk = disk.that_lies();
        disk.advance(usize::MAX)?;
        disk.lose_power(&data, &data)?;
        match look(&home, &histories, disk.at()).await {
            Ok(_) => bail!("nothing was missing"),
            Err(_) => Ok(()),
        }
    };
    report.check("a disk whose syncs mean nothing is found out", lie).await;
    let enough = async { if looked_at > losses { Ok(()) } else { bail!("{looked_at} acknowledgements in {losses}") } };
    report.check("there was something to lose", enough).await;
    Ok(report.finish())
}

/// Runs a server under load. Gives what was acknowledged, and the length of the log from which on there was load.
async fn record(home: &mut Home, log: &PathBuf, load: Duration) -> Result<(Vec<History>, Counts, usize)> {
    let (mut server, demo) = home.start().await?;
    apply_text(&demo, PATIENT).await?;
    server.kill().await?;
    let base = home.folder().join("base");
    std::fs::create_dir(&base)?;
    for file in std::fs::read_dir(home.data())? {
        let file = file?;
        std::fs::copy(file.path(), base.join(file.file_name()))?;
    }
    let shim = std::env::var_os("GRANTOR_SHIM").context("GRANTOR_SHIM is the library between server and disk")?;
    home.set("LD_PRELOAD", shim);
    home.set("GRANTOR_SHIM_FOLDER", home.data());
    home.set("GRANTOR_SHIM_LOG", log.clone());
    let (mut server, demo) = home.start().await?;
    home.unset();
    let demo = Arc::new(demo);
    let first = length(log)?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        // One after another: signing in takes its time on purpose.
        let person = Person::new(&demo)?;
        Entry::begin(&demo, &person, FRESH).await?;
        workers.spawn(work(demo.clone(), person, log.clone(), stop.clone()));
    }
    tokio::time::sleep(load).await;
    stop.store(true, Ordering::SeqCst);
    let (mut histories, mut total) = (Vec::new(), Counts::default());
    while let Some(ended) = workers.join_next().await {
        let (of_worker, counts) = ended??;
        histories.extend(of_worker);
        total.redeemed += counts.redeemed;
        total.refreshed += counts.refreshed;
        total.revoked += counts.revoked;
    }
    server.kill().await?;
    Ok((histories, total, first))
}

async fn work(demo: Arc<Demo>, person: Person, log: PathBuf, stop: Arc<AtomicBool>) -> Result<(Vec<History>, Counts)> {
    let (mut histories, mut counts) = (Vec::<History>::new(), Counts::default());
    while !stop.load(Ordering::SeqCst) {
        let granted = histories.iter_mut().filter(|history| history.last().is_some_and(|last| last.entry.is_granted()));
        let chosen = fastrand::choice(granted.collect::<Vec<_>>());
        match (fastrand::u8(0..10), chosen) {
            (0..5, Some(history)) => {
                let mut entry = newest(history)?;
                entry.refresh(&demo, &mut counts).await?;
                history.push(Moment { from: length(&log)?, entry });
            }
            (5..7, Some(history)) => {
                let mut entry = newest(history)?;
                history.push(Moment { from: length(&log)?, entry: entry.revoking() });
                entry.revoke(&demo, &mut counts).await?;
                history.push(Moment { from: length(&log)?, entry });
            }
            (roll, _) => {
                let mut entry = Entry::begin(&demo, &person, FRESH).await?;
                let mut history = vec![Moment { from: length(&log)?, entry: entry.clone() }];
                if roll < 9 {
                    history.push(Moment { from: length(&log)?, entry: entry.redeeming() });
                    entry.redeem(&demo, &mut counts).await?;
                    history.push(Moment { from: length(&log)?, entry });
                }
                histories.push(history);
            }
        }
    }
    Ok((histories, counts))
}

fn newest(history: &History) -> Result<Entry> {
    Ok(history.last().context("a history begins with a code")?.entry.clone())
}

fn length(log: &PathBuf) -> Result<usize> {
    Ok(usize::try_from(std::fs::metadata(log)?.len())?)
}

/// Starts a server on what the disk has, and looks whether everything holds that was acknowledged at that length of the log.
async fn look(home: &Home, histories: &[History], at: usize) -> Result<usize> {
    let mut standing: Vec<&Moment> =
        histories.iter().filter_map(|history| history.iter().rev().find(|moment| moment.from <= at)).collect();
    standing.sort_unstable_by_key(|moment| std::cmp::Reverse(moment.from));
    let (mut server, demo) = home.start().await?;
    let mut looked_at = 0;
    for moment in standing.into_iter().take(LOOKED_AT) {
        let mut entry = moment.entry.clone();
        entry.holds(&demo).await.with_context(|| format!("acknowledged {} bytes before", at - moment.from))?;
        entry.spent_for_good(&demo).await?;
        looked_at += 1;
    }
    server.kill().await?;
    Ok(looked_at)
}
