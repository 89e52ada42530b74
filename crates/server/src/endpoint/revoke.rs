//! The revocation endpoint (RFC 7009).

use crate::client_auth::authenticate;
use crate::extract::Call;
use crate::failure::failed;
use crate::respond;
use crate::token::open_access_token;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::User;
use grantor_protocol::revocation::{Revocable, Take, decide};
use http::{StatusCode, header};

/// `POST /revoke`.
pub(crate) async fn handle(call: Call) -> Response {
    let answer = match answer(&call).await {
        Ok(()) => respond::json(StatusCode::OK, &serde_json::json!({})),
        Err(refusal) => {
            call.event(Action::Revocation, Outcome::Refused).reason(&refusal).write();
            respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION))
        }
    };
    respond::readable_by_all(answer)
}

/// Takes back what the token of a request stands for, if it is its client's own.
pub(crate) async fn answer(call: &Call) -> Result<(), Refusal> {
    let params = call.strict_form()?;
    let client = authenticate(call, &params).await?;
    let token = params.get("token").ok_or(Refusal::MissingParameter("token"))?;
    let (store, tenant, now) = (&call.context.store, call.tenancy.name(), call.now());
    match decide(&read(call, token)?, &client) {
        Take::Token(id, expires) => {
            store.revoke_token(tenant, id, expires).await.map_err(|error| failed(&error))?;
            revoked(call, client.id(), "access token", &id.to_string()).await?;
        }
        Take::Grant(id) => {
            let grant = store.grant(tenant, id).await.map_err(|error| failed(&error))?;
            // RFC 7009 2.1: the token must be the client's own.
            if grant.is_some_and(|grant| client.is(&grant.terms.client)) {
                store.revoke_grant(tenant, id, now).await.map_err(|error| failed(&error))?;
                revoked(call, client.id(), "grant", &id.to_string()).await?;
            }
        }
        Take::Nothing => {}
    }
    Ok(())
}

/// Takes back a token that a user holds himself: what he allowed a client is his to take back, as at his applications.
/// Gives whether it was one of his.
pub(crate) async fn own(call: &Call, token: &str, user: &User) -> Result<bool, Refusal> {
    let (store, tenant, now) = (&call.context.store, call.tenancy.name(), call.now());
    let (grant, single) = match read(call, token)? {
        Revocable::RefreshToken(handle) => (Some(handle.grant), None),
        Revocable::AccessToken(token) => (token.grant, Some((token.id, token.expires))),
        Revocable::Nothing => (None, None),
    };
    let Some(grant) = grant else { return Ok(false) };
    let found = store.grant(tenant, grant).await.map_err(|error| failed(&error))?;
    if found.is_none_or(|found| found.terms.subject != user.sub) {
        return Ok(false);
    }
    if let Some((id, expires)) = single {
        store.revoke_token(tenant, id, expires).await.map_err(|error| failed(&error))?;
        revoked(call, &user.sub, "access token", &id.to_string()).await?;
    } else {
        store.revoke_grant(tenant, grant, now).await.map_err(|error| failed(&error))?;
        revoked(call, &user.sub, "grant", &grant.to_string()).await?;
    }
    Ok(true)
}

/// What the token is, whatever the hint says (RFC 7009 2.1).
fn read(call: &Call, token: &str) -> Result<Revocable, Refusal> {
    let keys = &call.tenancy.ready()?.keys;
    if let Some(handle) = keys.handles.open_refresh_token(token) {
        return Ok(Revocable::RefreshToken(handle));
    }
    Ok(match open_access_token(&call.tenancy, token) {
        Ok(token) => Revocable::AccessToken(Box::new(token)),
        Err(_) => Revocable::Nothing,
    })
}

async fn revoked(call: &Call, by: &impl ToString, what: &str, target: &str) -> Result<(), Refusal> {
    let event = call.event(Action::Revocation, Outcome::Allowed).actor(by);
    event.target(&target).with("what", what).commit().await
}
