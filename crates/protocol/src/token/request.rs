//! The token request (RFC 6749 3.2, 4.1.3, 4.4.2, 6; RFC 8628 3.4).

use crate::client::AuthenticatedClient;
use crate::error::Refusal;
use crate::grant::{GrantType, authorization_code, client_credentials, device_code, refresh_token};
use crate::params::Params;

/// What a client wants tokens for.
#[derive(Debug)]
pub enum TokenRequest {
    /// RFC 6749 4.1.3.
    AuthorizationCode(authorization_code::Request),
    /// RFC 6749 4.4.2; or RFC 7523 2.1, where the assertion was checked when the client was authenticated with it.
    ForItself(client_credentials::Request),
    /// RFC 6749 6.
    RefreshToken(refresh_token::Request),
    /// RFC 8628 3.4.
    DeviceCode(device_code::Request),
}

impl TokenRequest {
    /// Reads the request of an authenticated client, who must be registered for the grant type.
    pub fn parse(params: &Params, client: &AuthenticatedClient) -> Result<Self, Refusal> {
        let raw = params.get("grant_type").ok_or(Refusal::MissingParameter("grant_type"))?;
        let kind = GrantType::parse(raw).ok_or(Refusal::UnsupportedGrantType)?;
        if !client.get().metadata.grant_types.contains(&kind) {
            return Err(Refusal::GrantTypeNotAllowed);
        }
        match kind {
            GrantType::AuthorizationCode => authorization_code::Request::parse(params).map(Self::AuthorizationCode),
            GrantType::ClientCredentials | GrantType::JwtBearer => {
                client_credentials::Request::parse(params, kind).map(Self::ForItself)
            }
            GrantType::RefreshToken => refresh_token::Request::parse(params).map(Self::RefreshToken),
            GrantType::DeviceCode => device_code::Request::parse(params).map(Self::DeviceCode),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, auth::tests};

    fn parse(form: &str) -> Result<TokenRequest, Refusal> {
        let client = tests::authenticated(&tests::client("web", AuthMethod::ClientSecretBasic));
        TokenRequest::parse(&Params::parse(form.as_bytes()).unwrap(), &client)
    }

    #[test]
    fn rfc6749_5_2_the_right_code_for_a_wrong_grant_type() {
        assert_eq!(parse("").err(), Some(Refusal::MissingParameter("grant_type")));
        assert_eq!(parse("grant_type=password").err(), Some(Refusal::UnsupportedGrantType));
        assert_eq!(parse("grant_type=client_credentials").err(), Some(Refusal::GrantTypeNotAllowed));
        assert_eq!(parse("grant_type=authorization_code").err(), Some(Refusal::MissingParameter("code")));
        assert!(parse("grant_type=authorization_code&code=x").is_ok());
    }
}
