//! What a condition asks of a token's claims.

use super::{Condition, glob};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How a claim is looked at.
#[derive(Clone, Copy)]
pub(super) enum Test<'a> {
    Equals(&'a Value),
    OneOf(&'a [Value]),
    Glob(&'a str),
}

impl Condition {
    /// Its one test; nothing when it has none, or several.
    pub(super) fn test(&self) -> Option<Test<'_>> {
        match (&self.equals, &self.one_of, &self.glob) {
            (Some(value), None, None) => Some(Test::Equals(value)),
            (None, Some(values), None) => Some(Test::OneOf(values)),
            (None, None, Some(pattern)) => Some(Test::Glob(pattern)),
            _ => None,
        }
    }

    /// The claim at the top that it speaks of, whichever way it is written; the pointer when it goes deeper.
    pub(super) fn name(&self) -> Cow<'_, str> {
        match self.claim.strip_prefix('/') {
            Some(token) if !token.contains('/') => Cow::Owned(unescaped(token)),
            _ => Cow::Borrowed(&self.claim),
        }
    }

    /// The texts that it allows, as patterns. No name that a platform gives has a star in it.
    pub(super) fn patterns(&self) -> Vec<Cow<'_, str>> {
        match self.test() {
            None => Vec::new(),
            Some(Test::Equals(value)) => vec![as_text(value)],
            Some(Test::OneOf(values)) => values.iter().map(as_text).collect(),
            Some(Test::Glob(pattern)) => vec![Cow::Borrowed(pattern)],
        }
    }

    /// The claim that it speaks of.
    pub(super) fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let Some(pointer) = self.claim.strip_prefix('/') else { return claims.get(&self.claim) };
        let (first, deeper) = pointer.find('/').map_or((pointer, ""), |slash| pointer.split_at(slash));
        claims.get(&unescaped(first))?.pointer(deeper)
    }

    /// Whether a claim is what it should be, and why or why not.
    pub(super) fn holds(&self, found: Option<&Value>) -> Result<String, String> {
        let Some(test) = self.test() else {
            return Err("the condition needs exactly one of equals, one_of and glob".to_owned());
        };
        let Some(found) = found else { return Err("the token has no such claim".to_owned()) };
        match (test, found) {
            (Test::Equals(wanted), found) if found == wanted => Ok("it is exactly that".to_owned()),
            (Test::Equals(wanted), found) => Err(difference(found, std::slice::from_ref(wanted))),
            (Test::OneOf(wanted), found) if wanted.contains(found) => Ok("it is one of them".to_owned()),
            (Test::OneOf(wanted), found) => Err(difference(found, wanted)),
            (Test::Glob(pattern), Value::String(text)) if glob::fits(pattern, text) => {
                Ok("the pattern fits".to_owned())
            }
            (Test::Glob(_), Value::String(_)) => Err("the pattern does not fit".to_owned()),
            (Test::Glob(_), other) => Err(format!("a pattern fits a text, and the token has {} here", kind(other))),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.claim)?;
        match self.test() {
            None => Ok(()),
            Some(Test::Equals(value)) => write!(f, " equals {value}"),
            Some(Test::OneOf(values)) => {
                let values: Vec<_> = values.iter().map(Value::to_string).collect();
                write!(f, " is one of {}", values.join(", "))
            }
            Some(Test::Glob(pattern)) => write!(f, " glob {}", Value::from(pattern)),
        }
    }
}

/// People expect a list to match by one of its elements, and "1" to be 1.
fn difference(found: &Value, wanted: &[Value]) -> String {
    let alike = wanted.iter().any(|wanted| std::mem::discriminant(wanted) == std::mem::discriminant(found));
    match (alike, found) {
        (true, _) => "it is something else".to_owned(),
        (false, Value::Array(_)) => {
            "the token has a list here, which is compared as a whole and never by one of its elements".to_owned()
        }
        (false, found) => {
            let wanted = wanted.first().map_or("nothing", kind);
            format!("the token has {} here, which is never equal to {wanted}", kind(found))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn as_text(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

/// One token of a JSON pointer (RFC 6901 4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
