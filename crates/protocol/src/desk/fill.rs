//! Values in the place of names. A value is never evaluated: it is text, in which further names may stand.

use super::parts::{Part, parts};
use super::text::is_one_line;
use super::variable::Variable;
use crate::value::Secret;
use std::collections::BTreeSet;

/// The variables in force: of two with one name the first counts, so the environment stands before the collection.
#[derive(Clone, Debug)]
pub struct Variables<'v>(Vec<&'v [Variable]>);

/// Why a text could not be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// There are no such variables.
    #[error("no such variable: {}", .0.join(", "))]
    Unknown(Vec<String>),
    /// These secrets have no value yet.
    #[error("not set: {}", .0.join(", "))]
    Unset(Vec<String>),
    /// Values name each other, round in circles or nearly so.
    #[error("variables stand in variables more than {MAX_NESTING} deep")]
    TooDeep,
    /// Too long, or too much work.
    #[error("what is filled in is too long")]
    TooLong,
    /// A second line would be something else in this place.
    #[error("what is filled in has more than one line")]
    NotOneLine,
}

/// How deep values may name other values.
const MAX_NESTING: usize = 8;
/// How many names are replaced for one text.
const MAX_NAMES: usize = 10_000;
/// How long a text can get.
const MAX_FILLED: usize = 1 << 20;
/// How many unknown names an error names, and how much of each.
const NAMED: (usize, usize) = (20, 100);

impl<'v> Variables<'v> {
    /// With the nearest first.
    pub fn new(layers: impl IntoIterator<Item = &'v [Variable]>) -> Self {
        Self(layers.into_iter().collect())
    }

    /// The text with a value for each name. It is a secret, since a value may be one.
    pub fn fill(&self, text: &str) -> Result<Secret, Unfilled> {
        let mut filling = Filling { variables: self, text: String::new(), names: 0, unknown: vec![], unset: vec![] };
        filling.take(text, 0)?;
        let Filling { text, unknown, unset, .. } = filling;
        let text = Secret::new(text);
        match (named(unknown), named(unset)) {
            (unknown, _) if !unknown.is_empty() => Err(Unfilled::Unknown(unknown)),
            (_, unset) if !unset.is_empty() => Err(Unfilled::Unset(unset)),
            _ => Ok(text),
        }
    }

    /// The same where a second line would be something else: in a URL, a header, a parameter.
    pub fn fill_line(&self, text: &str) -> Result<Secret, Unfilled> {
        let filled = self.fill(text)?;
        if is_one_line(filled.expose()) { Ok(filled) } else { Err(Unfilled::NotOneLine) }
    }

    /// The variable of this name that counts.
    pub fn find(&self, name: &str) -> Option<&'v Variable> {
        self.0.iter().flat_map(|layer| layer.iter()).find(|variable| variable.name.as_str() == name)
    }
}

struct Filling<'f, 'v> {
    variables: &'f Variables<'v>,
    text: String,
    names: usize,
    unknown: Vec<String>,
    unset: Vec<String>,
}

impl Filling<'_, '_> {
    fn take(&mut self, text: &str, nested: usize) -> Result<(), Unfilled> {
        if nested > MAX_NESTING {
            return Err(Unfilled::TooDeep);
        }
        for part in parts(text) {
            match part {
                Part::Text(text) if self.text.len() + text.len() > MAX_FILLED => return Err(Unfilled::TooLong),
                Part::Text(text) => self.text.push_str(text),
                Part::Name(name) => self.name(name, nested)?,
            }
        }
        Ok(())
    }

    fn name(&mut self, name: &str, nested: usize) -> Result<(), Unfilled> {
        self.names += 1;
        if self.names > MAX_NAMES {
            return Err(Unfilled::TooLong);
        }
        let Some(variable) = self.variables.find(name) else {
            self.unknown.push(name.to_owned());
            return Ok(());
        };
        let Some(value) = variable.value.text() else {
            self.unset.push(name.to_owned());
            return Ok(());
        };
        self.take(value, nested + 1)
    }
}

/// Each once, and not more than can be read.
fn named(names: Vec<String>) -> Vec<String> {
    let short = |name: String| name.chars().filter(|c| !c.is_control()).take(NAMED.1).collect::<String>();
    names.into_iter().map(short).collect::<BTreeSet<_>>().into_iter().take(NAMED.0).collect()
}

#[cfg(test)]
mod tests {
    use super::super::text::VariableName;
    use super::*;
    use proptest::prelude::*;

    fn plain(all: &[(&str, &str)]) -> Vec<Variable> {
        all.iter().map(|(name, value)| Variable::plain(VariableName::parse(name).unwrap(), *value)).collect()
    }

    fn filled(variables: &[Variable], text: &str) -> Result<String, Unfilled> {
        Variables::new([variables]).fill(text).map(|filled| filled.expose().to_owned())
    }

    #[test]
    fn names_are_replaced_and_the_nearest_counts() {
        let (near, far) = (plain(&[("host", "near")]), plain(&[("host", "far"), ("url", "https://{{host}}/")]));
        let variables = Variables::new([near.as_slice(), far.as_slice()]);
        assert_eq!(variables.fill("{{url}}{{ host }}{x}").unwrap().expose(), "https://near/near{x}");
    }

    #[test]
    fn what_is_unknown_is_named() {
        let secret = Variable::secret(VariableName::parse("s").unwrap(), None);
        let unknown = |names: &[&str]| Err(Unfilled::Unknown(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(filled(std::slice::from_ref(&secret), "{{b}}{{a}}{{b}}{{s}}"), unknown(&["a", "b"]));
        assert_eq!(filled(&[], "{{$guid}} {{7*7}} {{}}"), unknown(&["", "$guid", "7*7"]));
        assert_eq!(filled(&[secret], "{{s}}"), Err(Unfilled::Unset(vec!["s".to_owned()])));
        let many = (0..50).map(|n| format!("{{{{{n}{}}}}}", "x".repeat(1000))).collect::<Vec<_>>().concat();
        let Err(Unfilled::Unknown(names)) = filled(&[], &many) else { panic!("unknown names were filled in") };
        assert!(names.len() == NAMED.0 && names.iter().all(|name| name.len() <= NAMED.1));
    }

    #[test]
    fn circles_and_bombs_end() {
        assert_eq!(filled(&plain(&[("a", "{{b}}"), ("b", "{{a}}")]), "{{a}}"), Err(Unfilled::TooDeep));
        let wide = "{{b}}".repeat(10_000);
        assert_eq!(filled(&plain(&[("a", &wide), ("b", &wide)]), "{{a}}"), Err(Unfilled::TooDeep));
        assert_eq!(filled(&plain(&[("b", ""), ("a", &wide)]), "{{a}}"), Err(Unfilled::TooLong));
        let long = "x".repeat(200_000);
        assert_eq!(filled(&plain(&[("a", &long)]), &"{{a}}".repeat(6)), Err(Unfilled::TooLong));
        let chain: Vec<_> = (0..9).map(|n| (format!("v{n}"), format!("{{{{v{}}}}}", n + 1))).collect();
        let mut chain: Vec<_> = chain.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        chain.push(("v9", "end"));
        assert_eq!(filled(&plain(&chain), "{{v2}}").unwrap(), "end");
        assert_eq!(filled(&plain(&chain), "{{v1}}"), Err(Unfilled::TooDeep));
    }

    #[test]
    fn a_line_stays_one() {
        let variables = plain(&[("evil", "a\r\nSet-Cookie: b")]);
        let variables = Variables::new([variables.as_slice()]);
        assert!(variables.fill("{{evil}}").is_ok());
        assert_eq!(variables.fill_line("x {{evil}}").unwrap_err(), Unfilled::NotOneLine);
    }

    proptest! {
        #[test]
        fn text_without_names_stays_as_it_is(text in "[^{}]{0,64}") {
            prop_assert_eq!(filled(&[], &text).unwrap(), text);
        }

        #[test]
        fn any_values_come_to_an_end(values in proptest::collection::vec("[ab{}]{0,12}", 2), text in "[ab{}]{0,24}") {
            let _ = filled(&plain(&[("a", &values[0]), ("b", &values[1])]), &text);
        }
    }
}
