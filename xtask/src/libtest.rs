//! `cargo test`, and the counting of what it says.

use crate::lint;
use crate::shell::{End, cargo, lines};
use crate::tally::{Outcome, Tally};
use std::process::Command;
use std::time::Duration;

/// Every test of the workspace, and those of the suites' own parts and of the example.
pub(crate) fn all() -> Outcome {
    let mut tally = of(&mut cargo(&["test", "--locked", "--workspace", "--no-fail-fast"]))?;
    for manifest in ["interop/rust/Cargo.toml", lint::MCP_SERVER] {
        let mut beside = cargo(&["test", "--locked", "--no-fail-fast", "--manifest-path", manifest]);
        tally += of(beside.args(["--target-dir", "target"]))?;
    }
    Ok(tally)
}

fn of(command: &mut Command) -> Outcome {
    let mut tally = Tally::default();
    let end = lines(command, Duration::from_hours(1), |line| {
        println!("{line}");
        if let Some(counts) = Counts::parse(line) {
            tally.passed += counts.passed;
            tally.failed += counts.failed + counts.ignored;
            if counts.ignored > 0 {
                tally.failures.push(format!("test: {} ignored, and what is skipped proves nothing", counts.ignored));
            }
        } else if let Some(name) = line.strip_prefix("test ").and_then(|rest| rest.strip_suffix(" ... FAILED")) {
            tally.failures.push(format!("test: {name}"));
        }
    })?;
    match end {
        End::TooLate => tally.fail("test: took longer than an hour"),
        End::Failure if tally.failed == 0 => tally.fail("test: cargo test could not build or run every test"),
        End::Failure | End::Success => {}
    }
    Ok(tally)
}

/// The closing line of one test binary.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Counts {
    /// `test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`
    fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| {
            rest.split("; ").find_map(|part| part.strip_suffix(word)?.strip_suffix(' ')?.parse::<u64>().ok())
        };
        Some(Self { passed: count("passed")?, failed: count("failed")?, ignored: count("ignored")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_read() {
        let line = "test result: FAILED. 31 passed; 2 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.02s";
        assert_eq!(Counts::parse(line), Some(Counts { passed: 31, failed: 2, ignored: 1 }));
        assert_eq!(Counts::parse("test result: ok"), None);
        assert_eq!(Counts::parse("test a::b ... ok"), None);
    }
}
