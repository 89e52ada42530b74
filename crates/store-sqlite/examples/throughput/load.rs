//! The store under load: so many tasks, each with one verb at a time.

use super::{Failure, Verb};
use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_protocol::value::UnixTime;
use grantor_store::Store;
use grantor_store::contract::samples::{GRACE, START, at, digest, grant_id, redemption_by, tenant, token};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The store, and what has been done to it.
pub(super) struct Load {
    store: Arc<dyn Store>,
    /// The generation of each grant.
    generations: Arc<Vec<AtomicU32>>,
    next: Arc<AtomicU64>,
    at: u64,
}

/// What was done in some time: how often, how long it took, how long each took.
#[derive(Default)]
pub(super) struct Slice {
    pub(super) done: u64,
    pub(super) spent: Duration,
    pub(super) each: Vec<Duration>,
}

impl Load {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, generations: Arc::default(), next: Arc::default(), at: 0 }
    }

    /// Makes so many grants.
    pub(super) async fn fill(&mut self, grants: u64) -> Result<(), Failure> {
        let next = Arc::new(AtomicU64::new(0));
        let making: Vec<_> = (0..512)
            .map(|_| {
                let (store, next) = (Arc::clone(&self.store), Arc::clone(&next));
                tokio::spawn(async move {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= grants {
                            return Ok::<_, Failure>(());
                        }
                        store.redeem(&tenant(), redemption_by(n, n, n % 10_000, n % 10), START).await?;
                    }
                })
            })
            .collect();
        for made in making {
            made.await??;
        }
        self.generations = Arc::new((0..grants).map(|_| AtomicU32::new(0)).collect());
        self.next = Arc::new(AtomicU64::new(grants));
        Ok(())
    }

    pub(super) async fn slice(&mut self, verb: Verb, tasks: u64, long: Duration) -> Result<Slice, Failure> {
        let begun = Instant::now();
        let grants = u64::try_from(self.generations.len())?;
        self.at += 1;
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let one = One {
                    store: Arc::clone(&self.store),
                    generations: Arc::clone(&self.generations),
                    next: Arc::clone(&self.next),
                    at: (task * grants / tasks + self.at * 7_919) % grants,
                };
                tokio::spawn(one.work(verb, begun + long))
            })
            .collect();
        let mut slice = Slice::default();
        for task in running {
            slice.each.extend(task.await??);
        }
        slice.done = u64::try_from(slice.each.len())?;
        slice.spent = begun.elapsed();
        Ok(slice)
    }
}

struct One {
    store: Arc<dyn Store>,
    generations: Arc<Vec<AtomicU32>>,
    next: Arc<AtomicU64>,
    at: u64,
}

impl One {
    async fn work(mut self, verb: Verb, end: Instant) -> Result<Vec<Duration>, Failure> {
        let mut each = Vec::new();
        let mut begun = Instant::now();
        while begun < end {
            self.at = (self.at + 104_729) % u64::try_from(self.generations.len())?;
            match verb {
                Verb::Rotate => self.rotate().await?,
                Verb::Redeem => self.redeem().await?,
                Verb::Remember => self.remember().await?,
                Verb::Standing => self.standing().await?,
            }
            let now = Instant::now();
            each.push(now - begun);
            begun = now;
        }
        Ok(each)
    }

    async fn rotate(&self) -> Result<(), Failure> {
        let generation = self.generations.get(usize::try_from(self.at)?).ok_or("no grant")?;
        let presented = generation.load(Ordering::Relaxed);
        // Two tasks that meet at one grant: the other of them rotates.
        match self.store.rotate(&tenant(), grant_id(self.at), presented, GRACE, START).await? {
            Rotation::Rotated(renewal) => generation.store(renewal.generation, Ordering::Relaxed),
            Rotation::Repeated(_) => {}
            other => return Err(format!("{other:?}").into()),
        }
        Ok(())
    }

    async fn redeem(&self) -> Result<(), Failure> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        match self.store.redeem(&tenant(), redemption_by(n, n, n % 10_000, n % 10), START).await? {
            Spend::Fresh(_) => Ok(()),
            other => Err(format!("{other:?}").into()),
        }
    }

    async fn remember(&self) -> Result<(), Failure> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let value = digest(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let fresh = self.store.remember(&tenant(), "DPoP proof", &value, until(n), START).await?;
        if fresh { Ok(()) } else { Err("a value had been remembered".into()) }
    }

    async fn standing(&self) -> Result<(), Failure> {
        match self.store.standing(&tenant(), &token(self.at, Some(self.at), self.at % 10)).await? {
            Standing::Good(_) => Ok(()),
            Standing::Revoked => Err(format!("the token of grant {} is revoked", self.at).into()),
        }
    }
}

/// As DPoP proofs are remembered: for some minutes.
pub(super) fn until(n: u64) -> UnixTime {
    at(u32::try_from(n % 60).unwrap_or(0) + 240)
}

impl Slice {
    pub(super) fn add(&mut self, other: Self) {
        self.done += other.done;
        self.spent += other.spent;
        self.each.extend(other.each);
    }

    fn per_second(&self) -> u64 {
        let per_second = u128::from(self.done) * 1_000_000 / self.spent.as_micros().max(1);
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }

    fn percentile(&mut self, hundredths: usize) -> Duration {
        self.each.sort_unstable();
        let last = self.each.len().saturating_sub(1);
        self.each.get(last * hundredths / 100).copied().unwrap_or_default()
    }

    /// One line; `ceiling` is what bare rusqlite did, each of its batches as one.
    pub(super) fn say(&mut self, verb: Verb, tasks: u64, ceiling: &mut Self) {
        let (ours, theirs) = (self.per_second(), ceiling.per_second());
        println!(
            "{:<8} {tasks:>3} tasks {ours:>7}/s, bare {theirs:>7}/s, ratio {}.{:02}; p50 {:>6} us, p99 {:>6} us; a bare commit p50 {:>6} us, p99 {:>6} us",
            format!("{verb:?}").to_lowercase(),
            ours / theirs.max(1),
            ours * 100 / theirs.max(1) % 100,
            self.percentile(50).as_micros(),
            self.percentile(99).as_micros(),
            ceiling.percentile(50).as_micros(),
            ceiling.percentile(99).as_micros(),
        );
    }
}
