//! The rule, looked at every ten milliseconds.

use super::*;

fn waiting(in_flight: u32, completed: u64) -> Sample {
    let elapsed = Duration::from_millis(10);
    Sample { elapsed, completed, in_flight }
}

#[test]
fn a_store_that_hangs_lets_in_the_least_and_one_that_is_back_lets_in_all() {
    let mut rule = Rule::default();
    for _ in 0..100 {
        assert_eq!(rule.next(&waiting(64, 100)), MOST_IN_FLIGHT);
    }
    let mut limit = MOST_IN_FLIGHT;
    for look in 1..=20 {
        limit = rule.next(&waiting((64 + look * 100).min(limit), 0));
    }
    assert_eq!(limit, LEAST_IN_FLIGHT);
    for _ in 0..600 {
        limit = rule.next(&waiting(64, 100));
    }
    assert_eq!(limit, MOST_IN_FLIGHT);
}

#[test]
fn a_slow_store_answers_those_who_are_let_in_within_three_times_a_quiet_day() {
    // Ten thousand a second, whoever waits; on a quiet day each takes 6.4 ms.
    let mut rule = Rule::default();
    for _ in 0..100 {
        rule.next(&waiting(64, 100));
    }
    let mut limit = MOST_IN_FLIGHT;
    for _ in 0..100 {
        limit = rule.next(&waiting(limit.min(2_000), 100));
    }
    assert!(f64::from(limit) / 10_000.0 <= 0.0064 * 3.0 + 0.001, "{limit:?}");
    assert!(limit >= LEAST_IN_FLIGHT);
}

#[test]
fn a_burst_after_a_quiet_time_is_let_in() {
    let mut rule = Rule::default();
    let idle = Sample { elapsed: Duration::from_millis(100), completed: 0, in_flight: 300 };
    assert_eq!(rule.next(&idle), MOST_IN_FLIGHT);
    for look in 0..9 {
        assert_eq!(rule.next(&waiting(300, 100)), MOST_IN_FLIGHT, "{look}");
    }
    // And so is one that is seen late.
    let mut rule = Rule::default();
    rule.next(&waiting(300, 0));
    assert_eq!(rule.next(&idle), MOST_IN_FLIGHT);
}

#[test]
fn a_far_store_is_no_overload() {
    // Each takes 50 ms, however few there are; a thousand are in flight, and twenty thousand a second are answered.
    let mut rule = Rule::default();
    for in_flight in [10, 100, 1_000] {
        for _ in 0..200 {
            assert_eq!(rule.next(&waiting(in_flight, u64::from(in_flight) / 5)), MOST_IN_FLIGHT, "{in_flight}");
        }
    }
}
