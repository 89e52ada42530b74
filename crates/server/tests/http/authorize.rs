//! `/authorize`.

use crate::harness::{Browser, CALLBACK, PASSWORD, Site, claims, values};
use serde_json::json;

#[tokio::test]
async fn rfc6749_4_1_2_1_an_error_is_a_page_until_the_redirect_uri_is_verified() {
    let site = Site::start().await;
    for fields in [
        [("client_id", "nobody")],
        [("redirect_uri", "https://evil.example/cb")],
        [("redirect_uri", "https://app.example/cb/")],
        [("redirect_uri", "")],
    ] {
        let page = Browser::new(&site).start("web", &fields).await;
        assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{fields:?}");
        assert!(page.body.contains("<h1"));
        assert!(page.body.contains(page.header("x-request-id")));
    }
}

#[tokio::test]
async fn rfc6749_4_1_2_1_afterwards_it_is_a_redirect_with_state_and_iss() {
    let site = Site::start().await;
    for (fields, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("code_challenge", ""), ("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("scope", "nothing:known")], "invalid_scope"),
        (vec![("resource", "https://unknown.example")], "invalid_target"),
        (vec![("request", "x")], "invalid_request_object"),
        (vec![("request_uri", "https://x")], "invalid_request_uri"),
        (vec![("prompt", "none")], "login_required"),
        (vec![("prompt", "none login")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
    ] {
        let answer = Browser::new(&site).start("web", &fields).await;
        assert_eq!(answer.status, 303, "{fields:?} {}", answer.body);
        assert!(answer.location().starts_with(CALLBACK));
        assert_eq!(answer.param("error").as_deref(), Some(error), "{fields:?}");
        assert_eq!((answer.param("state"), answer.param("iss")), (Some("s".into()), Some(site.issuer.clone())));
    }
}

#[tokio::test]
async fn oidc_core_3_1_2_1_the_same_by_post() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let query = Browser::query("web", &[]);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let answer = browser.post("/authorize", &fields).await;
    let page = browser.follow(answer).await;
    assert!(page.body.contains("name=\"password\""));
}

#[tokio::test]
async fn oidc_core_3_1_2_4_the_user_is_asked_once_and_denial_is_told() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let page = browser.start("web", &[("scope", "openid notes:read notes:write")]).await;
    let page = browser.sign_in(&page, "alice", PASSWORD).await;
    assert!(page.body.contains("Read your notes") && page.body.contains("app.example"));
    let denied = browser.decide(&page, "deny", None).await;
    assert_eq!(
        (denied.param("error").as_deref(), denied.param("state").as_deref()),
        (Some("access_denied"), Some("s"))
    );
    let page = browser.start("web", &[("scope", "openid notes:read notes:write")]).await;
    let some = browser.decide(&page, "allow", Some(&["openid", "notes:read"])).await;
    let tokens = site.redeem(&some.param("code").unwrap(), &[]).await.json();
    assert_eq!(tokens["scope"], "notes:read openid");
    let again = browser.start("web", &[("scope", "openid notes:read"), ("prompt", "none")]).await;
    assert!(again.param("code").is_some());
    let more = browser.start("web", &[("scope", "openid notes:write"), ("prompt", "none")]).await;
    assert_eq!(more.param("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn what_is_not_allowed_any_more_is_asked_again() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let scope = [("scope", "openid notes:read notes:write")];
    browser.authorize("web", &scope).await;
    let page = browser.start("web", &[scope[0], ("prompt", "consent")]).await;
    browser.decide(&page, "allow", Some(&["openid", "notes:read"])).await;
    let again = browser.start("web", &[scope[0], ("prompt", "none")]).await;
    assert_eq!(again.param("error").as_deref(), Some("consent_required"));
}

#[tokio::test]
async fn oidc_core_5_5_a_claim_is_not_given_without_consent_to_its_scope() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    browser.authorize("web", &[("scope", "openid")]).await;
    let wanted = r#"{"id_token":{"email":null},"userinfo":{"name":null}}"#;
    let silent = browser.start("web", &[("claims", wanted), ("prompt", "none")]).await;
    assert_eq!(silent.param("error").as_deref(), Some("consent_required"));
    let page = browser.start("web", &[("claims", wanted)]).await;
    assert_eq!(values(&page.body, "name=\"scope\" value=\""), ["email", "openid", "profile"]);
    let answer = browser.decide(&page, "allow", Some(&["openid", "email"])).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["email"], "alice@example.com");
    assert_eq!(tokens["scope"], "openid");
    let userinfo = site.bearer("/userinfo", tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(userinfo, json!({"sub": "sub-of-alice"}));
}

#[tokio::test]
async fn oidc_core_3_1_2_1_prompt_login_and_max_age_want_a_new_sign_in() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    browser.authorize("web", &[]).await;
    let before = site.now();
    site.later(100);
    let asks = |answer: &crate::harness::Answer| answer.body.contains("name=\"password\"");
    assert!(!asks(&browser.start("web", &[("max_age", "200")]).await));
    assert!(asks(&browser.start("web", &[("max_age", "50")]).await));
    let page = browser.start("web", &[("prompt", "login"), ("login_hint", "alice")]).await;
    assert!(asks(&page) && page.body.contains("value=\"alice\""));
    let old = browser.cookies.clone();
    let answer = browser.sign_in(&page, "alice", PASSWORD).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    assert!(claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64().unwrap() >= before + 100);
    assert_ne!(old["grantor-default"], browser.cookies["grantor-default"], "the session id changes at sign-in");
    let mut thief = Browser::new(&site);
    thief.cookies = old;
    assert!(asks(&thief.start("web", &[]).await), "the old one is dead");
}

#[tokio::test]
async fn oidc_core_3_1_2_1_select_account_and_hints() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let answer = browser.authorize("web", &[]).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    site.later(10);
    let page = browser.start("web", &[("prompt", "select_account")]).await;
    assert!(page.body.contains("value=\"another\""));
    let answer = browser.submit(&page, &[("account", "continue")]).await;
    assert!(browser.follow(answer).await.param("code").is_some());
    let hint = tokens["id_token"].as_str().unwrap();
    assert!(browser.start("web", &[("id_token_hint", hint), ("prompt", "none")]).await.param("code").is_some());
    let required = r#"{"id_token":{"sub":{"value":"somebody-else"}}}"#;
    let other = browser.start("web", &[("claims", required), ("prompt", "none")]).await;
    assert_eq!(other.param("error").as_deref(), Some("login_required"));
    let acr = r#"{"id_token":{"acr":{"essential":true,"values":["gold"]}}}"#;
    let weak = browser.start("web", &[("claims", acr), ("prompt", "none")]).await;
    assert_eq!(weak.param("error").as_deref(), Some("unmet_authentication_requirements"));
}

#[tokio::test]
async fn oauth_form_post_2_the_answer_can_come_as_a_form() {
    let site = Site::start().await;
    let page = Browser::new(&site).authorize("web", &[("response_mode", "form_post")]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains(&format!("action=\"{CALLBACK}\"")) && page.body.contains("name=\"code\""));
    assert!(page.header("content-security-policy").contains("form-action 'self' https:;"));
}

#[tokio::test]
async fn rfc8252_7_3_a_native_app_is_reached_on_any_loopback_port() {
    let site = Site::start().await;
    let redirect = "http://127.0.0.1:53123/cb";
    let answer = Browser::new(&site).authorize("public", &[("redirect_uri", redirect)]).await;
    assert!(answer.location().starts_with(redirect));
    let code = answer.param("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", &code),
        ("redirect_uri", redirect),
        ("code_verifier", crate::harness::VERIFIER),
    ];
    assert_eq!(site.form("/token", &[], &fields).await.status, 200);
}

#[tokio::test]
async fn nothing_of_one_tenant_works_at_another() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(site.bearer("/t/acme/userinfo", access).await.status, 401);
    assert_eq!(site.get("/t/nobody/jwks", &[]).await.status, 404);
    let mut browser = Browser::new(&site);
    assert_eq!(browser.start("web", &[]).await.status, 200);
    let there = browser.get(&format!("/t/acme/authorize?{}", Browser::query("web", &[]))).await;
    assert_eq!(there.status, 400, "no such client there");
    let here = site.get("/jwks", &[]).await.body;
    assert_ne!(here, site.get("/t/acme/jwks", &[]).await.body);
}
