//! The refresh token grant (RFC 6749 6, RFC 9700 4.14).

use super::{Grant, Rotation};
use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::error::Refusal;
use crate::narrow::Asked;
use crate::params::Params;
use crate::token::Proven;
use crate::value::{Secret, UnixTime};

/// RFC 6749 6.
#[derive(Debug)]
pub struct Request {
    /// The refresh token.
    pub refresh_token: Secret,
    /// The audience and scope of the access token: within what was granted.
    pub asked: Asked,
    /// Which of the authorization details it is for (RFC 9396 6).
    pub details: AuthorizationDetails,
}

impl Request {
    /// Reads the parameters.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let token = params.get("refresh_token").ok_or(Refusal::MissingParameter("refresh_token"))?;
        let (asked, details) = (Asked::parse(params)?, AuthorizationDetails::of_params(params)?);
        Ok(Self { refresh_token: Secret::new(token.to_owned()), asked, details })
    }
}

/// RFC 6749 6: whether the grant that a refresh token names is this client's. Everything that can be refused without
/// spending the token is refused before it is rotated.
pub fn may_refresh(grant: Option<Grant>, client: &AuthenticatedClient, proven: Proven) -> Result<Grant, Refusal> {
    let grant = grant.ok_or(Refusal::GrantUnknown)?;
    if !client.is(&grant.terms.client) {
        return Err(Refusal::RefreshTokenOfAnotherClient);
    }
    if !proven.holds(&grant.terms.binding) {
        return Err(Refusal::RefreshTokenBoundToAnotherKey);
    }
    Ok(grant)
}

/// For clients whose refresh tokens are not replaced (FAPI 2.0 Security Profile 5.3.2.1): whether the token is good, as it
/// stands. Nothing is written.
pub fn unrotated(grant: Option<Grant>, generation: u32, now: UnixTime) -> Result<Grant, Refusal> {
    let grant = grant.ok_or(Refusal::GrantUnknown)?;
    if grant.revoked.is_some() {
        return Err(Refusal::GrantRevoked);
    }
    if now >= grant.expires {
        return Err(Refusal::GrantExpired);
    }
    if grant.generation == generation { Ok(grant) } else { Err(Refusal::RefreshTokenReused) }
}

/// What the store's word means for the client that holds the grant.
pub fn rotated(grant: Grant, rotation: Rotation) -> Result<Grant, Refusal> {
    match rotation {
        Rotation::Rotated(renewal) | Rotation::Repeated(renewal) => Ok(grant.renewed(renewal)),
        Rotation::Reused => Err(Refusal::RefreshTokenReused),
        Rotation::Revoked => Err(Refusal::GrantRevoked),
        Rotation::Expired => Err(Refusal::GrantExpired),
        Rotation::Unknown => Err(Refusal::GrantUnknown),
    }
}
