//! A real issuer for the tests: metadata, keys and introspection over loopback, which can change its mind and go down.

use crate::fixtures::{AUDIENCE, NOW, claims, key, set, signed};
use crate::{Api, Builder, Head, Refusal, Requirement, SigningAlgorithm, SigningKey, Verified};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;
use tokio::time::{advance, pause, resume};

pub(crate) static ONE: LazyLock<SigningKey> = LazyLock::new(|| key(SigningAlgorithm::Ed25519));
pub(crate) static TWO: LazyLock<SigningKey> = LazyLock::new(|| key(SigningAlgorithm::Es256));

#[derive(Clone)]
pub(crate) struct Issuer(Arc<Inner>);

struct Inner {
    url: String,
    keys: Mutex<Value>,
    answer: Mutex<Value>,
    down: AtomicBool,
    /// By path.
    lists: Mutex<HashMap<String, (String, String)>>,
    requests: Mutex<Vec<Seen>>,
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    pub(crate) authorization: Option<String>,
    pub(crate) if_none_match: Option<String>,
    pub(crate) body: String,
}

impl Issuer {
    pub(crate) async fn start(keys: &[&SigningKey]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let issuer = Self(Arc::new(Inner {
            url,
            keys: Mutex::new(json!(set(keys))),
            answer: Mutex::new(json!({"active": false})),
            down: AtomicBool::new(false),
            lists: Mutex::default(),
            requests: Mutex::default(),
        }));
        let router = Router::new().fallback(answer).with_state(issuer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        issuer
    }

    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// An API that trusts it. Its clock stands, so that nothing expires by accident.
    pub(crate) fn builder(&self) -> Builder {
        Api::builder(self.url(), AUDIENCE).clock(|| crate::UnixTime::new(NOW))
    }

    pub(crate) fn token(&self, key: &SigningKey) -> String {
        signed(key, "at+jwt", &claims(json!({"iss": self.url()})))
    }

    pub(crate) fn has_keys(&self, keys: &[&SigningKey]) {
        *self.0.keys.lock().unwrap() = json!(set(keys));
    }

    /// What introspection answers.
    pub(crate) fn answers(&self, answer: Value) {
        *self.0.answer.lock().unwrap() = answer;
    }

    /// A Status List Token and the name of its version.
    pub(crate) fn publishes(&self, path: &str, token: &str, version: &str) {
        self.0.lists.lock().unwrap().insert(path.to_owned(), (token.to_owned(), version.to_owned()));
    }

    pub(crate) fn is_down(&self, down: bool) {
        self.0.down.store(down, Ordering::SeqCst);
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.0.requests.lock().unwrap().clone()
    }

    /// How often this path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.requests().iter().filter(|seen| seen.path == path).count()
    }

    /// Returns when this path was asked for so often.
    pub(crate) async fn until_asked(&self, path: &str, times: usize) {
        while self.asked(path) < times {
            tokio::task::yield_now().await;
        }
    }
}

async fn answer(State(issuer): State<Issuer>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let sent = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let (authorization, if_none_match) = (sent("authorization"), sent("if-none-match"));
    let body = axum::body::to_bytes(request.into_body(), 1 << 16).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    issuer.0.requests.lock().unwrap().push(Seen {
        path: path.clone(),
        authorization,
        if_none_match: if_none_match.clone(),
        body,
    });
    if issuer.0.down.load(Ordering::SeqCst) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let published = issuer.0.lists.lock().unwrap().get(&path).cloned();
    if let Some((token, version)) = published {
        let etag = [(header::ETAG, version.clone())];
        if if_none_match == Some(version) {
            return (StatusCode::NOT_MODIFIED, etag).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, "application/statuslist+jwt")];
        return (etag, content_type, token).into_response();
    }
    let url = issuer.url();
    match path.as_str() {
        "/.well-known/openid-configuration" => Json(json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "introspection_endpoint": format!("{url}/introspect"),
        }))
        .into_response(),
        "/jwks" => Json(issuer.0.keys.lock().unwrap().clone()).into_response(),
        "/introspect" => Json(issuer.0.answer.lock().unwrap().clone()).into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Time passes at once; what requests take besides is real, and the tests keep away from the edges by more than that.
pub(crate) async fn pass(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

/// With a bearer token and nothing else.
pub(crate) async fn check(api: &Api, token: &str) -> Result<Verified, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    let head = Head { method: &Method::GET, uri: &Uri::from_static("/"), headers: &headers, certificate: None };
    let checked = api.check(head, &Requirement::valid_token()).await;
    checked.map_err(|rejection| rejection.refusal().clone())
}
