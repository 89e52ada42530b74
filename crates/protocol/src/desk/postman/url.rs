//! A URL of Postman's: a text, or its parts.

use super::super::note::{Notes, Why};
use super::super::text::Line;
use super::json::{Members, is_disabled, list, scalar, text};
use serde_json::Value;

/// The URL as one line.
pub(super) fn read(url: Option<&Value>, at: &str, notes: &mut Notes) -> Line {
    let (whole, variables) = match url {
        None | Some(Value::Null) => (String::new(), &[][..]),
        Some(Value::String(raw)) => (raw.clone(), &[][..]),
        Some(Value::Object(parts)) => {
            let raw = text(parts, "raw");
            let whole = if raw.is_empty() { joined(parts) } else { raw.to_owned() };
            (whole, list(parts, "variable"))
        }
        Some(_) => {
            notes.add(at, Why::Malformed);
            return Line::default();
        }
    };
    let whole = without_user(&whole, at, notes);
    let whole = in_place(whole, variables, at, notes);
    Line::parse(&whole).unwrap_or_else(|| {
        notes.add(at, Why::Unfit);
        Line::default()
    })
}

/// From its parts, as programs write it that leave the text out.
fn joined(parts: &Members) -> String {
    let mut whole = String::new();
    let protocol = text(parts, "protocol");
    if !protocol.is_empty() {
        whole.push_str(protocol.trim_end_matches("://").trim_end_matches(':'));
        whole.push_str("://");
    }
    whole.push_str(&several(parts.get("host"), "."));
    let port = parts.get("port").and_then(scalar).unwrap_or_default();
    if !port.is_empty() {
        whole.push(':');
        whole.push_str(&port);
    }
    let path = several(parts.get("path"), "/");
    if !path.is_empty() {
        if !path.starts_with('/') {
            whole.push('/');
        }
        whole.push_str(&path);
    }
    let query = list(parts, "query").iter().filter_map(Value::as_object).filter(|one| !is_disabled(one));
    for (number, one) in query.enumerate() {
        whole.push(if number == 0 { '?' } else { '&' });
        whole.push_str(text(one, "key"));
        if let Some(Value::String(value)) = one.get("value") {
            whole.push('=');
            whole.push_str(value);
        }
    }
    let hash = text(parts, "hash");
    if !hash.is_empty() {
        whole.push('#');
        whole.push_str(hash);
    }
    whole
}

/// A text, or several with something between them.
fn several(value: Option<&Value>, between: &str) -> String {
    let one = |value: &Value| match value {
        Value::Object(part) => text(part, "value").to_owned(),
        other => scalar(other).unwrap_or_default(),
    };
    match value {
        Some(Value::Array(all)) => all.iter().map(one).collect::<Vec<_>>().join(between),
        Some(value) => one(value),
        None => String::new(),
    }
}

/// Takes the credentials out of the authority (RFC 3986 3.2.1).
fn without_user(whole: &str, at: &str, notes: &mut Notes) -> String {
    let (scheme, rest) = whole.split_once("://").map_or(("", whole), |(scheme, rest)| (scheme, rest));
    let authority = rest.find(['/', '?', '#']).map_or(rest, |end| rest.get(..end).unwrap_or(rest));
    let Some((user, _)) = authority.rsplit_once('@') else { return whole.to_owned() };
    notes.add(at, Why::UserInUrl);
    let rest = rest.get(user.len() + 1..).unwrap_or_default();
    if scheme.is_empty() { rest.to_owned() } else { format!("{scheme}://{rest}") }
}

/// Puts the values of path variables in their places: `/notes/:id`.
fn in_place(whole: String, variables: &[Value], at: &str, notes: &mut Notes) -> String {
    let value_of = |name: &str| {
        let named =
            |one: &&Members| text(one, "key") == name || (text(one, "key").is_empty() && text(one, "id") == name);
        let found = variables.iter().filter_map(Value::as_object).find(named)?;
        found.get("value").and_then(scalar).filter(|value| !value.is_empty())
    };
    if variables.is_empty() {
        return whole;
    }
    let path_ends = whole.find(['?', '#']).unwrap_or(whole.len());
    let (path, rest) = whole.split_at(path_ends);
    let segment = |segment: &str| match segment.strip_prefix(':') {
        Some(name) if !name.is_empty() => value_of(name).unwrap_or_else(|| segment.to_owned()),
        _ => segment.to_owned(),
    };
    let filled = path.split('/').map(segment).collect::<Vec<_>>().join("/");
    if filled != path {
        notes.add(&format!("{at}/variable"), Why::LocalVariables);
    }
    filled + rest
}
