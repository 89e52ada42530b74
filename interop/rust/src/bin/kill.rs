//! `kill -9` under load: what the server acknowledged before it died, it knows when it is back.

use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::home::Home;
use grantor_interop::ledger::{Counts, Entry, FRESH};
use grantor_interop::person::Person;
use grantor_interop::report::Report;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const WORKERS: usize = 8;
/// Entries that live on into the next round, so that grants survive several deaths.
const CARRIED: usize = 16;

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let kills: u32 = std::env::args().nth(1).context("how many kills?")?.parse()?;
    let home = Home::new("kill")?;
    let mut report = Report::default();
    let mut total = Counts::default();
    let mut entries = Vec::new();
    let mut people: Vec<Person> = Vec::new();
    for kill in 1..=kills {
        let name = format!("kill {kill}: what was acknowledged is there");
        let round = round(&home, std::mem::take(&mut entries), &mut people, &mut total);
        entries = report.check(&name, round).await.unwrap_or_default();
    }
    println!(
        "acknowledged: {} redemptions, {} refreshes, {} revocations",
        total.redeemed, total.refreshed, total.revoked
    );
    for (what, count) in
        [("redemptions", total.redeemed), ("refreshes", total.refreshed), ("revocations", total.revoked)]
    {
        let enough = async { if count >= u64::from(kills) { Ok(()) } else { bail!("{count} in {kills} rounds") } };
        report.check(&format!("there were {what} to lose"), enough).await;
    }
    Ok(report.finish())
}

/// Start, load, kill, start again, look.
async fn round(home: &Home, entries: Vec<Entry>, people: &mut Vec<Person>, total: &mut Counts) -> Result<Vec<Entry>> {
    let (mut server, demo) = home.start().await?;
    let demo = Arc::new(demo);
    while people.len() < WORKERS {
        // One after another: all at once they would look like somebody who guesses.
        let person = Person::new(&demo)?;
        Entry::begin(&demo, &person, FRESH).await?;
        people.push(person);
    }
    let dying = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    let mut shares: Vec<Vec<Entry>> = (0..WORKERS).map(|_| Vec::new()).collect();
    for (number, entry) in entries.into_iter().enumerate() {
        shares[number % WORKERS].push(entry);
    }
    for (person, share) in people.iter().zip(shares) {
        workers.spawn(work(demo.clone(), person.clone(), share, dying.clone()));
    }
    tokio::time::sleep(Duration::from_millis(100 + fastrand::u64(0..500))).await;
    dying.store(true, Ordering::SeqCst);
    server.start_kill()?;
    server.wait().await?;
    let mut entries = Vec::new();
    while let Some(ended) = workers.join_next().await {
        let (share, counts) = ended??;
        entries.extend(share);
        total.redeemed += counts.redeemed;
        total.refreshed += counts.refreshed;
        total.revoked += counts.revoked;
    }
    let (mut server, demo) = home.start().await?;
    let found = look(&demo, entries).await;
    // Waited for, so that its port is free when the next one starts.
    server.kill().await?;
    found
}

/// Authorizes, redeems, refreshes and revokes until the server dies. An error before that is one.
async fn work(
    demo: Arc<Demo>,
    person: Person,
    mut share: Vec<Entry>,
    dying: Arc<AtomicBool>,
) -> Result<(Vec<Entry>, Counts)> {
    let mut counts = Counts::default();
    loop {
        if let Err(why) = step(&demo, &person, &mut share, &mut counts).await {
            if dying.load(Ordering::SeqCst) {
                return Ok((share, counts));
            }
            return Err(why.context("under load, before the kill"));
        }
    }
}

async fn step(demo: &Demo, person: &Person, share: &mut Vec<Entry>, counts: &mut Counts) -> Result<()> {
    let granted: Vec<_> = share.iter_mut().filter(|entry| entry.is_granted()).collect();
    let chosen = fastrand::choice(granted);
    match (fastrand::u8(0..10), chosen) {
        (0..4, Some(entry)) => entry.refresh(demo, counts).await,
        (4..6, Some(entry)) => entry.revoke(demo, counts).await,
        (roll, _) => {
            let mut entry = Entry::begin(demo, person, FRESH).await?;
            // Some codes are left to be used after the restart.
            let result = if roll == 9 { Ok(()) } else { entry.redeem(demo, counts).await };
            share.push(entry);
            result
        }
    }
}

/// Everything holds; gives the entries that live on.
async fn look(demo: &Demo, mut entries: Vec<Entry>) -> Result<Vec<Entry>> {
    let count = entries.len();
    for entry in &mut entries {
        entry.holds(demo).await.with_context(|| format!("of {count} entries, one is lost"))?;
    }
    fastrand::shuffle(&mut entries);
    let mut carried = Vec::new();
    for entry in entries {
        if carried.len() < CARRIED && entry.is_granted() && fastrand::bool() {
            carried.push(entry);
        } else {
            entry.spent_for_good(demo).await?;
        }
    }
    Ok(carried)
}
