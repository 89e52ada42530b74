//! Asking the user (RFC 6749 10.2, OpenID Connect Core 3.1.2.4).

use super::flow::{self, Interaction, Pending};
use super::{account, application, error, problem};
use crate::browser::Browser;
use crate::extract::Call;
use crate::failure::failed;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorize::{RedirectRefusal, Step};
use grantor_protocol::grant::GrantType;
use grantor_protocol::narrow::Allowed;
use grantor_protocol::params;
use grantor_protocol::value::{Scope, ScopeToken};
use grantor_web::{Consent, ConsentGroup, ConsentScope, ErrorKind, Language, Lifetime};
use http::StatusCode;

/// `GET /consent`.
pub(crate) async fn get(call: Call) -> Response {
    let (browser, params) = match (Browser::of(&call).await, call.query_params()) {
        (Ok(browser), Ok(params)) => (browser, params),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    let interaction = match Interaction::required(&call, &browser, &params) {
        Ok(interaction) => interaction,
        Err(answer) => return *answer,
    };
    match flow::look(&call, &browser, &interaction).await {
        Err(stopped) => flow::stop(&call, &browser, stopped),
        Ok(pending) if pending.step == Step::Consent => {
            show(&call, &browser, &pending, params.get("interaction").unwrap_or_default())
        }
        Ok(_) => flow::proceed(&call, &browser, &interaction).await,
    }
}

/// `POST /consent`: `decision` is `allow` or `deny`, `scope` is what was ticked.
pub(crate) async fn post(call: Call) -> Response {
    let (browser, form) = match (Browser::of(&call).await, call.form_params()) {
        (Ok(browser), Ok(form)) => (browser, form),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    if browser.check_form(&call, &form).is_err() {
        return problem(&call, Some(&browser), ErrorKind::ForgedForm, StatusCode::FORBIDDEN);
    }
    let interaction = match Interaction::required(&call, &browser, &form) {
        Ok(interaction) => interaction,
        Err(answer) => return *answer,
    };
    let pending = match flow::look(&call, &browser, &interaction).await {
        Err(stopped) => return flow::stop(&call, &browser, stopped),
        Ok(pending) => pending,
    };
    // The account may have changed, or the sign-in grown too old, while the page lay open.
    if !matches!(pending.step, Step::Consent | Step::Issue) {
        return flow::proceed(&call, &browser, &interaction).await;
    }
    if form.get("decision") != Some("allow") {
        return refused(&call, &browser, pending, Refusal::Denied);
    }
    let ticked: Scope = form.all("scope").filter_map(ScopeToken::parse).collect();
    let allowed = pending.allowed.clone().consented(&ticked);
    let Some((_, user)) = browser.signed_in() else { return refused(&call, &browser, pending, Refusal::LoginRequired) };
    if allowed.access.is_empty() {
        return refused(&call, &browser, pending, Refusal::Denied);
    }
    let client = pending.request.target.client.metadata.client_id.clone();
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    // What the user was asked for claims by name he has allowed or not, like any scope.
    let now_allowed = Allowed { access: pending.asked.clone(), narrowed: Vec::new() }.consented(&ticked).access;
    let noted = store.record_consent(tenant, &user.sub, &client, &pending.asked, &now_allowed, call.now()).await;
    if let Err(broken) = noted {
        return error(&call, Some(&browser), &failed(&broken));
    }
    let event = call.event(Action::Consent, Outcome::Allowed).actor(&user.sub).target(&client);
    event.with("scope", allowed.access.scope()).write();
    let mut request = pending.request;
    request.claims = request.claims.within(&now_allowed.scope());
    flow::issue(&call, &browser, &request, &allowed)
}

fn refused(call: &Call, browser: &Browser, pending: Pending, refusal: Refusal) -> Response {
    let client = &pending.request.target.client.metadata.client_id;
    let mut event = call.event(Action::Consent, Outcome::Refused).target(client);
    if let Some(user) = browser.user() {
        event = event.actor(&user.sub);
    }
    event.reason(&refusal).write();
    let refused = RedirectRefusal { refusal, target: pending.request.target };
    flow::stop(call, browser, flow::Stopped::Redirect(Box::new(refused)))
}

fn show(call: &Call, browser: &Browser, pending: &Pending, sealed: &str) -> Response {
    let (Some(user), Ok(csrf)) = (browser.user(), browser.csrf(call)) else {
        return error(call, Some(browser), &Refusal::Broken);
    };
    let view = flow::view(call, browser, &pending.request);
    let language = view.language;
    let client = &pending.request.target.client.metadata;
    let lifetimes = call.tenancy.directory.tenant.lifetimes;
    let lifetime = if client.grant_types.contains(&GrantType::RefreshToken) {
        Lifetime::Limited { seconds: u64::from(lifetimes.refresh_absolute.get()) }
    } else {
        Lifetime::Once { seconds: u64::from(lifetimes.access_token.get()) }
    };
    view.show(&Consent {
        application: application(client, language),
        redirect_host: pending.request.target.redirect_uri.host(),
        user: account(user),
        switch_account: Some(format!("{}/signin?interaction={}", call.tenancy.base, params::encode(sealed))),
        groups: groups(call, pending, language),
        lifetime,
        interaction: sealed.into(),
        csrf: csrf.into(),
        action: format!("{}/consent", call.tenancy.base),
    })
}

/// Each scope in its API's own words; those of OpenID Connect in ours.
fn groups(call: &Call, pending: &Pending, language: Language) -> Vec<ConsentGroup> {
    let before = pending.consent.as_ref().map(|consent| &consent.access);
    let group = |(audience, scope): (&grantor_protocol::value::Resource, &Scope)| {
        let api = call.tenancy.directory.api(audience);
        let scopes = scope.iter().map(|token| {
            let name = token.as_str();
            let text =
                api.and_then(|api| api.find_scope(name)).map(|scope| scope.description.in_language(language.tag()));
            ConsentScope {
                name: name.to_owned(),
                text: text.unwrap_or_default().to_owned(),
                already_granted: before.and_then(|access| access.at(audience)).is_some_and(|held| held.contains(name)),
                checked: true,
                required: api.is_none() && name == "openid",
            }
        });
        ConsentGroup {
            api_name: api
                .map_or_else(|| call.tenancy.display_name(language.tag()), |api| api.name.in_language(language.tag()))
                .to_owned(),
            audience: api.map(|api| api.audience.to_string()).unwrap_or_default(),
            scopes: scopes.collect(),
        }
    };
    pending.asked.iter().map(group).collect()
}
