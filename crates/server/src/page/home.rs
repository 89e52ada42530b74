//! The tenant's front page, and what stands at no address.

use super::{View, account, desk, error, playground, problem};
use crate::browser::Browser;
use crate::extract::Call;
use axum::response::Response;
use grantor_web::{ErrorKind, Home};
use http::StatusCode;

/// `GET /`.
pub(crate) async fn get(call: Call) -> Response {
    let browser = match Browser::of(&call).await {
        Ok(browser) => browser,
        Err(refusal) => return error(&call, None, &refusal),
    };
    let base = &call.tenancy.base;
    let issuer = &call.tenancy.issuer;
    View::new(&call, Some(&browser)).show(&Home {
        issuer: issuer.to_string(),
        user: browser.user().map(account),
        applications: format!("{base}/applications"),
        metadata: issuer.endpoint("/.well-known/openid-configuration"),
        desk: call.tenancy.directory.tenant.desk.then(|| format!("{base}{}", desk::DESK)),
        playground: call.tenancy.directory.tenant.playground.then(|| format!("{base}{}", playground::PLAYGROUND)),
        sign_in: Some(format!("{base}/signin")),
        sign_out: Some(format!("{base}/signout")),
    })
}

/// Anything else.
pub(crate) async fn not_found(call: Call) -> Response {
    problem(&call, None, ErrorKind::NotFound, StatusCode::NOT_FOUND)
}

/// The right address and the wrong method.
pub(crate) async fn method_not_allowed(call: Call) -> Response {
    problem(&call, None, ErrorKind::MethodNotAllowed, StatusCode::METHOD_NOT_ALLOWED)
}
