//! The load: one thread, many connections, requests that were made before.
//!
//! In the closed loop each connection sends its next request as soon as it has its answer. In the open loop requests
//! arrive at a fixed rate whatever the server does, and a request's time runs from its arrival: a server that stalls
//! does not make its own load wait ("coordinated omission").

mod connection;
mod script;

pub(crate) use script::{Cycle, Once, Script};

use crate::failure::{Result, broken};
use connection::{Connection, Progress};
use hdrhistogram::Histogram;
use mio::{Events, Poll, Token};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How the requests come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) connections: usize,
    /// Answers of the first moments do not count.
    pub(crate) warm: Duration,
    pub(crate) time: Duration,
    /// Requests a second, in the open loop; none is the closed one.
    pub(crate) rate: Option<f64>,
    /// Never sleeps while it sends: the server would pay for waking it, the more the faster it answers, and what asks
    /// from another machine costs it nothing. Where the server writes, the kernel's own threads need the core.
    pub(crate) awake: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// Answers that were counted.
    pub(crate) answers: u64,
    /// Over this time.
    pub(crate) time: Duration,
    /// From the sending, or in the open loop from the arrival, to the last byte of a good answer, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// The same, always from the sending.
    pub(crate) admitted: Histogram<u64>,
    /// That of the other answers.
    pub(crate) refused: Histogram<u64>,
    /// How many answers had which status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// What the first bad answer said.
    pub(crate) first_bad: Option<String>,
    /// Arrivals that never found a free connection.
    pub(crate) unserved: u64,
    /// Requests that were sent, counted or not.
    pub(crate) sent: u64,
}

/// Longer than any answer takes, in nanoseconds.
const LONGEST: u64 = 120_000_000_000;
/// How long the last answers may take after the load has ended.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

impl Outcome {
    pub(crate) fn new() -> Result<Self> {
        let histogram = Histogram::new_with_max(LONGEST, 3)?;
        Ok(Self {
            answers: 0,
            time: Duration::ZERO,
            admitted: histogram.clone(),
            refused: histogram.clone(),
            latency: histogram,
            statuses: BTreeMap::new(),
            first_bad: None,
            unserved: 0,
            sent: 0,
        })
    }

    /// Good answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.good() as f64 / self.time.as_secs_f64().max(1e-9)
    }

    pub(crate) fn good(&self) -> u64 {
        self.statuses.iter().filter(|(status, _)| good(**status)).map(|(_, count)| count).sum()
    }

    /// Answers that were not granted.
    pub(crate) fn bad(&self) -> u64 {
        self.answers - self.good()
    }

    /// Refusals of a server that says that it is busy.
    pub(crate) fn busy(&self) -> u64 {
        self.statuses.iter().filter(|(status, _)| matches!(status, 429 | 503)).map(|(_, count)| count).sum()
    }

    /// What was not granted, if anything was not.
    pub(crate) fn complaint(&self, what: &str) -> Option<String> {
        let first = self.first_bad.as_deref().unwrap_or_default();
        (self.bad() > 0).then(|| format!("{what}: answers by status: {:?}; the first bad one: {first}", self.statuses))
    }

    /// A quantile of the latency.
    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.latency.value_at_quantile(quantile))
    }

    /// Both together.
    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        self.answers += other.answers;
        self.time += other.time;
        self.latency.add(&other.latency)?;
        self.admitted.add(&other.admitted)?;
        self.refused.add(&other.refused)?;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        self.first_bad = self.first_bad.take().or_else(|| other.first_bad.clone());
        self.unserved += other.unserved;
        self.sent += other.sent;
        Ok(())
    }

    fn record(&mut self, status: u16, waited: Duration, sent: Duration, answer: &[u8]) {
        self.answers += 1;
        *self.statuses.entry(status).or_default() += 1;
        let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(LONGEST).clamp(1, LONGEST);
        if good(status) {
            self.latency.saturating_record(nanos(waited));
            self.admitted.saturating_record(nanos(sent));
        } else {
            self.refused.saturating_record(nanos(sent));
            if self.first_bad.is_none() {
                self.first_bad = Some(String::from_utf8_lossy(answer).chars().take(600).collect());
            }
        }
    }
}

fn good(status: u16) -> bool {
    (200..400).contains(&status)
}

impl Load {
    /// Of the closed loop.
    pub(crate) const CONNECTIONS: usize = 64;

    /// So many connections in the closed loop.
    pub(crate) fn closed(address: SocketAddr, time: Duration) -> Self {
        Self {
            address,
            connections: Self::CONNECTIONS,
            warm: Duration::from_millis(300),
            time,
            rate: None,
            awake: true,
        }
    }

    /// Runs it on this thread. Every answer that was asked for is waited for.
    pub(crate) fn run(&self, script: &mut dyn Script) -> Result<Outcome> {
        let mut run = Run {
            load: self,
            poll: Poll::new()?,
            connections: Vec::new(),
            idle: Vec::new(),
            waiting: VecDeque::new(),
            outcome: Outcome::new()?,
        };
        for at in 0..self.connections {
            run.connections.push(Connection::open(self.address, run.poll.registry(), Token(at))?);
        }
        run.run(script)?;
        Ok(run.outcome)
    }
}

struct Run<'a> {
    load: &'a Load,
    poll: Poll,
    connections: Vec<Connection>,
    /// Connections without a request, in the open loop.
    idle: Vec<usize>,
    /// Arrivals without a connection, in the open loop.
    waiting: VecDeque<Instant>,
    outcome: Outcome,
}

impl Run<'_> {
    fn run(&mut self, script: &mut dyn Script) -> Result<()> {
        let begun = Instant::now();
        let (counted, end) = (begun + self.load.warm, begun + self.load.warm + self.load.time);
        let mut arrived: u64 = 0;
        let mut more = true;
        if self.load.rate.is_some() {
            self.idle = (0..self.connections.len()).rev().collect();
        } else {
            for at in 0..self.connections.len() {
                more &= self.send(at, begun, script)?;
            }
        }
        let mut events = Events::with_capacity(1024);
        loop {
            let now = Instant::now();
            let sending = more && now < end;
            if let (Some(rate), true) = (self.load.rate, sending) {
                let due = (now - begun).as_secs_f64() * rate;
                while (arrived as f64) < due {
                    self.waiting.push_back(begun + Duration::from_secs_f64(arrived as f64 / rate));
                    arrived += 1;
                }
                more &= self.serve_waiting(script)?;
            }
            if !sending && self.connections.iter().all(|connection| !connection.is_busy()) {
                break;
            }
            if now > end + LAST_ANSWERS {
                return broken("the last answers did not come");
            }
            let pause = if self.load.awake && sending { Duration::ZERO } else { Duration::from_millis(20) };
            match self.poll.poll(&mut events, Some(pause)) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                more &= self.advance(event.token().0, (counted, end), script)?;
            }
        }
        self.outcome.unserved = u64::try_from(self.waiting.len())?;
        self.outcome.time =
            if more { self.load.time } else { Instant::now().min(end).saturating_duration_since(counted) };
        Ok(())
    }

    /// What a connection can do now. Gives whether there was another request for it.
    fn advance(&mut self, at: usize, (counted, end): (Instant, Instant), script: &mut dyn Script) -> Result<bool> {
        let Some(connection) = self.connections.get_mut(at) else { return Ok(true) };
        let progress = match connection.advance() {
            // A server that is overloaded may hang up: that is an answer too.
            Err(_) if self.load.rate.is_some() => Progress::Closed,
            other => other?,
        };
        let frame = match progress {
            Progress::Waiting => return Ok(true),
            Progress::Closed => {
                if connection.is_busy() {
                    self.outcome.record(0, Duration::ZERO, connection.sent.elapsed(), b"the connection was closed");
                }
                *connection = Connection::open(self.load.address, self.poll.registry(), Token(at))?;
                return self.next(at, end, script);
            }
            Progress::Answered(frame) => frame,
        };
        let now = Instant::now();
        let (head, body) = connection.answer(frame);
        script.answer(at, frame.status, head, body);
        if now >= counted && now < end {
            let (arrived, sent) = (now - connection.arrived, now - connection.sent);
            self.outcome.record(frame.status, arrived, sent, body);
        }
        connection.done(frame);
        self.next(at, end, script)
    }

    fn next(&mut self, at: usize, end: Instant, script: &mut dyn Script) -> Result<bool> {
        if self.load.rate.is_some() {
            self.idle.push(at);
            return self.serve_waiting(script);
        }
        let now = Instant::now();
        if now < end { self.send(at, now, script) } else { Ok(true) }
    }

    fn serve_waiting(&mut self, script: &mut dyn Script) -> Result<bool> {
        while let (Some(arrived), Some(at)) = (self.waiting.front().copied(), self.idle.last().copied()) {
            self.waiting.pop_front();
            self.idle.pop();
            if !self.send(at, arrived, script)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn send(&mut self, at: usize, arrived: Instant, script: &mut dyn Script) -> Result<bool> {
        let Some(connection) = self.connections.get_mut(at) else { return Ok(true) };
        connection.request.clear();
        if !script.request(at, &mut connection.request) {
            return Ok(false);
        }
        self.outcome.sent += 1;
        match connection.send(arrived) {
            Err(_) if self.load.rate.is_some() => Ok(true),
            other => other.map(|()| true),
        }
    }
}
