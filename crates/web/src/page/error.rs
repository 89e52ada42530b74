//! Errors that must not be sent to an application, because nobody knows yet whether the redirect URI is its own
//! (RFC 6749 4.1.2.1), and those of the pages themselves.

use serde::Serialize;

use super::page;

/// Says what a person can do and what a developer should look at. Never what went on inside.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage {
    /// What happened.
    pub kind: ErrorKind,
    /// The OAuth error code, such as `invalid_request`.
    pub code: Option<String>,
    /// The constant description of that code, for developers.
    pub detail: Option<String>,
    /// Where the person can go instead.
    pub back: Option<String>,
}

impl ErrorPage {
    /// A page without code, detail and link.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, code: None, detail: None, back: None }
    }
}

/// What happened, as far as a person needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The application's request is malformed.
    InvalidRequest,
    /// No such application here.
    UnknownClient,
    /// The redirect URI is not one of the application's.
    RedirectMismatch,
    /// The page or link lay open for too long, or was used before.
    Expired,
    /// The person may not do this.
    Forbidden,
    /// The form was not sent from our page.
    ForgedForm,
    /// Nothing at this address.
    NotFound,
    /// The address does not answer to this method.
    MethodNotAllowed,
    /// The request is too large.
    TooLarge,
    /// Too many requests.
    TooManyRequests,
    /// Our fault.
    Server,
    /// Our fault, and it passes.
    Unavailable,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::InvalidRequest,
        Self::UnknownClient,
        Self::RedirectMismatch,
        Self::Expired,
        Self::Forbidden,
        Self::ForgedForm,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::Server,
        Self::Unavailable,
    ];
}

page!(ErrorPage, "error.html");
