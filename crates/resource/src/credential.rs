//! Where a request carries its token: in the `Authorization` header (RFC 6750 2.1, RFC 9449 7.1), in a form body where
//! that is switched on (RFC 6750 2.2), and never in the query, where it would end in logs (RFC 9700 4.3.2).

use crate::Refusal;
use grantor_protocol::protected_resource::{Scheme, credential, is_token68};
use grantor_protocol::token::CertificateThumbprint;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use std::borrow::Cow;

/// The certificate that the peer of a connection has proved to hold the key of (RFC 8705 3). Whoever ends TLS inserts it
/// into the extensions of each request, and nobody else may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate(CertificateThumbprint);

impl ClientCertificate {
    /// From the certificate of the peer, in DER. Whom it was issued by need not be looked at: what counts is that the
    /// token was bound to the same one.
    pub fn of(der: &[u8]) -> Self {
        Self(CertificateThumbprint::of(der))
    }

    /// `x5t#S256` (RFC 8705 3.1).
    pub const fn thumbprint(&self) -> CertificateThumbprint {
        self.0
    }
}

/// What is looked at of a request.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request target. Its path must be the one that the client sees below [`crate::Builder::origin`].
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The certificate of the connection.
    pub certificate: Option<ClientCertificate>,
}

impl<'a> From<&'a Parts> for Head<'a> {
    fn from(parts: &'a Parts) -> Self {
        Self::of(&parts.method, &parts.uri, &parts.headers, &parts.extensions)
    }
}

impl<'a, B> From<&'a http::Request<B>> for Head<'a> {
    fn from(request: &'a http::Request<B>) -> Self {
        Self::of(request.method(), request.uri(), request.headers(), request.extensions())
    }
}

impl<'a> Head<'a> {
    fn of(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap, extensions: &'a http::Extensions) -> Self {
        // A nested router of axum takes its prefix off the path; the client's proof is for the whole of it.
        #[cfg(feature = "axum")]
        let uri = extensions.get::<axum::extract::OriginalUri>().map_or(uri, |original| &original.0);
        Self { method, uri, headers, certificate: extensions.get().copied() }
    }
}

/// A token as it was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Credential<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: Cow<'a, str>,
}

impl<'a> Credential<'a> {
    /// The token of the header.
    pub(crate) fn of_header(headers: &'a HeaderMap) -> Result<Self, Refusal> {
        let values = headers.get_all(AUTHORIZATION).iter().map(http::HeaderValue::as_bytes);
        let (scheme, token) = credential(values)?;
        Ok(Self { scheme, token: Cow::Borrowed(token) })
    }

    /// Whether it came in a form: what comes in the header is borrowed from it.
    pub(crate) const fn is_of_form(&self) -> bool {
        matches!(self.token, Cow::Owned(_))
    }

    /// The token of the header or of a form, whichever there is. A form without one is only a body.
    pub(crate) fn of_header_or_form(head: &Head<'a>, form: &[u8]) -> Result<Self, Refusal> {
        let of_header = Self::of_header(head.headers);
        // RFC 6750 2.2: such a body, and a method for which a body means something.
        let typed = |value: &http::HeaderValue| {
            let essence = value.to_str().ok().and_then(|value| value.split(';').next()).map(str::trim);
            essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        };
        if !head.headers.get(CONTENT_TYPE).is_some_and(typed) {
            return of_header;
        }
        let mut tokens = url::form_urlencoded::parse(form).filter(|(name, _)| name == "access_token");
        let Some((_, token)) = tokens.next() else { return of_header };
        let header_has_none = matches!(of_header, Err(Refusal::NoToken));
        if tokens.next().is_some() || !header_has_none {
            return Err(Refusal::SeveralTokens);
        }
        if *head.method == Method::GET || !is_token68(token.as_bytes()) {
            return Err(Refusal::UnexpectedForm);
        }
        Ok(Self { scheme: Scheme::Bearer, token: Cow::Owned(token.into_owned()) })
    }
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
