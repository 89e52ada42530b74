//! The client credentials grant (RFC 6749 4.4): an application that acts for itself. Nothing is stored.

use super::GrantType;
use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::directory::{Api, Directory};
use crate::error::Refusal;
use crate::narrow::{self, Asked, Narrowing};
use crate::token::{AccessToken, Binding, TokenSubject};
use crate::value::{Issuer, TokenId, UnixTime};
use std::sync::Arc;

/// What the application gets, the API that it is for, and what was left out.
pub fn decide(
    asked: &Asked,
    client: &AuthenticatedClient,
    directory: &Directory,
    issuer: &Issuer,
    id: TokenId,
    now: UnixTime,
) -> Result<(AccessToken, Arc<Api>, Vec<Narrowing>), Refusal> {
    let (api, allowed) = narrow::for_itself(asked, directory, client.get())?;
    let life = narrow::longest_life(directory, &api, client.get(), GrantType::ClientCredentials, None);
    let token = AccessToken {
        issuer: issuer.clone(),
        id,
        subject: TokenSubject::Application,
        client: client.id().clone(),
        audience: vec![api.audience.clone()],
        scope: allowed.access.scope(),
        roles: api.ceiling(client.id()).map(|ceiling| ceiling.roles.clone()).unwrap_or_default(),
        issued: now,
        expires: now.plus(life),
        grant: None,
        authentication: None,
        details: AuthorizationDetails::default(),
        binding: Binding::Bearer,
    };
    Ok((token, api, allowed.narrowed))
}
