//! Why a registration is refused (RFC 7591 3.2.2).

use std::fmt;

/// A refusal, and what the developer of the client is told about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationError {
    /// `error`.
    pub code: RegistrationErrorCode,
    /// `error_description`: which member is wrong, in visible ASCII.
    pub description: String,
}

/// `error` (RFC 7591 3.2.2). The one list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationErrorCode {
    /// A redirect URI is missing, malformed, or at a place that the policy does not allow.
    InvalidRedirectUri,
    /// Another member is wrong, or contradicts a third.
    InvalidClientMetadata,
    /// The software statement is no JWT.
    InvalidSoftwareStatement,
    /// Nobody here trusts whoever signed the software statement.
    UnapprovedSoftwareStatement,
}

/// The longest description, in bytes.
const LONGEST: usize = 300;

impl RegistrationErrorCode {
    /// Its registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::InvalidSoftwareStatement => "invalid_software_statement",
            Self::UnapprovedSoftwareStatement => "unapproved_software_statement",
        }
    }
}

impl RegistrationError {
    pub(super) fn new(code: RegistrationErrorCode, description: &str) -> Self {
        // RFC 6749 5.2, which RFC 7591 3.2.2 follows: visible ASCII without quote and backslash.
        let plain = |c: char| match c {
            '"' | '`' => '\'',
            ' '..='~' if c != '\\' => c,
            _ => '?',
        };
        Self { code, description: description.chars().take(LONGEST).map(plain).collect() }
    }

    pub(super) fn metadata(description: &str) -> Self {
        Self::new(RegistrationErrorCode::InvalidClientMetadata, description)
    }

    pub(super) fn redirect(description: &str) -> Self {
        Self::new(RegistrationErrorCode::InvalidRedirectUri, description)
    }
}

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7591_3_2_2_a_description_is_plain_ascii() {
        let error = RegistrationError::metadata("a \"b\" \\ \u{e9}\n");
        assert_eq!(error.description, "a 'b' ? ??");
        assert_eq!(RegistrationError::redirect(&"x".repeat(5000)).description.len(), LONGEST);
    }
}
