//! What was found out about a token a moment ago, by the SHA-256 of its text: neither the token nor anything that could
//! be sent in its place is kept.

use crate::{Refusal, Verified};
use grantor_protocol::value::UnixTime;

/// Names a token.
pub(crate) type TokenHash = [u8; 32];

/// Tokens that hold, and of which answers the issuer was asked for.
pub(crate) struct Cache {
    found: quick_cache::sync::Cache<TokenHash, Found>,
    refused: quick_cache::sync::Cache<TokenHash, Refused>,
}

#[derive(Clone)]
struct Found {
    token: Verified,
    until: UnixTime,
    age: Age,
}

#[derive(Clone, Copy)]
struct Refused {
    until: UnixTime,
    age: Age,
}

/// What must not have changed since: everything found out before that is void.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age {
    /// How often the whole cache was declared void.
    pub(crate) emptied: u64,
    /// How often the issuer withdrew a key.
    pub(crate) withdrawals: u64,
}

/// A refused token is kept apart, so that no flood of them drives out what holds.
const REFUSED: usize = 4096;

impl Cache {
    /// For so many tokens.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { found: quick_cache::sync::Cache::new(capacity), refused: quick_cache::sync::Cache::new(REFUSED) }
    }

    /// What holds, without a signature or a question.
    pub(crate) fn get(&self, hash: &TokenHash, age: Age, now: UnixTime) -> Option<Verified> {
        let found = self.found.get(hash)?;
        (now < found.until && found.age == age).then_some(found.token)
    }

    /// Notes that a token holds until then, though never for longer than it says itself. `age` is that of the moment when
    /// its check began.
    pub(crate) fn insert(&self, hash: TokenHash, token: &Verified, until: UnixTime, age: Age) {
        let until = until.min(token.expires());
        self.found.insert(hash, Found { token: token.clone(), until, age });
    }

    /// Whether the issuer said a moment ago that the token is not active.
    pub(crate) fn is_refused(&self, hash: &TokenHash, age: Age, now: UnixTime) -> Option<Refusal> {
        let refused = self.refused.get(hash)?;
        (now < refused.until && refused.age == age).then_some(Refusal::Inactive)
    }

    /// Notes that the issuer said so.
    pub(crate) fn refuse(&self, hash: TokenHash, until: UnixTime, age: Age) {
        self.refused.insert(hash, Refused { until, age });
    }

    /// Gives the memory back; what is void by its age would go only little by little.
    pub(crate) fn clear(&self) {
        self.found.clear();
        self.refused.clear();
    }
}
