//! Throttling of guesses (OWASP ASVS 2.2.1): waits that double, and end. A wait is never longer than its bound, an attempt made
//! while waiting costs nobody anything, and the account itself is throttled loosely, so that a stranger's guesses do
//! not keep its owner out.

use grantor_protocol::value::{Seconds, TenantName, UnixTime};
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
    /// The tenant: no guess at one counts at another.
    pub tenant: &'a TenantName,
    /// The account, as it was typed.
    pub account: &'a str,
    /// Where the attempt comes from.
    pub address: IpAddr,
    /// Whether the browser proved that somebody signed in to this account with it before.
    pub known: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    AccountAtAddress(Account, IpAddr),
    Address(IpAddr),
    Account(Account),
    KnownBrowser(Account),
}

type Account = (TenantName, String);

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
    /// Counts an attempt before it is verified, or says how long it must wait, in which case it counts for nothing.
    /// Counting first means that many at once are no way around the limit.
    pub fn begin(&self, attempt: Attempt<'_>, now: UnixTime) -> Result<(), Seconds> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = attempt.keys().into_iter().filter_map(|key| {
            let failed = failures.get(&key)?;
            let until = failed.last.plus(key.patience().wait_after(failed.count));
            (now < until).then(|| until.remaining(now))
        });
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        if failures.len() >= MAX_KEYS {
            forget(&mut failures, now);
        }
        for key in attempt.keys() {
            let failed = failures.entry(key).or_insert(Failures { count: 0, last: now });
            if now >= failed.last.plus(MEMORY) {
                failed.count = 0;
            }
            failed.count = failed.count.saturating_add(1);
            failed.last = now;
        }
        Ok(())
    }

    /// Notes a right password: this account from this address starts afresh, and the attempt is taken off the others.
    pub fn succeeded(&self, attempt: Attempt<'_>) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        for key in attempt.keys() {
            if matches!(key, Key::AccountAtAddress(..)) {
                failures.remove(&key);
            } else if let Some(failed) = failures.get_mut(&key) {
                failed.count = failed.count.saturating_sub(1);
            }
        }
    }
}

impl Attempt<'_> {
    /// What the attempt counts against. A browser that is known counts for itself: what strangers guess at its account
    /// does not keep it waiting.
    fn keys(&self) -> Vec<Key> {
        let account = (self.tenant.clone(), self.account.to_lowercase());
        // One customer has a whole /64 of IPv6.
        let address = match self.address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        };
        if self.known {
            return vec![Key::KnownBrowser(account)];
        }
        vec![Key::AccountAtAddress(account.clone(), address), Key::Address(address), Key::Account(account)]
    }
}

impl Key {
    const fn patience(&self) -> Patience {
        match self {
            Self::AccountAtAddress(..) | Self::KnownBrowser(_) => Patience { free: 5, longest: Seconds::new(300) },
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
    use std::sync::LazyLock;

    static HERE: LazyLock<TenantName> = LazyLock::new(TenantName::default);
    static THERE: LazyLock<TenantName> = LazyLock::new(|| TenantName::parse("acme").unwrap());
    const NOW: UnixTime = UnixTime::new(1000);

    fn attempt(account: &str, last: u8) -> Attempt<'_> {
        Attempt { tenant: &HERE, account, address: IpAddr::from([192, 0, 2, last]), known: false }
    }

    /// As many as are let through.
    fn guess(throttle: &Throttle, attempt: Attempt<'_>, times: u32, now: UnixTime) -> usize {
        (0..times).filter(|_| throttle.begin(attempt, now).is_ok()).count()
    }

    #[test]
    fn five_guesses_are_free_and_then_the_wait_doubles() {
        let throttle = Throttle::default();
        assert_eq!(guess(&throttle, attempt("alice", 1), 120, NOW), 5);
        assert_eq!(throttle.begin(attempt("Alice", 1), NOW), Err(Seconds::new(1)));
        let mut now = NOW;
        for wait in [1, 2, 4, 8] {
            assert!(throttle.begin(attempt("alice", 1), now.plus(Seconds::new(wait - 1))).is_err());
            now = now.plus(Seconds::new(wait));
            assert_eq!(throttle.begin(attempt("alice", 1), now), Ok(()));
        }
    }

    #[test]
    fn no_wait_is_longer_than_its_bound_and_a_strangers_guesses_do_not_keep_the_owner_out() {
        let throttle = Throttle::default();
        let mut now = NOW;
        for _ in 0..30 {
            assert_eq!(throttle.begin(attempt("alice", 1), now), Ok(()));
            now = now.plus(Seconds::new(300));
        }
        assert_eq!(throttle.begin(attempt("alice", 2), now), Ok(()));
        for address in 0..=255 {
            guess(&throttle, attempt("alice", address), 5, now);
        }
        let elsewhere = Attempt { address: IpAddr::from([198, 51, 100, 1]), ..attempt("alice", 1) };
        assert_eq!(throttle.begin(elsewhere, now), Err(Seconds::new(1)));
        assert_eq!(throttle.begin(Attempt { known: true, ..elsewhere }, now), Ok(()));
    }

    #[test]
    fn one_address_cannot_guess_at_many_accounts() {
        let throttle = Throttle::default();
        let names: Vec<_> = (0..60).map(|n: u32| n.to_string()).collect();
        assert_eq!(names.iter().filter(|name| throttle.begin(attempt(name, 1), NOW).is_ok()).count(), 50);
        assert!(throttle.begin(attempt("another", 1), NOW).is_err());
        assert_eq!(throttle.begin(attempt("another", 2), NOW), Ok(()));
    }

    #[test]
    fn an_ipv4_address_is_itself_on_a_dual_stack_listener_too() {
        let throttle = Throttle::default();
        let mapped = |last| std::net::Ipv4Addr::new(192, 0, 2, last).to_ipv6_mapped().into();
        guess(&throttle, Attempt { address: mapped(1), ..attempt("alice", 1) }, 60, NOW);
        assert!(throttle.begin(attempt("alice", 1), NOW).is_err());
        assert_eq!(throttle.begin(Attempt { address: mapped(2), ..attempt("alice", 1) }, NOW), Ok(()));
    }

    #[test]
    fn no_guess_at_one_tenant_counts_at_another() {
        let throttle = Throttle::default();
        guess(&throttle, attempt("alice", 1), 5, NOW);
        assert!(throttle.begin(attempt("alice", 1), NOW).is_err());
        let there = Attempt { tenant: &THERE, ..attempt("alice", 1) };
        assert_eq!(throttle.begin(there, NOW), Ok(()));
        throttle.succeeded(there);
        assert!(throttle.begin(attempt("alice", 1), NOW).is_err());
    }

    #[test]
    fn a_right_password_starts_afresh_and_time_forgets() {
        let throttle = Throttle::default();
        guess(&throttle, attempt("alice", 1), 5, NOW);
        throttle.succeeded(attempt("alice", 1));
        assert_eq!(guess(&throttle, attempt("alice", 1), 6, NOW), 5);
        let later = NOW.plus(MEMORY);
        assert_eq!(guess(&throttle, attempt("alice", 1), 6, later), 5);
    }
}
