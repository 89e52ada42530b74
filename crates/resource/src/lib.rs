//! For APIs that accept access tokens.

mod api;
mod builder;
mod cache;
mod credential;
mod dpop;
#[cfg(feature = "axum")]
mod extract;
#[cfg(test)]
mod fixtures;
mod flight;
mod introspection;
mod jwt;
mod keys;
mod layer;
mod metadata;
mod refusal;
mod rejection;
mod replay;
mod requirement;
mod revocations;
mod verified;

pub use api::Api;
pub use builder::{Builder, SetupError};
pub use credential::{ClientCertificate, Head};
pub use introspection::Introspection;
pub use jwt::{Expected, MAX_TOKEN, validate};
pub use layer::{Guarded, RequireToken, ServeMetadata, WithMetadata};
pub use metadata::ProtectedResource;
pub use refusal::{ErrorCode, Refusal};
pub use rejection::Rejection;
pub use requirement::Requirement;
pub use revocations::{Revocations, Standing};
pub use verified::Verified;

pub use grantor_fetch::{Fetcher, Settings};
pub use grantor_jose::{JwkSet, SigningAlgorithm, SigningKey};
pub use grantor_protocol::directory::RequiredBinding;
pub use grantor_protocol::token::{Binding, CertificateThumbprint};
pub use grantor_protocol::value::{Scope, UnixTime};
