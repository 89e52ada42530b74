//! A client: a program that obtains tokens.

pub mod auth;
mod contradictions;
pub mod federated;
mod metadata;
mod method;
mod secret;

pub use auth::AuthenticatedClient;
pub use metadata::{ApplicationType, Client, ClientMetadata, ResponseType, SubjectType};
pub use method::{AssertionAlgorithm, AuthMethod, SecretAlgorithm};
pub(crate) use secret::prefixed_secret;
pub use secret::{ClientSecret, SecretHash, StoredSecret};
