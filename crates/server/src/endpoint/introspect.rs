//! The introspection endpoint (RFC 7662).

use crate::client_auth::authenticate;
use crate::extract::Call;
use crate::token::{open_access_token, standing};
use crate::{issue, respond};
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
    let claims = match active(call, &caller, token).await {
        Ok(claims) => claims,
        Err(refusal @ (Refusal::Busy | Refusal::Broken)) => return Err(refusal),
        Err(reason) => {
            let event = call.event(Action::Introspection, Outcome::Refused).client(&caller);
            event.reason(&reason).write();
            introspection::inactive()
        }
    };
    if wants_jwt(call) { signed(call, &caller, claims).await } else { Ok(respond::json(StatusCode::OK, &claims)) }
}

/// RFC 9701 4.
fn wants_jwt(call: &Call) -> bool {
    let accept = call.header(header::ACCEPT.as_str()).unwrap_or_default();
    let types = accept.split(',').filter_map(|one| one.split(';').next()).map(str::trim);
    types.into_iter().any(|one| one.strip_prefix("application/") == Some(introspection::JWT_TYPE))
}

/// RFC 9701 5: the answer as a signed token, and encrypted where the caller is registered for that.
async fn signed(call: &Call, caller: &AuthenticatedClient, answer: Map<String, Value>) -> Result<Response, Refusal> {
    let client = &caller.get().metadata;
    let (alg, enc) = (client.introspection_encrypted_response_alg, client.introspection_encrypted_response_enc);
    let encryptor = issue::encryptor(call, client, alg, enc).await?;
    let claims = introspection::signed(answer, &call.tenancy.issuer, caller.id(), call.now());
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    let algorithm = client.response_algorithm(client.introspection_signed_response_alg);
    let token = issue::sign(&call.tenancy, algorithm, introspection::JWT_TYPE, &payload)?;
    Ok(respond::token(introspection::JWT_TYPE, issue::nested(token, encryptor.as_ref())?))
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
    Ok(introspection::active(&token, caller, &call.tenancy.directory, username.as_deref()))
}
