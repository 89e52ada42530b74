//! TLS built in.

use crate::harness::Site;
use grantor_server::TlsFiles;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A fresh certificate for localhost, written to the two files.
pub fn certify(folder: &Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(folder.join("chain.pem"), made.cert.pem()).unwrap();
    made.cert.der().clone()
}

/// The status line of `/health`, if the server shows a certificate that is trusted.
async fn health(
    port: u16,
    trusted: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config =
        ClientConfig::builder_with_protocol_versions(&[version]).with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn rfc8446_tls_1_2_and_1_3_and_a_certificate_that_is_followed() {
    let site = Site::start().await;
    let folder = std::env::temp_dir().join(format!("grantor-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let first = certify(&folder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let files = TlsFiles { certificate: folder.join("chain.pem"), key: folder.join("key.pem") };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = site.server.clone();
    let running = tokio::spawn(async move { server.run(listener, Some(files), async { drop(stopped.await) }).await });
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        assert_eq!(health(port, &first, version).await.unwrap(), "HTTP/1.1 200 OK");
    }
    let second = certify(&folder);
    let mut shown = false;
    for _ in 0..100 {
        shown = health(port, &second, &rustls::version::TLS13).await.is_ok();
        if shown {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(shown, "the new certificate is not shown");
    assert!(health(port, &first, &rustls::version::TLS13).await.is_err());
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
}
