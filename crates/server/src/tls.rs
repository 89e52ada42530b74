//! TLS 1.2 and 1.3, with a certificate that is read from its files and read again when they change; and mutual TLS.

mod client_roots;
mod followed;
mod possession;

pub(crate) use client_roots::ClientRoots;

use crate::settings::{Settings, TlsFiles};
use followed::Followed;
use possession::Possession;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoClientAuth, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, ServerConfig};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What connections of a listener begin with.
#[derive(Clone)]
pub(crate) enum Transport {
    /// Nothing: in front of it stands whoever ends TLS.
    Plain,
    /// TLS.
    Tls(TlsAcceptor),
    /// TLS that asks for a client certificate, and takes none for an answer too (RFC 8705 2).
    MutualTls(TlsAcceptor, Arc<ClientRoots>),
}

/// What RFC 9325 4.2 recommends of TLS 1.2, and FAPI 2.0 Security Profile 5.2.2 therefore permits. Of DHE rustls has
/// none.
const RECOMMENDED: [CipherSuite; 4] = [
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

impl Transport {
    /// TLS with these files, if there are any.
    pub(crate) fn of(files: Option<TlsFiles>, settings: &Settings) -> io::Result<Self> {
        let Some(files) = files else { return Ok(Self::Plain) };
        Ok(Self::Tls(acceptor(files, provider(settings), Arc::new(NoClientAuth))?))
    }

    /// Mutual TLS with these files.
    pub(crate) fn mutual(files: TlsFiles, settings: &Settings) -> io::Result<Self> {
        let provider = provider(settings);
        let roots = settings.mtls.as_ref().and_then(|mtls| mtls.client_roots.clone());
        let roots = Arc::new(ClientRoots::load(roots, &provider)?);
        let possession = Arc::new(Possession::new(&provider));
        Ok(Self::MutualTls(acceptor(files, provider, possession)?, roots))
    }
}

fn provider(settings: &Settings) -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    if settings.fapi_tls {
        provider.cipher_suites.retain(|suite| suite.tls13().is_some() || RECOMMENDED.contains(&suite.suite()));
    }
    Arc::new(provider)
}

fn acceptor(
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    clients: Arc<dyn ClientCertVerifier>,
) -> io::Result<TlsAcceptor> {
    let paths = vec![files.certificate.clone(), files.key.clone()];
    let shown = Shown(Followed::load("the certificate", paths, move || certified(&files))?);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(io::Error::other)?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(Arc::new(shown));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificate that is shown now.
#[derive(Debug)]
struct Shown(Arc<Followed<CertifiedKey>>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

fn certified(files: &TlsFiles) -> io::Result<CertifiedKey> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| named(&files.key, &error))?;
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| named(&files.certificate, &error))
}

/// The certificates in a file, PEM.
fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| named(path, &error))
}

/// An error, and the file that it is about.
fn named(path: &Path, error: &dyn Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}
