//! Slow hashes are checked once.

use grantor_jose::mac::MacKey;
use grantor_protocol::value::Secret;
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Secrets whose slow hash was matched before, as MACs under a key of this process: the second check costs microseconds.
pub(crate) struct KnownSecrets {
    key: MacKey,
    seen: Mutex<HashSet<[u8; 32]>>,
}

const MAX_KNOWN: usize = 10_000;

impl KnownSecrets {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        Self { key: MacKey::new(&key), seen: Mutex::default() }
    }

    pub(crate) fn tag(&self, secret: &Secret, phc: &str) -> [u8; 32] {
        self.key.tag(&[phc.as_bytes(), secret.expose().as_bytes()])
    }

    pub(crate) fn knows(&self, tag: &[u8; 32]) -> bool {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).contains(tag)
    }

    pub(crate) fn learn(&self, tag: [u8; 32]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_KNOWN {
            seen.clear();
        }
        seen.insert(tag);
    }
}
