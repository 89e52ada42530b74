use super::*;

const VOICE: Voice<'_> = Voice {
    audience: "https://api.example",
    metadata_url: Some("https://api.example/.well-known/oauth-protected-resource"),
    dpop_algorithms: &[SigningAlgorithm::Es256, SigningAlgorithm::Ed25519],
};

const METADATA: &str = r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#;

fn said(error: ResourceError, requirement: &Requirement, used: Option<Scheme>) -> Vec<String> {
    challenges(error, &VOICE, requirement, used)
}

#[test]
fn rfc6750_3_1_who_sent_no_token_is_told_no_error() {
    let wanted = Requirement::scope("b a");
    assert_eq!(
        said(ResourceError::None, &wanted, None),
        [
            format!(r#"Bearer scope="a b", {METADATA}"#),
            format!(r#"DPoP scope="a b", {METADATA}, algs="ES256 Ed25519""#),
        ]
    );
}

#[test]
fn rfc6750_3_1_the_scheme_that_was_used_says_what_was_wrong() {
    let any = Requirement::valid_token();
    let [bearer, dpop] = said(ResourceError::InvalidToken, &any, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(bearer.starts_with(r#"Bearer error="invalid_token", error_description="The access token is not valid"#));
    assert_eq!(dpop, format!(r#"DPoP {METADATA}, algs="ES256 Ed25519""#));
    let [bearer, dpop] = said(ResourceError::InvalidToken, &any, Some(Scheme::Dpop)).try_into().unwrap();
    assert_eq!(bearer, format!("Bearer {METADATA}"));
    assert!(dpop.starts_with(r#"DPoP error="invalid_token""#));
}

#[test]
fn rfc9449_7_1_only_what_would_do_is_offered() {
    let dpop = Requirement::bound(RequiredBinding::Dpop);
    let [only] = said(ResourceError::InvalidToken, &dpop, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(only.starts_with(r#"DPoP error="invalid_token""#), "{only}");
    let mtls = Requirement::bound(RequiredBinding::Mtls);
    let [only] = said(ResourceError::None, &mtls, None).try_into().unwrap();
    assert!(only.starts_with("Bearer resource_metadata"), "{only}");
}

#[test]
fn rfc9470_3_the_sign_in_that_would_do() {
    let wanted = Requirement::acr(["one", "two"]).and(Requirement::signed_in_within(60));
    let error = ResourceError::InsufficientUserAuthentication;
    let [bearer, _] = said(error, &wanted, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(bearer.contains(r#"error="insufficient_user_authentication""#), "{bearer}");
    assert!(bearer.contains(r#"acr_values="one two", max_age="60""#), "{bearer}");
    let [bearer, _] = said(ResourceError::InvalidToken, &wanted, Some(Scheme::Bearer)).try_into().unwrap();
    assert!(!bearer.contains("max_age"), "{bearer}");
}

#[test]
fn rfc6750_3_1_what_is_not_the_client_s_fault_is_no_challenge() {
    assert!(said(ResourceError::Unavailable, &Requirement::valid_token(), Some(Scheme::Bearer)).is_empty());
}

#[test]
fn rfc9110_11_6_1_an_audience_that_is_no_url_is_the_realm() {
    let voice = Voice { audience: "urn:example:\"api\"\r\n", metadata_url: None, ..VOICE };
    let text = challenge(Scheme::Bearer, ResourceError::None, &voice, &Requirement::valid_token());
    assert_eq!(text, r#"Bearer realm="urn:example:api""#);
}

#[test]
fn rfc6750_3_1_each_refusal_of_the_server_has_its_answer_at_an_api() {
    for (refusal, error, status) in [
        (Refusal::NoAccessToken, ResourceError::None, 401),
        (Refusal::SeveralAccessTokens, ResourceError::InvalidRequest, 400),
        (Refusal::MalformedAuthorization, ResourceError::InvalidRequest, 400),
        (Refusal::MalformedAccessToken, ResourceError::InvalidToken, 401),
        (Refusal::AccessTokenRevoked, ResourceError::InvalidToken, 401),
        (Refusal::WrongAudience, ResourceError::InvalidToken, 401),
        (Refusal::BindingWanted, ResourceError::InvalidToken, 401),
        (Refusal::InsufficientScope, ResourceError::InsufficientScope, 403),
        (Refusal::MissingRole, ResourceError::InsufficientScope, 403),
        (Refusal::InsufficientAuthentication, ResourceError::InsufficientUserAuthentication, 401),
        (Refusal::DpopUriMismatch, ResourceError::InvalidDpopProof, 401),
        (Refusal::DpopNonceMissing, ResourceError::UseDpopNonce, 401),
        (Refusal::UnfulfillableRequirement, ResourceError::Unavailable, 503),
        (Refusal::Busy, ResourceError::Unavailable, 503),
        (Refusal::Broken, ResourceError::Unavailable, 503),
    ] {
        assert_eq!((ResourceError::of(&refusal), error.status()), (error, status), "{refusal}");
    }
}
