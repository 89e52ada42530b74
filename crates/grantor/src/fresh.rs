//! The clock and the source of randomness, for the commands.

use crate::failure::{Context as _, Result};
use grantor_protocol::value::{EventId, UnixTime};
use std::time::{SystemTime, UNIX_EPOCH};

/// Fresh random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context(|| "draw random bytes".to_owned())?;
    Ok(bytes)
}

/// Milliseconds since the epoch.
pub(crate) fn millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The present second.
pub(crate) fn now() -> UnixTime {
    UnixTime::new(i64::try_from(millis() / 1000).unwrap_or(i64::MAX))
}

/// A name for an audit event.
pub(crate) fn event_id() -> Result<EventId> {
    Ok(EventId::new(millis(), bytes()?))
}

/// A UUID of version 7, for what Grantor names itself.
pub(crate) fn uuid() -> Result<String> {
    Ok(uuid::Builder::from_unix_timestamp_millis(millis(), &bytes()?).into_uuid().to_string())
}
