//! What can go wrong, in words for the developer who reads them. No message contains a secret or a token.

use crate::device::DeviceProblem;
use crate::id_token::IdTokenProblem;
use crate::provider::MetadataProblem;
use crate::redirect::RedirectProblem;
use crate::store::StoreError;
use crate::token::TokenProblem;
use std::fmt;
use std::time::Duration;

/// What this crate's fallible functions give.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No well-known address of the issuer holds a document.
    #[error("{issuer} publishes no metadata (RFC 8414, OpenID Connect Discovery); {why}")]
    NoMetadata {
        /// Whose.
        issuer: String,
        /// What the last of the addresses answered.
        why: String,
    },
    /// The metadata are there and cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataProblem),
    /// The other end could not be asked.
    #[error("cannot ask {url}: {why}")]
    Transport {
        /// Whom, without the query.
        url: String,
        /// Why not.
        why: String,
    },
    /// The other end answered, with what is no answer of OAuth.
    #[error("{url} answered {status}, {what}")]
    Answer {
        /// Who, without the query.
        url: String,
        /// The status of HTTP.
        status: u16,
        /// What is wrong with it.
        what: String,
    },
    /// The authorization server refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// What came back through the browser is not what was waited for.
    #[error(transparent)]
    Redirect(#[from] RedirectProblem),
    /// The token response cannot be used.
    #[error("the token response cannot be used: {0}")]
    Token(#[from] TokenProblem),
    /// The ID token proves nothing.
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] IdTokenProblem),
    /// The device flow ended without a token.
    #[error(transparent)]
    Device(#[from] DeviceProblem),
    /// Nobody came back from the browser in time.
    #[error("nobody came back from the browser within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// The address for the browser to come back to could not be opened.
    #[error("cannot listen on loopback: {0}")]
    Loopback(std::io::Error),
    /// The workload's own identity is not to be had.
    #[error("no identity of this workload: {0}")]
    Workload(String),
    /// The tokens could not be kept or found.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nobody is signed in, or what was granted is granted no more: only the user can help.
    #[error("sign in again: {0}")]
    SignInAgain(String),
    /// The authorization server does not have what is asked for.
    #[error("the authorization server has no {0}")]
    Unsupported(&'static str),
    /// A key or a certificate cannot be used.
    #[error("{0}")]
    Setup(String),
}

/// An error response of the authorization server (RFC 6749 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// `error`: `invalid_grant`, `invalid_client` ...
    pub code: String,
    /// `error_description`, for developers.
    pub description: Option<String>,
}

impl Refused {
    /// From what came over the wire: what a terminal could take for a command is left out, and what is long is cut.
    pub(crate) fn new(code: &str, description: Option<&str>) -> Self {
        Self { code: printable(code), description: description.map(printable) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the authorization server says {}", self.code)?;
        self.description.as_ref().map_or(Ok(()), |description| write!(f, ": {description}"))
    }
}

impl std::error::Error for Refused {}

/// What somebody else wrote, fit to be shown.
pub(crate) fn printable(raw: &str) -> String {
    raw.chars().filter(|c| !c.is_control()).take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_drive_a_terminal() {
        let refused = Refused::new("invalid_grant\u{1b}[2J", Some(&"x".repeat(1000)));
        assert_eq!(refused.code, "invalid_grant[2J");
        assert_eq!(refused.description.unwrap().len(), 500);
    }
}
