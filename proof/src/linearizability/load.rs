//! Clients of two nodes that quarrel over a few grants at a time.

use super::history::{Call, History, Said};
use crate::common::stores::Pair;
use anyhow::Result;
use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_protocol::value::{GrantId, Seconds};
use grantor_store::contract::samples::{at, grant_id, redemption, tenant, token};
use grantor_store::{Store, StoreError};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;

const WORKERS: usize = 12;
/// So many codes are quarrelled over at a time.
const HOT: u64 = 4;
/// After its grant has fallen, a code is asked about so often before it gives way to the next.
const AFTERMATH: u32 = 25;
/// Each redemption brings a candidate of its own for the grant, as a request does; no code is redeemed more often.
const CANDIDATES: u64 = 1_000;
const GRACE: u32 = 30;
/// Long enough after the start for every window of grace to be over.
const LATER: u32 = 40;
/// Whoever waits longer is without an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the quarrel has come to: what somebody was told last, as a hint, so that most calls mean something.
struct Quarrel {
    hot: Mutex<Vec<Hot>>,
    next: AtomicU64,
}

/// A code that is quarrelled over.
#[derive(Clone, Copy)]
struct Hot {
    code: u64,
    /// How many redemptions there were.
    candidates: u64,
    /// Which candidate was made its grant, and the last generation.
    told: Option<(u64, u32)>,
    /// How many calls have been made since its grant fell.
    fallen: Option<u32>,
}

/// Writes a history for so long.
pub(super) async fn run(pair: &Pair, history: History, time: Duration) -> Result<History> {
    let until = Instant::now() + time;
    let (history, quarrel) = (Arc::new(history), Arc::new(Quarrel::new()));
    let mut workers = JoinSet::new();
    for (worker, node) in (0..WORKERS).zip(pair.nodes.iter().cycle()) {
        let (node, history, quarrel) = (Arc::clone(node), Arc::clone(&history), Arc::clone(&quarrel));
        workers.spawn(async move {
            while Instant::now() < until {
                let (code, asked) = quarrel.choose();
                let call = history.time();
                let answer = timeout(PATIENCE, ask(&*node, code, asked)).await;
                let said = answer.ok().and_then(Result::ok);
                history.write(code, worker, asked, call, said)?;
                quarrel.note(code, asked, said);
            }
            Ok(())
        });
    }
    while let Some(ended) = workers.join_next().await {
        let ended: Result<()> = ended?;
        ended?;
    }
    Arc::into_inner(history).ok_or_else(|| anyhow::anyhow!("somebody still writes the history"))
}

impl Quarrel {
    fn new() -> Self {
        Self { hot: Mutex::new((0..HOT).map(Hot::new).collect()), next: AtomicU64::new(HOT) }
    }

    fn choose(&self) -> (u64, Call) {
        let mut hot = self.hot.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(hot) = fastrand::choice(hot.iter_mut()) else { return (0, Call::Introspect { grant: 0 }) };
        if let Some(calls) = &mut hot.fallen {
            *calls += 1;
            if *calls > AFTERMATH {
                *hot = Hot::new(self.next.fetch_add(1, Ordering::Relaxed));
            }
        }
        (hot.code, hot.choose())
    }

    fn note(&self, code: u64, asked: Call, said: Option<Said>) {
        let mut hot = self.hot.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(said), Some(hot)) = (said, hot.iter_mut().find(|hot| hot.code == code)) {
            hot.note(asked, said);
        }
    }
}

impl Hot {
    fn new(code: u64) -> Self {
        Self { code, candidates: 0, told: None, fallen: None }
    }

    fn choose(&mut self) -> Call {
        // The next one, too, before it is brought.
        let other = fastrand::u64(0..=self.candidates);
        let Some((grant, latest)) = self.told else {
            // Mostly nobody, sometimes two or more at the same time.
            return match fastrand::u8(0..10) {
                0..2 => self.redeem(),
                2..5 => Call::Rotate { grant: other, generation: 0, now: 0, grace: GRACE },
                5 => Call::Revoke { grant: other },
                _ => Call::Introspect { grant: other },
            };
        };
        let grant = if fastrand::u8(0..20) == 0 { other } else { grant };
        match fastrand::u8(0..100) {
            0 => self.redeem(),
            1..3 => Call::Revoke { grant },
            3..35 => Call::Introspect { grant },
            _ => {
                let generation = match fastrand::u8(0..100) {
                    0 => latest.saturating_sub(2),
                    1..3 => latest + 1,
                    3..30 => latest.saturating_sub(1),
                    _ => latest,
                };
                let now = if fastrand::u8(0..50) == 0 { LATER } else { 0 };
                Call::Rotate { grant, generation, now, grace: GRACE }
            }
        }
    }

    fn redeem(&mut self) -> Call {
        let grant = self.candidates;
        self.candidates = (grant + 1).min(CANDIDATES - 1);
        Call::Redeem { grant }
    }

    fn note(&mut self, asked: Call, Said { result, at }: Said) {
        match (asked, result) {
            (Call::Redeem { .. }, "fresh") => self.told = Some((at, 0)),
            (Call::Redeem { .. }, "spent") => {
                self.told.get_or_insert((at, 0));
                self.fallen.get_or_insert(0);
            }
            (Call::Rotate { .. }, "rotated") => {
                if let Some((_, latest)) = &mut self.told {
                    *latest = (*latest).max(u32::try_from(at).unwrap_or(u32::MAX));
                }
            }
            (Call::Rotate { .. }, "reused" | "revoked") | (Call::Revoke { .. }, "stood") => {
                self.fallen.get_or_insert(0);
            }
            _ => {}
        }
    }
}

async fn ask(node: &dyn Store, code: u64, asked: Call) -> Result<Said, StoreError> {
    let id = |candidate: u64| grant_id(code * CANDIDATES + candidate);
    let candidate = |grant: GrantId| (0..CANDIDATES).find(|it| id(*it) == grant).unwrap_or(u64::MAX);
    let said = |result, at| Said { result, at };
    Ok(match asked {
        Call::Redeem { grant } => {
            match node.redeem(&tenant(), redemption(code, code * CANDIDATES + grant), at(0)).await? {
                Spend::Fresh(made) => said("fresh", candidate(made.id)),
                Spend::Spent(made) => said("spent", candidate(made)),
                Spend::TakenBack => said("taken back", 0),
            }
        }
        Call::Rotate { grant, generation, now, grace } => {
            match node.rotate(&tenant(), id(grant), generation, Seconds::new(grace), at(now)).await? {
                Rotation::Rotated(renewal) => said("rotated", renewal.generation.into()),
                Rotation::Repeated(renewal) => said("repeated", renewal.generation.into()),
                Rotation::Reused => said("reused", 0),
                Rotation::Revoked => said("revoked", 0),
                Rotation::Expired => said("expired", 0),
                Rotation::Unknown => said("unknown", 0),
            }
        }
        Call::Revoke { grant } => {
            said(if node.revoke_grant(&tenant(), id(grant), at(0)).await? { "stood" } else { "fallen" }, 0)
        }
        Call::Introspect { grant } => {
            match node.standing(&tenant(), &token(code, Some(code * CANDIDATES + grant), 1)).await? {
                Standing::Good(Some(owned)) => said("good", owned.grant.generation.into()),
                Standing::Good(None) => said("without a grant", 0),
                Standing::Revoked => said("revoked", 0),
            }
        }
    })
}
