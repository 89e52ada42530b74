//! How the answer travels back (RFC 6749 4.1.2, RFC 9207, OAuth 2.0 Form Post Response Mode).

use super::client::{RedirectTarget, Target};
use super::mode::ResponseMode;
use crate::defended;
use crate::error::{ErrorCode, Refusal};
use crate::params;
use crate::value::{Issuer, RedirectUri};

/// What is sent to the redirect URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResponse {
    /// Where to.
    pub redirect_uri: RedirectUri,
    /// How.
    pub mode: ResponseMode,
    /// What, in order.
    pub fields: Vec<(&'static str, String)>,
}

/// A refusal that is told to the client: who it is was verified, and where it gets its answer.
#[derive(Clone, Debug)]
pub struct ToldRefusal {
    /// Why.
    pub refusal: Refusal,
    /// To whom.
    pub target: Target,
}

impl AuthorizationResponse {
    /// A code (RFC 6749 4.1.2), with `iss` (RFC 9207 2).
    pub fn code(target: &RedirectTarget, code: String, issuer: &Issuer) -> Self {
        Self::new(target, vec![("code", code)], issuer)
    }

    /// An error (RFC 6749 4.1.2.1), with `iss` (RFC 9207 2).
    pub fn error(target: &RedirectTarget, code: ErrorCode, issuer: &Issuer) -> Self {
        let fields = vec![("error", code.as_str().to_owned()), ("error_description", code.description().to_owned())];
        Self::new(target, fields, issuer)
    }

    /// The URL of the redirect, for [`ResponseMode::Query`]. A query that the redirect URI has is kept (RFC 6749 3.1.2).
    pub fn location(&self) -> String {
        let mut url = self.redirect_uri.as_str().to_owned();
        for (position, (name, value)) in self.fields.iter().enumerate() {
            let separator = if position > 0 || url.contains('?') { '&' } else { '?' };
            url.push(separator);
            url.push_str(name);
            url.push('=');
            url.push_str(&params::encode(value));
        }
        url
    }

    fn new(target: &RedirectTarget, mut fields: Vec<(&'static str, String)>, issuer: &Issuer) -> Self {
        if let Some(state) = &target.state {
            fields.push(("state", state.clone()));
        }
        fields.extend(defended!("iss", Some(("iss", issuer.to_string())), None));
        Self { redirect_uri: target.redirect_uri.clone(), mode: target.mode, fields }
    }
}
