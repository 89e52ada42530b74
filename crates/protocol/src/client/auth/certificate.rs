//! Client certificates (RFC 8705 2; RFC 9440).

use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::token::CertificateThumbprint;
use crate::value::UnixTime;
use grantor_jose::JwkSet;

/// placeholder
#[derive(Clone)]
pub struct ClientCertificate(Vec<u8>);
impl ClientCertificate {
    /// placeholder
    pub fn parse(der: &[u8], _trusted: bool) -> Option<Self> { Some(Self(der.to_vec())) }
    /// placeholder
    pub fn thumbprint(&self) -> CertificateThumbprint { CertificateThumbprint::of(&self.0) }
}
/// placeholder
pub fn tls_client_auth(_: &ClientCertificate, _: &ClientMetadata, _: UnixTime) -> Result<(), Refusal> { Err(Refusal::Broken) }
/// placeholder
pub fn self_signed(_: &ClientCertificate, _: &JwkSet, _: UnixTime) -> Result<(), Refusal> { Err(Refusal::Broken) }
