//! The demo APIs: resource servers as anybody would write them, so that a newcomer has something to call.

use crate::extract::Call;
use crate::standing::Known;
use crate::token::{admitted, standing};
use crate::{proof, respond};
use axum::body::Body;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::params::Params;
use grantor_protocol::token::AccessToken;
use grantor_protocol::value::Resource;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::{Arc, PoisonError};

/// The demo keeps no more notes.
const MOST_NOTES: usize = 100;

/// `GET /demo/notes` needs `notes:read`; with `search`, those that have this in them.
pub(crate) async fn read_notes(call: Call) -> Response {
    let params = call.query_params().ok();
    let wanted = params.as_ref().and_then(|params| params.get("search")).unwrap_or_default().to_lowercase();
    guarded(&call, "/demo/notes", "notes:read", |token| {
        let mut notes = call.context.notes.lock().unwrap_or_else(PoisonError::into_inner).clone();
        notes.retain(|note| note.to_lowercase().contains(&wanted));
        json!({ "notes": notes, "read_by": token.sub(), "through": token.client })
    })
    .await
}

/// `POST /demo/notes` needs `notes:write`; the body is the note.
pub(crate) async fn write_note(call: Call) -> Response {
    guarded(&call, "/demo/notes", "notes:write", |token| {
        let text: String = String::from_utf8_lossy(&call.body).chars().take(1000).collect();
        let mut notes = call.context.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() >= MOST_NOTES {
            notes.remove(0);
        }
        notes.push(text);
        json!({ "written": true, "notes": notes.len(), "written_by": token.sub() })
    })
    .await
}

/// `DELETE /demo/notes/{number}` needs `notes:write`; the first note is number 1.
pub(crate) async fn delete_note(call: Call) -> Response {
    guarded(&call, "/demo/notes", "notes:write", |token| {
        let number = call.path.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
        let mut notes = call.context.notes.lock().unwrap_or_else(PoisonError::into_inner);
        let at = number.and_then(|number| number.checked_sub(1)).filter(|at| *at < notes.len());
        let deleted = at.map(|at| notes.remove(at));
        json!({ "deleted": deleted, "notes": notes.len(), "deleted_by": token.sub() })
    })
    .await
}

/// `GET /demo/openapi.json`: what the mail API does, for whoever has no list in the API's declaration.
pub(crate) async fn openapi(call: Call) -> Response {
    let issuer = &call.tenancy.issuer;
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Demo mail", "version": "1" },
        "servers": [{ "url": issuer.endpoint("/demo") }],
        "components": { "securitySchemes": {
            "grantor": { "type": "openIdConnect", "openIdConnectUrl": issuer.endpoint("/.well-known/openid-configuration") },
        } },
        "paths": { "/mail": { "get": {
            "summary": "Read the mail",
            "security": [{ "grantor": ["mail:read"] }],
            "responses": { "200": { "description": "The mail" } },
        } } },
    });
    respond::readable_by_all(respond::json(StatusCode::OK, &document))
}

/// `GET /demo/mail` needs `mail:read`; its tokens are opaque.
pub(crate) async fn read_mail(call: Call) -> Response {
    guarded(
        &call,
        "/demo/mail",
        "mail:read",
        |token| json!({ "mail": ["Welcome to Grantor"], "read_by": token.sub(), "through": token.client }),
    )
    .await
}

/// `GET /demo/callback`: shows the authorization response that arrived, so that a browser alone is enough to see one.
pub(crate) async fn callback(call: Call) -> Response {
    let params = call.query_params().or_else(|_| Params::parse(b""));
    let mut text = String::from("The authorization response that arrived here:\n\n");
    for (name, value) in params.iter().flat_map(Params::iter) {
        text.push_str(name);
        text.push_str(" = ");
        text.push_str(value);
        text.push('\n');
    }
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

async fn guarded(
    call: &Call,
    path: &str,
    scope: &str,
    answer: impl FnOnce(&AccessToken) -> serde_json::Value,
) -> Response {
    let response = match admit(call, path, scope).await {
        Ok(known) => respond::json(StatusCode::OK, &answer(&known.token)),
        Err(refusal) => {
            tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "demo API refused");
            respond::resource_error(call, &refusal, Some(scope), Some(&call.tenancy.issuer.endpoint(path)))
        }
    };
    respond::readable_by_all(proof::with_nonce(call, response))
}

/// Issuer, audience, time, scope, and whether it was taken back: what every API must ask (RFC 9068 4).
async fn admit(call: &Call, path: &str, scope: &str) -> Result<Arc<Known>, Refusal> {
    let known = admitted(call).await?;
    let token = &known.token;
    let audience = Resource::parse(&call.tenancy.issuer.endpoint(path)).ok_or(Refusal::Broken)?;
    if !token.audience.contains(&audience) {
        return Err(Refusal::WrongAudience);
    }
    standing(call, &known, call.now()).await?;
    if token.scope.contains(scope) { Ok(known) } else { Err(Refusal::InsufficientScope) }
}
