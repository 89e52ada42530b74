//! Identifiers. Those that Grantor makes are UUIDs of version 7 (RFC 9562 5.7): they sort by the millisecond in which
//! they were made, which keeps index pages warm and lets a moment be a cut-off.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;
use uuid::Uuid;

macro_rules! time_ordered {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Made at `millis` since the epoch, from ten fresh random bytes.
            pub fn new(millis: u64, random: [u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// From its sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Its sixteen bytes; they sort by time.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// From its hyphenated text.
            pub fn parse(raw: &str) -> Option<Self> {
                (raw.len() == 36).then(|| Uuid::try_parse(raw).ok()).flatten().map(Self)
            }

            /// The millisecond in which it was made.
            pub fn millis(&self) -> u64 {
                self.0.as_bytes().iter().take(6).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

time_ordered! {
    /// Names a grant: what a user, or an administrator, allowed a client.
    GrantId
}
time_ordered! {
    /// Names an authorization code, which can be spent once.
    CodeId
}
time_ordered! {
    /// Names an access token (`jti`, RFC 9068 2.2).
    TokenId
}
impl TokenId {
    /// The last of its millisecond: as a cut-off it leaves nothing of that millisecond standing.
    pub fn last_of(millis: u64) -> Self {
        Self::new(millis, [0xff; 10])
    }
}

time_ordered! {
    /// Names an audit event.
    EventId
}
time_ordered! {
    /// Names a workspace of the token desk.
    WorkspaceId
}
time_ordered! {
    /// Names an item in a workspace of the token desk.
    ItemId
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(SmolStr);

        impl $name {
            /// The only door in.
            pub fn parse(raw: &str) -> Option<Self> {
                let rule: fn(&str) -> bool = $rule;
                rule(raw).then(|| Self(raw.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                super::parsed(deserializer, concat!("is not a valid ", stringify!($name)), Self::parse)
            }
        }
    };
}

text_id! {
    /// `client_id`: 1 to 255 visible ASCII characters (RFC 6749 A.1 allows spaces too; nobody uses them).
    ClientId, |raw| (1..=255).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic())
}
text_id! {
    /// `sub`: at most 255 visible ASCII characters (OpenID Connect Core 2).
    Subject, |raw| (1..=255).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_graphic())
}
text_id! {
    /// The name of a tenant: 1 to 63 of `a-z`, `0-9` and inner hyphens, as it stands in the path `/t/{name}`.
    TenantName, |raw| {
        (1..=63).contains(&raw.len())
            && raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !raw.starts_with('-') && !raw.ends_with('-')
    }
}

impl TenantName {
    /// The tenant that answers at the root.
    pub const DEFAULT: &'static str = "default";

    /// Whether this is the tenant that answers at the root.
    pub fn is_default(&self) -> bool {
        self.0 == Self::DEFAULT
    }
}

impl Default for TenantName {
    fn default() -> Self {
        Self(SmolStr::new_static(Self::DEFAULT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc9562_5_7_identifiers_sort_by_time() {
        let early = GrantId::new(1_000, [255; 10]);
        let late = GrantId::new(1_001, [0; 10]);
        assert!(early < late);
        assert!(TokenId::new(1_000, [0xfe; 10]) < TokenId::last_of(1_000));
        assert!(TokenId::last_of(1_000) < TokenId::new(1_001, [0; 10]));
        assert_eq!(late.millis(), 1_001);
        assert_eq!(GrantId::parse(&late.to_string()), Some(late));
    }

    #[test]
    fn names_of_tenants_are_path_segments() {
        for good in ["default", "a", "acme-2"] {
            assert!(TenantName::parse(good).is_some(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a/b", "a.b", &"a".repeat(64)] {
            assert!(TenantName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn rfc6749_a_1_client_ids_are_visible_ascii() {
        assert!(ClientId::parse("web-1").is_some());
        for bad in ["", "a b", "a\u{0}", "é", &"a".repeat(256)] {
            assert!(ClientId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
