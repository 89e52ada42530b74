//! Prints how many verbs a second the store acknowledges, durably, to so many concurrent tasks.
//!
//! `throughput [DIRECTORY] [SECONDS]`: the file is made in the directory, which should lie on the disk to be measured.

use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_store::Store;
use grantor_store::contract::samples::{GRACE, START, grant_id, redemption_by, tenant, token};
use grantor_store_sqlite::SqliteStore;
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const TASKS: [usize; 4] = [1, 16, 64, 256];

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Measured = Result<(), Failure>;

#[tokio::main]
async fn main() -> Measured {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(3), |seconds| seconds.parse())?;
    let file = directory.join(format!("throughput-{}.db", std::process::id()));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&file)?);
    let made = Arc::new(AtomicU64::new(0));
    for tasks in TASKS {
        let per_second = measure(tasks, seconds, |n| redeem(Arc::clone(&store), Arc::clone(&made), n)).await?;
        println!("redeem   {tasks:>3} tasks {per_second:>8}/s");
    }
    let all = made.load(Ordering::Relaxed);
    for tasks in TASKS {
        let stride = all / u64::try_from(tasks)?;
        let per_second = measure(tasks, seconds, |n| rotate(Arc::clone(&store), n * stride, stride)).await?;
        println!("rotate   {tasks:>3} tasks {per_second:>8}/s");
    }
    for tasks in TASKS {
        let per_second = measure(tasks, seconds, |n| standing(Arc::clone(&store), all, n)).await?;
        println!("standing {tasks:>3} tasks {per_second:>8}/s");
    }
    println!("{all} grants in {} bytes", std::fs::metadata(&file)?.len());
    drop(store);
    Ok(std::fs::remove_file(&file)?)
}

/// Runs one worker for each task; a worker gives one step at a time.
async fn measure<W, F, Fut>(tasks: usize, seconds: u64, worker: W) -> Result<u64, Failure>
where
    W: Fn(u64) -> F,
    F: FnMut() -> Fut + Send + 'static,
    Fut: Future<Output = Measured> + Send,
{
    let done = Arc::new(AtomicU64::new(0));
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut running = Vec::new();
    for n in 0..u64::try_from(tasks)? {
        let (done, mut step) = (Arc::clone(&done), worker(n));
        running.push(tokio::spawn(async move {
            while Instant::now() < end {
                step().await?;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Measured::Ok(())
        }));
    }
    for task in running {
        task.await??;
    }
    Ok(done.load(Ordering::Relaxed) / seconds)
}

fn redeem(store: Arc<dyn Store>, made: Arc<AtomicU64>, task: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
    move || {
        let (store, n) = (Arc::clone(&store), made.fetch_add(1, Ordering::Relaxed));
        Box::pin(async move {
            match store.redeem(&tenant(), redemption_by(n, n, n % 10_000, task % 10), START).await? {
                Spend::Fresh(_) => Ok(()),
                other => Err(format!("{other:?}").into()),
            }
        })
    }
}

/// Each task walks through grants of its own, again and again.
fn rotate(store: Arc<dyn Store>, first: u64, many: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
    let mut at = 0;
    move || {
        let (store, id) = (Arc::clone(&store), grant_id(first + at % many));
        at += 1;
        Box::pin(async move {
            let grant = store.grant(&tenant(), id).await?.ok_or("no grant")?;
            match store.rotate(&tenant(), id, grant.generation, GRACE, START).await? {
                Rotation::Rotated(_) => Ok(()),
                other => Err(format!("{other:?}").into()),
            }
        })
    }
}

fn standing(store: Arc<dyn Store>, all: u64, task: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
    let mut at = task * 7_919;
    move || {
        at += 104_729;
        let (store, n) = (Arc::clone(&store), at % all);
        Box::pin(async move {
            match store.standing(&tenant(), &token(n, Some(n), 1)).await? {
                Standing::Good(_) => Ok(()),
                Standing::Revoked => Err(format!("the token of grant {n} is revoked").into()),
            }
        })
    }
}

type BoxedStep = std::pin::Pin<Box<dyn Future<Output = Measured> + Send>>;
