//! What is wrong with an input, and where: the one diagnostic of configuration, manifest and command line.

use super::Place;
use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde_json::{Value, json};
use std::fmt;

/// One thing that is wrong, or looks wrong.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Whether it stops everything.
    pub(crate) severity: Severity,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    place: Option<(Place, NamedSource<String>)>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Nothing is done.
    Error,
    /// It is done, and said.
    Warning,
}

/// All that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problem {
    /// Something that stops everything.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, message: message.into(), help: None, place: None }
    }

    /// Something that is only said.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Where it is.
    #[must_use]
    pub(crate) fn at(mut self, place: Place) -> Self {
        let shown = NamedSource::new(&place.source.name, place.source.shown().to_owned());
        self.place = Some((place, shown));
        self
    }

    /// What to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<Option<String>>) -> Self {
        self.help = help.into();
        self
    }

    /// Line and column, both from 1.
    pub(crate) fn position(&self) -> Option<(usize, usize)> {
        self.place.as_ref().map(|(place, _)| place.source.line_and_column(place.span.start))
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "severity": self.severity.as_str(), "message": self.message });
        if let Value::Object(map) = &mut json {
            if let (Some((line, column)), Some((place, _))) = (self.position(), &self.place) {
                map.insert("source".to_owned(), place.source.name.clone().into());
                map.insert("line".to_owned(), line.into());
                map.insert("column".to_owned(), column.into());
            }
            if let Some(help) = &self.help {
                map.insert("help".to_owned(), help.clone().into());
            }
        }
        json
    }
}

impl Severity {
    /// Its name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Problems {
    /// One more.
    pub(crate) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds help to what is said about a place.
    pub(crate) fn help_at(&mut self, place: &Place, help: &str) {
        let here = |problem: &&mut Problem| {
            problem.place.as_ref().is_some_and(|(found, _)| {
                std::sync::Arc::ptr_eq(&found.source, &place.source) && found.span == place.span
            })
        };
        if let Some(problem) = self.0.iter_mut().find(here) {
            problem.help = Some(help.to_owned());
        }
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none, not even a warning.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many stop everything.
    pub(crate) fn errors(&self) -> usize {
        self.0.iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// In the order of their places.
    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort_by_key(|problem| problem.position().unwrap_or((usize::MAX, 0)));
        self
    }

    /// For people, with the line and a caret.
    pub(crate) fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_context_lines(1).with_links(false).with_width(110);
        let mut text = String::new();
        for problem in &self.0 {
            if handler.render_report(&mut text, problem).is_err() {
                text.push_str(&problem.message);
            }
            text.push('\n');
        }
        text
    }

    /// For programs.
    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(Problem::to_json).collect()
    }

    #[cfg(test)]
    pub(crate) fn positions(&self) -> Vec<(usize, usize)> {
        self.0.iter().filter_map(Problem::position).collect()
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |problem: &Problem| {
            let (line, column) = problem.position().unwrap_or((0, 0));
            let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{line}:{column} {}: {}{help}", problem.severity.as_str(), problem.message)
        };
        self.0.iter().map(line).collect()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|(_, shown)| shown as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (place, _) = self.place.as_ref()?;
        let here = place.source.text.get(place.span.clone()).unwrap_or_default();
        // A label over several lines would print all of them: the first is enough to find the rest.
        let length = here.find('\n').unwrap_or(here.len()).max(1);
        let label = LabeledSpan::new_with_span(Some("here".to_owned()), (place.span.start, length));
        Some(Box::new(std::iter::once(label)))
    }
}
