//! JSON objects read strictly: a member twice, at any depth, is an error and not a matter of who comes last
//! (RFC 7515 4, RFC 7517 4, RFC 7519 4).

mod object;

pub use object::{Element, Object};

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// The members of the JSON object that `bytes` hold, or nothing when they are anything else, when they repeat a member
/// (at any depth), or when more follows the object.
pub fn parse_object(bytes: &[u8]) -> Option<Map<String, Value>> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let members = object(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(members)
}

/// The same from any deserializer.
pub(crate) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    match Strict.deserialize(deserializer)? {
        Value::Object(members) => Ok(members),
        _ => Err(D::Error::custom("not an object")),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a JSON number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(Strict)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict)?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("repeated member"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc7515_4_repeated_members_are_refused() {
        assert_eq!(parse_object(br#"{"a":1,"a":1}"#), None);
        assert_eq!(parse_object(br#"{"a":1,"\u0061":2}"#), None);
        assert_eq!(parse_object(br#"{"a":{"b":1,"b":2}}"#), None);
        assert_eq!(parse_object(br#"{"a":[{"b":1,"b":2}]}"#), None);
        assert_eq!(parse_object(br#"{"a":1,"A":1}"#).unwrap().len(), 2);
    }

    #[test]
    fn only_one_object_and_nothing_after_it() {
        for bad in
            [&b"[]"[..], b"1", b"null", b"", b"{}{}", b"{} x", b"\xef\xbb\xbf{}", b"{\"a\":\"\xff\"}", b"{\"a\":1,}"]
        {
            assert_eq!(parse_object(bad), None, "{bad:?}");
        }
        assert!(parse_object(b" {} ").unwrap().is_empty());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parse_object(deep.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = parse_object(&bytes);
        }

        #[test]
        fn agrees_with_serde_json(text in r#"\{("[ab]":([0-9]{1,3}|"x"|\[\]|\{\}|null|true|-1|1\.5)(,"[cd]":1)?)?\}"#) {
            prop_assert_eq!(parse_object(text.as_bytes()).map(Value::Object), serde_json::from_str(&text).ok());
        }
    }
}
