//! Connections that only read, each lent to one reader at a time. A read sees every commit that was acknowledged before
//! it began.

use crate::connection;
use crate::failure::{Failure, Result};
use grantor_store::StoreError;
use rusqlite::Connection;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
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

    /// Reads on a thread that may block.
    pub(crate) async fn read<T, F>(&self, work: F) -> grantor_store::Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
    {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let idle = Arc::clone(&self.idle);
        let reading = tokio::task::spawn_blocking(move || {
            let db = idle.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or_else(|| Failure::from(gone()))?;
            let outcome = work(&db);
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
            drop(place);
            outcome
        });
        Ok(reading.await.map_err(|_| gone())??)
    }
}

fn gone() -> StoreError {
    StoreError::Broken("the reading connections are gone".to_owned())
}
