//! `grantor`: an OAuth 2.1 and OpenID Connect authorization server in one binary. This crate is the composition root: it
//! reads the configuration, opens the store, and starts the server or carries out a single step.

mod cli;
mod command;
mod config;
mod context;
mod demo;
mod document;
mod failure;
mod fresh;
mod log;
mod manifest;
mod master_key;
mod open;
mod output;
mod revocation;
mod running;
mod scratch;
mod supervisor;

use clap::Parser as _;
use std::process::ExitCode;

/// Reads the command line and carries it out.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let output = cli.output();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failure::Failure::new(format!("cannot start: {error}")).report(output.json, false),
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(output.json, output::color()),
    }
}

/// What is wrong with the text of a manifest by itself, for people, with lines and carets; nothing when it can be read.
/// `name` tells the format: `x.json`, else TOML.
pub fn problems_of_manifest(name: &str, text: &str) -> String {
    manifest::problems_of(name, text)
}

/// The same for a configuration file.
pub fn problems_of_configuration(text: &str) -> String {
    config::problems_of(text)
}
