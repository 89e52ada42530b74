//! What may stand in a `.http` file.

use super::super::collection::Collection;
use super::super::note::{Notes, Why};
use super::super::parts::{Part, parts};
use super::super::text::{VariableName, is_one_line};
use super::super::tokens::Tokens;
use std::collections::{BTreeMap, BTreeSet};

/// The names of variables as the file has them: the programs take for a name what JavaScript does.
pub(super) struct Names(BTreeMap<VariableName, String>);

impl Names {
    pub(super) fn new(collection: &Collection, tokens: &Tokens<'_>, notes: &mut Notes) -> Self {
        let declared = collection.variables().iter().map(|variable| &variable.name);
        let added = tokens.all().iter().map(|needed| &needed.variable).chain(&tokens.missing);
        let mut names = BTreeMap::new();
        let mut taken = BTreeSet::new();
        for name in declared.chain(added) {
            let plain: String =
                name.as_str().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let plain = if plain.starts_with(|c: char| c.is_ascii_digit()) { format!("_{plain}") } else { plain };
            let again = (2..).map(|number| format!("{plain}_{number}"));
            let free = std::iter::once(plain.clone()).chain(again).find(|name| !taken.contains(name));
            let free = free.unwrap_or(plain);
            if free != name.as_str()
                && let Some(renamed) = VariableName::parse(&free)
            {
                notes.add(name.as_str(), Why::Renamed(renamed));
            }
            taken.insert(free.clone());
            names.insert(name.clone(), free);
        }
        Self(names)
    }

    /// What a variable is called there.
    pub(super) fn of<'n>(&'n self, name: &'n VariableName) -> &'n str {
        self.0.get(name).map_or(name.as_str(), String::as_str)
    }

    /// A text with the names of the file; refused when something in braces is no variable: it would be evaluated.
    pub(super) fn in_text(&self, text: &str) -> Result<String, Why> {
        let mut renamed = String::with_capacity(text.len());
        for part in parts(text) {
            match part {
                Part::Text(text) => renamed.push_str(text),
                Part::Name(name) => {
                    let name = VariableName::parse(name).and_then(|name| self.0.get(&name));
                    renamed.push_str("{{");
                    renamed.push_str(name.ok_or(Why::WouldBeEvaluated)?);
                    renamed.push_str("}}");
                }
            }
        }
        // Braces that are left must not open anything: `{{` that nobody closes, or `{` right before a name.
        let opens = |part| matches!(part, Part::Text(text) if text.contains("{{"));
        if renamed.contains("{{{") || parts(&renamed).any(opens) { Err(Why::WouldBeEvaluated) } else { Ok(renamed) }
    }

    /// The same where there is one line.
    pub(super) fn in_line(&self, text: &str) -> Result<String, Why> {
        if is_one_line(text) { self.in_text(text) } else { Err(Why::WouldBreakOut) }
    }
}

/// A name in a comment: braces in it are not for evaluation.
pub(super) fn comment(text: &str) -> String {
    text.replace("{{", "{ {").replace("}}", "} }")
}

/// A URL as it stands behind the method: without spaces, which would end it.
pub(super) fn url(url: &str) -> Option<String> {
    let encoded = url.trim().replace(' ', "%20");
    // Without a scheme or a variable it would be a path, and without anything no request at all.
    let begins = ["http://", "https://", "{{"].iter().any(|start| encoded.starts_with(start));
    begins.then_some(encoded)
}

/// How lines begin that are something else than a line of a body: separators, comments and the instructions in them,
/// files to include and to write, handlers, variables, assertions, answers, messages of a stream.
const BEGINNINGS: [&str; 10] = ["#", "//", "/*", "<", ">", "@", "??", "HTTP/", "===", "{%"];

/// Whether every line of a text is read as a line of a body.
pub(super) fn is_body(text: &str) -> bool {
    let is_line = |line: &str| {
        let line = line.trim_start();
        // XML is none of these: after its `<` there is a name, `?`, `!` or `/`.
        let xml = line.strip_prefix('<').is_some_and(|rest| {
            rest.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '?' | '!' | '/' | '_'))
        });
        xml || !BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
    };
    // Whatever ends a line for somebody: a lone carriage return too, and what Unicode has.
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    text.split(ends).all(is_line) && !text.contains('\0')
}
