//! What one verification of an access token costs, by `grantor-resource` and by what else there is: on the same tokens and
//! keys, in turn, on the core that this process was given. Prints one JSON object; `cargo xtask bench --only resource`
//! makes tables of it.

mod contender;
mod given;
mod grantor;
mod huskarl;
mod jsonwebtoken;
mod peer;
mod probe;
mod tower_oauth2;

use anyhow::{Result, bail};
use clap::Parser;
use contender::{Contender, Kind};
use given::Given;
use peer::Peer;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Parser)]
struct Options {
    /// How long each turn lasts, in milliseconds
    #[arg(long, default_value_t = 100)]
    millis: u64,
    /// How many turns each has; the best one counts
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Where tokens and keys are written for the processes
    #[arg(long, default_value = "target/bench/resource-tokens.json")]
    tokens: PathBuf,
    /// The script that is run by node, where npm's jose is found from it
    #[arg(long)]
    jose: Option<PathBuf>,
    /// The Python that has PyJWT
    #[arg(long, requires = "pyjwt")]
    python: Option<PathBuf>,
    /// The script that it runs
    #[arg(long)]
    pyjwt: Option<PathBuf>,
}

/// What is printed.
#[derive(Debug, Default, Serialize)]
struct Report {
    figures: Vec<Figure>,
    /// What is wrong with a token, and who refuses it.
    probes: Vec<Probed>,
    /// Who takes part, and what of it is measured.
    about: BTreeMap<&'static str, &'static str>,
}

#[derive(Debug, Serialize)]
struct Figure {
    algorithm: String,
    name: &'static str,
    kind: Kind,
    /// Seconds for one verification.
    seconds: f64,
}

#[derive(Debug, Serialize)]
struct Probed {
    wrong: &'static str,
    refused_by: Vec<&'static str>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let given = Given::new()?;
    given.write(&options.tokens)?;
    let mut peers = Vec::new();
    if let Some(script) = &options.jose {
        peers.push(Peer::start("npm jose", "node".as_ref(), script, &options.tokens)?);
    }
    if let (Some(python), Some(script)) = (&options.python, &options.pyjwt) {
        peers.push(Peer::start("PyJWT", python, script, &options.tokens)?);
    }
    let mut report = Report::default();
    for signed in &given.signed {
        let mut contenders: Vec<Box<dyn Contender + '_>> = Vec::new();
        contenders.push(Box::new(grantor::bare(&runtime, &given, signed)?));
        contenders.extend(grantor::all(&runtime, &given, signed)?);
        contenders.push(Box::new(jsonwebtoken::new(&runtime, &given, signed)?));
        contenders.push(Box::new(huskarl::new(&runtime, &given, signed)?));
        contenders.push(Box::new(tower_oauth2::new(&runtime, &given, signed)?));
        for peer in &mut peers {
            contenders.push(Box::new(peer.of(signed.algorithm)));
        }
        if report.probes.is_empty() {
            report.probes = probe::all(&given, signed, &mut contenders)?;
        }
        let mut best = vec![f64::INFINITY; contenders.len()];
        for _ in 0..options.rounds.max(1) {
            for (contender, best) in contenders.iter_mut().zip(&mut best) {
                *best = best.min(contender.round(Duration::from_millis(options.millis))?);
            }
        }
        for (contender, seconds) in contenders.iter().zip(best) {
            if !seconds.is_finite() || seconds <= 0.0 {
                bail!("{} measured nothing", contender.name());
            }
            let (algorithm, name, kind) = (signed.algorithm.to_string(), contender.name(), contender.kind());
            report.figures.push(Figure { algorithm, name, kind, seconds });
            report.about.insert(name, contender.about());
        }
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}
