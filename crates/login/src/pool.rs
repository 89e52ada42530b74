//! A bounded pool for slow hashes: sign-ins at full rate must not starve the token endpoint.

use crate::password;
use grantor_protocol::value::Secret;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Verifies and makes slow hashes, a few at a time, off the async threads.
#[derive(Clone)]
pub struct PasswordPool {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    /// What is verified for a user who does not exist, so that he costs the same.
    nobody: Arc<str>,
}

/// Too many are waiting already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being verified")]
pub struct PoolBusy;

/// How many may wait for each one that runs.
const WAITING_PER_THREAD: usize = 64;

impl PasswordPool {
    /// A pool of `threads` at once; `salt` is for the hash of nobody.
    pub fn new(threads: usize, salt: [u8; 16]) -> Self {
        Self {
            running: Arc::new(Semaphore::new(threads)),
            waiting: Arc::new(Semaphore::new(threads.saturating_mul(WAITING_PER_THREAD))),
            nobody: password::hash("nobody has this password", salt).into(),
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

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, PoolBusy> {
        let _place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| PoolBusy)?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| PoolBusy)?;
        // The permit goes with the work: a caller that gives up does not make room before the thread is free again.
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(|_| PoolBusy)
    }
}

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

    #[tokio::test]
    async fn the_pool_is_bounded() {
        let pool = PasswordPool { waiting: Arc::new(Semaphore::new(0)), ..PasswordPool::new(1, [1; 16]) };
        assert_eq!(pool.verify(&Secret::new("x".into()), None).await, Err(PoolBusy));
    }
}
