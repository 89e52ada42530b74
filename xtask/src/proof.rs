//! What is done to several nodes over one store: the subcommands of `grantor-proof`, each with an amount for every day and
//! one that takes the time which the promises name.

use crate::demo;
use crate::interop::count;
use crate::shell::{cargo, path, program, succeed};
use crate::tally::{Outcome, Tally};
use std::time::Duration;

/// A subcommand, and how many checks it makes with an amount.
struct Proof {
    arguments: &'static [&'static str],
    /// The option that says how much.
    amount: &'static str,
    everyday: u64,
    long: u64,
    checks: fn(u64) -> u64,
}

const PROOFS: [Proof; 10] = [
    Proof {
        arguments: &["linearizability", "--store", "sqlite"],
        amount: "--seconds",
        everyday: 3,
        long: 60,
        checks: |_| 4,
    },
    Proof {
        arguments: &["linearizability", "--store", "postgres"],
        amount: "--seconds",
        everyday: 3,
        long: 60,
        checks: |_| 4,
    },
    Proof {
        arguments: &["linearizability", "--store", "postgres", "--failover"],
        amount: "--seconds",
        everyday: 6,
        long: 60,
        checks: |_| 4,
    },
    Proof { arguments: &["race", "--store", "sqlite"], amount: "--rounds", everyday: 5, long: 10_000, checks: |_| 19 },
    Proof {
        arguments: &["race", "--store", "postgres"],
        amount: "--rounds",
        everyday: 5,
        long: 10_000,
        checks: |_| 19,
    },
    // One check per kill, one for each kind of thing that must have been acknowledged at all, and a planted fault.
    Proof {
        arguments: &["kill", "--store", "postgres"],
        amount: "--kills",
        everyday: 4,
        long: 200,
        checks: |kills| kills + 4,
    },
    Proof { arguments: &["failover"], amount: "--seconds", everyday: 2, long: 20, checks: |_| 5 },
    Proof { arguments: &["cut-off"], amount: "--seconds", everyday: 8, long: 30, checks: |_| 7 },
    Proof { arguments: &["rolling", "--store", "postgres"], amount: "--times", everyday: 1, long: 20, checks: |_| 3 },
    Proof {
        arguments: &["revocation", "--store", "postgres"],
        amount: "--times",
        everyday: 10,
        long: 200,
        checks: |_| 3,
    },
];

/// Runs every one of them.
pub(crate) fn run(long: bool) -> Outcome {
    succeed(&mut cargo(&["build", "--locked", "--quiet", "--package", "grantor-proof"]))?;
    let mut tally = Tally::default();
    for proof in &PROOFS {
        let name = proof.arguments.first().copied().unwrap_or_default();
        let amount = if long { proof.long } else { proof.everyday };
        let mut command = program(path("target/debug/grantor-proof"));
        command.args(proof.arguments).env("GRANTOR_BINARY", path(demo::BINARY));
        command.arg(proof.amount).arg(amount.to_string());
        println!("-- {} {amount}", proof.arguments.join(" "));
        let limit = Duration::from_secs(if long { 3 * 3600 } else { 300 });
        tally.add(count(name, &mut command, (proof.checks)(amount), limit));
    }
    Ok(tally)
}
