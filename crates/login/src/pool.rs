//! A bounded pool for slow hashes: sign-ins at full rate must not starve the token endpoint.

mod threads;

use crate::password;
use grantor_protocol::value::Secret;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;
use threads::Job;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;

/// Verifies and makes slow hashes, a few at a time, off the async threads.
#[derive(Clone)]
pub struct PasswordPool {
    running: Arc<Semaphore>,
    /// Room for those who run and those who wait.
    room: Arc<Semaphore>,
    threads: usize,
    places: usize,
    /// How many found no room.
    refused: Arc<AtomicU64>,
    /// What is verified for a user who does not exist, so that he costs the same.
    nobody: Arc<str>,
    /// To the threads, from the first hash on; none where there can be no thread.
    work: Arc<OnceLock<Option<Sender<Job>>>>,
}

/// Too many are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being verified")]
pub struct PoolBusy;

/// How many may be there for each one that runs: the last of them waits for about a second.
const ROOM_PER_THREAD: usize = 32;

/// A hash takes 15 ms of a processor. One that is not done by then has found little idle time.
const LATE: Duration = Duration::from_millis(100);
/// From then on the server lends it some of a processor so often, until the thread helps itself.
const EVERY: Duration = Duration::from_millis(2);

impl PasswordPool {
    /// A pool of `threads` at once; `random` is for the hash of nobody.
    pub fn new(threads: usize, random: [u8; 16]) -> Self {
        let places = threads.saturating_mul(ROOM_PER_THREAD);
        Self {
            running: Arc::new(Semaphore::new(threads)),
            room: Arc::new(Semaphore::new(places)),
            threads,
            places,
            refused: Arc::default(),
            nobody: password::of_nobody(random).into(),
            work: Arc::default(),
        }
    }

    /// Whether this is the password of the hash. Without one it says no, in the time of a hash at today's cost. An
    /// imported one takes its own time until it is hashed again, and tells by it that its user exists.
    pub async fn verify(&self, password: &Secret, hash: Option<&str>) -> Result<bool, PoolBusy> {
        let exists = hash.is_some();
        let hash: Arc<str> = hash.map_or_else(|| Arc::clone(&self.nobody), Arc::from);
        let password = password.clone();
        Ok(self.run(move || password::verify(password.expose(), &hash)).await? && exists)
    }

    /// Hashes a password under a fresh salt.
    pub async fn hash(&self, password: &Secret, salt: [u8; 16]) -> Result<String, PoolBusy> {
        let password = password.clone();
        self.run(move || password::hash(password.expose(), salt)).await
    }

    /// How many are being computed.
    pub fn running(&self) -> usize {
        self.threads.saturating_sub(self.running.available_permits())
    }

    /// How many wait for their turn.
    pub fn waiting(&self) -> usize {
        self.present().saturating_sub(self.running())
    }

    /// How many run or wait.
    pub fn present(&self) -> usize {
        self.places.saturating_sub(self.room.available_permits())
    }

    /// How many found no room, ever.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl Fn() -> T + Send + Sync + 'static) -> Result<T, PoolBusy> {
        let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            PoolBusy
        })?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PoolBusy)?;
        let (answer, answered) = oneshot::channel();
        // Permit and place go with the work: a caller that gives up does not make room before it is done.
        let asked = Mutex::new(Some((answer, permit, place)));
        let work = move || {
            let done = work();
            // It may have been computed twice.
            if let Some((answer, permit, place)) = asked.lock().unwrap_or_else(PoisonError::into_inner).take() {
                // Whoever has his answer finds room again.
                drop((permit, place));
                let _ = answer.send(done);
            }
        };
        let started = self.work.get_or_init(|| threads::start(self.threads).ok());
        started.as_ref().and_then(|started| started.send(Arc::new(work)).ok()).ok_or(PoolBusy)?;
        // By a task of its own: a caller that gives up leaves a thread to whoever comes next.
        let answered = tokio::spawn(awaited(answered, threads::lend));
        answered.await.map_err(|_| PoolBusy)?.map_err(|_| PoolBusy)
    }
}

/// What is computed in idle time, where there may be none: then the thread that waits sleeps now and then, which is as good,
/// and wakes up at once.
async fn awaited<T>(mut answer: oneshot::Receiver<T>, lend: impl Fn()) -> Result<T, oneshot::error::RecvError> {
    let begun = Instant::now();
    let mut patience = LATE;
    while begun.elapsed() < threads::LATE {
        if let Ok(answered) = tokio::time::timeout(patience, &mut answer).await {
            return answered;
        }
        lend();
        patience = EVERY;
    }
    answer.await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[tokio::test]
    async fn a_user_who_does_not_exist_has_no_password() {
        let pool = PasswordPool::new(1, [1; 16]);
        assert!(!pool.verify(&Secret::new("nobody has this password".into()), None).await.unwrap());
        let hash = pool.hash(&Secret::new("right".into()), [2; 16]).await.unwrap();
        assert!(pool.verify(&Secret::new("right".into()), Some(&hash)).await.unwrap());
        assert!(!pool.verify(&Secret::new("wrong".into()), Some(&hash)).await.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_idle_time_is_lent_some() {
        let (answer, answered) = oneshot::channel();
        let (answer, lent) = (Cell::new(Some(answer)), Cell::new(0));
        let begun = Instant::now();
        let lend = || {
            lent.set(lent.get() + 1);
            if lent.get() == 5 {
                answer.take().unwrap().send(7).unwrap();
            }
        };
        assert_eq!(awaited(answered, lend).await, Ok(7));
        assert_eq!((lent.get(), begun.elapsed()), (5, LATE + EVERY * 4));
        let (answer, answered) = oneshot::channel();
        answer.send(7).unwrap();
        assert_eq!(awaited(answered, || panic!("it is there")).await, Ok(7));
        // Not for ever: by then it is computed a second time.
        let (answer, answered) = oneshot::channel();
        let (last, begun) = (Cell::new(Duration::ZERO), Instant::now());
        let in_the_end = async {
            tokio::time::sleep(threads::LATE * 3).await;
            answer.send(7).unwrap();
        };
        let (answer, ()) = tokio::join!(awaited(answered, || last.set(begun.elapsed())), in_the_end);
        assert_eq!((answer, last.get()), (Ok(7), threads::LATE));
    }

    #[tokio::test]
    async fn who_finds_no_room_is_told_so_at_once() {
        let pool = PasswordPool::new(1, [1; 16]);
        let held = pool.room.clone().acquire_many_owned(31).await.unwrap();
        let secret = Secret::new("x".into());
        // One is computed and holds the last place; the next finds none.
        let (first, second) = tokio::join!(pool.verify(&secret, None), pool.verify(&secret, None));
        assert_eq!((first, second), (Ok(false), Err(PoolBusy)));
        assert_eq!((pool.refused(), pool.present(), pool.running()), (1, 31, 0));
        drop(held);
        assert_eq!(pool.present(), 0);
        assert_eq!(pool.verify(&secret, None).await, Ok(false));
    }
}
