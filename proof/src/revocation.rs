//! How long until the other nodes know: a grant is taken back, a client is switched off, keys are rotated.

use crate::common::client::{Said, active, revoke};
use crate::common::cluster::{CLIENT, Cluster};
use crate::common::http::Connection;
use crate::common::ledger::BOUND;
use crate::common::person::Person;
use crate::common::report::Report;
use crate::common::stores::Backend;
use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use grantor_local_postgres::Server;
use http_body_util::Full;
use hyper::Request;
use hyper::body::Bytes;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// `grantor-proof revocation`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[arg(long)]
    store: Backend,
    /// How often each of the three is measured
    #[arg(long, default_value_t = 20)]
    times: usize,
}

/// Where it is done, and where it is looked for.
const HERE: usize = 0;
const THERE: usize = 1;
const NODES: usize = 2;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(2);
/// Who has not heard by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let url = match arguments.store {
        Backend::Sqlite => None,
        Backend::Postgres => Some(Server::shared()?.fresh_database()?),
    };
    let cluster = Cluster::start(&vec![url; NODES], None).await?;
    let mut world = World {
        here: cluster.connect(HERE)?,
        there: cluster.connect(THERE)?,
        person: Person::new(&cluster.issuer())?,
        cluster,
    };
    let (mut grants, mut clients, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.times {
        grants.push(world.grant().await?);
        clients.push(world.client().await?);
        keys.push(world.keys().await?);
    }
    for (what, times) in [
        ("a grant that was taken back", grants),
        ("a client that was switched off", clients),
        ("keys that were rotated", keys),
    ] {
        let worst = distribution(what, times);
        let found = if worst <= BOUND { Ok(()) } else { Err(anyhow!("{worst:?}")) };
        report.check(&format!("the other node knows of {what} within a second, {} times", arguments.times), found);
    }
    Ok(report.finish())
}

struct World {
    cluster: Cluster,
    here: Connection,
    there: Connection,
    person: Person,
}

impl World {
    async fn grant(&mut self) -> Result<Duration> {
        let tokens = self.person.tokens(&mut self.here).await?;
        ensure!(active(&mut self.there, &tokens.access).await? == Ok(true), "a token that was given is not active");
        ensure!(matches!(revoke(&mut self.here, &tokens.refresh).await?, Said::Done(_)), "it could not be revoked");
        self.inactive(&tokens.access).await
    }

    async fn client(&mut self) -> Result<Duration> {
        let tokens = self.person.tokens(&mut self.here).await?;
        ensure!(active(&mut self.there, &tokens.access).await? == Ok(true), "a token that was given is not active");
        self.cluster.operate(&["client", "disable", CLIENT], "").await?;
        let time = self.inactive(&tokens.access).await?;
        self.cluster.operate(&["client", "enable", CLIENT], "").await?;
        for node in [&mut self.here, &mut self.there] {
            let begun = Instant::now();
            while active(node, &tokens.access).await? != Ok(true) {
                ensure!(begun.elapsed() < PATIENCE, "a client that was switched on again stays off");
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(time)
    }

    async fn keys(&mut self) -> Result<Duration> {
        let before = self.key_set().await?;
        self.cluster.operate(&["key", "rotate", "--algorithm", "ES256", "--now"], "").await?;
        let begun = Instant::now();
        while self.key_set().await? == before {
            ensure!(begun.elapsed() < PATIENCE, "the other node never shows the next key");
            tokio::time::sleep(PAUSE).await;
        }
        Ok(begun.elapsed())
    }

    async fn inactive(&mut self, access: &str) -> Result<Duration> {
        let begun = Instant::now();
        while active(&mut self.there, access).await? != Ok(false) {
            if begun.elapsed() > PATIENCE {
                bail!("the other node never learns of it");
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(begun.elapsed())
    }

    async fn key_set(&mut self) -> Result<Bytes> {
        Ok(self.there.send(Request::get("/jwks").body(Full::new(Bytes::new()))?).await?.body)
    }
}

/// Prints it; gives the longest.
fn distribution(what: &str, mut times: Vec<Duration>) -> Duration {
    times.sort();
    let at =
        |percent: usize| times.get((times.len() * percent / 100).min(times.len() - 1)).copied().unwrap_or_default();
    println!("{what}: p50 {:?}, p90 {:?}, p99 {:?}, longest {:?}", at(50), at(90), at(99), at(100));
    at(100)
}
