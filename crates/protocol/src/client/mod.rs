//! A client: a program that obtains tokens.

pub mod auth;
mod metadata;
mod method;
mod secret;

pub use auth::AuthenticatedClient;
pub use metadata::{ApplicationType, Client, ClientMetadata, ResponseType, SubjectType};
pub use method::AuthMethod;
pub use secret::{ClientSecret, SecretHash, StoredSecret};
