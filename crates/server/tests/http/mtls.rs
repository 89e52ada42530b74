//! Mutual TLS (RFC 8705) and what proxies say of it (RFC 9440).

mod made;

use crate::harness::{Site, base64_standard, claims, encode, text, until};
use crate::stores::Folder;
use crate::tls::certify;
use grantor_protocol::token::CertificateThumbprint;
use grantor_protocol::value::Issuer;
use grantor_server::{Mtls, Server, Settings, TlsFiles, World};
use made::{Authority, FORM, Identity, Mutual, connect, params};
use rcgen::{DnType, ExtendedKeyUsagePurpose, KeyPair, SanType, date_time_ymd};
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SignatureScheme};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const UNTRUSTED: &str = "client certificate untrusted";
const MISMATCH: &str = "client certificate mismatch";

fn by_subject() -> Value {
    json!({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_subject_dn": "CN=client"})
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

#[tokio::test]
async fn rfc8705_2_1_a_client_of_an_authority_that_is_trusted() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let client = authority.issue(|_| {});
    for versions in [&TLS12, &TLS13] {
        let config = Arc::new(mutual.peer(Some(&client), &[versions]));
        let (status, answer) = mutual.connect(&config).await.unwrap().token(&[]).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }
    let for_clients = authority.issue(|params| {
        params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
    });
    assert_eq!(mutual.token(Some(&for_clients)).await.0, 200);
}

#[tokio::test]
async fn rfc8705_2_1_a_chain_that_leads_elsewhere_is_worth_nothing() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    // Of the same name as the one that is trusted.
    let other = Authority::new("authority").issue(|_| {});
    let expired = authority.issue(|params| params.not_after = date_time_ymd(2027, 1, 1));
    let not_yet = authority.issue(|params| params.not_before = date_time_ymd(2028, 1, 1));
    let for_servers = authority.issue(|params| params.extended_key_usages.push(ExtendedKeyUsagePurpose::ServerAuth));
    let self_signed = Identity::self_signed(|_| {});
    // A certificate of a client vouches for nobody.
    let from_client = rcgen::Issuer::new(params("client"), KeyPair::generate().unwrap());
    let key = KeyPair::generate().unwrap();
    let leaf = params("client").signed_by(&key, &from_client).unwrap().der().clone();
    let between = params("client").signed_by(from_client.key(), &authority.0).unwrap().der().clone();
    let by_a_client = Identity { chain: vec![leaf, between], key };
    for (index, identity) in [other, expired, not_yet, for_servers, self_signed, by_a_client].iter().enumerate() {
        assert_eq!(mutual.refusal(Some(identity)).await, UNTRUSTED, "{index}");
    }
    assert_eq!(mutual.refusal(None).await, "no client certificate");
}

#[tokio::test]
async fn rfc5280_6_1_intermediate_authorities_are_followed() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let chained = |between: Authority| {
        let mut identity = between.issue(|_| {});
        identity.chain.push(between.0.der().clone());
        identity
    };
    assert_eq!(mutual.token(Some(&chained(authority.subordinate(|_| {})))).await.0, 200);
    let expired = chained(authority.subordinate(|params| params.not_after = date_time_ymd(2027, 1, 1)));
    assert_eq!(mutual.refusal(Some(&expired)).await, UNTRUSTED);
    let mut alone = chained(authority.subordinate(|_| {}));
    alone.chain.truncate(1);
    assert_eq!(mutual.refusal(Some(&alone)).await, UNTRUSTED);
}

#[tokio::test]
async fn rfc8705_2_1_2_the_subject_decides_and_no_other_name() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let another = authority.issue(|changed| changed.distinguished_name = params("other").distinguished_name);
    let more = authority.issue(|params| params.distinguished_name.push(DnType::OrganizationName, "Example"));
    let elsewhere = authority.issue(|changed| {
        changed.distinguished_name = params("other").distinguished_name;
        changed.subject_alt_names = vec![dns("client")];
    });
    for identity in [another, more, elsewhere] {
        assert_eq!(mutual.refusal(Some(&identity)).await, MISMATCH);
    }
    let by_name = json!({"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "client.example"});
    let mutual = Mutual::start(Some(&authority), by_name).await;
    let right = authority.issue(|params| params.subject_alt_names = vec![dns("other.example"), dns("CLIENT.example")]);
    assert_eq!(mutual.token(Some(&right)).await.0, 200);
    let subject_alone =
        authority.issue(|changed| changed.distinguished_name = params("client.example").distinguished_name);
    let wildcard = authority.issue(|params| params.subject_alt_names = vec![dns("*.example")]);
    for identity in [subject_alone, wildcard] {
        assert_eq!(mutual.refusal(Some(&identity)).await, MISMATCH);
    }
}

#[tokio::test]
async fn rfc8705_2_1_without_authorities_nobody_is_trusted() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(None, by_subject()).await;
    assert_eq!(mutual.refusal(Some(&authority.issue(|_| {}))).await, UNTRUSTED);
}

#[tokio::test]
async fn rfc8705_2_2_a_key_that_the_client_registered() {
    let (right, wrong) = (Identity::self_signed(|_| {}), Identity::self_signed(|_| {}));
    let method = "self_signed_tls_client_auth";
    let machine = json!({"token_endpoint_auth_method": method, "jwks": {"keys": [right.jwk()]}});
    let mutual = Mutual::start(None, machine).await;
    assert_eq!(mutual.token(Some(&right)).await.0, 200);
    assert_eq!(mutual.refusal(Some(&wrong)).await, MISMATCH);
    assert_eq!(mutual.refusal(None).await, "no client certificate");
    let again = params("client").self_signed(&right.key).unwrap().der().clone();
    let renewed = Identity { chain: vec![again], key: KeyPair::from_pem(&right.key.serialize_pem()).unwrap() };
    assert_eq!(mutual.token(Some(&renewed)).await.0, 200, "the key is registered, not the certificate");
    let mut expired = params("client");
    expired.not_after = date_time_ymd(2027, 1, 1);
    let chain = vec![expired.self_signed(&right.key).unwrap().der().clone()];
    assert_eq!(mutual.refusal(Some(&Identity { chain, key: right.key })).await, UNTRUSTED);
}

#[tokio::test]
async fn rfc8705_3_a_token_is_bound_to_the_certificate() {
    let authority = Authority::new("authority");
    let mut machine = by_subject();
    machine["tls_client_certificate_bound_access_tokens"] = json!(true);
    let mutual = Mutual::start(Some(&authority), machine).await;
    let client = authority.issue(|_| {});
    let (status, answer) = mutual.token(Some(&client)).await;
    assert_eq!(status, 200, "{answer}");
    let thumbprint = CertificateThumbprint::of(&client.chain[0]).to_string();
    assert_eq!(claims(text(&answer, "access_token"))["cnf"], json!({"x5t#S256": thumbprint}));
}

/// Shows a certificate, and signs with another key.
#[derive(Debug)]
struct Liar(Arc<CertifiedKey>);

impl ResolvesClientCert for Liar {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn rfc8446_4_4_3_a_certificate_without_its_key_is_worth_nothing() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let (client, thief) = (authority.issue(|_| {}), Identity::self_signed(|_| {}));
    let key = aws_lc_rs::default_provider().key_provider.load_private_key(thief.key()).unwrap();
    for version in [&TLS12, &TLS13] {
        let mut config = mutual.peer(None, &[version]);
        let lie = CertifiedKey::new(client.chain.clone(), Arc::clone(&key));
        config.client_auth_cert_resolver = Arc::new(Liar(Arc::new(lie)));
        // With TLS 1.3 the client has finished before the server looks.
        if let Ok(mut connection) = mutual.connect(&Arc::new(config)).await {
            assert!(connection.token(&[]).await.is_err(), "{version:?}");
        }
    }
}

#[tokio::test]
async fn rfc8446_2_2_a_resumed_session_has_the_certificate_that_it_began_with() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let client = authority.issue(|params| params.not_after = date_time_ymd(2027, 2, 1));
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(mutual.peer(Some(&client), &[version]));
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let mut connection = mutual.connect(&config).await.unwrap();
            let (status, answer) = connection.token(&[]).await.unwrap();
            assert_eq!(connection.0.get_ref().1.handshake_kind(), Some(kind));
            assert_eq!(status, 200, "{answer}");
        }
    }
    let config = Arc::new(mutual.peer(Some(&client), &[&TLS13]));
    assert_eq!(mutual.connect(&config).await.unwrap().token(&[]).await.unwrap().0, 200);
    mutual.site.later(20 * 24 * 3600);
    let mut connection = mutual.connect(&config).await.unwrap();
    assert_eq!(connection.token(&[]).await.unwrap().0, 401, "it has expired meanwhile");
    assert_eq!(connection.0.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    assert_eq!(mutual.reason().await, UNTRUSTED);
}

#[tokio::test]
async fn rfc5280_4_1_2_5_a_certificate_expires_while_its_connection_lasts() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let client = authority.issue(|params| params.not_after = date_time_ymd(2027, 2, 1));
    let config = Arc::new(mutual.peer(Some(&client), rustls::ALL_VERSIONS));
    let mut connection = mutual.connect(&config).await.unwrap();
    assert_eq!(connection.token(&[]).await.unwrap().0, 200);
    mutual.site.later(20 * 24 * 3600);
    assert_eq!(connection.token(&[]).await.unwrap().0, 401);
    assert_eq!(mutual.reason().await, UNTRUSTED);
}

#[tokio::test]
async fn rfc8705_2_1_an_authority_is_trusted_until_it_is_not() {
    let (first, second) = (Authority::new("first"), Authority::new("second"));
    let mutual = Mutual::start(Some(&first), by_subject()).await;
    let client = first.issue(|_| {});
    let config = Arc::new(mutual.peer(Some(&client), rustls::ALL_VERSIONS));
    let mut kept = mutual.connect(&config).await.unwrap();
    assert_eq!(kept.token(&[]).await.unwrap().0, 200);
    std::fs::write(mutual.folder.0.join("roots.pem"), second.0.pem()).unwrap();
    until("the authorities are read anew", async || {
        mutual.site.later(10);
        kept.token(&[]).await.unwrap().0 == 401
    })
    .await;
    assert_eq!(mutual.reason().await, UNTRUSTED);
    assert_eq!(mutual.token(Some(&second.issue(|_| {}))).await.0, 200);
}

#[tokio::test]
async fn rfc8705_2_1_authorities_that_cannot_be_read_show_at_the_start() {
    let site = Site::start().await;
    let folder = Folder::new();
    certify(&folder.0);
    let roots = folder.0.join("roots.pem");
    for content in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")] {
        if let Some(content) = content {
            std::fs::write(&roots, content).unwrap();
        }
        let mut settings = Settings::new(Issuer::parse(&site.issuer).unwrap());
        settings.mtls = Some(Mtls { client_roots: Some(roots.clone()), public_url: None });
        let world = Arc::clone(&site.world) as Arc<dyn World>;
        let server = Server::new(Arc::clone(&site.store), (site.master)(), settings, world).await.unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let files = TlsFiles { certificate: folder.0.join("chain.pem"), key: folder.0.join("key.pem") };
        let refused = server.run_mtls(listener, files, std::future::pending()).await.unwrap_err();
        assert!(refused.to_string().contains("roots.pem"), "{refused}");
    }
}

#[tokio::test]
async fn rfc9325_4_2_tls_1_2_with_what_fapi_permits() {
    let authority = Authority::new("authority");
    let permitted = [
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        cipher_suite::TLS13_AES_128_GCM_SHA256,
        cipher_suite::TLS13_AES_256_GCM_SHA384,
    ];
    let other = cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256;
    for fapi_tls in [false, true] {
        let mutual = Mutual::with(Some(&authority), by_subject(), |settings| settings.fapi_tls = fapi_tls).await;
        let ordinary = mutual.ordinary(Some(mutual.files())).await;
        for port in [mutual.port, ordinary] {
            for suite in permitted {
                assert!(connect(port, &Arc::new(mutual.peer_with(suite))).await.is_ok(), "{suite:?}");
            }
            assert_eq!(connect(port, &Arc::new(mutual.peer_with(other))).await.is_err(), fapi_tls);
        }
    }
}

/// Has no certificate, and notes whether it is asked for one.
#[derive(Debug, Default)]
struct Asked(AtomicBool);

impl ResolvesClientCert for Asked {
    fn resolve(&self, authorities: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        assert!(authorities.is_empty(), "no client is told which authorities would do");
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn rfc8705_5_only_one_listener_asks_for_certificates() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let ordinary = mutual.ordinary(Some(mutual.files())).await;
    for (port, asks) in [(mutual.port, true), (ordinary, false)] {
        for version in [&TLS12, &TLS13] {
            let asked = Arc::new(Asked::default());
            let mut config = mutual.peer(None, &[version]);
            config.client_auth_cert_resolver = Arc::clone(&asked) as Arc<dyn ResolvesClientCert>;
            let (status, _) = connect(port, &Arc::new(config)).await.unwrap().token(&[]).await.unwrap();
            assert_eq!((status, asked.0.load(Ordering::Relaxed)), (401, asks), "{version:?}");
        }
    }
}

/// The status of a request for a token with these headers, at a listener without TLS.
async fn plain(mutual: &Mutual, port: u16, headers: &[(&str, &str)]) -> u16 {
    let mut request = mutual.site.http.post(format!("http://127.0.0.1:{port}/token"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&FORM));
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn rfc9440_4_what_a_proxy_says_of_its_client() {
    let authority = Authority::new("authority");
    let identity = authority.issue(|_| {});
    let said = format!(":{}:", base64_standard(&identity.chain[0]));
    let another =
        Authority::new("another").issue(|changed| changed.distinguished_name = params("x").distinguished_name);
    let other = format!(":{}:", base64_standard(&another.chain[0]));
    for (proxy, wanted) in [("127.0.0.1/32", true), ("127.0.0.1/32", false), ("192.0.2.1/32", true)] {
        let believed = proxy == "127.0.0.1/32" && wanted;
        let mutual = Mutual::with(Some(&authority), by_subject(), |settings| {
            settings.trusted_proxies = vec![proxy.parse().unwrap()];
            settings.client_cert_header = wanted;
        })
        .await;
        let port = mutual.ordinary(None).await;
        assert_eq!(plain(&mutual, port, &[("client-cert", &said)]).await, if believed { 200 } else { 401 });
        let reason = if believed { MISMATCH } else { "no client certificate" };
        assert_eq!(plain(&mutual, port, &[("client-cert", &other)]).await, 401);
        assert_eq!(mutual.reason().await, reason);
        assert_eq!(plain(&mutual, port, &[]).await, 401);
        let twice = [("client-cert", said.as_str()), ("client-cert", said.as_str())];
        for malformed in [&twice[..], &[("client-cert", &said[1..])], &[("client-cert", "")]] {
            assert_eq!(plain(&mutual, port, malformed).await, if believed { 400 } else { 401 });
        }
        // Whoever connects with mutual TLS speaks for itself, from whichever address.
        let config = Arc::new(mutual.peer(None, rustls::ALL_VERSIONS));
        let mut connection = mutual.connect(&config).await.unwrap();
        assert_eq!(connection.token(&[("client-cert", &said)]).await.unwrap().0, 401);
        assert_eq!(mutual.reason().await, "no client certificate");
    }
}

#[tokio::test]
async fn rfc8705_3_an_api_behind_a_proxy_gets_a_token_from_the_owner_of_its_certificate_alone() {
    let authority = Authority::new("authority");
    let (owner, thief) = (authority.issue(|_| {}), authority.issue(|_| {}));
    let mut machine = by_subject();
    machine["tls_client_certificate_bound_access_tokens"] = json!(true);
    let mutual = Mutual::with(Some(&authority), machine, |settings| {
        settings.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        settings.client_cert_header = true;
        settings.forward_auth = true;
    })
    .await;
    let (_, answer) = mutual.token(Some(&owner)).await;
    let (token, port) = (text(&answer, "access_token"), mutual.ordinary(None).await);
    let question = format!("http://127.0.0.1:{port}/forward-auth?{}", encode(&[("resource", &mutual.site.notes())]));
    let ask = async |said: Option<&str>| {
        let request = mutual.site.http.get(&question).bearer_auth(token);
        let request = said.into_iter().fold(request, |request, said| request.header("client-cert", said));
        request.send().await.unwrap().status().as_u16()
    };
    let said = |identity: &Identity| format!(":{}:", base64_standard(&identity.chain[0]));
    assert_eq!(ask(Some(&said(&owner))).await, 200);
    assert_eq!(ask(Some(&said(&thief))).await, 401);
    assert_eq!(ask(None).await, 401);
}

#[tokio::test]
async fn rfc9113_9_2_the_certificate_of_a_connection_with_many_streams() {
    let authority = Authority::new("authority");
    let mutual = Mutual::start(Some(&authority), by_subject()).await;
    let client = authority.issue(|_| {});
    let mut config = mutual.peer(Some(&client), rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let http = reqwest::Client::builder().tls_backend_preconfigured(config);
    let http = http.build().unwrap();
    let ask = async || {
        let url = format!("https://localhost:{}/token", mutual.port);
        let form = http.post(url).header("content-type", "application/x-www-form-urlencoded").body(encode(&FORM));
        let answer = form.send().await.unwrap();
        (answer.version(), answer.status().as_u16())
    };
    let (first, second, third) = tokio::join!(ask(), ask(), ask());
    for answer in [first, second, third] {
        assert_eq!(answer, (reqwest::Version::HTTP_2, 200));
    }
}
