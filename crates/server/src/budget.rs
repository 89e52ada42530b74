//! What strangers may write: into the audit log enough to see an attack, not enough to fill a disk with it; and of clients
//! that register themselves so many from each address.

use grantor_protocol::value::{Seconds, UnixTime};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// So many in each second.
pub(crate) struct Budget {
    most: u32,
    second: Mutex<(UnixTime, u32)>,
}

/// What is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// There was some left.
    Within,
    /// This is the first of this second for which there is nothing left.
    FirstBeyond,
    /// Nothing is left.
    Beyond,
}

impl Budget {
    /// At most so many in each second.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, second: Mutex::new((UnixTime::new(0), 0)) }
    }

    /// Spends one.
    pub(crate) fn spend(&self, now: UnixTime) -> Spent {
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if second.0 != now {
            *second = (now, 0);
        }
        second.1 = second.1.saturating_add(1);
        match second.1.checked_sub(self.most) {
            None | Some(0) => Spent::Within,
            Some(1) => Spent::FirstBeyond,
            Some(_) => Spent::Beyond,
        }
    }
}

/// So many in each hour, from each address.
pub(crate) struct AddressBudget {
    most: u32,
    /// When the hour of each address began, and what it spent since.
    hours: Mutex<HashMap<IpAddr, (UnixTime, u32)>>,
}

const HOUR: Seconds = Seconds::new(3600);
/// So many addresses at once at the most: others must wait until an hour of some is over.
const MOST_ADDRESSES: usize = 100_000;

impl AddressBudget {
    /// At most so many in each hour, from each address.
    pub(crate) fn new(most: u32) -> Self {
        Self { most, hours: Mutex::default() }
    }

    /// Spends one; `false` when nothing is left.
    pub(crate) fn spend(&self, address: IpAddr, now: UnixTime) -> bool {
        // One customer has a whole /64 of IPv6.
        let address = match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        };
        let mut hours = self.hours.lock().unwrap_or_else(PoisonError::into_inner);
        if hours.len() >= MOST_ADDRESSES && !hours.contains_key(&address) {
            hours.retain(|_, (began, _)| now < began.plus(HOUR));
            if hours.len() >= MOST_ADDRESSES {
                return false;
            }
        }
        let hour = hours.entry(address).or_insert((now, 0));
        if now >= hour.0.plus(HOUR) {
            *hour = (now, 0);
        }
        hour.1 = hour.1.saturating_add(1);
        hour.1 <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_budget() {
        let budget = Budget::new(2);
        let spent: Vec<_> = [1, 1, 1, 1, 2].map(|now| budget.spend(UnixTime::new(now))).to_vec();
        let of_addresses = AddressBudget::new(1);
        let spend = |address: &str, now| of_addresses.spend(address.parse().unwrap(), UnixTime::new(now));
        assert!(spend("192.0.2.1", 1) && !spend("192.0.2.1", 3600) && spend("192.0.2.2", 1));
        assert!(!spend("::ffff:192.0.2.2", 2), "one address, however it is written");
        assert!(spend("2001:db8::1", 1) && !spend("2001:db8::2", 1));
        assert!(spend("192.0.2.1", 3601));
        assert_eq!(spent, [Spent::Within, Spent::Within, Spent::FirstBeyond, Spent::Beyond, Spent::Within]);
    }
}
