//! What is fetched from an issuer and asked of it, with a real one.

use crate::fixtures::{AUDIENCE, Clock, NOW, claims, key, signed};
use crate::issuer::{Issuer, ONE, TWO, check, pass};
use crate::{Api, Introspection, Refusal, SigningAlgorithm};
use serde_json::{Value, json};

const JWKS: &str = "/jwks";
const INTROSPECT: &str = "/introspect";

async fn issuer() -> (Issuer, Api) {
    let issuer = Issuer::start(&[&ONE]).await;
    let api = issuer.builder().build().unwrap();
    (issuer, api)
}

#[tokio::test]
async fn keys_are_fetched_once_however_many_wait_for_them() {
    let (issuer, api) = issuer().await;
    let token = issuer.token(&ONE);
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let (api, token) = (api.clone(), token.clone());
            tokio::spawn(async move { check(&api, &token).await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(issuer.asked(JWKS), 1);
    assert_eq!(check(&api, &issuer.token(&TWO)).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_invented_one_is_not_looked_for_again() {
    let (issuer, api) = issuer().await;
    assert!(check(&api, &issuer.token(&ONE)).await.is_ok());
    issuer.has_keys(&[&ONE, &TWO]);
    assert!(check(&api, &issuer.token(&TWO)).await.is_ok());
    assert_eq!(issuer.asked(JWKS), 2);
    for _ in 0..5 {
        let invented = key(SigningAlgorithm::Ed25519);
        assert_eq!(check(&api, &issuer.token(&invented)).await, Err(Refusal::UnknownKey));
    }
    assert_eq!(issuer.asked(JWKS), 2, "once in 30 seconds");
    pass(31).await;
    assert_eq!(check(&api, &issuer.token(&key(SigningAlgorithm::Ed25519))).await, Err(Refusal::UnknownKey));
    assert_eq!(issuer.asked(JWKS), 3);
}

#[tokio::test]
async fn keys_are_fetched_again_in_the_background_and_a_withdrawn_one_is_over() {
    let (issuer, api) = issuer().await;
    let (first, second) = (issuer.token(&ONE), issuer.token(&TWO));
    assert!(check(&api, &first).await.is_ok());
    issuer.has_keys(&[&TWO]);
    assert!(check(&api, &first).await.is_ok(), "verified a moment ago");
    // Nobody asks; the set is five minutes old.
    pass(310).await;
    issuer.until_asked(JWKS, 2).await;
    while check(&api, &first).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(check(&api, &first).await, Err(Refusal::UnknownKey));
    assert!(check(&api, &second).await.is_ok());
}

#[tokio::test]
async fn the_last_good_keys_are_used_while_the_issuer_is_down() {
    let (issuer, api) = issuer().await;
    let token = |id: &str| signed(&ONE, "at+jwt", &claims(json!({"iss": issuer.url(), "jti": id})));
    assert!(check(&api, &token("1")).await.is_ok());
    issuer.is_down(true);
    pass(310).await;
    issuer.until_asked(JWKS, 2).await;
    assert!(check(&api, &token("2")).await.is_ok());
    // A day later they are too old.
    pass(24 * 3600).await;
    loop {
        match check(&api, &token("3")).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(refusal) => {
                assert!(matches!(refusal, Refusal::NoKeys(_)), "{refusal:?}");
                break;
            }
        }
    }
    issuer.is_down(false);
    pass(10).await;
    assert!(check(&api, &token("4")).await.is_ok());
}

#[tokio::test]
async fn an_issuer_that_is_down_from_the_start_is_nobody_s_fault() {
    let (issuer, api) = issuer().await;
    issuer.is_down(true);
    assert!(matches!(check(&api, &issuer.token(&ONE)).await, Err(Refusal::NoKeys(_))));
    issuer.is_down(false);
    pass(6).await;
    assert!(check(&api, &issuer.token(&ONE)).await.is_ok());
}

#[tokio::test]
async fn rfc8414_3_3_the_metadata_is_that_of_the_issuer() {
    let (issuer, _) = issuer().await;
    // The same server under another name.
    let other = issuer.url().replace("127.0.0.1", "localhost");
    let api = Api::builder(&other, AUDIENCE).build().unwrap();
    let refused = check(&api, &issuer.token(&ONE)).await;
    assert_eq!(refused, Err(Refusal::NoKeys(grantor_fetch::FetchError::IssuerMismatch)));
}

fn active(issuer: &Issuer, changes: Value) -> Value {
    let mut answer = claims(changes);
    answer.insert("active".to_owned(), json!(true));
    answer.insert("iss".to_owned(), json!(issuer.url()));
    Value::Object(answer)
}

/// An API that asks, by a clock that can be set.
async fn asking(introspection: Introspection) -> (Issuer, Api, Clock) {
    let (issuer, clock) = (Issuer::start(&[&ONE]).await, Clock::new());
    let time = clock.clone();
    let api = issuer.builder().clock(move || time.read()).introspection(introspection).build().unwrap();
    issuer.answers(active(&issuer, json!({})));
    (issuer, api, clock)
}

#[tokio::test]
async fn rfc7662_2_1_an_opaque_token_is_asked_about_with_the_api_s_credentials() {
    let (issuer, api, clock) = asking(Introspection::with_secret("api", "s3cret")).await;
    assert_eq!(check(&api, "opaque").await.unwrap().subject(), "alice");
    let seen = issuer.requests().pop().unwrap();
    assert_eq!((seen.path.as_str(), seen.authorization.as_deref()), (INTROSPECT, Some("Basic YXBpOnMzY3JldA==")));
    assert_eq!(seen.body, "token=opaque&token_type_hint=access_token");
    // Used again for ten seconds, and asked again after.
    clock.set(NOW + 9);
    assert!(check(&api, "opaque").await.is_ok());
    assert_eq!(issuer.asked(INTROSPECT), 1);
    issuer.answers(json!({"active": false}));
    clock.set(NOW + 10);
    assert_eq!(check(&api, "opaque").await, Err(Refusal::Inactive));
    assert_eq!(issuer.asked(INTROSPECT), 2);
    // A no is believed for two.
    clock.set(NOW + 11);
    assert_eq!(check(&api, "opaque").await, Err(Refusal::Inactive));
    assert_eq!(issuer.asked(INTROSPECT), 2);
    clock.set(NOW + 12);
    issuer.answers(active(&issuer, json!({})));
    assert!(check(&api, "opaque").await.is_ok());
    // JWTs are not asked about.
    assert!(check(&api, &issuer.token(&ONE)).await.is_ok());
    assert_eq!(issuer.asked(INTROSPECT), 3);
}

#[tokio::test]
async fn rfc7662_4_an_answer_is_not_used_past_the_token_s_end() {
    let (issuer, api, clock) = asking(Introspection::with_secret("api", "s").cached_for(3600)).await;
    issuer.answers(active(&issuer, json!({"exp": NOW + 5})));
    assert!(check(&api, "opaque").await.is_ok());
    clock.set(NOW + 5);
    issuer.answers(json!({"active": false}));
    assert_eq!(check(&api, "opaque").await, Err(Refusal::Inactive));
}

#[tokio::test]
async fn without_a_cache_the_issuer_is_asked_each_time_and_by_many_at_once_only_once() {
    let (issuer, api, _) = asking(Introspection::with_secret("api", "s").cached_for(0)).await;
    assert!(check(&api, "opaque").await.is_ok());
    assert!(check(&api, "opaque").await.is_ok());
    assert_eq!(issuer.asked(INTROSPECT), 2);
    let (one, two, three) = tokio::join!(check(&api, "opaque"), check(&api, "opaque"), check(&api, "other"));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(issuer.asked(INTROSPECT), 4);
}

#[tokio::test]
async fn jwts_are_asked_about_where_that_is_said() {
    let introspection = Introspection::with_secret("api", "s").cached_for(0).for_every_token();
    let (issuer, api, _) = asking(introspection).await;
    let unmarked = signed(&ONE, "JWT", &claims(json!({"iss": issuer.url()})));
    assert!(check(&api, &unmarked).await.is_ok());
    issuer.answers(json!({"active": false}));
    assert_eq!(check(&api, &unmarked).await, Err(Refusal::Inactive));
    assert_eq!(check(&api, &issuer.token(&ONE)).await, Err(Refusal::Inactive));
    assert_eq!(check(&api, &"x".repeat(crate::MAX_TOKEN + 1)).await, Err(Refusal::TooLong));
    assert_eq!((issuer.asked(INTROSPECT), issuer.asked(JWKS)), (3, 0));
}

#[tokio::test]
async fn rfc7523_2_2_the_api_may_sign_instead() {
    let client = key(SigningAlgorithm::Es256);
    let jwk = client.public_jwk();
    let (issuer, api, _) = asking(Introspection::with_key("api", client)).await;
    assert!(check(&api, "opaque").await.is_ok());
    let seen = issuer.requests().pop().unwrap();
    assert_eq!(seen.authorization, None);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(seen.body.as_bytes()).into_owned().collect();
    let assertion = form.iter().find(|(name, _)| name == "client_assertion").unwrap().1.as_str();
    let unverified = grantor_jose::jws::Unverified::parse(assertion).unwrap();
    assert!(unverified.verify(&jwk.verifying_key(SigningAlgorithm::Es256).unwrap()).is_ok());
}

#[tokio::test]
async fn an_answer_for_another_api_or_none_at_all_lets_nobody_in() {
    let (issuer, api, _) = asking(Introspection::with_secret("api", "s")).await;
    issuer.answers(active(&issuer, json!({"aud": "https://other.example"})));
    assert_eq!(check(&api, "opaque").await, Err(Refusal::OtherAudience));
    issuer.answers(json!({"error": "invalid_client"}));
    assert_eq!(check(&api, "opaque").await, Err(Refusal::UnreadableAnswer));
    issuer.is_down(true);
    let refused = check(&api, "opaque").await;
    assert_eq!(refused, Err(Refusal::NoAnswer(grantor_fetch::FetchError::Status(502))));
}

#[tokio::test]
async fn without_introspection_an_opaque_token_is_none() {
    let (issuer, api) = issuer().await;
    assert!(matches!(check(&api, "opaque").await, Err(Refusal::NotAJwt(_))));
    assert!(issuer.requests().is_empty());
}
