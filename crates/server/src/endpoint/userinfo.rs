//! The userinfo endpoint (OpenID Connect Core 5.3), by GET and POST.

use crate::client_document;
use crate::extract::Call;
use crate::issue;
use crate::token::{admitted, standing};
use crate::{proof, respond};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::token::{AccessToken, TokenSubject};
use grantor_protocol::userinfo;
use http::StatusCode;
use serde_json::{Map, Value, json};

/// `GET /userinfo`, `POST /userinfo`.
pub(crate) async fn handle(call: &Call) -> Response {
    let response = match answer(call).await {
        Ok(response) => response,
        Err(refusal) => {
            tracing::info!(request_id = %call.meta.request_id, reason = %refusal, "userinfo refused");
            respond::resource_error(call, &refusal, (refusal == Refusal::InsufficientScope).then_some("openid"), None)
        }
    };
    respond::readable_by_all(proof::with_nonce(call, response))
}

async fn answer(call: &Call) -> Result<Response, Refusal> {
    let known = admitted(call).await?;
    let token = &known.token;
    let behind = standing(call, &known, call.now()).await?;
    userinfo::admit(token, &call.tenancy.issuer)?;
    let (Some(behind), TokenSubject::User(_)) = (behind, &token.subject) else {
        return Err(Refusal::WrongAudience);
    };
    let claims = behind.userinfo.as_deref().ok_or(Refusal::WrongAudience)?;
    write(call, token, claims).await
}

/// JSON, or a JWT, signed or signed and encrypted, for a client that is registered for it (5.3.2).
async fn write(call: &Call, token: &AccessToken, claims: &str) -> Result<Response, Refusal> {
    client_document::look_up(call, Some(token.client.as_str())).await?;
    let client = call.tenancy.directory.client(&token.client).ok_or(Refusal::AccessTokenRevoked)?;
    let metadata = &client.metadata;
    let (alg, enc) = (metadata.userinfo_encrypted_response_alg, metadata.userinfo_encrypted_response_enc);
    let encryptor = issue::encryptor(call, metadata, alg, enc).await?;
    if metadata.userinfo_signed_response_alg.is_none() && encryptor.is_none() {
        return Ok(respond::json_text(StatusCode::OK, claims.into()));
    }
    let mut claims: Map<String, Value> = serde_json::from_str(claims).map_err(|_| Refusal::Broken)?;
    let algorithm = metadata.response_algorithm(metadata.userinfo_signed_response_alg);
    claims.insert("iss".to_owned(), json!(call.tenancy.issuer));
    claims.insert("aud".to_owned(), json!(token.client));
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    let signed = issue::sign(&call.tenancy, algorithm, "userinfo+jwt", &payload)?;
    Ok(respond::token("jwt", issue::nested(signed, encryptor.as_ref())?))
}
