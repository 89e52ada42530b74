use super::*;
use crate::fixtures::{Clock, builder, key, token};
use crate::{ClientCertificate, SigningAlgorithm};
use axum::Router;
use axum::body::Body;
use axum::routing::get;
use grantor_jose::{base64url, digest, jws};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

fn router() -> Router {
    let api = builder(&Clock::new()).scopes("notes:read notes:write").name("Notes").build().unwrap();
    let who = |token: Verified| async move { token.subject().to_owned() };
    let maybe = |token: Option<Verified>| async move { token.map_or("nobody", |_| "somebody") };
    Router::new()
        .route("/notes", get(who).layer(api.require(Requirement::scope("notes:read"))))
        .route("/notes/all", get(who).layer(api.require(Requirement::scope("notes:delete"))))
        .layer(api.layer())
        .route("/maybe", get(maybe))
        .route("/forgotten", get(who))
        .layer(api.metadata_layer())
}

fn request(path: &str, token: Option<&str>) -> Request<Body> {
    let request = Request::builder().uri(path);
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

async fn answer(router: Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn a_handler_gets_the_claims_of_a_token_that_is_enough() {
    let good = token(json!({}));
    assert_eq!(answer(router(), request("/notes", Some(&good))).await, (StatusCode::OK, "alice".to_owned()));
    assert_eq!(answer(router(), request("/notes", None)).await, (StatusCode::UNAUTHORIZED, String::new()));
    let less = token(json!({"scope": "other"}));
    assert_eq!(answer(router(), request("/notes", Some(&less))).await.0, StatusCode::FORBIDDEN);
    assert_eq!(answer(router(), request("/notes/all", Some(&good))).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_handler_without_a_layer_is_closed() {
    let good = token(json!({}));
    assert_eq!(answer(router(), request("/forgotten", Some(&good))).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer(router(), request("/maybe", Some(&good))).await.1, "nobody");
}

#[tokio::test]
async fn rfc9728_3_the_metadata_is_open() {
    let path = "/.well-known/oauth-protected-resource/notes";
    let (status, body) = answer(router(), request(path, None)).await;
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        document,
        json!({
            "resource": "https://api.example/notes",
            "authorization_servers": ["https://id.example"],
            "scopes_supported": ["notes:read", "notes:write"],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": ["ES256", "RS256", "PS256", "ES384", "EdDSA", "Ed25519"],
            "resource_name": "Notes",
        })
    );
    let elsewhere = answer(router(), request("/.well-known/oauth-protected-resource", None)).await;
    assert_ne!(elsewhere.0, StatusCode::OK);
    let mut posted = request(path, None);
    *posted.method_mut() = Method::POST;
    assert_ne!(answer(router(), posted).await.0, StatusCode::OK);
}

#[tokio::test]
async fn rfc9728_3_1_pages_of_any_origin_may_ask_for_the_metadata() {
    let ask = |path| Request::options(path).header("origin", "https://page.example").body(Body::empty()).unwrap();
    let answer = router().oneshot(ask("/.well-known/oauth-protected-resource/notes")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let allowed = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert_eq!((allowed("access-control-allow-origin"), allowed("access-control-allow-headers")), ("*", "*"));
    assert_eq!(allowed("access-control-allow-methods"), "GET");
    assert_ne!(router().oneshot(ask("/notes")).await.unwrap().status(), StatusCode::NO_CONTENT, "that is the API's");
}

#[tokio::test]
async fn what_another_api_checked_does_not_count() {
    let api = |audience| {
        let keys = crate::fixtures::set(&[&crate::fixtures::KEY]);
        Api::builder(crate::fixtures::ISSUER, audience).keys(keys).clock(|| crate::UnixTime::new(crate::fixtures::NOW))
    };
    let (one, two) = (api("https://api.example/notes"), api("https://api.example/admin"));
    let (one, two) = (one.build().unwrap(), two.build().unwrap());
    let router = Router::new().route("/", get(|| async { "in" })).layer(two.layer()).layer(one.layer());
    assert_eq!(answer(router, request("/", Some(&token(json!({}))))).await.0, StatusCode::UNAUTHORIZED);
}

/// The proof of a nested route is for the whole path; one proof serves two layers, and one request only.
#[tokio::test]
async fn rfc9449_7_proofs_behind_nested_routers_and_layers() {
    let api = builder(&Clock::new()).dpop_nonces_with([1; 32]).build().unwrap();
    let inner = Router::new()
        .route("/notes", get(|token: Verified| async move { token.subject().to_owned() }))
        .layer(api.require(Requirement::scope("notes:read")));
    let router = Router::new().nest("/v1", inner.layer(api.layer()));
    let key = key(SigningAlgorithm::Ed25519);
    let bound = token(json!({"cnf": {"jkt": key.thumbprint()}}));
    let proof = json!({
        "jti": "j1",
        "htm": "GET",
        "htu": "https://api.example/v1/notes",
        "iat": crate::fixtures::NOW,
        "ath": base64url::encode(digest::sha256(bound.as_bytes())),
        "nonce": api.dpop_nonce().unwrap(),
    });
    let extra = json!({"jwk": key.public_jwk()});
    let proof =
        jws::sign_with_header(&key, "dpop+jwt", extra.as_object().unwrap(), proof.to_string().as_bytes()).unwrap();
    let asked = || {
        let request = Request::get("/v1/notes").header("authorization", format!("DPoP {bound}"));
        request.header("dpop", &proof).body(Body::empty()).unwrap()
    };
    let response = router.clone().oneshot(asked()).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers().contains_key("dpop-nonce"), "the next one");
    assert_eq!(answer(router.clone(), asked()).await.0, StatusCode::UNAUTHORIZED);
    let response = router.oneshot(request("/v1/notes", Some(&token(json!({}))))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key("dpop-nonce"), "who uses no proofs needs none");
}

#[tokio::test]
async fn rfc8705_3_whoever_ends_tls_says_which_certificate() {
    let api = builder(&Clock::new()).build().unwrap();
    let certificate = ClientCertificate::of(b"der");
    let bound = token(json!({"cnf": {"x5t#S256": certificate.thumbprint()}}));
    let router = Router::new().route("/", get(|| async {})).layer(api.layer());
    assert_eq!(answer(router.clone(), request("/", Some(&bound))).await.0, StatusCode::UNAUTHORIZED);
    let mut asked = request("/", Some(&bound));
    asked.extensions_mut().insert(certificate);
    assert_eq!(answer(router, asked).await.0, StatusCode::OK);
}

/// Not axum's: any service of requests, with any body.
#[tokio::test]
async fn a_plain_service_of_any_body_can_be_guarded() {
    struct NotSync(#[expect(dead_code, reason = "only its type counts")] std::cell::Cell<u8>);
    impl http_body::Body for NotSync {
        type Data = &'static [u8];
        type Error = std::convert::Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<http_body::Frame<&'static [u8]>, Self::Error>>> {
            Poll::Ready(None)
        }
    }
    let api = builder(&Clock::new()).build().unwrap();
    let service = tower::service_fn(|request: Request<NotSync>| async move {
        let subject = request.extensions().get::<Verified>().unwrap().subject().to_owned();
        Ok::<_, std::convert::Infallible>(Response::new(subject))
    });
    let asked = |token: &str| {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        request.body(NotSync(std::cell::Cell::new(0))).unwrap()
    };
    let guarded = api.layer().layer(service);
    let response = guarded.clone().oneshot(asked(&token(json!({})))).await.unwrap();
    assert_eq!(response.into_body(), "alice");
    let response = guarded.oneshot(asked("opaque")).await.unwrap();
    assert_eq!((response.status(), response.body().as_str()), (StatusCode::UNAUTHORIZED, ""));
}
