//! Clients that prove a key instead of sending a secret (RFC 7523, OpenID Connect Core 9), and tokens of other issuers that
//! speak for them.

use crate::directory::client_record;
use crate::harness::{Plan, Site, claims, secret, text};
use crate::prover::{Prover, asserted, fresh};
use crate::stores::Folder;
use grantor_jose::{MacAlgorithm, base64url};
use grantor_protocol::client::auth::assertion;
use grantor_protocol::client::{ClientSecret, StoredSecret};
use grantor_protocol::value::{ClientId, TenantName, UnixTime};
use grantor_store::Change;
use serde_json::{Value, json};

const MACHINE: [(&str, &str); 2] = [("grant_type", "client_credentials"), ("scope", "notes:read")];

/// The machine client of the tests with this metadata instead.
async fn machine(change: Value) -> Site {
    let declared = json!({ "client_id": "machine", "grant_types": ["client_credentials"] });
    let declared = crate::prover::merged(declared, &change);
    Site::with(|changes| changes.push(Change::PutClient(client_record(declared)))).await
}

async fn with_key(prover: &Prover, profile: &str) -> Site {
    machine(json!({
        "token_endpoint_auth_method": "private_key_jwt", "jwks": prover.jwks(), "profile": profile,
    }))
    .await
}

#[tokio::test]
async fn rfc7523_2_2_an_assertion_authenticates_once() {
    let prover = Prover::new();
    let site = with_key(&prover, "oauth2.1").await;
    let assertion = prover.assertion(&site, "machine", &json!({}));
    let answer = asserted(&site, "/token", &assertion, &MACHINE).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let again = asserted(&site, "/token", &assertion, &MACHINE).await;
    assert_eq!((again.status.as_u16(), again.error().as_str()), (401, "invalid_client"));
    let elsewhere = asserted(&site, "/introspect", &assertion, &[("token", "x")]).await;
    assert_eq!(elsewhere.error(), "invalid_client");
}

#[tokio::test]
async fn rfc7523_3_of_fifty_at_once_one_is_believed() {
    let prover = Prover::new();
    let site = with_key(&prover, "oauth2.1").await;
    let assertion = prover.assertion(&site, "machine", &json!({}));
    let (site, assertion) = (std::sync::Arc::new(site), std::sync::Arc::new(assertion));
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (site, assertion) = (std::sync::Arc::clone(&site), std::sync::Arc::clone(&assertion));
            tokio::spawn(async move { asserted(&site, "/token", &assertion, &MACHINE).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 49);
}

#[tokio::test]
async fn rfc7523_3_what_is_wrong_with_an_assertion_is_not_told() {
    let prover = Prover::new();
    let site = with_key(&prover, "oauth2.1").await;
    let now = site.now();
    let mut answers = std::collections::BTreeSet::new();
    for change in [
        json!({ "iss": "other" }),
        json!({ "sub": "other" }),
        json!({ "aud": "https://other.example" }),
        json!({ "exp": now - 1 }),
        json!({ "exp": null }),
        json!({ "jti": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "nbf": now + 1000 }),
    ] {
        let assertion = prover.assertion(&site, "machine", &change);
        let mut fields = MACHINE.to_vec();
        fields.push(("client_id", "machine"));
        let answer = asserted(&site, "/token", &assertion, &fields).await;
        answers.insert((answer.status.as_u16(), answer.body));
    }
    let stranger = Prover::new().assertion(&site, "machine", &json!({}));
    let answer = asserted(&site, "/token", &stranger, &MACHINE).await;
    answers.insert((answer.status.as_u16(), answer.body));
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 401);
}

#[tokio::test]
async fn cve_2025_27370_the_audience_is_a_matter_of_the_profile() {
    let prover = Prover::new();
    for (profile, issuer, endpoint, list, with_others) in
        [("oauth2.1", true, false, true, false), ("oidc", true, true, true, true), ("fapi2", true, false, false, false)]
    {
        let site = with_key(&prover, profile).await;
        let token = format!("{}/token", site.issuer);
        for (audience, good) in [
            (json!(site.issuer), issuer),
            (json!(token), endpoint),
            (json!([site.issuer]), list),
            (json!([site.issuer, "https://other.example"]), with_others),
            (json!("https://other.example"), false),
        ] {
            let assertion = prover.assertion(&site, "machine", &json!({ "aud": audience }));
            let answer = asserted(&site, "/token", &assertion, &MACHINE).await;
            let believed = answer.error() != "invalid_client";
            assert_eq!(believed, good, "{profile} {audience} {}", answer.body);
        }
    }
}

#[tokio::test]
async fn rfc6749_2_3_a_client_with_a_key_is_refused_with_anything_else() {
    let prover = Prover::new();
    let site = with_key(&prover, "oauth2.1").await;
    assert_eq!(site.token("machine", &MACHINE).await.error(), "invalid_client");
    let assertion = prover.assertion(&site, "machine", &json!({}));
    let mut fields = MACHINE.to_vec();
    let machine_secret = secret("machine");
    fields.push(("client_secret", &machine_secret));
    assert_eq!(asserted(&site, "/token", &assertion, &fields).await.error(), "invalid_request");
    let of_web = prover.assertion(&site, "web", &json!({}));
    assert_eq!(asserted(&site, "/token", &of_web, &MACHINE).await.error(), "invalid_client");
    let unknown = [("client_assertion_type", "urn:x"), ("client_assertion", assertion.as_str())];
    assert_eq!(site.form("/token", &[], &unknown).await.error(), "invalid_client");
}

/// A token under a MAC, as any client makes it.
fn maced(secret: &str, claims: &Value) -> String {
    let head = base64url::encode(json!({ "alg": MacAlgorithm::Hs256.as_str(), "typ": "JWT" }).to_string());
    let input = format!("{head}.{}", base64url::encode(claims.to_string()));
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, input.as_bytes());
    format!("{input}.{}", base64url::encode(tag))
}

#[tokio::test]
async fn oidc_core_9_a_secret_can_sign() {
    let site = machine(json!({ "token_endpoint_auth_method": "client_secret_jwt", "profile": "oidc" })).await;
    let chosen = ClientSecret::new([5; 32]).into_secret();
    let id = ClientId::parse("machine").unwrap();
    let mut record = site.client("machine").await;
    let hash = (site.master)().seal_secret(&TenantName::default(), &id, [1; 16], &chosen);
    record.secrets = vec![StoredSecret { hash, created: UnixTime::new(0), expires: None }];
    site.change(vec![Change::PutClient(record)]).await;
    let now = site.now();
    let claims =
        |jti: &str| json!({ "iss": "machine", "sub": "machine", "aud": site.issuer, "jti": jti, "exp": now + 60 });
    let right = asserted(&site, "/token", &maced(chosen.expose(), &claims(&fresh())), &MACHINE).await;
    assert_eq!(right.status, 200, "{}", right.body);
    let wrong = asserted(&site, "/token", &maced("x".repeat(40).as_str(), &claims(&fresh())), &MACHINE).await;
    assert_eq!(wrong.error(), "invalid_client");
    // The secret itself is not sent by such a client.
    let form = [("client_id", "machine"), ("client_secret", chosen.expose()), MACHINE[0], MACHINE[1]];
    assert_eq!(site.form("/token", &[], &form).await.error(), "invalid_client");
}

/// A client that trusts tokens of a build service.
async fn federated(issuer: &Prover, grant: &str) -> Site {
    let credential = json!({
        "name": "build", "issuer": "https://ci.example", "audience": "grantor", "jwks": issuer.jwks(),
        "conditions": [
            { "claim": "repository_id", "equals": "42" }, { "claim": "ref", "one_of": ["refs/heads/main"] },
        ],
    });
    let method = if grant == "client_credentials" { "private_key_jwt" } else { "none" };
    machine(json!({
        "token_endpoint_auth_method": method, "grant_types": [grant], "federated_credentials": [credential],
    }))
    .await
}

fn build(site: &Site, issuer: &Prover, change: &Value) -> String {
    let now = site.now();
    let usual = json!({
        "iss": "https://ci.example", "sub": "repo:acme/app:ref:refs/heads/main", "aud": "grantor", "jti": fresh(),
        "iat": now, "exp": now + 300, "repository_id": "42", "ref": "refs/heads/main",
    });
    issuer.sign("JWT", &crate::prover::merged(usual, change))
}

#[tokio::test]
async fn rfc7521_4_2_a_token_of_another_issuer_speaks_for_a_client() {
    let issuer = Prover::new();
    let site = federated(&issuer, "client_credentials").await;
    let mut fields = MACHINE.to_vec();
    fields.push(("client_id", "machine"));
    let token = build(&site, &issuer, &json!({}));
    let answer = asserted(&site, "/token", &token, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(claims(text(&answer.json(), "access_token"))["sub"], "machine");
    assert_eq!(asserted(&site, "/token", &token, &fields).await.error(), "invalid_client", "replay");
    for change in [
        json!({ "repository_id": "43" }),
        json!({ "ref": "refs/heads/fork" }),
        json!({ "aud": "other" }),
        json!({ "iss": "https://other.example" }),
        json!({ "exp": site.now() - 1 }),
    ] {
        let answer = asserted(&site, "/token", &build(&site, &issuer, &change), &fields).await;
        assert_eq!(answer.error(), "invalid_client", "{change}");
    }
    let forged = build(&site, &Prover::new(), &json!({}));
    assert_eq!(asserted(&site, "/token", &forged, &fields).await.error(), "invalid_client");
    crate::harness::until("the last use is recorded", async || {
        // A write that is not waited for goes with the next commit.
        site.settled().await;
        site.store
            .last_uses(&TenantName::default(), &ClientId::parse("machine").unwrap())
            .await
            .unwrap()
            .contains_key("build")
    })
    .await;
}

#[tokio::test]
async fn rfc7523_2_1_the_same_token_as_a_grant() {
    let issuer = Prover::new();
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let site = federated(&issuer, grant).await;
    let token = build(&site, &issuer, &json!({}));
    let fields = [("grant_type", grant), ("assertion", token.as_str()), ("client_id", "machine"), MACHINE[1]];
    let answer = site.form("/token", &[], &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(site.form("/token", &[], &fields).await.error(), "invalid_grant", "replay");
    let wrong = build(&site, &issuer, &json!({ "repository_id": "43" }));
    let fields = [("grant_type", grant), ("assertion", wrong.as_str()), ("client_id", "machine"), MACHINE[1]];
    assert_eq!(site.form("/token", &[], &fields).await.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc7523_3_rfc9449_11_1_what_was_used_stays_used_after_a_restart() {
    let (folder, prover, owner) = (Folder::new(), Prover::new(), Prover::new());
    let issuer = Some("http://localhost:9".to_owned());
    let plan = Plan { store: folder.store(), issuer: issuer.clone(), ..Plan::default() };
    let declared = json!({
        "client_id": "machine", "grant_types": ["client_credentials"], "token_endpoint_auth_method": "private_key_jwt",
        "jwks": prover.jwks(),
    });
    let declare = |changes: &mut Vec<Change>| changes.push(Change::PutClient(client_record(declared)));
    let site = Site::planned(plan, declare).await;
    let first = prover.assertion(&site, "machine", &json!({}));
    assert_eq!(asserted(&site, "/token", &first, &MACHINE).await.status, 200);
    let spare = || prover.assertion(&site, "machine", &json!({}));
    let send = async |site: &Site, proof: &str, assertion: &str| {
        let mut fields = MACHINE.to_vec();
        fields.extend([("client_assertion_type", assertion::TYPE), ("client_assertion", assertion)]);
        site.form("/token", &[("dpop", proof)], &fields).await
    };
    owner.learn(&send(&site, &owner.proof(&site, "POST", "/token", None, &json!({})), &spare()).await);
    let proof = owner.proof(&site, "POST", "/token", None, &json!({}));
    assert_eq!(send(&site, &proof, &spare()).await.status, 200);
    let (fresh, another) = (spare(), spare());
    drop(site);
    let again = Plan { store: folder.store(), issuer, declare: false, ..Plan::default() };
    let site = Site::planned(again, |_| {}).await;
    assert_eq!(asserted(&site, "/token", &first, &MACHINE).await.error(), "invalid_client", "the assertion");
    assert_eq!(send(&site, &proof, &fresh).await.error(), "invalid_dpop_proof", "the proof");
    assert_eq!(asserted(&site, "/token", &another, &MACHINE).await.status, 200, "what was not used is good");
}

#[tokio::test]
async fn rfc7523_2_1_a_stranger_learns_of_no_client() {
    let issuer = Prover::new();
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let site = federated(&issuer, grant).await;
    let wrong = build(&site, &Prover::new(), &json!({}));
    let mut answers = std::collections::BTreeSet::new();
    for client in ["machine", "web", "nobody"] {
        for assertion in [wrong.as_str(), "x"] {
            let fields = [("grant_type", grant), ("assertion", assertion), ("client_id", client)];
            let answer = site.form("/token", &[], &fields).await;
            answers.insert((answer.status.as_u16(), answer.body));
        }
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
}
