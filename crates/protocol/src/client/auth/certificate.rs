//! Client certificates (RFC 8705 2; RFC 9440). Whether a chain leads to an authority that is trusted is for whoever
//! ended TLS to say; what the certificate says, and whether it is this client's, is decided here.

mod attribute;
mod distinguished_name;
mod key;
mod name;

use crate::client::{AuthMethod, ClientMetadata};
use crate::error::Refusal;
use crate::token::CertificateThumbprint;
use crate::value::UnixTime;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use grantor_jose::{Jwk, JwkSet, Material};
use name::Name;
use std::fmt;
use std::sync::Arc;
use x509_parser::certificate::X509CertificateParser;
use x509_parser::nom::Parser as _;

/// The certificate that a TLS client proved to hold the key of.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Facts>);

struct Facts {
    thumbprint: CertificateThumbprint,
    trusted: bool,
    not_before: UnixTime,
    not_after: UnixTime,
    names: Vec<Name>,
    /// None for a key of a kind that no client can register.
    key: Option<Material>,
}

/// The longest `Client-Cert`, in characters.
const MAX_CLIENT_CERT: usize = 16 * 1024;

impl ClientCertificate {
    /// Reads one from its DER. `trusted`: whether its chain leads to an authority that the operator trusts for clients
    /// (checked at the handshake, or by the proxy).
    pub fn parse(der: &[u8], trusted: bool) -> Option<Self> {
        // Of the extensions one alone is of interest: the others are not taken apart for a stranger.
        let (rest, parsed) = X509CertificateParser::new().with_deep_parse_extensions(false).parse(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let validity = parsed.validity();
        Some(Self(Arc::new(Facts {
            thumbprint: CertificateThumbprint::of(der),
            trusted,
            not_before: UnixTime::new(validity.not_before.timestamp()),
            not_after: UnixTime::new(validity.not_after.timestamp()),
            names: Name::all_of(&parsed)?,
            key: key::material(parsed.public_key()),
        })))
    }

    /// `x5t#S256` (RFC 8705 3.1).
    pub fn thumbprint(&self) -> CertificateThumbprint {
        self.0.thumbprint
    }

    /// Both ends are part of it (RFC 5280 4.1.2.5).
    fn is_valid_at(&self, now: UnixTime) -> bool {
        (self.0.not_before..=self.0.not_after).contains(&now)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.0.thumbprint)
    }
}

/// `tls_client_auth` (RFC 8705 2.1): the chain is trusted, and the certificate inside its time bears the one name that
/// the client is registered with. A name is looked for where it was said to be: a subject is never found in an
/// alternative name, nor the other way round.
pub fn tls_client_auth(certificate: &ClientCertificate, client: &ClientMetadata, now: UnixTime) -> Result<(), Refusal> {
    if !certificate.0.trusted || !certificate.is_valid_at(now) {
        return Err(Refusal::ClientCertificateUntrusted);
    }
    let mut declared = Declared::of(client);
    let (Some(only), None) = (declared.next(), declared.next()) else {
        return Err(Refusal::ClientCertificateMismatch);
    };
    let expected = only.name().ok_or(Refusal::ClientCertificateMismatch)?;
    if certificate.0.names.contains(&expected) { Ok(()) } else { Err(Refusal::ClientCertificateMismatch) }
}

/// `self_signed_tls_client_auth` (RFC 8705 2.2): the certificate, inside its time, has a public key that the client
/// registered. The key is compared because it is what the handshake proved possession of; a certificate in `x5c` has
/// the same (RFC 7517 4.7). Nobody is asked who signed it.
pub fn self_signed(certificate: &ClientCertificate, keys: &JwkSet, now: UnixTime) -> Result<(), Refusal> {
    if !certificate.is_valid_at(now) {
        return Err(Refusal::ClientCertificateUntrusted);
    }
    let shown = certificate.0.key.as_ref().ok_or(Refusal::ClientCertificateMismatch)?;
    let registered = keys.keys.iter().any(|key| may_sign(key) && key.material() == shown);
    if registered { Ok(()) } else { Err(Refusal::ClientCertificateMismatch) }
}

/// Whether a key was registered for signatures, as those of a handshake, or for anything (RFC 7517 4.2, 4.3).
fn may_sign(key: &Jwk) -> bool {
    key.usage().is_none_or(|usage| usage == "sig")
        && key.key_ops().is_none_or(|operations| operations.iter().any(|operation| operation == "verify"))
}

/// The DER in `Client-Cert`: a Byte Sequence and nothing besides (RFC 9440 2.2, RFC 8941 3.3.5).
pub fn parse_client_cert(header: &str) -> Option<Vec<u8>> {
    if header.len() > MAX_CLIENT_CERT {
        return None;
    }
    let encoded = header.strip_prefix(':')?.strip_suffix(':')?;
    STANDARD.decode(encoded).ok().filter(|der| !der.is_empty())
}

/// What contradicts itself in a client's declaration of its certificate (RFC 8705 2.1.2, 2.2.2).
pub fn contradictions(client: &ClientMetadata) -> Vec<String> {
    let mut found = Vec::new();
    let method = client.token_endpoint_auth_method;
    let by_subject = method == AuthMethod::TlsClientAuth;
    if by_subject && Declared::of(client).count() != 1 {
        let all = FIELDS.map(|(field, ..)| field).join(", ");
        found.push(format!(
            "token_endpoint_auth_method is tls_client_auth, so exactly one of {all} is needed (RFC 8705 2.1.2)"
        ));
    }
    for declared in Declared::of(client) {
        let Declared { field, form, .. } = declared;
        if !by_subject {
            let method = method.as_str();
            found.push(format!("{field} is for tls_client_auth, but token_endpoint_auth_method is {method}"));
        } else if declared.name().is_none() {
            found.push(format!("{field} is not {form} (RFC 8705 2.1.2)"));
        }
    }
    if method == AuthMethod::SelfSignedTlsClientAuth && client.jwks.is_none() && client.jwks_uri.is_none() {
        found.push(
            "token_endpoint_auth_method is self_signed_tls_client_auth, so jwks or jwks_uri is needed (RFC 8705 2.2.2)"
                .to_owned(),
        );
    }
    found
}

/// What a client says of the subject that its certificate must have.
struct Declared<'a> {
    field: &'static str,
    form: &'static str,
    kind: Kind,
    value: &'a str,
}

/// Reads a name of one kind.
type Kind = fn(&str) -> Option<Name>;

/// The five fields that say it, exactly one of which a client has (RFC 8705 2.1.2), and what each must be.
const FIELDS: [(&str, &str, Kind); 5] = [
    (
        "tls_client_auth_subject_dn",
        "a distinguished name as RFC 4514 writes it, and `openssl x509 -noout -subject -nameopt RFC2253` prints it",
        Name::subject,
    ),
    ("tls_client_auth_san_dns", "the name of one host", Name::dns),
    ("tls_client_auth_san_uri", "an absolute URI", Name::uri),
    ("tls_client_auth_san_ip", "an IP address", Name::ip),
    ("tls_client_auth_san_email", "a mailbox", Name::email),
];

impl<'a> Declared<'a> {
    /// Those that a client has.
    fn of(client: &'a ClientMetadata) -> impl Iterator<Item = Self> {
        let values = [
            &client.tls_client_auth_subject_dn,
            &client.tls_client_auth_san_dns,
            &client.tls_client_auth_san_uri,
            &client.tls_client_auth_san_ip,
            &client.tls_client_auth_san_email,
        ];
        let fields = FIELDS.into_iter().zip(values);
        fields.filter_map(|((field, form, kind), value)| Some(Self { field, form, kind, value: value.as_deref()? }))
    }

    /// None if it cannot be the name of any certificate.
    fn name(&self) -> Option<Name> {
        (self.kind)(self.value)
    }
}

#[cfg(test)]
mod tests;
