//! TOML into the tree.

use super::{Entry, Node, Problem, Problems, Shape, Source};
use serde_spanned::Spanned;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The tree of a TOML text. Every error of syntax is said, not just the first.
pub(super) fn parse(source: &Arc<Source>, problems: &mut Problems) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        let whole = source.place(0..source.text.len());
        return Some(Node::new(whole, convert_table(source, table.into_inner())));
    }
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        problems.push(Problem::error(format!("this is no TOML: {}", error.message())).at(source.place(span)));
    }
    None
}

fn convert(source: &Arc<Source>, value: Spanned<DeValue<'_>>) -> Node {
    let place = source.place(value.span());
    let shape = match value.into_inner() {
        DeValue::String(text) => Shape::Text(text.into_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(integer) => Shape::Integer(integer),
            Err(_) => Shape::Float(number.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Float(number) => Shape::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Shape::Boolean(value),
        DeValue::Datetime(moment) => Shape::Text(moment.to_string()),
        DeValue::Array(items) => Shape::List(items.into_iter().map(|item| convert(source, item)).collect()),
        DeValue::Table(table) => convert_table(source, table),
    };
    Node::new(place, shape)
}

fn convert_table(source: &Arc<Source>, table: DeTable<'_>) -> Shape {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            place: source.place(key.span()),
            key: key.into_inner().into_owned(),
            value: convert(source, value),
        })
        .collect();
    entries.sort_by_key(|entry| entry.place.span.start);
    Shape::Table(entries)
}
