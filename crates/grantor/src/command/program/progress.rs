//! What is said while one waits: something that moves on a terminal, plain lines elsewhere. Always on standard error.

use indicatif::ProgressBar;
use std::io::IsTerminal as _;
use std::time::Duration;

/// Until it is dropped.
pub(super) struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Says what is waited for.
    pub(super) fn for_(what: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            eprintln!("{what}");
            return Self(None);
        }
        let bar = ProgressBar::new_spinner().with_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(Some(bar))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
