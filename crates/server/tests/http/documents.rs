//! Clients that describe themselves at the URL that is their `client_id`
//! (draft-ietf-oauth-client-id-metadata-document).

use crate::harness::{Answer, Browser, PASSWORD, Plan, Site, VERIFIER, text};
use grantor_protocol::directory::Tenant;
use grantor_store::{Change, MemoryStore, Store};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;

/// A host with one document, which can be changed.
struct Host {
    port: u16,
    root: CertificateDer<'static>,
    document: Arc<Mutex<Value>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let root = made.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![root.clone()], key);
        let tls = TlsAcceptor::from(Arc::new(config.unwrap()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (document, asked) = (Arc::new(Mutex::new(json!({}))), Arc::new(AtomicUsize::new(0)));
        let host = Self { port, root, document: Arc::clone(&document), asked: Arc::clone(&asked) };
        *document.lock().unwrap() = host.described(json!({}));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, document, asked) = (tls.clone(), Arc::clone(&document), Arc::clone(&asked));
                tokio::spawn(async move {
                    let mut stream = tls.accept(stream).await?;
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(stream.read_u8().await?);
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    let body = document.lock().unwrap().to_string();
                    let length = body.len();
                    let head =
                        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length:";
                    stream.write_all(format!("{head} {length}\r\n\r\n{body}").as_bytes()).await?;
                    stream.shutdown().await
                });
            }
        });
        host
    }

    fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    fn client(&self) -> String {
        self.url("/client.json")
    }

    /// A document that is fine, changed.
    fn described(&self, change: Value) -> Value {
        let mut document = json!({"client_id": self.client(), "client_name": "Tool", "redirect_uris": [self.url("/cb")],
            "grant_types": ["authorization_code", "refresh_token"], "token_endpoint_auth_method": "none"});
        let Value::Object(change) = change else { panic!("an object") };
        document.as_object_mut().unwrap().extend(change);
        document
    }

    /// A node that may fetch from here, with this policy; the first one writes the directory.
    async fn node(&self, store: &Arc<dyn Store>, policy: &Value, declare: bool) -> Site {
        let outgoing = grantor_fetch::Settings {
            extra_roots: vec![self.root.clone()],
            allowed_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        };
        let issuer = Some("http://localhost:8080".to_owned());
        let plan = Plan { store: Arc::clone(store), issuer, declare, outgoing, ..Plan::default() };
        let tenant: Tenant = serde_json::from_value(json!({"name": "default", "registration": policy})).unwrap();
        Site::planned(plan, |changes| changes.push(Change::PutTenant(tenant))).await
    }

    async fn site(&self, policy: &Value) -> Site {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        self.node(&store, policy, true).await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// The first page of a request of its client, after the sign-in.
    async fn asks<'a>(&self, site: &'a Site) -> (Browser<'a>, Answer) {
        let mut browser = Browser::new(site);
        let callback = self.url("/cb");
        let page = browser.start(&self.client(), &[("redirect_uri", &callback), ("scope", "openid")]).await;
        if !page.body.contains("name=\"password\"") {
            return (browser, page);
        }
        let page = browser.sign_in(&page, "alice", PASSWORD).await;
        (browser, page)
    }

    async fn redeem(&self, site: &Site, code: &str) -> Answer {
        let (client, callback) = (self.client(), self.url("/cb"));
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", VERIFIER),
        ];
        site.form("/token", &[], &fields).await
    }
}

fn open() -> Value {
    json!({"metadata_documents": true, "tiers": [{"name": "any", "hosts": ["*"]}]})
}

#[tokio::test]
async fn cimd_3_a_url_is_a_client_and_its_host_is_shown() {
    let host = Host::start().await;
    let site = host.site(&open()).await;
    let metadata = site.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let (mut browser, page) = host.asks(&site).await;
    assert!(page.body.contains("Tool") && page.body.contains("This app is not registered here"), "{}", page.body);
    assert!(page.body.contains("<bdi>localhost</bdi>") && !page.body.contains("urn:grantor"), "{}", page.body);
    let answer = browser.decide(&page, "allow", None).await;
    let tokens = host.redeem(&site, &answer.param("code").unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    let userinfo = site.bearer("/userinfo", text(&tokens, "access_token")).await;
    assert_eq!((userinfo.status.as_u16(), userinfo.json()["sub"].as_str()), (200, Some("sub-of-alice")));
    let client = host.client();
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", text(&tokens, "refresh_token"))];
    let refreshed = site.form("/token", &[], &refresh).await.json();
    assert_ne!(refreshed["refresh_token"], tokens["refresh_token"]);
    assert_eq!(host.asked(), 1, "the document is kept");
    let apps = browser.get("/applications").await.body;
    assert!(apps.contains("Tool") && !apps.contains("urn:grantor"), "{apps}");
    let stored = site.store.directory().await.unwrap();
    assert!(
        stored.clients.iter().all(|stored| stored.metadata.client_id.as_str() != client),
        "nothing of it is stored"
    );
}

#[tokio::test]
async fn a_changed_document_asks_for_consent_again() {
    let host = Host::start().await;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let first = host.node(&store, &open(), true).await;
    let (mut browser, page) = host.asks(&first).await;
    assert!(browser.decide(&page, "allow", None).await.param("code").is_some());
    let (_, again) = host.asks(&first).await;
    assert!(again.param("code").is_some(), "he was asked once: {}", again.body);
    // Another node knows nothing of what the first one read.
    *host.document.lock().unwrap() = host.described(json!({"contacts": ["a@b.example"]}));
    let second = host.node(&store, &open(), false).await;
    assert!(host.asks(&second).await.1.param("code").is_some(), "whom to ask does not matter to him");
    *host.document.lock().unwrap() = host.described(json!({"client_name": "Your Bank"}));
    let third = host.node(&store, &open(), false).await;
    let (mut browser, page) = host.asks(&third).await;
    assert!(page.body.contains("Your Bank") && page.body.contains("value=\"allow\""), "{}", page.body);
    assert!(browser.decide(&page, "allow", None).await.param("code").is_some());
    assert!(host.asks(&third).await.1.param("code").is_some());
}

#[tokio::test]
async fn cimd_3_no_document_is_fetched_that_the_policy_does_not_allow() {
    let host = Host::start().await;
    let elsewhere = json!({"metadata_documents": true, "tiers": [{"name": "t", "hosts": ["app.example"]}]});
    let off = json!({"dynamic": "open", "tiers": [{"name": "any", "hosts": ["*"]}]});
    for policy in [json!({}), elsewhere, off] {
        let site = host.site(&policy).await;
        let (_, page) = host.asks(&site).await;
        assert_eq!(page.status, 400, "{policy}");
    }
    let site = host.site(&open()).await;
    for id in [
        host.url(""),
        host.url("/a/../client.json"),
        host.url("/client.json#x"),
        host.client().replace("https", "http"),
    ] {
        let answer = site.form("/token", &[], &[("grant_type", "refresh_token"), ("client_id", &id)]).await;
        assert_eq!(answer.error(), "invalid_client", "{id}");
    }
    assert_eq!(host.asked(), 0);
}

#[tokio::test]
async fn cimd_4_a_document_that_is_not_its_own_or_has_secrets_is_no_client() {
    let host = Host::start().await;
    for wrong in [
        json!({"client_id": host.url("/other.json")}),
        json!({"token_endpoint_auth_method": "client_secret_basic"}),
        json!({"client_secret": "x"}),
        json!({"redirect_uris": ["https://evil.example/cb"]}),
        json!({"redirect_uris": []}),
        json!({"client_name": null}),
    ] {
        *host.document.lock().unwrap() = host.described(wrong.clone());
        let site = host.site(&open()).await;
        let (_, page) = host.asks(&site).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{wrong}");
    }
    // A document without a client id, or no document at all.
    *host.document.lock().unwrap() = json!({"redirect_uris": [host.url("/cb")]});
    assert_eq!(host.asks(&host.site(&open()).await).await.1.status, 400);
}

#[tokio::test]
async fn the_guard_stands_before_documents() {
    let host = Host::start().await;
    let site = Site::with(|changes| {
        changes.push(Change::PutTenant(
            serde_json::from_value(json!({"name": "default", "registration": open()})).unwrap(),
        ));
    })
    .await;
    let (_, page) = host.asks(&site).await;
    assert_eq!((page.status.as_u16(), host.asked()), (400, 0), "an address that is not public is not asked");
}

#[tokio::test]
async fn a_policy_that_drops_a_host_takes_back_its_clients_tokens() {
    let host = Host::start().await;
    let site = host.site(&open()).await;
    let (mut browser, page) = host.asks(&site).await;
    let answer = browser.decide(&page, "allow", None).await;
    let tokens = host.redeem(&site, &answer.param("code").unwrap()).await.json();
    let token = text(&tokens, "access_token");
    assert_eq!(site.bearer("/userinfo", token).await.status, 200);
    let tenant: Tenant = serde_json::from_value(json!({"name": "default"})).unwrap();
    site.change(vec![Change::PutTenant(tenant)]).await;
    assert_eq!(site.bearer("/userinfo", token).await.status, 401);
    let client = host.client();
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", &client), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(site.form("/token", &[], &refresh).await.error(), "invalid_client");
}
