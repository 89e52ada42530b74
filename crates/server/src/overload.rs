//! Overload: more is asked than can be done. The excess is refused at once with 503, so that those who are admitted are
//! answered as on any other day (docs/adr/0014). What decides are [`Rule`] and [`Order`](order::Order), pure functions of
//! what was measured.

mod line;
mod order;
mod rule;

pub(crate) use line::{Holder, Line, Verdict};

use rule::{MOST_IN_FLIGHT, Rule, Sample};
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// The gate that every request but those of health and metrics goes through. It costs a few atomic operations.
#[derive(Debug)]
pub(crate) struct Gate {
    line: Arc<Line>,
    in_flight: AtomicU32,
    /// No more than so many are in flight.
    limit: AtomicU32,
    /// How many admitted requests were answered.
    completed: AtomicU64,
    refused: [AtomicU64; Excess::ALL.len()],
    /// How late the runtime was when it was looked at last, in microseconds.
    lateness: AtomicU64,
    abroad: Semaphore,
}

/// Why a request or a connection is more than can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// The processor has more to do than it can: requests wait to be looked at.
    Processor,
    /// Too many requests wait for something else: the store, or another server.
    InFlight,
    /// All places for connections are taken, or all that one address may have.
    Connections,
    /// The same of bodies that are under way.
    Bodies,
}

impl Excess {
    /// Every reason.
    pub(crate) const ALL: [Self; 4] = [Self::Processor, Self::InFlight, Self::Connections, Self::Bodies];

    /// Its name as a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Processor => "processor",
            Self::InFlight => "in_flight",
            Self::Connections => "connections",
            Self::Bodies => "bodies",
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::Processor => 0,
            Self::InFlight => 1,
            Self::Connections => 2,
            Self::Bodies => 3,
        }
    }
}

/// Leave to be served; given back when dropped.
#[derive(Debug)]
pub(crate) struct Pass(Arc<Gate>);

/// An admitted request steps aside while it waits for something that is not this server's work: what a stranger takes
/// his time with must not look like a server that is too slow. It is in flight again when this is dropped.
#[derive(Debug)]
pub(crate) struct Aside(Arc<Gate>);

/// How often the runtime is looked at under load, and when nothing happens.
const TICK: Duration = Duration::from_millis(10);
const IDLE_TICK: Duration = Duration::from_millis(100);
/// So many may wait for other servers and not be counted; those beyond are in flight like all others.
const MOST_ABROAD: usize = 4096;

impl Gate {
    /// An open gate.
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            line: Line::new(),
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(MOST_IN_FLIGHT),
            completed: AtomicU64::new(0),
            refused: Excess::ALL.map(|_| AtomicU64::new(0)),
            lateness: AtomicU64::new(0),
            abroad: Semaphore::new(MOST_ABROAD),
        })
    }

    /// The line before it.
    pub(crate) fn line(&self) -> &Arc<Line> {
        &self.line
    }

    /// Lets a request in that waited in line, or refuses it at once.
    pub(crate) fn admit(self: &Arc<Self>, verdict: Verdict) -> Result<Pass, Excess> {
        if verdict == Verdict::Refuse {
            return Err(self.turn_away(Excess::Processor));
        }
        if self.in_flight.fetch_add(1, Ordering::Relaxed) >= self.limit.load(Ordering::Relaxed) {
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            return Err(self.turn_away(Excess::InFlight));
        }
        Ok(Pass(Arc::clone(self)))
    }

    /// Lets an admitted request step aside. The caller bounds how many do.
    pub(crate) fn aside(self: &Arc<Self>) -> Aside {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        Aside(Arc::clone(self))
    }

    /// An admitted request's wait for another server, aside if it is one.
    pub(crate) async fn abroad<T>(self: &Arc<Self>, wait: impl Future<Output = T>) -> Result<T, Excess> {
        let mut wait = pin!(wait);
        // Mostly what is wanted is known already.
        if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await {
            return Ok(done);
        }
        let Ok(_place) = self.abroad.try_acquire() else { return Ok(wait.await) };
        let aside = self.aside();
        let done = wait.await;
        aside.back()?;
        Ok(done)
    }

    /// Counts a refusal.
    pub(crate) fn turn_away(&self, excess: Excess) -> Excess {
        if let Some(count) = self.refused.get(excess.place()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        excess
    }

    /// How many were refused for this.
    pub(crate) fn refused(&self, excess: Excess) -> u64 {
        self.refused.get(excess.place()).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// How many requests are being served.
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many may be.
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// How long a request waits until it is looked at.
    pub(crate) fn lateness(&self) -> Duration {
        Duration::from_micros(self.lateness.load(Ordering::Relaxed)).saturating_add(self.line.age())
    }

    /// Looks at the runtime for as long as the gate is there. `exempt` is how many requests wait in a bounded line of
    /// their own, which says nothing about the rest.
    pub(crate) fn watch(self: &Arc<Self>, exempt: impl Fn() -> usize + Send + 'static) {
        tokio::spawn(Self::look(Arc::downgrade(self), exempt));
    }

    async fn look(gate: Weak<Self>, exempt: impl Fn() -> usize + Send + 'static) {
        let threads = Handle::current().metrics().num_workers();
        let mut rule = Rule::default();
        let mut completed_before = 0;
        let mut pause = TICK;
        loop {
            let begun = Instant::now();
            if let Some(gate) = gate.upgrade() {
                gate.line.serve_with(threads);
            }
            // A timer and a socket wake their tasks in the same way, so that who was called waits as long as this is late.
            tokio::time::sleep(pause).await;
            let elapsed = begun.elapsed();
            let Some(gate) = gate.upgrade() else { return };
            gate.lateness.store(micros(elapsed.saturating_sub(pause)), Ordering::Relaxed);
            let exempt = u32::try_from(exempt()).unwrap_or(u32::MAX);
            let completed = gate.completed.load(Ordering::Relaxed);
            let in_flight = gate.in_flight().saturating_sub(exempt);
            let limit =
                rule.next(&Sample { elapsed, completed: completed.saturating_sub(completed_before), in_flight });
            gate.limit.store(limit.saturating_add(exempt), Ordering::Relaxed);
            let is_quiet = completed == completed_before && in_flight == 0 && limit == MOST_IN_FLIGHT;
            pause = if is_quiet { IDLE_TICK } else { TICK };
            completed_before = completed;
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl Aside {
    /// The wait is over: the request goes on, if no more than the limit are in flight with it.
    pub(crate) fn back(self) -> Result<(), Excess> {
        let gate = Arc::clone(&self.0);
        drop(self);
        if gate.in_flight() > gate.limit() { Err(gate.turn_away(Excess::InFlight)) } else { Ok(()) }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.in_flight.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
        self.0.completed.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waited_for_too_long_is_refused_and_counted() {
        let gate = Gate::new();
        assert_eq!(gate.admit(Verdict::Refuse).unwrap_err(), Excess::Processor);
        assert_eq!((gate.in_flight(), gate.refused(Excess::Processor)), (0, 1));
    }

    #[test]
    fn no_more_than_the_limit_are_in_flight_and_each_place_is_given_back() {
        let gate = Gate::new();
        gate.limit.store(2, Ordering::Relaxed);
        let held = [gate.admit(Verdict::Admit).unwrap(), gate.admit(Verdict::Admit).unwrap()];
        assert_eq!(gate.admit(Verdict::Admit).unwrap_err(), Excess::InFlight);
        assert_eq!((gate.in_flight(), gate.refused(Excess::InFlight)), (2, 1));
        assert_eq!(gate.completed.load(Ordering::Relaxed), 0, "who was refused was not answered");
        drop(held);
        assert_eq!(gate.in_flight(), 0);
        assert!(gate.admit(Verdict::Admit).is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_another_server_is_not_in_flight_and_comes_back_only_if_there_is_room() {
        let gate = Gate::new();
        gate.limit.store(1, Ordering::Relaxed);
        let _waits = gate.admit(Verdict::Admit).unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let mut abroad = Box::pin(gate.abroad(answered));
        assert!(poll_fn(|cx| Poll::Ready(abroad.as_mut().poll(cx))).await.is_pending());
        assert_eq!(gate.in_flight(), 0);
        let served = gate.admit(Verdict::Admit).unwrap();
        answer.send(()).unwrap();
        assert_eq!(abroad.await.unwrap_err(), Excess::InFlight);
        assert_eq!(gate.in_flight(), 2, "until its pass is dropped");
        drop(served);
        assert_eq!(gate.abroad(async { 7 }).await.unwrap(), 7);
        let given_up = gate.abroad(std::future::pending::<()>());
        assert!(tokio::time::timeout(Duration::ZERO, given_up).await.is_err());
        assert_eq!((gate.in_flight(), gate.abroad.available_permits()), (1, MOST_ABROAD));
    }
}
