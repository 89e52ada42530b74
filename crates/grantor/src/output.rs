//! What goes to standard output: tables for people, JSON for programs.

use crate::failure::{Failure, Result};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};

/// How a command answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// Whether for programs.
    pub(crate) json: bool,
}

impl Output {
    /// A text for people; nothing for programs.
    pub(crate) fn say(self, text: impl AsRef<str>) -> Result<()> {
        if self.json { Ok(()) } else { line(text.as_ref()) }
    }

    /// One JSON value on one line, for programs; nothing for people.
    pub(crate) fn value(self, value: impl FnOnce() -> Value) -> Result<()> {
        if self.json { line(&value().to_string()) } else { Ok(()) }
    }

    /// A list: a table with these headings, or a JSON array. `empty` is said when there is nothing.
    pub(crate) fn list<T>(
        self,
        items: &[T],
        headings: &[&str],
        row: impl Fn(&T) -> Vec<String>,
        value: impl Fn(&T) -> Value,
        empty: &str,
    ) -> Result<()> {
        if self.json {
            line(&Value::from(items.iter().map(value).collect::<Vec<_>>()).to_string())
        } else if items.is_empty() {
            line(empty)
        } else {
            line(table(headings, &items.iter().map(row).collect::<Vec<_>>()).trim_end())
        }
    }

    /// One record: aligned lines of its members, or JSON.
    pub(crate) fn record(self, value: &Value) -> Result<()> {
        if self.json {
            return line(&value.to_string());
        }
        let Value::Object(members) = value else { return line(&value.to_string()) };
        let members: Vec<_> = members.iter().filter(|(_, value)| !brief(value).is_empty()).collect();
        let width = members.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in members {
            line(&format!("{key:width$}  {}", brief(value)))?;
        }
        Ok(())
    }
}

/// A value in the words of a table.
pub(crate) fn brief(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(brief).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// Whether standard error is a terminal that can do more than write line after line.
pub(crate) fn is_screen() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether what is said there may be coloured.
pub(crate) fn color() -> bool {
    is_screen() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// One line on standard output. Whoever reads it may stop reading (`| head`): that is no failure.
pub(crate) fn line(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Columns as wide as their widest cell.
fn table(headings: &[&str], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(column, heading)| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([heading.chars().count()]).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
    for row in std::iter::once(&headings).chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}   ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let rows = vec![vec!["web".to_owned(), "x".to_owned()], vec!["machine".to_owned(), "y".to_owned()]];
        assert_eq!(table(&["id", "name"], &rows), "ID        NAME\nweb       x\nmachine   y\n");
    }
}
