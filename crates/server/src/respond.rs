//! Answers. One function writes an OAuth error to HTTP.

use crate::extract::Call;
use axum::body::Body;
use axum::response::Response;
use grantor_jose::SigningAlgorithm;
use grantor_protocol::authorize::AuthorizationResponse;
use grantor_protocol::protected_resource::well_known;
use grantor_protocol::{ErrorCode, Refusal};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

/// JSON that nobody may keep (RFC 6749 5.1).
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(USUAL_BODY);
    if serde_json::to_writer(&mut text, body).is_err() {
        text.clear();
    }
    json_text(status, text)
}

/// The same of a text that is JSON already.
pub(crate) fn json_text(status: StatusCode, text: Vec<u8>) -> Response {
    let mut response = with_room(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// An answer with room for the headers that it will get.
pub(crate) fn with_room(body: Body) -> Response {
    let mut response = Response::new(body);
    *response.headers_mut() = HeaderMap::with_capacity(USUAL_HEADERS);
    response
}

/// What most answers of an endpoint stay below: bytes, and headers with those of the connection.
const USUAL_BODY: usize = 1024;
const USUAL_HEADERS: usize = 12;

/// A signed token as the whole answer, which nobody may keep; its type is below `application/`.
pub(crate) fn token(kind: &str, token: String) -> Response {
    let mut response = Response::new(Body::from(token));
    if let Ok(kind) = HeaderValue::from_str(&format!("application/{kind}")) {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The one function that writes an OAuth error of a direct answer (RFC 6749 5.2). `challenge` is the scheme that the client
/// tried in `Authorization`, if it did.
pub(crate) fn oauth_error(refusal: &Refusal, used_authorization_header: bool) -> Response {
    let code = refusal.code();
    let mut response = json(status_of(refusal), &error_body(code));
    if code == ErrorCode::InvalidClient && used_authorization_header {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="grantor""#));
    }
    retry_later(code, &mut response);
    // For the figures.
    response.extensions_mut().insert(code);
    response
}

/// An error of a resource (RFC 6750 3, RFC 9449 7.1): a challenge for each scheme, the error in the one that was tried.
/// Without a token only the schemes are named.
/// `audience` is the API's, whose metadata every challenge names (RFC 9728 5.1).
pub(crate) fn resource_error(call: &Call, refusal: &Refusal, scope: Option<&str>, audience: Option<&str>) -> Response {
    let code = refusal.code();
    let nothing = *refusal == Refusal::NoAccessToken;
    // RFC 9449 7.1: both of DPoP's own errors are 401 at a resource.
    let of_dpop = matches!(code, ErrorCode::UseDpopNonce | ErrorCode::InvalidDpopProof);
    let status = if nothing || of_dpop { StatusCode::UNAUTHORIZED } else { status_of(refusal) };
    let mut response = json(status, &error_body(code));
    if status.is_client_error() {
        let tried_dpop = of_dpop || *refusal == Refusal::BoundTokenAsBearer;
        let said = format!(r#", error="{}", error_description="{}""#, code.as_str(), code.description());
        let scope = scope.map(|scope| format!(r#", scope="{scope}""#)).unwrap_or_default();
        let error = |here: bool| if nothing || !here { String::new() } else { format!("{said}{scope}") };
        let profiles = &call.tenancy.directory.tenant.profiles;
        let offered =
            |algorithm: &&SigningAlgorithm| profiles.iter().any(|profile| profile.allows_algorithm(**algorithm));
        let algorithms = SigningAlgorithm::ALL.iter().filter(offered).map(|algorithm| algorithm.as_str());
        let algorithms = algorithms.collect::<Vec<_>>().join(" ");
        let metadata = audience.and_then(well_known).map(|(url, _)| format!(r#", resource_metadata="{url}""#));
        let metadata = metadata.unwrap_or_default();
        for challenge in [
            format!(r#"Bearer realm="grantor"{metadata}{}"#, error(!tried_dpop)),
            format!(r#"DPoP realm="grantor", algs="{algorithms}"{metadata}{}"#, error(tried_dpop)),
        ] {
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
            }
        }
    }
    retry_later(code, &mut response);
    // For the figures.
    response.extensions_mut().insert(code);
    response
}

/// An authorization response in the query (RFC 6749 4.1.2); 303, so that a POST is not repeated (RFC 9700 4.12).
pub(crate) fn authorization_redirect(answer: &AuthorizationResponse) -> Option<Response> {
    (!answer.mode.is_posted()).then(|| see_other(&answer.location()))
}

/// 303 See Other.
pub(crate) fn see_other(location: &str) -> Response {
    let mut response = status(StatusCode::SEE_OTHER);
    match HeaderValue::from_str(location) {
        Ok(location) => {
            response.headers_mut().insert(header::LOCATION, location);
        }
        Err(_) => *response.status_mut() = StatusCode::BAD_REQUEST,
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// A bare status.
pub(crate) fn status(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// 413, at once.
pub(crate) fn too_large() -> Response {
    let mut response = json(StatusCode::PAYLOAD_TOO_LARGE, &error_body(ErrorCode::InvalidRequest));
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Lets pages of any origin read the answer: it depends on no cookie.
pub(crate) fn readable_by_all(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("WWW-Authenticate, X-Request-Id, DPoP-Nonce"),
    );
    response
}

fn status_of(refusal: &Refusal) -> StatusCode {
    StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST)
}

/// RFC 6749 5.2.
#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
    error_description: &'static str,
}

fn error_body(code: ErrorCode) -> ErrorBody {
    ErrorBody { error: code.as_str(), error_description: code.description() }
}

fn retry_later(code: ErrorCode, response: &mut Response) {
    if code == ErrorCode::TemporarilyUnavailable {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
}
