//! Where a JWT that was taken back before its time is known.

use crate::Verified;
use grantor_protocol::value::UnixTime;
use std::fmt::Debug;
use std::pin::Pin;

/// Whether a token was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known against it.
    Good,
    /// It was taken back.
    TakenBack,
    /// That cannot be said now.
    Unknown,
}

/// Knows which JWTs were taken back, by a feed or a table of your own. Status lists need none: they are followed anyway.
///
/// It is asked at every request, also while the token is remembered. A token whose standing is not known is refused with
/// 503.
pub trait Revocations: Debug + Send + Sync + 'static {
    /// What is known without waiting.
    fn standing(&self, token: &Verified, now: UnixTime) -> Standing;

    /// What can be learned where [`Self::standing`] does not know; nothing, unless it is implemented.
    fn learn<'a>(&'a self, token: &'a Verified, now: UnixTime) -> Pin<Box<dyn Future<Output = Standing> + Send + 'a>> {
        let _ = (token, now);
        Box::pin(std::future::ready(Standing::Unknown))
    }
}

impl Standing {
    /// Both must be good.
    pub(crate) fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Good => other(),
            Self::TakenBack => Self::TakenBack,
            Self::Unknown => match other() {
                Self::TakenBack => Self::TakenBack,
                _ => Self::Unknown,
            },
        }
    }
}
