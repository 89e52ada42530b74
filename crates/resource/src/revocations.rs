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

/// Knows which JWTs were taken back, by a status list, a feed, or a table.
///
/// It is asked when a token is verified, and not again while the token is in the cache: whoever learns that something was
/// taken back calls [`crate::Api::forget_verified`], after which every token is verified, and asked about, anew. A token
/// whose standing is not known is refused with 503.
pub trait Revocations: Debug + Send + Sync + 'static {
    /// What is known without waiting.
    fn standing(&self, token: &Verified, now: UnixTime) -> Standing;

    /// What can be learned where [`Self::standing`] does not know; nothing, unless it is implemented.
    fn learn<'a>(&'a self, token: &'a Verified, now: UnixTime) -> Pin<Box<dyn Future<Output = Standing> + Send + 'a>> {
        let _ = (token, now);
        Box::pin(std::future::ready(Standing::Unknown))
    }
}
