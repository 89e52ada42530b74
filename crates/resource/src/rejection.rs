//! A refusal as HTTP (RFC 6750 3, RFC 9449 7.1, RFC 9470 3, RFC 9728 5.1).

use crate::{ErrorCode, Refusal, Requirement};
use grantor_protocol::protected_resource::{Scheme, Voice, challenges};
use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

/// A request that was refused, and how to answer it. The reason is for the log; of it the answer says no more than the
/// fixed text of its code.
#[derive(Clone, Debug)]
pub struct Rejection {
    refusal: Refusal,
    headers: Box<HeaderMap>,
}

impl Rejection {
    /// `scheme` is the one that the request used, `nonce` a fresh one where nonces are wanted.
    pub(crate) fn new(
        refusal: Refusal,
        voice: &Voice<'_>,
        requirement: &Requirement,
        scheme: Option<Scheme>,
        nonce: Option<String>,
    ) -> Self {
        let code = refusal.code();
        let mut headers = HeaderMap::new();
        if code == ErrorCode::Unavailable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            return Self { refusal, headers: Box::new(headers) };
        }
        for challenge in challenges(code, voice, requirement, scheme) {
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                headers.append(WWW_AUTHENTICATE, challenge);
            }
        }
        if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            headers.insert(DPOP_NONCE, nonce);
        }
        Self { refusal, headers: Box::new(headers) }
    }

    /// Why, for the log.
    pub const fn refusal(&self) -> &Refusal {
        &self.refusal
    }

    /// What the answer says.
    pub const fn code(&self) -> ErrorCode {
        self.refusal.code()
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code().status()).unwrap_or(StatusCode::UNAUTHORIZED)
    }

    /// The headers of the answer: `WWW-Authenticate` once for each scheme that would do, `DPoP-Nonce`, `Retry-After`.
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The answer, with an empty body: all of it is in the head.
    pub fn into_response<B: Default>(self) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = self.status();
        *response.headers_mut() = *self.headers;
        response
    }
}

/// RFC 9449 8.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

#[cfg(test)]
#[path = "rejection_tests.rs"]
mod tests;
