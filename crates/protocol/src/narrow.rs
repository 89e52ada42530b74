//! What narrows a request, and why: never more privilege than was asked for, granted and allowed (RFC 9700 2.3).
//! Whatever is taken away leaves its reason behind.

mod details;

pub use details::{details_for_itself, each_speaks, with_details};

use crate::client::Client;
use crate::directory::{Api, Directory, Policy, User};
use crate::error::Refusal;
use crate::grant::{Access, GrantType};
use crate::value::{Issuer, Resource, Scope, ScopeToken, Seconds};
use std::fmt;
use std::sync::Arc;

/// The scopes of OpenID Connect Core 5.4 and 11; they belong to the issuer itself. The one list.
pub const OPENID_SCOPES: [&str; 6] = ["openid", "profile", "email", "address", "phone", "offline_access"];

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// `scope`; none when it was omitted.
    pub scope: Option<Scope>,
    /// `resource`, any number of times (RFC 8707 2).
    pub resources: Vec<Resource>,
}

/// What is left of it, and what was taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// What is left.
    pub access: Access,
    /// What was taken away.
    pub narrowed: Vec<Narrowing>,
}

/// One thing that was asked for and is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowing {
    /// Which.
    pub what: Wanted,
    /// Why.
    pub reason: Reason,
}

/// What can be left out of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A scope.
    Scope(ScopeToken),
    /// An authorization detail of this type (RFC 9396 2).
    Detail(String),
}

/// Why something is not given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// No API that was asked for defines it.
    Unknown,
    /// The client's own `scope` does not list it.
    NotRegistered,
    /// The API's ceiling for this client is lower.
    AboveCeiling(Resource),
    /// It needs a role that the user has not.
    UserLacksRole(Resource),
    /// The policy that fits leaves it out.
    LeftOutByPolicy(String),
    /// The API has policies and none fits.
    NoPolicyFits(Resource),
    /// The user unticked it.
    NotConsented,
    /// It means refresh tokens, and the client is not registered for them.
    NoRefreshTokens,
}

impl Asked {
    /// Reads `scope` and `resource`.
    pub fn parse(params: &crate::params::Params) -> Result<Self, Refusal> {
        let scope = params.get("scope").map(|raw| Scope::parse(raw).ok_or(Refusal::MalformedScope)).transpose()?;
        let resources = params
            .all("resource")
            .map(|raw| Resource::parse(raw).ok_or(Refusal::MalformedResource))
            .collect::<Result<_, _>>()?;
        Ok(Self { scope, resources })
    }
}

/// What a client may ask a user for: each scope goes to the API that defines it, or to the issuer, below the client's
/// own `scope` and the API's ceiling for it. Who the user is is not known yet: see [`for_user`].
pub fn delegated(asked: &Asked, directory: &Directory, issuer: &Issuer, client: &Client) -> Result<Allowed, Refusal> {
    let named = named_apis(asked, directory, issuer)?;
    let mut allowed = Allowed::default();
    // Of an API that is not named as a whole an audience comes with a scope or a detail only, so that nobody's roles are
    // had by naming it.
    for api in named.iter().filter(|api| api.is_named_as_a_whole() && client.metadata.may_reach(&api.audience)) {
        allowed.access.add(api.audience.clone(), &Scope::default());
    }
    for token in asked.scope.iter().flat_map(Scope::iter) {
        if client.metadata.scope.as_ref().is_some_and(|registered| !registered.contains(token.as_str())) {
            allowed.leave_out(token, Reason::NotRegistered);
        } else if OPENID_SCOPES.contains(&token.as_str()) {
            allowed.openid(token, issuer, client);
        } else {
            match api_of(token, &named, asked, directory)? {
                None => allowed.leave_out(token, Reason::Unknown),
                Some(api) if !client.metadata.may_reach(&api.audience) => {
                    allowed.leave_out(token, Reason::AboveCeiling(api.audience.clone()));
                }
                Some(api) => match api.ceiling(&client.metadata.client_id) {
                    Some(ceiling) if !ceiling.scope.contains(token.as_str()) => {
                        allowed.leave_out(token, Reason::AboveCeiling(api.audience.clone()));
                    }
                    _ => allowed.access.add_token(&api.audience, token),
                },
            }
        }
    }
    if allowed.access.is_empty() { Err(Refusal::NothingOfTheScopeIsAllowed) } else { Ok(allowed) }
}

/// What of it this user can allow: scopes that need a role, and the policies of each API.
pub fn for_user(
    allowed: Allowed,
    directory: &Directory,
    client: &Client,
    user: &User,
    grant_type: GrantType,
) -> Result<Allowed, Refusal> {
    let mut left = Allowed { access: Access::default(), narrowed: allowed.narrowed };
    for (resource, mut scope) in allowed.access {
        let Some(api) = directory.api(&resource) else {
            left.access.put(resource, scope);
            continue;
        };
        let roles = user.roles_at(&resource);
        let policy = fitting_policy(directory, &resource, client, grant_type, Some(roles));
        if policy.is_err() {
            for token in scope.iter() {
                left.leave_out(token, Reason::NoPolicyFits(resource.clone()));
            }
            continue;
        }
        // An API that is named as a whole, or one of which authorization details are asked for.
        let as_a_whole = scope.is_empty();
        scope.retain(|token| {
            let needs = api.find_scope(token.as_str()).map_or(&[][..], |scope| scope.roles.as_slice());
            if !needs.is_empty() && !needs.iter().any(|role| roles.contains(role)) {
                left.leave_out(token, Reason::UserLacksRole(resource.clone()));
                return false;
            }
            if let Ok(Some(policy)) = policy
                && !policy_allows(policy, token)
            {
                left.leave_out(token, Reason::LeftOutByPolicy(policy.name.clone()));
                return false;
            }
            true
        });
        if as_a_whole || !scope.is_empty() {
            left.access.put(resource, scope);
        }
    }
    if left.access.is_empty() { Err(Refusal::NothingOfTheScopeIsAllowed) } else { Ok(left) }
}

/// What is still allowed of a grant made earlier: the directory may have become stricter since.
pub fn still_allowed(
    granted: &Access,
    directory: &Directory,
    issuer: &Issuer,
    client: &Client,
    user: &User,
    grant_type: GrantType,
) -> Result<Allowed, Refusal> {
    let mut left = Allowed::default();
    for (resource, scope) in granted.iter() {
        let asked = Asked { scope: Some(scope.clone()), resources: vec![resource.clone()] };
        let now = delegated(&asked, directory, issuer, client)
            .and_then(|allowed| for_user(allowed, directory, client, user, grant_type));
        match now {
            Ok(mut allowed) => {
                left.access.extend(allowed.access);
                left.narrowed.append(&mut allowed.narrowed);
            }
            Err(Refusal::UnknownResource | Refusal::NothingOfTheScopeIsAllowed) => {}
            Err(other) => return Err(other),
        }
    }
    if left.access.is_empty() { Err(Refusal::NothingOfTheScopeIsAllowed) } else { Ok(left) }
}

/// What an application may have for itself at one API (RFC 6749 4.4): never more than its ceiling there. An omitted
/// scope means all of the ceiling (RFC 6749 3.3); an omitted resource means the one API that fits.
pub fn for_itself(
    asked: &Asked,
    directory: &Directory,
    client: &Client,
    grant_type: GrantType,
) -> Result<(Arc<Api>, Allowed), Refusal> {
    let id = &client.metadata.client_id;
    let api = match asked.resources.as_slice() {
        [resource] => Arc::clone(directory.api(resource).ok_or(Refusal::UnknownResource)?),
        [] => the_one_api(asked, directory, client)?,
        _ => return Err(Refusal::SeveralAudiences),
    };
    let ceiling = api.ceiling(id).filter(|_| client.metadata.may_reach(&api.audience));
    let ceiling = ceiling.ok_or(Refusal::ResourceNotAllowed)?;
    let policy = fitting_policy(directory, &api.audience, client, grant_type, None);
    let mut allowed = Allowed::default();
    let mut kept = Vec::new();
    let wanted = asked.scope.as_ref().unwrap_or(&ceiling.scope);
    for token in wanted.iter() {
        if api.find_scope(token.as_str()).is_none() {
            allowed.leave_out(token, Reason::Unknown);
        } else if client.metadata.scope.as_ref().is_some_and(|registered| !registered.contains(token.as_str())) {
            allowed.leave_out(token, Reason::NotRegistered);
        } else if !ceiling.scope.contains(token.as_str()) {
            allowed.leave_out(token, Reason::AboveCeiling(api.audience.clone()));
        } else {
            match policy {
                Err(NoneFits) => allowed.leave_out(token, Reason::NoPolicyFits(api.audience.clone())),
                Ok(Some(policy)) if !policy_allows(policy, token) => {
                    allowed.leave_out(token, Reason::LeftOutByPolicy(policy.name.clone()));
                }
                Ok(_) => kept.push(token.clone()),
            }
        }
    }
    let asked_for_nothing = asked.scope.as_ref().is_none_or(Scope::is_empty);
    if policy.is_err() || (kept.is_empty() && !asked_for_nothing) {
        return Err(Refusal::NothingOfTheScopeIsAllowed);
    }
    allowed.access.put(api.audience.clone(), kept.into_iter().collect());
    Ok((api, allowed))
}

/// The longest life that the fitting policy allows a token at this API.
pub fn longest_life(
    directory: &Directory,
    api: &Api,
    client: &Client,
    grant_type: GrantType,
    user: Option<&User>,
) -> Seconds {
    let roles = user.map(|user| user.roles_at(&api.audience));
    let policy = fitting_policy(directory, &api.audience, client, grant_type, roles).ok().flatten();
    policy
        .and_then(|policy| policy.access_token_lifetime)
        .map_or(api.token.lifetime, |most| most.min(api.token.lifetime))
}

/// The API has policies, and none fits the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NoneFits;

/// The first policy that fits, nothing where the API has none at all. `roles` are the user's, none for an application
/// that acts for itself: a policy that asks for a role then does not fit.
fn fitting_policy<'a>(
    directory: &'a Directory,
    api: &'a Resource,
    client: &Client,
    grant_type: GrantType,
    roles: Option<&[String]>,
) -> Result<Option<&'a Policy>, NoneFits> {
    let mut guarded = false;
    for policy in directory.policies(api) {
        guarded = true;
        let fits = (policy.clients.is_empty() || policy.clients.contains(&client.metadata.client_id))
            && (policy.grant_types.is_empty() || policy.grant_types.contains(&grant_type))
            && (policy.roles.is_empty()
                || roles.is_some_and(|held| policy.roles.iter().any(|role| held.contains(role))));
        if fits {
            return Ok(Some(policy));
        }
    }
    if guarded { Err(NoneFits) } else { Ok(None) }
}

fn policy_allows(policy: &Policy, token: &ScopeToken) -> bool {
    policy.scopes.as_ref().is_none_or(|scopes| scopes.contains(token))
}

fn named_apis(asked: &Asked, directory: &Directory, issuer: &Issuer) -> Result<Vec<Arc<Api>>, Refusal> {
    let others = asked.resources.iter().filter(|resource| **resource != issuer.as_resource());
    others.map(|resource| directory.api(resource).cloned().ok_or(Refusal::UnknownResource)).collect()
}

/// The API that a scope is meant of: one that was named, or the only one that defines it.
fn api_of(
    token: &ScopeToken,
    named: &[Arc<Api>],
    asked: &Asked,
    directory: &Directory,
) -> Result<Option<Arc<Api>>, Refusal> {
    let mut candidates: Vec<_> = if asked.resources.is_empty() {
        directory.apis_with_scope(token).cloned().collect()
    } else {
        named.iter().filter(|api| api.find_scope(token.as_str()).is_some()).cloned().collect()
    };
    match candidates.len() {
        0 | 1 => Ok(candidates.pop()),
        _ => Err(Refusal::AmbiguousScope),
    }
}

/// Without `resource`: the only API at which the client has a ceiling that any of the asked scopes fits.
fn the_one_api(asked: &Asked, directory: &Directory, client: &Client) -> Result<Arc<Api>, Refusal> {
    let reachable = directory.apis().filter(|api| api.ceiling(&client.metadata.client_id).is_some());
    let wanted = asked.scope.as_ref().filter(|scope| !scope.is_empty());
    let mut fitting: Vec<_> = reachable
        .filter(|api| wanted.is_none_or(|scope| scope.iter().any(|token| api.find_scope(token.as_str()).is_some())))
        .cloned()
        .collect();
    match (fitting.len(), wanted) {
        (1, _) => fitting.pop().ok_or(Refusal::UnknownResource),
        (0, Some(_)) => Err(Refusal::NothingOfTheScopeIsAllowed),
        (0, None) => Err(Refusal::ResourceNotAllowed),
        _ => Err(Refusal::SeveralAudiences),
    }
}

impl Allowed {
    fn leave_out(&mut self, token: &ScopeToken, reason: Reason) {
        self.narrowed.push(Narrowing { what: Wanted::Scope(token.clone()), reason });
    }

    fn openid(&mut self, token: &ScopeToken, issuer: &Issuer, client: &Client) {
        if token.as_str() == "offline_access" && !client.metadata.grant_types.contains(&GrantType::RefreshToken) {
            self.leave_out(token, Reason::NoRefreshTokens);
        } else {
            self.access.add_token(&issuer.as_resource(), token);
        }
    }

    /// Keeps only what the user ticked. `openid` is the sign-in itself and stays.
    #[must_use]
    pub fn consented(self, ticked: &Scope) -> Self {
        let mut left = Self { access: Access::default(), narrowed: self.narrowed };
        for (resource, scope) in self.access.iter() {
            if scope.is_empty() {
                left.access.add(resource.clone(), scope);
            }
            for token in scope.iter() {
                if token.as_str() == "openid" || ticked.contains(token.as_str()) {
                    left.access.add_token(resource, token);
                } else {
                    left.leave_out(token, Reason::NotConsented);
                }
            }
        }
        left
    }

    /// The reasons as sentences, for the grant and the audit log.
    pub fn reasons(&self) -> Vec<String> {
        self.narrowed.iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scope(token) => token.fmt(f),
            Self::Detail(kind) => kind.escape_debug().fmt(f),
        }
    }
}

impl fmt::Display for Narrowing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.reason {
            Reason::Unknown => write!(f, "{what}: no API that was asked for defines it"),
            Reason::NotRegistered => write!(f, "{what}: the client's own scope does not list it"),
            Reason::AboveCeiling(api) => write!(f, "{what}: above the client's ceiling at {api}"),
            Reason::UserLacksRole(api) => write!(f, "{what}: the user has none of the roles that it needs at {api}"),
            Reason::LeftOutByPolicy(policy) => write!(f, "{what}: left out by policy {policy}"),
            Reason::NoPolicyFits(api) => write!(f, "{what}: no policy of {api} fits this request"),
            Reason::NotConsented => write!(f, "{what}: the user did not allow it"),
            Reason::NoRefreshTokens => write!(f, "{what}: the client is not registered for refresh tokens"),
        }
    }
}

#[cfg(test)]
#[path = "narrow_tests.rs"]
pub(crate) mod tests;
