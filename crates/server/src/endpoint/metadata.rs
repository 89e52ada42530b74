//! Metadata (RFC 8414, OpenID Connect Discovery) and keys (RFC 7517 5): made once for each version of the directory.

use crate::extract::Call;
use crate::keyring::JWKS_MAX_AGE;
use crate::respond;
use crate::tenancy::{Ready, Tenancy};
use axum::body::{Body, Bytes};
use axum::response::Response;
use http::{HeaderValue, header};
use std::sync::LazyLock;

/// RFC 8414 3.
pub(crate) const OAUTH: &str = "/.well-known/oauth-authorization-server";
/// OpenID Connect Discovery 4.
pub(crate) const OPENID: &str = "/.well-known/openid-configuration";

/// Verifiers may keep both for so long.
static MAX_AGE: LazyLock<HeaderValue> = LazyLock::new(|| {
    let age = format!("public, max-age={}", JWKS_MAX_AGE.get());
    HeaderValue::from_str(&age).unwrap_or(HeaderValue::from_static("no-cache"))
});

/// `GET /.well-known/...`.
pub(crate) async fn document(call: Call) -> Response {
    of(&call.tenancy)
}

/// `GET /jwks`.
pub(crate) async fn jwks(call: Call) -> Response {
    jwks_of(&call.tenancy)
}

/// The metadata of a tenant.
pub(crate) fn of(tenancy: &Tenancy) -> Response {
    publish(tenancy, "application/json", |ready| ready.metadata.clone())
}

/// The public keys of a tenant.
pub(crate) fn jwks_of(tenancy: &Tenancy) -> Response {
    publish(tenancy, "application/jwk-set+json", |ready| ready.jwks.clone())
}

fn publish(tenancy: &Tenancy, content_type: &'static str, body: impl Fn(&Ready) -> Bytes) -> Response {
    match tenancy.ready() {
        Err(refusal) => respond::readable_by_all(respond::oauth_error(&refusal, false)),
        Ok(ready) => as_published(content_type, body(ready)),
    }
}

/// What everybody may read and keep for a while.
pub(super) fn as_published(content_type: &'static str, body: Bytes) -> Response {
    let mut response = respond::with_room(Body::from(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, MAX_AGE.clone());
    respond::readable_by_all(response)
}
