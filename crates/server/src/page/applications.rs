//! "Your apps": what the user has allowed, and taking it back.

use super::{Shown, View, account, application, either, go, known, own_form, visit};
use crate::browser::Browser;
use crate::extract::Call;
use crate::failure::failed;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::User;
use grantor_protocol::grant::{Access, Consent, Grant};
use grantor_protocol::params::{self, Params};
use grantor_protocol::registration::Origin;
use grantor_protocol::value::{ClientId, Seconds, TokenId};
use grantor_store::GrantsOf;
use grantor_web::{AllowedApi, AllowedScope, App, Application, Applications, Language};

/// More grants than this are not counted for one user.
const MAX_GRANTS: usize = 1000;
/// An access token lives at most a day; a cut-off is remembered a little longer.
const CUTOFF_LIFE: Seconds = Seconds::new(2 * 86_400);

/// `GET /applications`.
pub(crate) async fn get(call: Call) -> Response {
    either(list(&call).await)
}

/// `POST /applications`: takes back all that one client has. It works at once.
pub(crate) async fn post(call: Call) -> Response {
    either(revoke(&call).await)
}

async fn list(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    known(call, Some(&browser), show(call, &browser, user, &params).await)
}

async fn revoke(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let Some(user) = browser.user() else { return Ok(go(call, Some(&browser), "/signin")) };
    let named = form.get("client_id").and_then(ClientId::parse).ok_or(Refusal::MissingParameter("client_id"));
    let client = known(call, Some(&browser), named)?;
    let now = call.now();
    let cutoff = TokenId::last_of(call.context.world.millis());
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let of = GrantsOf::Application(&user.sub, &client);
    let revoked = store.revoke_all(tenant, of, cutoff, now.plus(CUTOFF_LIFE), now).await;
    let grants = known(call, Some(&browser), revoked.map_err(|broken| failed(&broken)))?;
    let event = call.event(Action::Revocation, Outcome::Allowed).actor(&user.sub).target(&client);
    known(call, Some(&browser), event.with("what", "application").with("grants", grants).commit().await)?;
    Ok(go(call, Some(&browser), &format!("/applications?revoked={}", params::encode(client.as_str()))))
}

async fn show(call: &Call, browser: &Browser, user: &User, params: &Params) -> Result<Response, Refusal> {
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let view = View::new(call, Some(browser));
    let language = view.language;
    let consents = store.consents(tenant, &user.sub).await.map_err(|broken| failed(&broken))?;
    let of = GrantsOf::Subject(&user.sub);
    let grants = store.grants(tenant, of, call.now(), MAX_GRANTS).await.map_err(|broken| failed(&broken))?;
    let mut clients: Vec<&ClientId> = Vec::new();
    for client in consents.iter().map(|consent| &consent.client).chain(grants.iter().map(|grant| &grant.terms.client)) {
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    let apps = clients.into_iter().map(|client| {
        let consent = consents.iter().find(|consent| &consent.client == client);
        let own: Vec<&Grant> = grants.iter().filter(|grant| &grant.terms.client == client).collect();
        app(call, client, consent, &own, language)
    });
    let revoked = params.get("revoked").and_then(ClientId::parse);
    let page = Applications {
        user: account(user),
        apps: apps.collect(),
        revoked: revoked.map(|client| presented(call, &client, language).name),
        csrf: browser.csrf(call)?.into(),
        action: format!("{}/applications", call.tenancy.base),
        home: Some(format!("{}/", call.tenancy.base)),
        sign_out: Some(format!("{}/signout", call.tenancy.base)),
    };
    Ok(view.show(&page))
}

fn app(call: &Call, client: &ClientId, consent: Option<&Consent>, grants: &[&Grant], language: Language) -> App {
    let mut access = consent.map(|consent| consent.access.clone()).unwrap_or_default();
    for grant in grants {
        access = access.union(&grant.terms.access);
    }
    let seconds = |time: grantor_protocol::value::UnixTime| u64::try_from(time.get()).unwrap_or(0);
    let first = grants.iter().map(|grant| grant.terms.created).chain(consent.map(|consent| consent.first)).min();
    App {
        client_id: client.to_string(),
        application: presented(call, client, language),
        first_granted: first.map_or(0, seconds),
        last_used: grants.iter().map(|grant| grant.rotated).max().map(seconds),
        groups: allowed(call, &access, language),
        grants: u64::try_from(grants.len()).unwrap_or(u64::MAX),
    }
}

fn presented(call: &Call, client: &ClientId, language: Language) -> Application {
    match call.tenancy.directory.client(client) {
        Some(client) => application(&client.metadata, language),
        None => Application { name: client.to_string(), ..Application::default() },
    }
}

fn allowed(call: &Call, access: &Access, language: Language) -> Vec<AllowedApi> {
    let tag = language.tag();
    let api_of = |(audience, scope): (&grantor_protocol::value::Resource, &grantor_protocol::value::Scope)| {
        let api = call.tenancy.directory.api(audience);
        let own = *audience == call.tenancy.issuer.as_resource();
        let name = api.map_or_else(|| call.tenancy.display_name(tag), |api| api.name.in_language(tag));
        let scopes = scope.iter().map(|token| {
            let known = api.and_then(|api| api.find_scope(token.as_str()));
            let text = known.map(|scope| scope.description.in_language(tag).to_owned()).unwrap_or_default();
            AllowedScope { name: token.to_string(), text }
        });
        AllowedApi {
            api_name: name.to_owned(),
            audience: if own { String::new() } else { audience.to_string() },
            scopes: scopes.collect(),
        }
    };
    access.iter().filter(|(audience, _)| !Origin::stands_in(audience)).map(api_of).collect()
}
