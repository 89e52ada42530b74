//! Variables as a form. Values of secret ones go in and never out.

use super::rows::{padded, pairs, row, rows};
use grantor_protocol::desk::{MAX_VARIABLES, Value, Variable, VariableName};
use grantor_protocol::params::Params;
use grantor_protocol::value::Secret;
use grantor_protocol::workspace::{Document, Saved};
use grantor_web::{PlainRow, SavedFault, SecretRow, VariablesForm};

/// What a document brings.
pub(super) fn shown<D: Document>(saved: &Saved<D>) -> VariablesForm {
    let mut form = VariablesForm::default();
    for Variable { name, value } in saved.document().variables() {
        match value {
            Value::Plain(value) => form.plain.push(PlainRow { name: name.to_string(), value: value.clone() }),
            Value::Secret(_) => form.secret.push(SecretRow {
                name: name.to_string(),
                was: name.to_string(),
                is_set: saved.has_secret(name),
            }),
        }
    }
    with_empty(form)
}

/// What was sent, without the secrets.
pub(super) fn posted<D: Document>(form: &Params, saved: &Saved<D>) -> VariablesForm {
    let is_set = |was: &str| VariableName::parse(was).is_some_and(|was| saved.has_secret(&was));
    let secret = |number| {
        let was = row(form, "secret", number, "was");
        SecretRow { name: row(form, "secret", number, "name"), is_set: is_set(&was), was }
    };
    with_empty(VariablesForm {
        plain: pairs(form, "plain", MAX_VARIABLES),
        secret: rows(form, "secret", MAX_VARIABLES).map(secret).collect(),
    })
}

/// The variables that were sent, with all of their secrets: what is to be forgotten is not among them.
pub(super) fn read<D: Document>(form: &Params, saved: &Saved<D>) -> Result<Vec<Variable>, SavedFault> {
    let named = |raw: &str| VariableName::parse(raw.trim()).ok_or(SavedFault::Variable);
    let held = saved.exposed();
    let held = |was: &str| {
        let variable = held.variables().iter().find(|variable| variable.name.as_str() == was)?;
        match &variable.value {
            Value::Secret(secret) => secret.clone(),
            Value::Plain(_) => None,
        }
    };
    let plain = pairs(form, "plain", MAX_VARIABLES).into_iter();
    let mut all =
        plain.map(|row| Ok(Variable::plain(named(&row.name)?, row.value))).collect::<Result<Vec<_>, SavedFault>>()?;
    for number in rows(form, "secret", MAX_VARIABLES) {
        let part = |part: &str| form.get(&format!("secret.{number}.{part}"));
        let secret = match (part("value"), part("forget")) {
            (Some(value), _) => Some(Secret::new(value.to_owned())),
            (None, Some(_)) => None,
            (None, None) => part("was").and_then(held),
        };
        all.push(Variable::secret(named(part("name").unwrap_or_default())?, secret));
    }
    Ok(all)
}

/// Puts another document in the place of one; secrets that it does not bring are forgotten.
pub(super) fn replace<D: Document>(saved: &mut Saved<D>, document: D) {
    let names: Vec<_> = saved.document().variables().iter().map(|variable| variable.name.clone()).collect();
    for name in names {
        saved.forget(&name);
    }
    saved.replace(document);
}

fn with_empty(form: VariablesForm) -> VariablesForm {
    VariablesForm { plain: padded(form.plain), secret: padded(form.secret) }
}
