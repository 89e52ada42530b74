//! Why nothing was fetched.

use crate::resolver::ResolveError;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::iter::successors;

/// Why a document could not be had. The texts are for the log; none of them holds any part of the URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The URL is of another scheme.
    #[error("the URL is not an https URL")]
    NotHttps,
    /// The URL is none, or has what a fetched one must not have.
    #[error("the URL is malformed, too long, or has user information or a fragment")]
    MalformedUrl,
    /// The host is an address, or has addresses only, that must not be connected to.
    #[error("the host's address is not a public one and not allowed")]
    ForbiddenAddress,
    /// The host's name has no address.
    #[error("the host's name cannot be resolved")]
    Unresolvable,
    /// The answer sends elsewhere.
    #[error("the answer is a redirect, which is not followed")]
    Redirected,
    /// Neither a success nor a redirect.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// The answer is of another type, of none, or compressed.
    #[error("the answer has a content type or encoding that is not accepted")]
    WrongContentType,
    /// The body exceeds the limit of its kind.
    #[error("the answer is too large")]
    TooLarge,
    /// The deadline passed.
    #[error("the answer did not come in time")]
    TooSlow,
    /// No secure connection came about.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// The connection or the protocol on it failed.
    #[error("the connection failed: {0}")]
    Transport(String),
    /// The body is no JSON Web Key Set, or a dangerous one.
    #[error("the answer is not a usable key set")]
    NotAKeySet,
    /// The body is no metadata of an authorization server, or it names no keys.
    #[error("the answer is not metadata that names a key set")]
    NotMetadata,
    /// The metadata is that of another issuer (RFC 8414 3.3).
    #[error("the metadata is that of another issuer")]
    IssuerMismatch,
    /// Too many requests are under way.
    #[error("too many documents are being fetched")]
    Throttled,
}

/// Why the fetcher cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// One of the additional roots is no certificate that can be one.
    #[error("an additional root certificate is not usable: {0}")]
    ExtraRoot(String),
}

impl FetchError {
    /// What a failed exchange means. Not the error's own text: it would show the whole URL.
    pub(crate) fn of_exchange(error: &reqwest::Error) -> Self {
        let mut innermost: Option<&(dyn Error + 'static)> = None;
        for cause in successors(error.source(), |cause| beneath(*cause)) {
            if let Some(&why) = cause.downcast_ref::<ResolveError>() {
                return why.into();
            }
            if let Some(why) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(plain(why));
            }
            innermost = Some(cause);
        }
        if error.is_timeout() {
            return Self::TooSlow;
        }
        Self::Transport(innermost.map_or_else(|| "no reason given".to_owned(), |cause| plain(&cause)))
    }
}

impl From<ResolveError> for FetchError {
    fn from(why: ResolveError) -> Self {
        match why {
            ResolveError::Forbidden => Self::ForbiddenAddress,
            ResolveError::Unknown => Self::Unresolvable,
        }
    }
}

/// The cause of a cause. An [`io::Error`] passes over the error that it wraps.
fn beneath<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => cause.source(),
    }
}

/// One short line. The other end has a say in some of the texts: a certificate's names are its.
pub(crate) fn plain(text: &dyn Display) -> String {
    text.to_string().chars().filter(|character| !character.is_control()).take(MAX_TEXT).collect()
}

const MAX_TEXT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(plain(&"a\r\nb\u{1b}[2J"), "ab[2J");
        assert_eq!(plain(&"x".repeat(5000)).len(), MAX_TEXT);
    }

    #[test]
    fn what_an_io_error_wraps_is_found() {
        let wrapped = io::Error::other(rustls::Error::DecryptError);
        assert!(beneath(&wrapped).unwrap().is::<rustls::Error>());
    }
}
