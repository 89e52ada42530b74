//! The benchmarks of Grantor, each against a ceiling that is measured in the same run.

#![expect(clippy::cast_precision_loss, reason = "figures for people: none has 52 bits")]

mod affinity;
mod ceiling;
mod failure;
mod http;
mod load;
mod machine;
mod measure;
mod path;
mod process;
mod report;
mod rows;
mod run;
mod section;
mod simulation;
mod site;

use clap::{Parser, Subcommand};
use failure::Result;
use std::process::ExitCode;

/// What the server uses as well.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The benchmarks of Grantor.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything, or what `--only` names
    Run(run::Run),
    /// Single paths: a table, nothing else
    Path(run::Single),
    /// What a node, ten nodes, a region and the planet need, from the figures of a run
    Simulate(simulation::Simulate),
    /// The fixed-body server that paths are held against
    Ceiling(ceiling::Ceiling),
    /// Rows committed by bare SQLite
    Rows(rows::Bare),
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("grantor-bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<bool> {
    match command {
        Command::Run(run) => run.run(),
        Command::Path(single) => single.run(),
        Command::Simulate(simulate) => simulate.run().map(|()| true),
        Command::Ceiling(ceiling) => ceiling.run().map(|()| true),
        Command::Rows(rows) => rows.run().map(|()| true),
    }
}
