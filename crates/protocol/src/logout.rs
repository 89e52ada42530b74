//! RP-Initiated Logout (OpenID Connect RP-Initiated Logout 1.0).

use crate::client::Client;
use crate::directory::Directory;
use crate::error::Refusal;
use crate::params::{self, Params};
use crate::token::id::Hint;
use crate::value::{ClientId, RedirectUri};
use std::sync::Arc;

/// A request to sign out.
#[derive(Clone, Debug, Default)]
pub struct LogoutRequest {
    /// Who asks, when it is known.
    pub client: Option<Arc<Client>>,
    /// Where the user goes afterwards; verified.
    pub return_to: Option<RedirectUri>,
    /// `state`, to be given back.
    pub state: Option<String>,
}

impl LogoutRequest {
    /// Section 2 and 3: the client comes from a verified hint or from `client_id`, and they must agree; the place to
    /// return to must be registered for it.
    pub fn parse(params: &Params, hint: Option<&Hint>, directory: &Directory) -> Result<Self, Refusal> {
        params.unrepeated()?;
        let named =
            params.get("client_id").map(|raw| ClientId::parse(raw).ok_or(Refusal::UnknownClient)).transpose()?;
        if let (Some(named), Some(hint)) = (&named, hint)
            && named != &hint.client
        {
            return Err(Refusal::MalformedIdTokenHint);
        }
        let id = named.or_else(|| hint.map(|hint| hint.client.clone()));
        let client = id.and_then(|id| directory.client(&id));
        let return_to = match params.get("post_logout_redirect_uri") {
            None => None,
            Some(raw) => {
                let asked = RedirectUri::parse(raw).ok_or(Refusal::RedirectUriMalformed)?;
                let registered = client.as_ref().map(|client| &client.metadata.post_logout_redirect_uris);
                let known = registered.is_some_and(|uris| uris.iter().any(|uri| uri.matches(&asked)));
                Some(known.then_some(asked).ok_or(Refusal::RedirectUriNotRegistered)?)
            }
        };
        Ok(Self { client, return_to, state: params.get("state").map(str::to_owned) })
    }

    /// Where the user goes, with `state`.
    pub fn location(&self) -> Option<String> {
        let uri = self.return_to.as_ref()?.as_str();
        Some(match &self.state {
            None => uri.to_owned(),
            Some(state) => {
                let separator = if uri.contains('?') { '&' } else { '?' };
                format!("{uri}{separator}state={}", params::encode(state))
            }
        })
    }
}
