//! The line in which requests wait for the processor. It stands before anything is read of them: a connection of which
//! there is something to read is called when fewer than a batch of others have been called and are not there yet, so that
//! the runtime's own lines, which know no order but their own, are always short. Who is next, and who is refused,
//! [`Order`] decides.

use super::order::{End, Order, Sight};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// So many for each thread may have been called and not be there yet.
const BATCH: usize = 64;
/// A line for each thread that is no longer than this is none too long, whatever a request costs: with those who have
/// been called it is twice what is called normal load.
const BEARABLE: usize = 64;

/// What is said to one whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// To be served.
    Admit,
    /// More than can be served.
    Refuse,
}

/// Those who wait.
#[derive(Debug)]
pub(crate) struct Line {
    threads: AtomicUsize,
    /// How many have been called and are not there yet.
    called: AtomicUsize,
    /// The length of the queue.
    waiting: AtomicUsize,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    order: Order,
    tickets: VecDeque<(Instant, Arc<Ticket>)>,
}

/// A place in the line, for a connection that comes again and again, or for one request.
#[derive(Debug)]
pub(crate) struct Ticket {
    line: Arc<Line>,
    state: AtomicU8,
    /// With what it was called when it arrived last. Of its task alone.
    verdict: AtomicU8,
    task: OnceLock<Waker>,
}

/// Whoever has a ticket; without it, the ticket is void.
#[derive(Debug)]
pub(crate) struct Holder(Arc<Ticket>);

const AWAY: u8 = 0;
const WAITING: u8 = 1;
const ADMITTED: u8 = 2;
const REFUSED: u8 = 3;
const VOID: u8 = 4;

impl Line {
    /// Nobody waits.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            threads: AtomicUsize::new(1),
            called: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            queue: Mutex::default(),
        })
    }

    /// How many threads serve those who are called.
    pub(super) fn serve_with(&self, threads: usize) {
        self.threads.store(threads, Ordering::Relaxed);
    }

    /// A ticket for whoever comes to this line.
    pub(crate) fn ticket(self: &Arc<Self>) -> Holder {
        Holder(Arc::new(Ticket {
            line: Arc::clone(self),
            state: AtomicU8::new(AWAY),
            verdict: AtomicU8::new(AWAY),
            task: OnceLock::new(),
        }))
    }

    /// Waits in line once.
    pub(crate) async fn wait(self: &Arc<Self>) -> Verdict {
        let holder = self.ticket();
        holder.ticket().turn().await;
        holder.ticket().verdict().unwrap_or(Verdict::Admit)
    }

    /// Whether nobody waits, nor has been called and is not there yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) == 0 && self.called.load(Ordering::SeqCst) == 0
    }

    /// How long the first has waited.
    pub(crate) fn age(&self) -> Duration {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.tickets.front().map_or(Duration::ZERO, |(since, _)| since.elapsed())
    }

    /// Calls as many as there is room for. Whoever makes room calls this, and whoever joins the line: each looks at the
    /// other's number after it has changed its own, so that one of the two sees both.
    pub(super) fn call(&self) {
        while self.waiting.load(Ordering::SeqCst) > 0 && self.make_room() {
            match self.next() {
                Some((ticket, verdict)) if ticket.goes(WAITING, verdict.state()) => ticket.wake(),
                _ => self.leave(),
            }
        }
    }

    fn next(&self) -> Option<(Arc<Ticket>, Verdict)> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Queue { order, tickets } = &mut *queue;
        // Nobody else judges by the time of one who is gone.
        while tickets.front().is_some_and(|(_, ticket)| ticket.is_void()) {
            tickets.pop_front();
        }
        while tickets.back().is_some_and(|(_, ticket)| ticket.is_void()) {
            tickets.pop_back();
        }
        self.waiting.store(tickets.len(), Ordering::SeqCst);
        let threads = self.threads.load(Ordering::Relaxed);
        let sight = Sight {
            waiting: tickets.len(),
            bearable: BEARABLE.saturating_mul(threads),
            batch: BATCH.saturating_mul(threads),
            first: tickets.front()?.0,
            last: tickets.back()?.0,
        };
        let (end, verdict) = order.next(&sight, Instant::now());
        let (_, ticket) = match end {
            End::First => tickets.pop_front(),
            End::Last => tickets.pop_back(),
        }?;
        self.waiting.store(tickets.len(), Ordering::SeqCst);
        Some((ticket, verdict))
    }

    /// Room for one more who is called, if there is any.
    fn make_room(&self) -> bool {
        let most = BATCH.saturating_mul(self.threads.load(Ordering::Relaxed));
        let more = |called| (called < most).then_some(called + 1);
        self.called.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    fn leave(&self) {
        self.called.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Ticket {
    /// Comes to the line: called at once, or as soon as it is its turn. Nothing happens to whoever waits already.
    pub(crate) fn come(self: &Arc<Self>) {
        let line = &self.line;
        if line.waiting.load(Ordering::SeqCst) == 0 && line.make_room() {
            if self.goes(AWAY, ADMITTED) {
                self.wake();
            } else {
                line.leave();
                line.call();
            }
            return;
        }
        if self.goes(AWAY, WAITING) {
            let mut queue = line.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.tickets.push_back((Instant::now(), Arc::clone(self)));
            line.waiting.store(queue.tickets.len(), Ordering::SeqCst);
            drop(queue);
            line.call();
        }
    }

    /// Whoever was called is there: the next may be called.
    pub(crate) fn arrive(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        let is_there = is_called(state) && self.goes(state, AWAY);
        if is_there {
            self.verdict.store(state, Ordering::Relaxed);
            self.line.leave();
            self.line.call();
        }
        is_there
    }

    /// Comes, and waits until it is called.
    pub(crate) async fn turn(self: &Arc<Self>) {
        let mut has_come = false;
        poll_fn(|cx| {
            if !self.is_held_by(cx) {
                return Poll::Ready(());
            }
            if !has_come {
                has_come = true;
                self.come();
            } else if self.arrive() {
                return Poll::Ready(());
            }
            Poll::Pending
        })
        .await;
    }

    /// What was said to it, once.
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        match self.verdict.swap(AWAY, Ordering::Relaxed) {
            ADMITTED => Some(Verdict::Admit),
            REFUSED => Some(Verdict::Refuse),
            _ => None,
        }
    }

    /// Whether the task that asks is the one that is woken when it is its turn: the first that ever asked. Any other would
    /// wait for nothing.
    pub(crate) fn is_held_by(&self, cx: &Context<'_>) -> bool {
        self.task.get_or_init(|| cx.waker().clone()).will_wake(cx.waker())
    }

    /// Wakes its holder without waiting in line.
    pub(crate) fn wake(&self) {
        if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }

    fn is_void(&self) -> bool {
        self.state.load(Ordering::Relaxed) == VOID
    }

    fn goes(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

impl Verdict {
    /// Of one who is called with it.
    const fn state(self) -> u8 {
        match self {
            Self::Admit => ADMITTED,
            Self::Refuse => REFUSED,
        }
    }
}

const fn is_called(state: u8) -> bool {
    matches!(state, ADMITTED | REFUSED)
}

impl Holder {
    /// Its ticket.
    pub(crate) fn ticket(&self) -> &Arc<Ticket> {
        &self.0
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if is_called(self.0.state.swap(VOID, Ordering::SeqCst)) {
            self.0.line.leave();
            self.0.line.call();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::atomic::AtomicBool;
    use std::task::Wake;

    /// Whether somebody was woken.
    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }

    impl Woken {
        fn take(&self) -> bool {
            self.0.swap(false, Ordering::SeqCst)
        }
    }

    /// Somebody with a ticket, and whether they were called.
    fn guest(line: &Arc<Line>) -> (Holder, Arc<Woken>) {
        let (holder, woken) = (line.ticket(), Arc::<Woken>::default());
        assert!(holder.ticket().is_held_by(&Context::from_waker(&Waker::from(Arc::clone(&woken)))));
        (holder, woken)
    }

    fn state((holder, _): &(Holder, Arc<Woken>)) -> u8 {
        holder.ticket().state.load(Ordering::SeqCst)
    }

    fn all_come(guests: &[(Holder, Arc<Woken>)]) {
        for (holder, _) in guests {
            holder.ticket().come();
        }
    }

    #[test]
    fn a_batch_is_called_at_once_and_each_who_arrives_or_goes_calls_the_next_in_the_order_in_which_they_came() {
        let line = Line::new();
        let mut guests: Vec<_> = (0..BATCH + 3).map(|_| guest(&line)).collect();
        all_come(&guests);
        all_come(&guests);
        let called = |guests: &[(Holder, Arc<Woken>)]| guests.iter().filter(|(_, woken)| woken.take()).count();
        assert_eq!((called(&guests[..BATCH]), called(&guests[BATCH..])), (BATCH, 0));
        assert!(guests[0].0.ticket().arrive() && !guests[0].0.ticket().arrive());
        assert_eq!(guests[0].0.ticket().verdict(), Some(Verdict::Admit));
        assert_eq!(guests[0].0.ticket().verdict(), None, "once");
        assert!(guests[BATCH].1.take(), "the first of the line");
        drop(guests.remove(BATCH + 1));
        drop(guests.remove(1));
        assert!(guests[BATCH].1.take(), "who was called is gone, and so is the next of the line");
        assert_eq!((line.called.load(Ordering::SeqCst), line.waiting.load(Ordering::SeqCst)), (BATCH, 0));
        for (holder, _) in &guests {
            holder.ticket().arrive();
        }
        assert_eq!(line.called.load(Ordering::SeqCst), 0, "room for all");
    }

    /// It is read when it is there: what runs in between, for whatever reason, must not take it for another's.
    #[test]
    fn who_was_called_and_is_not_there_has_no_verdict_yet() {
        let line = Line::new();
        let (holder, _) = guest(&line);
        holder.ticket().come();
        assert_eq!(holder.ticket().verdict(), None);
        assert!(holder.ticket().arrive());
        assert_eq!(holder.ticket().verdict(), Some(Verdict::Admit));
    }

    #[test]
    fn who_is_gone_is_not_counted_as_waiting() {
        let line = Line::new();
        let mut guests: Vec<_> = (0..BATCH + 9).map(|_| guest(&line)).collect();
        all_come(&guests);
        let waiting = || line.waiting.load(Ordering::SeqCst);
        assert_eq!(waiting(), 9);
        guests.truncate(BATCH + 6);
        guests.drain(BATCH..BATCH + 3);
        guests[0].0.ticket().arrive();
        assert!(guests[BATCH].1.take());
        assert_eq!(waiting(), 2);
        guests.truncate(BATCH);
        guests[1].0.ticket().arrive();
        assert_eq!((waiting(), line.called.load(Ordering::SeqCst)), (0, BATCH - 2));
    }

    #[test]
    fn there_is_a_batch_for_each_thread() {
        let line = Line::new();
        line.serve_with(2);
        let guests: Vec<_> = (0..BATCH * 3).map(|_| guest(&line)).collect();
        all_come(&guests);
        assert_eq!(guests.iter().filter(|(_, woken)| woken.take()).count(), BATCH * 2);
    }

    #[test]
    fn in_a_line_that_stays_long_the_last_is_served_and_the_first_refused() {
        let line = Line::new();
        let guests: Vec<_> = (0..BATCH + BEARABLE + 40).map(|_| guest(&line)).collect();
        all_come(&guests);
        let age = |by: Duration| {
            let mut queue = line.queue.lock().unwrap();
            for (since, _) in &mut queue.tickets {
                *since = since.checked_sub(by).unwrap();
            }
            queue.order = Order::long_since(Instant::now().checked_sub(by).unwrap());
        };
        // All came together and have not waited for long.
        age(Duration::from_millis(10));
        let (holder, _) = &guests[0];
        holder.ticket().arrive();
        assert_eq!(state(&guests[BATCH]), ADMITTED, "a burst");
        age(Duration::from_millis(150));
        guests[1].0.ticket().arrive();
        assert_eq!(state(&guests[BATCH + 1]), REFUSED);
        assert!(guests[BATCH + 1].0.ticket().arrive());
        assert_eq!(guests[BATCH + 1].0.ticket().verdict(), Some(Verdict::Refuse));
        let last = guest(&line);
        last.0.ticket().come();
        let served = (2..40).find(|n| {
            guests[*n].0.ticket().arrive();
            last.1.take()
        });
        // It is the last of the line that is served, as soon as anybody is, and it did not wait for those before.
        assert!(served.is_some() && state(&last) == ADMITTED, "{served:?}");
        assert!(line.waiting.load(Ordering::SeqCst) > 30);
    }

    #[tokio::test]
    async fn a_request_waits_for_its_turn_and_one_that_is_given_up_makes_room() {
        let line = Line::new();
        assert_eq!(line.wait().await, Verdict::Admit);
        assert_eq!(line.called.load(Ordering::SeqCst), 0);
        let held: Vec<_> = (0..BATCH).map(|_| guest(&line)).collect();
        all_come(&held);
        let mut given_up = Box::pin(line.wait());
        let mut waits = pin!(line.wait());
        assert!(poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx))).await.is_pending());
        assert!(poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await.is_pending());
        assert!(line.age() > Duration::ZERO);
        drop(given_up);
        drop(held);
        assert_eq!(waits.await, Verdict::Admit);
        let numbers = [&line.called, &line.waiting].map(|number| number.load(Ordering::SeqCst));
        assert_eq!((numbers, line.age()), ([0, 0], Duration::ZERO));
    }

    #[test]
    fn of_many_threads_that_come_and_arrive_nobody_is_forgotten() {
        let line = Line::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let guests: Vec<_> = (0..BATCH).map(|_| guest(&line)).collect();
                    for _ in 0..200 {
                        all_come(&guests);
                        let mut left = guests.len();
                        while left > 0 {
                            left -= guests.iter().filter(|(holder, _)| holder.ticket().arrive()).count();
                            std::thread::yield_now();
                        }
                    }
                });
            }
        });
        let numbers = [&line.called, &line.waiting].map(|number| number.load(Ordering::SeqCst));
        assert_eq!(numbers, [0, 0]);
    }
}
