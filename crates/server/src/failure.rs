//! What a failure of the store becomes.

use grantor_protocol::Refusal;
use grantor_store::StoreError;

/// What a failure of the store means for the client; the log gets the rest.
pub(crate) fn failed(error: &StoreError) -> Refusal {
    match error {
        StoreError::Busy(reason) => {
            tracing::warn!(reason, "the store is busy");
            Refusal::Busy
        }
        other => {
            tracing::error!(error = %other, "the store failed");
            Refusal::Broken
        }
    }
}
