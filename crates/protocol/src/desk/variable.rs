//! Variables, plain and secret, and environments, which are sets of them.

use super::text::{Name, VariableName};
use super::{Invalid, MAX_BYTES, MAX_TEXT, MAX_VARIABLES};
use crate::value::Secret;
use grantor_jose::parse_object;
use serde::{Deserialize, Serialize};

/// A variable.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Shown")]
pub struct Variable {
    /// What `{{name}}` says.
    pub name: VariableName,
    /// What stands in its place.
    pub value: Value,
}

/// The value of a variable.
#[derive(Clone, Debug)]
pub enum Value {
    /// For everybody to see who sees the variable.
    Plain(String),
    /// Written and used, never shown: an answer says only whether it is there.
    Secret(Option<Secret>),
}

/// Named variables, of which one set at a time is in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "EnvironmentWire")]
pub struct Environment {
    name: Name,
    variables: Vec<Variable>,
}

/// A variable as it is written: with its secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: VariableName,
    value: Option<String>,
    #[serde(default)]
    secret: bool,
    /// What is shown of a secret, which may come back.
    #[serde(default)]
    is_set: bool,
}

/// A variable as it is shown: without.
#[derive(Serialize)]
struct Shown {
    name: VariableName,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    secret: bool,
    #[serde(skip_serializing_if = "is_false")]
    is_set: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentWire {
    name: Name,
    variables: Vec<Variable>,
}

impl Variable {
    /// One that everybody sees.
    pub fn plain(name: VariableName, value: impl Into<String>) -> Self {
        Self { name, value: Value::Plain(value.into()) }
    }

    /// One that nobody sees; without a value until somebody writes it.
    pub fn secret(name: VariableName, value: Option<Secret>) -> Self {
        Self { name, value: Value::Secret(value) }
    }
}

impl Value {
    /// Whether it is never shown.
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }

    /// What stands in the place of the name, if it is known.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Secret(secret) => secret.as_ref().map(Secret::expose),
        }
    }
}

impl Environment {
    /// An environment, when it is within the bounds.
    pub fn new(name: Name, variables: Vec<Variable>) -> Result<Self, Invalid> {
        check(&variables)?;
        Ok(Self { name, variables })
    }

    /// Reads one from JSON: names, values, and secrets that are written.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        if json.len() > MAX_BYTES {
            return Err(Invalid::Bytes);
        }
        let malformed = || Invalid::Malformed("it is no environment".to_owned());
        let members = parse_object(json).ok_or_else(malformed)?;
        // Not what is wrong with it: that may be a secret.
        let wire: EnvironmentWire = serde_json::from_value(members.into()).map_err(|_| malformed())?;
        Self::try_from(wire)
    }

    /// What people call it.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it says.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Takes the secrets out, to be sealed and kept apart: what stays behind says only that they exist.
    pub fn take_secrets(&mut self) -> Vec<(VariableName, Secret)> {
        take_secrets(&mut self.variables)
    }

    /// Puts a secret back into its place; false when there is no secret variable of this name.
    pub fn put_secret(&mut self, name: &VariableName, secret: Secret) -> bool {
        put_secret(&mut self.variables, name, secret)
    }
}

pub(super) fn take_secrets(variables: &mut [Variable]) -> Vec<(VariableName, Secret)> {
    let taken = |variable: &mut Variable| match &mut variable.value {
        Value::Secret(secret) => secret.take().map(|secret| (variable.name.clone(), secret)),
        Value::Plain(_) => None,
    };
    variables.iter_mut().filter_map(taken).collect()
}

pub(super) fn put_secret(variables: &mut [Variable], name: &VariableName, secret: Secret) -> bool {
    match variables.iter_mut().find(|variable| variable.name == *name).map(|variable| &mut variable.value) {
        Some(Value::Secret(place)) => {
            *place = Some(secret);
            true
        }
        Some(Value::Plain(_)) | None => false,
    }
}

impl TryFrom<Wire> for Variable {
    type Error = &'static str;

    fn try_from(wire: Wire) -> Result<Self, &'static str> {
        let Wire { name, value, secret, is_set } = wire;
        match (secret, value) {
            (true, value) => Ok(Self::secret(name, value.map(Secret::new))),
            (false, Some(value)) if !is_set => Ok(Self::plain(name, value)),
            (false, _) => Err("a variable that is no secret has a value, and nothing else"),
        }
    }
}

impl From<Variable> for Shown {
    fn from(variable: Variable) -> Self {
        let Variable { name, value } = variable;
        match value {
            Value::Plain(text) => Self { name, value: Some(text), secret: false, is_set: false },
            Value::Secret(secret) => Self { name, value: None, secret: true, is_set: secret.is_some() },
        }
    }
}

impl TryFrom<EnvironmentWire> for Environment {
    type Error = Invalid;

    fn try_from(wire: EnvironmentWire) -> Result<Self, Invalid> {
        Self::new(wire.name, wire.variables)
    }
}

/// The bounds of a set of variables.
pub(super) fn check(variables: &[Variable]) -> Result<(), Invalid> {
    if variables.len() > MAX_VARIABLES {
        return Err(Invalid::Variables);
    }
    if variables.iter().any(|variable| variable.value.text().is_some_and(|text| text.len() > MAX_TEXT)) {
        return Err(Invalid::Text);
    }
    let mut names: Vec<_> = variables.iter().map(|variable| &variable.name).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()).and_then(<[_]>::first) {
        Some(twice) => Err(Invalid::Repeated(twice.to_string())),
        None => Ok(()),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "so does serde call it")]
fn is_false(value: &bool) -> bool {
    !value
}
