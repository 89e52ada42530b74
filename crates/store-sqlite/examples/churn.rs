//! Writes until it is killed, and prints one line for each verb after the store has acknowledged it, so that a test
//! can kill it at any moment and then look whether every line holds.
//!
//! `churn FILE START`: grants and codes are named by numbers from START on.
//!
//! A line is `redeemed N`, `rotated N GENERATION`, `revoked N` or `remembered N`.

use grantor_protocol::grant::{Rotation, Spend};
use grantor_store::Store;
use grantor_store::contract::samples::{GRACE, START, digest, grant_id, redemption, tenant};
use grantor_store_sqlite::SqliteStore;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const TASKS: usize = 16;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(start)) = (arguments.next(), arguments.next()) else {
        return Err("usage: churn FILE START".into());
    };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(Path::new(&file))?);
    let next = Arc::new(AtomicU64::new(start.parse()?));
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(churn(Arc::clone(&store), Arc::clone(&next)))).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn churn(store: Arc<dyn Store>, next: Arc<AtomicU64>) -> Result<(), Failure> {
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        let Spend::Fresh(grant) = store.redeem(&tenant(), redemption(n, n), START).await? else {
            return Err(format!("code {n} had been spent").into());
        };
        say(&format!("redeemed {n}"))?;
        for generation in 0..3 {
            let Rotation::Rotated(renewal) = store.rotate(&tenant(), grant.id, generation, GRACE, START).await? else {
                return Err(format!("grant {n} did not rotate").into());
            };
            say(&format!("rotated {n} {}", renewal.generation))?;
        }
        if store.remember(&tenant(), "jti", &digest(n), START.plus(GRACE), START).await? {
            say(&format!("remembered {n}"))?;
        }
        if n.is_multiple_of(2) && store.revoke_grant(&tenant(), grant_id(n), START).await? {
            say(&format!("revoked {n}"))?;
        }
    }
}

/// In one write, so that a line is whole or not there.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes())?;
    out.flush()
}
