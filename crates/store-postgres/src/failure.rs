//! What can go wrong between here and the database, and what the port calls it.

use grantor_store::StoreError;
use std::time::{Duration, Instant};
use tokio_postgres::error::SqlState;

/// Why a statement came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Undone for the sake of others who did the same (40001, 40P01): nothing was changed, try again.
    #[error("undone in favour of another: {0}")]
    Undone(String),
    /// The connection is of no use any more. Whether the statement was carried out is not known.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// A reply did not come in time, or what the server has is used up: nothing was changed.
    #[error("the database is busy: {0}")]
    Busy(String),
    /// A statement that can never succeed.
    #[error("{0}")]
    Broken(String),
    #[error("a stored record cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a stored {0} is not valid")]
    Record(&'static str),
    #[error(transparent)]
    Refused(#[from] StoreError),
}

/// What a statement gives.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// How often work is begun anew before its caller is told to come again later.
const ATTEMPTS: u32 = 12;
/// No attempt begins later than this after the first: each may wait for a reply that never comes.
const LATEST: Duration = Duration::from_secs(3);
/// The longest pause before work is begun anew.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Counts how often a verb was begun, and since when.
///
/// ```text
/// let mut attempts = Attempts::default();
/// loop {
///     match work(&connections.writer().await?).await {
///         Ok(value) => return Ok(value),
///         Err(failure) => attempts.again(failure, Repeatable::Always).await?,
///     }
/// }
/// ```
#[derive(Debug)]
pub(crate) struct Attempts {
    begun: Instant,
    made: u32,
    uncertain: bool,
}

/// Whether work may be begun anew when nobody knows if it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeatable {
    /// Doing it twice is as doing it once, or it knows its own work again.
    Always,
    /// Only when it certainly was not done.
    Undone,
}

impl Default for Attempts {
    fn default() -> Self {
        Self::from(false)
    }
}

impl From<bool> for Attempts {
    /// None yet; whether another's may have been carried out.
    fn from(uncertain: bool) -> Self {
        Self { begun: Instant::now(), made: 0, uncertain }
    }
}

impl Attempts {
    /// Whether the next pause is one that others should not wait for.
    pub(crate) fn is_long(&self) -> bool {
        self.made > 2
    }

    /// Whether an earlier attempt may have been carried out.
    pub(crate) fn uncertain(&self) -> bool {
        self.uncertain
    }

    /// Returns after a short pause when the work is to be begun anew; else gives what the caller is told.
    pub(crate) async fn again(
        &mut self,
        failure: Failure,
        repeatable: Repeatable,
    ) -> std::result::Result<(), StoreError> {
        self.made += 1;
        let may = self.made < ATTEMPTS && self.begun.elapsed() < LATEST;
        match failure {
            Failure::Undone(_) if may => {}
            Failure::Lost(_) if may && repeatable == Repeatable::Always => self.uncertain = true,
            other => return Err(other.into()),
        }
        tokio::time::sleep(pause(self.made)).await;
        Ok(())
    }
}

/// Twice as long as the one before, and each node its own.
fn pause(made: u32) -> Duration {
    let whole = Duration::from_millis(1).saturating_mul(1 << made.min(10)).min(LONGEST_PAUSE);
    whole.mul_f64(0.5 + crate::connect::chance() / 2.0)
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let Some(said) = error.as_db_error() else {
            return if error.is_closed()
                || std::error::Error::source(&error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
            {
                Self::Lost(whole(&error))
            } else {
                Self::Broken(whole(&error))
            };
        };
        let (code, text) = (said.code(), format!("{} ({})", said.message(), said.code().code()));
        match code.code() {
            "40001" | "40P01" => Self::Undone(text),
            // 08: the connection. 40003: the outcome is not known (CockroachDB). 57P01 to 57P05: the server ends it.
            // 25006: a primary became a standby. 0A000 with this text, 26000: what was prepared is gone.
            "40003" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" | "26000" => Self::Lost(text),
            class if class.starts_with("08") => Self::Lost(text),
            "0A000" if said.message().contains("cached plan") => Self::Lost(text),
            // 53: memory, disk, connections. 57014: it took too long. 55P03: a lock did.
            class if class.starts_with("53") => Self::Busy(text),
            "57014" | "55P03" => Self::Busy(text),
            _ if *code == SqlState::ADMIN_SHUTDOWN => Self::Lost(text),
            _ => Self::Broken(text),
        }
    }
}

/// What the driver says and why, such as what is wrong with a certificate.
fn whole(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(error) => error,
            Failure::Undone(_) | Failure::Lost(_) | Failure::Busy(_) => Self::Busy(failure.to_string()),
            Failure::Broken(_) | Failure::Json(_) | Failure::Record(_) => Self::Broken(failure.to_string()),
        }
    }
}
