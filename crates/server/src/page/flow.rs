//! The way of an authorization request through the pages. Its state travels sealed in the forms; nothing is stored until
//! somebody signs in or allows something.

use super::{View, device, error, go, problem, with_cookie};
use crate::browser::Browser;
use crate::client_document;
use crate::extract::Call;
use crate::failure::failed;
use crate::issue::{self, Encryptor};
use crate::respond;
use crate::token::open_id_token_hint;
use axum::response::Response;
use grantor_jose::digest;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::authorize::source::Source;
use grantor_protocol::authorize::{
    AuthorizationRequest, AuthorizationResponse, PageRefusal, RedirectTarget, Step, Target, ToldRefusal, Visit, next,
};
use grantor_protocol::authorize::{ResponseMode, signed_response};
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::directory::User;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::{Access, Consent};
use grantor_protocol::narrow::{self, Allowed};
use grantor_protocol::params::{self, Params};
use grantor_protocol::session::Session;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::token::presented_subject;
use grantor_protocol::value::{CodeId, RedirectUri, Seconds, UnixTime};
use grantor_web::{Display, ErrorKind, FormPost};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// An authorization request on its way, as a form carries it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Interaction {
    /// The request itself.
    pub(crate) query: String,
    /// How it came.
    pub(crate) source: Source,
    /// When it came, to this browser.
    pub(crate) started: UnixTime,
    /// When it is over, whatever browser it is opened in.
    pub(crate) expires: UnixTime,
    /// Whether the user chose the account that he is signed in with.
    pub(crate) account_selected: bool,
    /// The browser that brought it. What happened in one browser satisfies nothing in another.
    #[serde(default)]
    browser: String,
}

/// An authorization request and how far it has come.
pub(crate) struct Pending {
    pub(crate) request: AuthorizationRequest,
    pub(crate) step: Step,
    /// How the request came.
    pub(crate) source: Source,
    /// When it is over.
    pub(crate) expires: UnixTime,
    /// What the user who is signed in can allow.
    pub(crate) allowed: Allowed,
    /// The same of what a scope is too coarse to say.
    pub(crate) details: AuthorizationDetails,
    /// What he is asked: that, and the scopes of claims that are asked for by name.
    pub(crate) asked: Access,
    /// What he has allowed before.
    pub(crate) consent: Option<Consent>,
}

/// Why a request goes no further.
pub(crate) enum Stopped {
    /// The client is not to be told.
    Page(Refusal),
    /// The client is told.
    Told(Box<ToldRefusal>),
}

/// For how long a page may lie open.
const OPEN_FOR: Seconds = Seconds::new(3600);
/// By how much the clocks of two nodes may differ.
const CLOCK_DIFFERENCE: Seconds = Seconds::new(60);

impl Interaction {
    /// A request that has just come in.
    pub(crate) fn new(query: String, source: Source, now: UnixTime) -> Self {
        Self {
            query,
            source,
            started: now,
            expires: now.plus(OPEN_FOR),
            account_selected: false,
            browser: String::new(),
        }
    }

    /// The same, over then at the latest.
    pub(crate) fn until(mut self, latest: UnixTime) -> Self {
        self.expires = self.expires.min(latest);
        self
    }

    /// Sealed, for a form or a link.
    pub(crate) fn seal(&self, call: &Call, browser: &Browser) -> Result<String, Refusal> {
        let bound = Self { browser: browser.name(), ..self.clone() };
        let content = serde_json::to_vec(&bound).map_err(|_| Refusal::Broken)?;
        let handles = &call.tenancy.ready()?.keys.handles;
        handles.seal(HandleKind::Interaction, call.context.world.random(), &content).ok_or(Refusal::Broken)
    }

    /// Opened again, unless it lay open for too long. In another browser nothing has happened to it yet, but it grows no
    /// younger: a pushed request would live for ever.
    pub(crate) fn open(call: &Call, browser: &Browser, sealed: &str) -> Option<Self> {
        let content = call.tenancy.ready().ok()?.keys.handles.open(HandleKind::Interaction, sealed)?;
        let interaction: Self = serde_json::from_slice(&content).ok()?;
        let open = call.now() < interaction.expires;
        if interaction.browser == browser.name() {
            return open.then_some(interaction);
        }
        let expires = interaction.expires;
        open.then(|| Self { expires, ..Self::new(interaction.query, interaction.source, call.now()) })
    }

    /// From the parameter `interaction`; an error page when it cannot be opened.
    pub(crate) fn required(call: &Call, browser: &Browser, params: &Params) -> Result<Self, Box<Response>> {
        params
            .get("interaction")
            .and_then(|sealed| Self::open(call, browser, sealed))
            .ok_or_else(|| Box::new(problem(call, Some(browser), ErrorKind::Expired, StatusCode::BAD_REQUEST)))
    }
}

/// Does what comes next for a request.
pub(crate) async fn proceed(call: &Call, browser: &Browser, interaction: &Interaction) -> Response {
    let pending = match look(call, browser, interaction).await {
        Ok(pending) => pending,
        Err(stopped) => return stop(call, browser, stopped).await,
    };
    let page = match pending.step {
        Step::SignIn => "/signin",
        Step::SelectAccount => "/select-account",
        Step::Consent => "/consent",
        Step::Issue => return issue(call, browser, pending).await,
    };
    match interaction.seal(call, browser) {
        Ok(sealed) => go(call, Some(browser), &format!("{page}?interaction={}", params::encode(&sealed))),
        Err(refusal) => error(call, Some(browser), &refusal),
    }
}

/// The same as [`look`], with the answer for a request that goes no further.
pub(crate) async fn looked(
    call: &Call,
    browser: &Browser,
    interaction: &Interaction,
) -> Result<Pending, Box<Response>> {
    match look(call, browser, interaction).await {
        Ok(pending) => Ok(pending),
        Err(stopped) => Err(Box::new(stop(call, browser, stopped).await)),
    }
}

/// Reads a request and finds what comes next.
pub(crate) async fn look(call: &Call, browser: &Browser, interaction: &Interaction) -> Result<Pending, Stopped> {
    let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
    let params = Params::parse(interaction.query.as_bytes()).map_err(Stopped::Page)?;
    client_document::look_up(call, params.get("client_id")).await.map_err(Stopped::Page)?;
    let target = Target::find(&params, directory, &interaction.source);
    let target = target.map_err(|PageRefusal(refusal)| Stopped::Page(refusal))?;
    let request =
        AuthorizationRequest::parse(&params, target, directory, issuer, &interaction.source).map_err(Stopped::Told)?;
    match step(call, browser, interaction, &request).await {
        Ok((step, allowed, details, consent)) => {
            let asked = request.to_ask(&allowed.access, issuer);
            Ok(Pending {
                request,
                source: interaction.source.clone(),
                expires: interaction.expires,
                step,
                allowed,
                details,
                asked,
                consent,
            })
        }
        Err(refusal) => Err(Stopped::Told(Box::new(ToldRefusal { refusal, target: request.target }))),
    }
}

async fn step(
    call: &Call,
    browser: &Browser,
    interaction: &Interaction,
    request: &AuthorizationRequest,
) -> Result<(Step, Allowed, AuthorizationDetails, Option<Consent>), Refusal> {
    let hint = match &request.unverified_id_token_hint {
        // One that cannot be read any more tells nothing; one of somebody else is no harm either.
        Some(text) => open_id_token_hint(&call.tenancy, text),
        None => None,
    };
    let hinted = hint.as_ref().map(|hint| hint.sub.as_str());
    let visit = Visit { started: interaction.started, account_selected: interaction.account_selected };
    let client = request.target.client();
    let Some((session, user)) = browser.signed_in() else {
        let asked = request.to_ask(&request.allowed.access, &call.tenancy.issuer);
        let step = next(request, None, None, &asked, visit, hinted, call.now())?;
        return Ok((step, request.allowed.clone(), request.details.clone(), None));
    };
    let sub = presented_subject(&client.metadata, &user.sub, &call.tenancy.ready()?.keys.pairwise);
    let (allowed, details) = for_user(call, request, user)?;
    let found = call.context.store.consent(call.tenancy.name(), &user.sub, &client.metadata.client_id).await;
    let consent = found.map_err(|error| failed(&error))?;
    let signed_in = Some((session, sub.as_str()));
    let asked = request.to_ask(&allowed.access, &call.tenancy.issuer);
    let step = next(request, signed_in, consent.as_ref(), &asked, visit, hinted, call.now())?;
    Ok((step, allowed, details, consent))
}

fn for_user(
    call: &Call,
    request: &AuthorizationRequest,
    user: &User,
) -> Result<(Allowed, AuthorizationDetails), Refusal> {
    let (client, directory) = (request.target.client(), &call.tenancy.directory);
    let grant_type = request.target.grant_type();
    let mut allowed = narrow::for_user(request.allowed.clone(), directory, client, user, grant_type)?;
    let (details, narrowed) = request.details.clone().for_user(directory, user);
    allowed.narrowed.extend(narrowed);
    narrow::with_details(allowed, details, directory, client, user, grant_type)
}

/// Tells the client or the user why a request goes no further.
pub(crate) async fn stop(call: &Call, browser: &Browser, stopped: Stopped) -> Response {
    let event = call.event(Action::Authorization, Outcome::Refused);
    match stopped {
        Stopped::Page(refusal) => {
            event.reason(&refusal).write();
            error(call, Some(browser), &refusal)
        }
        Stopped::Told(refused) => {
            event.actor(&refused.target.client().metadata.client_id).reason(&refused.refusal).write();
            let code = refused.refusal.code();
            let target = match &refused.target {
                Target::Redirect(target) => target,
                Target::Device(target) if refused.refusal == Refusal::Denied => {
                    return device::deny(call, browser, target).await;
                }
                // Another may still allow it.
                Target::Device(_) => return error(call, Some(browser), &refused.refusal),
            };
            let answer = AuthorizationResponse::error(target, code, &call.tenancy.issuer);
            let client = &target.client.metadata;
            match response_encryptor(call, client, answer.mode).await {
                Ok(encryptor) => {
                    let mut response = respond_to_client(call, browser, client, answer, encryptor.as_ref());
                    // For the figures.
                    response.extensions_mut().insert(code);
                    response
                }
                Err(refusal) => error(call, Some(browser), &refusal),
            }
        }
    }
}

/// Issues the code (RFC 6749 4.1.2). Of a code nothing is written: it carries everything, sealed. A pushed request is used
/// once, and only now: a page that was merely loaded may be loaded again (FAPI 2.0 Security Profile 5.3.2.2, note 3).
pub(crate) async fn issue(call: &Call, browser: &Browser, pending: Pending) -> Response {
    let Some((session, user)) = browser.signed_in() else {
        return error(call, Some(browser), &Refusal::LoginRequired);
    };
    let target = match &pending.request.target {
        Target::Redirect(target) => target,
        Target::Device(target) => return device::allow(call, browser, target, &pending, (session, user)).await,
    };
    let metadata = &target.client.metadata;
    // Looked up before anything is spent: a client whose keys cannot be had may try again.
    let encryptor = match response_encryptor(call, metadata, target.mode).await {
        Ok(encryptor) => encryptor,
        Err(refusal) => return error(call, Some(browser), &refusal),
    };
    match spend(call, &pending.source, pending.expires).await {
        Ok(()) => {}
        Err(refusal) => {
            let refused = ToldRefusal { refusal, target: pending.request.target };
            return Box::pin(stop(call, browser, Stopped::Told(Box::new(refused)))).await;
        }
    }
    match seal_code(call, &pending, target, session, user) {
        Err(refusal) => error(call, Some(browser), &refusal),
        Ok(code) => {
            say_allowed(call, &pending, user);
            let answer = AuthorizationResponse::code(target, code, &call.tenancy.issuer);
            respond_to_client(call, browser, metadata, answer, encryptor.as_ref())
        }
    }
}

/// For the audit log.
pub(super) fn say_allowed(call: &Call, pending: &Pending, user: &User) {
    let (client, allowed) = (pending.request.target.client(), &pending.allowed);
    let event = call.event(Action::Authorization, Outcome::Allowed).actor(&client.metadata.client_id);
    let event = event.target(&user.sub).with("scope", allowed.access.scope());
    let event = if pending.details.is_empty() { event } else { event.with("details", pending.details.digested()) };
    let reasons = allowed.reasons();
    if reasons.is_empty() { event } else { event.with("narrowed", reasons) }.write();
}

/// Remembered for as long as any page of it may be open, on the node whose clock is behind the most.
async fn spend(call: &Call, source: &Source, expires: UnixTime) -> Result<(), Refusal> {
    let Source::Pushed { id, .. } = source else { return Ok(()) };
    let (store, tenant, now) = (&call.context.store, call.tenancy.name(), call.now());
    let until = expires.plus(CLOCK_DIFFERENCE);
    let value = digest::sha256(id.as_bytes());
    let fresh = store.remember(tenant, "request_uri", &value, until, now).await.map_err(|error| failed(&error))?;
    if fresh { Ok(()) } else { Err(Refusal::RequestUriSpent) }
}

fn seal_code(
    call: &Call,
    pending: &Pending,
    target: &RedirectTarget,
    session: &Session,
    user: &User,
) -> Result<String, Refusal> {
    let id = CodeId::new(call.context.world.millis(), call.context.world.random());
    let redirect_uri = target.redirect_uri_given.then(|| target.redirect_uri.clone());
    let code = code(call, pending, id, redirect_uri, session, user);
    let content = serde_json::to_vec(&code).map_err(|_| Refusal::Broken)?;
    let handles = &call.tenancy.ready()?.keys.handles;
    handles.seal(HandleKind::Code, call.context.world.random(), &content).ok_or(Refusal::Broken)
}

/// What was allowed, as it is redeemed.
pub(super) fn code(
    call: &Call,
    pending: &Pending,
    id: CodeId,
    redirect_uri: Option<RedirectUri>,
    session: &Session,
    user: &User,
) -> Code {
    let (request, allowed) = (&pending.request, &pending.allowed);
    let client = &request.target.client().metadata;
    let life = call.tenancy.directory.tenant.lifetimes.code.min(client.profile.longest_code());
    Code {
        id,
        client: client.client_id.clone(),
        redirect_uri,
        challenge: request.challenge.clone(),
        expires: call.now().plus(life),
        subject: user.sub.clone(),
        access: allowed.access.clone(),
        authentication: session.authentication.clone(),
        sid: session.sid.clone(),
        nonce: request.nonce.clone(),
        claims: request.claims.clone(),
        details: pending.details.clone(),
        dpop_jkt: request.dpop_jkt,
        refreshable: !request.asks_for_offline_access() || allowed.access.scope().contains("offline_access"),
        narrowed: allowed.reasons().into_iter().take(20).collect(),
    }
}

/// By redirect, or by a form that posts itself (OAuth 2.0 Form Post Response Mode); signed, when it was asked for in that
/// way (JARM).
fn respond_to_client(
    call: &Call,
    browser: &Browser,
    client: &ClientMetadata,
    answer: AuthorizationResponse,
    encryptor: Option<&Encryptor>,
) -> Response {
    let answer = match signed(call, client, answer, encryptor) {
        Ok(answer) => answer,
        Err(refusal) => return error(call, Some(browser), &refusal),
    };
    if let Some(redirect) = respond::authorization_redirect(&answer) {
        return with_cookie(call, Some(browser), redirect);
    }
    let fields = answer.fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let page = FormPost { action: answer.redirect_uri.to_string(), fields };
    View::new(call, Some(browser)).runs_scripts().form_leads_to(answer.redirect_uri.scheme()).show(&page)
}

/// What a signed answer is encrypted with, for clients that are registered for it.
async fn response_encryptor(
    call: &Call,
    client: &ClientMetadata,
    mode: ResponseMode,
) -> Result<Option<Encryptor>, Refusal> {
    if !mode.is_signed() {
        return Ok(None);
    }
    let (alg, enc) = (client.authorization_encrypted_response_alg, client.authorization_encrypted_response_enc);
    issue::encryptor(call, client, alg, enc).await
}

fn signed(
    call: &Call,
    client: &ClientMetadata,
    answer: AuthorizationResponse,
    encryptor: Option<&Encryptor>,
) -> Result<AuthorizationResponse, Refusal> {
    if !answer.mode.is_signed() {
        return Ok(answer);
    }
    let claims = signed_response::claims(&answer.fields, &client.client_id, &call.tenancy.issuer, call.now());
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    let algorithm = client.response_algorithm(client.authorization_signed_response_alg);
    let token = issue::sign(&call.tenancy, algorithm, "JWT", &payload)?;
    Ok(signed_response::wrap(answer, issue::nested(token, encryptor)?))
}

/// How the request wants its pages shown.
pub(crate) fn view<'a>(call: &'a Call, browser: &'a Browser, request: &AuthorizationRequest) -> View<'a> {
    let display = match request.display {
        grantor_protocol::authorize::Display::Page => Display::Page,
        grantor_protocol::authorize::Display::Popup => Display::Popup,
        grantor_protocol::authorize::Display::Touch => Display::Touch,
        grantor_protocol::authorize::Display::Wap => Display::Wap,
    };
    // A form of ours ends in a redirect to the client, who may redirect further: `form-action` is asked at each hop.
    let view = View::new(call, Some(browser)).asked(request.ui_locales.as_deref(), display);
    match request.target.redirect_uri() {
        Some(redirect_uri) => view.form_leads_to(redirect_uri.scheme()),
        None => view,
    }
}
