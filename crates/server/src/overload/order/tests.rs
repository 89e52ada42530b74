//! The order against a model of a server: what comes, what it costs, who waits.

use super::*;
use std::collections::VecDeque;

/// A thread that serves those who are called in turn, a batch at a time: each costs `cost`, or `refusal` when it is
/// refused.
struct Server {
    order: Order,
    cost: f64,
    refusal: f64,
    begun: Instant,
    now: f64,
    next_arrival: f64,
    waiting: VecDeque<f64>,
    called: VecDeque<(f64, Verdict)>,
}

/// What was seen of some time.
#[derive(Default)]
struct Seen {
    admitted: Vec<f64>,
    refused: Vec<f64>,
}

const BATCH: usize = 64;

impl Seen {
    /// The wait that one in so many exceeds.
    fn tail(waits: &[f64], one_in: usize) -> f64 {
        let mut waits = waits.to_vec();
        waits.sort_by(f64::total_cmp);
        waits.get(waits.len() - waits.len() / one_in - 1).copied().unwrap_or_default()
    }
}

impl Server {
    fn new(cost: f64, refusal: f64) -> Self {
        let begun = Instant::now();
        let (waiting, called) = (VecDeque::new(), VecDeque::new());
        Self { order: Order::default(), cost, refusal, begun, now: 0.0, next_arrival: 0.0, waiting, called }
    }

    fn at(&self, seconds: f64) -> Instant {
        self.begun + Duration::from_secs_f64(seconds)
    }

    /// Goes on for some seconds, at so many requests a second.
    fn run(&mut self, per_second: f64, seconds: f64) -> Seen {
        let mut seen = Seen::default();
        let end = self.now + seconds;
        self.next_arrival = self.next_arrival.max(self.now);
        while self.now < end {
            while self.next_arrival <= self.now {
                self.waiting.push_back(self.next_arrival);
                self.next_arrival += 1.0 / per_second;
            }
            self.call();
            match self.called.pop_front() {
                Some((arrived, Verdict::Admit)) => {
                    self.now += self.cost;
                    seen.admitted.push(self.now - arrived);
                }
                Some((arrived, Verdict::Refuse)) => {
                    self.now += self.refusal;
                    seen.refused.push(self.now - arrived);
                }
                None => self.now = self.next_arrival,
            }
        }
        seen
    }

    fn call(&mut self) {
        while self.called.len() < BATCH {
            let (Some(first), Some(last)) = (self.waiting.front(), self.waiting.back()) else { return };
            let (first, last) = (self.at(*first), self.at(*last));
            let sight = Sight { waiting: self.waiting.len(), bearable: BATCH, batch: BATCH, first, last };
            let (end, verdict) = self.order.next(&sight, self.at(self.now));
            let next = match end {
                End::First => self.waiting.pop_front(),
                End::Last => self.waiting.pop_back(),
            };
            self.called.extend(next.map(|arrived| (arrived, verdict)));
        }
    }
}

#[test]
fn at_three_times_capacity_the_excess_is_refused_soon_and_the_rest_waits_for_less_than_a_full_house_would() {
    for (cost, refusal) in [(0.001, 0.000_05), (0.000_3, 0.000_03), (0.000_1, 0.000_02), (0.000_05, 0.000_015)] {
        let capacity = 1.0 / cost;
        let mut server = Server::new(cost, refusal);
        let calm = server.run(0.5 * capacity, 5.0);
        assert!(calm.refused.is_empty(), "half of capacity is no overload");
        let onset = server.run(3.0 * capacity, 1.0);
        assert!(Seen::tail(&onset.admitted, 1_000) < 0.25, "at first, at {cost}");
        let seen = server.run(3.0 * capacity, 10.0);
        // Sixty-four that wait for their answers in turn wait for 64 times what one costs: that is the normal day.
        let normal = 64.0 * cost;
        let (admitted, refused) = (Seen::tail(&seen.admitted, 100), Seen::tail(&seen.refused, 100));
        assert!(admitted <= 1.5 * normal, "{admitted} s at {cost}");
        assert!(refused < 0.1, "{refused} s at {cost}");
        // Nine tenths of what can be served beside the refusals is.
        let possible = (1.0 - 3.0 * capacity * refusal) / (cost - refusal);
        let served = f64::from(u32::try_from(seen.admitted.len()).unwrap()) / 10.0;
        assert!(served > possible * 0.9, "{served} of {possible} at {cost}");
        server.run(0.5 * capacity, 1.0);
        let calm = server.run(0.5 * capacity, 1.0);
        assert!(calm.refused.is_empty(), "normal again after a second");
    }
}

/// A line of so many, of whom the first has waited for `first` milliseconds and the last for `last`.
fn sight(waiting: usize, now: Instant, first: u64, last: u64) -> Sight {
    let since = |millis| now.checked_sub(Duration::from_millis(millis)).unwrap();
    Sight { waiting, bearable: BATCH, batch: BATCH, first: since(first), last: since(last) }
}

const SERVED: (End, Verdict) = (End::First, Verdict::Admit);

#[test]
fn neither_a_burst_nor_a_short_line_nor_a_machine_that_stood_still_is_too_much() {
    let begun = Instant::now() + Duration::from_secs(10);
    let at = |millis| begun + Duration::from_millis(millis);
    let mut order = Order::default();
    // Ninety milliseconds, then it is short for a moment, then again.
    for millis in (0..90).chain(200..290) {
        assert_eq!(order.next(&sight(5_000, at(millis), millis.min(90), 0), at(millis)), SERVED, "{millis}");
        if millis == 89 {
            assert_eq!(order.next(&sight(BATCH, at(90), 90, 0), at(90)), SERVED);
        }
    }
    // Few wait, however long: refusing would help nobody.
    let mut order = Order::default();
    assert!((0..1_000).all(|millis| order.next(&sight(BATCH, at(millis), 5_000, 3_000), at(millis)) == SERVED));
    // Three seconds in which nobody was called.
    assert_eq!(order.next(&sight(5_000, at(4_000), 3_000, 0), at(4_000)), SERVED);
}

#[test]
fn the_longer_the_first_has_waited_the_more_are_refused() {
    let begun = Instant::now() + Duration::from_secs(10);
    let share = |waited: u64| {
        let mut order = Order::long_since(begun);
        let at = |n: u64| begun + PATIENCE + Duration::from_micros(n);
        let next = |n| order.next(&sight(1_000, at(n), waited, 1), at(n));
        let all: Vec<_> = (0..1_000).map(next).collect();
        assert!(all.iter().all(|next| matches!(next, (End::First, Verdict::Refuse) | (End::Last, Verdict::Admit))));
        all.iter().filter(|(_, verdict)| *verdict == Verdict::Refuse).count()
    };
    assert!(share(13).abs_diff(200) <= 1 && share(39).abs_diff(600) <= 1, "{} {}", share(13), share(39));
    assert!([75, 500].iter().all(|waited| share(*waited).abs_diff(980) <= 1), "something is always served");
}

#[test]
fn when_the_flood_is_over_those_who_have_waited_for_more_than_two_rounds_are_refused() {
    // A hundred microseconds each: a round takes 6.4 ms.
    let served = |waited| {
        let begun = Instant::now() + Duration::from_secs(10);
        let mut order = Order::long_since(begun);
        let at = |n: u64| begun + PATIENCE + Duration::from_micros(100 * n);
        (0..1_000)
            .map(|n| order.next(&sight(1_000, at(n), 30, waited), at(n)))
            .filter(|next| next.0 == End::Last)
            .count()
    };
    assert!(served(12) > 400 && served(14) == 0, "{} {}", served(12), served(14));
}
