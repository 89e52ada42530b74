//! One line per check.

use std::process::ExitCode;

/// Drivers add their stack to what they say.
const LONGEST: usize = 400;

pub struct Report {
    failed: u32,
    /// Checks whose names do not have this in them are left out, while somebody works on one.
    only: String,
}

impl Default for Report {
    fn default() -> Self {
        Self { failed: 0, only: std::env::var("GRANTOR_ONLY").unwrap_or_default() }
    }
}

impl Report {
    /// Makes one check; a failure is reported and does not end the suite.
    pub async fn check<T>(&mut self, name: &str, body: impl Future<Output = anyhow::Result<T>>) -> Option<T> {
        if !name.contains(&self.only) {
            return None;
        }
        match body.await {
            Ok(value) => {
                println!("ok {name}");
                Some(value)
            }
            Err(why) => {
                self.failed += 1;
                let why = format!("{why:#}").split_whitespace().collect::<Vec<_>>().join(" ");
                let why: String = why.chars().take(LONGEST).collect();
                println!("not ok {name}: {why}");
                None
            }
        }
    }

    pub fn finish(self) -> ExitCode {
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The two are equal.
pub fn equal<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(found: A, wanted: B) -> anyhow::Result<()> {
    if found == wanted { Ok(()) } else { Err(anyhow::anyhow!("{found:?} is not {wanted:?}")) }
}
