//! A real server on a real port, a clock that is set by hand, and a browser that fills in forms.

use crate::directory::{client_record, directory};
use grantor_jose::jws::Unverified;
use grantor_jose::{Jwk, SigningAlgorithm, VerifyingKey, base64url, digest};
use grantor_protocol::audit::Event;
use grantor_protocol::client::{Client, ClientSecret};
use grantor_protocol::value::{Issuer, TenantName};
use grantor_server::{MasterKey, Server, Settings, World};
use grantor_store::{Change, MemoryStore, Store};
use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const PASSWORD: &str = "correct horse battery";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CALLBACK: &str = "https://app.example/cb";

/// A clock that moves when it is told to.
pub struct TestWorld(AtomicU64);

impl TestWorld {
    pub fn pass(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl World for TestWorld {
    fn millis(&self) -> u64 {
        // What is made one after another differs in time.
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).unwrap();
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What a site is made of, where it is not the usual.
pub struct Plan {
    pub store: Arc<dyn Store>,
    /// None: the address at which it listens.
    pub issuer: Option<String>,
    pub trusted_proxies: Vec<&'static str>,
    /// Whether the directory is written, or there already.
    pub declare: bool,
    pub outgoing: grantor_fetch::Settings,
    pub forward_auth: bool,
    /// Whom the playground may ask.
    pub relay: grantor_fetch::Origins,
}

impl Default for Plan {
    fn default() -> Self {
        let store = Arc::new(MemoryStore::new());
        Self {
            store,
            issuer: None,
            trusted_proxies: vec!["127.0.0.1/32"],
            declare: true,
            outgoing: grantor_fetch::Settings::default(),
            forward_auth: true,
            relay: grantor_fetch::Origins::default(),
        }
    }
}

pub struct Site {
    pub issuer: String,
    /// Scheme, host and port at which it listens.
    pub address: String,
    pub store: Arc<dyn Store>,
    pub server: Server,
    pub world: Arc<TestWorld>,
    pub master: Arc<dyn Fn() -> MasterKey + Send + Sync>,
    pub http: reqwest::Client,
}

/// An answer, read.
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// A parameter of the place that the browser is sent to.
    pub fn param(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(self.location()).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

/// The secret of a client of the tests.
pub fn secret(client: &str) -> String {
    ClientSecret::new(digest::sha256(client.as_bytes())).into_secret().expose().to_owned()
}

impl Site {
    /// A server with the directory of the tests; `policies` as JSON.
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Vec<Change>)) -> Self {
        Self::planned(Plan::default(), change).await
    }

    pub async fn planned(plan: Plan, change: impl FnOnce(&mut Vec<Change>)) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (site, server) = Self::made(plan, change, format!("http://{}", listener.local_addr().unwrap())).await;
        tokio::spawn(async move { server.run(listener, None, std::future::pending()).await });
        site
    }

    /// A site whose server is not running yet.
    pub async fn made(plan: Plan, change: impl FnOnce(&mut Vec<Change>), address: String) -> (Self, Server) {
        crate::logs::listen();
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let issuer = plan.issuer.unwrap_or_else(|| address.clone());
        let store = plan.store;
        if plan.declare {
            let mut changes = directory(&issuer);
            change(&mut changes);
            store.change_directory(changes, None).await.unwrap();
        }
        let world = Arc::new(TestWorld(AtomicU64::new(1_800_000_000_000)));
        let mut settings = Settings::new(Issuer::parse(&issuer).unwrap());
        settings.demo_api = true;
        settings.forward_auth = plan.forward_auth;
        settings.outgoing = plan.outgoing;
        settings.relay = plan.relay;
        settings.trusted_proxies = plan.trusted_proxies.iter().map(|net| net.parse().unwrap()).collect();
        let master: Arc<dyn Fn() -> MasterKey + Send + Sync> = Arc::new(|| MasterKey::from_bytes([7; 32]));
        let dynamic = Arc::clone(&world) as Arc<dyn World>;
        let server = Server::new(Arc::clone(&store), master(), settings, dynamic).await.unwrap();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let site = Self { issuer, address, store, server: server.clone(), world, master, http };
        (site, server)
    }

    /// Moves the clock.
    pub fn later(&self, seconds: u64) {
        self.world.pass(seconds * 1_000);
    }

    pub fn later_by_millis(&self, millis: u64) {
        self.world.pass(millis);
    }

    pub fn now(&self) -> i64 {
        i64::try_from(self.world.millis() / 1000).unwrap()
    }

    pub fn notes(&self) -> String {
        format!("{}/demo/notes", self.issuer)
    }

    pub fn mail(&self) -> String {
        format!("{}/demo/mail", self.issuer)
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let path = path.strip_prefix(&self.issuer).unwrap_or(path);
        let url = format!("{}{path}", self.address);
        let mut request = self.http.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, body: answer.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send(Method::GET, path, headers, None).await
    }

    pub async fn bearer(&self, path: &str, token: &str) -> Answer {
        self.get(path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    pub async fn form(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend(headers);
        self.send(Method::POST, path, &all, Some(encode(fields).into_bytes())).await
    }

    /// A form of a client that authenticates with its secret.
    pub async fn client_form(&self, path: &str, client: &str, fields: &[(&str, &str)]) -> Answer {
        let encoded = base64_standard(format!("{client}:{}", secret(client)).as_bytes());
        self.form(path, &[("authorization", &format!("Basic {encoded}"))], fields).await
    }

    pub async fn token(&self, client: &str, fields: &[(&str, &str)]) -> Answer {
        self.client_form("/token", client, fields).await
    }

    pub async fn introspect(&self, token: &str) -> Value {
        self.client_form("/introspect", "api", &[("token", token)]).await.json()
    }

    /// The tokens of `web` for a scope, with all pages filled in.
    pub async fn tokens(&self, scope: &str) -> Value {
        let answer = self.redeem(&self.code(scope).await, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    }

    pub async fn code(&self, scope: &str) -> String {
        let mut browser = Browser::new(self);
        let answer = browser.authorize("web", &[("scope", scope)]).await;
        answer.param("code").unwrap_or_else(|| panic!("no code: {} {}", answer.location(), answer.body))
    }

    pub async fn redeem(&self, code: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
        ];
        fields.extend(more);
        self.token("web", &fields).await
    }

    pub async fn refresh(&self, token: &str, more: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
        fields.extend(more);
        self.token("web", &fields).await
    }

    /// The tokens of an application that acts for itself.
    pub async fn machine(&self, scope: &str) -> String {
        let answer = self.token("machine", &[("grant_type", "client_credentials"), ("scope", scope)]).await;
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn events(&self) -> Vec<Event> {
        self.store.events(&TenantName::default(), None, 10_000).await.unwrap()
    }

    /// Changes the directory and waits until the server has seen it.
    pub async fn change(&self, mut changes: Vec<Change>) {
        // A client that can be seen from outside as soon as the server has read the directory anew.
        let probe = format!("probe-{}", self.world.millis());
        changes.push(Change::PutClient(client_record(json!({"client_id": probe, "redirect_uris": [CALLBACK]}))));
        self.store.change_directory(changes, None).await.unwrap();
        let path = format!("/authorize?{}", encode(&[("client_id", probe.as_str()), ("redirect_uri", CALLBACK)]));
        until("the directory is read anew", async || self.get(&path, &[]).await.status == 303).await;
    }

    /// Waits until the server has looked at its keys by the clock as it stands now.
    pub async fn settled(&self) {
        self.change(Vec::new()).await;
    }

    /// The record of a client, to be changed.
    pub async fn client(&self, id: &str) -> Client {
        let records = self.store.directory().await.unwrap();
        records.clients.into_iter().find(|client| client.metadata.client_id.as_str() == id).unwrap()
    }
}

/// A browser: cookies, forms, redirects followed by hand.
pub struct Browser<'a> {
    site: &'a Site,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub fn new(site: &'a Site) -> Self {
        Self { site, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(encode(fields))).await
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut headers: Vec<(&str, &str)> = vec![("cookie", &cookies)];
        if body.is_some() {
            headers.push(("content-type", "application/x-www-form-urlencoded"));
        }
        headers.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let answer = self.site.send(method, path, &headers, body.map(String::into_bytes)).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    /// Follows redirects within the server.
    pub async fn follow(&mut self, mut answer: Answer) -> Answer {
        while answer.status == 303 && answer.location().starts_with('/') {
            answer = self.get(answer.location()).await;
        }
        answer
    }

    /// The query of an authorization request, changed by `fields`; an empty value leaves one out.
    pub fn query(client: &str, fields: &[(&str, &str)]) -> String {
        let challenge = base64url::encode(digest::sha256(VERIFIER.as_bytes()));
        let mut all: BTreeMap<&str, &str> = [
            ("client_id", client),
            ("response_type", "code"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid"),
            ("state", "s"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]
        .into();
        all.extend(fields.iter().copied());
        let all: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        encode(&all)
    }

    /// Starts an authorization request: the first page, or the answer to the client.
    pub async fn start(&mut self, client: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.get(&format!("/authorize?{}", Self::query(client, fields))).await;
        self.follow(answer).await
    }

    /// Signs in and allows everything, as far as there is anything to do.
    pub async fn authorize(&mut self, client: &str, fields: &[(&str, &str)]) -> Answer {
        let mut answer = self.start(client, fields).await;
        for _ in 0..5 {
            answer = if answer.body.contains("name=\"password\"") {
                self.sign_in(&answer, "alice", PASSWORD).await
            } else if answer.body.contains("value=\"allow\"") {
                self.decide(&answer, "allow", None).await
            } else {
                return answer;
            };
        }
        answer
    }

    pub async fn sign_in(&mut self, page: &Answer, username: &str, password: &str) -> Answer {
        let answer = self.submit(page, &[("username", username), ("password", password)]).await;
        self.follow(answer).await
    }

    /// Allows or denies; `scopes` are those that are ticked, none for all.
    pub async fn decide(&mut self, page: &Answer, decision: &str, scopes: Option<&[&str]>) -> Answer {
        let ticked = match scopes {
            Some(scopes) => scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            None => values(&page.body, "name=\"scope\" value=\""),
        };
        let mut fields: Vec<(&str, &str)> = ticked.iter().map(|scope| ("scope", scope.as_str())).collect();
        fields.push(("decision", decision));
        let answer = self.submit(page, &fields).await;
        self.follow(answer).await
    }

    /// Posts the form of a page with its hidden fields, and these.
    pub async fn submit(&mut self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let action = values(&page.body, " action=\"").pop().unwrap_or_else(|| panic!("no form: {}", page.body));
        let hidden: Vec<(String, String)> = ["csrf", "interaction", "token"]
            .iter()
            .filter_map(|name| {
                let value = values(&page.body, &format!("name=\"{name}\" value=\"")).pop()?;
                Some(((*name).to_owned(), value))
            })
            .collect();
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.retain(|(name, _)| !fields.iter().any(|(given, _)| given == name));
        all.extend(fields);
        self.post(&action, &all).await
    }
}

/// Waits for something that comes by itself, and not forever.
pub async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if done().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain: {what}");
}

/// What stands between a beginning and the next quote.
pub fn values(html: &str, beginning: &str) -> Vec<String> {
    html.match_indices(beginning)
        .map(|(at, found)| html[at + found.len()..].split('"').next().unwrap().replace("&amp;", "&"))
        .collect()
}

/// A member of an object, as text.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap_or_else(|| panic!("no {name}: {object}"))
}

pub fn encode(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// The claims of a JWT, unverified: the tests of `interop` verify.
pub fn claims(jwt: &str) -> Value {
    serde_json::from_slice(&base64url::decode(jwt.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The claims of a JWT whose signature a published key of this issuer verifies.
pub async fn verified(site: &Site, base: &str, jwt: &str) -> Value {
    let unverified = Unverified::parse(jwt).unwrap();
    let jwks = site.get(&format!("{base}/jwks"), &[]).await.json();
    let kid = jwt_header(jwt)["kid"].clone();
    let jwk = jwks["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap();
    let jwk = Jwk::parse_public(jwk.to_string()).unwrap();
    let algorithm = SigningAlgorithm::parse(jwk.alg().unwrap()).unwrap();
    assert_eq!(jwt_header(jwt)["alg"], algorithm.as_str());
    let verified = unverified.verify(&VerifyingKey::from_jwk(&jwk, algorithm).unwrap()).unwrap();
    serde_json::from_slice(verified.payload()).unwrap()
}

pub fn jwt_header(jwt: &str) -> Value {
    serde_json::from_slice(&base64url::decode(jwt.split('.').next().unwrap()).unwrap()).unwrap()
}

pub fn base64_standard(bytes: &[u8]) -> String {
    let text = base64url::encode(bytes).replace('-', "+").replace('_', "/");
    let padding = (4 - text.len() % 4) % 4;
    format!("{text}{}", "=".repeat(padding))
}
