//! Status lists as they are fetched (Token Status List 8).

use crate::extract::Call;
use crate::respond;
use crate::status_lists::published;
use axum::body::Body;
use axum::response::Response;
use grantor_jose::SigningAlgorithm;
use grantor_protocol::metadata::path;
use grantor_protocol::status_list::{MEDIA_TYPE, parse_name};
use http::{HeaderValue, StatusCode, header};

/// The address of a list below that of its tenant.
pub(crate) const LIST: &str = "/status-lists/{algorithm}/{list}";

/// A cache in between may keep a list for less than whoever follows it.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=1");

/// `GET /status-lists/{algorithm}/{list}`.
pub(crate) async fn handle(call: Call) -> Response {
    respond::readable_by_all(answer(&call).await)
}

async fn answer(call: &Call) -> Response {
    let name = call.path.strip_prefix(path::STATUS_LISTS).and_then(|rest| rest.strip_prefix('/'));
    let name = name.and_then(|rest| rest.split_once('/'));
    let name = name.and_then(|(algorithm, list)| Some((SigningAlgorithm::parse(algorithm)?, parse_name(list)?)));
    let Some((algorithm, list)) = name else { return respond::status(StatusCode::NOT_FOUND) };
    // 8.4: what was is not kept.
    if call.query_params().is_ok_and(|params| params.get("time").is_some()) {
        return respond::status(StatusCode::NOT_IMPLEMENTED);
    }
    match published(call, algorithm, list).await {
        Err(refusal) => respond::oauth_error(&refusal, false),
        Ok(None) => respond::status(StatusCode::NOT_FOUND),
        Ok(Some(list)) => {
            let known = call.header(header::IF_NONE_MATCH) == Some(&*list.etag);
            let mut response = if known {
                respond::status(StatusCode::NOT_MODIFIED)
            } else {
                respond::with_room(Body::from(list.token))
            };
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
            headers.insert(header::CACHE_CONTROL, MAX_AGE);
            if let Ok(etag) = HeaderValue::from_str(&list.etag) {
                headers.insert(header::ETAG, etag);
            }
            response
        }
    }
}
