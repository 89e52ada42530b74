//! The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2).

mod client;
mod interaction;
mod mode;
mod prompt;
mod request;
pub mod request_object;
mod response;

pub use client::{PageRefusal, RedirectTarget};
pub use interaction::{Step, Visit, next};
pub use mode::ResponseMode;
pub use prompt::{Display, Prompt};
pub use request::AuthorizationRequest;
pub use response::{AuthorizationResponse, RedirectRefusal};
