//! What passed and what failed.

use std::ops::AddAssign;

/// Checks that were made, and the names of those that failed.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How many passed.
    pub passed: u64,
    /// How many failed.
    pub failed: u64,
    /// Which failed, as far as they have names.
    pub failures: Vec<String>,
}

/// What a step gives: its counts, or why it could not be made (which counts as one failure).
pub(crate) type Outcome = Result<Tally, String>;

impl Tally {
    /// One check that passed.
    pub(crate) fn one() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// Counts one check.
    pub(crate) fn pass(&mut self) {
        self.passed += 1;
    }

    /// Counts one failure.
    pub(crate) fn fail(&mut self, why: impl Into<String>) {
        self.failed += 1;
        self.failures.push(why.into());
    }

    /// Counts one check by its result.
    pub(crate) fn record(&mut self, result: Result<(), String>) {
        match result {
            Ok(()) => self.pass(),
            Err(why) => self.fail(why),
        }
    }

    /// Counts a whole step.
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Ok(tally) => *self += tally,
            Err(why) => self.fail(why),
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
    }
}

/// Prints what failed and, as the last line, the counts; `true` when nothing failed and something passed.
pub(crate) fn conclude(outcome: Outcome) -> bool {
    let mut total = Tally::default();
    total.add(outcome);
    if !total.failures.is_empty() {
        println!("\nfailed:");
        for failure in &total.failures {
            println!("  {failure}");
        }
    }
    println!("\n{} passed, {} failed", total.passed, total.failed);
    total.failed == 0 && total.passed > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_could_not_be_made_counts_as_a_failure() {
        let mut total = Tally::one();
        total.add(Err("no compiler".to_owned()));
        total.add(Ok(Tally { passed: 3, failed: 2, failures: vec!["a".to_owned()] }));
        assert_eq!((total.passed, total.failed), (4, 3));
        assert_eq!(total.failures, ["no compiler", "a"]);
    }
}
