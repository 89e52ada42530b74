//! Access tokens at an API: never a panic, nothing passes that the issuer did not sign, and what passes says what it must.
#![no_main]

use grantor_jose::jws::sign_with_header;
use grantor_jose::{base64url, parse_object};
use grantor_resource::{
    Api, Expected, Head, JwkSet, Requirement, SigningAlgorithm, SigningKey, UnixTime, Verified, validate,
};
use http::{HeaderMap, HeaderValue, Method, Uri};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, json};
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

const ISSUER: &str = "https://id.example";
const AUDIENCE: &str = "https://api.example/notes";
const NOW: UnixTime = UnixTime::new(1_800_000_000);

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::Ed25519).expect("a key"));

static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet { keys: vec![KEY.public_jwk()] });

static API: LazyLock<Api> = LazyLock::new(|| {
    let builder = Api::builder(ISSUER, AUDIENCE).leeway(10).keys(KEYS.clone()).clock(|| NOW);
    builder.accept_form_tokens().build().expect("an API")
});

fuzz_target!(|data: &[u8]| {
    // A whole request with bytes of the fuzzer: in the header, and in a form.
    assert!(sent(Some(data), &[]).is_none());
    assert!(sent(None, data).is_none());
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(checked(text).is_none());
    assert!(sent(Some(format!("Bearer {text}").as_bytes()), &[]).is_none());

    // Claims of the fuzzer, signed with another name for the algorithm and with none at all.
    let header = json!({"alg": "Ed25519", "typ": "at+jwt", "kid": KEY.key_id()});
    let unsigned = format!("{}.{}", base64url::encode(header.to_string()), base64url::encode(text));
    for signature in ["", "AA", &base64url::encode([1; 64])] {
        assert!(checked(&format!("{unsigned}.{signature}")).is_none());
    }

    // The same, signed by the issuer: they pass when they say what they must.
    holds_if_it_passes(&Map::new(), text);
    let Some(members) = parse_object(text.as_bytes()) else { return };
    // One or a few claims of the fuzzer among good ones, so that the rules behind the first are reached.
    let mut claims = good_claims();
    claims.extend(members.clone());
    holds_if_it_passes(&Map::new(), &Value::Object(claims).to_string());
    // Members of the header: whoever signs may not name another algorithm or type in them.
    let mut extra = members;
    extra.retain(|name, _| !["alg", "typ", "kid"].contains(&name.as_str()));
    holds_if_it_passes(&extra, &Value::Object(good_claims()).to_string());
});

fn good_claims() -> Map<String, Value> {
    let claims = json!({
        "iss": ISSUER, "sub": "alice", "aud": AUDIENCE, "client_id": "web", "jti": "t1",
        "iat": NOW.get(), "exp": NOW.get() + 600, "scope": "notes:read",
    });
    claims.as_object().cloned().expect("an object")
}

fn holds_if_it_passes(header: &Map<String, Value>, payload: &str) {
    let Ok(token) = sign_with_header(&KEY, "at+jwt", header, payload.as_bytes()) else { return };
    let passed = checked(&token);
    if let Some(token) = &passed {
        let claims = parse_object(payload.as_bytes()).expect("an object without repeated members");
        assert!(!header.contains_key("crit"));
        assert_eq!(claims["iss"], ISSUER);
        assert!(
            claims["aud"] == AUDIENCE || claims["aud"].as_array().is_some_and(|all| all.contains(&json!(AUDIENCE)))
        );
        assert!(token.expires() > NOW.minus(grantor_protocol::value::Seconds::new(10)));
        assert!(token.issued().is_some() && token.id().is_some());
        assert!(!token.subject().is_empty() && !token.client_id().is_empty());
        assert_eq!(token.binding().is_bearer(), !claims.contains_key("cnf"));
        assert_eq!(*token.claims(), claims);
    }
    // With a request around it the same is found, unless it is bound to a key that nobody has proved here.
    let sent = sent(Some(format!("Bearer {token}").as_bytes()), &[]);
    assert_eq!(sent, passed.filter(|token| token.binding().is_bearer()));
}

fn checked(token: &str) -> Option<Verified> {
    let expected = Expected {
        issuer: ISSUER,
        audience: AUDIENCE,
        algorithms: SigningAlgorithm::ALL,
        leeway: grantor_protocol::value::Seconds::new(10),
        now: NOW,
    };
    validate(token, &KEYS, &expected).ok()
}

/// What a request proves, with this header and this form.
fn sent(authorization: Option<&[u8]>, form: &[u8]) -> Option<Verified> {
    let mut headers = HeaderMap::new();
    if let Some(value) = authorization {
        headers.insert(http::header::AUTHORIZATION, HeaderValue::from_bytes(value).ok()?);
    }
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(http::header::CONTENT_TYPE, form_type);
    let uri = Uri::from_static("/notes");
    let head = Head { method: &Method::POST, uri: &uri, headers: &headers, certificate: None };
    let wanted = Requirement::valid_token();
    let check = pin!(API.check_with_form(head, form, &wanted));
    match check.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(checked) => checked.ok(),
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}
