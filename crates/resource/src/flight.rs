//! One question at a time about one token, however many wait for the answer.

use grantor_jose::names::Name;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// The questions that are under way.
pub(crate) struct Flights<T>(Mutex<HashMap<Name, Arc<OnceCell<T>>>>);

impl<T: Clone> Flights<T> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// The answer of the question that is under way, or of `ask`. Should the one who asks give up, the next who waits asks.
    pub(crate) async fn join<F: Future<Output = T>>(&self, name: Name, ask: impl FnOnce() -> F) -> T {
        let cell = Arc::clone(self.flights().entry(name).or_default());
        let seat = Seat { flights: self, name, cell };
        seat.cell.get_or_init(ask).await.clone()
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<Name, Arc<OnceCell<T>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who waits.
struct Seat<'a, T: Clone> {
    flights: &'a Flights<T>,
    name: Name,
    cell: Arc<OnceCell<T>>,
}

impl<T: Clone> Drop for Seat<'_, T> {
    /// Whoever comes after an answer asks anew; the last one who leaves without an answer takes the place with him.
    fn drop(&mut self) {
        let mut flights = self.flights.flights();
        let ours = flights.get(&self.name).is_some_and(|cell| Arc::ptr_eq(cell, &self.cell));
        // The map has one, and this seat another.
        if ours && (self.cell.initialized() || Arc::strong_count(&self.cell) <= 2) {
            flights.remove(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::names::Names;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Semaphore;

    fn name() -> Name {
        Names::new(&[1; 32]).of("token")
    }

    #[tokio::test]
    async fn many_wait_for_one_answer_and_the_next_asks_anew() {
        let (flights, asked, gate) = (Flights::new(), AtomicUsize::new(0), Semaphore::new(0));
        let ask = || async {
            let nth = asked.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            nth
        };
        let open = async {
            tokio::task::yield_now().await;
            gate.add_permits(1);
        };
        let (one, two, three, ()) =
            tokio::join!(flights.join(name(), ask), flights.join(name(), ask), flights.join(name(), ask), open);
        assert_eq!((one, two, three), (0, 0, 0));
        gate.add_permits(1);
        assert_eq!(flights.join(name(), ask).await, 1);
        assert!(flights.flights().is_empty());
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_question_to_the_next() {
        let flights = Flights::new();
        let mut first = Box::pin(flights.join(name(), std::future::pending::<u8>));
        let polled = std::future::poll_fn(|context| std::task::Poll::Ready(first.as_mut().poll(context).is_pending()));
        assert!(polled.await);
        let second = flights.join(name(), || async { 2 });
        let (two, ()) = tokio::join!(second, async { drop(first) });
        assert_eq!(two, 2);
        assert!(flights.flights().is_empty());
    }

    #[test]
    fn who_leaves_late_takes_no_other_question_with_him() {
        let flights = Flights::<u8>::new();
        let seat = || {
            let cell = Arc::clone(flights.flights().entry(name()).or_default());
            Seat { flights: &flights, name: name(), cell }
        };
        let (one, late) = (seat(), seat());
        one.cell.set(1).unwrap();
        drop(one);
        assert!(flights.flights().is_empty());
        let other = seat();
        drop(late);
        assert_eq!(flights.flights().len(), 1);
        drop(other);
        assert!(flights.flights().is_empty());
    }
}
