//! Which certificate a request's client has proved to hold the key of: that of its connection at the listener for
//! mutual TLS (RFC 8705), or the one that a trusted proxy speaks of (RFC 9440).

use crate::settings::Settings;
use crate::tls::ClientRoots;
use crate::world::World;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::certificate::{ClientCertificate, parse_client_cert};
use grantor_protocol::value::{Seconds, UnixTime};
use http::{Extensions, HeaderMap};
use rustls_pki_types::CertificateDer;
use std::sync::{Arc, Mutex, PoisonError};

/// The certificate of a connection, if its peer has one. An extension of every request at the listener for mutual TLS,
/// and of none elsewhere.
#[derive(Clone, Debug)]
pub(crate) struct PeerCertificate(pub(crate) Option<ClientCertificate>);

/// The chain that the peer of one connection proved to hold the key of, and what was last thought of it.
pub(crate) struct PeerChain {
    chain: Vec<CertificateDer<'static>>,
    roots: Arc<ClientRoots>,
    world: Arc<dyn World>,
    judged: Mutex<Option<(UnixTime, PeerCertificate)>>,
}

/// RFC 9440 2.2.
const CLIENT_CERT: &str = "client-cert";

/// A connection may outlive the authority that it began with, or an intermediate one. Not at every request, because
/// following a chain costs more than signing a token.
const JUDGE_EVERY: Seconds = Seconds::new(10);

impl PeerChain {
    /// The certificate of the peer first; empty if it has none.
    pub(crate) fn new(chain: Vec<CertificateDer<'static>>, roots: Arc<ClientRoots>, world: Arc<dyn World>) -> Self {
        Self { chain, roots, world, judged: Mutex::default() }
    }

    /// The certificate, and whether it is trusted now.
    pub(crate) fn certificate(&self) -> PeerCertificate {
        let now = self.world.now();
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, certificate)) = &*judged
            && (*at..at.plus(JUDGE_EVERY)).contains(&now)
        {
            return certificate.clone();
        }
        let trusted = self.roots.trust(&self.chain, now);
        let certificate = self.chain.first().and_then(|leaf| ClientCertificate::parse(leaf, trusted));
        let certificate = PeerCertificate(certificate);
        *judged = Some((now, certificate.clone()));
        certificate
    }
}

/// The certificate that counts for a request.
///
/// At the listener for mutual TLS it is that of the connection, whoever the peer is and whatever it says of others: TLS
/// ends there, so nobody in between could have made a header of it, and a proxy that passes TLS through passes headers
/// through too.
///
/// Elsewhere it is that of `Client-Cert`, from a trusted proxy and if the operator wants it. RFC 9440 leaves it to the
/// proxy to check the chain, so this one counts as trusted: a proxy that lets any certificate pass must not stand in
/// front of clients that use `tls_client_auth`. The same header from anybody else is worth nothing.
pub(crate) fn of_request(
    headers: &HeaderMap,
    extensions: &Extensions,
    peer_is_trusted_proxy: bool,
    settings: &Settings,
) -> Result<Option<ClientCertificate>, Refusal> {
    let mut values = headers.get_all(CLIENT_CERT).iter();
    let said = (values.next(), values.next());
    let of_connection = extensions.get::<PeerCertificate>();
    let believed = of_connection.is_none() && peer_is_trusted_proxy && settings.client_cert_header;
    if said.0.is_some() && !believed {
        tracing::debug!("a Client-Cert header from a peer that is not trusted with it was ignored");
    }
    match (of_connection, said) {
        (Some(PeerCertificate(certificate)), _) => Ok(certificate.clone()),
        (None, (Some(one), None)) if believed => {
            let der = one.to_str().ok().and_then(parse_client_cert);
            let certificate = der.and_then(|der| ClientCertificate::parse(&der, true));
            certificate.map(Some).ok_or(Refusal::MalformedParameter("Client-Cert"))
        }
        (None, (Some(_), Some(_))) if believed => Err(Refusal::MalformedParameter("Client-Cert")),
        (None, _) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::base64url;
    use grantor_protocol::token::CertificateThumbprint;
    use grantor_protocol::value::Issuer;
    use http::HeaderValue;

    fn made(name: &str) -> Vec<u8> {
        rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap().cert.der().to_vec()
    }

    /// RFC 9440 2.1.
    fn encoded(der: &[u8]) -> String {
        let mut text = base64url::encode(der).replace('-', "+").replace('_', "/");
        while !text.len().is_multiple_of(4) {
            text.push('=');
        }
        format!(":{text}:")
    }

    fn found(
        values: &[&str],
        of_connection: Option<PeerCertificate>,
        trusted_proxy: bool,
        client_cert_header: bool,
    ) -> Result<Option<CertificateThumbprint>, Refusal> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("Client-Cert", HeaderValue::from_str(value).unwrap());
        }
        let mut extensions = Extensions::new();
        if let Some(certificate) = of_connection {
            extensions.insert(certificate);
        }
        let issuer = Issuer::parse("https://id.example").unwrap();
        let settings = Settings { client_cert_header, ..Settings::new(issuer) };
        let found = of_request(&headers, &extensions, trusted_proxy, &settings)?;
        Ok(found.map(|certificate| certificate.thumbprint()))
    }

    #[test]
    fn rfc9440_4_the_header_is_believed_from_a_trusted_proxy_alone() {
        let der = made("a.example");
        let value = encoded(&der);
        assert_eq!(found(&[&value], None, true, true), Ok(Some(CertificateThumbprint::of(&der))));
        assert_eq!(found(&[&value], None, false, true), Ok(None));
        assert_eq!(found(&[&value], None, true, false), Ok(None));
        assert_eq!(found(&[], None, true, true), Ok(None));
    }

    #[test]
    fn rfc9440_2_2_a_header_that_is_not_one_certificate_is_refused() {
        let value = encoded(&made("a.example"));
        let both = format!("{value}, {value}");
        let not_a_certificate = encoded(b"certificate");
        let malformed: [&[&str]; 5] = [&[&value, &value], &[&both], &[&not_a_certificate], &[""], &["::"]];
        for values in malformed {
            let refused = found(values, None, true, true);
            assert_eq!(refused, Err(Refusal::MalformedParameter("Client-Cert")), "{values:?}");
            assert_eq!(found(values, None, false, true), Ok(None), "{values:?}");
        }
    }

    #[test]
    fn rfc9440_4_at_the_listener_for_mutual_tls_no_header_is_believed() {
        let (connected, said) = (made("a.example"), encoded(&made("b.example")));
        let certificate = PeerCertificate(ClientCertificate::parse(&connected, false));
        assert_eq!(found(&[&said], Some(certificate), true, true), Ok(Some(CertificateThumbprint::of(&connected))));
        assert_eq!(found(&[&said], Some(PeerCertificate(None)), true, true), Ok(None));
        assert_eq!(found(&[&said, &said], Some(PeerCertificate(None)), true, true), Ok(None));
    }
}
