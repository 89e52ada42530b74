//! A single record from the command line: it goes the way of a manifest with one entry, so that it is checked, written
//! and logged in the same manner.

use crate::context::Context;
use crate::document::{Format, Source};
use crate::failure::{Failure, Result};
use crate::fresh;
use crate::manifest::{self, Applied, How, Kind, Safe, Step, What};
use crate::output::color;
use grantor_protocol::value::TenantName;
use grantor_store::{Change, Store};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Puts one record.
pub(crate) async fn put(
    store: &dyn Store,
    kind: Kind,
    record: Map<String, Value>,
    context: &Context,
) -> Result<Applied> {
    let manifest = json!({ kind.section(): [record] });
    let text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    let source = Source::new("the command line", text);
    let safe = Safe::Configured(&context.configuration);
    let applied = manifest::apply(store, &source, Format::Json, How::default(), safe, fresh::now()).await?;
    if !context.output.json {
        eprint!("{}", applied.warnings.render(color()));
    }
    Ok(applied)
}

/// Deletes one record.
pub(crate) async fn delete(
    store: &dyn Store,
    kind: Kind,
    tenant: TenantName,
    name: String,
    change: Change,
) -> Result<()> {
    let step = Step { tenant, kind, name, what: What::Deleted };
    Ok(manifest::execute(store, vec![change], None, &[step], fresh::now()).await?)
}

/// A record as a manifest has it.
pub(crate) fn members(record: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(record) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Why a record cannot be made: there is one of this name.
pub(crate) fn exists(kind: Kind, name: &str) -> Failure {
    Failure::new(format!("there is a {} {name} already", kind.as_str()))
        .hint(format!("change it with `grantor {} update {name}`", kind.as_str()))
}

/// Why a record cannot be found.
pub(crate) fn missing<'a>(kind: Kind, name: &str, known: impl IntoIterator<Item = &'a str>) -> Failure {
    let near = crate::document::nearest(name, known).map(|near| format!("did you mean {near}?"));
    let hint = near.unwrap_or_else(|| format!("`grantor {} list` prints all of them", kind.as_str()));
    Failure::new(format!("there is no {} {name}", kind.as_str())).hint(hint)
}
