//! Overload: more is asked than can be done. The excess is refused at once with 503, so that those who are admitted are
//! answered as on any other day (docs/adr/0014). What decides is [`Rule`], a pure function of what was measured.

mod rule;

use rule::{Rule, Sample, Verdict, is_full_house, is_stuck};
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
    in_flight: AtomicU32,
    /// No more than so many are in flight.
    limit: AtomicU32,
    /// Of 2^32 requests so many are refused.
    refuse: AtomicU32,
    /// How many came; a sequence from which those who are refused are chosen evenly.
    came: AtomicU64,
    /// How many of these were answered.
    completed: AtomicU64,
    refused: [AtomicU64; Excess::ALL.len()],
    /// How late the runtime was when it was looked at last, in microseconds.
    lateness: AtomicU64,
    begun: Instant,
    /// When the next look is due, in microseconds from then, and how many had come at the last.
    look_due: AtomicU64,
    came_before: AtomicU64,
    /// How many had come when a look was found overdue; zero while none is.
    came_overdue: AtomicU64,
    workers: AtomicU32,
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
        let open = Verdict::open();
        Arc::new(Self {
            in_flight: AtomicU32::new(0),
            limit: AtomicU32::new(open.limit),
            refuse: AtomicU32::new(open.refuse),
            came: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            refused: Excess::ALL.map(|_| AtomicU64::new(0)),
            lateness: AtomicU64::new(0),
            begun: Instant::now(),
            look_due: AtomicU64::new(u64::MAX),
            came_before: AtomicU64::new(0),
            came_overdue: AtomicU64::new(0),
            workers: AtomicU32::new(1),
            abroad: Semaphore::new(MOST_ABROAD),
        })
    }

    /// Lets a request in, or refuses it at once.
    pub(crate) fn admit(self: &Arc<Self>) -> Result<Pass, Excess> {
        let number = self.came.fetch_add(1, Ordering::Relaxed);
        let refuse = self.refuse.load(Ordering::Relaxed);
        // Multiples of the golden ratio are spread evenly: of any few requests the right share is refused.
        if refuse > 0 && (number.wrapping_mul(GOLDEN) >> 32) < u64::from(refuse) {
            return Err(self.turn_away(Excess::Processor));
        }
        // The clock is read only where there is a reason to.
        let since_look = number.saturating_sub(self.came_before.load(Ordering::Relaxed));
        let workers = self.workers.load(Ordering::Relaxed);
        if is_full_house(since_look, workers) && self.is_stuck(number, workers) {
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
        Duration::from_micros(self.lateness.load(Ordering::Relaxed))
    }

    /// Looks at the runtime for as long as the gate is there. `exempt` is how many requests wait in a bounded line of
    /// their own, which says nothing about the rest.
    pub(crate) fn watch(self: &Arc<Self>, exempt: impl Fn() -> usize + Send + 'static) {
        tokio::spawn(Self::look(Arc::downgrade(self), exempt));
    }

    async fn look(gate: Weak<Self>, exempt: impl Fn() -> usize + Send + 'static) {
        let metrics = Handle::current().metrics();
        let workers = u32::try_from(metrics.num_workers()).unwrap_or(u32::MAX);
        let mut rule = Rule::default();
        let (mut came_before, mut completed_before) = (0, 0);
        let mut pause = TICK;
        loop {
            let begun = Instant::now();
            if let Some(gate) = gate.upgrade() {
                gate.workers.store(workers, Ordering::Relaxed);
                gate.look_due.store(micros((begun + pause).saturating_duration_since(gate.begun)), Ordering::Relaxed);
            }
            // A timer and a socket wake their tasks in the same way, so that a request waits as long as this is late.
            tokio::time::sleep(pause).await;
            let elapsed = begun.elapsed();
            let late = elapsed.saturating_sub(pause);
            let Some(gate) = gate.upgrade() else { return };
            gate.lateness.store(micros(late), Ordering::Relaxed);
            let exempt = u32::try_from(exempt()).unwrap_or(u32::MAX);
            let (came, completed) = (gate.came.load(Ordering::Relaxed), gate.completed.load(Ordering::Relaxed));
            let verdict = rule.next(&Sample {
                elapsed,
                late,
                queued: metrics.global_queue_depth(),
                came: came.saturating_sub(came_before),
                completed: completed.saturating_sub(completed_before),
                in_flight: gate.in_flight().saturating_sub(exempt),
                workers,
            });
            gate.refuse.store(verdict.refuse, Ordering::Relaxed);
            gate.limit.store(verdict.limit.saturating_add(exempt), Ordering::Relaxed);
            gate.came_before.store(came, Ordering::Relaxed);
            gate.came_overdue.store(0, Ordering::Relaxed);
            pause = if came == came_before && verdict == Verdict::open() { IDLE_TICK } else { TICK };
            (came_before, completed_before) = (came, completed);
        }
    }

    /// Whether the look waits in a line that is too long. Only those who came since it was due stand before it: a machine
    /// that stood still for a moment is not overloaded.
    fn is_stuck(&self, number: u64, workers: u32) -> bool {
        let overdue = self.overdue();
        if overdue.is_zero() {
            return false;
        }
        let first = self.came_overdue.compare_exchange(0, number.max(1), Ordering::Relaxed, Ordering::Relaxed);
        first.is_err_and(|first| is_stuck(number.saturating_sub(first), overdue, workers))
    }

    /// By how much the next look is late already.
    fn overdue(&self) -> Duration {
        let due = self.look_due.load(Ordering::Relaxed);
        Duration::from_micros(micros(self.begun.elapsed()).saturating_sub(due))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// 2^64 divided by the golden ratio.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

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
    fn of_many_requests_the_right_share_is_refused_evenly() {
        let gate = Gate::new();
        gate.refuse.store(u32::MAX / 4 * 3, Ordering::Relaxed);
        for _ in 0..10 {
            let refused = (0..100).filter(|_| gate.admit().is_err()).count();
            assert!((73..=77).contains(&refused), "{refused}");
        }
        assert_eq!(gate.refused(Excess::Processor) + gate.completed.load(Ordering::Relaxed), 1000);
        gate.refuse.store(0, Ordering::Relaxed);
        assert!((0..1000).all(|_| gate.admit().is_ok()));
    }

    #[test]
    fn a_full_house_before_an_overdue_look_is_refused() {
        let gate = Gate::new();
        assert!((0..500).all(|_| gate.admit().is_ok()), "nobody looks yet");
        // As if the look had been due when the gate was made.
        gate.look_due.store(0, Ordering::Relaxed);
        while gate.overdue() < Duration::from_millis(50) {
            std::hint::spin_loop();
        }
        assert!((0..128).all(|_| gate.admit().is_ok()), "it stood still: who came before is not in the line");
        assert!((0..2).any(|_| gate.admit().is_err()));
        assert_eq!(gate.refused(Excess::Processor), 1);
        gate.came_before.store(gate.came.load(Ordering::Relaxed), Ordering::Relaxed);
        assert!((0..100).all(|_| gate.admit().is_ok()), "fewer than a full house since the last look");
    }

    #[test]
    fn no_more_than_the_limit_are_in_flight_and_each_place_is_given_back() {
        let gate = Gate::new();
        gate.limit.store(2, Ordering::Relaxed);
        let held = [gate.admit().unwrap(), gate.admit().unwrap()];
        assert_eq!(gate.admit().unwrap_err(), Excess::InFlight);
        assert_eq!((gate.in_flight(), gate.refused(Excess::InFlight)), (2, 1));
        assert_eq!(gate.completed.load(Ordering::Relaxed), 0, "who was refused was not answered");
        drop(held);
        assert_eq!(gate.in_flight(), 0);
        assert!(gate.admit().is_ok());
    }

    #[tokio::test]
    async fn who_waits_for_another_server_is_not_in_flight_and_comes_back_only_if_there_is_room() {
        let gate = Gate::new();
        gate.limit.store(1, Ordering::Relaxed);
        let _waits = gate.admit().unwrap();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let mut abroad = Box::pin(gate.abroad(answered));
        assert!(poll_fn(|cx| Poll::Ready(abroad.as_mut().poll(cx))).await.is_pending());
        assert_eq!(gate.in_flight(), 0);
        let served = gate.admit().unwrap();
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
