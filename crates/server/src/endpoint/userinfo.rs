//! The userinfo endpoint (OpenID Connect Core 5.3), by GET and POST.

use crate::extract::Call;
use crate::issue;
use crate::respond;
use crate::token::{open_access_token, presented, standing};
use axum::body::Body;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::token::{AccessToken, TokenSubject};
use grantor_protocol::userinfo;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

/// `GET /userinfo`, `POST /userinfo`.
pub(crate) async fn handle(call: Call) -> Response {
    let response = match answer(&call).await {
        Ok(response) => response,
        Err(refusal) => {
            tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "userinfo refused");
            respond::bearer_error(&refusal, (refusal == Refusal::InsufficientScope).then_some("openid"))
        }
    };
    respond::readable_by_all(response)
}

async fn answer(call: &Call) -> Result<Response, Refusal> {
    let token = presented(call)?;
    let token = open_access_token(&call.tenancy, token.expose())?;
    let standing = standing(call, &token, call.now()).await?;
    userinfo::admit(&token, &call.tenancy.issuer)?;
    let (Some((grant, user)), TokenSubject::User(_)) = (standing, &token.subject) else {
        return Err(Refusal::WrongAudience);
    };
    let claims = userinfo::claims(&token, &user.claims, &grant.terms.claims);
    write(call, &token, claims)
}

/// JSON, or a signed JWT for a client that is registered for it (5.3.2).
fn write(call: &Call, token: &AccessToken, mut claims: Map<String, Value>) -> Result<Response, Refusal> {
    let client = call.tenancy.directory.client(&token.client).ok_or(Refusal::AccessTokenRevoked)?;
    let Some(algorithm) = client.metadata.userinfo_signed_response_alg else {
        return Ok(respond::json(StatusCode::OK, &claims));
    };
    claims.insert("iss".to_owned(), json!(call.tenancy.issuer));
    claims.insert("aud".to_owned(), json!(token.client));
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    let signed = issue::sign(&call.tenancy, algorithm, "userinfo+jwt", &payload)?;
    let mut response = Response::new(Body::from(signed));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwt"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
