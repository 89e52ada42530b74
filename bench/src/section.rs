//! The parts of a run. Each gives a table for people and figures for the simulation.

pub(crate) mod growth;
pub(crate) mod memory;
pub(crate) mod migration;
pub(crate) mod overload;
pub(crate) mod passwords;
pub(crate) mod paths;
pub(crate) mod peer;
pub(crate) mod postgres;
pub(crate) mod resource;
pub(crate) mod tenants;

use crate::measure::Pace;
use crate::report::table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One part of a run, done.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Section {
    pub(crate) title: String,
    /// By what it was made, where that is another run than the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) made_by: Option<String>,
    /// What was done, in words.
    pub(crate) text: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// What else there is to say.
    pub(crate) notes: Vec<String>,
    /// By name, in base units: seconds, bytes, and each a second.
    pub(crate) figures: BTreeMap<String, f64>,
    /// What is broken, as against slow.
    pub(crate) broken: Vec<String>,
}

/// What a run may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    pub(crate) pace: Pace,
    /// For how long memory is watched.
    pub(crate) minutes: f64,
    /// Whether ten million grants are made too.
    pub(crate) long: bool,
}

impl Section {
    pub(crate) fn new(title: &str, text: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self { title: title.to_owned(), text: text.to_owned(), head, ..Self::default() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }

    pub(crate) fn figure(&mut self, name: impl Into<String>, value: f64) {
        self.figures.insert(name.into(), value);
    }

    /// As Markdown.
    pub(crate) fn markdown(&self) -> String {
        let head: Vec<&str> = self.head.iter().map(String::as_str).collect();
        let mut text = format!("## {}\n\n", self.title);
        if let Some(made_by) = &self.made_by {
            text.extend([made_by.as_str(), "\n\n"]);
        }
        text.extend([self.text.as_str(), "\n\n", &table(&head, &self.rows)]);
        for note in &self.notes {
            text.push_str("\n- ");
            text.push_str(note);
        }
        if !self.notes.is_empty() {
            text.push('\n');
        }
        for broken in &self.broken {
            text.push_str("\n**Broken:** ");
            text.push_str(broken);
            text.push('\n');
        }
        text
    }
}

/// `met` or `missed`.
pub(crate) fn verdict(met: bool) -> String {
    if met { "met" } else { "missed" }.to_owned()
}

/// A time in milliseconds.
pub(crate) fn millis(time: std::time::Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1e3)
}
