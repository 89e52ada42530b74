//! What is allowed where: scopes belong to an audience, so that two APIs may both have a `read`.

use crate::value::{Resource, Scope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Scopes by audience. The issuer's own audience holds the scopes of OpenID Connect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Access(BTreeMap<Resource, Scope>);

impl Access {
    /// Adds scopes at an audience; an empty scope still names the audience.
    pub fn add(&mut self, resource: Resource, scope: &Scope) {
        let held = self.0.entry(resource).or_default();
        *held = held.union(scope);
    }

    /// Puts scopes at an audience, in the place of those that stand there.
    pub fn put(&mut self, resource: Resource, scope: Scope) {
        self.0.insert(resource, scope);
    }

    /// Whether all of `other` is allowed here.
    pub fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, scope)| self.0.get(resource).is_some_and(|held| held.covers(scope)))
    }

    /// Both together.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (resource, scope) in &other.0 {
            both.add(resource.clone(), scope);
        }
        both
    }

    /// What is left without `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let left = self.0.iter().map(|(resource, scope)| match other.0.get(resource) {
            None => (resource.clone(), scope.clone()),
            Some(gone) => {
                let kept = scope.iter().filter(|token| !gone.contains(token.as_str()));
                (resource.clone(), kept.cloned().collect())
            }
        });
        Self(
            left.filter(|(resource, scope): &(_, Scope)| !scope.is_empty() || !other.0.contains_key(resource))
                .collect(),
        )
    }

    /// Keeps only what passes.
    pub fn retain(&mut self, keep: impl Fn(&Resource, &Scope) -> bool) {
        self.0.retain(|resource, scope| keep(resource, scope));
    }

    /// The scopes at an audience.
    pub fn at(&self, resource: &Resource) -> Option<&Scope> {
        self.0.get(resource)
    }

    /// Every audience with its scopes, in order of text.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, &Scope)> {
        self.0.iter()
    }

    /// All scopes together, as `scope` writes them.
    pub fn scope(&self) -> Scope {
        let mut scopes = self.0.values();
        let first = scopes.next().cloned().unwrap_or_default();
        scopes.fold(first, |all, scope| all.union(scope))
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
