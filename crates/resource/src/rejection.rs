//! A refusal as HTTP (RFC 6750 3, RFC 9449 7.1, RFC 9470 3, RFC 9728 5.1).

use crate::credential::Scheme;
use crate::refusal::ErrorCode;
use crate::{Refusal, Requirement};
use grantor_jose::SigningAlgorithm;
use grantor_protocol::directory::RequiredBinding;
use http::header::{HeaderName, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use std::fmt::Write as _;

/// A request that was refused, and how to answer it. The reason is for the log; of it the answer says no more than the
/// fixed text of its code.
#[derive(Clone, Debug)]
pub struct Rejection {
    refusal: Refusal,
    headers: Box<HeaderMap>,
}

/// What an API has to say with every challenge.
#[derive(Clone, Copy)]
pub(crate) struct Voice<'a> {
    pub(crate) audience: &'a str,
    pub(crate) metadata_url: Option<&'a str>,
    pub(crate) dpop_algorithms: &'a [SigningAlgorithm],
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
        let offered: &[Scheme] = match requirement.binding() {
            RequiredBinding::None | RequiredBinding::Any => &[Scheme::Bearer, Scheme::Dpop],
            RequiredBinding::Dpop => &[Scheme::Dpop],
            // RFC 8705 3: a token that is bound to a certificate is sent as a bearer token.
            RequiredBinding::Mtls => &[Scheme::Bearer],
        };
        // The challenge of the scheme that was used says what was wrong; the others only that they would do.
        let spoken_to = scheme.filter(|used| offered.contains(used)).or(offered.first().copied());
        for &offer in offered {
            let error = if Some(offer) == spoken_to { code } else { ErrorCode::None };
            if let Ok(challenge) = HeaderValue::try_from(challenge(offer, error, voice, requirement)) {
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
    pub const fn status(&self) -> StatusCode {
        self.code().status()
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

/// RFC 9110 11.6.1: a scheme and at least one parameter.
fn challenge(scheme: Scheme, code: ErrorCode, voice: &Voice<'_>, requirement: &Requirement) -> String {
    let mut challenge = Challenge { text: scheme.as_str().to_owned(), separator: " " };
    if let Some(error) = code.as_str() {
        challenge.param("error", error);
        challenge.param("error_description", code.description());
    }
    let scope = requirement.sufficient_scope();
    if !scope.is_empty() {
        challenge.param("scope", &scope.to_string());
    }
    if code == ErrorCode::InsufficientUserAuthentication {
        let (acr_values, max_age) = requirement.sign_in();
        if let Some(values) = acr_values {
            challenge.param("acr_values", &values);
        }
        if let Some(age) = max_age {
            challenge.param("max_age", &age.to_string());
        }
    }
    match voice.metadata_url {
        Some(url) => challenge.param("resource_metadata", url),
        None => challenge.param("realm", voice.audience),
    }
    if scheme == Scheme::Dpop {
        let names: Vec<_> = voice.dpop_algorithms.iter().map(|algorithm| algorithm.as_str()).collect();
        challenge.param("algs", &names.join(" "));
    }
    challenge.text
}

struct Challenge {
    text: String,
    separator: &'static str,
}

impl Challenge {
    /// A quoted string (RFC 9110 5.6.4). What cannot stand in one is left out: it comes from the API's own settings.
    fn param(&mut self, name: &str, value: &str) {
        let value: String = value.chars().filter(|c| (' '..='~').contains(c) && !"\"\\".contains(*c)).collect();
        let _ = write!(self.text, "{}{name}=\"{value}\"", self.separator);
        self.separator = ", ";
    }
}

/// RFC 9449 8.
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

#[cfg(test)]
#[path = "rejection_tests.rs"]
mod tests;
