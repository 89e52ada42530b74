//! The profile fapi2 (FAPI 2.0 Security Profile, FAPI 2.0 Message Signing), and what is encrypted to clients.

use crate::directory::client_record;
use crate::harness::{Answer, Browser, CALLBACK, PASSWORD, Site, VERIFIER, claims, encode, text};
use crate::prover::{Prover, fresh, merged};
use grantor_jose::jwe::{self, DecryptionKey};
use grantor_jose::{EncryptionAlgorithm, SigningAlgorithm};
use grantor_store::Change;
use serde_json::{Value, json};

const ASSERTION: &str = grantor_protocol::client::auth::assertion::TYPE;

async fn with(prover: &Prover, change: &Value) -> Site {
    let declared = json!({
        "client_id": "bank", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "refresh_token"], "jwks": prover.jwks(), "require_consent": false,
        "profile": "fapi2",
    });
    let declared = merged(declared, change);
    Site::with(|changes| changes.push(Change::PutClient(client_record(declared)))).await
}

/// A form with an assertion, and with a proof of `owner` when there is one; asked again when a nonce is wanted.
async fn sent(site: &Site, prover: &Prover, owner: Option<&Prover>, path: &str, fields: &[(&str, &str)]) -> Answer {
    loop {
        let assertion = prover.assertion(site, "bank", &json!({}));
        let mut all = vec![("client_assertion_type", ASSERTION), ("client_assertion", assertion.as_str())];
        all.extend(fields);
        let Some(owner) = owner else { return site.form(path, &[], &all).await };
        let proof = owner.proof(site, "POST", path, None, &json!({}));
        let answer = site.form(path, &[("dpop", &proof)], &all).await;
        owner.learn(&answer);
        if answer.error() != "use_dpop_nonce" {
            return answer;
        }
    }
}

fn request(fields: &[(&str, &str)]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(Browser::query("bank", fields).as_bytes()).into_owned().collect()
}

async fn code(site: &Site, prover: &Prover, fields: &[(String, String)]) -> String {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let pushed = sent(site, prover, None, "/par", &fields).await;
    assert_eq!(pushed.status, 201, "{}", pushed.body);
    let link = encode(&[("client_id", "bank"), ("request_uri", text(&pushed.json(), "request_uri"))]);
    let mut browser = Browser::new(site);
    let first = browser.get(&format!("/authorize?{link}")).await;
    let page = browser.follow(first).await;
    let answer = browser.sign_in(&page, "alice", PASSWORD).await;
    match answer.param("response") {
        Some(response) => text(&claims(&response), "code").to_owned(),
        None => answer.param("code").unwrap_or_else(|| panic!("{} {}", answer.location(), answer.body)),
    }
}

async fn default_tenant(site: &Site) -> grantor_protocol::directory::Tenant {
    let tenants = site.store.directory().await.unwrap().tenants;
    tenants.into_iter().find(|tenant| tenant.name.is_default()).unwrap()
}

fn redemption(code: &str) -> [(&str, &str); 4] {
    [("grant_type", "authorization_code"), ("code", code), ("code_verifier", VERIFIER), ("redirect_uri", CALLBACK)]
}

#[tokio::test]
async fn fapi2_security_profile_5_3_2_the_whole_flow() {
    let (prover, owner) = (Prover::new(), Prover::with(SigningAlgorithm::Ed25519));
    let site = with(&prover, &json!({})).await;
    let plain = Browser::new(&site).start("bank", &[]).await;
    assert_eq!(plain.param("error").as_deref(), Some("invalid_request"), "not pushed");

    let unbound = code(&site, &prover, &request(&[("scope", "openid notes:read")])).await;
    let refused = sent(&site, &prover, None, "/token", &redemption(&unbound)).await;
    assert_eq!(refused.error(), "invalid_request", "no sender constraint: {}", refused.body);

    let bound = code(&site, &prover, &request(&[("scope", "openid notes:read")])).await;
    let tokens = sent(&site, &prover, Some(&owner), "/token", &redemption(&bound)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    assert_eq!(tokens["token_type"], "DPoP");
    // RS256, the default of OpenID Connect, does not exist here.
    let id_token = crate::harness::jwt_header(text(&tokens, "id_token"));
    assert_eq!(id_token["alg"], "ES256");

    // 5.3.2.1: refresh tokens are not replaced.
    let refresh = text(&tokens, "refresh_token");
    for _ in 0..3 {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let again = sent(&site, &prover, Some(&owner), "/token", &fields).await;
        assert_eq!(again.status, 200, "{}", again.body);
        assert_eq!(text(&again.json(), "refresh_token"), refresh);
    }
}

#[tokio::test]
async fn fapi2_security_profile_5_3_2_2_a_code_lives_for_a_minute_at_most() {
    let (prover, owner) = (Prover::new(), Prover::new());
    let site = with(&prover, &json!({})).await;
    let mut tenant = default_tenant(&site).await;
    tenant.lifetimes.code = grantor_protocol::value::Seconds::new(600);
    site.change(vec![Change::PutTenant(tenant)]).await;
    let code = code(&site, &prover, &request(&[])).await;
    site.later(61);
    let late = sent(&site, &prover, Some(&owner), "/token", &redemption(&code)).await;
    assert_eq!(late.error(), "invalid_grant");
}

#[tokio::test]
async fn fapi2_security_profile_5_4_1_other_algorithms_prove_nothing() {
    let prover = Prover::with(SigningAlgorithm::Rs256);
    let site = with(&prover, &json!({})).await;
    let answer = sent(&site, &prover, None, "/par", &[("client_id", "bank")]).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (401, "invalid_client"));
}

#[tokio::test]
async fn fapi2_a_tenant_holds_its_clients_to_it() {
    let prover = Prover::new();
    let site = with(&prover, &json!({ "profile": "oauth2.1" })).await;
    let mut tenant = default_tenant(&site).await;
    tenant.profiles = vec![grantor_protocol::profile::Profile::Fapi2];
    site.change(vec![Change::PutTenant(tenant)]).await;
    let plain = Browser::new(&site).start("bank", &[]).await;
    assert_eq!(plain.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(site.token("machine", &[("grant_type", "client_credentials")]).await.error(), "invalid_client");
    let metadata = site.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
}

#[tokio::test]
async fn fapi2_message_signing_5_3_5_4_requests_and_responses_are_signed() {
    let (prover, owner) = (Prover::new(), Prover::new());
    let site = with(&prover, &json!({ "profile": "fapi2-message-signing" })).await;
    let unsigned = request(&[("response_mode", "jwt")]);
    let fields: Vec<(&str, &str)> = unsigned.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent(&site, &prover, None, "/par", &fields).await.error(), "invalid_request");
    let object = |mode: &str| {
        let now = site.now();
        let mut claims = json!({ "iss": "bank", "aud": site.issuer, "nbf": now, "exp": now + 60, "jti": fresh() });
        for (name, value) in request(&[("response_mode", mode)]) {
            claims[name] = json!(value);
        }
        vec![("request".to_owned(), prover.sign("oauth-authz-req+jwt", &claims)), ("client_id".into(), "bank".into())]
    };
    let open = object("query");
    let fields: Vec<(&str, &str)> = open.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent(&site, &prover, None, "/par", &fields).await.error(), "invalid_request", "an unsigned answer");
    let code = code(&site, &prover, &object("jwt")).await;
    let tokens = sent(&site, &prover, Some(&owner), "/token", &redemption(&code)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
}

#[tokio::test]
async fn rfc9701_5_introspection_can_be_signed() {
    let site = Site::start().await;
    let token = site.machine("notes:read").await;
    let basic = crate::harness::base64_standard(format!("api:{}", crate::harness::secret("api")).as_bytes());
    let headers =
        [("authorization", format!("Basic {basic}")), ("accept", "application/token-introspection+jwt".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = site.form("/introspect", &headers, &[("token", &token)]).await;
    assert_eq!(answer.header("content-type"), "application/token-introspection+jwt");
    assert_eq!(crate::harness::jwt_header(&answer.body)["typ"], "token-introspection+jwt");
    let signed = crate::harness::verified(&site, "", &answer.body).await;
    assert_eq!((&signed["aud"], &signed["token_introspection"]["active"]), (&json!("api"), &json!(true)));
    let unknown = site.form("/introspect", &headers, &[("token", "x")]).await;
    assert_eq!(claims(&unknown.body)["token_introspection"], json!({ "active": false }));
}

#[tokio::test]
async fn oidc_core_10_2_answers_are_encrypted_to_the_key_of_the_client() {
    for alg in [EncryptionAlgorithm::EcdhEsA256Kw, EncryptionAlgorithm::RsaOaep256] {
        let key = DecryptionKey::generate(alg).unwrap();
        let mut jwks = Prover::new().jwks();
        jwks["keys"].as_array_mut().unwrap().push(json!(key.public_jwk().unwrap()));
        let declared = json!({
            "client_id": "web", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
            "jwks": jwks, "id_token_encrypted_response_alg": alg, "id_token_encrypted_response_enc": "A256GCM",
            "userinfo_encrypted_response_alg": alg,
        });
        let site = Site::with(|changes| changes.push(Change::PutClient(client_record(declared)))).await;
        let tokens = site.tokens("openid email").await;
        let opened = jwe::decrypt(&key, text(&tokens, "id_token")).unwrap();
        assert_eq!(opened.header().cty(), Some("JWT"));
        let inner = String::from_utf8(opened.into_plaintext()).unwrap();
        assert_eq!(crate::harness::verified(&site, "", &inner).await["aud"], "web");
        let userinfo = site.bearer("/userinfo", text(&tokens, "access_token")).await;
        assert_eq!(userinfo.header("content-type"), "application/jwt");
        let inner = jwe::decrypt(&key, &userinfo.body).unwrap().into_plaintext();
        let inner = crate::harness::verified(&site, "", &String::from_utf8(inner).unwrap()).await;
        assert_eq!(inner["email"], "alice@example.com");
    }
}

#[tokio::test]
async fn rfc9101_6_1_a_request_object_can_be_encrypted_to_the_server() {
    let prover = Prover::new();
    let site = with(&prover, &json!({ "profile": "oauth2.1" })).await;
    let jwks = site.get("/jwks", &[]).await.json();
    let jwk = jwks["keys"].as_array().unwrap().iter().find(|key| key["use"] == "enc").unwrap();
    let jwk = grantor_jose::Jwk::parse_public(jwk.to_string()).unwrap();
    let now = site.now();
    let mut inside = json!({ "iss": "bank", "aud": site.issuer, "exp": now + 60, "jti": fresh() });
    for (name, value) in request(&[("state", "hidden")]) {
        inside[name] = json!(value);
    }
    let signed = prover.sign("oauth-authz-req+jwt", &inside);
    for alg in [EncryptionAlgorithm::EcdhEs, EncryptionAlgorithm::EcdhEsA256Kw] {
        let key = jwe::EncryptionKey::from_jwk(&jwk, alg).unwrap();
        let enc = grantor_jose::ContentEncryption::A256Gcm;
        let encrypted = jwe::encrypt(&key, enc, Some("JWT"), signed.as_bytes()).unwrap();
        let query = encode(&[("client_id", "bank"), ("request", &encrypted)]);
        let mut browser = Browser::new(&site);
        let first = browser.get(&format!("/authorize?{query}")).await;
        let page = browser.follow(first).await;
        let answer = browser.sign_in(&page, "alice", PASSWORD).await;
        assert_eq!(answer.param("state").as_deref(), Some("hidden"), "{}", answer.body);
    }
}
