//! Rows of a form, which work without a script: some are empty at the end, and one without a name is dropped.

use grantor_protocol::params::Params;
use grantor_web::PlainRow;

/// So many rows wait at the end of a list.
const EMPTY: usize = 3;

/// A text as it was sent; a browser ends lines in its own way (WHATWG HTML, "constructing the entry list").
pub(super) fn text(form: &Params, name: &str) -> String {
    form.get(name).unwrap_or_default().replace("\r\n", "\n")
}

/// What stands in one part of a row.
pub(super) fn row(form: &Params, kind: &str, number: usize, part: &str) -> String {
    text(form, &format!("{kind}.{number}.{part}"))
}

/// The numbers of the rows that were sent with a name, at most one more than there may be: that is too many.
pub(super) fn rows<'f>(form: &'f Params, kind: &'f str, most: usize) -> impl Iterator<Item = usize> + 'f {
    // Empty ones may stand between them.
    let named = move |number: &usize| form.get(&format!("{kind}.{number}.name")).is_some();
    (0..=most + EMPTY).filter(named)
}

/// Names with values.
pub(super) fn pairs(form: &Params, kind: &str, most: usize) -> Vec<PlainRow> {
    let pair = |number| PlainRow { name: row(form, kind, number, "name"), value: row(form, kind, number, "value") };
    rows(form, kind, most).map(pair).collect()
}

/// The same with empty ones at the end.
pub(super) fn padded<T: Default + Clone>(mut rows: Vec<T>) -> Vec<T> {
    rows.resize(rows.len() + EMPTY, T::default());
    rows
}

/// The lines of a text that are not empty.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}
