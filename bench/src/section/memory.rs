//! Memory and start: idle, with many clients and grants, and under load for as long as is asked.

use super::{Scale, Section, millis, verdict};
use crate::affinity::{Core, pin};
use crate::failure::Result;
use crate::http;
use crate::load::{Cycle, Load};
use crate::path::{Path, credentials_of};
use crate::process::Process;
use crate::report::mib;
use crate::site::{Api, MACHINES, Population, Site, first_grant_tokens};
use std::time::{Duration, Instant};

const CLIENTS: u64 = 100_000;
const GRANTS: u64 = 1_000_000;
const MIB: u64 = 1 << 20;
/// What the issue wants.
const IDLE: u64 = 25 * MIB;
const LOADED: u64 = 120 * MIB;
pub(super) const START: Duration = Duration::from_millis(150);
/// Starts, of which the median counts.
const STARTS: usize = 5;

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let mut section = Section::new(
        "Memory and start",
        "Resident memory (VmRSS, and its peak VmHWM). Start is from the spawn of the process to the first 200 of the token \
         endpoint. Under load: client credentials of a thousand clients in turn, refreshes and introspections of grants all over.",
        &["what", "measured", "wanted", "verdict"],
    );
    idle(&mut section)?;
    eprintln!("  making {CLIENTS} clients and {GRANTS} grants");
    let site = Site::new("memory")?;
    drop(site.start()?);
    let empty = std::fs::metadata(site.database())?.len();
    Population { clients: CLIENTS, ..Population::default() }.put(&site)?;
    let with_clients = std::fs::metadata(site.database())?.len();
    Population { grants: GRANTS, ..Population::default() }.put(&site)?;
    let with_grants = std::fs::metadata(site.database())?.len();
    let (client, grant) = ((with_clients - empty) / CLIENTS, (with_grants - with_clients) / GRANTS);
    section.row(["one client on disk".into(), format!("{client} bytes"), String::new(), String::new()]);
    section.row(["one grant on disk, with its indexes".into(), format!("{grant} bytes"), String::new(), String::new()]);
    section.figure("client.disk", client as f64);
    section.figure("grant.disk", grant as f64);
    let tokens = first_grant_tokens(&site, (0..8_192).map(|n| n * 7_919 % GRANTS))?;
    pin(Core::Load);
    let server = start(&site, &mut section)?;
    watch(&site, &server, &tokens, scale, &mut section)?;
    Ok(section)
}

/// Nothing but what the manifest declares.
fn idle(section: &mut Section) -> Result<()> {
    let site = Site::new("idle")?;
    drop(site.start()?);
    let server = site.start()?;
    std::thread::sleep(Duration::from_secs(3));
    let memory = server.memory()?;
    section.row(["idle".into(), format!("{} MiB", mib(memory)), "25 MiB".into(), verdict(memory <= IDLE)]);
    section.figure("memory.idle", memory as f64);
    Ok(())
}

/// Starts it several times, and leaves the last one running. Gives the median of the times to the first 200, and the best.
pub(super) fn started(site: &Site) -> Result<(Duration, Duration, Process)> {
    let request = credentials_of("machine", Api::Opaque);
    let mut times = Vec::new();
    let mut server = None;
    for _ in 0..STARTS {
        drop(server.take());
        let begun = Instant::now();
        let process = site.start()?;
        site.connect()?.call(&request)?.good()?;
        times.push(begun.elapsed());
        server = Some(process);
    }
    times.sort();
    let median = times.get(STARTS / 2).copied().unwrap_or_default();
    let best = times.first().copied().unwrap_or_default();
    Ok((median, best, server.ok_or("no start")?))
}

fn start(site: &Site, section: &mut Section) -> Result<Process> {
    let (median, best, server) = started(site)?;
    section.row([
        format!("start to first 200, {CLIENTS} clients and {GRANTS} grants"),
        format!("{} ms (best {} ms)", millis(median), millis(best)),
        "150 ms".into(),
        verdict(median <= START),
    ]);
    section.figure("start", median.as_secs_f64());
    Ok(server)
}

/// Load until the time is over, and what is held meanwhile.
fn watch(site: &Site, server: &Process, tokens: &[String], scale: Scale, section: &mut Section) -> Result<()> {
    let before = server.memory()?;
    let clients = (0..MACHINES).map(|n| credentials_of(&format!("machine-{n}"), Api::Opaque));
    let (introspected, refreshed) = tokens.split_at(tokens.len() / 2);
    let mut credentials = Cycle::new(clients.collect());
    let mut introspection = Path::IntrospectOpaque.stage(site, introspected)?;
    let mut refresh = Path::Refresh.stage(site, refreshed)?;
    let slice = Load::closed(server.address, Duration::from_secs(2));
    let (log_before, size_before) = (events(site)?, on_disk(site)?);
    let (begun, time) = (Instant::now(), Duration::from_secs_f64(scale.minutes * 60.0));
    let (mut held, mut answers) = (Vec::new(), 0);
    while begun.elapsed() < time || held.is_empty() {
        let scripts: [&mut dyn crate::load::Script; 3] =
            [&mut credentials, &mut *introspection.script, &mut *refresh.script];
        for script in scripts {
            let outcome = slice.run(script)?;
            answers += outcome.answers;
            section.broken.extend(outcome.complaint("under load"));
        }
        held.push(server.memory()?);
    }
    let (log, size) = (events(site)?, on_disk(site)?);
    if log > log_before {
        let event = size.saturating_sub(size_before) / (log - log_before);
        section.row([
            "one line of the audit log on disk".into(),
            format!("{event} bytes"),
            String::new(),
            String::new(),
        ]);
        section.figure("event.disk", event as f64);
    }
    let (half, peak) = (held.len() / 2, server.peak()?);
    let middle = held.get(half).copied().unwrap_or(before);
    let last = held.last().copied().unwrap_or(before);
    section.row([
        format!("{CLIENTS} clients and {GRANTS} grants, before load"),
        format!("{} MiB", mib(before)),
        "120 MiB".into(),
        verdict(before <= LOADED),
    ]);
    section.row([
        format!("the same under load, {:.1} minutes, {answers} answers", begun.elapsed().as_secs_f64() / 60.0),
        format!("{} MiB half way, {} MiB at the end, peak {} MiB", mib(middle), mib(last), mib(peak)),
        "120 MiB, flat".into(),
        verdict(last <= LOADED && last as f64 <= middle as f64 * 1.05),
    ]);
    let quiet = http::Connection::open(server.address)?.call(&http::get("/health", &[]))?.status;
    section.notes.push(format!("health after it: {quiet}"));
    section.figure("memory.loaded", last as f64);
    let idle = section.figures.get("memory.idle").copied().unwrap_or_default();
    section.figure("client.memory", (before as f64 - idle).max(0.0) / CLIENTS as f64);
    Ok(())
}

/// Lines in the audit log.
fn events(site: &Site) -> Result<u64> {
    let db = rusqlite::Connection::open(site.database())?;
    let count: i64 = db.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(u64::try_from(count)?)
}

/// Pages of the database that are in use, in bytes.
fn on_disk(site: &Site) -> Result<u64> {
    let db = rusqlite::Connection::open(site.database())?;
    let pragma = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let used = (pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?;
    Ok(u64::try_from(used)?)
}
