//! When to refuse, decided from what was measured and nothing else.
//!
//! Two things can be short. The *processor*: then requests wait to be looked at, and the runtime is late; a share of them
//! is refused, as large as it takes to keep the wait at what a full house costs. *Something that is waited for*, most of
//! all the store's commits: then requests pile up in flight; no more are let in than are answered in the time that is
//! held to be bearable (Little's law).

use std::time::Duration;

/// What was measured since the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The time since then.
    pub(super) elapsed: Duration,
    /// How late the runtime was.
    pub(super) late: Duration,
    /// Tasks that wait for any of its threads, beside those that wait for one: the lateness does not tell of them.
    pub(super) queued: usize,
    /// Requests that came, admitted or not.
    pub(super) came: u64,
    /// Admitted requests that ended.
    pub(super) completed: u64,
    /// Admitted requests that have not ended.
    pub(super) in_flight: u32,
    /// The threads of the runtime.
    pub(super) workers: u32,
}

/// What is let in until the next look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Of 2^32 requests so many are refused.
    pub(super) refuse: u32,
    /// No more than so many are in flight.
    pub(super) limit: u32,
}

/// Nobody is refused before something has been too long for so long: a burst passes (as with CoDel, RFC 8289 4.2).
const PATIENCE: Duration = Duration::from_millis(100);
/// Something must have been seen more than once.
const FEWEST_LOOKS: u32 = 2;

/// A full house: so many requests wait for each thread. Twice what is called normal load; fewer are never refused, how
/// long they may wait: on a machine on which others work that would help nobody.
const FULL_HOUSE: u32 = 128;
/// Bounds of the wait for the processor that is bearable, whatever a request costs. A timer is late by a few milliseconds
/// when nothing is wrong: it is looked at once in 61 tasks, and counts in whole ones.
const LEAST_WAIT: Duration = Duration::from_millis(10);
const MOST_WAIT: Duration = Duration::from_millis(60);
/// A look that is overdue for so long waits behind requests that wait for as long.
const OVERDUE: Duration = Duration::from_millis(40);
/// At most this share is refused, so that something is always measured.
const MOST_REFUSED: f64 = 0.98;
/// By how much the share grows in a second for each multiple of the bearable wait, and at once for each by which the wait
/// has grown.
const GAIN: f64 = 2.0;
const DAMPING: f64 = 0.1;
/// A longer step tells of a longer wait, not of more looks.
const LONGEST_STEP: f64 = 0.05;

/// No fewer than so many are let in at once.
const LEAST_IN_FLIGHT: u32 = 192;
/// No more than so many, whatever else: each holds memory.
const MOST_IN_FLIGHT: u32 = 8_192;
/// A request that waits for something is answered in this many times what it takes on a quiet day.
const STRETCH: f64 = 3.0;
/// A wait below this is no overload, however fast a quiet day is.
const SHORT_WAIT: Duration = Duration::from_millis(15);
/// A wait above this is one, however slow.
const LONG_WAIT: Duration = Duration::from_millis(75);

/// What was seen, and what follows from it.
#[derive(Debug)]
pub(super) struct Rule {
    /// Requests that came in a second, of late.
    demand: f64,
    late: Streak,
    /// By how many times the wait was too long, at the last look.
    excess: f64,
    refused: f64,
    /// Completed in a second, of late.
    rate: f64,
    /// Seconds that a request takes on a quiet day.
    quiet: f64,
    crowded: Streak,
    limit: f64,
}

impl Verdict {
    /// All are let in.
    pub(super) const fn open() -> Self {
        Self { refuse: 0, limit: MOST_IN_FLIGHT }
    }
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            demand: 0.0,
            late: Streak::default(),
            excess: 0.0,
            refused: 0.0,
            rate: 0.0,
            quiet: f64::INFINITY,
            crowded: Streak::default(),
            limit: f64::from(MOST_IN_FLIGHT),
        }
    }
}

impl Rule {
    /// What follows from one more look.
    pub(super) fn next(&mut self, sample: &Sample) -> Verdict {
        self.processor(sample);
        self.waiting(sample);
        let share = self.refused * f64::from(u32::MAX);
        Verdict { refuse: whole(share), limit: whole(self.limit) }
    }

    fn processor(&mut self, sample: &Sample) {
        let seconds = sample.elapsed.as_secs_f64();
        self.demand = toward(self.demand, count(sample.came) / seconds.max(1e-6), seconds, 0.1);
        // Little's law: the wait is as long as it takes to look at those who stand in line.
        let line = f64::from(FULL_HOUSE) * f64::from(sample.workers);
        let bearable = (line / self.demand.max(1.0)).clamp(LEAST_WAIT.as_secs_f64(), MOST_WAIT.as_secs_f64());
        let queued = count(u64::try_from(sample.queued).unwrap_or(u64::MAX)) / line;
        let excess = queued.max(sample.late.as_secs_f64() / bearable) - 1.0;
        self.late.see(excess > 0.0, sample);
        let excess = excess.clamp(-1.0, 4.0);
        if self.refused > 0.0 || (self.late.lasts(PATIENCE) && count(self.late.came) >= line) {
            let step = GAIN * excess * seconds.min(LONGEST_STEP) + DAMPING * (excess - self.excess);
            self.refused = (self.refused + step).clamp(0.0, MOST_REFUSED);
        }
        self.excess = excess;
    }

    fn waiting(&mut self, sample: &Sample) {
        let seconds = sample.elapsed.as_secs_f64();
        self.rate = toward(self.rate, count(sample.completed) / seconds.max(1e-6), seconds, 0.1);
        let in_flight = f64::from(sample.in_flight);
        // Little's law: as long as it takes at this rate to answer all who wait.
        let wait = if in_flight > 0.0 { in_flight / self.rate.max(1e-6) } else { 0.0 };
        if sample.in_flight >= 1 && sample.completed >= 10 {
            // The shortest that was seen; it is forgotten within minutes, as stores become slower too.
            self.quiet = (self.quiet * (1.0 + seconds / 300.0)).min(wait);
        }
        let quiet = if self.quiet.is_finite() { self.quiet } else { 0.0 };
        let bearable = (quiet * STRETCH).clamp(SHORT_WAIT.as_secs_f64(), LONG_WAIT.as_secs_f64());
        let full = sample.in_flight >= LEAST_IN_FLIGHT;
        let limited = self.limit < f64::from(MOST_IN_FLIGHT);
        self.crowded.see(full && wait > bearable, sample);
        let stuck = self.crowded.lasts(PATIENCE) && full;
        if stuck || (limited && in_flight >= self.limit * 0.9) {
            self.limit = (self.rate * bearable).clamp(f64::from(LEAST_IN_FLIGHT), f64::from(MOST_IN_FLIGHT));
        } else if limited {
            // Nobody is refused any more: opened again, doubling every second.
            self.limit = (self.limit * (1.0 + seconds)).min(f64::from(MOST_IN_FLIGHT));
        }
    }
}

/// Whether requests must be refused before the next look: it is overdue, and a full house came since it was due. That bounds the
/// wait while the rule learns what is going on.
pub(super) fn is_stuck(came: u64, overdue: Duration, workers: u32) -> bool {
    overdue > OVERDUE && is_full_house(came, workers)
}

/// Whether so many are a full house.
pub(super) fn is_full_house(came: u64, workers: u32) -> bool {
    came > u64::from(FULL_HOUSE) * u64::from(workers)
}

/// For how long something has been too much without a break.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    lasted: Duration,
    looks: u32,
    came: u64,
}

impl Streak {
    fn see(&mut self, too_much: bool, sample: &Sample) {
        if !too_much {
            *self = Self::default();
            return;
        }
        self.lasted = self.lasted.saturating_add(sample.elapsed);
        self.looks = self.looks.saturating_add(1);
        self.came = self.came.saturating_add(sample.came);
    }

    fn lasts(&self, time: Duration) -> bool {
        self.lasted >= time && self.looks >= FEWEST_LOOKS
    }
}

/// A mean that forgets within about `memory` seconds.
fn toward(mean: f64, value: f64, seconds: f64, memory: f64) -> f64 {
    mean + (value - mean) * (seconds / memory).min(1.0)
}

/// As a number to reckon with. Above 2^32 in one look it does not matter any more.
fn count(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests;
