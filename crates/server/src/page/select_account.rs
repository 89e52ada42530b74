//! Choosing an account (OpenID Connect Core 3.1.2.1, `select_account`).

use super::flow::{self, Interaction};
use super::{account, error, go, problem};
use crate::browser::Browser;
use crate::extract::Call;
use axum::response::Response;
use grantor_protocol::params;
use grantor_web::{ErrorKind, SelectAccount};
use http::StatusCode;

/// `GET /select-account`.
pub(crate) async fn get(call: Call) -> Response {
    let (browser, params) = match (Browser::of(&call).await, call.query_params()) {
        (Ok(browser), Ok(params)) => (browser, params),
        (Err(refusal), _) | (_, Err(refusal)) => return error(&call, None, &refusal),
    };
    let interaction = match Interaction::required(&call, &browser, &params) {
        Ok(interaction) => interaction,
        Err(answer) => return *answer,
    };
    let Some(user) = browser.user() else { return flow::proceed(&call, &browser, &interaction).await };
    let pending = match flow::look(&call, &browser, &interaction).await {
        Ok(pending) => pending,
        Err(stopped) => return flow::stop(&call, &browser, stopped),
    };
    let csrf = match browser.csrf(&call) {
        Ok(csrf) => csrf,
        Err(refusal) => return error(&call, Some(&browser), &refusal),
    };
    let view = flow::view(&call, &browser, &pending.request);
    let name = pending.request.target.client.metadata.display_name(view.language.tag()).to_owned();
    view.show(&SelectAccount {
        application: Some(name),
        account: account(user),
        interaction: params.get("interaction").unwrap_or_default().into(),
        csrf: csrf.into(),
        action: format!("{}/select-account", call.tenancy.base),
    })
}

/// `POST /select-account`: `account` is `continue` or `another`.
pub(crate) async fn post(call: Call) -> Response {
    let (browser, form) = match (Browser::of(&call).await, call.strict_form()) {
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
    if form.get("account") == Some("continue") {
        let mut chosen = interaction;
        chosen.account_selected = true;
        return flow::proceed(&call, &browser, &chosen).await;
    }
    let sealed = params::encode(form.get("interaction").unwrap_or_default());
    go(&call, Some(&browser), &format!("/signin?interaction={sealed}"))
}
