//! One path and its ceilings in turn, a few seconds each, again and again: what disturbs one disturbs the other.

use crate::ceiling::Work;
use crate::failure::{Result, broken};
use crate::load::{Load, Outcome, Script};
use crate::path::{Against, Path, Stage};
use crate::process::{Process, free_address};
use crate::report::Row;
use crate::rows::{self, Rows};
use crate::site::Site;
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

/// How long, and how often.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) slice: Duration,
    pub(crate) rounds: usize,
}

/// Requests of a script that can be made once, for the first slice of unknown speed, a second.
const UNKNOWN_RATE: f64 = 3_000.0;

/// One slice of load.
#[derive(Debug)]
struct Slice {
    outcome: Outcome,
    /// Processor time of the server for each answer, in microseconds.
    cpu: f64,
}

/// A path on a server, ready to be asked.
pub(crate) struct Asked<'a> {
    pub(crate) process: &'a Process,
    pub(crate) stage: Stage,
    rate: f64,
    answered: u64,
}

impl<'a> Asked<'a> {
    pub(crate) fn new(process: &'a Process, stage: Stage) -> Self {
        Self { process, stage, rate: UNKNOWN_RATE, answered: 0 }
    }

    /// How many answers there were so far.
    pub(crate) fn answered(&self) -> u64 {
        self.answered
    }

    /// Load for `time`, and the processor time of each answer in microseconds.
    pub(crate) fn slice(&mut self, time: Duration) -> Result<(Outcome, f64)> {
        if let Some(refill) = &mut self.stage.refill {
            let many = Duration::from_millis(400).saturating_add(time).as_secs_f64() * self.rate * 1.3;
            self.stage.script = refill(whole(many))?;
        }
        let awake = !self.stage.script.writes();
        let Slice { outcome, cpu } = slice(self.process, &mut *self.stage.script, time, awake)?;
        self.rate = outcome.rate().max(100.0);
        self.answered += outcome.sent;
        Ok((outcome, cpu))
    }
}

/// Measures a path.
pub(crate) fn measure(path: Path, site: &Site, asked: &mut Asked<'_>, pace: Pace) -> Result<Row> {
    let against = path.against();
    // The length of the answers, with caches and connections made.
    let mut sized = Sized {
        script: std::mem::replace(&mut asked.stage.script, Box::new(crate::load::Cycle::new(vec![]))),
        length: 0,
        request: Vec::new(),
    };
    if let Some(refill) = &mut asked.stage.refill {
        sized.script = refill(500)?;
    }
    let first = Load { warm: Duration::ZERO, ..Load::closed(asked.process.address, Duration::from_millis(300)) };
    let first = first.run(&mut sized)?;
    if first.bad() > 0 || first.good() == 0 {
        return broken(format!("{}: {:?} {}", path.name(), first.statuses, first.first_bad.unwrap_or_default()));
    }
    let Sized { script, length, request } = sized;
    asked.stage.script = script;

    let ceiling = fixed(site, length, &against.work)?;
    let mut ours = Gathered::default();
    let mut theirs = Gathered::default();
    let mut committed = Vec::new();
    let mut whole = Outcome::new()?;
    for _ in 0..pace.rounds {
        let (outcome, cpu) = asked.slice(pace.slice)?;
        whole.add(&outcome)?;
        ours.add(outcome.rate(), cpu);
        let awake = !asked.stage.script.writes();
        let slice = slice(&ceiling, &mut crate::load::Cycle::new(vec![request.clone()]), pace.slice, awake)?;
        if slice.outcome.bad() > 0 {
            return broken("the ceiling answers badly");
        }
        theirs.add(slice.outcome.rate(), slice.cpu);
        if let Some(rows) = against.rows {
            committed.push(rows::commit(rows, &site.database(), 64, pace.slice)?);
        }
    }
    let commit = |value: fn(&rows::Committed) -> f64| median(&committed.iter().map(value).collect::<Vec<_>>());
    let mut row = Row::new(path.name(), path.title());
    row.rate = median(&ours.rates);
    row.cpu = median(&ours.cpus);
    row.p50 = micros(whole.quantile(0.5));
    row.p99 = micros(whole.quantile(0.99));
    row.memory = asked.process.memory()?;
    row.bad = whole.bad();
    row.first_bad.clone_from(&whole.first_bad);
    row.wanted = against.wanted;
    row.ceiling = named(&against);
    row.ceiling_rate = median(&theirs.rates);
    row.ceiling_cpu = median(&theirs.cpus);
    row.ratio = ratio(&ours.rates, &theirs.rates);
    row.cpu_ratio = ratio(&theirs.cpus, &ours.cpus);
    if let (Some(rows), Some(commits)) = (against.rows, commit(|committed| committed.rate).into()) {
        let rates: Vec<f64> = committed.iter().map(|committed| committed.rate).collect();
        let commit_time = commit(|committed| committed.commit_p50 as f64);
        row.note = format!(
            "bare SQLite commits 64 of the same rows in {:.1} ms (p99 {:.1} ms), {commits:.0} verbs/s at {:.1} us of processor; \
             p99 here is {:.1} of its commits (wanted: under 4 for a refresh)",
            commit_time / 1e3,
            commit(|committed| committed.commit_p99 as f64) / 1e3,
            commit(|committed| committed.cpu),
            row.p99 as f64 / commit_time.max(1.0),
        );
        let both = 1.0 / (1.0 / commits.max(1e-9) + 1.0 / row.ceiling_rate.max(1e-9));
        let part = row.rate / both;
        let _ = write!(
            row.note,
            "; one core that commits and answers a fixed body does {both:.0}/s, of which this is {part:.2}"
        );
        let wanted = row.wanted * commits;
        if rows == Rows::Rotations && wanted > both {
            // By Little's law.
            let wait = Load::CONNECTIONS as f64 / both * 1e3;
            let _ = write!(
                row.note,
                ". {:.2} of bare SQLite would be {wanted:.0}/s, and a p99 under 4 commits {:.1} ms: that core reaches neither, it \
                 keeps 64 connections waiting for {wait:.1} ms on average",
                row.wanted,
                commit_time * 4.0 / 1e3,
            );
        }
        // The dearer of both is the ceiling.
        if rows == Rows::Rotations || commits < row.ceiling_rate {
            "bare SQLite, batches of 64".clone_into(&mut row.ceiling);
            row.ceiling_rate = commits;
            row.ceiling_cpu = commit(|committed| committed.cpu);
            row.ratio = ratio(&ours.rates, &rates);
            row.cpu_ratio = row.ceiling_cpu / row.cpu.max(1e-9);
        }
    }
    Ok(row)
}

/// The fixed body with some work, on a core of its own as the server has.
pub(crate) fn fixed(site: &Site, length: usize, work: &[Work]) -> Result<Process> {
    let address = free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["ceiling", "--listen", &address.to_string(), "--body", &length.to_string()]);
    if !work.is_empty() {
        command.args(["--work", &work.iter().map(|work| work.name()).collect::<Vec<_>>().join(",")]);
    }
    Process::start(&mut command, address, &site.folder.join("ceiling.log"))
}

fn named(against: &Against) -> String {
    let work = against.work.iter().map(|work| format!(" + {}", work.name()));
    format!("fixed body{}", work.collect::<String>())
}

fn slice(process: &Process, script: &mut dyn Script, time: Duration, awake: bool) -> Result<Slice> {
    let before = process.cpu()?;
    let outcome = Load { awake, ..Load::closed(process.address, time) }.run(script)?;
    // What was answered before and after counting was work too.
    let all = outcome.sent.max(1);
    let cpu = process.cpu()?.saturating_sub(before).as_secs_f64() * 1e6 / all as f64;
    Ok(Slice { outcome, cpu })
}

#[derive(Default)]
struct Gathered {
    rates: Vec<f64>,
    cpus: Vec<f64>,
}

impl Gathered {
    fn add(&mut self, rate: f64, cpu: f64) {
        self.rates.push(rate);
        self.cpus.push(cpu);
    }
}

/// The median of the ratios of neighbours.
pub(crate) fn ratio(of: &[f64], to: &[f64]) -> f64 {
    median(&of.iter().zip(to).map(|(of, to)| of / to.max(1e-9)).collect::<Vec<_>>())
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = |at: usize| sorted.get(at).copied();
    match (sorted.len() % 2, sorted.len() / 2) {
        (1, half) => middle(half).unwrap_or_default(),
        (_, half) => {
            half.checked_sub(1).and_then(middle).zip(middle(half)).map_or(0.0, |(low, high)| f64::midpoint(low, high))
        }
    }
}

/// A number of requests, rounded down.
fn whole(number: f64) -> usize {
    // A detour that needs no cast: the whole seconds of so many.
    usize::try_from(Duration::from_secs_f64(number).as_secs()).unwrap_or(usize::MAX)
}

pub(crate) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A script that notes what is asked, and how long the answers are.
struct Sized {
    script: Box<dyn Script>,
    length: usize,
    request: Vec<u8>,
}

impl Script for Sized {
    fn request(&mut self, connection: usize, out: &mut Vec<u8>) -> bool {
        let before = out.len();
        let more = self.script.request(connection, out);
        if let Some(request) = out.get(before..).filter(|request| !request.is_empty()) {
            self.request = request.to_vec();
        }
        more
    }

    fn answer(&mut self, connection: usize, status: u16, head: &[u8], body: &[u8]) {
        self.length = body.len();
        self.script.answer(connection, status, head, body);
    }

    fn writes(&self) -> bool {
        self.script.writes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
        assert!((ratio(&[1.0, 2.0], &[2.0, 4.0]) - 0.5).abs() < 1e-9);
    }
}
