//! Connections that only read, each lent to one reader at a time. A read sees every commit that was acknowledged before
//! it began.

use crate::connection::{self, PATIENCE};
use crate::failure::{Failure, Result};
use grantor_store::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How many reads run at once.
const READERS: usize = 4;

/// The connections that nobody uses at the moment.
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    places: Arc<Semaphore>,
}

impl Readers {
    /// Opens the connections.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let idle = (0..READERS).map(|_| connection::reader(path)).collect::<Result<Vec<_>>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), places: Arc::new(Semaphore::new(READERS)) })
    }

    /// Finds a few rows by their keys, on the thread that asks: that takes microseconds, and handing it to another
    /// thread and back takes three times as long. What does not get through at once is read as [`Self::read`] does.
    pub(crate) async fn find<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Result<T> + Send + 'static,
    {
        match self.try_now(&work) {
            Some(Ok(found)) => Ok(found),
            Some(Err(failure)) if !failure.is_passing() => Err(failure.into()),
            Some(Err(_)) | None => self.read(work).await,
        }
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let idle = Arc::clone(&self.idle);
        let reading = tokio::task::spawn_blocking(move || {
            let db = pop(&idle).ok_or_else(|| Failure::from(gone()))?;
            let outcome = work(&db);
            push(&idle, db);
            drop(place);
            outcome
        });
        Ok(reading.await.map_err(|_| gone())??)
    }

    /// None when every connection is lent. Waits for nobody.
    fn try_now<T>(&self, work: impl Fn(&Connection) -> Result<T>) -> Option<Result<T>> {
        let _place = self.places.try_acquire().ok()?;
        let db = pop(&self.idle)?;
        let found = db.busy_timeout(Duration::ZERO).map_err(Failure::from).and_then(|()| {
            let found = work(&db);
            db.busy_timeout(PATIENCE)?;
            found
        });
        push(&self.idle, db);
        Some(found)
    }
}

fn pop(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn push(idle: &Mutex<Vec<Connection>>, db: Connection) {
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
}

fn gone() -> StoreError {
    StoreError::Broken("the reading connections are gone".to_owned())
}
