//! The tree as serde reads it, and what serde found wrong with the way to it.

use super::{Entry, Node, Shape, did_you_mean};
use grantor_jose::SigningAlgorithm;
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer as _, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// The tree, as serde reads it.
pub(super) struct Reader<'a>(pub(super) &'a Node);

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

/// One step down the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// What serde found wrong, and the way to it, from below.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) path: Vec<Step>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Unknown { name: String, expected: &'static [&'static str] },
    Missing(&'static str),
    Variant { name: String, expected: &'static [&'static str] },
    Other(String),
}

impl Kind {
    pub(super) fn message(&self, value: Option<&Node>) -> String {
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

    pub(super) fn help(&self) -> Option<String> {
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
