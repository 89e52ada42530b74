//! A file, an environment variable or a command line as a tree in which everything knows the place where it stands.
//!
//! TOML and JSON become the same tree; [`decode`] turns it into records and finds every problem on the way.

mod decode;
mod fields;
mod json;
mod nearest;
mod problem;
mod reader;
mod toml;

pub(crate) use decode::decode;
pub(crate) use fields::fields_of;
pub(crate) use nearest::{did_you_mean, nearest};
pub(crate) use problem::{Problem, Problems};

use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Where a text came from: a file, or something that is shown as if it were one.
#[derive(Debug)]
pub(crate) struct Source {
    /// What the reader calls it.
    pub(crate) name: String,
    /// All of it.
    pub(crate) text: String,
    /// All of it, with stars for secrets.
    masked: OnceLock<String>,
    /// The same while nobody knows yet what stands where.
    blindly_masked: OnceLock<String>,
}

/// A part of a source.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// In which source.
    pub(crate) source: Arc<Source>,
    /// Which bytes.
    pub(crate) span: Range<usize>,
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Where it stands.
    pub(crate) place: Place,
    /// What it is.
    pub(crate) shape: Shape,
    /// Whether something in it was wrong and has been said already.
    pub(crate) tainted: bool,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    /// JSON's null.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text; TOML's dates too.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A table, in the order of the source.
    Table(Vec<Entry>),
}

/// A key of a table and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Where the key stands.
    pub(crate) place: Place,
    /// Its value.
    pub(crate) value: Node,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// By the ending of the name, else by the first character: a TOML document never begins with a brace.
    pub(crate) fn guess(name: &str, text: &str) -> Self {
        let ending = std::path::Path::new(name).extension().map(std::ffi::OsStr::to_ascii_lowercase);
        match ending.as_deref().and_then(std::ffi::OsStr::to_str) {
            Some("json") => Self::Json,
            Some("toml") => Self::Toml,
            _ if text.trim_start().starts_with('{') => Self::Json,
            _ => Self::Toml,
        }
    }
}

impl Source {
    /// A source of this name.
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            masked: OnceLock::new(),
            blindly_masked: OnceLock::new(),
        })
    }

    /// The tree; none when the text cannot be read at all. The values of `secrets` are never shown in a problem.
    pub(crate) fn parse(self: &Arc<Self>, format: Format, secrets: &[&str], problems: &mut Problems) -> Option<Node> {
        let _ = self.blindly_masked.set(mask_blindly(&self.text, secrets));
        let tree = match format {
            Format::Toml => toml::parse(self, problems),
            Format::Json => json::parse(self, problems),
        }?;
        let mut masked = self.text.clone().into_bytes();
        tree.mask(secrets, &mut masked);
        if let Ok(masked) = String::from_utf8(masked) {
            let _ = self.masked.set(masked);
        }
        Some(tree)
    }

    /// What may be shown of it.
    pub(crate) fn shown(&self) -> &str {
        self.masked.get().or(self.blindly_masked.get()).unwrap_or(&self.text)
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    pub(crate) fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset = offset.saturating_sub(1);
        }
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline.saturating_add(1));
        let line = before.matches('\n').count().saturating_add(1);
        let column = before.get(line_start..).unwrap_or_default().chars().count().saturating_add(1);
        (line, column)
    }

    /// A place in it.
    pub(crate) fn place(self: &Arc<Self>, span: Range<usize>) -> Place {
        Place { source: Arc::clone(self), span }
    }
}

impl Node {
    /// A value at a place.
    pub(crate) fn new(place: Place, shape: Shape) -> Self {
        Self { place, shape, tainted: false }
    }

    /// The entry of this key, when this is a table that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.shape {
            Shape::Table(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The value of this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The element at this index.
    pub(crate) fn item(&self, index: usize) -> Option<&Self> {
        match &self.shape {
            Shape::List(items) => items.get(index),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self.shape {
            Shape::Null => "null",
            Shape::Boolean(_) => "a boolean",
            Shape::Integer(_) | Shape::Float(_) => "a number",
            Shape::Text(_) => "a text",
            Shape::List(_) => "a list",
            Shape::Table(_) => "a table",
        }
    }

    fn mask(&self, secrets: &[&str], text: &mut [u8]) {
        match &self.shape {
            Shape::List(items) => items.iter().for_each(|item| item.mask(secrets, text)),
            Shape::Table(entries) => {
                for entry in entries {
                    if secrets.contains(&entry.key.as_str()) {
                        let Some(bytes) = text.get_mut(entry.value.place.span.clone()) else { continue };
                        bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
                    } else {
                        entry.value.mask(secrets, text);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Of a text that cannot be read nobody knows where a secret ends: what follows the name of one is hidden up to the end
/// of its line, or up to the end of all when it may go on over several.
fn mask_blindly(text: &str, secrets: &[&str]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for (at, name) in secrets.iter().flat_map(|secret| text.match_indices(secret)) {
        let start = at + name.len();
        let rest = text.get(start..).unwrap_or_default();
        let line = rest.split('\n').next().unwrap_or_default();
        let several = ["\"\"\"", "'''"].iter().any(|quotes| line.contains(quotes));
        let length = if several { rest.len() } else { line.len() };
        let hidden = bytes.iter_mut().skip(start).take(length).filter(|byte| !matches!(**byte, b'\n' | b'\r'));
        hidden.for_each(|byte| *byte = b'*');
    }
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_cannot_be_read_shows_no_secret() {
        let hidden = mask_blindly("a = 1\npassword = \"x\u{e9}y\" # z\nb = \u{1}", &["password"]);
        assert_eq!(hidden, "a = 1\npassword*************\nb = \u{1}");
        let several = mask_blindly("password = \"\"\"\nx\ny\"\"\"", &["password"]);
        assert_eq!(several, "password******\n*\n****");
        let mut problems = Problems::default();
        let source = Source::new("m.toml", "password = \"s3cret\"\n\"\u{1}\" = 1");
        assert!(source.parse(Format::Toml, &["password"], &mut problems).is_none());
        assert!(!problems.render(false).contains("s3cret"));
    }
}
