//! What waits for the writer: first come, first served, and never more than there is room for. What nobody waits for takes
//! no room from what somebody does.

use super::gone;
use grantor_store::StoreError;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What lies in a [`Queue`].
pub(super) trait Job {
    /// Whether somebody waits until it is done.
    fn is_awaited(&self) -> bool;
}

/// So many times as much that nobody waits for may lie there: when a disk stands still for some seconds, the audit log of
/// these shall not be lost.
const UNAWAITED: usize = 4;

/// A queue of jobs for one thread, which anybody fills.
pub(super) struct Queue<J> {
    room: usize,
    waiting: Mutex<Waiting<J>>,
    ready: Condvar,
}

/// A place in the queue.
#[derive(Clone, Copy)]
pub(super) struct Ticket(u64);

struct Waiting<J> {
    /// None where a job was withdrawn.
    jobs: VecDeque<Option<J>>,
    /// How many of them nobody waits for.
    unawaited: usize,
    /// The ticket of the first of them.
    first: u64,
    /// How many jobs wake the thread; 0 while it is awake.
    wanted: usize,
    closed: bool,
    lost: usize,
}

impl<J> Waiting<J> {
    /// How many somebody waits for. One that was withdrawn keeps its place: else the queue grew as long as a disk stood still.
    fn awaited(&self) -> usize {
        self.jobs.len().saturating_sub(self.unawaited)
    }
}

impl<J: Job> Queue<J> {
    /// With room for so many jobs that somebody waits for.
    pub(super) fn new(room: usize) -> Self {
        let waiting = Waiting { jobs: VecDeque::new(), unawaited: 0, first: 0, wanted: 0, closed: false, lost: 0 };
        Self { room, waiting: Mutex::new(waiting), ready: Condvar::new() }
    }

    /// The last in the queue from now on. Busy when there is no room.
    pub(super) fn push(&self, job: J) -> grantor_store::Result<Ticket> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(gone());
        }
        let is_full = if job.is_awaited() {
            waiting.awaited() >= self.room
        } else {
            waiting.unawaited >= self.room.saturating_mul(UNAWAITED)
        };
        if is_full {
            return Err(StoreError::Busy("too many writes are waiting".to_owned()));
        }
        let ticket = Ticket(waiting.first.wrapping_add(u64::try_from(waiting.jobs.len()).unwrap_or(u64::MAX)));
        waiting.unawaited += usize::from(!job.is_awaited());
        waiting.jobs.push_back(Some(job));
        if waiting.wanted > 0 && waiting.jobs.len() >= waiting.wanted {
            waiting.wanted = 0;
            drop(waiting);
            self.ready.notify_one();
        }
        Ok(ticket)
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Takes a job back that waits among more than `too_many` for which somebody waits. Gives whether it did: one that has
    /// been taken is carried out.
    pub(super) fn withdraw(&self, ticket: Ticket, too_many: usize) -> bool {
        let mut waiting = self.lock();
        if waiting.awaited() <= too_many {
            return false;
        }
        let place = ticket.0.checked_sub(waiting.first).and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| waiting.jobs.get_mut(place)).is_some_and(|job| job.take().is_some())
    }

    /// Moves at most `many` to the end of `to`.
    pub(super) fn take(&self, many: usize, to: &mut Vec<J>) {
        let mut waiting = self.lock();
        let wanted = to.len().saturating_add(many);
        while to.len() < wanted
            && let Some(job) = waiting.jobs.pop_front()
        {
            waiting.first = waiting.first.wrapping_add(1);
            waiting.unawaited -= usize::from(job.as_ref().is_some_and(|job| !job.is_awaited()));
            to.extend(job);
        }
    }

    /// Waits until there is something to do. False when there never will be again.
    pub(super) fn wait(&self) -> bool {
        let mut waiting = self.lock();
        while waiting.jobs.is_empty() && !waiting.closed {
            waiting.wanted = 1;
            waiting = self.ready.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.wanted = 0;
        !waiting.jobs.is_empty()
    }

    /// Waits until there are so many, for as long as another one comes within each `pause`, and no longer than `longest`.
    pub(super) fn linger(&self, many: usize, pause: Duration, longest: Duration) {
        let end = Instant::now() + longest;
        let mut waiting = self.lock();
        while waiting.jobs.len() < many && !waiting.closed {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let before = waiting.jobs.len();
            waiting.wanted = many;
            (waiting, _) = self.ready.wait_timeout(waiting, left.min(pause)).unwrap_or_else(PoisonError::into_inner);
            if waiting.jobs.len() == before {
                break;
            }
        }
        waiting.wanted = 0;
    }

    /// Takes nothing in any more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_one();
    }

    /// Counts events that were not written.
    pub(super) fn lose(&self, events: usize) {
        let mut waiting = self.lock();
        waiting.lost = waiting.lost.saturating_add(events);
    }

    /// How many were lost since this was asked last.
    pub(super) fn lost(&self) -> usize {
        std::mem::take(&mut self.lock().lost)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<J>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);
    /// Whoever waits for so long waits in vain: the test would not end.
    const FOR_EVER: Duration = Duration::from_hours(24);

    impl Job for u8 {
        fn is_awaited(&self) -> bool {
            *self == 0
        }
    }

    #[test]
    fn what_nobody_waits_for_takes_no_room_from_what_somebody_does() {
        let queue = Queue::new(2);
        let pushed: Vec<_> = (0..10).filter(|_| queue.push(1_u8).is_ok()).collect();
        assert_eq!(pushed.len(), 2 * UNAWAITED);
        let first = queue.push(0).unwrap();
        assert!(!queue.withdraw(first, 1), "it is the only one that is waited for");
        assert!(queue.push(0).is_ok() && queue.push(0).is_err());
        assert!(queue.withdraw(first, 1) && queue.push(0).is_err(), "who was withdrawn keeps a place");
        let mut taken = Vec::new();
        queue.take(9, &mut taken);
        assert_eq!(taken, [1, 1, 1, 1, 1, 1, 1, 1, 0]);
        assert!(queue.push(0).is_ok() && queue.push(0).is_ok() && queue.push(0).is_err());
    }

    fn queue() -> Queue<u8> {
        let queue = Queue::new(100);
        queue.push(0).unwrap();
        queue
    }

    #[test]
    fn who_waits_for_others_stops_when_none_comes_within_a_pause() {
        let queue = queue();
        queue.linger(3, MOMENT, FOR_EVER);
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn who_waits_for_others_stops_when_the_time_is_over() {
        queue().linger(3, FOR_EVER, MOMENT);
    }

    #[test]
    fn who_waits_for_others_stops_when_they_are_there() {
        let queue = queue();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                queue.push(0).unwrap();
                queue.push(0).unwrap();
            });
            queue.linger(3, FOR_EVER, FOR_EVER);
        });
        assert_eq!(queue.len(), 3);
    }
}
