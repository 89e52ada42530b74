//! The clock and the source of randomness: what the rules get as values.

use crate::error::{Error, Result};
use grantor_jose::base64url;
use grantor_protocol::value::{Secret, UnixTime};
use std::time::{SystemTime, UNIX_EPOCH};

/// 256 random bits as text: 43 characters that may stand in a URL, and a verifier of PKCE (RFC 7636 4.1).
pub(crate) fn text() -> Result<Secret> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Error::Setup(format!("cannot draw random bytes: {error}")))?;
    Ok(Secret::new(base64url::encode(*bytes)))
}

/// The present second.
pub(crate) fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::new(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
