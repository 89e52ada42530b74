//! The hot paths beside the ceiling of the hardware, for profilers.
//!
//! `cargo run --profile profiling -p grantor-server --example ceiling -- FOLDER [PROOFS]`
//!
//! Serves Grantor on port 4600, with a SQLite file in FOLDER, and the same stack with a fixed body on port 4601. Writes a
//! script for wrk into FOLDER for each path, then runs until it is killed. PROOFS says how many assertions and proofs are
//! made beforehand; each is good once, and for a minute.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs,
    reason = "a measurement"
)]
#![allow(clippy::format_push_string, reason = "scripts are written once")]

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use grantor_jose::{SigningAlgorithm, SigningKey, base64url, digest, jws};
use grantor_protocol::client::{Client, ClientMetadata, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::grant::Redemption;
use grantor_protocol::token::handle::RefreshHandle;
use grantor_protocol::value::{CodeId, GrantId, Issuer, Secret, TenantName, UnixTime};
use grantor_server::keyring::TenantKeys;
use grantor_server::{MasterKey, Server, Settings, SystemWorld, World};
use grantor_store::{Change, Store};
use grantor_store_sqlite::SqliteStore;
use http::header;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ISSUER: &str = "http://127.0.0.1:4600";
const BODY: &str = r#"{"access_token":"gr_at_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","token_type":"Bearer","expires_in":600}"#;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(run());
}

async fn run() {
    let folder = std::env::args().nth(1).unwrap();
    let proofs: usize = std::env::args().nth(2).map_or(0, |number| number.parse().unwrap());
    let folder = Path::new(&folder);
    let _ = std::fs::remove_file(folder.join("store"));
    let _ = std::fs::remove_file(folder.join("store-wal"));
    let _ = std::fs::remove_file(folder.join("store-shm"));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&folder.join("store")).unwrap());
    let now = (&SystemWorld as &dyn World).now();
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    store.change_directory(directory(&key), None).await.unwrap();
    let settings = Settings::new(Issuer::parse(ISSUER).unwrap());
    let master = || MasterKey::from_bytes([1; 32]);
    let server = Server::new(Arc::clone(&store), master(), settings, Arc::new(SystemWorld)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:4600").await.unwrap();
    tokio::spawn(async move { server.run(listener, None, std::future::pending()).await });
    tokio::spawn(ceiling());
    let records = store.directory().await.unwrap();
    let issuer = Issuer::parse(ISSUER).unwrap();
    let keys = TenantKeys::load(&master(), &TenantName::default(), &issuer, &records.keys, now).unwrap();
    let user = user_token(&store, &keys, now).await;
    scripts(folder, &user).await;
    if proofs > 0 {
        prove(folder, proofs, &key, now);
    }
    println!("ready");
    std::future::pending::<()>().await;
}

/// The same stack with a fixed body; each path with the cryptography that it says.
async fn ceiling() {
    let sign = |algorithm| {
        let key = Arc::new(SigningKey::generate(algorithm).unwrap());
        post(move |_: Bytes| {
            let key = Arc::clone(&key);
            async move {
                let token = jws::sign(&key, "at+jwt", BODY.as_bytes()).unwrap();
                std::hint::black_box(&token);
                answer()
            }
        })
    };
    let key = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let token = jws::sign(&key, "JWT", BODY.as_bytes()).unwrap();
    let verifier = Arc::new(key.verifying_key().unwrap());
    let router = Router::new()
        .route("/fixed", get(async || answer()).post(async |_: Bytes| answer()))
        .route("/es256", sign(SigningAlgorithm::Es256))
        .route("/eddsa", sign(SigningAlgorithm::EdDsa))
        .route("/rs256", sign(SigningAlgorithm::Rs256))
        .route(
            "/verify",
            post(move |_: Bytes| {
                let (verifier, token) = (Arc::clone(&verifier), token.clone());
                async move {
                    jws::Unverified::parse(&token).unwrap().verify(&verifier).unwrap();
                    answer()
                }
            }),
        );
    let listener = TcpListener::bind("127.0.0.1:4601").await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut builder = http1::Builder::new();
            builder
                .timer(TokioTimer::new())
                .header_read_timeout(std::time::Duration::from_secs(30))
                .max_buf_size(64 * 1024);
            let _ = builder.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

fn answer() -> ([(header::HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "application/json")], BODY)
}

fn secret(client: &str) -> String {
    ClientSecret::new(digest::sha256(client.as_bytes())).into_secret().expose().to_owned()
}

fn directory(key: &SigningKey) -> Vec<Change> {
    let mut changes = Vec::new();
    for (name, token) in [
        ("opaque", json!({"format": "opaque"})),
        ("es256", json!({"algorithm": "ES256"})),
        ("eddsa", json!({"algorithm": "EdDSA"})),
        ("rs256", json!({"algorithm": "RS256"})),
    ] {
        changes.push(Change::PutApi(
            serde_json::from_value(json!({
                "audience": format!("https://{name}.example"), "name": name, "token": token, "resource_servers": ["api"],
                "scopes": [{"name": format!("{name}:read")}, {"name": format!("{name}:write")}],
                "ceilings": [{"client_id": "machine", "scope": format!("{name}:read {name}:write")},
                             {"client_id": "signer", "scope": format!("{name}:read {name}:write")}],
            }))
            .unwrap(),
        ));
    }
    let clients = [
        json!({"client_id": "machine", "grant_types": ["client_credentials"]}),
        json!({"client_id": "api", "grant_types": ["client_credentials"]}),
        json!({"client_id": "signer", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt",
               "jwks": {"keys": [key.public_jwk()]}}),
        json!({"client_id": "web", "redirect_uris": ["https://app.example/cb"],
               "grant_types": ["authorization_code", "refresh_token"]}),
    ];
    for metadata in clients {
        let metadata: ClientMetadata = serde_json::from_value(metadata).unwrap();
        let hash = SecretHash::quick(&Secret::new(secret(metadata.client_id.as_str())));
        let created = UnixTime::new(0);
        let secrets = vec![StoredSecret { hash, created, expires: None }];
        changes.push(Change::PutClient(Client { metadata, secrets, issued_at: created }));
    }
    let user = json!({"tenant": "default", "sub": "u1", "username": "alice",
        "claims": {"name": "Alice Liddell", "email": "alice@example.com", "email_verified": true}});
    changes.push(Change::PutUser(serde_json::from_value(user).unwrap()));
    changes
}

/// An access token of a user, by a refresh token of a grant that is written directly.
async fn user_token(store: &Arc<dyn Store>, keys: &TenantKeys, now: UnixTime) -> String {
    let terms = json!({
        "client": "web", "subject": "u1", "refreshable": true, "created": now, "idle": 86_400, "ends": now.get() + 864_000,
        "access": {ISSUER: "openid profile email"}, "authentication": {"time": now, "acr": "1", "amr": ["pwd"]},
    });
    let grant = GrantId::new(1, [1; 10]);
    let redemption = Redemption {
        code: CodeId::new(1, [1; 10]),
        remember_until: now,
        grant,
        terms: serde_json::from_value(terms).unwrap(),
        event: grantor_store::contract::samples::event(TenantName::default(), 1),
        falls_when_replayed: true,
    };
    store.redeem(&TenantName::default(), redemption, now).await.unwrap();
    let refresh = keys.handles.refresh_token(RefreshHandle { grant, generation: 0 }).unwrap();
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    token("web", &form).await
}

fn basic(client: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("{client}:{}", secret(client)))
}

async fn token(client: &str, form: &str) -> String {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let request = reqwest::Client::new().post(format!("{ISSUER}/token"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let request = request.header("authorization", format!("Basic {}", basic(client)));
    let answer = request.body(form.to_owned()).send().await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

async fn scripts(folder: &Path, user: &str) {
    let write = |name: &str, url: &str, client: Option<&str>, body: Option<&str>| {
        let mut script = String::new();
        if let Some(body) = body {
            script += &format!("wrk.method = 'POST'\nwrk.body = '{body}'\n");
            script += "wrk.headers['content-type'] = 'application/x-www-form-urlencoded'\n";
        }
        if let Some(client) = client {
            let credential =
                if client.starts_with("Bearer") { client.to_owned() } else { format!("Basic {}", basic(client)) };
            script += &format!("wrk.headers['authorization'] = '{credential}'\n");
        }
        std::fs::write(folder.join(format!("{name}.lua")), format!("-- {url}\n{script}")).unwrap();
    };
    let fixed = "http://127.0.0.1:4601";
    let form = "grant_type=client_credentials&scope=opaque%3Aread";
    write("fixed-get", &format!("{fixed}/fixed"), None, None);
    write("fixed-post", &format!("{fixed}/fixed"), Some("machine"), Some(form));
    for name in ["es256", "eddsa", "rs256", "verify"] {
        write(&format!("fixed-{name}"), &format!("{fixed}/{name}"), Some("machine"), Some(form));
    }
    write("metadata", &format!("{ISSUER}/.well-known/oauth-authorization-server"), None, None);
    write("jwks", &format!("{ISSUER}/jwks"), None, None);
    for name in ["opaque", "es256", "eddsa", "rs256"] {
        let form = format!("grant_type=client_credentials&scope={name}%3Aread");
        write(&format!("cc-{name}"), &format!("{ISSUER}/token"), Some("machine"), Some(&form));
        let token = token("machine", &form).await;
        let form = format!("token={token}");
        write(&format!("introspect-{name}"), &format!("{ISSUER}/introspect"), Some("api"), Some(&form));
    }
    write("userinfo", &format!("{ISSUER}/userinfo"), Some(&format!("Bearer {user}")), None);
}

/// Assertions and proofs, each in a table of its own script.
fn prove(folder: &Path, count: usize, key: &SigningKey, now: UnixTime) {
    let own = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
    let (mut assertions, mut proofs) = (String::new(), String::new());
    for _ in 0..count {
        let jti = base64url::encode((&SystemWorld as &dyn World).random::<16>());
        let claims =
            json!({"iss": "signer", "sub": "signer", "aud": ISSUER, "jti": jti, "iat": now, "exp": now.get() + 50});
        assertions += &jws::sign(key, "JWT", claims.to_string().as_bytes()).unwrap();
        assertions.push('\n');
        let claims = json!({"jti": jti, "htm": "POST", "htu": format!("{ISSUER}/token"), "iat": now});
        let extra = [("jwk".to_owned(), serde_json::to_value(own.public_jwk()).unwrap())].into_iter().collect();
        proofs += &jws::sign_with_header(&own, "dpop+jwt", &extra, claims.to_string().as_bytes()).unwrap();
        proofs.push('\n');
    }
    std::fs::write(folder.join("assertions"), assertions).unwrap();
    std::fs::write(folder.join("proofs"), proofs).unwrap();
    let lines = |name: &str| {
        format!(
            "local lines = {{}}\nfor line in io.lines('{}') do lines[#lines + 1] = line end\nlocal n = 0\n",
            folder.join(name).display()
        )
    };
    let headers = "['content-type'] = 'application/x-www-form-urlencoded'";
    let form = "grant_type=client_credentials&scope=es256%3Aread";
    let kind = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let script = format!(
        "-- {ISSUER}/token\n{}function request()\nn = n + 1\nreturn wrk.format('POST', '/token', {{{headers}}}, '{form}&{kind}&client_assertion=' .. (lines[n] or ''))\nend\n",
        lines("assertions")
    );
    std::fs::write(folder.join("private-key-jwt.lua"), script).unwrap();
    let script = format!(
        "-- {ISSUER}/token\n{}function request()\nn = n + 1\nreturn wrk.format('POST', '/token', {{{headers}, ['authorization'] = 'Basic {}', ['dpop'] = (lines[n] or '')}}, '{form}')\nend\n",
        lines("proofs"),
        basic("machine")
    );
    std::fs::write(folder.join("dpop.lua"), script).unwrap();
}
