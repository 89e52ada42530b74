//! What was taken back through this node, as counters that only grow: whoever finds them as he left them knows that
//! nothing was.

use grantor_protocol::grant::TokenRef;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many groups tokens and grants fall into, so that taking one back leaves most of the others alone.
const GROUPS: usize = 256;

/// The counters.
pub(crate) struct Revocations {
    all: AtomicU64,
    groups: [AtomicU64; GROUPS],
}

/// What is taken back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Of {
    /// A token or a grant with these bytes for a name.
    One([u8; 16]),
    /// Any number of them.
    All,
}

impl Revocations {
    /// Nothing was taken back yet.
    pub(crate) fn new() -> Self {
        Self { all: AtomicU64::new(0), groups: [const { AtomicU64::new(0) }; GROUPS] }
    }

    /// Something was taken back, or may have been.
    pub(super) fn count(&self, of: Of) {
        match of {
            Of::One(name) => self.group(&name).fetch_add(1, Ordering::SeqCst),
            Of::All => self.all.fetch_add(1, Ordering::SeqCst),
        };
    }

    /// What has been counted that may concern a token. Each counter only grows, so that their sum is the same only as long
    /// as each is.
    pub(super) fn stamp(&self, token: &TokenRef) -> u64 {
        let grant = token.grant.map_or(0, |grant| self.group(grant.as_bytes()).load(Ordering::SeqCst));
        let own = self.group(token.token.as_bytes()).load(Ordering::SeqCst);
        self.all.load(Ordering::SeqCst).wrapping_add(own).wrapping_add(grant)
    }

    /// The last byte is random.
    fn group(&self, name: &[u8; 16]) -> &AtomicU64 {
        let [.., last] = name;
        self.groups.get(usize::from(*last)).unwrap_or(&self.all)
    }
}
