//! What an API answers to a request that it refuses (RFC 6750 3, RFC 9449 7.1, RFC 9470 3, RFC 9728 5.1): the code, and a
//! challenge for each scheme that would do.

use super::{Requirement, Scheme};
use crate::directory::RequiredBinding;
use crate::error::{ErrorCode, Refusal};
use grantor_jose::SigningAlgorithm;
use std::fmt::Write as _;

/// What the wire says of a refusal at an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceError {
    /// Nothing but the challenge: the client did not know that a token is wanted (RFC 6750 3.1).
    None,
    /// RFC 6750 3.1.
    InvalidRequest,
    /// RFC 6750 3.1.
    InvalidToken,
    /// RFC 6750 3.1.
    InsufficientScope,
    /// RFC 9470 3.
    InsufficientUserAuthentication,
    /// RFC 9449 7.1.
    InvalidDpopProof,
    /// RFC 9449 9.
    UseDpopNonce,
    /// Not the client's fault: it may try again.
    Unavailable,
}

/// What an API has to say with every challenge.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// Its identifier.
    pub audience: &'a str,
    /// Where its metadata is (RFC 9728 5.1); without it the identifier is the realm.
    pub metadata_url: Option<&'a str>,
    /// What a proof may be signed with (RFC 9449 7.1).
    pub dpop_algorithms: &'a [SigningAlgorithm],
}

impl ResourceError {
    /// What is said at an API of a refusal of the authorization server.
    pub fn of(refusal: &Refusal) -> Self {
        if *refusal == Refusal::NoAccessToken {
            return Self::None;
        }
        match refusal.code() {
            ErrorCode::InvalidRequest => Self::InvalidRequest,
            ErrorCode::InvalidToken => Self::InvalidToken,
            ErrorCode::InsufficientScope => Self::InsufficientScope,
            ErrorCode::InsufficientUserAuthentication => Self::InsufficientUserAuthentication,
            ErrorCode::InvalidDpopProof => Self::InvalidDpopProof,
            ErrorCode::UseDpopNonce => Self::UseDpopNonce,
            // What is no matter of the caller's token is no matter of the caller's at all.
            ErrorCode::InvalidClient
            | ErrorCode::InvalidGrant
            | ErrorCode::UnauthorizedClient
            | ErrorCode::UnsupportedGrantType
            | ErrorCode::UnsupportedResponseType
            | ErrorCode::InvalidScope
            | ErrorCode::InvalidTarget
            | ErrorCode::AccessDenied
            | ErrorCode::ServerError
            | ErrorCode::TemporarilyUnavailable
            | ErrorCode::LoginRequired
            | ErrorCode::UnmetAuthenticationRequirements
            | ErrorCode::ConsentRequired
            | ErrorCode::AccountSelectionRequired
            | ErrorCode::RegistrationNotSupported
            | ErrorCode::InvalidRequestUri
            | ErrorCode::InvalidRequestObject
            | ErrorCode::InvalidAuthorizationDetails
            | ErrorCode::AuthorizationPending
            | ErrorCode::SlowDown
            | ErrorCode::ExpiredToken => Self::Unavailable,
        }
    }

    /// `error`; none where a challenge bears none.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None | Self::Unavailable => None,
            Self::InvalidRequest => Some("invalid_request"),
            Self::InvalidToken => Some("invalid_token"),
            Self::InsufficientScope => Some("insufficient_scope"),
            Self::InsufficientUserAuthentication => Some("insufficient_user_authentication"),
            Self::InvalidDpopProof => Some("invalid_dpop_proof"),
            Self::UseDpopNonce => Some("use_dpop_nonce"),
        }
    }

    /// `error_description`: the same for every refusal behind the code, so that it is no oracle.
    pub const fn description(self) -> &'static str {
        match self {
            Self::None => "",
            Self::InvalidRequest => "The request carries its access token in a way that is not allowed.",
            Self::InvalidToken => "The access token is not valid here, or not any more.",
            Self::InsufficientScope => "The access token does not allow this.",
            Self::InsufficientUserAuthentication => "The user must sign in again, or in another way.",
            Self::InvalidDpopProof => "The DPoP proof is missing, or not valid for this request.",
            Self::UseDpopNonce => "The DPoP proof needs the nonce of the DPoP-Nonce header.",
            Self::Unavailable => "The access token cannot be checked now.",
        }
    }

    /// The HTTP status of the answer (RFC 6750 3.1, RFC 9470 3, RFC 9449 7.1).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::InsufficientScope => 403,
            Self::Unavailable => 503,
            Self::None
            | Self::InvalidToken
            | Self::InsufficientUserAuthentication
            | Self::InvalidDpopProof
            | Self::UseDpopNonce => 401,
        }
    }
}

/// The values of `WWW-Authenticate`: one for each scheme that would do, and none for what is not the client's fault.
/// `used` is the scheme of the request: its challenge says what was wrong, the others only that they would do.
pub fn challenges(
    error: ResourceError,
    voice: &Voice<'_>,
    requirement: &Requirement,
    used: Option<Scheme>,
) -> Vec<String> {
    if error == ResourceError::Unavailable {
        return Vec::new();
    }
    let offered: &[Scheme] = match requirement.binding() {
        RequiredBinding::None | RequiredBinding::Any => &[Scheme::Bearer, Scheme::Dpop],
        RequiredBinding::Dpop => &[Scheme::Dpop],
        // RFC 8705 3: a token that is bound to a certificate is sent as a bearer token.
        RequiredBinding::Mtls => &[Scheme::Bearer],
    };
    let spoken_to = used.filter(|used| offered.contains(used)).or(offered.first().copied());
    let said = |offer: Scheme| if Some(offer) == spoken_to { error } else { ResourceError::None };
    offered.iter().map(|&offer| challenge(offer, said(offer), voice, requirement)).collect()
}

/// RFC 9110 11.6.1: a scheme and at least one parameter.
fn challenge(scheme: Scheme, error: ResourceError, voice: &Voice<'_>, requirement: &Requirement) -> String {
    let mut challenge = Challenge { text: scheme.as_str().to_owned(), separator: " " };
    if let Some(code) = error.as_str() {
        challenge.param("error", code);
        challenge.param("error_description", error.description());
    }
    let scope = requirement.sufficient_scope();
    if !scope.is_empty() {
        challenge.param("scope", &scope.to_string());
    }
    if error == ResourceError::InsufficientUserAuthentication {
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

#[cfg(test)]
#[path = "challenge_tests.rs"]
mod tests;
