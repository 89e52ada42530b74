//! The names that a certificate can be known by, each in the form in which equal ones are equal (RFC 5280 4.1.2.6,
//! 4.2.1.6, 7).

use super::distinguished_name::DistinguishedName;
use std::net::IpAddr;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, SubjectAlternativeName};
use x509_parser::oid_registry::OID_X509_EXT_SUBJECT_ALT_NAME;
use x509_parser::prelude::FromDer as _;

/// One name. What it was found as is part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// The subject.
    Subject(DistinguishedName),
    /// `dNSName`, in lower case.
    Dns(String),
    /// `uniformResourceIdentifier`.
    Uri(String),
    /// `iPAddress`.
    Ip(IpAddr),
    /// `rfc822Name`, its host in lower case.
    Email(String),
}

/// The longest name of a host, in characters (RFC 1035 2.3.4).
const MAX_HOST: usize = 253;
/// The longest label of one.
const MAX_LABEL: usize = 63;

impl Name {
    /// Every name of a certificate that could be registered; none if it has alternative names twice, or such that
    /// cannot be read.
    pub(super) fn all_of(certificate: &X509Certificate<'_>) -> Option<Vec<Self>> {
        let subject = DistinguishedName::from_x509(certificate.subject()).map(Self::Subject);
        let mut names = Vec::from_iter(subject);
        if let Some(extension) = certificate.get_extension_unique(&OID_X509_EXT_SUBJECT_ALT_NAME).ok()? {
            let (rest, alternative) = SubjectAlternativeName::from_der(extension.value).ok()?;
            if !rest.is_empty() {
                return None;
            }
            names.extend(alternative.general_names.iter().filter_map(Self::alternative));
        }
        Some(names)
    }

    /// A directory name among them is no subject.
    fn alternative(general: &GeneralName<'_>) -> Option<Self> {
        match general {
            GeneralName::DNSName(text) => Self::dns(text),
            GeneralName::URI(text) => Self::uri(text),
            GeneralName::RFC822Name(text) => Self::email(text),
            GeneralName::IPAddress(octets) => {
                let four = <[u8; 4]>::try_from(*octets).map(IpAddr::from);
                four.or_else(|_| <[u8; 16]>::try_from(*octets).map(IpAddr::from)).ok().map(Self::Ip)
            }
            _ => None,
        }
    }

    /// A distinguished name as RFC 4514 writes it.
    pub(super) fn subject(text: &str) -> Option<Self> {
        DistinguishedName::parse(text).map(Self::Subject)
    }

    /// The name of one host: a wildcard is none.
    pub(super) fn dns(text: &str) -> Option<Self> {
        host(text).map(Self::Dns)
    }

    /// An absolute URI (RFC 5280 4.2.1.6), compared as it is written.
    pub(super) fn uri(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
        (scheme_fits && !rest.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()))
            .then(|| Self::Uri(text.to_owned()))
    }

    /// An address, compared as its bytes (RFC 5952 8).
    pub(super) fn ip(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::Ip)
    }

    /// A mailbox, of which the host alone has no upper and lower case (RFC 5280 7.5).
    pub(super) fn email(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        if local.is_empty() || !local.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        Some(Self::Email(format!("{local}@{}", host(domain)?)))
    }
}

/// The name of a host in the preferred syntax (RFC 1123 2.1), underscores besides, in lower case.
fn host(text: &str) -> Option<String> {
    let fits = |label: &str| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    (text.len() <= MAX_HOST && text.split('.').all(fits)).then(|| text.to_ascii_lowercase())
}
