//! What is allowed where: scopes belong to an audience, so that two APIs may both have a `read`.

use crate::value::{Resource, Scope, ScopeToken};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;

/// Scopes by audience, in order of text. The issuer's own audience holds the scopes of OpenID Connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access(Vec<(Resource, Scope)>);

impl Access {
    /// Adds scopes at an audience; an empty scope still names the audience.
    pub fn add(&mut self, resource: Resource, scope: &Scope) {
        match self.find(&resource) {
            Ok((_, held)) => *held = held.union(scope),
            Err(at) => self.0.insert(at, (resource, scope.clone())),
        }
    }

    /// Adds one scope at an audience.
    pub fn add_token(&mut self, resource: &Resource, token: &ScopeToken) {
        match self.find(resource) {
            Ok((_, held)) => held.insert(token.clone()),
            Err(at) => self.0.insert(at, (resource.clone(), std::iter::once(token.clone()).collect())),
        }
    }

    /// Adds all of the other.
    pub fn extend(&mut self, other: Self) {
        for (resource, scope) in other {
            match self.find(&resource) {
                Ok((_, held)) => *held = held.union(&scope),
                Err(_) => self.put(resource, scope),
            }
        }
    }

    fn find(&mut self, resource: &Resource) -> Result<&mut (Resource, Scope), usize> {
        let at = self.0.binary_search_by(|(held, _)| held.cmp(resource))?;
        self.0.get_mut(at).ok_or(at)
    }

    /// Puts scopes at an audience, in the place of those that stand there.
    pub fn put(&mut self, resource: Resource, scope: Scope) {
        if self.0.is_empty() {
            // Most have one audience, and then room for one.
            self.0 = vec![(resource, scope)];
            return;
        }
        match self.find(&resource) {
            Ok((_, held)) => *held = scope,
            Err(at) => self.0.insert(at, (resource, scope)),
        }
    }

    /// Whether all of `other` is allowed here.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, scope)| self.at(resource).is_some_and(|held| held.covers(scope)))
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.extend(other.clone());
        both
    }

    /// What is left without `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let left = self.iter().map(|(resource, scope)| match other.at(resource) {
            None => (resource.clone(), scope.clone()),
            Some(gone) => {
                let kept = scope.iter().filter(|token| !gone.contains(token.as_str()));
                (resource.clone(), kept.cloned().collect())
            }
        });
        Self(left.filter(|(resource, scope): &(_, Scope)| !scope.is_empty() || other.at(resource).is_none()).collect())
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, keep: impl Fn(&Resource, &Scope) -> bool) {
        self.0.retain(|(resource, scope)| keep(resource, scope));
    }

    /// The scopes at an audience.
    pub fn at(&self, resource: &Resource) -> Option<&Scope> {
        self.iter().find_map(|(held, scope)| (held == resource).then_some(scope))
    }

    /// Every audience with its scopes, in order of text.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, &Scope)> {
        self.0.iter().map(|(resource, scope)| (resource, scope))
    }

    /// All scopes together, as `scope` writes them.
    pub fn scope(&self) -> Scope {
        let mut scopes = self.iter().map(|(_, scope)| scope);
        let first = scopes.next().cloned().unwrap_or_default();
        scopes.fold(first, |all, scope| all.union(scope))
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Access {
    type Item = (Resource, Scope);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Resource, Scope)> for Access {
    fn from_iter<I: IntoIterator<Item = (Resource, Scope)>>(entries: I) -> Self {
        let mut access = Self::default();
        for (resource, scope) in entries {
            access.add(resource, &scope);
        }
        access
    }
}

impl Serialize for Access {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Access {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Access;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scopes by audience")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Access, A::Error> {
        let mut access = Access::default();
        while let Some((resource, scope)) = map.next_entry()? {
            access.put(resource, scope);
        }
        Ok(access)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(entries: &[(&str, &str)]) -> Access {
        entries
            .iter()
            .map(|(resource, scope)| (Resource::parse(resource).unwrap(), Scope::parse(scope).unwrap()))
            .collect()
    }

    #[test]
    fn it_is_written_as_an_object_in_order() {
        let text = r#"{"https://b":"read","https://a":"write read","https://b":"write"}"#;
        let read: Access = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"{"https://a":"read write","https://b":"write"}"#);
        assert!(serde_json::from_str::<Access>(r#"{"here":"read"}"#).is_err());
    }

    #[test]
    fn rfc8707_2_2_scopes_belong_to_their_audience() {
        let held = access(&[("https://a", "read write"), ("https://b", "read")]);
        assert!(held.covers(&access(&[("https://a", "read")])));
        assert!(held.covers(&access(&[])));
        assert!(!held.covers(&access(&[("https://b", "write")])));
        assert!(!held.covers(&access(&[("https://c", "")])));
        assert_eq!(held.scope().to_string(), "read write");
        assert_eq!(
            held.without(&access(&[("https://a", "write")])),
            access(&[("https://a", "read"), ("https://b", "read")])
        );
        assert_eq!(held.without(&access(&[("https://b", "read")])), access(&[("https://a", "read write")]));
    }
}
