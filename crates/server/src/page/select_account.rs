//! Choosing an account (OpenID Connect Core 3.1.2.1, `select_account`).

use super::flow::{self, Interaction};
use super::{Shown, account, either, go, known, own_form, visit};
use crate::extract::Call;
use axum::response::Response;
use grantor_protocol::params;
use grantor_web::SelectAccount;

/// `GET /select-account`.
pub(crate) async fn get(call: Call) -> Response {
    either(ask(&call).await)
}

/// `POST /select-account`: `account` is `continue` or `another`.
pub(crate) async fn post(call: Call) -> Response {
    either(chosen(&call).await)
}

async fn ask(call: &Call) -> Shown {
    let (browser, params) = visit(call).await?;
    let interaction = Interaction::required(call, &browser, &params)?;
    let Some(user) = browser.user() else { return Ok(flow::proceed(call, &browser, &interaction).await) };
    let pending = flow::looked(call, &browser, &interaction).await?;
    let csrf = known(call, Some(&browser), browser.csrf(call))?;
    let view = flow::view(call, &browser, &pending.request);
    let name = pending.request.target.client().metadata.display_name(view.language.tag()).to_owned();
    Ok(view.show(&SelectAccount {
        application: Some(name),
        account: account(user),
        interaction: params.get("interaction").unwrap_or_default().into(),
        csrf: csrf.into(),
        action: format!("{}/select-account", call.tenancy.base),
    }))
}

async fn chosen(call: &Call) -> Shown {
    let (browser, form) = own_form(call).await?;
    let mut interaction = Interaction::required(call, &browser, &form)?;
    if form.get("account") == Some("continue") {
        interaction.account_selected = true;
        return Ok(flow::proceed(call, &browser, &interaction).await);
    }
    let sealed = params::encode(form.get("interaction").unwrap_or_default());
    Ok(go(call, Some(&browser), &format!("/signin?interaction={sealed}")))
}
