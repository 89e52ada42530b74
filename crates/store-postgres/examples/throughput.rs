//! Prints how many verbs a second the store acknowledges, durably, to so many concurrent tasks; and rotations by 64 tasks
//! as a multiple of what `pgbench` gets out of the same server with an UPDATE of one row on each of 32 connections,
//! measured in turns.
//!
//! `postgres-throughput [SECONDS] [ROUNDS]`: starts a server of its own with PostgreSQL's defaults.

use grantor_local_postgres::{Options as ServerOptions, Server};
use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_store::Grants;
use grantor_store::contract::samples::{GRACE, START, grant_id, redemption_by, tenant, token};
use grantor_store_postgres::{Options, PostgresStore};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const TASKS: [usize; 4] = [1, 16, 64, 256];
/// What the ratio is taken of.
const REFRESHES_AT_ONCE: usize = 64;
/// As many as the rows that pgbench updates.
const GRANTS: u64 = 100_000;
/// How often a task refreshes one grant before it goes on to the next.
const TIMES: u32 = 8;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Measured = Result<(), Failure>;
type BoxedStep = std::pin::Pin<Box<dyn Future<Output = Measured> + Send>>;

#[tokio::main]
async fn main() -> Measured {
    let mut arguments = std::env::args().skip(1);
    let seconds: u64 = arguments.next().map_or(Ok(3), |seconds| seconds.parse())?;
    let rounds: u32 = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let server = Server::start(ServerOptions::default())?;
    let store = Arc::new(PostgresStore::connect(&server.fresh_database()?, options()?).await?);
    let made = Arc::new(AtomicU64::new(0));
    for tasks in TASKS {
        let per_second = measure(tasks, seconds, |n| redeem(Arc::clone(&store), Arc::clone(&made), n)).await?;
        println!("redeem   {tasks:>3} tasks {per_second:>8}/s");
    }
    while made.load(Ordering::Relaxed) < GRANTS {
        measure(256, 1, |n| redeem(Arc::clone(&store), Arc::clone(&made), n)).await?;
    }
    let all = made.load(Ordering::Relaxed);
    for tasks in TASKS {
        let per_second = rotations(&store, tasks, seconds, all).await?;
        println!("rotate   {tasks:>3} tasks {per_second:>8}/s");
    }
    for tasks in TASKS {
        let per_second = measure(tasks, seconds, |n| standing(Arc::clone(&store), all, n)).await?;
        println!("standing {tasks:>3} tasks {per_second:>8}/s");
    }
    let bench = Bench::prepare(&server)?;
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let theirs = bench.updates_per_second(seconds)?;
        let ours = rotations(&store, REFRESHES_AT_ONCE, seconds, all).await?;
        let ratio = f64::from(u32::try_from(ours)?) / theirs;
        println!("rotate   {REFRESHES_AT_ONCE:>3} tasks {ours:>8}/s, pgbench {theirs:>8.0}/s: {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    if let Some(median) = ratios.get(ratios.len() / 2) {
        println!("rotations by {REFRESHES_AT_ONCE} tasks are {median:.2} of pgbench's updates (median of {rounds})");
    }
    Ok(())
}

/// `WRITERS`, `READERS` and `BATCH` in the environment, to try others than the defaults.
fn options() -> Result<Options, Failure> {
    let mut options = Options::default();
    let by_name = [("WRITERS", &mut options.writers), ("READERS", &mut options.readers), ("BATCH", &mut options.batch)];
    for (name, option) in by_name {
        if let Ok(value) = std::env::var(name) {
            *option = value.parse()?;
        }
    }
    Ok(options)
}

/// pgbench on a database of its own.
struct Bench {
    url: String,
    program: PathBuf,
    script: PathBuf,
}

impl Bench {
    fn prepare(server: &Server) -> Result<Self, Failure> {
        let debian = Path::new("/usr/lib/postgresql/15/bin/pgbench");
        let program = if debian.exists() { debian } else { Path::new("pgbench") }.to_owned();
        let (url, script) = (server.fresh_database()?, server.directory().join("update.sql"));
        let update = format!(
            "\\set id random(1, {GRANTS})\nUPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :id;\n"
        );
        std::fs::write(&script, update)?;
        run(Command::new(&program).args(["-i", "-q", "-s", "1"]).arg(&url))?;
        Ok(Self { url, program, script })
    }

    fn updates_per_second(&self, seconds: u64) -> Result<f64, Failure> {
        let seconds = seconds.to_string();
        let mut command = Command::new(&self.program);
        command.args(["-n", "-M", "prepared", "-c", "32", "-j", "2", "-T", &seconds, "-f"]);
        let said = run(command.arg(&self.script).arg(&self.url))?;
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")).ok_or("pgbench did not say how many")?;
        Ok(tps.split(' ').next().unwrap_or_default().parse()?)
    }
}

fn run(command: &mut Command) -> Result<String, Failure> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(String::from_utf8(output.stdout)?)
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

async fn rotations(store: &Arc<PostgresStore>, tasks: usize, seconds: u64, all: u64) -> Result<u64, Failure> {
    let stride = all / u64::try_from(tasks)?;
    measure(tasks, seconds, |n| rotate(Arc::clone(store), n * stride, stride)).await
}

fn redeem(store: Arc<PostgresStore>, made: Arc<AtomicU64>, task: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
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

/// Each task refreshes grants of its own; as a client does, it knows the generation after the first time.
fn rotate(store: Arc<PostgresStore>, first: u64, many: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
    const UNKNOWN: u64 = u64::MAX;
    static WALK: AtomicU64 = AtomicU64::new(0);
    let (mut at, mut times) = (WALK.fetch_add(7_919, Ordering::Relaxed), 0);
    let known = Arc::new(AtomicU64::new(UNKNOWN));
    move || {
        if times == TIMES {
            (at, times) = (at + 1, 0);
            known.store(UNKNOWN, Ordering::Relaxed);
        }
        times += 1;
        let (store, id, known) = (Arc::clone(&store), grant_id(first + at % many), Arc::clone(&known));
        Box::pin(async move {
            let presented = match u32::try_from(known.load(Ordering::Relaxed)) {
                Ok(generation) => generation,
                Err(_) => store.grant(&tenant(), id).await?.ok_or("no grant")?.generation,
            };
            match store.rotate(&tenant(), id, presented, GRACE, START).await? {
                Rotation::Rotated(renewal) => {
                    known.store(u64::from(renewal.generation), Ordering::Relaxed);
                    Ok(())
                }
                other => Err(format!("{other:?}").into()),
            }
        })
    }
}

fn standing(store: Arc<PostgresStore>, all: u64, task: u64) -> impl FnMut() -> BoxedStep + Send + 'static {
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
