//! Who asks, and where the answer goes. Until both are verified an error is a page and never a redirect
//! (RFC 6749 4.1.2.1): that is why this has a refusal type of its own.

use super::mode::ResponseMode;
use crate::client::Client;
use crate::directory::Directory;
use crate::error::Refusal;
use crate::params::Params;
use crate::value::{ClientId, RedirectUri};
use std::sync::Arc;

/// A refusal that must not be redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRefusal(pub Refusal);

/// A verified client and a verified place for the answer. Errors may be redirected there.
#[derive(Clone, Debug)]
pub struct RedirectTarget {
    /// Who asks.
    pub client: Arc<Client>,
    /// Where the answer goes.
    pub redirect_uri: RedirectUri,
    /// Whether the request said so itself: then the token request must repeat it (RFC 6749 4.1.3).
    pub redirect_uri_given: bool,
    /// `state`, to be given back.
    pub state: Option<String>,
    /// How the answer travels.
    pub mode: ResponseMode,
}

impl RedirectTarget {
    /// Verifies `client_id` and `redirect_uri`.
    pub fn find(params: &Params, directory: &Directory) -> Result<Self, PageRefusal> {
        for name in ["client_id", "redirect_uri"] {
            if params.is_repeated(name) {
                return Err(PageRefusal(Refusal::RepeatedParameter));
            }
        }
        let id = params.get("client_id").ok_or(PageRefusal(Refusal::MissingParameter("client_id")))?;
        let id = ClientId::parse(id).ok_or(PageRefusal(Refusal::UnknownClient))?;
        let client = directory.client(&id).ok_or(PageRefusal(Refusal::UnknownClient))?;
        if client.metadata.disabled {
            return Err(PageRefusal(Refusal::ClientDisabled));
        }
        let registered = &client.metadata.redirect_uris;
        let given = params.get("redirect_uri");
        let redirect_uri = match (given, registered.as_slice()) {
            (Some(raw), _) => {
                let asked = RedirectUri::parse(raw).ok_or(PageRefusal(Refusal::RedirectUriMalformed))?;
                if !registered.iter().any(|uri| uri.matches(&asked)) {
                    return Err(PageRefusal(Refusal::RedirectUriNotRegistered));
                }
                asked
            }
            // RFC 6749 3.1.2.3: may be omitted when exactly one is registered. OpenID Connect always requires it.
            // FAPI 2.0 Security Profile 5.3.2.2 does so too.
            (None, [only]) if !is_openid(params) && !client.metadata.profile.is_fapi2() => only.clone(),
            (None, _) => return Err(PageRefusal(Refusal::RedirectUriMissing)),
        };
        let state = (!params.is_repeated("state")).then(|| params.get("state").map(str::to_owned)).flatten();
        let mode = params.get("response_mode").and_then(ResponseMode::parse).unwrap_or_default();
        Ok(Self { client, redirect_uri, redirect_uri_given: given.is_some(), state, mode })
    }
}

fn is_openid(params: &Params) -> bool {
    params.get("scope").is_some_and(|scope| scope.split(' ').any(|token| token == "openid"))
}
