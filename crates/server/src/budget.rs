//! What strangers may write into the audit log: enough to see an attack, not enough to fill a disk with it.

use grantor_protocol::value::UnixTime;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_budget() {
        let budget = Budget::new(2);
        let spent: Vec<_> = [1, 1, 1, 1, 2].map(|now| budget.spend(UnixTime::new(now))).to_vec();
        assert_eq!(spent, [Spent::Within, Spent::Within, Spent::FirstBeyond, Spent::Beyond, Spent::Within]);
    }
}
