//! How many connections each address has: one peer must not take the places of all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections by address.
#[derive(Clone)]
pub(crate) struct Guests {
    most: usize,
    present: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One connection's place; given back when dropped.
pub(crate) struct Guest {
    address: IpAddr,
    guests: Guests,
}

impl Guests {
    /// At most so many of one address.
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), present: Arc::default() }
    }

    /// A place, unless the address has all that it may have. A trusted proxy speaks for many and is not counted.
    pub(crate) fn admit(&self, address: IpAddr, trusted: bool) -> Option<Guest> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let count = present.entry(address).or_default();
        if *count >= self.most && !trusted {
            return None;
        }
        *count += 1;
        Some(Guest { address, guests: self.clone() })
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut present = self.guests.present.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = present.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                present.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_take_the_places_of_all() {
        let guests = Guests::new(2);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let held = [guests.admit(one, false), guests.admit(one, false)];
        assert!(held.iter().all(Option::is_some));
        assert!(guests.admit(one, false).is_none());
        assert!(guests.admit(one, true).is_some());
        assert!(guests.admit(other, false).is_some());
        drop(held);
        assert!(guests.admit(one, false).is_some());
        assert!(guests.present.lock().unwrap().is_empty());
    }
}
