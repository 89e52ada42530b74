//! One kind of verb: who waits, and what is under way.

use super::Counts;
use crate::connect::{Connections, Held, Options};
use crate::failure::{Attempts, Failure, Repeatable, Result};
use grantor_store::StoreError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A verb with its arguments.
pub(crate) trait Job: Sized + Send + Sync + 'static {
    /// What the verb gives.
    type Answer: Send + 'static;

    /// Whether it writes.
    const WRITES: bool;

    /// Only jobs of the same shape share a statement.
    fn shape(&self) -> i64 {
        0
    }

    /// Answers each of the jobs. Those that are not answered when it fails are carried out again, on another connection
    /// if this one is lost; then `uncertain` says that they may have been carried out already.
    fn run(held: &Held, jobs: &mut Vec<Pending<Self>>, uncertain: bool) -> impl Future<Output = Result<()>> + Send;
}

/// A verb that waits, and where its answer goes.
pub(crate) struct Pending<J: Job> {
    pub(crate) job: J,
    reply: Option<oneshot::Sender<grantor_store::Result<J::Answer>>>,
}

impl<J: Job> Pending<J> {
    #[cfg(test)]
    pub(crate) fn new(job: J) -> (Self, oneshot::Receiver<grantor_store::Result<J::Answer>>) {
        let (reply, answer) = oneshot::channel();
        (Self { job, reply: Some(reply) }, answer)
    }

    /// Answers it. The first answer counts.
    pub(crate) fn answer(&mut self, answer: J::Answer) {
        self.reply_with(Ok(answer));
    }

    /// Says why it was not carried out.
    pub(crate) fn refuse(&mut self, error: StoreError) {
        self.reply_with(Err(error));
    }

    /// Whether it still has to be answered.
    pub(crate) fn is_open(&self) -> bool {
        self.reply.is_some()
    }

    /// Whether somebody still waits for the answer.
    fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn reply_with(&mut self, answer: grantor_store::Result<J::Answer>) {
        if let Some(reply) = self.reply.take() {
            // Whoever asked may have gone away; the work stands all the same.
            let _ = reply.send(answer);
        }
    }
}

/// The verbs of one kind that wait, and the task that sends them.
pub(crate) struct Lane<J: Job> {
    waiting: Arc<Waiting<J>>,
    longest: usize,
    bound: Duration,
    sender: JoinHandle<()>,
}

struct Waiting<J: Job> {
    jobs: Mutex<VecDeque<Pending<J>>>,
    came: Notify,
}

impl<J: Job> Lane<J> {
    pub(super) fn open(connections: &Arc<Connections>, options: &Options, counts: &Arc<Counts>) -> Self {
        let waiting = Arc::new(Waiting { jobs: Mutex::default(), came: Notify::new() });
        let sending = send(Arc::clone(connections), Arc::clone(&waiting), options.batch.max(1), Arc::clone(counts));
        Self { waiting, longest: options.queue, bound: options.bound(), sender: tokio::spawn(sending) }
    }

    /// Carries out a verb together with those that wait. One that is not answered in time may be carried out all the same.
    pub(crate) async fn ask(&self, job: J) -> grantor_store::Result<J::Answer> {
        let (reply, answer) = oneshot::channel();
        {
            let mut jobs = self.waiting.lock();
            if jobs.len() >= self.longest {
                return Err(StoreError::Busy("too many wait for the database".to_owned()));
            }
            jobs.push_back(Pending { job, reply: Some(reply) });
        }
        self.waiting.came.notify_one();
        match timeout(self.bound, answer).await {
            Ok(answer) => answer.map_err(|_| StoreError::Busy("the store is closing".to_owned()))?,
            Err(_) => Err(StoreError::Busy("the database did not answer in time".to_owned())),
        }
    }

    /// How many wait now.
    pub(super) fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.lock().len()).unwrap_or(u64::MAX)
    }
}

impl<J: Job> Drop for Lane<J> {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

impl<J: Job> std::fmt::Debug for Lane<J> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lane").field("waiting", &self.waiting()).finish_non_exhaustive()
    }
}

impl<J: Job> Waiting<J> {
    /// Those that have waited longest, of one shape. Who does not wait any more is left out.
    fn take(&self, most: usize) -> Vec<Pending<J>> {
        let mut jobs = self.lock();
        let mut taken: Vec<Pending<J>> = Vec::with_capacity(most.min(jobs.len()));
        let mut left = VecDeque::new();
        while let Some(pending) = jobs.pop_front() {
            if !pending.is_wanted() {
                continue;
            }
            if taken.first().is_some_and(|first| first.job.shape() != pending.job.shape()) {
                left.push_back(pending);
            } else {
                taken.push(pending);
            }
            if taken.len() >= most {
                break;
            }
        }
        while let Some(pending) = left.pop_back() {
            jobs.push_front(pending);
        }
        taken
    }

    fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Pending<J>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes whoever waits whenever a connection is free.
async fn send<J: Job>(connections: Arc<Connections>, waiting: Arc<Waiting<J>>, most: usize, counts: Arc<Counts>) {
    loop {
        while waiting.is_empty() {
            waiting.came.notified().await;
        }
        match connection::<J>(&connections).await {
            Ok(held) => {
                let batch = waiting.take(most);
                if !batch.is_empty() {
                    if J::WRITES {
                        counts.add(batch.len());
                    }
                    tokio::spawn(carry_out(Arc::clone(&connections), held, batch));
                }
            }
            // They have waited long enough, and the next would wait in vain.
            Err(error) => {
                let why = error.to_string();
                waiting.lock().drain(..).for_each(|mut pending| pending.refuse(StoreError::Busy(why.clone())));
            }
        }
    }
}

async fn connection<J: Job>(connections: &Connections) -> grantor_store::Result<Held> {
    if J::WRITES { connections.writer().await } else { connections.reader().await }
}

/// Carries out a batch; one by one, when one of them spoils it.
async fn carry_out<J: Job>(connections: Arc<Connections>, held: Held, mut batch: Vec<Pending<J>>) {
    let (held, spoilt, mut uncertain) = together(&connections, Some(held), &mut batch, false).await;
    let Some(failure) = spoilt else { return };
    if let [only] = batch.as_mut_slice() {
        tracing::error!(%failure, "a statement failed");
        return only.refuse(failure.into());
    }
    let mut held = held;
    for pending in batch {
        let mut alone = vec![pending];
        let (free, spoilt, unsure) = together(&connections, held, &mut alone, uncertain).await;
        (held, uncertain) = (free, uncertain || unsure);
        if let (Some(failure), [only]) = (spoilt, alone.as_mut_slice()) {
            tracing::error!(%failure, "a statement failed");
            only.refuse(failure.into());
        }
    }
}

/// Carries out a batch, again and again while that may help. Gives the connection, what spoilt the batch, and whether
/// what is not answered may have been carried out.
async fn together<J: Job>(
    connections: &Connections,
    mut held: Option<Held>,
    batch: &mut Vec<Pending<J>>,
    uncertain: bool,
) -> (Option<Held>, Option<Failure>, bool) {
    let mut attempts = Attempts::from(uncertain);
    loop {
        let usable = match held.take().filter(|held| !held.is_over()) {
            Some(held) => held,
            None => match connection::<J>(connections).await {
                Ok(held) => held,
                Err(error) => {
                    let why = error.to_string();
                    batch.drain(..).for_each(|mut pending| pending.refuse(StoreError::Busy(why.clone())));
                    return (None, None, attempts.uncertain());
                }
            },
        };
        let done = J::run(&usable, batch, attempts.uncertain()).await;
        batch.retain(Pending::is_open);
        held = Some(usable);
        match done {
            _ if batch.is_empty() => return (held, None, attempts.uncertain()),
            Ok(()) => return (held, Some(Failure::Broken("a verb was not answered".to_owned())), attempts.uncertain()),
            Err(failure @ (Failure::Broken(_) | Failure::Json(_) | Failure::Record(_) | Failure::Refused(_))) => {
                return (held, Some(failure), attempts.uncertain());
            }
            Err(failure) => {
                // Nobody else should wait for a connection that pauses.
                if attempts.is_long() {
                    held = None;
                }
                if let Err(error) = attempts.again(failure, Repeatable::Always).await {
                    let why = error.to_string();
                    batch.drain(..).for_each(|mut pending| pending.refuse(StoreError::Busy(why.clone())));
                    return (held, None, attempts.uncertain());
                }
                batch.retain(Pending::is_wanted);
                if batch.is_empty() {
                    return (held, None, attempts.uncertain());
                }
            }
        }
    }
}
