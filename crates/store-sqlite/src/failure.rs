//! What can go wrong inside the database, and what the port calls it.

use grantor_store::StoreError;
use rusqlite::ErrorCode;

/// Why a statement, or a whole transaction, came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("a stored record cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a stored {0} is not valid")]
    Record(&'static str),
    #[error(transparent)]
    Refused(#[from] StoreError),
}

/// What a statement gives.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// Whether trying again later may help: somebody else holds the file, or the disk is full, read-only or failing.
    pub(crate) fn is_passing(&self) -> bool {
        let Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) = self else {
            return matches!(self, Self::Refused(StoreError::Busy(_)));
        };
        matches!(
            error.code,
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
        )
    }

    /// What those are told whose work was undone together with the work that failed.
    pub(crate) fn told_to_others(&self) -> StoreError {
        let text = self.to_string();
        if self.is_passing() { StoreError::Busy(text) } else { StoreError::Broken(text) }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            other => other.told_to_others(),
        }
    }
}
