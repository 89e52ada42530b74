//! What was found out about a token a moment ago, by a name of its text: neither the token nor anything that could be sent
//! in its place is kept.

use crate::{Refusal, Verified};
use grantor_jose::names::Name;
use grantor_protocol::value::UnixTime;

/// Tokens that hold, and of which answers the issuer was asked for.
pub(crate) struct Cache {
    found: quick_cache::sync::Cache<Name, Found>,
    refused: quick_cache::sync::Cache<Name, Refused>,
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

/// How often the issuer has withdrawn a key: everything found out before that is void.
pub(crate) type Age = u64;

/// A refused token is kept apart, so that no flood of them drives out what holds.
const REFUSED: usize = 4096;

impl Cache {
    /// For so many tokens.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { found: quick_cache::sync::Cache::new(capacity), refused: quick_cache::sync::Cache::new(REFUSED) }
    }

    /// What holds, without a signature or a question.
    pub(crate) fn get(&self, name: &Name, age: Age, now: UnixTime) -> Option<Verified> {
        let found = self.found.get(name)?;
        (now < found.until && found.age == age).then_some(found.token)
    }

    /// Notes that a token holds until then, though never for longer than it says itself. `age` is that of the moment when
    /// its check began.
    pub(crate) fn insert(&self, name: Name, token: &Verified, until: UnixTime, age: Age) {
        let until = until.min(token.expires());
        self.found.insert(name, Found { token: token.clone(), until, age });
    }

    /// Whether the issuer said a moment ago that the token is not active.
    pub(crate) fn is_refused(&self, name: &Name, age: Age, now: UnixTime) -> Option<Refusal> {
        let refused = self.refused.get(name)?;
        (now < refused.until && refused.age == age).then_some(Refusal::Inactive)
    }

    /// Notes that the issuer said so.
    pub(crate) fn refuse(&self, name: Name, until: UnixTime, age: Age) {
        self.refused.insert(name, Refused { until, age });
    }

    /// Gives the memory back.
    pub(crate) fn clear(&self) {
        self.found.clear();
        self.refused.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::names::Names;

    #[test]
    fn what_the_issuer_denied_is_void_by_its_age_and_its_end() {
        let (cache, names) = (Cache::new(1), Names::new(&[1; 32]));
        let name = names.of("token");
        let age = 1;
        cache.refuse(name, UnixTime::new(100), age);
        let at = |now, age| cache.is_refused(&name, age, UnixTime::new(now));
        assert_eq!(at(99, age), Some(Refusal::Inactive));
        assert_eq!(at(100, age), None);
        assert_eq!(at(99, age + 1), None);
        assert_eq!(cache.is_refused(&names.of("another"), age, UnixTime::new(99)), None);
    }
}
