//! The authorities that the operator trusts to say who a client is (RFC 8705 2.1), read from a file and read again when
//! it changes.

use super::followed::Followed;
use super::{certificates, named};
use grantor_protocol::value::UnixTime;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls_pki_types::CertificateDer;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The authorities; none if the operator named no file.
pub(crate) struct ClientRoots(Option<Arc<Followed<Judge>>>);

/// Builds and checks chains (RFC 5280 6): signatures, times, constraints, and that each is for client authentication.
type Judge = Arc<dyn ClientCertVerifier>;

impl ClientRoots {
    /// Reads the file.
    pub(super) fn load(path: Option<PathBuf>, provider: &Arc<CryptoProvider>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let provider = Arc::clone(provider);
        let read = move |path: &Path| judge(path, &provider);
        let paths = vec![path.clone()];
        Followed::load("the file of authorities for clients", paths, move || read(&path)).map(Some).map(Self)
    }

    /// Whether a chain, the certificate of the client first, leads to one of them now.
    pub(crate) fn trust(&self, chain: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let (Some(judge), Some((leaf, others))) = (&self.0, chain.split_first()) else { return false };
        let seconds = u64::try_from(now.get()).unwrap_or_default();
        let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match judge.current().verify_client_cert(leaf, others, now) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(%error, "the chain of a client certificate leads to no authority that is trusted");
                false
            }
        }
    }
}

fn judge(path: &Path, provider: &Arc<CryptoProvider>) -> io::Result<Judge> {
    let mut roots = RootCertStore::empty();
    for root in certificates(path)? {
        roots.add(root).map_err(|error| named(path, &error))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| named(path, &error))
}
