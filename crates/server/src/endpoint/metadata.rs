//! Metadata (RFC 8414, OpenID Connect Discovery) and keys (RFC 7517 5): made once for each version of the directory.

use crate::extract::Call;
use crate::keyring::JWKS_MAX_AGE;
use crate::respond;
use crate::tenancy::Ready;
use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, header};

/// `GET /.well-known/...`.
pub(crate) async fn document(call: Call) -> Response {
    publish(&call, "application/json", |ready| ready.metadata.clone())
}

/// `GET /jwks`.
pub(crate) async fn jwks(call: Call) -> Response {
    publish(&call, "application/jwk-set+json", |ready| ready.jwks.clone())
}

fn publish(call: &Call, content_type: &'static str, body: impl Fn(&Ready) -> Vec<u8>) -> Response {
    let response = match call.tenancy.ready() {
        Err(refusal) => respond::oauth_error(&refusal, false),
        Ok(ready) => {
            let mut response = Response::new(Body::from(body(ready)));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            let age = format!("public, max-age={}", JWKS_MAX_AGE.get());
            if let Ok(age) = HeaderValue::from_str(&age) {
                headers.insert(header::CACHE_CONTROL, age);
            }
            response
        }
    };
    respond::readable_by_all(response)
}
