//! The one table from what was wrong to what the wire says of it.

use grantor_fetch::FetchError;
use grantor_jose::jws::Malformed;
use grantor_protocol::directory::RequiredBinding;
use grantor_protocol::protected_resource::{NoCredential, ResourceError as ErrorCode, Shortfall};

/// Exactly why a request was refused: for the log and for tests, never for the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request has no access token.
    #[error("no access token")]
    NoToken,
    /// `Authorization` is of a scheme that carries no access token.
    #[error("the Authorization header is of another scheme than Bearer and DPoP")]
    OtherScheme,
    /// More than one way of sending a token was used, or one more than once (RFC 6750 2).
    #[error("more than one access token")]
    SeveralTokens,
    /// The header is not a scheme, one space, and a token68 (RFC 6750 2.1).
    #[error("the Authorization header is malformed")]
    MalformedHeader,
    /// A token in a form body where that is not switched on, or in a form that may not carry one (RFC 6750 2.2).
    #[error("an access token in a form body that may not carry one")]
    UnexpectedForm,
    /// The token exceeds [`crate::MAX_TOKEN`].
    #[error("the access token is too long")]
    TooLong,
    /// It is no JWT, and there is nobody to ask what it is.
    #[error("the access token is no JWT ({0}), and no introspection is set up")]
    NotAJwt(Malformed),
    /// A JWT that must not be read: an unknown `alg`, any `crit` (RFC 7515 4.1.11), and the like.
    #[error("the JWT is not acceptable: {0}")]
    Unreadable(Malformed),
    /// `typ` is not `at+jwt` (RFC 9068 4), or the issuer says that it is something else: an ID token, a refresh token, a
    /// logout token, or nobody knows what.
    #[error("by its type this is no access token (the typ of a JWT must be at+jwt)")]
    NotAnAccessToken,
    /// `alg` is not among those allowed (RFC 8725 3.1).
    #[error("the JWT is signed with an algorithm that is not allowed")]
    AlgorithmNotAllowed,
    /// The issuer has no key of this `kid` and `alg`.
    #[error("the JWT is signed with a key that the issuer does not have")]
    UnknownKey,
    /// The signature does not verify.
    #[error("the signature is not valid")]
    WrongSignature,
    /// The payload is no JSON object, or has a member twice.
    #[error("the claims are no JSON object without repeated members")]
    MalformedClaims,
    /// A claim that must be there is not (RFC 9068 2.2).
    #[error("the claim {0} is missing")]
    MissingClaim(&'static str),
    /// A claim is not of its type.
    #[error("the claim {0} is malformed")]
    MalformedClaim(&'static str),
    /// `iss` is another issuer.
    #[error("the token is from another issuer")]
    OtherIssuer,
    /// `aud` does not name this API.
    #[error("the token is for another audience")]
    OtherAudience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` lies ahead.
    #[error("the token was issued in the future")]
    IssuedInTheFuture,
    /// The issuer answers that it is not active (RFC 7662 2.2).
    #[error("the issuer says that the token is not active")]
    Inactive,
    /// What follows the issuer's revocations says so; see [`crate::Revocations`].
    #[error("the token was taken back")]
    TakenBack,
    /// A token that is bound to a key came as a bearer token (RFC 9449 7.2).
    #[error("a token that is bound to a DPoP key was sent as a bearer token")]
    BoundTokenAsBearer,
    /// A proof, or the scheme `DPoP`, with a token that is bound to no key (RFC 9449 7.1).
    #[error("a DPoP proof or scheme with a token that is bound to no DPoP key")]
    UnboundTokenAsDpop,
    /// The proof is missing.
    #[error("no DPoP proof")]
    NoProof,
    /// The proof does not hold.
    #[error("the DPoP proof: {0}")]
    WrongProof(grantor_protocol::Refusal),
    /// The proof is somebody else's (RFC 9449 7.1: `jkt`).
    #[error("the DPoP proof is made with another key than the token is bound to")]
    OtherKey,
    /// The proof was used before (RFC 9449 11.1).
    #[error("the DPoP proof was used before")]
    ProofReplayed,
    /// A nonce is wanted, and the proof has none that is fresh (RFC 9449 9).
    #[error("the DPoP proof has no fresh nonce")]
    NonceWanted,
    /// No more proofs can be remembered for now, so none can be known to be new.
    #[error("too many DPoP proofs at once to remember them all")]
    ProofsOverflow,
    /// The token is bound to a certificate, and the connection has none, or another (RFC 8705 3).
    #[error("the token is bound to another certificate than that of the connection")]
    OtherCertificate,
    /// The route wants a binding that the token does not have.
    #[error("the route wants a token that is bound: {0:?}")]
    BindingWanted(RequiredBinding),
    /// The token does not have the scopes that the route wants.
    #[error("the token does not have the scope that the route wants")]
    InsufficientScope,
    /// The token does not have the roles that the route wants.
    #[error("the token does not have the role that the route wants")]
    MissingRole,
    /// The user signed in too long ago, or in another way than the route wants (RFC 9470).
    #[error("the user's sign-in does not suffice for the route")]
    InsufficientAuthentication,
    /// The route's requirement contradicts itself, or names a scope that is none: no token fulfils it.
    #[error("no token can fulfil what the route requires")]
    Unfulfillable,
    /// The issuer's keys cannot be had.
    #[error("the issuer's keys cannot be had: {0}")]
    NoKeys(FetchError),
    /// The issuer cannot be asked about the token, or answers something else.
    #[error("the issuer cannot be asked about the token: {0}")]
    NoAnswer(FetchError),
    /// The issuer's metadata names no introspection endpoint.
    #[error("the issuer names no introspection endpoint")]
    NoIntrospection,
    /// The API's key could not sign an assertion.
    #[error("the API's key could not sign an assertion")]
    NoAssertion,
    /// The issuer's answer is not one of RFC 7662 2.2.
    #[error("the issuer's answer about the token is not one of RFC 7662")]
    UnreadableAnswer,
    /// Whether the token was taken back cannot be learned.
    #[error("it cannot be learned whether the token was taken back")]
    NoStanding,
}

impl Refusal {
    /// What is said of it outside.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::NoToken | Self::OtherScheme => ErrorCode::None,
            Self::SeveralTokens | Self::MalformedHeader | Self::UnexpectedForm => ErrorCode::InvalidRequest,
            Self::TooLong
            | Self::NotAJwt(_)
            | Self::Unreadable(_)
            | Self::NotAnAccessToken
            | Self::AlgorithmNotAllowed
            | Self::UnknownKey
            | Self::WrongSignature
            | Self::MalformedClaims
            | Self::MissingClaim(_)
            | Self::MalformedClaim(_)
            | Self::OtherIssuer
            | Self::OtherAudience
            | Self::Expired
            | Self::NotYetValid
            | Self::IssuedInTheFuture
            | Self::Inactive
            | Self::TakenBack
            | Self::BoundTokenAsBearer
            | Self::UnboundTokenAsDpop
            | Self::OtherKey
            | Self::OtherCertificate
            | Self::BindingWanted(_) => ErrorCode::InvalidToken,
            Self::NoProof | Self::WrongProof(_) | Self::ProofReplayed => ErrorCode::InvalidDpopProof,
            Self::NonceWanted => ErrorCode::UseDpopNonce,
            Self::InsufficientScope | Self::MissingRole => ErrorCode::InsufficientScope,
            Self::InsufficientAuthentication => ErrorCode::InsufficientUserAuthentication,
            Self::ProofsOverflow
            | Self::Unfulfillable
            | Self::NoKeys(_)
            | Self::NoAnswer(_)
            | Self::NoIntrospection
            | Self::NoAssertion
            | Self::UnreadableAnswer
            | Self::NoStanding => ErrorCode::Unavailable,
        }
    }
}

impl From<Shortfall> for Refusal {
    fn from(lacks: Shortfall) -> Self {
        match lacks {
            Shortfall::Binding(wanted) => Self::BindingWanted(wanted),
            Shortfall::Scope => Self::InsufficientScope,
            Shortfall::Role => Self::MissingRole,
            Shortfall::Authentication => Self::InsufficientAuthentication,
            Shortfall::Unfulfillable => Self::Unfulfillable,
        }
    }
}

impl From<NoCredential> for Refusal {
    fn from(why: NoCredential) -> Self {
        match why {
            NoCredential::Absent => Self::NoToken,
            NoCredential::OtherScheme => Self::OtherScheme,
            NoCredential::Several => Self::SeveralTokens,
            NoCredential::Malformed => Self::MalformedHeader,
        }
    }
}
