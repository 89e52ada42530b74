//! Tokens that are useless to a thief (RFC 9449).

use crate::harness::{Site, claims, text};
use crate::prover::Prover;
use serde_json::json;

#[tokio::test]
async fn rfc9449_5_a_token_is_bound_and_opens_only_with_its_key() {
    let site = Site::start().await;
    let owner = Prover::new();
    let fields = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    let answer = owner.token(&site, "machine", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    assert_eq!(tokens["token_type"], "DPoP");
    let token = text(&tokens, "access_token");
    assert_eq!(claims(token)["cnf"], json!({ "jkt": owner.jkt() }));
    let introspected = site.introspect(token).await;
    assert_eq!((&introspected["token_type"], &introspected["cnf"]["jkt"]), (&json!("DPoP"), &json!(owner.jkt())));

    assert_eq!(owner.get(&site, "/demo/notes", token).await.status, 200);
    let thief = Prover::new();
    let stolen = thief.get(&site, "/demo/notes", token).await;
    assert_eq!((stolen.status.as_u16(), stolen.error().as_str()), (401, "invalid_token"));
    let as_bearer = site.bearer("/demo/notes", token).await;
    assert_eq!((as_bearer.status.as_u16(), as_bearer.error().as_str()), (401, "invalid_token"));
    let challenges: Vec<_> =
        as_bearer.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
    assert!(challenges.iter().any(|one| one.starts_with("DPoP ") && one.contains("error=\"invalid_token\"")));
}

#[tokio::test]
async fn rfc9449_8_a_proof_needs_a_nonce_of_the_server() {
    let site = Site::start().await;
    let owner = Prover::new();
    let proof = owner.proof(&site, "POST", "/token", None, &json!({}));
    let fields = [("grant_type", "client_credentials"), ("client_id", "machine")];
    let answer = site.form("/token", &[("dpop", &proof)], &fields).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "use_dpop_nonce"));
    assert!(!answer.header("dpop-nonce").is_empty());
}
