//! Telling those who wait how it went. To wake a task of a runtime from outside costs a system call each time; a task of the
//! same runtime wakes its neighbours for next to nothing. So one task is woken for a whole transaction, and wakes the others.

use super::Job;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The way to those who wait.
pub(super) struct Delivery(Option<UnboundedSender<Vec<Job>>>);

impl Delivery {
    /// By a task of the runtime that this is called in, if it is called in one.
    pub(super) fn start() -> Self {
        Self(Handle::try_current().ok().map(|runtime| {
            let (committed, receiver) = unbounded_channel();
            runtime.spawn(deliver(Undelivered(receiver)));
            committed
        }))
    }

    /// What these did is on the disk. Where the runtime has ended, the calling thread says so itself.
    pub(super) fn committed(&self, jobs: Vec<Job>) {
        let rest = match &self.0 {
            Some(channel) => channel.send(jobs).err().map(|unsent| unsent.0),
            None => Some(jobs),
        };
        rest.into_iter().flatten().for_each(Job::committed);
    }
}

/// What nobody was told yet.
struct Undelivered(UnboundedReceiver<Vec<Job>>);

async fn deliver(mut undelivered: Undelivered) {
    while let Some(jobs) = undelivered.0.recv().await {
        jobs.into_iter().for_each(Job::committed);
    }
}

impl Drop for Undelivered {
    /// The runtime ends: who waits in another one is told all the same.
    fn drop(&mut self) {
        self.0.close();
        while let Ok(jobs) = self.0.try_recv() {
            jobs.into_iter().for_each(Job::committed);
        }
    }
}
