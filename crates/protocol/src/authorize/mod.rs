//! The authorization endpoint (RFC 6749 3.1, OpenID Connect Core 3.1.2).

mod client;
mod interaction;
mod mode;
mod prompt;
pub mod pushed;
mod request;
pub mod request_object;
mod response;
pub mod signed_response;
pub mod source;

pub use client::{DeviceTarget, PageRefusal, RedirectTarget, Target};
pub use interaction::{Step, Visit, next};
pub use mode::ResponseMode;
pub use prompt::{Display, Prompt};
pub use pushed::PushedRequest;
pub use request::AuthorizationRequest;
pub use response::{AuthorizationResponse, ToldRefusal};
pub use source::Source;
