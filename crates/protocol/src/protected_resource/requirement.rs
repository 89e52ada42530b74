//! What a route wants of a token, beyond that it holds.

use crate::directory::RequiredBinding;
use crate::token::{AccessToken, Binding};
use crate::value::{Scope, Seconds, UnixTime};

/// What a route wants. Requirements compose: [`Self::and`] gives what wants both.
///
/// ```
/// use grantor_protocol::protected_resource::Requirement;
///
/// let read = Requirement::scope("notes:read");
/// let delete = read.and(Requirement::role("admin")).and(Requirement::signed_in_within(300));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requirement {
    scopes: Scope,
    /// Of each, one.
    any_scopes: Vec<Scope>,
    roles: Vec<String>,
    /// One of these, if any are named.
    acr: Option<Vec<String>>,
    max_age: Option<Seconds>,
    binding: RequiredBinding,
    /// No token does.
    unfulfillable: bool,
}

/// What a token has that a route may want.
pub trait Held {
    /// `cnf`: what its sender has proved.
    fn binding(&self) -> &Binding;
    /// `scope`.
    fn scope(&self) -> &Scope;
    /// Whether `roles` has this role (RFC 9068 2.2.3.1).
    fn has_role(&self, role: &str) -> bool;
    /// `acr`: how the user signed in (RFC 9068 2.2.1).
    fn acr(&self) -> Option<&str>;
    /// `auth_time`: when (RFC 9068 2.2.1).
    fn auth_time(&self) -> Option<UnixTime>;
}

/// What a token lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// It is not bound as the route wants it.
    Binding(RequiredBinding),
    /// A scope.
    Scope,
    /// A role.
    Role,
    /// The user signed in too long ago, or in another way (RFC 9470).
    Authentication,
    /// Nothing: the requirement contradicts itself, or names a scope that is none.
    Unfulfillable,
}

impl Requirement {
    /// A token that holds, and nothing more.
    pub fn valid_token() -> Self {
        Self::default()
    }

    /// Every one of these scopes, written with spaces between them.
    pub fn scope(scopes: &str) -> Self {
        match parse_scope(scopes) {
            Some(scopes) => Self { scopes, ..Self::default() },
            None => Self::unfulfillable(),
        }
    }

    /// At least one of these scopes, written with spaces between them.
    pub fn any_scope(scopes: &str) -> Self {
        match parse_scope(scopes) {
            Some(scopes) => Self { any_scopes: vec![scopes], ..Self::default() },
            None => Self::unfulfillable(),
        }
    }

    /// This role (RFC 9068 2.2.3.1).
    pub fn role(role: &str) -> Self {
        Self { roles: vec![role.to_owned()], ..Self::default() }
    }

    /// A user who signed in in one of these ways: `acr` is one of them (RFC 9470 4). The preferred comes first.
    pub fn acr<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self { acr: Some(values.into_iter().map(str::to_owned).collect()), ..Self::default() }.settled()
    }

    /// A user who signed in no longer ago than so many seconds: `auth_time` is that recent (RFC 9470 4).
    pub fn signed_in_within(seconds: u32) -> Self {
        Self { max_age: Some(Seconds::new(seconds)), ..Self::default() }
    }

    /// A token that is bound to a key or a certificate, which the sender has proved to hold.
    pub fn bound(binding: RequiredBinding) -> Self {
        Self { binding, ..Self::default() }
    }

    /// What wants all that either of the two wants.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let acr = match (self.acr, other.acr) {
            (Some(one), Some(two)) => Some(one.into_iter().filter(|value| two.contains(value)).collect()),
            (one, two) => one.or(two),
        };
        let max_age = match (self.max_age, other.max_age) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        let mut roles = self.roles;
        roles.extend(other.roles);
        let (binding, contradiction) = both(self.binding, other.binding);
        Self {
            scopes: self.scopes.union(&other.scopes),
            any_scopes: self.any_scopes.into_iter().chain(other.any_scopes).collect(),
            roles,
            acr,
            max_age,
            binding,
            unfulfillable: self.unfulfillable || other.unfulfillable || contradiction,
        }
        .settled()
    }

    /// Whether a token fulfils it.
    ///
    /// # Errors
    ///
    /// What it lacks: the binding first, then scope and role, and the sign-in last, since only that can be helped by the
    /// user who is there.
    pub fn decide(&self, token: &impl Held, now: UnixTime) -> Result<(), Shortfall> {
        if self.unfulfillable {
            return Err(Shortfall::Unfulfillable);
        }
        let bound = match (self.binding, token.binding()) {
            (RequiredBinding::None, _)
            | (RequiredBinding::Any | RequiredBinding::Dpop, Binding::Dpop(_))
            | (RequiredBinding::Any | RequiredBinding::Mtls, Binding::Mtls(_)) => true,
            (RequiredBinding::Any, Binding::Bearer)
            | (RequiredBinding::Dpop, Binding::Bearer | Binding::Mtls(_))
            | (RequiredBinding::Mtls, Binding::Bearer | Binding::Dpop(_)) => false,
        };
        if !bound {
            return Err(Shortfall::Binding(self.binding));
        }
        let held = token.scope();
        let one_of = |scopes: &Scope| scopes.iter().any(|scope| held.contains(scope.as_str()));
        if !held.covers(&self.scopes) || !self.any_scopes.iter().all(one_of) {
            return Err(Shortfall::Scope);
        }
        if !self.roles.iter().all(|role| token.has_role(role)) {
            return Err(Shortfall::Role);
        }
        // RFC 9470 3. Who did not sign in, did not sign in recently.
        let acr =
            self.acr.as_ref().is_none_or(|wanted| token.acr().is_some_and(|acr| wanted.iter().any(|one| one == acr)));
        let recent = |age: Seconds| token.auth_time().is_some_and(|time| now.minus(age) <= time);
        if !acr || !self.max_age.is_none_or(recent) {
            return Err(Shortfall::Authentication);
        }
        Ok(())
    }

    /// The scope that would do, for the challenge (RFC 6750 3): of alternatives the first.
    pub fn sufficient_scope(&self) -> Scope {
        let first = self.any_scopes.iter().filter(|any| !any.iter().any(|one| self.scopes.contains(one.as_str())));
        let mut scope = self.scopes.clone();
        first.filter_map(|any| any.iter().next()).for_each(|one| scope.insert(one.clone()));
        scope
    }

    /// `acr_values` and `max_age` for the challenge (RFC 9470 3).
    pub fn sign_in(&self) -> (Option<String>, Option<u32>) {
        (self.acr.as_ref().map(|values| values.join(" ")), self.max_age.map(Seconds::get))
    }

    /// What the token must be bound to.
    pub const fn binding(&self) -> RequiredBinding {
        self.binding
    }

    /// Whether no token fulfils it: every request will be refused, which somebody should be told.
    pub const fn is_unfulfillable(&self) -> bool {
        self.unfulfillable
    }

    fn unfulfillable() -> Self {
        Self { unfulfillable: true, ..Self::default() }
    }

    /// A list without members is what no token has.
    fn settled(mut self) -> Self {
        self.unfulfillable |= self.acr.as_ref().is_some_and(Vec::is_empty);
        self
    }
}

impl Held for AccessToken {
    fn binding(&self) -> &Binding {
        &self.binding
    }

    fn scope(&self) -> &Scope {
        &self.scope
    }

    fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }

    fn acr(&self) -> Option<&str> {
        self.authentication.as_ref().map(|authentication| authentication.acr.as_str())
    }

    fn auth_time(&self) -> Option<UnixTime> {
        self.authentication.as_ref().map(|authentication| authentication.time)
    }
}

fn parse_scope(raw: &str) -> Option<Scope> {
    Scope::parse(raw).filter(|scope| !scope.is_empty())
}

/// What wants both, and whether nothing can.
const fn both(one: RequiredBinding, two: RequiredBinding) -> (RequiredBinding, bool) {
    use RequiredBinding::{Any, Dpop, Mtls, None};
    match (one, two) {
        (None, other) | (other, None) => (other, false),
        (Any, Any) => (Any, false),
        (Dpop, Any | Dpop) | (Any, Dpop) => (Dpop, false),
        (Mtls, Any | Mtls) | (Any, Mtls) => (Mtls, false),
        (Dpop, Mtls) | (Mtls, Dpop) => (Any, true),
    }
}

#[cfg(test)]
#[path = "requirement_tests.rs"]
mod tests;
