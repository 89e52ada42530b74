//! The tree into records, finding every problem and not only the first: what is wrong is said, taken out of the tree,
//! and reading starts again, until it succeeds. A required value that is missing is filled in for the same reason; the
//! record is then never used.

use super::{Entry, Node, Place, Problem, Problems, Shape, did_you_mean};
use grantor_jose::SigningAlgorithm;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor,
};
use std::fmt;

/// Stands in for a missing text, whatever kind of name or URI it should have been.
const STAND_IN: &str = "urn:missing";

/// More problems than this in one record help nobody.
const MOST: usize = 200;

/// Reads a record. `also` are further words that are right in its place, for the help with a wrong one. Gives the
/// record even when something in it was wrong (the node is tainted then), as far as that is possible.
pub(crate) fn decode<T: DeserializeOwned>(node: &mut Node, also: &[&str], problems: &mut Problems) -> Option<T> {
    let mut removed: Vec<(Vec<Step>, String)> = Vec::new();
    for _ in 0..MOST {
        let mut fault = match T::deserialize(Reader(node)) {
            Ok(record) => return Some(record),
            Err(fault) => fault,
        };
        fault.path.reverse();
        let Fault { path, kind } = fault;
        match &kind {
            Kind::Unknown { name, expected } => {
                let (table, key) = (walk(node, &path), name.as_str());
                let place = table.and_then(|table| table.entry(key)).map(|entry| entry.place.clone());
                let extra = if path.is_empty() { also } else { &[] };
                let help = did_you_mean(key, expected.iter().copied().chain(extra.iter().copied()));
                problems.push(at(Problem::error(format!("{key} is not known here")), place).help(help));
                take_out(node, &path, &Step::Key(name.clone()))?;
            }
            Kind::Missing(key) => {
                if !removed.iter().any(|(at, gone)| *at == path && gone == key) {
                    let place = walk(node, &path).map(|table| table.place.clone());
                    problems.push(at(Problem::error(format!("{key} is missing")), place));
                }
                fill_in(node, &path, key)?;
            }
            Kind::Variant { .. } | Kind::Other(_) => {
                let place = walk(node, &path).map(|value| value.place.clone());
                let (last, above) = path.split_last()?;
                if walk(node, &path).is_some_and(is_stand_in) {
                    return None;
                }
                problems.push(at(Problem::error(kind.message(walk(node, &path))), place).help(kind.help()));
                take_out(node, above, last)?;
                if let Step::Key(key) = last {
                    removed.push((above.to_vec(), key.clone()));
                }
            }
        }
    }
    None
}

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// What serde found wrong, and the way to it, from below.
#[derive(Debug)]
struct Fault {
    path: Vec<Step>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Unknown { name: String, expected: &'static [&'static str] },
    Missing(&'static str),
    Variant { name: String, expected: &'static [&'static str] },
    Other(String),
}

impl Kind {
    fn message(&self, value: Option<&Node>) -> String {
        match self {
            Self::Unknown { name, .. } => format!("{name} is not known here"),
            Self::Missing(key) => format!("{key} is missing"),
            Self::Variant { name, .. } => format!("{name:?} is not known here"),
            Self::Other(said) if said.contains("untagged enum") => {
                format!("this cannot be {}", value.map_or("this", Node::kind))
            }
            Self::Other(said) if said == "unknown algorithm" => "this algorithm is not known".to_owned(),
            Self::Other(said) => said.replace("invalid type: ", "this cannot be ").replace("string", "text"),
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Variant { name, expected } => did_you_mean(name, expected.iter().copied()),
            Self::Other(said) if said == "unknown algorithm" => {
                let all: Vec<&str> = SigningAlgorithm::ALL.iter().map(|algorithm| algorithm.as_str()).collect();
                Some(format!("known here: {}", all.join(", ")))
            }
            _ => None,
        }
    }
}

impl Fault {
    fn new(kind: Kind) -> Self {
        Self { path: Vec::new(), kind }
    }

    fn below(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::new(Kind::Other(said.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Unknown { name: field.to_owned(), expected })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Kind::Variant { name: variant.to_owned(), expected })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind.message(None))
    }
}

impl std::error::Error for Fault {}

fn at(problem: Problem, place: Option<Place>) -> Problem {
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

fn walk<'a>(node: &'a Node, path: &[Step]) -> Option<&'a Node> {
    path.iter().try_fold(node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(index) => node.item(*index),
    })
}

/// The node at the end of the path; all on the way there is tainted.
fn taint<'a>(node: &'a mut Node, path: &[Step]) -> Option<&'a mut Node> {
    node.tainted = true;
    path.iter().try_fold(node, |node, step| {
        let next = match (&mut node.shape, step) {
            (Shape::Table(entries), Step::Key(key)) => {
                entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.value)
            }
            (Shape::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        }?;
        next.tainted = true;
        Some(next)
    })
}

fn take_out(node: &mut Node, above: &[Step], last: &Step) -> Option<()> {
    match (&mut taint(node, above)?.shape, last) {
        (Shape::Table(entries), Step::Key(key)) => entries.retain(|entry| entry.key != *key),
        (Shape::List(items), Step::Index(index)) if *index < items.len() => {
            items.remove(*index);
        }
        _ => return None,
    }
    Some(())
}

fn fill_in(node: &mut Node, path: &[Step], key: &str) -> Option<()> {
    let table = taint(node, path)?;
    let place = table.place.clone();
    let Shape::Table(entries) = &mut table.shape else { return None };
    let value = Node { place: place.clone(), shape: Shape::Text(STAND_IN.to_owned()), tainted: true };
    entries.push(Entry { key: key.to_owned(), place, value });
    Some(())
}

fn is_stand_in(node: &Node) -> bool {
    node.tainted && matches!(&node.shape, Shape::Text(text) if text == STAND_IN)
}

struct Reader<'a>(&'a Node);

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.shape {
            Shape::Null => visitor.visit_unit(),
            Shape::Boolean(value) => visitor.visit_bool(*value),
            Shape::Integer(value) => visitor.visit_i64(*value),
            Shape::Float(value) => visitor.visit_f64(*value),
            Shape::Text(text) => visitor.visit_borrowed_str(text),
            Shape::List(items) => visitor.visit_seq(Items(items.iter().enumerate())),
            Shape::Table(entries) => visitor.visit_map(Entries { left: entries.iter(), current: None }),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0.shape {
            Shape::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match &self.0.shape {
            Shape::Text(text) => visitor.visit_enum(StrDeserializer::<Fault>::new(text)),
            _ => Err(Fault::new(Kind::Other(format!("this cannot be {}, it is one of a few words", self.0.kind())))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

struct Items<'de>(std::iter::Enumerate<std::slice::Iter<'de, Node>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        let Some((index, item)) = self.0.next() else { return Ok(None) };
        seed.deserialize(Reader(item)).map(Some).map_err(|fault| fault.below(Step::Index(index)))
    }
}

struct Entries<'de> {
    left: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Fault> {
        self.current = self.left.next();
        let Some(entry) = self.current else { return Ok(None) };
        let key: StrDeserializer<'_, Fault> = entry.key.as_str().into_deserializer();
        match seed.deserialize(key) {
            Ok(key) => Ok(Some(key)),
            // A key that is itself a value, as in the roles of a user, which are keyed by audience.
            Err(fault) if matches!(fault.kind, Kind::Other(_)) => Err(fault.below(Step::Key(entry.key.clone()))),
            Err(fault) => Err(fault),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Fault> {
        let Some(entry) = self.current else { return Err(Fault::new(Kind::Other("a value without a key".to_owned()))) };
        seed.deserialize(Reader(&entry.value)).map_err(|fault| fault.below(Step::Key(entry.key.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Format, Source};
    use super::*;
    use grantor_protocol::client::ClientMetadata;
    use grantor_protocol::directory::Api;

    fn lines<T: DeserializeOwned>(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        let mut tree = Source::new("x.toml", text).parse(Format::Toml, &[], &mut problems).unwrap();
        let _ = decode::<T>(&mut tree, &[], &mut problems);
        assert_eq!(tree.tainted, !problems.is_empty());
        problems.sorted().lines()
    }

    #[test]
    fn every_problem_is_found_where_it_stands() {
        let text = r#"
redirect_uri = ["https://a.example/cb"]
client_id = "a b"
grant_types = ["authorization_code", "client_credential"]
default_max_age = -1
redirect_uris = ["https://a.example/cb", "http://a.example/cb"]
"#;
        assert_eq!(
            lines::<ClientMetadata>(text),
            [
                "2:1 error: redirect_uri is not known here (did you mean redirect_uris?)",
                "3:13 error: \"a b\" is not a valid ClientId",
                "4:38 error: \"client_credential\" is not known here (did you mean client_credentials?)",
                "5:19 error: invalid value: integer `-1`, expected u32",
                "6:42 error: \"http://a.example/cb\" is no redirect URI: https (or http on loopback, or a private-use scheme with a dot), absolute, without a fragment",
            ]
        );
    }

    #[test]
    fn everything_that_is_missing_is_said() {
        let text = "[[scopes]]\ndescription = \"x\"\n[token]\nalgorithm = \"ES257\"\nformat = 1\n";
        let found = lines::<Api>(text);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(found.contains(&"1:1 error: audience is missing".to_owned()), "{found:#?}");
        assert!(found.contains(&"1:1 error: name is missing".to_owned()), "{found:#?}");
        assert!(
            found[3].starts_with("4:13 error: this algorithm is not known (known here: ES256, RS256"),
            "{found:#?}"
        );
        assert!(found[4].starts_with("5:10 error: this cannot be a number"), "{found:#?}");
    }
}
