//! Time and randomness, injected at the composition root.

use grantor_protocol::value::UnixTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where `now` and fresh bytes come from.
pub trait World: Send + Sync {
    /// Milliseconds since the epoch.
    fn millis(&self) -> u64;

    /// Fills a buffer with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
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
        if let Err(error) = getrandom::fill(bytes) {
            // Nothing that needs randomness may go on without it.
            tracing::error!(%error, "the operating system gives no randomness");
            std::process::abort();
        }
    }
}

impl dyn World + '_ {
    /// Now, in whole seconds.
    pub fn now(&self) -> UnixTime {
        UnixTime::new(i64::try_from(self.millis() / 1000).unwrap_or(i64::MAX))
    }

    /// Fresh bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}
