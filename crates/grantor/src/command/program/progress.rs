//! What is said while one waits: something that moves on a terminal, plain lines elsewhere. Always on standard error.

use crate::output::is_screen;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Until it is dropped.
pub(super) struct Waiting(Option<ProgressBar>);

impl Waiting {
    /// Says what is waited for.
    pub(super) fn for_(what: &str) -> Self {
        if !is_screen() {
            eprintln!("{what}");
            return Self(None);
        }
        // On a narrow terminal it is cut, for what moves must stay on one line.
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = ProgressBar::new_spinner().with_style(style).with_message(what.to_owned());
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
