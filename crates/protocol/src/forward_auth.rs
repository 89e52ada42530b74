//! Forward authentication: a reverse proxy asks for an API, before it passes a request on, whether the request has an access
//! token that is enough. nginx calls it `auth_request`, Traefik and Caddy forward authentication, Envoy `ext_authz`.
//!
//! The proxy's configuration says what is wanted ([`Question`]), the request that it asks about is known from its headers
//! or from the path ([`Original`]), and what it may tell the API is [`identity`]. What is wanted of a token, and how a
//! refusal reads, is what an API that checks for itself uses: [`crate::protected_resource`].

mod identity;
mod original;

pub use identity::{IDENTITY, identity};
pub use original::{Original, SOURCES};

use crate::directory::Api;
use crate::error::Refusal;
use crate::params::decode;
use crate::protected_resource::{Requirement, Shortfall, origin};
use crate::token::AccessToken;
use crate::value::{Resource, UnixTime};

/// What a proxy wants of a token, for one API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The API's audience.
    pub resource: Resource,
    /// What stands before the path in the URL that clients call: that of the audience, unless `origin` says otherwise.
    /// The `Host` header, which the caller chooses, has no say.
    pub origin: String,
    requirement: Requirement,
}

impl Question {
    /// Reads `application/x-www-form-urlencoded`: `resource`, and as far as they are wanted `scope`, `any_scope`, `role`
    /// (more than once, perhaps), `acr_values`, `max_age` and `origin`.
    ///
    /// # Errors
    ///
    /// What is unknown, empty or repeated is refused: passed over, it would open a route to more than was meant.
    pub fn parse(raw: &str) -> Result<Self, Refusal> {
        let (mut resource, mut given_origin) = (None, None);
        let mut requirement = Requirement::valid_token();
        let mut seen: Vec<String> = Vec::new();
        for piece in raw.split('&') {
            let (name, value) = piece.split_once('=').ok_or(Refusal::MalformedParameters)?;
            let name = decode(name.as_bytes()).ok_or(Refusal::MalformedParameters)?;
            let value = decode(value.as_bytes()).ok_or(Refusal::MalformedParameters)?;
            if value.is_empty() {
                return Err(Refusal::MalformedParameters);
            }
            if name != "role" && seen.contains(&name) {
                return Err(Refusal::RepeatedParameter);
            }
            let more = match name.as_str() {
                "resource" => {
                    resource = Some(Resource::parse(&value).ok_or(Refusal::MalformedResource)?);
                    Requirement::valid_token()
                }
                "origin" => {
                    given_origin = Some(value);
                    Requirement::valid_token()
                }
                "scope" => Requirement::scope(&value),
                "any_scope" => Requirement::any_scope(&value),
                "role" => Requirement::role(&value),
                "acr_values" => Requirement::acr(value.split(' ').filter(|one| !one.is_empty())),
                "max_age" => {
                    Requirement::signed_in_within(value.parse().map_err(|_| Refusal::MalformedParameter("max_age"))?)
                }
                _ => return Err(Refusal::MalformedParameters),
            };
            requirement = requirement.and(more);
            seen.push(name);
        }
        let resource = resource.ok_or(Refusal::MissingParameter("resource"))?;
        let origin = origin(given_origin.as_deref(), resource.as_str()).ok_or(Refusal::MalformedParameter("origin"))?;
        if requirement.is_unfulfillable() {
            return Err(Refusal::UnfulfillableRequirement);
        }
        Ok(Self { resource, origin, requirement })
    }

    /// What is wanted of a token: what the question wants, and what the API's declaration does.
    pub fn requirement(&self, api: &Api) -> Requirement {
        self.requirement.clone().and(Requirement::bound(api.token.binding))
    }

    /// Whether a token that holds, sent by whom it is bound to, is enough (RFC 9068 4, RFC 6750 3.1, RFC 9470 3).
    ///
    /// # Errors
    ///
    /// What it lacks.
    pub fn decide(&self, token: &AccessToken, requirement: &Requirement, now: UnixTime) -> Result<(), Refusal> {
        if !token.audience.contains(&self.resource) {
            return Err(Refusal::WrongAudience);
        }
        requirement.decide(token, now).map_err(|lacks| match lacks {
            Shortfall::Binding(_) => Refusal::BindingWanted,
            Shortfall::Scope => Refusal::InsufficientScope,
            Shortfall::Role => Refusal::MissingRole,
            Shortfall::Authentication => Refusal::InsufficientAuthentication,
            Shortfall::Unfulfillable => Refusal::UnfulfillableRequirement,
        })
    }
}

/// The status of an answer to a proxy: that of the API, but never 400. nginx takes 2xx, 401 and 403 for an answer, and makes
/// 500 of everything else, so that a caller's malformed header would look like a failure of the server. RFC 6750 3.1 says
/// 400 with SHOULD; the code in the challenge is the same.
pub const fn status(of_api: u16) -> u16 {
    if of_api == 400 { 401 } else { of_api }
}

#[cfg(test)]
#[path = "forward_auth/tests.rs"]
mod tests;
