use super::*;
use grantor_fetch::FetchError;
use grantor_jose::SigningAlgorithm;

const VOICE: Voice<'_> = Voice {
    audience: "https://api.example",
    metadata_url: Some("https://api.example/.well-known/oauth-protected-resource"),
    dpop_algorithms: &[SigningAlgorithm::Es256],
};

fn answered(refusal: Refusal, requirement: &Requirement, scheme: Option<Scheme>) -> Vec<String> {
    let rejection = Rejection::new(refusal, &VOICE, requirement, scheme, None);
    let values = rejection.headers().get_all(WWW_AUTHENTICATE).iter();
    values.map(|value| value.to_str().unwrap().to_owned()).collect()
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
    let status = |refusal: Refusal| refusal.code().status();
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
    let answers: Vec<_> = all.into_iter().map(|why| answered(why, &wanted, Some(Scheme::Bearer))).collect();
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}
