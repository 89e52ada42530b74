//! `grantor export`.

use crate::context::Context;
use crate::failure::{Context as _, Result};
use crate::manifest;
use crate::output::line;
use crate::{fresh, open};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// How to write it; --json is the same as --format json
    #[arg(long, value_enum, default_value_t = Form::Toml)]
    format: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Toml,
    Json,
}

impl Export {
    pub(crate) async fn run(self, context: &Context) -> Result<()> {
        let store = open::existing(&context.configuration).await?;
        let export = manifest::export(&*store, context.named_tenant(), fresh::now()).await?;
        let doing = || "write the manifest".to_owned();
        if context.output.json || self.format == Form::Json {
            line(&serde_json::to_string_pretty(&export).context(doing)?)
        } else {
            // TOML knows no null, which a JSON schema may hold.
            let text = toml::to_string(&export)
                .context(doing)
                .map_err(|failure| failure.hint("--format json can write everything".to_owned()))?;
            line(text.trim_end())
        }
    }
}
