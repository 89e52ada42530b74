//! What was acknowledged survives a process that is killed. `GRANTOR_KILLS` sets how often; 10 times when it is absent.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use grantor_protocol::grant::{Rotation, Spend};
use grantor_store::contract::samples::{GRACE, START, digest, grant_id, redemption, tenant};
use grantor_store::{Grants as _, Sessions as _};
use grantor_store_sqlite::SqliteStore;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[tokio::test]
async fn every_acknowledged_verb_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("grantor.db");
    let kills = std::env::var("GRANTOR_KILLS").map_or(10, |kills| kills.parse().unwrap());
    for kill in 0..kills {
        // The lines after which it is killed: now early, now late.
        let lines = 50 + (kill * 617) % 1_500;
        let said = churn_and_kill(&file, kill * 1_000_000, lines);
        assert!(said.len() >= lines, "it ended by itself");
        check(&file, &said).await;
    }
}

/// Gives all that it had printed when it was gone.
fn churn_and_kill(file: &Path, start: usize, lines: usize) -> Vec<String> {
    let mut child = Command::new(churn()).arg(file).arg(start.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said: Vec<_> = out.by_ref().take(lines).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    said.extend(out);
    said
}

async fn check(file: &Path, said: &[String]) {
    let store = SqliteStore::open(file).unwrap();
    for line in said {
        let words: Vec<_> = line.split(' ').collect();
        let n: u64 = words[1].parse().unwrap();
        let grant = store.grant(&tenant(), grant_id(n)).await.unwrap().expect(line);
        match words[0] {
            "redeemed" => {}
            "rotated" => assert!(grant.generation >= words[2].parse().unwrap(), "{line}, but it is {grant:?}"),
            "revoked" => assert!(grant.revoked.is_some(), "{line}"),
            "remembered" => {
                assert!(
                    !store.remember(&tenant(), "jti", &digest(n), START.plus(GRACE), START).await.unwrap(),
                    "{line}"
                );
            }
            _ => panic!("{line}"),
        }
    }
    // The last lines again, as a replay would: the code is spent, and its grant falls.
    let last = said.iter().rev().find_map(|line| line.strip_prefix("redeemed ")).unwrap();
    let n: u64 = last.parse().unwrap();
    let replay = store.redeem(&tenant(), redemption(n, u64::from(u32::MAX)), START).await.unwrap();
    assert_eq!(replay, Spend::Spent(grant_id(n)));
    assert_eq!(store.rotate(&tenant(), grant_id(n), 0, GRACE, START).await.unwrap(), Rotation::Revoked);
}

/// Cargo builds the examples of a package before it runs its tests, but names their place to nobody.
fn churn() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let profile = tests.parent().and_then(Path::parent).unwrap();
    let churn = profile.join("examples").join(format!("churn{}", std::env::consts::EXE_SUFFIX));
    assert!(churn.exists(), "{} is missing: run the tests with --examples or without a selection", churn.display());
    churn
}
