//! Client certificates: whatever a stranger shows is read or refused, opens nothing without a trusted chain or a
//! registered key, and is found again under the names and in the header that it is written as.
#![no_main]

use grantor_jose::JwkSet;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::certificate::{
    ClientCertificate, contradictions, parse_client_cert, self_signed, tls_client_auth,
};
use grantor_protocol::client::{AuthMethod, ClientMetadata};
use grantor_protocol::token::CertificateThumbprint;
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use libfuzzer_sys::fuzz_target;

fn client(declare: impl FnOnce(&mut ClientMetadata)) -> ClientMetadata {
    let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").expect("an identifier"));
    client.token_endpoint_auth_method = AuthMethod::TlsClientAuth;
    declare(&mut client);
    client
}

// A name, a zero, and a certificate.
fuzz_target!(|data: &[u8]| {
    let zero = data.iter().position(|byte| *byte == 0);
    let (name, der) = zero.map_or((data, data), |at| (&data[..at], &data[at + 1..]));
    let now = UnixTime::new(1_814_400_000);
    let name = String::from_utf8_lossy(name).into_owned();
    if let Some(header) = parse_client_cert(&name) {
        let _ = ClientCertificate::parse(&header, true);
    }
    let clients = [
        client(|client| client.tls_client_auth_subject_dn = Some(name.clone())),
        client(|client| client.tls_client_auth_san_dns = Some(name.clone())),
        client(|client| client.tls_client_auth_san_uri = Some(name.clone())),
        client(|client| client.tls_client_auth_san_ip = Some(name.clone())),
        client(|client| client.tls_client_auth_san_email = Some(name.clone())),
    ];
    let [untrusted, trusted] = [false, true].map(|trusted| ClientCertificate::parse(der, trusted));
    assert_eq!(untrusted.is_some(), trusted.is_some());
    for client in &clients {
        let usable = contradictions(client).is_empty();
        if let (Some(untrusted), Some(trusted)) = (&untrusted, &trusted) {
            assert_eq!(trusted.thumbprint(), CertificateThumbprint::of(der));
            assert_eq!(tls_client_auth(untrusted, client, now), Err(Refusal::ClientCertificateUntrusted));
            assert!(usable || tls_client_auth(trusted, client, now).is_err());
            assert!(self_signed(trusted, &JwkSet::default(), now).is_err());
        }
    }
});
