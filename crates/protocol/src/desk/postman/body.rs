//! The body and the headers of a request, read and written.

use super::super::collection::{Body, Field, Header};
use super::super::note::{Notes, Why};
use super::super::secrets::Gathered;
use super::super::text::{HeaderName, Line};
use super::super::{MAX_LIST, MAX_TEXT};
use super::json::{Members, is_disabled, is_filled, list, text};
use serde_json::{Value, json};

/// The headers: objects, or lines of one text.
pub(super) fn read_headers(header: Option<&Value>, at: &str, made: &mut Gathered, notes: &mut Notes) -> Vec<Header> {
    let mut headers = Vec::new();
    let mut take = |name: &str, value: &str, at: &str, notes: &mut Notes| {
        let value = value.trim();
        match HeaderName::parse(name.trim()).zip(made.header(name.trim(), value, at, notes)) {
            Some((name, value)) if headers.len() < MAX_LIST => headers.push(Header { name, value }),
            _ => notes.add(at, Why::Unfit),
        }
    };
    match header {
        None | Some(Value::Null) => {}
        Some(Value::String(lines)) => {
            for (number, line) in lines.lines().filter(|line| !line.trim().is_empty()).enumerate() {
                let at = format!("{at}/{number}");
                match line.split_once(':') {
                    Some((name, value)) => take(name, value, &at, notes),
                    None => notes.add(&at, Why::Malformed),
                }
            }
        }
        Some(Value::Array(all)) => {
            for (number, one) in all.iter().enumerate() {
                let at = format!("{at}/{number}");
                match one {
                    Value::Object(one) if is_disabled(one) => notes.add(&at, Why::Disabled),
                    Value::Object(one) => take(text(one, "key"), text(one, "value"), &at, notes),
                    _ => notes.add(&at, Why::Malformed),
                }
            }
        }
        Some(_) => notes.add(at, Why::Malformed),
    }
    headers
}

/// The body, and the type that its language gives it.
pub(super) fn read(
    body: Option<&Value>,
    at: &str,
    made: &mut Gathered,
    notes: &mut Notes,
) -> (Body, Option<&'static str>) {
    let body = match body {
        None | Some(Value::Null) => return (Body::Empty, None),
        Some(Value::Object(body)) => body,
        Some(_) => {
            notes.add(at, Why::Malformed);
            return (Body::Empty, None);
        }
    };
    if is_disabled(body) {
        notes.add(at, Why::Disabled);
        return (Body::Empty, None);
    }
    match text(body, "mode") {
        "raw" => (raw(text(body, "raw"), at, notes), media_type(body)),
        "urlencoded" => (form(list(body, "urlencoded"), at, made, notes), None),
        "" => (Body::Empty, None),
        mode => {
            if body.get(mode).is_some_and(is_filled) {
                notes.add(at, Why::BodyMode(mode.chars().take(40).collect()));
            }
            (Body::Empty, None)
        }
    }
}

fn raw(text: &str, at: &str, notes: &mut Notes) -> Body {
    if text.len() > MAX_TEXT {
        notes.add(at, Why::Unfit);
        return Body::Empty;
    }
    if text.is_empty() { Body::Empty } else { Body::Text(text.to_owned()) }
}

/// Postman sends it when no header says another one.
fn media_type(body: &Members) -> Option<&'static str> {
    match body.get("options")?.get("raw")?.get("language")?.as_str()? {
        "json" => Some("application/json"),
        "xml" => Some("application/xml"),
        "html" => Some("text/html"),
        "javascript" => Some("application/javascript"),
        "text" => Some("text/plain"),
        _ => None,
    }
}

fn form(all: &[Value], at: &str, made: &mut Gathered, notes: &mut Notes) -> Body {
    let mut fields = Vec::new();
    for (number, one) in all.iter().enumerate() {
        let at = format!("{at}/urlencoded/{number}");
        match one {
            Value::Object(one) if is_disabled(one) => notes.add(&at, Why::Disabled),
            Value::Object(one) => {
                let name = text(one, "key");
                match made.field(name, text(one, "value"), &at, notes) {
                    Some(value) if fields.len() < MAX_LIST && name.len() <= MAX_TEXT => {
                        fields.push(Field { name: name.to_owned(), value });
                    }
                    _ => notes.add(&at, Why::Unfit),
                }
            }
            _ => notes.add(&at, Why::Malformed),
        }
    }
    if fields.is_empty() { Body::Empty } else { Body::Form(fields) }
}

/// Adds the type of the body when no header says it.
pub(super) fn with_media_type(headers: &mut Vec<Header>, media_type: Option<&str>) {
    let said = headers.iter().any(|header| header.name.as_str().eq_ignore_ascii_case("content-type"));
    let typed = HeaderName::parse("Content-Type").zip(media_type.and_then(Line::parse));
    if let Some((name, value)) = typed.filter(|_| !said && headers.len() < MAX_LIST) {
        headers.push(Header { name, value });
    }
}

/// The body as Postman has it.
pub(super) fn write(body: &Body) -> Option<Value> {
    match body {
        Body::Empty => None,
        Body::Text(text) => Some(json!({ "mode": "raw", "raw": text })),
        Body::Form(fields) => {
            let field = |field: &Field| json!({ "key": field.name, "value": field.value });
            Some(json!({ "mode": "urlencoded", "urlencoded": fields.iter().map(field).collect::<Vec<_>>() }))
        }
    }
}

/// The headers as Postman has them.
pub(super) fn write_headers(headers: &[Header]) -> Vec<Value> {
    headers.iter().map(|header| json!({ "key": header.name, "value": header.value })).collect()
}
