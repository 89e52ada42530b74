//! Signing out (OpenID Connect RP-Initiated Logout 1.0). The user is asked unless the application proved, with an ID token
//! of this very session, that it may.

use super::flow;
use super::{View, error, go, problem};
use crate::browser::Browser;
use crate::client_document;
use crate::extract::Call;
use crate::respond;
use crate::token::open_id_token_hint;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorize::Source;
use grantor_protocol::logout::LogoutRequest;
use grantor_protocol::params::{Params, encode};
use grantor_web::{ErrorKind, SignOut, SignedOut};
use http::{Method, StatusCode};

/// `GET /signout`, and `POST` by an application (Logout 2) or by our own page.
pub(crate) async fn handle(call: Call) -> Response {
    if call.method == Method::POST && call.is_cross_site() {
        // It came without the session's cookie: as a GET it comes with it.
        return match std::str::from_utf8(&call.body) {
            Ok(form) => go(&call, None, &format!("/signout?{form}")),
            Err(_) => error(&call, None, &Refusal::MalformedParameters),
        };
    }
    let params = if call.method == Method::POST { call.strict_form() } else { call.query_params() };
    let (mut browser, params) = match (Browser::of(&call).await, params) {
        (Ok(browser), Ok(params)) => (browser, params),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    if params.get("decision").is_some() {
        return decided(&call, &mut browser, &params).await;
    }
    let hint = match params.get("id_token_hint") {
        None => None,
        // One that cannot be read any more proves nothing: the user is asked.
        Some(text) => open_id_token_hint(&call.tenancy, text),
    };
    let named = params.get("client_id").or(hint.as_ref().map(|hint| hint.client.as_str()));
    if let Err(refusal) = client_document::look_up(&call, named).await {
        return error(&call, Some(&browser), &refusal);
    }
    let request = match LogoutRequest::parse(&params, hint.as_ref(), &call.tenancy.directory) {
        Ok(request) => request,
        Err(refusal) => return error(&call, Some(&browser), &refusal),
    };
    let of_this_session = hint
        .as_ref()
        .zip(browser.signed_in())
        .is_some_and(|(hint, (session, _))| hint.sid.as_deref() == Some(session.sid.as_str()));
    if browser.signed_in().is_none() || of_this_session {
        return sign_out(&call, &mut browser, &request).await;
    }
    let (csrf, sealed) = match (browser.csrf(&call), seal(&call, &browser, &params)) {
        (Ok(csrf), Ok(sealed)) => (csrf, sealed),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, Some(&browser), &refusal),
    };
    let mut view = View::new(&call, Some(&browser));
    if let Some(uri) = &request.return_to {
        view = view.form_leads_to(uri.scheme());
    }
    let name = request.client.as_ref().map(|client| client.metadata.display_name(view.language.tag()).to_owned());
    view.show(&SignOut {
        application: name,
        interaction: Some(sealed.into()),
        csrf: csrf.into(),
        action: format!("{}/signout", call.tenancy.base),
    })
}

async fn decided(call: &Call, browser: &mut Browser, form: &Params) -> Response {
    if call.method != Method::POST || browser.check_form(call, form).is_err() {
        return problem(call, Some(browser), ErrorKind::ForgedForm, StatusCode::FORBIDDEN);
    }
    if form.get("decision") != Some("sign-out") {
        return go(call, Some(browser), "/");
    }
    let Some(interaction) = form.get("interaction").and_then(|sealed| flow::Interaction::open(call, browser, sealed))
    else {
        return problem(call, Some(browser), ErrorKind::Expired, StatusCode::BAD_REQUEST);
    };
    let request = Params::parse(interaction.query.as_bytes()).and_then(|params| {
        let hint = params.get("id_token_hint").and_then(|text| open_id_token_hint(&call.tenancy, text));
        LogoutRequest::parse(&params, hint.as_ref(), &call.tenancy.directory)
    });
    match request {
        Ok(request) => sign_out(call, browser, &request).await,
        Err(refusal) => error(call, Some(browser), &refusal),
    }
}

async fn sign_out(call: &Call, browser: &mut Browser, request: &LogoutRequest) -> Response {
    match browser.sign_out(call).await {
        Err(refusal) => return error(call, None, &refusal),
        Ok(None) => {}
        Ok(Some(subject)) => {
            let event = call.event(Action::SignOut, Outcome::Allowed).actor(&subject);
            if let Err(refusal) = event.commit().await {
                return error(call, Some(browser), &refusal);
            }
        }
    }
    if let Some(location) = request.location() {
        return super::with_cookie(call, Some(browser), respond::see_other(&location));
    }
    let view = View::new(call, Some(browser));
    let name = request.client.as_ref().map(|client| client.metadata.display_name(view.language.tag()).to_owned());
    let sign_in = Some(format!("{}/signin", call.tenancy.base));
    view.show(&SignedOut { application: name, return_to: None, sign_in })
}

/// The logout request, sealed for the form.
fn seal(call: &Call, browser: &Browser, params: &Params) -> Result<String, Refusal> {
    let query: Vec<String> = params.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    flow::Interaction::new(query.join("&"), Source::Plain, call.now()).seal(call, browser)
}
