//! The words of the rules: one newtype per noun, each with one door in.

mod id;
mod pkce;
mod redirect;
mod resource;
mod scope;
mod secret;
mod text;
mod time;
mod user_code;

pub use id::{ClientId, CodeId, EventId, GrantId, ItemId, Subject, TenantName, TokenId, WorkspaceId};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use redirect::RedirectUri;
pub use resource::{Issuer, Resource};
pub use scope::{Scope, ScopeToken};
pub use secret::Secret;
pub use text::Text;
pub use time::{Seconds, UnixTime};
pub use user_code::UserCode;

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Reads a text through the one door of its type, without a copy in between. `wrong` says what another text is not.
fn parsed<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    wrong: &'static str,
    door: fn(&str) -> Option<T>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Door { open: door, wrong, of: PhantomData })
}

/// Reads where a text lies. What it gives means nothing.
pub fn look_at(text: &[u8]) -> usize {
    text.first().copied().map_or(0, usize::from)
}

struct Door<T> {
    open: fn(&str) -> Option<T>,
    wrong: &'static str,
    of: PhantomData<T>,
}

impl<T> Visitor<'_> for Door<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, raw: &str) -> Result<T, E> {
        (self.open)(raw).ok_or_else(|| E::custom(format!("{raw:?} {}", self.wrong)))
    }
}
