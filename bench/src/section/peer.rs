//! A peer that can be installed, side by side: npm's oidc-provider.

use super::{Scale, Section};
use crate::affinity::{Core, pin};
use crate::failure::{Result, broken};
use crate::http::{self, Connection};
use crate::load::{Cycle, Script};
use crate::measure::{Asked, median, ratio};
use crate::path::{CHAINS, Chains, Path, Stage, credentials_of};
use crate::process::{Process, free_address};
use crate::report::mib;
use crate::site::{Api, Population, Site, first_grant_tokens, form_of, post, secret};
use std::path::Path as File;
use std::process::Command;

/// Grants whose tokens are introspected, beside those that are refreshed: its store in memory keeps a thousand records.
const INTROSPECTED: usize = 16;
/// What is installed, and what is run there.
const FILES: [&str; 3] = ["package.json", "oidc-provider.mjs", "jose.mjs"];

pub(crate) fn run(scale: Scale) -> Result<Section> {
    let (peer, theirs) = start()?;
    let site = Site::new("peer")?;
    drop(site.start()?);
    let needed = CHAINS + INTROSPECTED;
    Population { grants: u64::try_from(needed)?, ..Population::default() }.put(&site)?;
    let ours = first_grant_tokens(&site, 0..u64::try_from(needed)?)?;
    pin(Core::Load);
    let server = site.start()?;
    let mut section = Section::new(
        "Beside npm oidc-provider",
        "The same requests, on the same core, in turn. What differs: oidc-provider keeps everything in memory and forgets all but \
         the last thousand records, writes no audit log, and loses everything when it ends; Grantor syncs each refresh to the \
         disk before it answers and logs each request in the database. Both rotate refresh tokens at each use.",
        &[
            "path",
            "Grantor req/s",
            "peer req/s",
            "times",
            "Grantor CPU us",
            "peer CPU us",
            "times",
            "Grantor p99 us",
            "peer p99 us",
        ],
    );
    // Introspection first: later requests push its tokens out of the peer's memory.
    for path in
        [Path::IntrospectOpaque, Path::Refresh, Path::TokenOpaque, Path::TokenEs256, Path::TokenRs256, Path::Jwks]
    {
        let (own, foreign): (_, Box<dyn Script>) = match path {
            Path::IntrospectOpaque => {
                let (ours, theirs) = (ours.get(CHAINS..).unwrap_or_default(), theirs.get(CHAINS..).unwrap_or_default());
                (path.stage(&site, ours)?, Box::new(introspections(&peer, theirs)?))
            }
            Path::Refresh => {
                let (ours, theirs) = (ours.get(..CHAINS).unwrap_or_default(), theirs.get(..CHAINS).unwrap_or_default());
                (path.stage(&site, ours)?, Box::new(Chains::new(theirs.to_vec(), CHAINS)))
            }
            Path::Jwks => (path.stage(&site, &[])?, Box::new(Cycle::new(vec![http::get("/jwks", &[])]))),
            Path::TokenEs256 => (path.stage(&site, &[])?, one(credentials_of("machine", Api::Es256))),
            Path::TokenRs256 => (path.stage(&site, &[])?, one(credentials_of("machine", Api::Rs256))),
            _ => (path.stage(&site, &[])?, one(credentials_of("machine", Api::Opaque))),
        };
        let mut both = [Asked::new(&server, own), Asked::new(&peer, Stage { script: foreign, refill: None })];
        let mut measured = [(Vec::new(), Vec::new(), Vec::new()), (Vec::new(), Vec::new(), Vec::new())];
        for _ in 0..scale.pace.rounds {
            for (asked, (rates, cpus, tails)) in both.iter_mut().zip(&mut measured) {
                let (outcome, cpu) = asked.slice(scale.pace.slice)?;
                // What the peer refuses, such as tokens of a grant that it has forgotten, is not counted among its answers.
                let complaints = if asked.process.id() == peer.id() { &mut section.notes } else { &mut section.broken };
                complaints.extend(outcome.complaint(path.name()));
                rates.push(outcome.rate());
                cpus.push(cpu);
                tails.push(crate::measure::micros(outcome.quantile(0.99)) as f64);
            }
        }
        let [(rates, cpus, tails), (their_rates, their_cpus, their_tails)] = &measured;
        section.row([
            path.title().to_owned(),
            format!("{:.0}", median(rates)),
            format!("{:.0}", median(their_rates)),
            format!("{:.1}", ratio(rates, their_rates)),
            format!("{:.1}", median(cpus)),
            format!("{:.1}", median(their_cpus)),
            format!("{:.1}", ratio(their_cpus, cpus)),
            format!("{:.0}", median(tails)),
            format!("{:.0}", median(their_tails)),
        ]);
    }
    section.notes.push(format!("resident: Grantor {} MiB, peer {} MiB", mib(server.memory()?), mib(peer.memory()?)));
    section.notes.push(format!("Node.js {}", said(Command::new("node").arg("--version"))));
    Ok(section)
}

fn one(request: Vec<u8>) -> Box<dyn Script> {
    Box::new(Cycle::new(vec![request]))
}

fn introspections(peer: &Process, grants: &[String]) -> Result<Cycle> {
    let mut connection = Connection::open(peer.address)?;
    let (scope, audience) = (Api::Opaque.scope(), Api::Opaque.audience());
    let requests: Result<Vec<_>> = grants
        .iter()
        .map(|refresh| {
            let fields = [
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.as_str()),
                ("scope", &scope),
                ("resource", &audience),
            ];
            let token = post(&mut connection, "web", "/token", &fields)?.text("access_token")?;
            Ok(form_of("api", "/token/introspection", &[("token", &token)]))
        })
        .collect();
    Ok(Cycle::new(requests?))
}

/// The folder in target that the peers of npm are installed into.
pub(crate) fn installed() -> Result<&'static File> {
    let folder = File::new("target/bench/peers");
    std::fs::create_dir_all(folder)?;
    for file in FILES {
        std::fs::copy(File::new("bench/peers").join(file), folder.join(file))?;
    }
    let mut install = Command::new("npm");
    install.args(["install", "--silent", "--no-audit", "--no-fund"]).current_dir(folder);
    if !install.status().map_err(|error| format!("npm: {error}"))?.success() {
        return broken("npm could not install the peers");
    }
    Ok(folder)
}

/// Starts it, and gives the refresh tokens of its grants.
fn start() -> Result<(Process, Vec<String>)> {
    let folder = installed()?;
    let (address, tokens) = (free_address()?, folder.join("tokens"));
    let mut node = Command::new("node");
    node.env("NODE_ENV", "production").current_dir(folder).arg("oidc-provider.mjs");
    node.args([&address.port().to_string(), secret(), "tokens", &(CHAINS + INTROSPECTED).to_string()]);
    let process = Process::start(&mut node, address, &folder.join("peer.log"))?;
    let tokens = std::fs::read_to_string(tokens)?;
    Ok((process, tokens.lines().map(str::to_owned).collect()))
}

/// What a program prints.
pub(crate) fn said(command: &mut Command) -> String {
    command.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
