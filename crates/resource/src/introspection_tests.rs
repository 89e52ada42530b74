use super::*;
use crate::fixtures::{AUDIENCE, ISSUER, NOW};
use grantor_jose::jws::Unverified;
use grantor_jose::names::Names;

const WANTED: Wanted<'_> =
    Wanted { issuer: ISSUER, audience: AUDIENCE, leeway: Seconds::new(10), now: UnixTime::new(NOW) };

fn answer(changes: Value) -> Result<Verified, Refusal> {
    let mut answer = crate::fixtures::claims(changes);
    answer.entry("active").or_insert(json!(true));
    read(&serde_json::to_vec(&answer).unwrap(), &WANTED)
}

#[test]
fn rfc7662_2_2_an_active_token_of_this_api_holds() {
    let token = answer(json!({"token_type": "Bearer", "username": "Alice"})).unwrap();
    assert_eq!((token.subject(), token.client_id()), ("alice", "web"));
    assert_eq!(token.claim("username"), Some(&json!("Alice")));
    // RFC 7662 2.2 leaves these to the server.
    let token = answer(json!({"iss": null, "exp": null, "iat": null, "jti": null, "scope": null})).unwrap();
    assert_eq!((token.expires(), token.id(), token.issued()), (UnixTime::FOREVER, None, None));
}

#[test]
fn rfc7662_2_2_what_is_not_active_is_nothing() {
    assert_eq!(answer(json!({"active": false})), Err(Refusal::Inactive));
    for wrong in [json!("true"), json!(1), json!([])] {
        assert_eq!(answer(json!({"active": wrong})), Err(Refusal::UnreadableAnswer));
    }
    for wrong in ["", "[]", "{}", "true", r#"{"active":false,"active":true}"#] {
        assert_eq!(read(wrong.as_bytes(), &WANTED), Err(Refusal::UnreadableAnswer), "{wrong}");
    }
}

#[test]
fn rfc7662_2_1_an_active_refresh_token_is_no_access_token() {
    for (name, other) in [
        ("token_type", json!("refresh_token")),
        ("token_type", json!(1)),
        ("token_use", json!("refresh_token")),
        ("token_use", json!("id")),
        ("typ", json!("Refresh")),
        ("typ", json!("ID")),
        ("typ", json!("JWT")),
    ] {
        assert_eq!(answer(json!({name: other})), Err(Refusal::NotAnAccessToken), "{name} {other}");
    }
    assert!(answer(json!({"token_type": "bearer", "token_use": "access_token", "typ": "Bearer"})).is_ok());
}

#[test]
fn rfc9449_6_2_the_key_of_a_dpop_token_is_told() {
    assert_eq!(answer(json!({"token_type": "DPoP"})), Err(Refusal::MissingClaim("cnf")));
    let key = grantor_jose::JwkThumbprint::from_bytes([1; 32]);
    assert!(answer(json!({"token_type": "DPoP", "cnf": {"jkt": key}})).is_ok());
}

#[test]
fn rfc7662_4_an_active_token_may_be_for_another_api() {
    assert_eq!(answer(json!({"aud": "https://other.example"})), Err(Refusal::OtherAudience));
    assert_eq!(answer(json!({"aud": null})), Err(Refusal::MissingClaim("aud")));
    assert_eq!(answer(json!({"iss": "https://other.example"})), Err(Refusal::OtherIssuer));
    assert_eq!(answer(json!({"exp": NOW - 10})), Err(Refusal::Expired));
    assert_eq!(answer(json!({"nbf": NOW + 11})), Err(Refusal::NotYetValid));
    assert_eq!(answer(json!({"sub": null})), Err(Refusal::MissingClaim("sub")));
    assert_eq!(answer(json!({"cnf": {"unheard": "of"}})), Err(Refusal::MalformedClaim("cnf")));
}

#[test]
fn rfc6749_2_3_1_both_parts_are_encoded_first() {
    let basic = basic("a:b c", &Secret::new("p%:ü".to_owned()));
    let decoded = base64::engine::general_purpose::STANDARD.decode(basic.strip_prefix("Basic ").unwrap()).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), "a%3Ab+c:p%25%3A%C3%BC");
}

#[test]
fn rfc7523_3_the_assertion_is_for_this_issuer_and_soon_over() {
    let key = crate::fixtures::key(crate::SigningAlgorithm::Ed25519);
    let [one, two] = [(); 2].map(|()| assertion("api", &key, &WANTED).unwrap());
    let verified = Unverified::parse(&one).unwrap().verify(&key.verifying_key().unwrap()).unwrap();
    let claims = parse_object(verified.payload()).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&json!("api"), &json!("api"), &json!(ISSUER)));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(NOW), &json!(NOW + 60)));
    let id = |token: &str| parse_object(Unverified::parse(token).unwrap().unverified_payload()).unwrap()["jti"].clone();
    assert_ne!(id(&one), id(&two));
}

#[test]
fn an_answer_is_kept_no_longer_than_said() {
    let fetcher = Fetcher::new(crate::Settings::default()).unwrap();
    let kept = |introspection: Introspection| {
        let asker = Asker::new(introspection, fetcher.clone(), KeySets::new(fetcher.clone()));
        asker.kept(UnixTime::new(0)).map(UnixTime::get)
    };
    let settings = || Introspection::with_secret("api", "secret");
    assert_eq!(kept(settings()), [10, 2]);
    assert_eq!(kept(settings().cached_for(60)), [60, 2]);
    assert_eq!(kept(settings().cached_for(1)), [1, 1]);
    assert_eq!(kept(settings().cached_for(0)), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn so_many_questions_are_under_way_and_no_more() {
    let fetcher = Fetcher::new(crate::Settings::default()).unwrap();
    let settings = Introspection::with_secret("api", "secret").at("https://id.example/introspect");
    let asker = Asker::new(settings, fetcher.clone(), KeySets::new(fetcher));
    let places = asker.questions.try_acquire_many(u32::try_from(QUESTIONS).unwrap()).unwrap();
    assert_eq!(asker.questions.available_permits(), 0);
    let begun = tokio::time::Instant::now();
    assert_eq!(
        asker.ask("opaque", Names::new(&[1; 32]).of("opaque"), &WANTED).await,
        Err(Refusal::NoAnswer(FetchError::Throttled))
    );
    assert_eq!(begun.elapsed().as_secs(), QUEUE.as_secs());
    drop(places);
}

#[test]
fn no_credential_shows() {
    let shown = format!("{:?}", Introspection::with_secret("api", "hunter2"));
    assert!(!shown.contains("hunter2"), "{shown}");
}
