//! Keys of proofs that held (RFC 9449 4.2): a client begins each of its proofs alike, with its key, which need not be read
//! anew.

use grantor_jose::VerifyingKey;
use grantor_jose::jws::KnownHeader;
use quick_cache::sync::Cache;
use std::fmt;
use std::sync::Arc;

/// The keys of the proofs that held last, each by the header that it came in: at most some three kilobytes for each. That
/// a key is known says nothing of whose it is, nor of what it may sign.
pub struct KnownKeys(Cache<Arc<str>, Arc<Known>>);

pub(super) struct Known {
    pub(super) header: KnownHeader,
    pub(super) key: Arc<VerifyingKey>,
}

impl KnownKeys {
    /// Room for so many keys.
    pub fn new(room: usize) -> Self {
        Self(Cache::new(room))
    }

    /// The key of an earlier proof that began as this one does.
    pub(super) fn of(&self, proof: &str) -> Option<Arc<Known>> {
        self.0.get(proof.split('.').next()?)
    }

    /// Keeps the key of a proof whose signature held.
    pub(super) fn keep(&self, header: KnownHeader, key: Arc<VerifyingKey>) {
        let text = header.text();
        if text.len() <= MAX_KEPT {
            self.0.insert(Arc::clone(text), Arc::new(Known { header, key }));
        }
    }
}

impl fmt::Debug for KnownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownKeys").field("kept", &self.0.len()).finish_non_exhaustive()
    }
}

/// In bytes of base64url: the header with an RSA key of 4096 bits has about so many.
const MAX_KEPT: usize = 1024;
