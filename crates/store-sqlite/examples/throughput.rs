//! Prints how many verbs a second the store acknowledges, durably, to so many concurrent tasks, and how that compares
//! with bare rusqlite doing the same statements in the same batches on the same disk. The two take turns in short
//! slices, since the speed of a disk varies; the ratio is of their sums.
//!
//! `throughput [DIRECTORY] [SECONDS] [GRANTS]`: the files are made in the directory, which should lie on the disk to be
//! measured; so many seconds for each line.

#[path = "throughput/bare.rs"]
mod bare;
#[path = "throughput/load.rs"]
mod load;

use bare::Bare;
use grantor_store::Store;
use grantor_store_sqlite::SqliteStore;
use load::{Load, Slice};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const TASKS: [u64; 4] = [1, 16, 64, 256];
const SLICE: Duration = Duration::from_millis(500);

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds: u64 = arguments.next().map_or(Ok(3), |seconds| seconds.parse())?;
    let grants: u64 = arguments.next().map_or(Ok(100_000), |grants| grants.parse())?;
    // As many threads as a node has that is given one core.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let file = |name: &str| directory.join(format!("throughput-{}-{name}.db", std::process::id()));
    let (ours, theirs) = (file("store"), file("bare"));
    let within = runtime.enter();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&ours)?);
    drop(within);
    drop(SqliteStore::open(&theirs)?);
    let mut bare = Bare::open(&theirs)?;
    let mut load = Load::new(Arc::clone(&store));
    runtime.block_on(load.fill(grants))?;
    bare.fill(grants)?;
    println!("{grants} grants in {} bytes", std::fs::metadata(&ours)?.len());
    for verb in [Verb::Rotate, Verb::Redeem, Verb::Remember, Verb::Standing] {
        for tasks in TASKS {
            let (mut sum, mut ceiling) = (Slice::default(), Slice::default());
            let end = Instant::now() + Duration::from_secs(seconds);
            while Instant::now() < end {
                sum.add(runtime.block_on(load.slice(verb, tasks, SLICE))?);
                ceiling.add(bare.slice(verb, tasks, SLICE)?);
            }
            sum.say(verb, tasks, &mut ceiling);
        }
    }
    drop((store, load, bare));
    for file in [ours, theirs] {
        let _ = std::fs::remove_file(file);
    }
    Ok(())
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
enum Verb {
    Rotate,
    Redeem,
    Remember,
    Standing,
}
