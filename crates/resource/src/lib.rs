//! For APIs that accept access tokens: of Grantor, or of any other server whose tokens are JWTs after RFC 9068 or can be
//! introspected (RFC 7662).
//!
//! Say whose tokens you take and who you are, and put the layer in front of your handlers. They get the claims of a token
//! that holds; whoever has none that is enough is answered as OAuth wants it.
//!
//! ```
//! use axum::{Router, routing::get};
//! use grantor_resource::{Api, Requirement, Verified};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let api = Api::builder("https://id.example", "https://api.example/notes").scopes("notes:read notes:write").build()?;
//! let app: Router = Router::new()
//!     .route("/notes", get(list).layer(api.require(Requirement::scope("notes:read"))))
//!     .layer(api.metadata_layer());
//!
//! async fn list(token: Verified) -> String {
//!     format!("the notes of {}", token.subject())
//! }
//!
//! // Nobody has sent a token: the answer says where to get one.
//! use tower::ServiceExt as _;
//! let response = app.oneshot(axum::http::Request::get("/notes").body(axum::body::Body::empty())?).await?;
//! assert_eq!(response.status(), 401);
//! let challenge = response.headers()["www-authenticate"].to_str()?;
//! assert!(challenge.starts_with("Bearer scope=\"notes:read\", resource_metadata=\"https://api.example/.well-known/"));
//! # Ok(())
//! # }
//! ```
//!
//! - [`Api`] is set up once, by [`Api::builder`]. It holds the issuer's keys and what was verified a moment ago.
//! - [`Api::require`] gives a [`tower::Layer`] for axum, tonic and plain hyper; [`Api::check`] is the function below it, for
//!   everything else; [`validate`] is the pure rule below that, for one JWT and one set of keys.
//! - [`Requirement`] is what a route wants: scopes, roles, the way and age of the sign-in (RFC 9470), a binding.
//! - [`Verified`] is proof that a request was checked: there is no other way to get one.
//! - [`Refusal`] says exactly why a request was refused, for the log; [`Rejection`] answers it, and says only what the
//!   fixed text of its code says.
//!
//! What is refused by construction: tokens of another type (ID tokens, refresh tokens, logout tokens), of another issuer,
//! for another audience, with an algorithm that is not allowed, with any `crit`, with a repeated claim, with a `cnf` that
//! is not understood, longer than [`MAX_TOKEN`]; a token in the query; a second token; a token bound to a key without its
//! proof, and a proof with a token that is bound to none; a proof used twice.

mod api;
mod builder;
mod cache;
mod claims;
mod credential;
mod dpop;
#[cfg(feature = "axum")]
mod extract;
#[cfg(test)]
mod fixtures;
mod flight;
mod introspection;
#[cfg(test)]
mod issuer;
#[cfg(test)]
mod issuer_tests;
mod jwt;
mod keys;
mod layer;
#[cfg(test)]
mod mutation_tests;
mod refusal;
mod rejection;
mod replay;
mod revocations;
mod status;
mod unread;
mod verified;

pub use api::Api;
pub use builder::{Builder, SetupError};
pub use credential::{ClientCertificate, Head};
pub use grantor_protocol::protected_resource::{
    Held, ProtectedResource, Requirement, ResourceError as ErrorCode, Shortfall,
};
pub use introspection::Introspection;
pub use jwt::{Expected, MAX_TOKEN, validate};
pub use layer::{Guarded, RequireToken, ServeMetadata, WithMetadata};
pub use refusal::Refusal;
pub use rejection::Rejection;
pub use revocations::{Revocations, Standing};
pub use verified::Verified;

pub use grantor_fetch::{Fetcher, Settings};
pub use grantor_jose::{JwkSet, SigningAlgorithm, SigningKey};
pub use grantor_protocol::directory::RequiredBinding;
pub use grantor_protocol::status_list::StatusReference;
pub use grantor_protocol::token::{Binding, CertificateThumbprint};
pub use grantor_protocol::value::{Scope, UnixTime};
