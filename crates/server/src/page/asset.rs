//! Styles, pictures and modules.

use crate::extract::Call;
use crate::respond;
use axum::body::Body;
use axum::response::Response;
use grantor_web::Asset;
use http::{HeaderValue, StatusCode, header};

/// `GET /assets/{path}`.
pub(crate) async fn get(call: Call) -> Response {
    let (path, version) = Asset::asked(call.path.strip_prefix("/assets/").unwrap_or_default(), &call.query);
    let Some(asset) = call.context.pages.asset(path) else {
        return respond::status(StatusCode::NOT_FOUND);
    };
    let unchanged = call.header(header::IF_NONE_MATCH) == Some(asset.etag.as_str());
    let mut response = if unchanged {
        respond::status(StatusCode::NOT_MODIFIED)
    } else {
        Response::new(Body::from(asset.bytes.to_vec()))
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(asset.cache_control(version)));
    if let Ok(etag) = HeaderValue::from_str(&asset.etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}
