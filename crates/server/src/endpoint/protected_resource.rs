//! What an API says of itself (RFC 9728), for APIs that leave it to the server which holds their declaration.

use super::metadata::as_published;
use crate::extract::Call;
use crate::respond;
use crate::tenancy::Tenancy;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::protected_resource::ProtectedResource;
use grantor_protocol::value::Resource;
use http::StatusCode;

/// `GET /protected-resource?resource=AUDIENCE`: for `resource_metadata` in the challenges of an API anywhere (RFC 9728 5.1),
/// and for a proxy that answers at the API's own well-known address.
pub(crate) async fn handle(call: Call) -> Response {
    let named = call.query_params().and_then(|params| {
        let raw = params.get("resource").ok_or(Refusal::MissingParameter("resource"))?;
        Resource::parse(raw).ok_or(Refusal::MalformedResource)
    });
    match named {
        Ok(audience) => of(&call.tenancy, &audience),
        Err(refusal) => respond::readable_by_all(respond::oauth_error(&refusal, false)),
    }
}

/// The document of an API of this tenant (RFC 9728 3.2).
pub(crate) fn of(tenancy: &Tenancy, audience: &Resource) -> Response {
    let Some(api) = tenancy.directory.api(audience) else { return respond::status(StatusCode::NOT_FOUND) };
    let document = ProtectedResource::of(api, &tenancy.issuer, &tenancy.directory);
    match serde_json::to_vec(&document) {
        Ok(text) => as_published("application/json", text.into()),
        Err(_) => respond::oauth_error(&Refusal::Broken, false),
    }
}
