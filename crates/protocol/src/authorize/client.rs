//! Who asks, and where the answer goes. Until both are verified an error is a page and never a redirect
//! (RFC 6749 4.1.2.1): that is why this has a refusal type of its own.

use super::mode::ResponseMode;
use super::source::Source;
use crate::client::Client;
use crate::defended;
use crate::directory::Directory;
use crate::error::Refusal;
use crate::grant::GrantType;
use crate::params::Params;
use crate::value::{ClientId, CodeId, RedirectUri, UserCode};
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

/// A device that waits for its answer (RFC 8628).
#[derive(Clone, Debug)]
pub struct DeviceTarget {
    /// Who asks.
    pub client: Arc<Client>,
    /// Names the device.
    pub id: CodeId,
    /// What it shows, and what the person who allows it must see there.
    pub user_code: UserCode,
}

/// A verified client, and how it gets the answer.
#[derive(Clone, Debug)]
pub enum Target {
    /// By the browser in which the user is asked.
    Redirect(RedirectTarget),
    /// It asks for it.
    Device(DeviceTarget),
}

impl Target {
    /// Who asks, in whatever way the request came.
    pub fn find(params: &Params, directory: &Directory, source: &Source) -> Result<Self, PageRefusal> {
        match source {
            Source::Device { id, user_code } => {
                DeviceTarget::find(params, directory, *id, *user_code).map(Self::Device)
            }
            Source::Plain | Source::Signed | Source::Pushed { .. } => {
                RedirectTarget::find(params, directory).map(Self::Redirect)
            }
        }
    }

    /// Who asks.
    pub fn client(&self) -> &Arc<Client> {
        match self {
            Self::Redirect(target) => &target.client,
            Self::Device(target) => &target.client,
        }
    }

    /// What the client gets its tokens with.
    pub fn grant_type(&self) -> GrantType {
        match self {
            Self::Redirect(_) => GrantType::AuthorizationCode,
            Self::Device(_) => GrantType::DeviceCode,
        }
    }

    /// Where the browser goes in the end, if anywhere.
    pub fn redirect_uri(&self) -> Option<&RedirectUri> {
        match self {
            Self::Redirect(target) => Some(&target.redirect_uri),
            Self::Device(_) => None,
        }
    }
}

impl DeviceTarget {
    /// Verifies `client_id` (RFC 8628 3.1). Who asked was authenticated then; it may have been disabled since.
    fn find(params: &Params, directory: &Directory, id: CodeId, user_code: UserCode) -> Result<Self, PageRefusal> {
        Ok(Self { client: client(params, directory)?, id, user_code })
    }
}

/// The client that `client_id` names.
fn client(params: &Params, directory: &Directory) -> Result<Arc<Client>, PageRefusal> {
    let id = params.get("client_id").ok_or(PageRefusal(Refusal::MissingParameter("client_id")))?;
    let id = ClientId::parse(id).ok_or(PageRefusal(Refusal::UnknownClient))?;
    let client = directory.client(&id).ok_or(PageRefusal(Refusal::UnknownClient))?;
    if client.metadata.disabled {
        return Err(PageRefusal(Refusal::ClientDisabled));
    }
    Ok(client)
}

impl RedirectTarget {
    /// Verifies `client_id` and `redirect_uri`.
    pub fn find(params: &Params, directory: &Directory) -> Result<Self, PageRefusal> {
        for name in ["client_id", "redirect_uri"] {
            if params.is_repeated(name) {
                return Err(PageRefusal(Refusal::RepeatedParameter));
            }
        }
        let client = client(params, directory)?;
        let registered = &client.metadata.redirect_uris;
        let given = params.get("redirect_uri");
        let redirect_uri = match (given, registered.as_slice()) {
            (Some(raw), _) => {
                let asked = RedirectUri::parse(raw).ok_or(PageRefusal(Refusal::RedirectUriMalformed))?;
                if !defended!("redirect-uri", registered.iter().any(|uri| uri.matches(&asked)), true) {
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
