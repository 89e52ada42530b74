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

use clap::Parser as _;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
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
