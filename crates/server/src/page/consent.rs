//! Asking the user (RFC 6749 10.2, OpenID Connect Core 3.1.2.4).

use super::flow::{self, Interaction, Pending};
use super::{Shown, account, application, either, known, own_form, visit};
use crate::browser::Browser;
use crate::extract::Call;
use crate::failure::failed;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorization_details::{self, Detail};
use grantor_protocol::authorize::{Step, Target, ToldRefusal};
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::directory::{Api, User};
use grantor_protocol::grant::GrantType;
use grantor_protocol::narrow::{self, Allowed};
use grantor_protocol::params;
use grantor_protocol::registration::{Origin, document};
use grantor_protocol::value::{RedirectUri, Scope, ScopeToken};
use grantor_web::{Consent, ConsentDetail, ConsentGroup, ConsentScope, Language, Lifetime};

/// `GET /consent`.
pub(crate) async fn get(call: Call) -> Response {
    either(ask(&call).await)
}

/// `POST /consent`: `decision` is `allow` or `deny`, `scope` is what was ticked.
pub(crate) async fn post(call: Call) -> Response {
    either(decided(&call).await)
}

async fn ask(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let interaction = Interaction::required(call, &browser, &params)?;
    let pending = flow::looked(call, &browser, &interaction).await?;
    if pending.step == Step::Consent {
        show(call, &browser, &pending, params.get("interaction").unwrap_or_default())
    } else {
        Ok(flow::proceed(call, &browser, &interaction).await)
    }
}

async fn decided(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let interaction = Interaction::required(call, &browser, &form)?;
    let pending = flow::looked(call, &browser, &interaction).await?;
    // The account may have changed, or the sign-in grown too old, while the page lay open.
    let Some(user) = browser.user().filter(|_| matches!(pending.step, Step::Consent | Step::Issue)) else {
        return Ok(flow::proceed(call, &browser, &interaction).await);
    };
    let ticked: Scope = form.all("scope").filter_map(ScopeToken::parse).collect();
    let (details, narrowed) = pending.details.clone().ticked(&form.all("detail").collect::<Vec<_>>());
    let mut allowed = pending.allowed.clone().consented(&ticked);
    allowed.narrowed.extend(narrowed);
    let (client, directory) = (pending.request.target.client(), &call.tenancy.directory);
    let together = narrow::with_details(allowed, details, directory, client, user, pending.request.target.grant_type());
    let Some((allowed, details)) = together.ok().filter(|_| form.get("decision") == Some("allow")) else {
        return Ok(denied(call, &browser, user, pending).await);
    };
    let client = pending.request.target.client().metadata.client_id.clone();
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    // What the user was asked for claims by name he has allowed or not, like any scope.
    let now_allowed = Allowed { access: pending.asked.clone(), narrowed: Vec::new() }.consented(&ticked).access;
    let noted = store.record_consent(tenant, &user.sub, &client, &pending.asked, &now_allowed, call.now()).await;
    known(call, Some(&browser), noted.map_err(|broken| failed(&broken)))?;
    let event = call.event(Action::Consent, Outcome::Allowed).actor(&user.sub).target(&client);
    let event = event.with("scope", allowed.access.scope());
    let event = if details.is_empty() { event } else { event.with("details", details.digested()) };
    known(call, Some(&browser), event.commit().await)?;
    let mut request = pending.request;
    request.claims = request.claims.within(&now_allowed.scope());
    Ok(flow::issue(call, &browser, Pending { request, allowed, details, ..pending }).await)
}

async fn denied(call: &Call, browser: &Browser, user: &User, pending: Pending) -> Response {
    let client = &pending.request.target.client().metadata.client_id;
    call.event(Action::Consent, Outcome::Refused).user(user).target(client).reason(&Refusal::Denied).write();
    let refused = ToldRefusal { refusal: Refusal::Denied, target: pending.request.target };
    flow::stop(call, browser, flow::Stopped::Told(Box::new(refused))).await
}

fn show(call: &Call, browser: &Browser, pending: &Pending, sealed: &str) -> Shown {
    let user = known(call, Some(browser), browser.user().ok_or(Refusal::LoginRequired))?;
    let csrf = known(call, Some(browser), browser.csrf(call))?;
    let view = flow::view(call, browser, &pending.request);
    let language = view.language;
    let client = &pending.request.target.client().metadata;
    let lifetimes = call.tenancy.directory.tenant.lifetimes;
    let lifetime = if client.grant_types.contains(&GrantType::RefreshToken) {
        Lifetime::Limited { seconds: u64::from(lifetimes.refresh_absolute.get()) }
    } else {
        Lifetime::Once { seconds: u64::from(lifetimes.access_token.get()) }
    };
    Ok(view.show(&Consent {
        application: application(client, language),
        redirect_host: pending.request.target.redirect_uri().map(RedirectUri::host),
        user_code: match &pending.request.target {
            Target::Device(target) => Some(target.user_code.to_string()),
            Target::Redirect(_) => None,
        },
        document_host: document_host(client),
        // Of a device the page says enough, and no program on this computer gets the answer.
        local_only: client.is_local_only() && pending.request.target.redirect_uri().is_some(),
        user: account(user),
        switch_account: Some(format!("{}/signin?interaction={}", call.tenancy.base, params::encode(sealed))),
        groups: groups(call, pending, language),
        lifetime,
        interaction: sealed.into(),
        csrf: csrf.into(),
        action: format!("{}/consent", call.tenancy.base),
    }))
}

/// Who stands for the name of a client that nobody declared: the host of its document.
fn document_host(client: &ClientMetadata) -> Option<String> {
    client.origin.to_ask().and_then(|_| document::host(&client.client_id))
}

/// The authorization details that are of this API's types and not shown yet, in its own words.
fn details<'p>(
    call: &Call,
    api: &Api,
    pending: &'p Pending,
    shown: &mut Vec<&'p Detail>,
    language: Language,
) -> Vec<ConsentDetail> {
    let mut of_this = Vec::new();
    for detail in pending.details.iter() {
        let concerned = detail.concerned(&call.tenancy.directory);
        let kind = concerned.into_iter().find(|(one, _)| one.audience == api.audience).map(|(_, kind)| kind);
        if let Some(kind) = kind.filter(|_| !shown.contains(&detail)) {
            let text = authorization_details::sentence(detail, kind, language.tag());
            of_this.push(ConsentDetail { id: detail.digest(), text, kind: kind.name.clone() });
            shown.push(detail);
        }
    }
    of_this
}

/// Each scope in its API's own words; those of OpenID Connect in ours.
fn groups(call: &Call, pending: &Pending, language: Language) -> Vec<ConsentGroup> {
    let before = pending.consent.as_ref().map(|consent| &consent.access);
    // What concerns two APIs is asked once.
    let mut shown = Vec::new();
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
            details: api.map(|api| details(call, api, pending, &mut shown, language)).unwrap_or_default(),
        }
    };
    pending.asked.iter().filter(|(audience, _)| !Origin::stands_in(audience)).map(group).collect()
}
