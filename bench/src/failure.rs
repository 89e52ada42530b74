//! What can go wrong with a benchmark: something is broken, never something is slow.

/// Said to whoever runs it.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a step gives.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// A failure in words.
pub(crate) fn broken<T>(why: impl Into<String>) -> Result<T> {
    Err(why.into().into())
}
