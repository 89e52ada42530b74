//! Requests and answers that nobody in between can change: pushed (RFC 9126), signed (RFC 9101), answered signed (JARM).

use crate::directory::client_record;
use crate::harness::{Browser, CALLBACK, Site, VERIFIER, claims, text, verified};
use crate::prover::{Prover, asserted, fresh, merged};
use grantor_jose::base64url;
use grantor_store::Change;
use serde_json::{Value, json};

/// A site with a client that signs, and its key.
async fn signing(change: Value) -> (Site, Prover) {
    let prover = Prover::new();
    let declared = json!({
        "client_id": "signer", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token"], "jwks": prover.jwks(), "require_consent": false,
    });
    let declared = merged(declared, &change);
    let site = Site::with(|changes| changes.push(Change::PutClient(client_record(declared)))).await;
    (site, prover)
}

/// The parameters of a request, as a list.
fn request(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    let query = Browser::query("signer", fields);
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

async fn push(site: &Site, prover: &Prover, fields: &[(String, String)]) -> crate::harness::Answer {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    prover.form(site, "/par", "signer", &fields).await
}

/// A request object (RFC 9101 4) of these parameters.
fn object(site: &Site, prover: &Prover, fields: &[(&str, &str)], change: &Value) -> String {
    let now = site.now();
    let mut claims = json!({ "iss": "signer", "aud": site.issuer, "nbf": now, "exp": now + 60, "jti": fresh() });
    for (name, value) in request(fields) {
        claims[name] = json!(value);
    }
    prover.sign("oauth-authz-req+jwt", &merged(claims, change))
}

async fn signed_in(browser: &mut Browser<'_>, query: &str) -> crate::harness::Answer {
    let first = browser.get(&format!("/authorize?{query}")).await;
    let page = browser.follow(first).await;
    if page.body.contains("name=\"password\"") {
        return browser.sign_in(&page, "alice", crate::harness::PASSWORD).await;
    }
    page
}

fn link(uri: &str) -> String {
    crate::harness::encode(&[("client_id", "signer"), ("request_uri", uri)])
}

#[tokio::test]
async fn rfc9126_2_2_a_pushed_request_leads_to_tokens_once() {
    let (site, prover) = signing(json!({})).await;
    let answer = push(&site, &prover, &request(&[("scope", "openid notes:read")])).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let body = answer.json();
    let uri = text(&body, "request_uri").to_owned();
    assert!(uri.starts_with("urn:ietf:params:oauth:request_uri:"));
    let mut browser = Browser::new(&site);
    let answer = signed_in(&mut browser, &link(&uri)).await;
    let code = answer.param("code").unwrap_or_else(|| panic!("{} {}", answer.location(), answer.body));
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
    ];
    let tokens = prover.form(&site, "/token", "signer", &fields).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let again = signed_in(&mut browser, &link(&uri)).await;
    assert_eq!(again.param("error").as_deref(), Some("invalid_request_uri"), "{}", again.location());
}

#[tokio::test]
async fn rfc9126_4_a_request_uri_belongs_to_its_client_and_ends() {
    let (site, prover) = signing(json!({})).await;
    let uri = push(&site, &prover, &request(&[])).await.json()["request_uri"].as_str().unwrap().to_owned();
    let of_another = crate::harness::encode(&[("client_id", "web"), ("request_uri", &uri), ("redirect_uri", CALLBACK)]);
    let answer = Browser::new(&site).get(&format!("/authorize?{of_another}")).await;
    assert_eq!(answer.param("error").as_deref(), Some("invalid_request_uri"));
    site.later(91);
    let late = Browser::new(&site).get(&format!("/authorize?{}", link(&uri))).await;
    // The client has one redirect URI: that is where it is told.
    assert_eq!(late.param("error").as_deref(), Some("invalid_request_uri"));
    let forged = Browser::new(&site).get(&format!("/authorize?{}", link(&uri.replace("gr_pr_", "gr_pr_A")))).await;
    assert_eq!(forged.param("error").as_deref(), Some("invalid_request_uri"));
}

#[tokio::test]
async fn rfc9126_6_a_client_that_must_push_is_refused_in_any_other_way() {
    let (site, prover) = signing(json!({ "require_pushed_authorization_requests": true })).await;
    let plain = Browser::new(&site).start("signer", &[]).await;
    assert_eq!(plain.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(push(&site, &prover, &request(&[])).await.status, 201);
}

#[tokio::test]
async fn rfc9126_2_1_a_wrong_request_is_refused_where_it_is_pushed() {
    let (site, prover) = signing(json!({})).await;
    for (fields, error) in [
        (vec![("redirect_uri", "https://evil.example/cb")], "invalid_request"),
        (vec![("scope", "nothing:known")], "invalid_scope"),
        (vec![("client_id", "web")], "invalid_client"),
        (vec![("request_uri", "urn:ietf:params:oauth:request_uri:x")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
    ] {
        let answer = push(&site, &prover, &request(&fields)).await;
        assert_eq!(answer.error(), error, "{fields:?}");
    }
    let nobody = site.form("/par", &[], &[("client_id", "signer")]).await;
    assert_eq!((nobody.status.as_u16(), nobody.error().as_str()), (401, "invalid_client"));
}

#[tokio::test]
async fn rfc9101_6_3_only_what_is_signed_counts() {
    let (site, prover) = signing(json!({})).await;
    let signed = object(&site, &prover, &[("state", "inside"), ("scope", "openid")], &json!({}));
    let fields =
        [("request", signed.as_str()), ("state", "outside"), ("scope", "notes:write"), ("client_id", "signer")];
    let answer = signed_in(&mut Browser::new(&site), &crate::harness::encode(&fields)).await;
    assert_eq!(answer.param("state").as_deref(), Some("inside"));
    assert!(answer.param("code").is_some());
    let stranger = object(&site, &Prover::new(), &[], &json!({}));
    for (name, bad) in [
        ("another key", stranger),
        ("of another client", object(&site, &prover, &[], &json!({ "client_id": "web" }))),
        ("for another server", object(&site, &prover, &[], &json!({ "aud": "https://other.example" }))),
        ("expired", object(&site, &prover, &[], &json!({ "exp": site.now() - 1 }))),
        ("an assertion", prover.assertion(&site, "signer", &json!({ "client_id": "signer" }))),
    ] {
        let fields = [("request", bad.as_str()), ("client_id", "signer"), ("redirect_uri", CALLBACK)];
        let answer = Browser::new(&site).get(&format!("/authorize?{}", crate::harness::encode(&fields))).await;
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request_object"), "{name}");
    }
}

#[tokio::test]
async fn rfc9101_10_5_a_client_that_must_sign_is_refused_without() {
    let (site, prover) = signing(json!({ "require_signed_request_object": true })).await;
    let plain = Browser::new(&site).start("signer", &[]).await;
    assert_eq!(plain.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(push(&site, &prover, &request(&[])).await.error(), "invalid_request");
    let signed = object(&site, &prover, &[], &json!({}));
    let assertion = prover.assertion(&site, "signer", &json!({}));
    let pushed = asserted(&site, "/par", &assertion, &[("request", &signed), ("client_id", "signer")]).await;
    assert_eq!(pushed.status, 201);
}

#[tokio::test]
async fn rfc9449_10_1_a_proof_at_the_pushed_request_binds_the_code() {
    let (site, prover) = signing(json!({})).await;
    let owner = Prover::new();
    let pushed = request(&[]);
    let mut answer = None;
    for _ in 0..2 {
        let assertion = prover.assertion(&site, "signer", &json!({}));
        let proof = owner.proof(&site, "POST", "/par", None, &json!({}));
        let mut fields: Vec<(&str, &str)> =
            pushed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.push(("client_assertion_type", grantor_protocol::client::auth::assertion::TYPE));
        fields.push(("client_assertion", &assertion));
        let got = site.form("/par", &[("dpop", &proof)], &fields).await;
        owner.learn(&got);
        answer = Some(got);
    }
    let uri = answer.unwrap().json()["request_uri"].as_str().unwrap().to_owned();
    let code = signed_in(&mut Browser::new(&site), &link(&uri)).await.param("code").unwrap();
    let redeem = async |with: Option<&Prover>| {
        let assertion = prover.assertion(&site, "signer", &json!({}));
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("code_verifier", VERIFIER),
            ("redirect_uri", CALLBACK),
            ("client_assertion_type", grantor_protocol::client::auth::assertion::TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        match with {
            None => site.form("/token", &[], &fields).await,
            Some(key) => {
                let proof = key.proof(&site, "POST", "/token", None, &json!({}));
                site.form("/token", &[("dpop", &proof)], &fields).await
            }
        }
    };
    assert_eq!(redeem(None).await.error(), "invalid_dpop_proof");
    let thief = Prover::new();
    thief.learn(&redeem(Some(&thief)).await);
    assert_eq!(redeem(Some(&thief)).await.error(), "invalid_grant");
    let tokens = redeem(Some(&owner)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(tokens.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn jarm_2_3_the_answer_is_signed_for_this_client() {
    let (site, _) = signing(json!({ "authorization_signed_response_alg": "ES256" })).await;
    for (mode, location) in [("jwt", true), ("query.jwt", true), ("form_post.jwt", false)] {
        let query = Browser::query("signer", &[("response_mode", mode)]);
        let answer = signed_in(&mut Browser::new(&site), &query).await;
        let token = if location {
            assert_eq!(answer.param("code"), None);
            answer.param("response").unwrap()
        } else {
            crate::harness::values(&answer.body, "name=\"response\" value=\"").pop().unwrap()
        };
        let response = verified(&site, "", &token).await;
        assert_eq!((&response["iss"], &response["aud"]), (&json!(site.issuer), &json!("signer")));
        assert!(response["code"].is_string() && response["state"] == "s");
    }
    let denied = Browser::query("signer", &[("response_mode", "jwt"), ("prompt", "none")]);
    let answer = Browser::new(&site).get(&format!("/authorize?{denied}")).await;
    assert_eq!(claims(&answer.param("response").unwrap())["error"], "login_required");
}

#[tokio::test]
async fn rfc9126_a_pushed_request_and_the_form_hold_no_secret() {
    let (site, prover) = signing(json!({})).await;
    let uri = push(&site, &prover, &request(&[])).await.json()["request_uri"].as_str().unwrap().to_owned();
    let sealed = base64url::decode(uri.rsplit(':').next().unwrap().strip_prefix("gr_pr_").unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&sealed).contains("signer"));
}

#[tokio::test]
async fn rfc9126_7_3_a_request_grows_no_younger_in_another_browser() {
    let (site, prover) = signing(json!({ "require_consent": true })).await;
    let uri = push(&site, &prover, &request(&[])).await.json()["request_uri"].as_str().unwrap().to_owned();
    let first = Browser::new(&site).get(&format!("/authorize?{}", link(&uri))).await;
    let mut page = first.location().to_owned();
    for _ in 0..3 {
        site.later(1000);
        // Each a browser that nobody has seen.
        let answer = Browser::new(&site).get(&page.replace("/signin", "/select-account")).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        page = answer.location().to_owned();
    }
    site.later(601);
    assert_eq!(Browser::new(&site).get(&page).await.status, 400, "over after an hour, whoever opens it");
}

#[tokio::test]
async fn jarm_2_2_nothing_is_spent_while_the_answer_cannot_be_encrypted() {
    let change = json!({
        "authorization_encrypted_response_alg": "ECDH-ES", "jwks_uri": "https://client.invalid/jwks", "jwks": null,
        "token_endpoint_auth_method": "client_secret_basic",
    });
    let (site, prover) = signing(change).await;
    let fields = request(&[("response_mode", "jwt")]);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let uri = site.client_form("/par", "signer", &fields).await.json()["request_uri"].as_str().unwrap().to_owned();
    let mut browser = Browser::new(&site);
    let lost = signed_in(&mut browser, &link(&uri)).await;
    assert!(lost.status.is_client_error(), "{} {}", lost.status, lost.location());
    let mut record = site.client("signer").await;
    record.metadata.jwks_uri = None;
    let key = grantor_jose::jwe::DecryptionKey::generate(grantor_jose::EncryptionAlgorithm::EcdhEs).unwrap();
    let mut jwks = prover.jwks();
    jwks["keys"].as_array_mut().unwrap().push(json!(key.public_jwk().unwrap()));
    record.metadata.jwks = Some(jwks);
    site.change(vec![Change::PutClient(record)]).await;
    let again = signed_in(&mut browser, &link(&uri)).await;
    let opened = grantor_jose::jwe::decrypt(&key, &again.param("response").unwrap()).unwrap().into_plaintext();
    assert!(claims(&String::from_utf8(opened).unwrap())["code"].is_string());
}
