//! Bodies that are under way: whoever sends one slowly takes nothing but memory, and of that no more than a share.

use crate::guests::{Guest, Guests};
use crate::overload::{Aside, Excess, Gate};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many at the most: with the longest body that is read, they hold 256 MiB.
const MOST: usize = 4096;
/// Of what one address may have in connections, this part may be bodies under way, however many streams are in each.
const PART_OF_CONNECTIONS: usize = 20;

/// The places for them.
pub(crate) struct UnderWay {
    gate: Arc<Gate>,
    places: Arc<Semaphore>,
    guests: Guests,
}

/// One body's place; given back when dropped.
pub(crate) struct Place {
    aside: Aside,
    _guest: Guest,
    _permit: OwnedSemaphorePermit,
}

impl UnderWay {
    /// Of a server that takes so many connections.
    pub(crate) fn new(gate: Arc<Gate>, connections: usize) -> Self {
        let guests = Guests::new((connections / PART_OF_CONNECTIONS).min(MOST / 8));
        Self { gate, places: Arc::new(Semaphore::new(MOST)), guests }
    }

    /// For the body of an admitted request that has not come with its header. Until it has come, the request is not one
    /// that waits for this server.
    pub(crate) fn begin(&self, address: IpAddr, trusted: bool) -> Result<Place, Excess> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok();
        let Some((place, guest)) = place.and_then(|place| Some((place, self.guests.admit(address, trusted)?))) else {
            return Err(self.gate.turn_away(Excess::Bodies));
        };
        Ok(Place { aside: self.gate.aside(), _guest: guest, _permit: place })
    }
}

impl Place {
    /// The body has come: now the request is served, if there is no more in flight than can be.
    pub(crate) fn arrived(self) -> Result<(), Excess> {
        self.aside.back()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::overload::Verdict;

    #[test]
    fn one_address_has_a_share_of_the_bodies_and_none_counts_as_in_flight() {
        let gate = Gate::new();
        let bodies = UnderWay::new(Arc::clone(&gate), 2 * PART_OF_CONNECTIONS);
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let _passes = [(); 4].map(|()| gate.admit(Verdict::Admit).unwrap());
        let held = [bodies.begin(one, false).ok().unwrap(), bodies.begin(one, false).ok().unwrap()];
        assert_eq!(gate.in_flight(), 2);
        assert_eq!(bodies.begin(one, false).err(), Some(Excess::Bodies));
        assert!(bodies.begin(one, true).is_ok() && bodies.begin(other, false).is_ok());
        assert!(held.into_iter().all(|place| place.arrived().is_ok()));
        assert_eq!((gate.in_flight(), gate.refused(Excess::Bodies)), (4, 1));
        assert!(bodies.begin(one, false).is_ok(), "its places were given back");
    }

    #[test]
    fn all_addresses_together_have_no_more_than_there_is_memory_for() {
        let gate = Gate::new();
        let bodies = UnderWay::new(Arc::clone(&gate), usize::MAX);
        let address = |n: usize| IpAddr::from(u32::try_from(n).unwrap().to_be_bytes());
        let passes: Vec<_> = (0..=MOST).map(|_| gate.admit(Verdict::Admit).unwrap()).collect();
        let held: Vec<_> = (0..MOST).map(|n| bodies.begin(address(n), false).ok().unwrap()).collect();
        assert_eq!(bodies.begin(address(MOST), false).err(), Some(Excess::Bodies));
        drop((held, passes));
        assert_eq!(gate.in_flight(), 0);
    }
}
