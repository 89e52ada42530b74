//! The rule against a model of a server: what comes, what it costs, who waits.

use super::*;
use std::collections::VecDeque;

/// One thread that looks at requests one after another, in the order in which they came: each costs `cost`, or `refusal`
/// when it is refused. The look at the runtime waits in the same line.
struct Processor {
    rule: Rule,
    verdict: Verdict,
    cost: f64,
    refusal: f64,
    now: f64,
    next_arrival: f64,
    line: VecDeque<Option<f64>>,
    looked: f64,
    look_due: Option<f64>,
    came: u64,
    came_overdue: u64,
    share: f64,
}

/// What was seen of some time.
#[derive(Default)]
struct Seen {
    admitted: Vec<f64>,
    refused: Vec<f64>,
}

impl Seen {
    fn worst(waits: &[f64]) -> f64 {
        waits.iter().copied().fold(0.0, f64::max)
    }
}

impl Processor {
    fn new(cost: f64, refusal: f64) -> Self {
        Self {
            rule: Rule::default(),
            verdict: Verdict::open(),
            cost,
            refusal,
            now: 0.0,
            next_arrival: 0.0,
            line: VecDeque::new(),
            looked: 0.0,
            look_due: Some(0.01),
            came: 0,
            came_overdue: 0,
            share: 0.0,
        }
    }

    /// Goes on for some seconds, at so many requests a second.
    fn run(&mut self, per_second: f64, seconds: f64) -> Seen {
        let mut seen = Seen::default();
        let end = self.now + seconds;
        self.next_arrival = self.next_arrival.max(self.now);
        while self.now < end {
            while self.next_arrival <= self.now {
                self.line.push_back(Some(self.next_arrival));
                self.next_arrival += 1.0 / per_second;
            }
            if self.look_due.is_some_and(|due| due <= self.now) {
                self.look_due = None;
                self.line.push_back(None);
            }
            match self.line.pop_front() {
                Some(Some(arrived)) => self.answer(arrived, &mut seen),
                Some(None) => self.look(),
                None => self.now = self.next_arrival.min(self.look_due.unwrap_or(f64::INFINITY)),
            }
        }
        seen
    }

    fn answer(&mut self, arrived: f64, seen: &mut Seen) {
        self.came += 1;
        self.share += f64::from(self.verdict.refuse) / f64::from(u32::MAX);
        let overdue = Duration::from_secs_f64((self.now - self.looked - 0.01).max(0.0));
        self.came_overdue += u64::from(!overdue.is_zero());
        let (waits, costs) = if self.share >= 1.0 || is_stuck(self.came_overdue, overdue, 1) {
            self.share = (self.share - 1.0).max(0.0);
            (&mut seen.refused, self.refusal)
        } else {
            (&mut seen.admitted, self.cost)
        };
        self.now += costs;
        waits.push(self.now - arrived);
    }

    fn look(&mut self) {
        let elapsed = self.now - self.looked;
        self.verdict = self.rule.next(&Sample {
            elapsed: Duration::from_secs_f64(elapsed),
            late: Duration::from_secs_f64((elapsed - 0.01).max(0.0)),
            queued: 0,
            came: self.came,
            completed: self.came,
            in_flight: 1,
            workers: 1,
        });
        self.came = 0;
        self.came_overdue = 0;
        self.looked = self.now;
        self.look_due = Some(self.now + 0.01);
    }
}

#[test]
fn at_three_times_capacity_the_excess_is_refused_soon_and_the_rest_waits_no_longer_than_a_full_house() {
    for (cost, refusal) in [(0.001, 0.000_05), (0.000_3, 0.000_03), (0.000_1, 0.000_02)] {
        let capacity = 1.0 / cost;
        let mut server = Processor::new(cost, refusal);
        let calm = server.run(0.5 * capacity, 5.0);
        assert!(calm.refused.is_empty(), "half of capacity is no overload");
        let onset = server.run(3.0 * capacity, 1.0);
        assert!(Seen::worst(&onset.admitted) < 0.25, "{} s at first, at {cost}", Seen::worst(&onset.admitted));
        let seen = server.run(3.0 * capacity, 10.0);
        // Sixty-four that wait for their answers in turn wait for 64 times what one costs: that is the normal day.
        let normal = 64.0 * cost;
        let worst = Seen::worst(&seen.admitted);
        assert!(worst < (3.0 * normal).max(0.01), "{worst} s at {cost}");
        assert!(Seen::worst(&seen.refused) < 0.1, "{} s at {cost}", Seen::worst(&seen.refused));
        // Nine tenths of what can be served beside the refusals is.
        let possible = (1.0 - 3.0 * capacity * refusal) / (cost - refusal);
        let served = f64::from(u32::try_from(seen.admitted.len()).unwrap()) / 10.0;
        assert!(served > possible * 0.9, "{served} of {possible} at {cost}");
        server.run(0.5 * capacity, 1.0);
        let calm = server.run(0.5 * capacity, 1.0);
        assert!(calm.refused.is_empty(), "normal again after a second");
    }
}

#[test]
fn a_house_of_64_is_never_refused_whatever_its_requests_cost() {
    // Clients that wait for their answers: the line is 64 long, and its wait is what 64 requests cost.
    let mut rule = Rule::default();
    for cost in [0.000_05, 0.000_9, 0.000_1, 0.000_5] {
        for _ in 0..500 {
            let late = 64.0 * cost;
            let elapsed = 0.01 + late;
            let done = u64::from(whole(elapsed / cost));
            let verdict = rule.next(&Sample {
                elapsed: Duration::from_secs_f64(elapsed),
                late: Duration::from_secs_f64(late),
                queued: 0,
                came: done,
                completed: done,
                in_flight: 1,
                workers: 1,
            });
            assert_eq!(verdict.refuse, 0, "{cost}");
        }
    }
}

fn quiet(late_ms: u64, came: u64) -> Sample {
    let elapsed = Duration::from_millis(10 + late_ms);
    Sample { elapsed, late: Duration::from_millis(late_ms), queued: 0, came, completed: came, in_flight: 1, workers: 1 }
}

#[test]
fn neither_a_burst_nor_a_busy_neighbour_is_an_overload() {
    let mut rule = Rule::default();
    // Eighty milliseconds, then it is over.
    for _ in 0..2 {
        assert_eq!(rule.next(&quiet(30, 1000)).refuse, 0);
    }
    rule.next(&quiet(0, 100));
    // The machine stood still: one look, whatever came meanwhile.
    assert_eq!(rule.next(&quiet(3_000, 5_000)).refuse, 0);
    rule.next(&quiet(0, 100));
    // Late for minutes, and hardly anybody asks: refusing would help nobody.
    let mut idle = Rule::default();
    for _ in 0..30 {
        assert_eq!(idle.next(&quiet(200, 2)).refuse, 0);
    }
    assert!(!is_stuck(100, Duration::from_secs(3), 1), "it stood still, and hardly anybody came");
    assert!(!is_stuck(200, Duration::from_millis(10), 1) && !is_stuck(200, Duration::from_secs(3), 2));
    assert!(is_stuck(200, Duration::from_millis(50), 1));
}

#[test]
fn a_line_that_the_look_does_not_wait_in_counts_too() {
    let mut rule = Rule::default();
    let after =
        |rule: &mut Rule, queued| (0..30).map(|_| rule.next(&Sample { queued, ..quiet(0, 100) }).refuse).max().unwrap();
    assert_eq!(after(&mut rule, 128), 0, "a full house");
    assert!(after(&mut rule, 1000) > u32::MAX / 4);
    assert_eq!(Rule::default().next(&Sample { queued: 1000, ..quiet(0, 1000) }).refuse, 0, "a burst");
}

fn waiting(in_flight: u32, completed: u64) -> Sample {
    let elapsed = Duration::from_millis(10);
    Sample { elapsed, late: Duration::ZERO, queued: 0, came: completed, completed, in_flight, workers: 1 }
}

#[test]
fn a_store_that_hangs_lets_in_the_least_and_one_that_is_back_lets_in_all() {
    let mut rule = Rule::default();
    for _ in 0..100 {
        assert_eq!(rule.next(&waiting(64, 100)), Verdict::open());
    }
    let mut verdict = Verdict::open();
    for look in 1..=20 {
        verdict = rule.next(&waiting((64 + look * 100).min(verdict.limit), 0));
    }
    assert_eq!(verdict.limit, LEAST_IN_FLIGHT);
    for _ in 0..600 {
        verdict = rule.next(&waiting(64, 100));
    }
    assert_eq!(verdict, Verdict::open());
}

#[test]
fn a_slow_store_answers_those_who_are_let_in_within_three_times_a_quiet_day() {
    // Ten thousand a second, whoever waits; on a quiet day each takes 6.4 ms.
    let mut rule = Rule::default();
    for _ in 0..100 {
        rule.next(&waiting(64, 100));
    }
    let mut verdict = Verdict::open();
    for _ in 0..100 {
        verdict = rule.next(&waiting(verdict.limit.min(2_000), 100));
    }
    assert!(f64::from(verdict.limit) / 10_000.0 <= 0.0064 * 3.0 + 0.001, "{verdict:?}");
    assert!(verdict.limit >= LEAST_IN_FLIGHT);
}

#[test]
fn a_far_store_is_no_overload() {
    // Each takes 50 ms, however few there are; a thousand are in flight, and twenty thousand a second are answered.
    let mut rule = Rule::default();
    for in_flight in [10, 100, 1_000] {
        for _ in 0..200 {
            assert_eq!(rule.next(&waiting(in_flight, u64::from(in_flight) / 5)), Verdict::open(), "{in_flight}");
        }
    }
}
