//! The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2.1): by GET and by POST.

use crate::browser::Browser;
use crate::client_document;
use crate::extract::Call;
use crate::page::flow::{Interaction, Stopped, proceed, stop};
use crate::page::{self, go, problem};
use crate::request;
use axum::response::Response;
use grantor_protocol::authorize::{RedirectTarget, Target, ToldRefusal};
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
    match received(&call).await {
        Err(stopped) => stop(&call, &browser, stopped).await,
        // It must fit into the links of our own pages, sealed.
        Ok(interaction) if interaction.query.len() > MAX_QUERY => {
            problem(&call, Some(&browser), ErrorKind::TooLarge, StatusCode::URI_TOO_LONG)
        }
        Ok(interaction) => proceed(&call, &browser, &interaction).await,
    }
}

/// The request that came, however it came. What is wrong with it is told to the client when what stands outside of it
/// says where (RFC 9101 7).
async fn received(call: &Call) -> Result<Interaction, Stopped> {
    let params = call.query_params().map_err(Stopped::Page)?;
    client_document::look_up(call, params.get("client_id")).await.map_err(Stopped::Page)?;
    match request::behind(call, &call.query, &params).await {
        Ok((query, source)) => Ok(Interaction::new(query, source, call.now())),
        Err(refusal) => Err(match RedirectTarget::find(&params, &call.tenancy.directory) {
            // Where the only registered place is a port of the user's own machine, which one is not known (RFC 8252 7.3).
            Ok(target) if target.redirect_uri_given || target.redirect_uri.as_str().starts_with("https:") => {
                Stopped::Told(Box::new(ToldRefusal { refusal, target: Target::Redirect(target) }))
            }
            _ => Stopped::Page(refusal),
        }),
    }
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
