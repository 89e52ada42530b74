//! A bounded pool for slow hashes: sign-ins at full rate must not starve the token endpoint.

use crate::password;
use grantor_protocol::value::Secret;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Semaphore, oneshot};

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
}

/// Too many are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being verified")]
pub struct PoolBusy;

/// How many may be there for each one that runs: the last of them waits for about a second.
const ROOM_PER_THREAD: usize = 32;

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

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PoolBusy> {
        let place = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            PoolBusy
        })?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PoolBusy)?;
        let (answer, answered) = oneshot::channel();
        // A thread of its own costs a thousandth of the hash, and leaves no other work behind with its low priority. Permit
        // and place go with the work: a caller that gives up does not make room before the thread is free again.
        let work = move || {
            let places = (permit, place);
            step_back();
            let done = work();
            // Whoever has his answer finds room again.
            drop(places);
            let _ = answer.send(done);
        };
        std::thread::Builder::new().name("grantor-hash".to_owned()).spawn(work).map_err(|_| PoolBusy)?;
        answered.await.map_err(|_| PoolBusy)
    }
}

/// Lets everything else go first on this thread's core: a hash takes as long as hundreds of tokens. Where every core is
/// taken, hashes still get about a tenth of one.
#[cfg(target_os = "linux")]
fn step_back() {
    // Linux has a priority for each thread. Where that is forbidden, it goes on as it is.
    let _ = rustix::process::nice(NICE);
}

/// How much nicer than all others.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

#[cfg(not(target_os = "linux"))]
fn step_back() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_user_who_does_not_exist_has_no_password() {
        let pool = PasswordPool::new(1, [1; 16]);
        assert!(!pool.verify(&Secret::new("nobody has this password".into()), None).await.unwrap());
        let hash = pool.hash(&Secret::new("right".into()), [2; 16]).await.unwrap();
        assert!(pool.verify(&Secret::new("right".into()), Some(&hash)).await.unwrap());
        assert!(!pool.verify(&Secret::new("wrong".into()), Some(&hash)).await.unwrap());
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_hash_is_computed_behind_everything_else() {
        let pool = PasswordPool::new(1, [1; 16]);
        let before = rustix::process::nice(0).unwrap();
        assert_eq!(pool.run(|| rustix::process::nice(0).unwrap()).await, Ok((before + NICE).min(19)));
        assert_eq!(rustix::process::nice(0).unwrap(), before);
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
