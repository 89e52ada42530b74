//! The client credentials grant (RFC 6749 4.4): an application that acts for itself. Nothing is stored.

use super::GrantType;
use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::directory::{Api, Directory};
use crate::error::Refusal;
use crate::narrow::{self, Asked, Narrowing};
use crate::params::Params;
use crate::token::{AccessToken, Proven, TokenSubject};
use crate::value::{Issuer, TokenId, UnixTime};
use std::sync::Arc;

/// What an application asks for itself: RFC 6749 4.4.2, and RFC 7523 2.1 where the assertion speaks for the application.
#[derive(Debug)]
pub struct Request {
    /// By which of the two grants.
    pub grant_type: GrantType,
    /// Audience and scope.
    pub asked: Asked,
    /// What a scope is too coarse to say (RFC 9396).
    pub details: AuthorizationDetails,
}

impl Request {
    /// Reads the parameters.
    pub fn parse(params: &Params, grant_type: GrantType) -> Result<Self, Refusal> {
        Ok(Self { grant_type, asked: Asked::parse(params)?, details: AuthorizationDetails::of_params(params)? })
    }
}

/// What the application gets, the API that it is for, and what was left out. `fresh` names the token.
pub fn decide(
    request: Request,
    client: &AuthenticatedClient,
    directory: &Directory,
    issuer: &Issuer,
    proven: Proven,
    (fresh, now): (TokenId, UnixTime),
) -> Result<(AccessToken, Arc<Api>, Vec<Narrowing>), Refusal> {
    let grant_type = request.grant_type;
    let (api, allowed) = narrow::for_itself(&request.asked, directory, client.get(), grant_type)?;
    request.details.for_itself(&api, &client.get().metadata)?;
    narrow::details_for_itself(&request.details, directory, &api, client.get(), grant_type)?;
    let life = narrow::longest_life(directory, &api, client.get(), grant_type, None);
    let token = AccessToken {
        issuer: issuer.clone(),
        id: fresh,
        subject: TokenSubject::Application,
        actor: None,
        client: client.id().clone(),
        audience: vec![api.audience.clone()],
        scope: allowed.access.scope(),
        roles: api.ceiling(client.id()).map(|ceiling| ceiling.roles.clone()).unwrap_or_default(),
        issued: now,
        expires: now.plus(life),
        grant: None,
        authentication: None,
        details: request.details,
        binding: proven.bind(&client.get().metadata, [&api.token.binding])?,
        status: None,
    };
    Ok((token, api, allowed.narrowed))
}
