//! Tokens and handles: what they hold, what they are for, how they look.

pub(crate) mod access;
mod audience;
mod binding;
pub mod dpop;
pub mod handle;
pub mod id;
mod request;
mod response;
mod subject;

pub use access::{AccessToken, Claims, TokenSubject};
pub use audience::{Selection, select};
pub use binding::{Binding, CertificateThumbprint, Proven};
pub use request::TokenRequest;
pub use response::TokenResponse;
pub use subject::presented_subject;
