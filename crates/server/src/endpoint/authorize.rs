//! The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2.1): by GET and by POST.

use crate::browser::Browser;
use crate::extract::Call;
use crate::page::flow::{Interaction, proceed};
use crate::page::{self, go, problem};
use axum::response::Response;
use grantor_web::ErrorKind;
use http::StatusCode;

/// An authorization request is not longer.
const MAX_QUERY: usize = 8 * 1024;

/// `GET /authorize`.
pub(crate) async fn get(call: Call) -> Response {
    let browser = match Browser::of(&call).await {
        Ok(browser) => browser,
        Err(refusal) => return page::error(&call, None, &refusal),
    };
    // It must fit into the links of our own pages, sealed.
    if call.query.len() > MAX_QUERY {
        return problem(&call, Some(&browser), ErrorKind::TooLarge, StatusCode::URI_TOO_LONG);
    }
    proceed(&call, &browser, &Interaction::new(call.query.clone(), call.now())).await
}

/// `POST /authorize`: becomes a GET, because a POST from another site comes without the session's cookie.
pub(crate) async fn post(call: Call) -> Response {
    if let Err(refusal) = call.form_params() {
        return page::error(&call, None, &refusal);
    }
    match std::str::from_utf8(&call.body) {
        Ok(form) => go(&call, None, &format!("/authorize?{form}")),
        Err(_) => page::error(&call, None, &grantor_protocol::Refusal::MalformedParameters),
    }
}
