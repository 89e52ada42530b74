//! One line per check.

use anyhow::Result;
use std::process::ExitCode;

/// What went wrong may come with all that was seen.
const LONGEST: usize = 600;

/// The checks so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    failed: u32,
}

impl Report {
    /// Says how a check ended; a failure does not end the suite.
    pub(crate) fn check<T>(&mut self, name: &str, found: Result<T>) -> Option<T> {
        match found {
            Ok(value) => {
                println!("ok {name}");
                Some(value)
            }
            Err(why) => {
                self.failed += 1;
                let why = format!("{why:#}").split_whitespace().collect::<Vec<_>>().join(" ");
                println!("not ok {name}: {}", why.chars().take(LONGEST).collect::<String>());
                None
            }
        }
    }

    /// The exit code of the suite.
    pub(crate) fn finish(self) -> ExitCode {
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
