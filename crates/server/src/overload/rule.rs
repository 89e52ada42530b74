//! How many may be in flight, decided from what was measured and nothing else.
//!
//! Where the processor is short, requests wait in the [line](super::line). Where something else is, most of all the store's
//! commits, they pile up in flight; no more are let in than are answered in the time that is held to be bearable (Little's
//! law).

use std::time::Duration;

/// What was measured since the last look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The time since then.
    pub(super) elapsed: Duration,
    /// Admitted requests that ended.
    pub(super) completed: u64,
    /// Admitted requests that have not ended.
    pub(super) in_flight: u32,
}

/// Nobody is refused before something has been too long for so long: a burst passes (as with CoDel, RFC 8289 4.2).
const PATIENCE: Duration = Duration::from_millis(100);
/// And more than twice: a look may be late.
const FEWEST_LOOKS: u32 = 3;

/// No fewer than so many are let in at once.
const LEAST_IN_FLIGHT: u32 = 192;
/// No more than so many, whatever else: each holds memory.
pub(super) const MOST_IN_FLIGHT: u32 = 8_192;
/// A request that waits for something is answered in this many times what it takes on a quiet day.
const STRETCH: f64 = 3.0;
/// A wait below this is no overload, however fast a quiet day is.
const SHORT_WAIT: Duration = Duration::from_millis(15);
/// A wait above this is one, however slow.
const LONG_WAIT: Duration = Duration::from_millis(75);

/// What was seen, and what follows from it.
#[derive(Debug)]
pub(super) struct Rule {
    /// Completed in a second, of late.
    rate: f64,
    /// Seconds that a request takes on a quiet day.
    quiet: f64,
    crowded: Streak,
    limit: f64,
}

impl Default for Rule {
    fn default() -> Self {
        Self { rate: 0.0, quiet: f64::INFINITY, crowded: Streak::default(), limit: f64::from(MOST_IN_FLIGHT) }
    }
}

impl Rule {
    /// No more than so many are in flight until the next look.
    pub(super) fn next(&mut self, sample: &Sample) -> u32 {
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
        whole(self.limit)
    }
}

/// For how long something has been too much without a break.
#[derive(Clone, Copy, Debug, Default)]
struct Streak {
    lasted: Duration,
    looks: u32,
}

impl Streak {
    fn see(&mut self, too_much: bool, sample: &Sample) {
        if !too_much {
            *self = Self::default();
            return;
        }
        // Before it was seen for the first time it was not there, however long nobody looked.
        if self.looks > 0 {
            self.lasted = self.lasted.saturating_add(sample.elapsed);
        }
        self.looks = self.looks.saturating_add(1);
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
