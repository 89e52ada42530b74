//! `/introspect` and `/revoke`.

use crate::harness::{Browser, Site, values};
use serde_json::json;

#[tokio::test]
async fn rfc7662_2_2_an_api_learns_what_a_token_is_worth() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let known = site.introspect(tokens["access_token"].as_str().unwrap()).await;
    for (name, value) in [
        ("active", json!(true)),
        ("username", json!("alice")),
        ("client_id", json!("web")),
        ("scope", json!("notes:read openid")),
        ("token_type", json!("Bearer")),
    ] {
        assert_eq!(known[name], value);
    }
    let inactive = json!({"active": false});
    for token in [&tokens["id_token"], &tokens["refresh_token"], &json!("gr_at_x"), &json!("a.b.c"), &json!("")] {
        let token = token.as_str().unwrap();
        if !token.is_empty() {
            assert_eq!(site.introspect(token).await, inactive);
        }
    }
    site.later(600);
    assert_eq!(site.introspect(tokens["access_token"].as_str().unwrap()).await, inactive);
}

#[tokio::test]
async fn rfc7662_2_1_only_the_api_that_a_token_is_for_may_ask() {
    let site = Site::start().await;
    let machine = site.token("machine", &[("grant_type", "client_credentials"), ("scope", "mail:read")]).await.json();
    let token = machine["access_token"].as_str().unwrap();
    assert_eq!(site.introspect(token).await["active"], true);
    for other in ["machine", "web"] {
        let answer = site.client_form("/introspect", other, &[("token", token)]).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"active": false})));
    }
    let public = site.form("/introspect", &[], &[("client_id", "public"), ("token", token)]).await;
    assert_eq!((public.status.as_u16(), public.error().as_str()), (401, "invalid_client"));
    assert_eq!(site.client_form("/introspect", "api", &[]).await.error(), "invalid_request");
}

#[tokio::test]
async fn rfc7009_2_a_client_takes_its_own_tokens_back_and_nobody_elses() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    for token in [access, refresh, "nonsense"] {
        assert_eq!(site.client_form("/revoke", "other", &[("token", token)]).await.status, 200);
    }
    assert_eq!(site.introspect(access).await["active"], true);
    let answer = site.client_form("/revoke", "web", &[("token", access), ("token_type_hint", "refresh_token")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(site.introspect(access).await["active"], false);
    let next = site.refresh(refresh, &[]).await.json();
    let (access, refresh) = (next["access_token"].as_str().unwrap(), next["refresh_token"].as_str().unwrap());
    site.client_form("/revoke", "web", &[("token", refresh)]).await;
    assert_eq!(site.introspect(access).await["active"], false, "its grant is gone");
    assert_eq!(site.refresh(refresh, &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn your_apps_takes_everything_back_at_once_a_code_in_flight_too() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let first = browser.authorize("web", &[("scope", "openid notes:read")]).await;
    let tokens = site.redeem(&first.param("code").unwrap(), &[]).await.json();
    let in_flight = browser.start("web", &[("scope", "openid notes:read")]).await.param("code").unwrap();
    let page = browser.get("/applications").await;
    assert_eq!(values(&page.body, "name=\"client_id\" value=\""), ["web"]);
    let answer = browser.submit(&page, &[("client_id", "web")]).await;
    let page = browser.follow(answer).await;
    assert!(values(&page.body, "name=\"client_id\" value=\"").is_empty());
    assert_eq!(site.bearer("/demo/notes", tokens["access_token"].as_str().unwrap()).await.status, 401);
    assert_eq!(site.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await.error(), "invalid_grant");
    assert_eq!(site.redeem(&in_flight, &[]).await.error(), "invalid_grant");
    let asked = browser.start("web", &[("scope", "openid notes:read")]).await;
    assert!(asked.body.contains("value=\"allow\""), "he is asked again");
}
