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
#[cfg(feature = "undefended")]
mod undefended;

use clap::Parser as _;
use std::io;
use std::num::NonZero;
use std::process::ExitCode;
use std::thread::available_parallelism;
use tokio::runtime::{Builder, Runtime};

/// One task in so many is taken from those that another thread woke, as the one that tells what the store has done.
const FROM_OUTSIDE: u32 = 4;

/// Reads the command line and carries it out.
pub fn run() -> ExitCode {
    let cli = cli::Cli::parse();
    let output = cli.output();
    #[cfg(feature = "undefended")]
    if let Err(failure) = undefended::begin() {
        return failure.report(output.json, output::color());
    }
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failure::Failure::new(format!("cannot start: {error}")).report(output.json, false),
    };
    match runtime.block_on(cli.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(output.json, output::color()),
    }
}

/// With one processor one thread does everything. A runtime of many threads has a line for each and one for all; what falls out
/// of the former waits behind everything that came later, and with one processor that helps nobody.
fn runtime() -> io::Result<Runtime> {
    let alone = available_parallelism().is_ok_and(|threads| threads == NonZero::<usize>::MIN);
    let mut builder = if alone { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().global_queue_interval(FROM_OUTSIDE).build()
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
