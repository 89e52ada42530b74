//! The authorization request, parsed once.

use super::client::Target;
use super::mode::ResponseMode;
use super::prompt::{Display, Prompt};
use super::response::ToldRefusal;
use super::signed_response;
use super::source::{self, Source};
use crate::authorization_details::AuthorizationDetails;
use crate::client::{Client, ResponseType};
use crate::directory::Directory;
use crate::error::Refusal;
use crate::grant::{Access, ClaimsRequest, GrantType};
use crate::narrow::{self, Allowed, Asked};
use crate::params::Params;
use crate::value::{CodeChallenge, Issuer, Scope};
use grantor_jose::JwkThumbprint;

/// An authorization request that this client may make. What the user has to say to it comes later.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// Who asks, and where the answer goes.
    pub target: Target,
    /// What was asked for, as it was asked.
    pub asked: Asked,
    /// What this client may ask for, of that.
    pub allowed: Allowed,
    /// The PKCE challenge; none only where the profile allows it.
    pub challenge: Option<CodeChallenge>,
    /// `nonce`, to be repeated in the ID token.
    pub nonce: Option<String>,
    /// What the user must be bothered with.
    pub prompt: Prompt,
    /// The oldest sign-in that will do, in seconds.
    pub max_age: Option<u32>,
    /// What the user probably types.
    pub login_hint: Option<String>,
    /// An ID token of the user who is meant, not yet verified.
    pub unverified_id_token_hint: Option<String>,
    /// How pages are to be shown.
    pub display: Display,
    /// The languages that the user prefers.
    pub ui_locales: Option<String>,
    /// Single claims.
    pub claims: ClaimsRequest,
    /// What is asked for beside scopes (RFC 9396).
    pub details: AuthorizationDetails,
    /// The key that the code is to be bound to (RFC 9449 10).
    pub dpop_jkt: Option<JwkThumbprint>,
}

impl AuthorizationRequest {
    /// RFC 6749 4.1.1, RFC 7636 4.3, OpenID Connect Core 3.1.2.1, for a target that was verified before.
    pub fn parse(
        params: &Params,
        target: Target,
        directory: &Directory,
        issuer: &Issuer,
        source: &Source,
    ) -> Result<Self, Box<ToldRefusal>> {
        let metadata = &target.client().metadata;
        let admitted = source::admit(metadata, source).and_then(|()| match &target {
            Target::Redirect(target) => signed_response::admit(metadata, target.mode),
            Target::Device(_) => Ok(()),
        });
        match admitted.and_then(|()| Parts::parse(params, &target, directory, issuer)) {
            Ok(parts) => Ok(parts.with(target)),
            Err(refusal) => Err(Box::new(ToldRefusal { refusal, target })),
        }
    }

    /// What the user must have allowed: the scopes, and for claims that are asked for by name the scopes that they
    /// belong to.
    pub fn to_ask(&self, allowed: &Access, issuer: &Issuer) -> Access {
        let mut asked = allowed.clone();
        let of_claims = self.claims.scopes();
        if !of_claims.is_empty() {
            asked.add(issuer.as_resource(), &of_claims);
        }
        if let Some(document) = self.target.client().metadata.origin.to_ask() {
            asked.add(document, &Scope::default());
        }
        asked
    }

    /// Whether refresh tokens were asked for by scope (OpenID Connect Core 11): then they come with that scope only.
    pub fn asks_for_offline_access(&self) -> bool {
        self.asked.scope.as_ref().is_some_and(|scope| scope.contains("offline_access"))
    }

    /// Whether this is an OpenID Connect request (Core 3.1.2.1: `openid` in the scope).
    pub fn is_openid(&self, issuer: &Issuer) -> bool {
        self.allowed.access.at(&issuer.as_resource()).is_some_and(|scope| scope.contains("openid"))
    }
}

struct Parts {
    asked: Asked,
    allowed: Allowed,
    challenge: Option<CodeChallenge>,
    prompt: Prompt,
    max_age: Option<u32>,
    claims: ClaimsRequest,
    details: AuthorizationDetails,
    dpop_jkt: Option<JwkThumbprint>,
    texts: Texts,
}

struct Texts {
    nonce: Option<String>,
    login_hint: Option<String>,
    id_token_hint: Option<String>,
    display: Display,
    ui_locales: Option<String>,
}

impl Parts {
    fn parse(params: &Params, target: &Target, directory: &Directory, issuer: &Issuer) -> Result<Self, Refusal> {
        params.unrepeated()?;
        let client = target.client();
        // What is not understood must not be half obeyed. A request object was opened before (RFC 9101 4): this is its content.
        for (name, refusal) in [
            ("request", Refusal::RequestObjectInsideRequestObject),
            ("request_uri", Refusal::RequestObjectInsideRequestObject),
            ("registration", Refusal::RegistrationNotSupported),
        ] {
            if params.get(name).is_some() {
                return Err(refusal);
            }
        }
        let challenge = match target {
            Target::Redirect(_) => {
                response_type(params, client)?;
                challenge(params, client)?
            }
            // RFC 8628 3.1 knows neither: what the answer is redeemed with has never been in a browser.
            Target::Device(_) => allowed_for_devices(client).map(|()| None)?,
        };
        let prompt = params.get("prompt").map_or(Ok(Prompt::default()), Prompt::parse)?;
        let max_age = params
            .get("max_age")
            .map(|raw| raw.parse::<u32>().map_err(|_| Refusal::MalformedParameter("max_age")))
            .transpose()?
            .or(client.metadata.default_max_age);
        let claims = params.get("claims").map_or(Ok(ClaimsRequest::default()), parse_claims)?;
        let claims = match &client.metadata.scope {
            Some(registered) => claims.within(registered),
            None => claims,
        };
        let asked = Asked::parse(params)?;
        let details = AuthorizationDetails::of_params(params)?;
        let concerned = details.allowed(directory, &client.metadata)?;
        let without_scope = asked.scope.as_ref().is_none_or(Scope::is_empty);
        if without_scope && asked.resources.is_empty() && details.is_empty() {
            return Err(Refusal::NothingOfTheScopeIsAllowed);
        }
        let mut allowed = if without_scope && !details.is_empty() {
            Allowed::default()
        } else {
            narrow::delegated(&asked, directory, issuer, client)?
        };
        // RFC 9396 2: what is asked for names its API, with or without a scope.
        for audience in concerned {
            allowed.access.add(audience, &Scope::default());
        }
        let text = |name: &str| params.get(name).map(str::to_owned);
        let texts = Texts {
            nonce: text("nonce"),
            login_hint: text("login_hint"),
            id_token_hint: text("id_token_hint"),
            display: params.get("display").map(Display::parse).unwrap_or_default(),
            ui_locales: text("ui_locales"),
        };
        let dpop_jkt = params
            .get("dpop_jkt")
            .map(|raw| JwkThumbprint::parse(raw).ok_or(Refusal::MalformedParameter("dpop_jkt")))
            .transpose()?;
        Ok(Self { asked, allowed, challenge, prompt, max_age, claims, details, dpop_jkt, texts })
    }

    fn with(self, target: Target) -> AuthorizationRequest {
        AuthorizationRequest {
            target,
            asked: self.asked,
            allowed: self.allowed,
            challenge: self.challenge,
            nonce: self.texts.nonce,
            prompt: self.prompt,
            max_age: self.max_age,
            login_hint: self.texts.login_hint,
            unverified_id_token_hint: self.texts.id_token_hint,
            display: self.texts.display,
            ui_locales: self.texts.ui_locales,
            claims: self.claims,
            details: self.details,
            dpop_jkt: self.dpop_jkt,
        }
    }
}

/// RFC 6749 3.1.1, and the client must be registered for it.
fn response_type(params: &Params, client: &Client) -> Result<(), Refusal> {
    if params.get("response_mode").is_some_and(|mode| ResponseMode::parse(mode).is_none()) {
        return Err(Refusal::UnsupportedResponseMode);
    }
    let raw = params.get("response_type").ok_or(Refusal::MissingParameter("response_type"))?;
    let kind =
        ResponseType::ALL.into_iter().find(|kind| kind.as_str() == raw).ok_or(Refusal::UnsupportedResponseType)?;
    let metadata = &client.metadata;
    if !metadata.response_types.contains(&kind) || !metadata.grant_types.contains(&GrantType::AuthorizationCode) {
        return Err(Refusal::ResponseTypeNotAllowed);
    }
    Ok(())
}

/// RFC 8628 3.1: the client must be registered for the grant.
fn allowed_for_devices(client: &Client) -> Result<(), Refusal> {
    let registered = client.metadata.grant_types.contains(&GrantType::DeviceCode);
    if registered { Ok(()) } else { Err(Refusal::GrantTypeNotAllowed) }
}

/// RFC 7636 4.3, 4.4.1; only S256 (RFC 9700 2.1.1). Whether it may be missing is the profile's word.
fn challenge(params: &Params, client: &Client) -> Result<Option<CodeChallenge>, Refusal> {
    let metadata = &client.metadata;
    let Some(raw) = params.get("code_challenge") else {
        if metadata.profile.requires_pkce(metadata.is_confidential()) || params.get("code_challenge_method").is_some() {
            return Err(Refusal::PkceRequired);
        }
        return Ok(None);
    };
    // An absent method means `plain` (RFC 7636 4.3), which does not exist here.
    if params.get("code_challenge_method") != Some("S256") {
        return Err(Refusal::PkceMethodNotS256);
    }
    CodeChallenge::parse(raw).map(Some).ok_or(Refusal::MalformedCodeChallenge)
}

/// OpenID Connect Core 5.5. Unknown members are ignored.
fn parse_claims(raw: &str) -> Result<ClaimsRequest, Refusal> {
    serde_json::from_str(raw).map_err(|_| Refusal::MalformedParameter("claims"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
