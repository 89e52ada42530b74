//! `grantor config check`.

use crate::context::Context;
use crate::failure::Result;
use crate::output::{color, line};
use clap::Subcommand;
use serde_json::{Map, Value, json};

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print the configuration as it is in effect, and what looks wrong with it
    Check,
}

impl Config {
    pub(crate) fn run(self, context: &Context) -> Result<()> {
        let Self::Check = self;
        let configuration = &context.configuration;
        if context.output.json {
            let settings: Map<String, Value> = configuration
                .shown
                .iter()
                .map(|shown| (shown.name.to_owned(), json!({ "value": shown.value, "from": shown.from })))
                .collect();
            return line(&json!({ "settings": settings, "warnings": configuration.warnings.to_json() }).to_string());
        }
        let width =
            |length: fn(&crate::config::Shown) -> usize| configuration.shown.iter().map(length).max().unwrap_or(0);
        let names = width(|shown| shown.name.len());
        let values = width(|shown| shown.value.to_string().chars().count());
        for shown in &configuration.shown {
            line(&format!("{:names$} = {:values$}  # {}", shown.name, shown.value.to_string(), shown.from))?;
        }
        eprint!("{}", configuration.warnings.render(color()));
        match configuration.warnings.len() {
            0 => line("The configuration is good."),
            _ => line("The configuration can be used; see the warnings."),
        }
    }
}
