//! Time as a value: the rules never read a clock.

use serde::{Deserialize, Serialize};

/// A moment, in whole seconds since 1970-01-01 UTC (the NumericDate of RFC 7519 2 without its fraction).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixTime(i64);

/// A span of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seconds(u32);

impl UnixTime {
    /// The end of time: for what never expires.
    pub const FOREVER: Self = Self(i64::MAX);

    /// Whole seconds since the epoch.
    pub const fn new(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The second in which this is, in milliseconds since the epoch.
    pub fn of_millis(millis: u64) -> Self {
        Self(i64::try_from(millis / 1000).unwrap_or(i64::MAX))
    }

    /// Whole seconds since the epoch.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The moment `span` later; saturates.
    #[must_use]
    pub const fn plus(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.0 as i64))
    }

    /// The moment `span` earlier; saturates.
    #[must_use]
    pub const fn minus(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(span.0 as i64))
    }

    /// What is left from `now` until this moment; zero when it has passed.
    pub fn remaining(self, now: Self) -> Seconds {
        let left = self.0.saturating_sub(now.0).max(0);
        Seconds(u32::try_from(left).unwrap_or(u32::MAX))
    }
}

impl Seconds {
    /// A span of `seconds`.
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// The span in seconds.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl std::fmt::Display for UnixTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_is_never_negative() {
        assert_eq!(UnixTime::new(10).remaining(UnixTime::new(4)), Seconds::new(6));
        assert_eq!(UnixTime::new(4).remaining(UnixTime::new(10)), Seconds::new(0));
        assert_eq!(UnixTime::FOREVER.plus(Seconds::new(1)), UnixTime::FOREVER);
    }
}
