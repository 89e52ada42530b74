//! Scope (RFC 6749 3.3): a set of case-sensitive tokens whose order means nothing.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// One scope-token: visible ASCII without `"` and `\` (RFC 6749 A.4), at most 256 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ScopeToken(String);

/// A set of scope-tokens, written with single spaces between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(BTreeSet<ScopeToken>);

impl ScopeToken {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let nqchar = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        ((1..=256).contains(&raw.len()) && raw.bytes().all(nqchar)).then(|| Self(raw.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scope {
    /// Space-separated tokens; nothing is the empty set. More than 256 tokens are refused.
    pub fn parse(raw: &str) -> Option<Self> {
        let tokens: BTreeSet<_> =
            raw.split(' ').filter(|token| !token.is_empty()).map(ScopeToken::parse).collect::<Option<_>>()?;
        (tokens.len() <= 256).then_some(Self(tokens))
    }

    /// Whether the token is in the set.
    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// Whether every token of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// The tokens that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// The tokens that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// The tokens in order of text.
    pub fn iter(&self) -> impl Iterator<Item = &ScopeToken> {
        self.0.iter()
    }

    /// Whether there is no token.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::borrow::Borrow<str> for ScopeToken {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, token) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&token.0)?;
        }
        Ok(())
    }
}

impl FromIterator<ScopeToken> for Scope {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(tokens.into_iter().collect())
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).ok_or_else(|| serde::de::Error::custom(format!("{raw:?} is no scope (RFC 6749 3.3)")))
    }
}

impl<'de> Deserialize<'de> for ScopeToken {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).ok_or_else(|| serde::de::Error::custom(format!("{raw:?} is no scope token (RFC 6749 3.3)")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rfc6749_3_3_scope_tokens_are_visible_ascii_without_quote_and_backslash() {
        for bad in ["a\"b", "a\\b", "a\tb", "é", "a\u{0}"] {
            assert!(Scope::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(Scope::parse("b a  b").unwrap().to_string(), "a b");
        assert!(Scope::parse("").unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn rfc6749_3_3_printing_and_parsing_agree(raw in ".*") {
            if let Some(scope) = Scope::parse(&raw) {
                prop_assert_eq!(Scope::parse(&scope.to_string()), Some(scope));
            }
        }
    }
}
