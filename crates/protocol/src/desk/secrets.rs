//! The variables of a collection that is being imported: credentials found in it become secret ones.

use super::note::{Notes, Why};
use super::parts::only_name;
use super::text::{Line, VariableName};
use super::variable::{Value, Variable};
use super::{MAX_TEXT, MAX_VARIABLES};
use crate::value::Secret;

/// The variables so far.
#[derive(Debug, Default)]
pub(super) struct Gathered(Vec<Variable>);

/// Parameters that are credentials (RFC 6749 2.3.1, 4.3.2, 6; RFC 7521 4; RFC 7636 4.5; RFC 8693 2.1).
const CREDENTIALS: [&str; 9] = [
    "client_secret",
    "client_assertion",
    "assertion",
    "password",
    "refresh_token",
    "access_token",
    "code_verifier",
    "subject_token",
    "actor_token",
];

/// Headers that carry credentials (RFC 9110 11.6.2, 11.7.2; RFC 6265 5.4).
const CREDENTIAL_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

impl Gathered {
    /// Adds a variable; false when one of this name is there.
    pub(super) fn add(&mut self, variable: Variable) -> bool {
        let free = self.find(variable.name.as_str()).is_none();
        if free {
            self.0.push(variable);
        }
        free
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_VARIABLES
    }

    pub(super) fn finish(self) -> Vec<Variable> {
        self.0
    }

    /// The secret variable for a credential: the one that it names already, or one that is made for it. None when it fits
    /// nowhere.
    pub(super) fn secret(&mut self, name: &str, value: &str, at: &str, notes: &mut Notes) -> Option<VariableName> {
        if let Some(name) = only_name(value).and_then(VariableName::parse) {
            return self.keep_secret(&name, at, notes).then_some(name);
        }
        if value.len() > MAX_TEXT {
            return None;
        }
        let secret = (!value.is_empty()).then(|| Secret::new(value.to_owned()));
        let same = |variable: &&Variable| match (&variable.value, &secret) {
            (Value::Secret(Some(held)), Some(secret)) => held.matches(secret),
            _ => false,
        };
        if let Some(known) = self.0.iter().find(same) {
            return Some(known.name.clone());
        }
        let name = self.free(name)?;
        if secret.is_some() {
            notes.add(at, Why::MadeSecret(name.clone()));
        }
        self.0.push(Variable::secret(name.clone(), secret));
        Some(name)
    }

    /// A parameter's value, or the reference to a secret variable when it is a credential.
    pub(super) fn parameter(&mut self, name: &str, value: &str, at: &str, notes: &mut Notes) -> Option<Line> {
        let credential = CREDENTIALS.contains(&name.to_ascii_lowercase().as_str());
        self.line(credential, name, value, at, notes)
    }

    /// The same for a header.
    pub(super) fn header(&mut self, name: &str, value: &str, at: &str, notes: &mut Notes) -> Option<Line> {
        let credential = CREDENTIAL_HEADERS.contains(&name.to_ascii_lowercase().as_str());
        self.line(credential, name, value, at, notes)
    }

    /// The same for a field of a form, which may have several lines.
    pub(super) fn field(&mut self, name: &str, value: &str, at: &str, notes: &mut Notes) -> Option<String> {
        if value.len() > MAX_TEXT {
            return None;
        }
        if !CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()) || value.is_empty() || value.contains("{{") {
            return Some(value.to_owned());
        }
        self.secret(&name.to_ascii_lowercase(), value, at, notes).map(|made| made.reference())
    }

    fn line(&mut self, credential: bool, name: &str, value: &str, at: &str, notes: &mut Notes) -> Option<Line> {
        let line = Line::parse(value)?;
        // Where a name stands in it already, whoever wrote it has kept the credential apart.
        if !credential || line.is_empty() || value.contains("{{") {
            return Some(line);
        }
        let made = self.secret(&name.to_ascii_lowercase().replace('-', "_"), value, at, notes)?;
        Line::parse(&made.reference())
    }

    /// Sees to it that what is used as a secret is one.
    fn keep_secret(&mut self, name: &VariableName, at: &str, notes: &mut Notes) -> bool {
        let full = self.is_full();
        match self.0.iter_mut().find(|variable| variable.name == *name) {
            Some(Variable { value: Value::Secret(_), .. }) => true,
            Some(variable) => {
                let value = variable.value.text().filter(|text| !text.is_empty()).map(str::to_owned);
                variable.value = Value::Secret(value.map(Secret::new));
                notes.add(at, Why::MadeSecret(name.clone()));
                true
            }
            None if full => false,
            None => {
                self.0.push(Variable::secret(name.clone(), None));
                true
            }
        }
    }

    fn free(&self, wanted: &str) -> Option<VariableName> {
        if self.is_full() {
            return None;
        }
        let names = std::iter::once(wanted.to_owned()).chain((2..).map(|number| format!("{wanted}_{number}")));
        let free = |name: &String| self.find(name).is_none();
        VariableName::parse(&names.take(MAX_VARIABLES + 1).find(free)?)
    }

    fn find(&self, name: &str) -> Option<&Variable> {
        self.0.iter().find(|variable| variable.name.as_str() == name)
    }
}
