//! The same strictness without copies, for objects that are looked at once.

use super::Strict;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::fmt;

/// The members of a JSON object, in the order in which they stand, none of them twice. Texts are borrowed where they have no
/// escapes.
#[derive(Clone, Debug, PartialEq)]
pub struct Object<'a>(Vec<(Cow<'a, str>, Element<'a>)>);

/// A JSON value that borrows its texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Element<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(Cow<'a, str>),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Object<'a>),
}

impl<'a> Object<'a> {
    /// As [`crate::parse_object`]: nothing when a member is repeated at any depth, or when anything else is wrong.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        Self::parse_text(std::str::from_utf8(bytes).ok()?)
    }

    /// The same, where it is known to be UTF-8.
    pub fn parse_text(text: &'a str) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let borrowing = Borrowing { room: text.len() / SHORT + 1 };
        let Element::Object(object) = borrowing.deserialize(&mut deserializer).ok()? else { return None };
        deserializer.end().ok()?;
        Some(object)
    }

    /// The member of this name.
    pub fn get(&self, name: &str) -> Option<&Element<'a>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every member.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Element<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }

    /// The same, to be kept.
    pub fn to_map(&self) -> Map<String, Value> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
    }

    fn repeats_a_name(&self) -> bool {
        let names = || self.0.iter().map(|(name, _)| name.as_ref());
        if self.0.len() <= FEW {
            return names().enumerate().any(|(nth, name)| names().take(nth).any(|before| before == name));
        }
        let mut names: Vec<&str> = names().collect();
        names.sort_unstable();
        names.iter().zip(names.iter().skip(1)).any(|(one, next)| one == next)
    }
}

impl<'a> Element<'a> {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if it is a list.
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Object<'a>> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Self::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The same, to be kept.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone().into_owned()),
            Self::Array(elements) => elements.iter().map(Self::to_value).collect(),
            Self::Object(object) => Value::Object(object.to_map()),
        }
    }
}

/// So many names are compared with each other faster than they are sorted.
const FEW: usize = 16;

/// A member of a header or of claims is hardly ever shorter, in bytes; and who says so little is not given more room.
const SHORT: usize = 24;

struct Borrowing {
    /// For how many members room is made at first.
    room: usize,
}

/// What is inside of something else has little in it.
const INNER: Borrowing = Borrowing { room: 1 };

impl<'de> DeserializeSeed<'de> for Borrowing {
    type Value = Element<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Element<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Borrowing {
    type Value = Element<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Strict.expecting(f)
    }

    fn visit_unit<E>(self) -> Result<Element<'de>, E> {
        Ok(Element::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Element<'de>, E> {
        Ok(Element::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Element<'de>, E> {
        Ok(Element::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Element<'de>, E> {
        Ok(Element::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Element<'de>, E> {
        Number::from_f64(value).map(Element::Number).ok_or_else(|| E::custom("not a JSON number"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Element<'de>, E> {
        Ok(Element::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Element<'de>, E> {
        Ok(Element::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Element<'de>, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(INNER)? {
            array.push(element);
        }
        Ok(Element::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Element<'de>, A::Error> {
        let mut object = Vec::with_capacity(self.room);
        while let Some(name) = members.next_key_seed(Name)? {
            object.push((name, members.next_value_seed(INNER)?));
        }
        let object = Object(object);
        if object.repeats_a_name() { Err(A::Error::custom("repeated member")) } else { Ok(Element::Object(object)) }
    }
}

/// The name of a member.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_object;
    use proptest::prelude::*;

    fn agree(text: &[u8]) -> Result<(), TestCaseError> {
        prop_assert_eq!(Object::parse(text).map(|object| object.to_map()), parse_object(text));
        Ok(())
    }

    #[test]
    fn rfc7515_4_repeated_members_are_refused_however_many_there_are() {
        for many in [1, FEW - 1, FEW, FEW + 1, 10 * FEW] {
            let members: Vec<String> = (0..many).map(|nth| format!(r#""m{nth}":{nth}"#)).collect();
            let good = format!("{{{}}}", members.join(","));
            assert_eq!(Object::parse(good.as_bytes()).unwrap().iter().count(), many);
            for twice in [0, many - 1] {
                for bad in [
                    format!(r#"{{{},"m{twice}":0}}"#, members.join(",")),
                    format!(r#"{{"m{twice}":0,{}}}"#, members.join(",")),
                ] {
                    assert_eq!(Object::parse(bad.as_bytes()), None, "{bad}");
                    assert_eq!(Object::parse(format!(r#"{{"a":[{bad}]}}"#).as_bytes()), None, "{bad}");
                }
            }
        }
        assert_eq!(Object::parse(br#"{"a":1,"\u0061":2}"#), None);
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let object = Object::parse(br#"{"a":"b","c\n":"d\n"}"#).unwrap();
        assert!(matches!(object.get("a"), Some(Element::Text(Cow::Borrowed("b")))));
        assert_eq!(object.get("c\n").and_then(Element::as_str), Some("d\n"));
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(Object::parse(deep.as_bytes()), None);
    }

    /// JSON, more or less.
    fn texts() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            "null|true|false|-?[0-9]{1,20}|[0-9]e[0-9]{1,3}|\"[a-c\\\\n]{0,3}\"",
            Just("\"\\u0061\"".to_owned()),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(","))),
                proptest::collection::vec(("[a-c]|\\\\u0061", inner), 0..4).prop_map(|all| {
                    let members: Vec<_> = all.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
                    format!("{{{}}}", members.join(", "))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_the_other_reads(text in texts(), more in "[ x{}]{0,2}") {
            agree(text.as_bytes())?;
            agree(format!("{text}{more}").as_bytes())?;
            agree(format!("{{\"m\":{text}}}").as_bytes())?;
        }

        #[test]
        fn arbitrary_bytes_are_read_alike(bytes: Vec<u8>, text in r#"[{}\[\]",:0-9a\\ ]{0,24}"#) {
            agree(&bytes)?;
            agree(text.as_bytes())?;
        }
    }
}
