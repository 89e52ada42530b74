//! `Verified` as an argument of axum's handlers.

use crate::Verified;
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::StatusCode;
use http::request::Parts;

/// Only behind [`crate::RequireToken`]. A handler that has none in front of it answers 500 and says so in the log: it would
/// be open otherwise.
impl<S: Sync> FromRequestParts<S> for Verified {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler wants the claims of a token, but no layer checks one in front of it");
            StatusCode::INTERNAL_SERVER_ERROR
        })
    }
}

/// For handlers that stand behind the layer on some routes only.
impl<S: Sync> OptionalFromRequestParts<S> for Verified {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
