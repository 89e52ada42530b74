//! Request objects: nothing opens that the client did not sign, and what it signed is a request of its own, which comes
//! back from being pushed as it was.
#![no_main]

use grantor_jose::{JwkSet, PrivateJwk, SigningAlgorithm, SigningKey, jws};
use grantor_protocol::authorize::PushedRequest;
use grantor_protocol::authorize::request_object::{Expected, kid, open, wrapping};
use grantor_protocol::client::ClientMetadata;
use grantor_protocol::params::Params;
use grantor_protocol::profile::Profile;
use grantor_protocol::value::{ClientId, Issuer, TenantName, UnixTime};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

const TYPE: &str = "oauth-authz-req+jwt";
const NOW: i64 = 1_800_000_000;

/// RFC 8037 A.1: the same in every run, so that what was found is found again.
static KEY: LazyLock<SigningKey> = LazyLock::new(|| {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    PrivateJwk::parse(jwk).and_then(|jwk| jwk.signing_key(SigningAlgorithm::EdDsa)).expect("a key")
});
static STRANGER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate(SigningAlgorithm::EdDsa).expect("a key"));
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| JwkSet { keys: vec![KEY.public_jwk()] });
static ISSUER: LazyLock<Issuer> = LazyLock::new(|| Issuer::parse("https://id.example").expect("an issuer"));
static CLIENTS: LazyLock<[ClientMetadata; 4]> = LazyLock::new(|| {
    Profile::ALL.map(|profile| {
        let id = ClientId::parse("c").expect("a client id");
        ClientMetadata { profile, ..ClientMetadata::new(TenantName::default(), id) }
    })
});

fuzz_target!(|input: (&str, &str)| {
    let (text, tail) = input;
    let _ = (wrapping(text), kid(text));
    // Half of the way is given, so that the other half is reached.
    let given = format!(r#""client_id":"c","iss":"c","aud":"https://id.example","nbf":{NOW},"exp":{}"#, NOW + 60);
    let grown = format!("{{{given}{tail}}}");
    let with_a_member = format!("{{{given},{}:{}}}", Value::from(text), Value::from(tail));
    let sign = |key, payload: &str| jws::sign(key, TYPE, payload.as_bytes()).expect("a signature");
    let own = [text, &grown, &with_a_member].map(|payload| sign(&KEY, payload));
    let foreign = sign(&STRANGER, &grown);
    for client in CLIENTS.iter() {
        let expected = Expected { client, issuer: &ISSUER, now: UnixTime::new(NOW) };
        assert!(open(text, &KEYS, &expected).is_err(), "nobody signed it");
        assert!(open(&foreign, &KEYS, &expected).is_err(), "a stranger signed it");
        for params in own.iter().filter_map(|own| open(own, &KEYS, &expected).ok()) {
            check(&params);
        }
    }
});

fn check(params: &Params) {
    assert_eq!(params.get("client_id"), Some("c"));
    for name in ["request", "request_uri", "iss", "sub", "aud", "exp", "nbf", "iat", "jti"] {
        assert_eq!(params.get(name), None);
    }
    let Ok(query) = PushedRequest::query(params, None) else { return };
    let read = Params::parse(query.as_bytes()).expect("what was written is read");
    let of_the_client = ["client_secret", "client_assertion", "client_assertion_type"];
    let kept = params.iter().filter(|(name, _)| !of_the_client.contains(name));
    assert_eq!(read.iter().collect::<Vec<_>>(), kept.collect::<Vec<_>>());
}
