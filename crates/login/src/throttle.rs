//! Throttling of guesses (OWASP ASVS 2.2.1): waits that double, and end. A wait is never longer than its bound, an attempt made
//! while waiting costs nobody anything, and the account itself is throttled loosely, so that a stranger's guesses do
//! not keep its owner out.

use grantor_protocol::value::{Seconds, UnixTime};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Counts failures, in memory and bounded.
#[derive(Default)]
pub struct Throttle {
    failures: Mutex<HashMap<Key, Failures>>,
}

/// Somebody who wants to try a password.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The account, as it was typed.
    pub account: &'a str,
    /// Where the attempt comes from.
    pub address: IpAddr,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    AccountAtAddress(String, IpAddr),
    Address(IpAddr),
    Account(String),
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: UnixTime,
}

/// How patient the throttle is with one kind of key.
struct Patience {
    free: u32,
    longest: Seconds,
}

/// Forgotten after this long without a failure.
const MEMORY: Seconds = Seconds::new(3600);
/// How many keys are remembered at the most; beyond it the oldest go.
const MAX_KEYS: usize = 100_000;

impl Throttle {
    /// How long this attempt must wait; nothing when it may go on now.
    pub fn wait(&self, attempt: Attempt<'_>, now: UnixTime) -> Option<Seconds> {
        let failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = keys(attempt).into_iter().filter_map(|key| {
            let patience = key.patience();
            let failed = failures.get(&key)?;
            let until = failed.last.plus(patience.wait_after(failed.count));
            (now < until).then(|| until.remaining(now))
        });
        waits.max()
    }

    /// Notes a wrong password.
    pub fn failed(&self, attempt: Attempt<'_>, now: UnixTime) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if failures.len() >= MAX_KEYS {
            forget(&mut failures, now);
        }
        for key in keys(attempt) {
            let failed = failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now >= failed.last.plus(MEMORY) {
                failed.count = 0;
            }
            failed.count = failed.count.saturating_add(1);
            failed.last = now;
        }
    }

    /// Notes a right password: this account from this address starts afresh.
    pub fn succeeded(&self, attempt: Attempt<'_>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let [pair, _, account] = keys(attempt);
        failures.remove(&pair);
        failures.remove(&account);
    }
}

impl Key {
    const fn patience(&self) -> Patience {
        match self {
            Self::AccountAtAddress(..) => Patience { free: 5, longest: Seconds::new(300) },
            Self::Address(_) => Patience { free: 50, longest: Seconds::new(300) },
            Self::Account(_) => Patience { free: 100, longest: Seconds::new(30) },
        }
    }
}

impl Patience {
    /// 1, 2, 4 ... seconds after the free failures, up to the longest.
    fn wait_after(&self, count: u32) -> Seconds {
        match count.checked_sub(self.free) {
            None => Seconds::new(0),
            Some(over) => Seconds::new(1_u32.checked_shl(over.min(20)).unwrap_or(u32::MAX)).min(self.longest),
        }
    }
}

fn keys(attempt: Attempt<'_>) -> [Key; 3] {
    let account = attempt.account.to_lowercase();
    // One customer has a whole /64 of IPv6.
    let address = match attempt.address {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
    };
    [Key::AccountAtAddress(account.clone(), address), Key::Address(address), Key::Account(account)]
}

/// Makes room: the half that failed longest ago.
fn forget(failures: &mut HashMap<Key, Failures>, now: UnixTime) {
    failures.retain(|_, failed| now < failed.last.plus(MEMORY));
    if failures.len() >= MAX_KEYS {
        let mut times: Vec<_> = failures.values().map(|failed| failed.last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        failures.retain(|_, failed| failed.last > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(account: &str, last: u8) -> Attempt<'_> {
        Attempt { account, address: IpAddr::from([192, 0, 2, last]) }
    }

    fn fail(throttle: &Throttle, attempt: Attempt<'_>, times: u32, now: UnixTime) {
        (0..times).for_each(|_| throttle.failed(attempt, now));
    }

    #[test]
    fn five_failures_are_free_and_then_the_wait_doubles() {
        let (throttle, now) = (Throttle::default(), UnixTime::new(1000));
        fail(&throttle, attempt("alice", 1), 4, now);
        assert_eq!(throttle.wait(attempt("alice", 1), now), None);
        fail(&throttle, attempt("alice", 1), 1, now);
        assert_eq!(throttle.wait(attempt("Alice", 1), now), Some(Seconds::new(1)));
        fail(&throttle, attempt("alice", 1), 2, now);
        assert_eq!(throttle.wait(attempt("alice", 1), now), Some(Seconds::new(4)));
        assert_eq!(throttle.wait(attempt("alice", 1), now.plus(Seconds::new(4))), None);
    }

    #[test]
    fn no_wait_is_longer_than_its_bound_and_a_strangers_guesses_do_not_keep_the_owner_out() {
        let (throttle, now) = (Throttle::default(), UnixTime::new(1000));
        fail(&throttle, attempt("alice", 1), 60, now);
        assert_eq!(throttle.wait(attempt("alice", 1), now), Some(Seconds::new(300)));
        assert_eq!(throttle.wait(attempt("alice", 2), now), None);
        for address in 0..=255 {
            fail(&throttle, attempt("alice", address), 1000, now);
        }
        let elsewhere = Attempt { account: "alice", address: IpAddr::from([198, 51, 100, 1]) };
        assert_eq!(throttle.wait(elsewhere, now), Some(Seconds::new(30)));
    }

    #[test]
    fn one_address_cannot_guess_at_many_accounts() {
        let (throttle, now) = (Throttle::default(), UnixTime::new(1000));
        for account in 0..60 {
            throttle.failed(attempt(&account.to_string(), 1), now);
        }
        assert!(throttle.wait(attempt("another", 1), now).is_some());
        assert_eq!(throttle.wait(attempt("another", 2), now), None);
    }

    #[test]
    fn a_right_password_starts_afresh_and_time_forgets() {
        let (throttle, now) = (Throttle::default(), UnixTime::new(1000));
        fail(&throttle, attempt("alice", 1), 6, now);
        throttle.succeeded(attempt("alice", 1));
        assert_eq!(throttle.wait(attempt("alice", 1), now), None);
        fail(&throttle, attempt("alice", 1), 6, now);
        let later = now.plus(MEMORY);
        throttle.failed(attempt("alice", 1), later);
        assert_eq!(throttle.wait(attempt("alice", 1), later), None);
    }
}
