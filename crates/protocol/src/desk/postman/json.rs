//! Members of somebody else's JSON.

use serde_json::{Map, Value};

pub(super) type Members = Map<String, Value>;

/// A member that is a text; an absent one is empty.
pub(super) fn text<'v>(members: &'v Members, name: &str) -> &'v str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A member that is a list; an absent one is empty.
pub(super) fn list<'v>(members: &'v Members, name: &str) -> &'v [Value] {
    members.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Whether it says of itself that it does not count.
pub(super) fn is_disabled(members: &Members) -> bool {
    members.get("disabled") == Some(&Value::Bool(true)) || members.get("enabled") == Some(&Value::Bool(false))
}

/// Whether there is something in it.
pub(super) fn is_filled(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A description: a text, or an object with the text and its type.
pub(super) fn description(members: &Members) -> &str {
    match members.get("description") {
        Some(Value::Object(description)) => text(description, "content"),
        _ => text(members, "description"),
    }
}

/// A value as the text that is sent for it; none for what is a structure.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
