//! Authorities, the certificates that they issue, and a server with a listener for mutual TLS.

use crate::directory::client_record;
use crate::harness::{Plan, Site, encode, until};
use crate::stores::Folder;
use crate::tls::certify;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::value::Issuer as IssuerUrl;
use grantor_server::{Mtls, Server, Settings, TlsFiles, World};
use grantor_store::Change;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedCipherSuite, SupportedProtocolVersion};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// A certificate, the chain that goes with it, and its key.
pub struct Identity {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

/// Somebody who issues certificates.
pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

/// The parameters of a certificate from 2026 to 2030, with a subject of `CN=name`. The tests begin in January 2027.
pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    (params.not_before, params.not_after) = (date_time_ymd(2026, 1, 1), date_time_ymd(2030, 1, 1));
    params
}

impl Authority {
    pub fn new(name: &str) -> Self {
        Self(CertifiedIssuer::self_signed(Self::params(name), KeyPair::generate().unwrap()).unwrap())
    }

    /// One that this one vouches for.
    pub fn subordinate(&self, change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = Self::params("subordinate");
        change(&mut params);
        Self(CertifiedIssuer::signed_by(params, KeyPair::generate().unwrap(), &self.0).unwrap())
    }

    /// For `CN=client`, but for what is changed.
    pub fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let mut params = params("client");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Identity { chain: vec![params.signed_by(&key, &self.0).unwrap().der().clone()], key }
    }

    fn params(name: &str) -> CertificateParams {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }
}

impl Identity {
    /// Nobody vouches for it.
    pub fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut params = params("client");
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        Self { chain: vec![params.self_signed(&key).unwrap().der().clone()], key }
    }

    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }

    /// Its public key, as a client registers it.
    pub fn jwk(&self) -> Value {
        let point = self.key.public_key_raw();
        let [x, y] = [&point[1..33], &point[33..]].map(grantor_jose::base64url::encode);
        json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
    }
}

/// A site that is served at a second listener too, with mutual TLS. The client `machine` is registered as the test
/// says.
pub struct Mutual {
    pub site: Site,
    pub server: Server,
    pub folder: Folder,
    pub port: u16,
    shown: CertificateDer<'static>,
}

pub const FORM: [(&str, &str); 3] =
    [("grant_type", "client_credentials"), ("client_id", "machine"), ("scope", "notes:read")];

impl Mutual {
    pub async fn start(roots: Option<&Authority>, machine: Value) -> Self {
        Self::with(roots, machine, |_| {}).await
    }

    pub async fn with(roots: Option<&Authority>, machine: Value, change: impl FnOnce(&mut Settings)) -> Self {
        let mut record = json!({"client_id": "machine", "grant_types": ["client_credentials"]});
        record.as_object_mut().unwrap().extend(machine.as_object().unwrap().clone());
        let declare = |changes: &mut Vec<Change>| changes.push(Change::PutClient(client_record(record)));
        let site = Site::planned(Plan::default(), declare).await;
        let folder = Folder::new();
        let client_roots = roots.map(|authority| {
            let path = folder.0.join("roots.pem");
            std::fs::write(&path, authority.0.pem()).unwrap();
            path
        });
        let shown = certify(&folder.0);
        let mut settings = Settings::new(IssuerUrl::parse(&site.issuer).unwrap());
        settings.mtls = Some(Mtls { client_roots, public_url: None });
        change(&mut settings);
        let world = Arc::clone(&site.world) as Arc<dyn World>;
        let server = Server::new(Arc::clone(&site.store), (site.master)(), settings, world).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mutual = Self { site, server, folder, port, shown };
        let (server, files) = (mutual.server.clone(), mutual.files());
        tokio::spawn(async move { server.run_mtls(listener, files, std::future::pending()).await.unwrap() });
        mutual
    }

    pub fn files(&self) -> TlsFiles {
        TlsFiles { certificate: self.folder.0.join("chain.pem"), key: self.folder.0.join("key.pem") }
    }

    /// Another listener of the same server, without mutual TLS: its port.
    pub async fn ordinary(&self, tls: Option<TlsFiles>) -> u16 {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = self.server.clone();
        tokio::spawn(async move { server.run(listener, tls, std::future::pending()).await.unwrap() });
        port
    }

    /// The configuration of a peer that trusts the server, and shows a certificate if it has one.
    pub fn peer(&self, identity: Option<&Identity>, versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        let builder = builder.with_root_certificates(self.roots());
        match identity {
            Some(identity) => builder.with_client_auth_cert(identity.chain.clone(), identity.key()).unwrap(),
            None => builder.with_no_client_auth(),
        }
    }

    /// The same without a certificate, and with one cipher suite alone.
    pub fn peer_with(&self, suite: SupportedCipherSuite) -> ClientConfig {
        let provider = CryptoProvider { cipher_suites: vec![suite], ..aws_lc_rs::default_provider() };
        let builder = ClientConfig::builder_with_provider(Arc::new(provider));
        let builder = builder.with_protocol_versions(&[suite.version()]).unwrap();
        builder.with_root_certificates(self.roots()).with_no_client_auth()
    }

    pub fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.shown.clone()).unwrap();
        roots
    }

    pub async fn connect(&self, config: &Arc<ClientConfig>) -> std::io::Result<Connection> {
        connect(self.port, config).await
    }

    /// Asks for a token over a connection of its own: the status, and the answer.
    pub async fn token(&self, identity: Option<&Identity>) -> (u16, Value) {
        let config = Arc::new(self.peer(identity, rustls::ALL_VERSIONS));
        let mut connection = self.connect(&config).await.unwrap();
        connection.token(&[]).await.unwrap()
    }

    /// The same, when it is refused: why.
    pub async fn refusal(&self, identity: Option<&Identity>) -> String {
        let (status, answer) = self.token(identity).await;
        assert_eq!((status, answer["error"].as_str()), (401, Some("invalid_client")), "{answer}");
        self.reason().await
    }

    /// Why the last token was refused, which no answer says.
    pub async fn reason(&self) -> String {
        let mut reason = None;
        until("the refusal is written down", async || {
            let events = self.site.events().await;
            let tokens = events.iter().filter(|event| event.action == Action::Token);
            let last = tokens.max_by_key(|event| event.id.to_string());
            reason = last
                .filter(|event| event.outcome == Outcome::Refused)
                .map(|event| event.details["reason"].as_str().unwrap().to_owned());
            reason.is_some()
        })
        .await;
        reason.unwrap()
    }
}

pub async fn connect(port: u16, config: &Arc<ClientConfig>) -> std::io::Result<Connection> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    let name = ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map(Connection)
}

/// A connection that is kept.
pub struct Connection(pub TlsStream<TcpStream>);

impl Connection {
    pub async fn token(&mut self, headers: &[(&str, &str)]) -> std::io::Result<(u16, Value)> {
        let form = encode(&FORM);
        let mut request = format!(
            "POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {}\r\n",
            form.len()
        );
        for (name, value) in headers {
            write!(request, "{name}: {value}\r\n").unwrap();
        }
        self.0.write_all(format!("{request}\r\n{form}").as_bytes()).await?;
        let mut read = Vec::new();
        loop {
            let text = String::from_utf8_lossy(&read);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.to_lowercase();
                let (_, length) = length.split_once("content-length: ").unwrap();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if body.len() == length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    return Ok((status, serde_json::from_str(body).unwrap()));
                }
            }
            let mut buffer = [0; 4096];
            match self.0.read(&mut buffer).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                some => read.extend_from_slice(&buffer[..some]),
            }
        }
    }
}
