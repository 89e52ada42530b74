//! What is done to Grantor to see that nothing acknowledged is lost and nothing is spent twice. Each subcommand prints a
//! line per check, `ok …` or `not ok …`, and fails when one did.

mod common;
mod cut_off;
mod failover;
mod kill;
mod linearizability;
mod race;
mod revocation;
mod rolling;

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
    /// A node that is cut off from PostgreSQL, and comes back
    CutOff(cut_off::Arguments),
    /// The primary dies and its standby takes over
    Failover(failover::Arguments),
    /// SIGKILL under load, of nodes and of the database in turn
    Kill(kill::Arguments),
    /// Whether an order explains all answers of two nodes, judged by an independent checker
    Linearizability(linearizability::Arguments),
    /// Every verb against itself and its rivals, fifty at once, over two nodes
    Race(race::Arguments),
    /// How long until the other nodes know what was taken back
    Revocation(revocation::Arguments),
    /// Three nodes behind nginx are restarted one after another
    Rolling(rolling::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().proof {
        Proof::CutOff(arguments) => cut_off::run(arguments).await,
        Proof::Failover(arguments) => failover::run(arguments).await,
        Proof::Kill(arguments) => kill::run(arguments).await,
        Proof::Linearizability(arguments) => linearizability::run(arguments).await,
        Proof::Race(arguments) => race::run(arguments).await,
        Proof::Revocation(arguments) => revocation::run(arguments).await,
        Proof::Rolling(arguments) => rolling::run(arguments).await,
    }
}
