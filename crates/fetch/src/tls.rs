//! TLS of outgoing connections: 1.2 and 1.3, the platform's roots and the operator's.

use crate::SetupError;
use crate::error::plain;
use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// The additional roots, each of them one that a chain can end in.
#[derive(Clone)]
pub(crate) struct ExtraRoots(Vec<CertificateDer<'static>>);

impl ExtraRoots {
    /// Checks each root, so that a bad one shows at the start and not with the first request.
    pub(crate) fn parse(roots: Vec<CertificateDer<'static>>) -> Result<Self, SetupError> {
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone()).map_err(|why| SetupError::ExtraRoot(plain(&why)))?;
        }
        Ok(Self(roots))
    }
}

/// Reads the platform's roots, which takes its time.
pub(crate) fn config(extra: &ExtraRoots) -> Result<ClientConfig, rustls::Error> {
    // Named here because the process need not have a default provider, and none is installed behind its back.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra.0.iter().cloned(), Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    // HTTP/1.1 alone: one small document per connection has nothing to gain from HTTP/2.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The same host is asked minutes apart at best: not worth the memory of its tickets.
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_is_no_certificate_shows_at_the_start() {
        let refused = ExtraRoots::parse(vec![CertificateDer::from(vec![0x30, 0x00])]);
        assert!(matches!(refused.err(), Some(SetupError::ExtraRoot(_))));
    }
}
