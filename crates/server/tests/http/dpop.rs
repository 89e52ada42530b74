//! Tokens that are useless to a thief (RFC 9449).

use crate::directory::client_record;
use crate::harness::{Browser, CALLBACK, Plan, Site, VERIFIER, base64_standard, claims, text};
use crate::prover::Prover;
use grantor_jose::SigningAlgorithm;
use grantor_store::{Change, MemoryStore, Store};
use serde_json::json;
use std::sync::Arc;

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

#[tokio::test]
async fn rfc9449_11_1_what_is_refused_for_another_reason_writes_nothing() {
    let site = Site::start().await;
    let stranger = Prover::new();
    let send = async |proof: &str| {
        let fields = [("grant_type", "authorization_code"), ("client_id", "public"), ("code", "x")];
        site.form("/token", &[("dpop", proof)], &fields).await
    };
    stranger.learn(&send(&stranger.proof(&site, "POST", "/token", None, &json!({}))).await);
    let proof = stranger.proof(&site, "POST", "/token", None, &json!({}));
    for _ in 0..2 {
        assert_eq!(send(&proof).await.error(), "invalid_grant", "the proof was not remembered");
    }
    // The same with a token that is good for nothing any more.
    let owner = Prover::new();
    let tokens = owner.token(&site, "machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await;
    let token = text(&tokens.json(), "access_token").to_owned();
    site.later(601);
    owner.learn(&owner.get(&site, "/demo/notes", &token).await);
    let proof = owner.proof(&site, "GET", "/demo/notes", Some(&token), &json!({}));
    for _ in 0..2 {
        let headers = [("authorization", format!("DPoP {token}")), ("dpop", proof.clone())];
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(site.get("/demo/notes", &headers).await.error(), "invalid_token");
    }
}

#[tokio::test]
async fn rfc9449_5_the_refresh_token_of_a_public_client_opens_only_with_its_key() {
    let site = Site::start().await;
    let owner = Prover::new();
    let mut browser = Browser::new(&site);
    let code = browser.authorize("public", &[("scope", "openid notes:read")]).await.param("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
    ];
    let tokens = owner.sent(&site, "/token", &[], &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let refresh = text(&tokens.json(), "refresh_token").to_owned();
    let fields = [("grant_type", "refresh_token"), ("client_id", "public"), ("refresh_token", refresh.as_str())];
    assert_eq!(site.form("/token", &[], &fields).await.error(), "invalid_grant", "no proof");
    assert_eq!(Prover::new().sent(&site, "/token", &[], &fields).await.error(), "invalid_grant", "another key");
    assert_eq!(owner.sent(&site, "/token", &[], &fields).await.status, 200);
}

#[tokio::test]
async fn fapi2_security_profile_5_4_1_a_proof_is_signed_as_the_profile_has_it() {
    let (client, rsa) = (Prover::new(), Prover::with(SigningAlgorithm::Rs256));
    let declared = json!({
        "client_id": "machine", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": client.jwks(), "profile": "fapi2",
    });
    let site = Site::with(|changes| changes.push(Change::PutClient(client_record(declared)))).await;
    let send = async |owner: &Prover| {
        let assertion = client.assertion(&site, "machine", &json!({}));
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "notes:read"),
            ("client_assertion_type", grantor_protocol::client::auth::assertion::TYPE),
            ("client_assertion", &assertion),
        ];
        let proof = owner.proof(&site, "POST", "/token", None, &json!({}));
        let answer = site.form("/token", &[("dpop", &proof)], &fields).await;
        owner.learn(&answer);
        answer
    };
    send(&rsa).await;
    assert_eq!(send(&rsa).await.error(), "invalid_dpop_proof");
    let owner = Prover::new();
    send(&owner).await;
    assert_eq!(send(&owner).await.status, 200);
}

#[tokio::test]
async fn rfc9449_8_rfc9449_11_1_every_node_takes_every_nodes_nonce_and_no_proof_twice() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let issuer = Some("http://localhost:9".to_owned());
    let first = Plan { store: Arc::clone(&store), issuer: issuer.clone(), ..Plan::default() };
    let first = Site::planned(first, |_| {}).await;
    let second = Site::planned(Plan { store, issuer, declare: false, ..Plan::default() }, |_| {}).await;
    let (owner, secret) = (Prover::new(), crate::harness::secret("machine"));
    let basic = format!("Basic {}", base64_standard(format!("machine:{secret}").as_bytes()));
    let send = async |site: &Site, proof: &str| {
        let fields = [("grant_type", "client_credentials"), ("scope", "notes:read")];
        site.form("/token", &[("authorization", &basic), ("dpop", proof)], &fields).await
    };
    owner.learn(&send(&first, &owner.proof(&first, "POST", "/token", None, &json!({}))).await);
    let proof = owner.proof(&first, "POST", "/token", None, &json!({}));
    let answer = send(&second, &proof).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(send(&first, &proof).await.error(), "invalid_dpop_proof");
}
