//! The full check: every step in order, each with its time, and a line of counts at the end.

use crate::tally::{Outcome, Tally};
use crate::{boot, deploy, fuzz, interop, libtest, lint, proof, provision, spec_map, tally};
use std::time::Instant;

/// What `cargo xtask check` was asked for.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Take the time that the promises name: ten minutes per fuzz target, 1,000 kills and losses of power.
    pub long: bool,
    /// These steps alone; none: all.
    only: Vec<String>,
}

struct Step {
    name: &'static str,
    run: fn(&Plan) -> Outcome,
}

/// The steps. The one list.
const STEPS: [Step; 19] = [
    Step { name: "provision", run: |_| Ok(provision::run()) },
    Step { name: "fmt", run: |_| Ok(lint::fmt()) },
    Step { name: "clippy", run: |plan| Ok(lint::clippy(plan.long)) },
    Step { name: "doc", run: |_| lint::doc() },
    Step { name: "javascript", run: |_| lint::javascript() },
    Step { name: "deny", run: |_| lint::deny() },
    Step { name: "spec-map", run: |_| spec_map::check() },
    Step { name: "deploy", run: |_| deploy::run() },
    Step { name: "test", run: |_| libtest::all() },
    Step { name: "fuzz", run: |plan| fuzz::run(&fuzz::Plan::all(if plan.long { 600 } else { 1 })) },
    Step { name: "release", run: |_| lint::release() },
    Step { name: "timing", run: |plan| lint::timing(if plan.long { "4.5" } else { "20" }) },
    Step { name: "interop", run: |_| Ok(interop::libraries()) },
    Step { name: "browser", run: |_| interop::browser() },
    Step { name: "kill", run: |plan| interop::kill(if plan.long { 1000 } else { 25 }) },
    Step { name: "power", run: |plan| interop::power(if plan.long { 1000 } else { 60 }) },
    Step { name: "faults", run: |_| interop::faults() },
    Step { name: "boot", run: |plan| boot::run(plan.long || plan.names("boot")) },
    Step { name: "proof", run: |plan| proof::run(plan.long) },
];

impl Plan {
    /// `[--long] [--only STEP,...]`
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut rest = words.iter();
        while let Some(&word) = rest.next() {
            match word {
                "--long" => plan.long = true,
                "--only" => {
                    plan.only = rest.next().ok_or("--only needs steps")?.split(',').map(str::to_owned).collect();
                }
                other => return Err(format!("check does not know {other}")),
            }
        }
        for name in &plan.only {
            if !STEPS.iter().any(|step| step.name == name) {
                let known: Vec<_> = STEPS.iter().map(|step| step.name).collect();
                return Err(format!("there is no step {name}; there are {}", known.join(", ")));
            }
        }
        Ok(plan)
    }

    fn has(&self, step: &Step) -> bool {
        self.only.is_empty() || self.names(step.name)
    }

    /// Whether it was asked for by its name.
    fn names(&self, step: &str) -> bool {
        self.only.iter().any(|name| name == step)
    }
}

/// Runs every step, whatever became of those before it; `true` when nothing failed.
pub(crate) fn run(plan: &Plan) -> bool {
    let started = Instant::now();
    let mut total = Tally::default();
    let mut table = Vec::new();
    for step in STEPS.iter().filter(|step| plan.has(step)) {
        println!("\n==== {}", step.name);
        let begun = Instant::now();
        let mut counts = Tally::default();
        counts.add((step.run)(plan).map_err(|why| format!("{}: {why}", step.name)));
        let seconds = begun.elapsed().as_secs_f64();
        println!("==== {}: {} passed, {} failed, {seconds:.1} s", step.name, counts.passed, counts.failed);
        table.push((step.name, counts.passed, counts.failed, seconds));
        total += counts;
    }
    println!("\n{:<12}{:>8}{:>8}{:>10}", "step", "passed", "failed", "seconds");
    for (name, passed, failed, seconds) in table {
        println!("{name:<12}{passed:>8}{failed:>8}{seconds:>10.1}");
    }
    println!("{:<12}{:>26.1}", "together", started.elapsed().as_secs_f64());
    tally::conclude(Ok(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_exist_is_refused() {
        assert!(Plan::parse(&["--only", "fmt,clippy"]).is_ok_and(|plan| !plan.long && plan.only.len() == 2));
        assert!(Plan::parse(&["--only", "fmtt"]).is_err());
        assert!(Plan::parse(&["--short"]).is_err());
        assert!(Plan::parse(&["--long"]).is_ok_and(|plan| plan.long));
    }
}
