//! The introspection endpoint (RFC 7662).

use crate::client_auth::authenticate;
use crate::extract::Call;
use crate::standing::{Behind, Known};
use crate::token::{opened, standing};
use crate::{issue, respond};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::client::{AuthenticatedClient, SubjectType};
use grantor_protocol::introspection::{self, Answer};
use http::{StatusCode, header};
use std::sync::Arc;

/// `POST /introspect`.
pub(crate) async fn handle(call: &Call) -> Response {
    match answer(call).await {
        Ok(response) => response,
        Err(refusal) => {
            call.event(Action::Introspection, Outcome::Refused).reason(&refusal).write();
            respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION))
        }
    }
}

async fn answer(call: &Call) -> Result<Response, Refusal> {
    let params = call.strict_form()?;
    let caller = authenticate(call, &params).await?;
    // RFC 7662 2.1: the caller must prove who it is.
    if !caller.get().metadata.is_confidential() {
        return Err(Refusal::WrongClientAuthMethod);
    }
    let token = params.get("token").ok_or(Refusal::MissingParameter("token"))?;
    let known = match active(call, &caller, token).await {
        Ok(known) => Some(known),
        Err(refusal @ (Refusal::Busy | Refusal::Broken)) => return Err(refusal),
        Err(reason) => {
            let event = call.event(Action::Introspection, Outcome::Refused).client(&caller);
            event.reason(&reason).write();
            None
        }
    };
    let Some((known, behind)) = &known else {
        return shown(call, &caller, &Answer::Inactive(introspection::INACTIVE)).await;
    };
    let (token, directory) = (&known.token, &call.tenancy.directory);
    let username = username(call, known, behind.as_deref());
    if !wants_jwt(call)
        && let Some(text) = introspection::active_text(token, known.written(), &caller, directory, username)
    {
        return Ok(respond::json_text(StatusCode::OK, text));
    }
    shown(call, &caller, &introspection::active(token, &caller, directory, username)).await
}

async fn shown(call: &Call, caller: &AuthenticatedClient, answer: &Answer<'_>) -> Result<Response, Refusal> {
    if wants_jwt(call) { signed(call, caller, answer).await } else { Ok(respond::json(StatusCode::OK, answer)) }
}

/// RFC 9701 4.
fn wants_jwt(call: &Call) -> bool {
    let accept = call.header(header::ACCEPT).unwrap_or_default();
    let types = accept.split(',').filter_map(|one| one.split(';').next()).map(str::trim);
    types.into_iter().any(|one| one.strip_prefix("application/") == Some(introspection::JWT_TYPE))
}

/// RFC 9701 5: the answer as a signed token, and encrypted where the caller is registered for that.
async fn signed(call: &Call, caller: &AuthenticatedClient, answer: &Answer<'_>) -> Result<Response, Refusal> {
    let client = &caller.get().metadata;
    let (alg, enc) = (client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc);
    let encryptor = issue::encryptor(call, client, alg, enc).await?;
    let (iss, aud, iat) = (&call.tenancy.issuer, caller.id(), call.now());
    let claims = introspection::Signed { iss, aud, iat, token_introspection: answer };
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    let algorithm = client.response_algorithm(client.introspection_signed_response_alg);
    let token = issue::sign(&call.tenancy, algorithm, introspection::JWT_TYPE, &payload)?;
    Ok(respond::token(introspection::JWT_TYPE, issue::nested(token, encryptor.as_ref())?))
}

/// A token that is good, and what stands behind it.
async fn active(
    call: &Call,
    caller: &AuthenticatedClient,
    token: &str,
) -> Result<(Arc<Known>, Option<Arc<Behind>>), Refusal> {
    let known = opened(call, token)?;
    if !introspection::may_introspect(&known.token, caller, &call.tenancy.directory) {
        return Err(Refusal::WrongAudience);
    }
    let behind = standing(call, &known, call.now()).await?;
    Ok((known, behind))
}

fn username<'a>(call: &Call, known: &Known, behind: Option<&'a Behind>) -> Option<&'a str> {
    let directory = &call.tenancy.directory;
    // A pairwise subject hides who it is from everybody.
    let hidden = || {
        let client = directory.client(&known.token.client);
        client.is_none_or(|client| client.metadata.subject_type == SubjectType::Pairwise)
    };
    behind.filter(|_| !hidden()).map(|behind| &*behind.username)
}
