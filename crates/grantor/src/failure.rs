//! Why a command did not do what it was asked, in words for whoever asked.

use crate::document::Problems;
use grantor_store::StoreError;
use serde_json::json;
use std::process::ExitCode;

/// What a command gives.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// A command that was not carried out.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    problems: Problems,
    code: u8,
}

impl Failure {
    /// It could not be done.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, problems: Problems::default(), code: 1 }
    }

    /// It was asked in a way that means nothing.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(message) }
    }

    /// An input was refused as a whole.
    pub(crate) fn refused(message: impl Into<String>, problems: Problems) -> Self {
        Self { problems: problems.sorted(), ..Self::new(message) }
    }

    /// What to do about it.
    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Says it on standard error, and gives the code to exit with.
    pub(crate) fn report(&self, as_json: bool, color: bool) -> ExitCode {
        if as_json {
            let mut json = json!({ "error": self.message });
            if let Some(map) = json.as_object_mut() {
                if let Some(hint) = &self.hint {
                    map.insert("hint".to_owned(), hint.clone().into());
                }
                if !self.problems.is_empty() {
                    map.insert("problems".to_owned(), self.problems.to_json());
                }
            }
            eprintln!("{json}");
        } else {
            eprint!("{}", self.problems.render(color));
            eprintln!("error: {}", self.message);
            if let Some(hint) = &self.hint {
                eprintln!("hint: {hint}");
            }
        }
        ExitCode::from(self.code)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Busy(_) => Self::new(error.to_string()).hint("try again in a moment".to_owned()),
            StoreError::Conflict { .. } => Self::new("somebody else is changing the same things")
                .hint("nothing was changed; try again in a moment".to_owned()),
            StoreError::Taken(_) | StoreError::Broken(_) => Self::new(error.to_string()),
        }
    }
}

/// Turns an error into words that say what was being done.
pub(crate) trait Context<T> {
    /// `doing` completes the sentence "cannot ...".
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: std::fmt::Display> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("cannot {}: {error}", doing())))
    }
}
