//! The introspection endpoint (RFC 7662).

use crate::extract::Call;
use crate::respond;
use crate::token::{authenticate, open_access_token, standing};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::client::{AuthenticatedClient, SubjectType};
use grantor_protocol::introspection;
use http::{StatusCode, header};
use serde_json::{Map, Value};

/// `POST /introspect`.
pub(crate) async fn handle(call: Call) -> Response {
    match answer(&call).await {
        Ok(claims) => respond::json(StatusCode::OK, &claims),
        Err(refusal) => {
            call.event(Action::Introspection, Outcome::Refused).reason(&refusal).write();
            respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION))
        }
    }
}

async fn answer(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let params = call.strict_form()?;
    let caller = authenticate(call, &params).await?;
    // RFC 7662 2.1: the caller must prove who it is.
    if !caller.get().metadata.is_confidential() {
        return Err(Refusal::WrongClientAuthMethod);
    }
    let token = params.get("token").ok_or(Refusal::MissingParameter("token"))?;
    match active(call, &caller, token).await {
        Ok(claims) => Ok(claims),
        Err(refusal @ (Refusal::Busy | Refusal::Broken)) => Err(refusal),
        Err(reason) => {
            let event = call.event(Action::Introspection, Outcome::Refused).actor(caller.id());
            event.reason(&reason).write();
            Ok(introspection::inactive())
        }
    }
}

async fn active(call: &Call, caller: &AuthenticatedClient, token: &str) -> Result<Map<String, Value>, Refusal> {
    let token = open_access_token(&call.tenancy, token)?;
    if !introspection::may_introspect(&token, caller, &call.tenancy.directory) {
        return Err(Refusal::WrongAudience);
    }
    let standing = standing(call, &token, call.now()).await?;
    // A pairwise subject hides who it is from everybody.
    let client = call.tenancy.directory.client(&token.client);
    let pairwise = client.is_none_or(|client| client.metadata.subject_type == SubjectType::Pairwise);
    let username = standing.filter(|_| !pairwise).map(|(_, user)| user.username);
    Ok(introspection::active(&token, username.as_deref()))
}
