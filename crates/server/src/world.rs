//! Time and randomness, injected at the composition root.

use grantor_protocol::value::UnixTime;
use std::cell::RefCell;
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use zeroize::Zeroize as _;

/// Where `now` and fresh bytes come from.
pub trait World: Send + Sync {
    /// Milliseconds since the epoch.
    fn millis(&self) -> u64;

    /// Fills a buffer with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);

    /// How long something has been running that began before the first call: it never goes back, whatever is done to the
    /// clock.
    fn uptime(&self) -> Duration {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGUN.elapsed()
    }
}

/// The operating system's clock and generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemWorld;

impl World for SystemWorld {
    fn millis(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > SMALL {
            return from_system(bytes);
        }
        thread_local!(static DRAWN: RefCell<Drawn> = const { RefCell::new(Drawn { bytes: [0; AT_ONCE], left: 0 }) });
        DRAWN.with_borrow_mut(|drawn| drawn.take(bytes));
    }
}

/// What a thread has drawn from the operating system and not used yet: a request needs small pieces, and each call costs
/// more than many bytes. The program never forks, so that nobody else has a copy.
struct Drawn {
    bytes: [u8; AT_ONCE],
    left: usize,
}

const AT_ONCE: usize = 512;
const SMALL: usize = 64;

impl Drawn {
    /// Takes from the end what was never given before, and leaves no trace of it.
    fn take(&mut self, to: &mut [u8]) {
        if self.left < to.len() {
            from_system(&mut self.bytes);
            self.left = self.bytes.len();
        }
        self.left -= to.len();
        if let Some(fresh) = self.bytes.get_mut(self.left..).and_then(|rest| rest.get_mut(..to.len())) {
            to.copy_from_slice(fresh);
            fresh.zeroize();
        }
    }
}

fn from_system(bytes: &mut [u8]) {
    if let Err(error) = getrandom::fill(bytes) {
        // Nothing that needs randomness may go on without it.
        tracing::error!(%error, "the operating system gives no randomness");
        std::process::abort();
    }
}

impl dyn World + '_ {
    /// Now, in whole seconds.
    pub fn now(&self) -> UnixTime {
        UnixTime::of_millis(self.millis())
    }

    /// Fresh bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn nothing_that_was_drawn_is_given_twice() {
        let world: &dyn World = &SystemWorld;
        let mut seen = HashSet::new();
        for _ in 0..1000 {
            assert!(seen.insert(world.random::<9>().to_vec()) && seen.insert(world.random::<16>().to_vec()));
            assert!(seen.insert(world.random::<64>().to_vec()) && seen.insert(world.random::<65>().to_vec()));
        }
        assert!(seen.iter().all(|drawn| drawn.windows(8).all(|some| *some != [0; 8])));
    }

    #[test]
    fn what_was_given_is_not_kept() {
        let mut drawn = Drawn { bytes: [0; AT_ONCE], left: 0 };
        let mut to = [0; 16];
        drawn.take(&mut to);
        assert!(to != [0; 16] && drawn.bytes[AT_ONCE - 16..] == [0; 16] && drawn.left == AT_ONCE - 16);
    }
}
