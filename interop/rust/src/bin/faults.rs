//! A disk that is full, read-only or broken for a while, under load: what cannot be written is answered with 503, nothing is
//! written by halves, and the server goes on by itself when the disk does.

use anyhow::{Context, Result, bail};
use grantor_interop::demo::Demo;
use grantor_interop::home::Home;
use grantor_interop::http::client;
use grantor_interop::ledger::{Counts, Entry, FRESH, Trouble};
use grantor_interop::person::Person;
use grantor_interop::report::Report;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Words that the library between server and disk knows, and what they mean.
const FAULTS: [(&str, &str); 4] = [
    ("enospc", "the disk is full"),
    ("erofs", "the disk is read-only"),
    ("eio-write", "writing fails"),
    ("eio-sync", "syncing fails"),
];
/// How long a fault lasts, and how long the server may take to go on after it.
const FAULT: Duration = Duration::from_secs(2);
const RECOVERY: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let mut home = Home::new("faults")?;
    let shim = std::env::var_os("GRANTOR_SHIM").context("GRANTOR_SHIM is the library between server and disk")?;
    let fault = home.folder().join("fault");
    home.set("LD_PRELOAD", shim);
    home.set("GRANTOR_SHIM_FOLDER", home.data());
    home.set("GRANTOR_SHIM_FAULT", fault.clone());
    let (mut server, demo) = home.start().await?;
    let person = Person::new(&demo)?;
    let mut report = Report::default();
    let mut entries = Vec::new();
    for (word, meaning) in FAULTS {
        let during = during(&demo, &person, &mut entries, &fault, word);
        report.check(&format!("{meaning}: 503, and what was acknowledged before holds"), during).await;
        std::fs::write(&fault, "")?;
        report.check(&format!("{meaning}: it goes on by itself"), goes_on(&demo, &person, &mut entries)).await;
    }
    server.kill().await?;
    home.unset();
    let (mut server, demo) = home.start().await?;
    report.check("after a restart everything that was acknowledged holds", all_hold(&demo, &mut entries)).await;
    server.kill().await?;
    Ok(report.finish())
}

async fn during(demo: &Demo, person: &Person, entries: &mut Vec<Entry>, fault: &Path, word: &str) -> Result<()> {
    let mut counts = Counts::default();
    for _ in 0..6 {
        let mut entry = Entry::begin(demo, person, FRESH).await?;
        entry.redeem(demo, &mut counts).await?;
        entries.push(entry);
    }
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(Entry::begin(demo, person, FRESH).await?);
    }
    std::fs::write(fault, word)?;
    let (begun, mut refused) = (Instant::now(), 0);
    while begun.elapsed() < FAULT {
        let metadata = client().get(format!("{}/.well-known/openid-configuration", demo.issuer)).send().await?;
        if !metadata.status().is_success() {
            bail!("the metadata answers {}", metadata.status());
        }
        let last = entries.len() - 1;
        let entry = &mut entries[fastrand::usize(last - 5..=last)];
        if !entry.is_granted() {
            continue;
        }
        let asked = Instant::now();
        let outcome = match fastrand::u8(0..3) {
            0 => entry.refresh(demo, &mut counts).await,
            1 => entry.revoke(demo, &mut counts).await,
            _ => fastrand::choice(&mut codes).context("no code")?.redeem(demo, &mut counts).await,
        };
        match outcome {
            Ok(()) => bail!("it was acknowledged although {word}"),
            Err(why) if Trouble::is(&why, 503) => refused += 1,
            Err(why) => return Err(why.context(format!("after {:?}", asked.elapsed()))),
        }
    }
    // A code whose redemption was refused may be presented again: nothing was spent.
    std::fs::write(fault, "")?;
    entries.extend(codes);
    if refused == 0 { bail!("nothing was refused") } else { Ok(()) }
}

async fn goes_on(demo: &Demo, person: &Person, entries: &mut [Entry]) -> Result<()> {
    let begun = Instant::now();
    let mut counts = Counts::default();
    loop {
        let whole = async {
            let mut entry = Entry::begin(demo, person, FRESH).await?;
            entry.redeem(demo, &mut counts).await?;
            entry.refresh(demo, &mut counts).await
        };
        match whole.await {
            Ok(()) => return all_hold(demo, entries).await,
            Err(why) if begun.elapsed() > RECOVERY => return Err(why),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn all_hold(demo: &Demo, entries: &mut [Entry]) -> Result<()> {
    for entry in entries {
        entry.holds(demo).await?;
    }
    Ok(())
}
