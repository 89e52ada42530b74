//! The one table from what was wrong to what the wire says of it.

use std::fmt::{self, Write as _};

/// Exactly why something was refused: for logs, tests and the decision trace, never for the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is its own sentence; `Display` writes it out")]
pub enum Refusal {
    // The request itself.
    MalformedParameters,
    OversizedParameter,
    RepeatedParameter,
    MissingParameter(&'static str),
    MalformedParameter(&'static str),
    WrongContentType,
    // The client.
    UnknownClient,
    ClientDisabled,
    NoClientAuthentication,
    SeveralClientAuthentications,
    MalformedAuthorizationHeader,
    WrongClientAuthMethod,
    WrongClientSecret,
    UnknownAssertionType,
    MalformedClientAssertion,
    AssertionAlgorithmNotAllowed,
    AssertionKeyUnknown,
    AssertionSignatureWrong,
    AssertionIssuerMismatch,
    AssertionSubjectMismatch,
    AssertionAudienceMismatch,
    AssertionWithoutExpiry,
    AssertionExpired,
    AssertionNotYetValid,
    AssertionLivesTooLong,
    AssertionWithoutId,
    AssertionReplayed,
    ClientKeysUnavailable,
    NoClientCertificate,
    ClientCertificateMismatch,
    ClientCertificateUntrusted,
    NoFederatedCredentialFits,
    AuthMethodOutsideProfile,
    AssertionRefused,
    GrantTypeNotAllowed,
    UnsupportedGrantType,
    // The authorization request.
    RedirectUriMissing,
    RedirectUriMalformed,
    RedirectUriNotRegistered,
    UnsupportedResponseType,
    ResponseTypeNotAllowed,
    UnsupportedResponseMode,
    RegistrationNotSupported,
    PushedRequestRequired,
    MalformedRequestUri,
    RequestUriExpired,
    RequestUriSpent,
    RequestUriOfAnotherClient,
    RequestUriNotRegistered,
    RequestUriUnreachable,
    RequestUriAtPushedEndpoint,
    RequestAndRequestUri,
    RequestObjectRequired,
    MalformedRequestObject,
    RequestObjectAlgorithmNotAllowed,
    RequestObjectKeyUnknown,
    RequestObjectSignatureWrong,
    RequestObjectIssuerMismatch,
    RequestObjectAudienceMismatch,
    RequestObjectClientMismatch,
    RequestObjectExpired,
    RequestObjectNotYetValid,
    RequestObjectLivesTooLong,
    RequestObjectInsideRequestObject,
    SignedResponseRequired,
    PkceRequired,
    PkceMethodNotS256,
    MalformedCodeChallenge,
    PromptNoneWithOthers,
    MalformedIdTokenHint,
    LoginRequired,
    ConsentRequired,
    AccountSelectionRequired,
    UserMismatch,
    AuthenticationTooWeak,
    Denied,
    // Scopes and audiences.
    MalformedScope,
    NothingOfTheScopeIsAllowed,
    MalformedResource,
    UnknownResource,
    ResourceNotAllowed,
    AmbiguousScope,
    SeveralAudiences,
    ResourceNotGranted,
    ScopeNotGranted,
    MixedTokenProfiles,
    MalformedAuthorizationDetails,
    UnknownAuthorizationDetailsType,
    AuthorizationDetailsNotAllowed,
    AuthorizationDetailsNotGranted,
    // Whose key it is.
    SeveralDpopProofs,
    MalformedDpopProof,
    DpopAlgorithmNotAllowed,
    DpopProofHoldsPrivateKey,
    DpopSignatureWrong,
    DpopMethodMismatch,
    DpopUriMismatch,
    DpopTokenMismatch,
    DpopProofTooOld,
    DpopProofFromTheFuture,
    DpopProofReplayed,
    DpopNonceMissing,
    DpopNonceNotFresh,
    DpopProofRequired,
    CertificateRequired,
    SenderConstraintRequired,
    CodeBoundToAnotherKey,
    RefreshTokenBoundToAnotherKey,
    AccessTokenBoundToAnotherKey,
    BoundTokenAsBearer,
    UnboundTokenAsDpop,
    // The code and the refresh token.
    MalformedCode,
    CodeExpired,
    CodeOfAnotherClient,
    CodeSpent,
    RedirectUriMismatch,
    VerifierMissing,
    MalformedVerifier,
    VerifierMismatch,
    VerifierWithoutChallenge,
    MalformedRefreshToken,
    RefreshTokenOfAnotherClient,
    RefreshTokenReused,
    GrantUnknown,
    GrantExpired,
    GrantRevoked,
    UserDisabled,
    // The token desk.
    NotOnTheDesk,
    DeskIsFull,
    RightMissing,
    SharingOff,
    NotShareable,
    NotRenewable,
    ChangedMeanwhile,
    // The device code.
    MalformedDeviceCode,
    DeviceCodeExpired,
    DeviceCodeOfAnotherClient,
    DeviceCodeSpent,
    AuthorizationPending,
    PolledTooOften,
    // The access token.
    NoAccessToken,
    SeveralAccessTokens,
    MalformedAuthorization,
    MalformedAccessToken,
    AccessTokenExpired,
    AccessTokenRevoked,
    WrongAudience,
    BindingWanted,
    InsufficientScope,
    MissingRole,
    InsufficientAuthentication,
    // The proxy that asks for an API.
    ForwardAuthOff,
    NotATrustedProxy,
    UnknownApi,
    UnfulfillableRequirement,
    OriginalRequestUnknown,
    OriginalRequestAmbiguous,
    // The server.
    Busy,
    Broken,
}

/// `error` (RFC 6749 4.1.2.1, 5.2; RFC 6750 3.1; RFC 8628 3.5; RFC 8707 2; RFC 9101 7; RFC 9396 5; RFC 9449 5, 8; RFC 9470 3;
/// OpenID Connect Core 3.1.2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each variant is its registered name")]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    ServerError,
    TemporarilyUnavailable,
    LoginRequired,
    UnmetAuthenticationRequirements,
    ConsentRequired,
    AccountSelectionRequired,
    RegistrationNotSupported,
    InvalidRequestUri,
    InvalidRequestObject,
    InvalidAuthorizationDetails,
    InvalidDpopProof,
    UseDpopNonce,
    InvalidToken,
    InsufficientScope,
    InsufficientUserAuthentication,
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
}

impl Refusal {
    /// The HTTP status of a direct answer: that of the code, but for what is too large (RFC 9110 15.5.14).
    pub const fn status(&self) -> u16 {
        match self {
            Self::OversizedParameter => 413,
            other => other.code().status(),
        }
    }

    /// The one table.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::MalformedParameters
            | Self::OversizedParameter
            | Self::RepeatedParameter
            | Self::MissingParameter(_)
            | Self::MalformedParameter(_)
            | Self::WrongContentType
            | Self::SeveralClientAuthentications
            | Self::RedirectUriMissing
            | Self::RedirectUriMalformed
            | Self::RedirectUriNotRegistered
            | Self::UnsupportedResponseMode
            | Self::PkceRequired
            | Self::PkceMethodNotS256
            | Self::MalformedCodeChallenge
            | Self::PromptNoneWithOthers
            | Self::MalformedIdTokenHint
            | Self::NoAccessToken
            | Self::SeveralAccessTokens
            | Self::MalformedAuthorization
            | Self::VerifierMissing
            | Self::MalformedVerifier
            | Self::PushedRequestRequired
            | Self::RequestUriAtPushedEndpoint
            | Self::RequestAndRequestUri
            | Self::RequestObjectRequired
            | Self::SignedResponseRequired
            | Self::CertificateRequired
            | Self::SenderConstraintRequired => ErrorCode::InvalidRequest,
            Self::UnknownClient
            | Self::ClientDisabled
            | Self::NoClientAuthentication
            | Self::MalformedAuthorizationHeader
            | Self::WrongClientAuthMethod
            | Self::WrongClientSecret
            | Self::UnknownAssertionType
            | Self::MalformedClientAssertion
            | Self::AssertionAlgorithmNotAllowed
            | Self::AssertionKeyUnknown
            | Self::AssertionSignatureWrong
            | Self::AssertionIssuerMismatch
            | Self::AssertionSubjectMismatch
            | Self::AssertionAudienceMismatch
            | Self::AssertionWithoutExpiry
            | Self::AssertionExpired
            | Self::AssertionNotYetValid
            | Self::AssertionLivesTooLong
            | Self::AssertionWithoutId
            | Self::AssertionReplayed
            | Self::ClientKeysUnavailable
            | Self::NoClientCertificate
            | Self::ClientCertificateMismatch
            | Self::ClientCertificateUntrusted
            | Self::NoFederatedCredentialFits
            | Self::AuthMethodOutsideProfile => ErrorCode::InvalidClient,
            Self::GrantTypeNotAllowed | Self::ResponseTypeNotAllowed => ErrorCode::UnauthorizedClient,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::UnsupportedResponseType => ErrorCode::UnsupportedResponseType,
            Self::MalformedRequestUri
            | Self::RequestUriExpired
            | Self::RequestUriSpent
            | Self::RequestUriOfAnotherClient
            | Self::RequestUriNotRegistered
            | Self::RequestUriUnreachable => ErrorCode::InvalidRequestUri,
            Self::MalformedRequestObject
            | Self::RequestObjectAlgorithmNotAllowed
            | Self::RequestObjectKeyUnknown
            | Self::RequestObjectSignatureWrong
            | Self::RequestObjectIssuerMismatch
            | Self::RequestObjectAudienceMismatch
            | Self::RequestObjectClientMismatch
            | Self::RequestObjectExpired
            | Self::RequestObjectNotYetValid
            | Self::RequestObjectLivesTooLong
            | Self::RequestObjectInsideRequestObject => ErrorCode::InvalidRequestObject,
            Self::MalformedAuthorizationDetails
            | Self::UnknownAuthorizationDetailsType
            | Self::AuthorizationDetailsNotAllowed
            | Self::AuthorizationDetailsNotGranted => ErrorCode::InvalidAuthorizationDetails,
            Self::SeveralDpopProofs
            | Self::MalformedDpopProof
            | Self::DpopAlgorithmNotAllowed
            | Self::DpopProofHoldsPrivateKey
            | Self::DpopSignatureWrong
            | Self::DpopMethodMismatch
            | Self::DpopUriMismatch
            | Self::DpopTokenMismatch
            | Self::DpopProofTooOld
            | Self::DpopProofFromTheFuture
            | Self::DpopProofReplayed
            | Self::DpopProofRequired => ErrorCode::InvalidDpopProof,
            Self::DpopNonceMissing | Self::DpopNonceNotFresh => ErrorCode::UseDpopNonce,
            Self::RegistrationNotSupported => ErrorCode::RegistrationNotSupported,
            Self::LoginRequired | Self::UserMismatch => ErrorCode::LoginRequired,
            Self::AuthenticationTooWeak => ErrorCode::UnmetAuthenticationRequirements,
            Self::ConsentRequired => ErrorCode::ConsentRequired,
            Self::AccountSelectionRequired => ErrorCode::AccountSelectionRequired,
            Self::Denied
            | Self::ForwardAuthOff
            | Self::NotATrustedProxy
            | Self::NotOnTheDesk
            | Self::DeskIsFull
            | Self::RightMissing
            | Self::SharingOff
            | Self::NotShareable
            | Self::NotRenewable
            | Self::ChangedMeanwhile => ErrorCode::AccessDenied,
            Self::MalformedScope | Self::NothingOfTheScopeIsAllowed | Self::ScopeNotGranted => ErrorCode::InvalidScope,
            Self::MalformedResource
            | Self::UnknownResource
            | Self::ResourceNotAllowed
            | Self::AmbiguousScope
            | Self::SeveralAudiences
            | Self::ResourceNotGranted
            | Self::MixedTokenProfiles => ErrorCode::InvalidTarget,
            Self::MalformedCode
            | Self::CodeExpired
            | Self::CodeOfAnotherClient
            | Self::CodeSpent
            | Self::RedirectUriMismatch
            | Self::VerifierMismatch
            | Self::VerifierWithoutChallenge
            | Self::MalformedRefreshToken
            | Self::RefreshTokenOfAnotherClient
            | Self::RefreshTokenReused
            | Self::GrantUnknown
            | Self::GrantExpired
            | Self::GrantRevoked
            | Self::UserDisabled
            | Self::MalformedDeviceCode
            | Self::DeviceCodeOfAnotherClient
            | Self::DeviceCodeSpent
            | Self::AssertionRefused
            | Self::CodeBoundToAnotherKey
            | Self::RefreshTokenBoundToAnotherKey => ErrorCode::InvalidGrant,
            Self::MalformedAccessToken
            | Self::AccessTokenExpired
            | Self::AccessTokenRevoked
            | Self::WrongAudience
            | Self::BindingWanted
            | Self::AccessTokenBoundToAnotherKey
            | Self::BoundTokenAsBearer
            | Self::UnboundTokenAsDpop => ErrorCode::InvalidToken,
            Self::InsufficientScope | Self::MissingRole => ErrorCode::InsufficientScope,
            Self::InsufficientAuthentication => ErrorCode::InsufficientUserAuthentication,
            Self::AuthorizationPending => ErrorCode::AuthorizationPending,
            Self::PolledTooOften => ErrorCode::SlowDown,
            Self::DeviceCodeExpired => ErrorCode::ExpiredToken,
            Self::Busy => ErrorCode::TemporarilyUnavailable,
            Self::UnknownApi
            | Self::UnfulfillableRequirement
            | Self::OriginalRequestUnknown
            | Self::OriginalRequestAmbiguous
            | Self::Broken => ErrorCode::ServerError,
        }
    }
}

impl ErrorCode {
    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::UnmetAuthenticationRequirements => "unmet_authentication_requirements",
            Self::ConsentRequired => "consent_required",
            Self::AccountSelectionRequired => "account_selection_required",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::InvalidRequestUri => "invalid_request_uri",
            Self::InvalidRequestObject => "invalid_request_object",
            Self::InvalidAuthorizationDetails => "invalid_authorization_details",
            Self::InvalidDpopProof => "invalid_dpop_proof",
            Self::UseDpopNonce => "use_dpop_nonce",
            Self::InvalidToken => "invalid_token",
            Self::InsufficientScope => "insufficient_scope",
            Self::InsufficientUserAuthentication => "insufficient_user_authentication",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
        }
    }

    /// The HTTP status of a direct answer (RFC 6749 5.2, RFC 6750 3.1).
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken | Self::InsufficientUserAuthentication => 401,
            Self::InsufficientScope => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }

    /// `error_description`: constant for each code, so that it is no oracle.
    pub const fn description(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request misses a parameter, has one twice, or has one that is malformed.",
            Self::InvalidClient => "Client authentication failed.",
            Self::InvalidGrant => {
                "The code or refresh token is not valid, has expired, was used or revoked, or belongs elsewhere."
            }
            Self::UnauthorizedClient => "This client is not registered for this grant.",
            Self::UnsupportedGrantType => "This grant type is not offered here; see the metadata.",
            Self::UnsupportedResponseType => "This response type is not offered here; see the metadata.",
            Self::InvalidScope => "The scope is malformed, or nothing of it can be given to this client here.",
            Self::InvalidTarget => "Name one known API with `resource`; see RFC 8707.",
            Self::AccessDenied => "The request was denied.",
            Self::ServerError => "Something went wrong here. The request id helps to find out what.",
            Self::TemporarilyUnavailable => "The server is busy. Try again in a moment.",
            Self::LoginRequired => "The user must sign in.",
            Self::UnmetAuthenticationRequirements => "The user cannot sign in as strongly as was asked for.",
            Self::ConsentRequired => "The user must be asked.",
            Self::AccountSelectionRequired => "The user must choose an account.",
            Self::RegistrationNotSupported => "The registration parameter is not supported.",
            Self::InvalidRequestUri => "The request_uri is unknown, has expired, was used, or belongs elsewhere.",
            Self::InvalidRequestObject => "The request object is not valid here.",
            Self::InvalidAuthorizationDetails => {
                "The authorization_details are malformed, unknown, or more than can be given."
            }
            Self::InvalidDpopProof => "The DPoP proof is missing, or not valid for this request.",
            Self::UseDpopNonce => "The DPoP proof needs the nonce of the DPoP-Nonce header.",
            Self::InvalidToken => "The access token is not valid here, or not any more.",
            Self::InsufficientScope => "The access token does not allow this.",
            Self::InsufficientUserAuthentication => "The user must sign in again, or in another way.",
            Self::AuthorizationPending => "Nobody has allowed this yet. Ask again after the interval.",
            Self::SlowDown => "Ask less often: wait five seconds longer from now on.",
            Self::ExpiredToken => "The device code has expired or is not known. Ask for a new one.",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingParameter(name) => write!(f, "missing parameter {name}"),
            Self::MalformedParameter(name) => write!(f, "malformed parameter {name}"),
            // CamelCase to words: the names are the sentences.
            other => {
                for (position, letter) in format!("{other:?}").chars().enumerate() {
                    if letter.is_ascii_uppercase() && position > 0 {
                        f.write_str(" ")?;
                    }
                    f.write_char(letter.to_ascii_lowercase())?;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc6749_5_2_invalid_client_is_401_and_the_rest_400() {
        assert_eq!(Refusal::WrongClientSecret.code().status(), 401);
        assert_eq!(Refusal::CodeSpent.code().status(), 400);
        assert_eq!(Refusal::UnsupportedGrantType.code().status(), 400);
        assert_eq!(Refusal::Busy.code().status(), 503);
    }

    #[test]
    fn rfc6749_5_2_no_failure_of_client_authentication_says_which_part_was_wrong() {
        for refusal in [
            Refusal::UnknownClient,
            Refusal::WrongClientSecret,
            Refusal::ClientDisabled,
            Refusal::WrongClientAuthMethod,
        ] {
            assert_eq!(refusal.code(), ErrorCode::InvalidClient);
        }
    }

    #[test]
    fn rfc6749_5_2_descriptions_are_of_the_allowed_characters() {
        for code in
            [ErrorCode::InvalidRequest, ErrorCode::InvalidGrant, ErrorCode::InvalidTarget, ErrorCode::ServerError]
        {
            assert!(code.description().bytes().all(|b| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\'));
        }
    }

    #[test]
    fn a_refusal_reads_as_words() {
        assert_eq!(Refusal::CodeOfAnotherClient.to_string(), "code of another client");
        assert_eq!(Refusal::MissingParameter("code").to_string(), "missing parameter code");
    }
}
