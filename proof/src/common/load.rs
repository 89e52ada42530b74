//! Applications and people that keep the nodes busy, each with what it was told.

use super::cluster::Cluster;
use super::http::Connection;
use super::ledger::{Counts, Entry};
use super::person::Person;
use anyhow::{Context as _, Result, anyhow, bail};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A worker that was told to come later does.
const LATER: Duration = Duration::from_millis(10);
/// Entries that live on into the next round, so that grants survive several deaths.
const CARRIED: usize = 4;
/// In how many entries a worker is interested at a time.
const AT_ONCE: usize = 24;

/// One of those who keep the nodes busy, and what he has.
#[derive(Debug)]
pub(crate) struct Worker {
    person: Person,
    entries: Vec<Entry>,
}

/// A load that goes on until it is stopped.
pub(crate) struct Load {
    shared: Arc<Shared>,
    workers: JoinSet<Result<Worker>>,
}

struct Shared {
    addresses: Vec<SocketAddr>,
    host: String,
    stopped: AtomicBool,
    /// Whether requests may come to nothing.
    disturbed: AtomicBool,
    counts: Mutex<(Counts, Duration)>,
}

/// So many workers, of whom each is the same person: signing in takes its time on purpose.
pub(crate) async fn hire(cluster: &Cluster, count: usize) -> Result<Vec<Worker>> {
    let mut person = Person::new(&cluster.issuer())?;
    person.tokens(&mut cluster.connect(0)?).await?;
    Ok((0..count).map(|_| Worker { person: person.clone(), entries: Vec::new() }).collect())
}

impl Load {
    /// Begins, at these addresses: each request goes to any of them.
    pub(crate) fn begin(addresses: &[SocketAddr], host: &str, workers: Vec<Worker>) -> Self {
        let shared = Arc::new(Shared {
            addresses: addresses.to_vec(),
            host: host.to_owned(),
            stopped: AtomicBool::new(false),
            disturbed: AtomicBool::new(false),
            counts: Mutex::default(),
        });
        let mut running = JoinSet::new();
        for worker in workers {
            running.spawn(worker.work(Arc::clone(&shared)));
        }
        Self { shared, workers: running }
    }

    /// From now on requests may come to nothing; until now that is an error.
    pub(crate) fn disturb(&self) {
        self.shared.disturbed.store(true, Ordering::SeqCst);
    }

    /// From now on that is an error again.
    pub(crate) fn calm(&self) {
        self.shared.disturbed.store(false, Ordering::SeqCst);
    }

    /// What happened so far.
    pub(crate) fn counts(&self) -> Counts {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// The longest that any request took so far.
    pub(crate) fn longest(&self) -> Duration {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    /// Stops it. An error when anybody was told something wrong.
    pub(crate) async fn stop(mut self) -> Result<Vec<Worker>> {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let mut workers = Vec::new();
        while let Some(ended) = self.workers.join_next().await {
            workers.push(ended??);
        }
        Ok(workers)
    }
}

impl Shared {
    fn connect(&self) -> Vec<Connection> {
        self.addresses.iter().map(|address| Connection::new(*address, &self.host)).collect()
    }

    fn note(&self, counts: Counts, took: Duration) {
        let mut noted = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        noted.0.add(counts);
        noted.1 = noted.1.max(took);
    }
}

impl Worker {
    async fn work(mut self, shared: Arc<Shared>) -> Result<Self> {
        let mut connections = shared.connect();
        while !shared.stopped.load(Ordering::SeqCst) {
            // What began while it might come to nothing may do so.
            let disturbed = shared.disturbed.load(Ordering::SeqCst);
            let mut counts = Counts::default();
            fastrand::shuffle(&mut connections);
            let done = self.step(&mut connections, &mut counts).await;
            let took = connections.iter().map(Connection::longest).max().unwrap_or_default();
            shared.note(counts, took);
            done?;
            if counts.failed() > 0 {
                if !disturbed && !shared.disturbed.load(Ordering::SeqCst) {
                    bail!("a request came to nothing while all was well: {counts:?}");
                }
                tokio::time::sleep(LATER).await;
            }
        }
        Ok(self)
    }

    async fn step(&mut self, connections: &mut [Connection], counts: &mut Counts) -> Result<()> {
        let (connection, others) = connections.split_first_mut().context("no node")?;
        let chosen = fastrand::choice(&mut self.entries);
        match (fastrand::u8(0..20), chosen) {
            (0..8, Some(entry)) => entry.refresh(connection, counts).await,
            (8..12, Some(entry)) => entry.introspect(connection, counts).await,
            (12..14, Some(entry)) => entry.revoke(connection, counts).await,
            (roll, _) => {
                if self.entries.len() > AT_ONCE {
                    self.entries.swap_remove(fastrand::usize(0..self.entries.len()));
                }
                let Some(mut entry) = Entry::begin(connection, &mut self.person, counts).await? else { return Ok(()) };
                let done = match (roll, others.first_mut()) {
                    // Some codes are left to be used later.
                    (19, _) => Ok(()),
                    (18, Some(other)) => entry.redeem_twice([connection, other], counts).await,
                    _ => entry.redeem(connection, counts).await,
                };
                self.entries.push(entry);
                done
            }
        }
    }
}

/// When all is well again: whatever was acknowledged holds at these nodes; some entries live on, and what the others
/// have spent stays so.
pub(crate) async fn look(addresses: &[SocketAddr], host: &str, workers: &mut [Worker]) -> Result<usize> {
    let mut connections: Vec<_> = addresses.iter().map(|address| Connection::new(*address, host)).collect();
    let mut seen = 0;
    for worker in workers {
        let mut carried = Vec::new();
        for mut entry in std::mem::take(&mut worker.entries) {
            let connection = fastrand::choice(&mut connections).ok_or_else(|| anyhow!("no node"))?;
            entry.holds(connection).await.context("afterwards")?;
            seen += 1;
            if carried.len() < CARRIED && entry.is_granted() {
                carried.push(entry);
            } else {
                let connection = fastrand::choice(&mut connections).ok_or_else(|| anyhow!("no node"))?;
                entry.spent_for_good(connection).await.context("afterwards")?;
            }
        }
        worker.entries = carried;
    }
    Ok(seen)
}

/// Waits until every node answers as it should; the time that it took, or an error after `patience`.
pub(crate) async fn recovered(cluster: &Cluster, patience: Duration) -> Result<Duration> {
    let begun = Instant::now();
    for address in cluster.addresses() {
        let mut connection = Connection::new(address, cluster.host());
        let mut person = Person::new(&cluster.issuer())?;
        loop {
            let mut counts = Counts::default();
            // Reads and writes: signs in and redeems.
            if let Some(mut entry) = Entry::begin(&mut connection, &mut person, &mut counts).await? {
                entry.redeem(&mut connection, &mut counts).await?;
                if counts.redeemed == 1 {
                    break;
                }
            }
            if begun.elapsed() > patience {
                bail!("{address} does not answer as it should after {patience:?}");
            }
            tokio::time::sleep(LATER).await;
        }
    }
    Ok(begun.elapsed())
}
