//! `grantor apply FILE`.

use super::count;
use crate::context::Context;
use crate::document::{Format, Source};
use crate::failure::{Context as _, Result};
use crate::manifest::{self, Applied, How, Safe, What};
use crate::output::{Output, color, line};
use crate::{fresh, open};
use clap::Args;
use grantor_store::{MemoryStore, Store};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// The manifest, TOML or JSON; - reads standard input
    file: PathBuf,
    /// Only print what would change
    #[arg(long)]
    dry_run: bool,
    /// Delete the APIs, clients and policies of these tenants that the manifest does not name
    #[arg(long)]
    prune: bool,
}

impl Apply {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let name = self.file.display().to_string();
        let text = if name == "-" {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context(|| "read standard input".to_owned())?;
            text
        } else {
            std::fs::read_to_string(&self.file).context(|| format!("read {name}"))?
        };
        let format = Format::guess(&name, &text);
        let store: Arc<dyn Store> = if self.dry_run && open::is_new(&context.configuration).await? {
            Arc::new(MemoryStore::default())
        } else {
            open::or_new(&context.configuration).await?
        };
        let how = How { dry_run: self.dry_run, prune: self.prune };
        let (source, safe) = (Source::new(name, text), Safe::Configured(&context.configuration));
        let applied = manifest::apply(&*store, &source, format, how, safe, fresh::now()).await?;
        report(&applied, self.dry_run, context.output)
    }
}

fn report(applied: &Applied, dry_run: bool, output: Output) -> Result<()> {
    if output.json {
        return line(&to_json(applied, dry_run).to_string());
    }
    eprint!("{}", applied.warnings.render(color()));
    for step in &applied.steps {
        let (mark, detail) = match &step.what {
            What::Created => ("+", String::new()),
            What::Changed(fields) => ("~", format!(": {}", fields.join(", "))),
            What::Unchanged => continue,
            What::Deleted => ("-", String::new()),
        };
        let tenant = if step.tenant.is_default() { String::new() } else { format!(" (tenant {})", step.tenant) };
        line(&format!("{mark} {} {}{tenant} {}{detail}", step.kind.as_str(), step.name, step.what.as_str()))?;
    }
    if !dry_run {
        for (_, client, secret) in &applied.generated {
            line(&format!("\nThe secret of {client}, shown this once:\n  {}", secret.expose()))?;
        }
    }
    let of = |wanted: fn(&What) -> bool| applied.steps.iter().filter(|step| wanted(&step.what)).count();
    let changed = of(|what| *what != What::Unchanged);
    let unchanged = of(|what| *what == What::Unchanged);
    line(&match (changed, dry_run) {
        (0, _) => format!("Nothing to do: {} as declared.", count(unchanged, "record")),
        (_, true) => format!(
            "This would change {} and leave {unchanged} as declared. Nothing was done.",
            count(changed, "record")
        ),
        (_, false) => format!("Changed {}; {unchanged} as declared before.", count(changed, "record")),
    })
}

fn to_json(applied: &Applied, dry_run: bool) -> Value {
    let changes: Vec<Value> = applied
        .steps
        .iter()
        .map(|step| {
            let mut change = json!({
                "tenant": step.tenant, "kind": step.kind.as_str(), "name": step.name, "change": step.what.as_str(),
            });
            if let (What::Changed(fields), Some(map)) = (&step.what, change.as_object_mut()) {
                map.insert("fields".to_owned(), fields.clone().into());
            }
            change
        })
        .collect();
    // A dry run stores nothing, so a secret that it made would open nothing.
    let generated = if dry_run { &[][..] } else { applied.generated.as_slice() };
    let secrets: Vec<Value> = generated
        .iter()
        .map(|(tenant, client, secret)| json!({ "tenant": tenant, "client_id": client, "client_secret": secret.expose() }))
        .collect();
    json!({ "dry_run": dry_run, "changes": changes, "secrets": secrets, "warnings": applied.warnings.to_json() })
}
