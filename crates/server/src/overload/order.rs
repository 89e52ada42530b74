//! Who of a line is next, and what is said to them: a pure function of how long they have waited.
//!
//! In a line that empties itself everybody is served, in the order in which they came. In one that stays long nobody who
//! is served in that order is served in time, whatever is refused, for all have waited as long as the line takes. So there
//! whoever came last is served first, and whoever came first is told that it is too much, while that still is soon.

use super::line::Verdict;
use std::time::{Duration, Instant};

/// Nobody is refused before the line has been long for so long: a burst passes (as with CoDel, RFC 8289 4.2).
const PATIENCE: Duration = Duration::from_millis(100);
/// In such a line the share of those who are refused follows from how long the first has waited: all but a few when it is
/// this. What there is of both then settles where the line is served and refused as fast as it grows, and refusals take
/// less than a hundred milliseconds.
const LONGEST: Duration = Duration::from_millis(65);
/// There, whoever did not come within so many rounds, a round being the time in which as many are called as are called at
/// once, is refused too: those who have waited would raise the time that is taken to answer, even when the flood is over.
/// No round counts as shorter than this.
const ROUNDS: u32 = 2;
const SHORTEST: Duration = Duration::from_millis(2);
/// At most this share is refused, so that something is always served.
const MOST_REFUSED: f64 = 0.98;

/// What is remembered from one to the next.
#[derive(Debug, Default)]
pub(super) struct Order {
    long_since: Option<Instant>,
    /// What is left of the share that is to be refused.
    due: f64,
    /// When somebody was called last, and seconds from one to the next, of late.
    called: Option<Instant>,
    pace: f64,
}

/// From which end of the line the next one is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// How long a line is and may be for good, and since when its first and its last are there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    pub(super) waiting: usize,
    pub(super) bearable: usize,
    /// So many are called at once.
    pub(super) batch: usize,
    pub(super) first: Instant,
    pub(super) last: Instant,
}

impl Order {
    /// Of a line that has been long since then.
    #[cfg(test)]
    pub(super) fn long_since(then: Instant) -> Self {
        Self { long_since: Some(then), ..Self::default() }
    }

    /// The next of a line in which somebody is.
    pub(super) fn next(&mut self, sight: &Sight, now: Instant) -> (End, Verdict) {
        if !self.is_too_much(sight, now) {
            return (End::First, Verdict::Admit);
        }
        let round = self.round(sight.batch, now);
        let waited = now.saturating_duration_since(sight.first);
        self.due += (waited.as_secs_f64() / LONGEST.as_secs_f64()).min(MOST_REFUSED);
        if self.due < 1.0 && now.saturating_duration_since(sight.last) <= round * ROUNDS {
            return (End::Last, Verdict::Admit);
        }
        self.due = (self.due - 1.0).max(0.0);
        (End::First, Verdict::Refuse)
    }

    /// How long a round is: a mean that forgets within one.
    fn round(&mut self, batch: usize, now: Instant) -> Duration {
        let batch = f64::from(u32::try_from(batch).unwrap_or(u32::MAX).max(1));
        let gap = now.saturating_duration_since(self.called.replace(now).unwrap_or(now)).as_secs_f64();
        self.pace += (gap - self.pace) / batch;
        Duration::from_secs_f64((self.pace * batch).max(SHORTEST.as_secs_f64()))
    }

    fn is_too_much(&mut self, sight: &Sight, now: Instant) -> bool {
        if sight.waiting <= sight.bearable {
            *self = Self::default();
            return false;
        }
        let since = *self.long_since.get_or_insert(now);
        now.saturating_duration_since(since) >= PATIENCE
    }
}

#[cfg(test)]
mod tests;
