use super::*;
use grantor_fetch::FetchError;

const VOICE: Voice<'_> = Voice {
    audience: "https://api.example",
    metadata_url: Some("https://api.example/.well-known/oauth-protected-resource"),
    dpop_algorithms: &[SigningAlgorithm::Es256, SigningAlgorithm::Ed25519],
};

const METADATA: &str = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;

fn challenges(refusal: Refusal, requirement: &Requirement, scheme: Option<Scheme>) -> Vec<String> {
    let rejection = Rejection::new(refusal, &VOICE, requirement, scheme, None);
    let values = rejection.headers().get_all(WWW_AUTHENTICATE).iter();
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
}

#[test]
fn rfc6750_3_1_who_sent_no_token_is_told_no_error() {
    let wanted = Requirement::scope("b a");
    assert_eq!(
        challenges(Refusal::NoToken, &wanted, None),
        [
            format!(r#"Bearer scope="a b", {METADATA}"#),
            format!(r#"DPoP scope="a b", {METADATA}, algs="ES256 Ed25519""#),
        ]
    );
}

#[test]
fn rfc6750_3_1_the_scheme_that_was_used_says_what_was_wrong() {
    let [bearer, dpop] =
        challenges(Refusal::Expired, &Requirement::valid_token(), Some(Scheme::Bearer)).try_into().unwrap();
    assert!(bearer.starts_with(r#"Bearer error="invalid_token", error_description="The access token is not valid"#));
    assert_eq!(dpop, format!(r#"DPoP {METADATA}, algs="ES256 Ed25519""#));
    let [bearer, dpop] =
        challenges(Refusal::OtherKey, &Requirement::valid_token(), Some(Scheme::Dpop)).try_into().unwrap();
    assert_eq!(bearer, format!("Bearer {METADATA}"));
    assert!(dpop.starts_with(r#"DPoP error="invalid_token""#));
}

#[test]
fn rfc9449_7_1_only_what_would_do_is_offered() {
    let dpop = Requirement::bound(RequiredBinding::Dpop);
    let wanted = Refusal::BindingWanted(RequiredBinding::Dpop);
    let [only] = challenges(wanted, &dpop, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(only.starts_with(r#"DPoP error="invalid_token""#), "{only}");
    let [only] = challenges(Refusal::NoToken, &Requirement::bound(RequiredBinding::Mtls), None).try_into().unwrap();
    assert!(only.starts_with("Bearer resource_metadata"), "{only}");
}

#[test]
fn rfc9470_3_the_sign_in_that_would_do() {
    let wanted = Requirement::acr(["one", "two"]).and(Requirement::signed_in_within(60));
    let [bearer, _] =
        challenges(Refusal::InsufficientAuthentication, &wanted, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(bearer.contains(r#"error="insufficient_user_authentication""#), "{bearer}");
    assert!(bearer.contains(r#"acr_values="one two", max_age="60""#), "{bearer}");
    let [bearer, _] = challenges(Refusal::Expired, &wanted, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(!bearer.contains("max_age"), "{bearer}");
}

#[test]
fn rfc9449_9_the_nonce_stands_in_its_header() {
    let nonce = Some("abc".to_owned());
    let rejection =
        Rejection::new(Refusal::NonceWanted, &VOICE, &Requirement::valid_token(), Some(Scheme::Dpop), nonce);
    assert_eq!((rejection.status(), rejection.code()), (StatusCode::UNAUTHORIZED, ErrorCode::UseDpopNonce));
    assert_eq!(rejection.headers()["dpop-nonce"], "abc");
    let response: Response<String> = rejection.into_response();
    assert!(response.body().is_empty());
    assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
}

#[test]
fn each_status() {
    let status = |refusal: Refusal| refusal.code().status().as_u16();
    assert_eq!(status(Refusal::NoToken), 401);
    assert_eq!(status(Refusal::SeveralTokens), 400);
    assert_eq!(status(Refusal::WrongSignature), 401);
    assert_eq!(status(Refusal::InsufficientScope), 403);
    assert_eq!(status(Refusal::MissingRole), 403);
    assert_eq!(status(Refusal::InsufficientAuthentication), 401);
    assert_eq!(status(Refusal::NoProof), 401);
    assert_eq!(status(Refusal::NoKeys(FetchError::TooSlow)), 503);
}

#[test]
fn what_is_not_the_client_s_fault_is_no_challenge() {
    let rejection =
        Rejection::new(Refusal::NoKeys(FetchError::TooSlow), &VOICE, &Requirement::valid_token(), None, None);
    assert!(!rejection.headers().contains_key(WWW_AUTHENTICATE));
    assert_eq!(rejection.headers()[RETRY_AFTER], "5");
}

#[test]
fn an_audience_that_is_no_url_is_the_realm() {
    let voice = Voice { audience: "urn:example:\"api\"\r\n", metadata_url: None, ..VOICE };
    let text = challenge(Scheme::Bearer, ErrorCode::None, &voice, &Requirement::valid_token());
    assert_eq!(text, r#"Bearer realm="urn:example:api""#);
}

/// Every refusal behind a code reads the same.
#[test]
fn nothing_but_the_fixed_text_leaves() {
    let wanted = Requirement::valid_token();
    let all = [
        Refusal::Expired,
        Refusal::WrongSignature,
        Refusal::TakenBack,
        Refusal::MalformedClaim("x"),
        Refusal::Inactive,
    ];
    let answers: Vec<_> = all.into_iter().map(|why| challenges(why, &wanted, Some(Scheme::Bearer))).collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}
