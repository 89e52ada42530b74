//! What is done to Grantor to see that nothing acknowledged is lost and nothing is spent twice. Each subcommand prints a
//! line per check, `ok …` or `not ok …`, and fails when one did.

mod common;
mod kill;
mod linearizability;
mod race;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Debug, Parser)]
#[command(name = "grantor-proof", about = "See that nothing acknowledged is lost and nothing is spent twice")]
struct Arguments {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Debug, Subcommand)]
enum Proof {
    /// SIGKILL under load, of nodes and of the database in turn
    Kill(kill::Arguments),
    /// Whether an order explains all answers of two nodes, judged by an independent checker
    Linearizability(linearizability::Arguments),
    /// Every verb against itself and its rivals, fifty at once, over two nodes
    Race(race::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().proof {
        Proof::Kill(arguments) => kill::run(arguments).await,
        Proof::Linearizability(arguments) => linearizability::run(arguments).await,
        Proof::Race(arguments) => race::run(arguments).await,
    }
}
