//! Verbs that wait at the same time share a statement.
//!
//! Each kind of verb has a lane. Whoever waits in it when a connection becomes free goes into the next statement; an
//! error of one never spoils its neighbours, and when too many wait the next is told so at once.

mod lane;

pub(crate) use lane::{Job, Lane, Pending};

use crate::connect::{Connections, Options, draw};
use crate::verbs::grants::{Find, Redeem, Revoke, Rotate};
use crate::verbs::remember::Remember;
use crate::verbs::statuses::Assign;
use crate::verbs::tokens::{RevokeToken, Stands};
use grantor_store::Activity;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// The lanes of a node.
#[derive(Debug)]
pub(crate) struct Lanes {
    pub(crate) redeem: Lane<Redeem>,
    pub(crate) rotate: Lane<Rotate>,
    pub(crate) revoke: Lane<Revoke>,
    pub(crate) revoke_token: Lane<RevokeToken>,
    pub(crate) assign_status: Lane<Assign>,
    pub(crate) remember: Lane<Remember>,
    pub(crate) find: Lane<Find>,
    pub(crate) stands: Lane<Stands>,
    names: Names,
    counts: Arc<Counts>,
}

/// What the lanes did so far.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    batches: AtomicU64,
    verbs: AtomicU64,
}

impl Lanes {
    /// Opens the lanes. They end when they are dropped; what was sent by then is carried out.
    pub(crate) fn open(connections: &Arc<Connections>, options: &Options) -> Self {
        let counts = Arc::new(Counts::default());
        Self {
            redeem: Lane::open(connections, options, &counts),
            rotate: Lane::open(connections, options, &counts),
            revoke: Lane::open(connections, options, &counts),
            revoke_token: Lane::open(connections, options, &counts),
            assign_status: Lane::open(connections, options, &counts),
            remember: Lane::open(connections, options, &counts),
            find: Lane::open(connections, options, &counts),
            stands: Lane::open(connections, options, &counts),
            names: Names::default(),
            counts,
        }
    }

    /// A name for one attempt at a verb, that nobody else has: whoever lost his answer knows his own work by it.
    pub(crate) fn attempt(&self) -> Uuid {
        self.names.next()
    }

    /// What they have done, and who waits.
    pub(crate) fn activity(&self) -> Activity {
        Activity {
            commits: self.counts.batches.load(Ordering::Relaxed),
            committed_verbs: self.counts.verbs.load(Ordering::Relaxed),
            waiting: self.redeem.waiting()
                + self.rotate.waiting()
                + self.revoke.waiting()
                + self.revoke_token.waiting()
                + self.assign_status.waiting()
                + self.remember.waiting(),
        }
    }
}

impl Counts {
    fn add(&self, verbs: usize) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.verbs.fetch_add(u64::try_from(verbs).unwrap_or(0), Ordering::Relaxed);
    }
}

/// Names that no two processes give: half is drawn once, half is counted.
#[derive(Debug)]
struct Names {
    drawn: u64,
    counted: AtomicU64,
}

impl Default for Names {
    fn default() -> Self {
        Self { drawn: draw(), counted: AtomicU64::new(draw()) }
    }
}

impl Names {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(self.drawn, self.counted.fetch_add(1, Ordering::Relaxed))
    }
}
