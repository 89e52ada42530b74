//! Scope (RFC 6749 3.3): a set of case-sensitive tokens whose order means nothing.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

/// One scope-token: visible ASCII without `"` and `\` (RFC 6749 A.4), at most 256 characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ScopeToken(SmolStr);

/// A set of scope-tokens, written with single spaces between them. Each stands once, in order of text: sets are small, and
/// a vector is the cheapest of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope(Vec<ScopeToken>);

impl ScopeToken {
    /// The only door in.
    pub fn parse(raw: &str) -> Option<Self> {
        let nqchar = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
        ((1..=256).contains(&raw.len()) && raw.bytes().all(nqchar)).then(|| Self(raw.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Scope {
    /// Space-separated tokens; nothing is the empty set. More than 256 tokens are refused.
    pub fn parse(raw: &str) -> Option<Self> {
        let tokens: Self =
            raw.split(' ').filter(|token| !token.is_empty()).map(ScopeToken::parse).collect::<Option<_>>()?;
        (tokens.0.len() <= 256).then_some(tokens)
    }

    /// Whether the token is in the set.
    pub fn contains(&self, token: &str) -> bool {
        self.0.binary_search_by(|held| held.as_str().cmp(token)).is_ok()
    }

    /// Whether every token of `other` is in this set.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|token| self.contains(token.as_str()))
    }

    /// The tokens that are in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|token| other.contains(token.as_str())).cloned().collect())
    }

    /// The tokens that are in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        match (self.covers(other), other.covers(self)) {
            (true, _) => self.clone(),
            (_, true) => other.clone(),
            _ => self.0.iter().chain(&other.0).cloned().collect(),
        }
    }

    /// Adds a token.
    pub fn insert(&mut self, token: ScopeToken) {
        if let Err(at) = self.0.binary_search(&token) {
            self.0.insert(at, token);
        }
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, keep: impl FnMut(&ScopeToken) -> bool) {
        self.0.retain(keep);
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
        let mut tokens: Vec<_> = tokens.into_iter().collect();
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens)
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::parsed(deserializer, "is no scope (RFC 6749 3.3)", Self::parse)
    }
}

impl<'de> Deserialize<'de> for ScopeToken {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::parsed(deserializer, "is no scope token (RFC 6749 3.3)", Self::parse)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

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

        #[test]
        fn rfc6749_3_3_a_scope_is_a_set(a in "[abc ]{0,9}", b in "[abc ]{0,9}") {
            let set = |raw: &str| raw.split(' ').filter(|t| !t.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>();
            let of = |scope: &Scope| scope.iter().map(ToString::to_string).collect::<Vec<_>>();
            let (left, right) = (Scope::parse(&a).unwrap(), Scope::parse(&b).unwrap());
            let both = |of: BTreeSet<&String>| of.into_iter().cloned().collect::<Vec<_>>();
            let (a, b) = (set(&a), set(&b));
            prop_assert_eq!(of(&left), both(a.iter().collect()));
            prop_assert_eq!(of(&left.union(&right)), both(a.union(&b).collect()));
            prop_assert_eq!(of(&left.intersection(&right)), both(a.intersection(&b).collect()));
            prop_assert_eq!(left.covers(&right), b.is_subset(&a));
            let mut grown = left.clone();
            right.iter().for_each(|token| grown.insert(token.clone()));
            prop_assert_eq!(grown, left.union(&right));
        }
    }
}
