//! `grantor backup FILE`.

use crate::config::MasterKeyAt;
use crate::context::Context;
use crate::failure::{Context as _, Failure, Result};
use crate::open;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The new file; it must not exist
    file: PathBuf,
}

impl Backup {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        if let Some(cluster) = &context.configuration.cluster {
            return Err(Failure::usage(format!("{} is not copied into a file", cluster.shown())).hint(
                "use the tools of the database: pg_dump, or an archive for recovery to a point in time; after putting it \
                 back, `grantor restore --moved`"
                    .to_owned(),
            ));
        }
        let store = open::existing(&context.configuration).await?;
        let file = self.file.display();
        if self.file.exists() {
            return Err(Failure::new(format!("{file} exists already")).hint("a backup never overwrites".to_owned()));
        }
        store.backup(&self.file).await?;
        let size = std::fs::metadata(&self.file).context(|| format!("look at {file}"))?.len();
        context.output.say(format!("Wrote {file} ({size} bytes)."))?;
        let key = match &context.configuration.master_key {
            MasterKeyAt::Data => Some(context.configuration.data.join(crate::master_key::FILE)),
            MasterKeyAt::File(path) => Some(path.clone()),
            MasterKeyAt::Environment(_) => None,
        };
        let key = key.map_or_else(|| "GRANTOR_MASTER_KEY".to_owned(), |path| path.display().to_string());
        context.output.say(format!(
            "Its keys are sealed with the master key ({key}), which is not in it: keep that too, and elsewhere."
        ))?;
        context.output.value(|| json!({ "file": self.file, "bytes": size, "master_key": key }))
    }
}
