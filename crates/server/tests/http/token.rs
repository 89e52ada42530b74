//! `/token`.

use crate::directory::policy;
use crate::harness::{Browser, Site, claims, jwt_header, values};
use grantor_protocol::audit::{Action, Outcome};
use serde_json::json;

#[tokio::test]
async fn rfc6749_4_4_an_application_gets_a_token_for_itself() {
    let site = Site::start().await;
    let answer =
        site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read notes:write")]).await;
    assert_eq!(answer.status, 200);
    assert_eq!((answer.header("cache-control"), answer.header("content-type")), ("no-store", "application/json"));
    let body = answer.json();
    assert_eq!(
        (&body["token_type"], &body["expires_in"], &body["scope"]),
        (&json!("Bearer"), &json!(600), &json!("notes:read"))
    );
    let token = body["access_token"].as_str().unwrap();
    assert_eq!((&jwt_header(token)["typ"], &jwt_header(token)["alg"]), (&json!("at+jwt"), &json!("ES256")));
    let claims = claims(token);
    assert_eq!(
        (&claims["sub"], &claims["idtyp"], &claims["aud"]),
        (&json!("machine"), &json!("app"), &json!(site.notes()))
    );
    assert_eq!(claims["roles"], json!(["reader"]));
    assert_eq!(site.bearer("/demo/notes", token).await.status, 200);
    let events = site.events().await;
    let issued =
        events.iter().find(|event| event.action == Action::Token && event.outcome == Outcome::Allowed).unwrap();
    assert!(issued.details["narrowed"].to_string().contains("notes:write: above the client's ceiling"));
}

#[tokio::test]
async fn rfc6749_5_2_every_refusal_has_its_code_and_status() {
    let site = Site::start().await;
    let cc = ("grant_type", "client_credentials");
    for (fields, status, error) in [
        (vec![], 400, "invalid_request"),
        (vec![("grant_type", "password")], 400, "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code"), ("code", "x")], 400, "unauthorized_client"),
        (vec![cc, ("scope", "mail:\"read")], 400, "invalid_scope"),
        (vec![cc, ("scope", "notes:write")], 400, "invalid_scope"),
        (vec![cc, ("resource", "https://unknown.example")], 400, "invalid_target"),
        (vec![cc, ("resource", "notes")], 400, "invalid_target"),
        (vec![cc], 400, "invalid_target"),
        (vec![cc, ("scope", "notes:read"), ("scope", "mail:read")], 400, "invalid_request"),
    ] {
        let answer = site.token("machine", &fields).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (status, error), "{fields:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let wrong = site.form("/token", &[("authorization", "Basic bWFjaGluZTp3cm9uZw==")], &[cc]).await;
    assert_eq!((wrong.status.as_u16(), wrong.error().as_str()), (401, "invalid_client"));
    assert!(wrong.header("www-authenticate").starts_with("Basic"));
    let unknown = site.form("/token", &[], &[cc, ("client_id", "nobody"), ("client_secret", "x")]).await;
    assert_eq!((unknown.status.as_u16(), unknown.body), (401, wrong.body));
}

#[tokio::test]
async fn rfc6749_4_1_a_user_allows_a_client() {
    let site = Site::start().await;
    let tokens = site.tokens("openid profile notes:read").await;
    let access = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(access["aud"], json!([site.notes(), site.issuer]));
    assert_eq!(
        (&access["sub"], &access["idtyp"], &access["client_id"]),
        (&json!("sub-of-alice"), &json!("user"), &json!("web"))
    );
    assert_eq!(access["roles"], json!(["editor"]));
    let id = tokens["id_token"].as_str().unwrap();
    assert_eq!((&jwt_header(id)["typ"], &jwt_header(id)["alg"]), (&json!("JWT"), &json!("RS256")));
    assert_eq!((&claims(id)["aud"], &claims(id)["iss"]), (&json!("web"), &json!(site.issuer)));
    assert!(claims(id)["at_hash"].is_string() && claims(id).get("email").is_none());
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("gr_rt_"));
}

#[tokio::test]
async fn rfc6749_4_1_2_a_code_that_comes_twice_kills_what_it_gave() {
    let site = Site::start().await;
    let code = site.code("openid notes:read").await;
    let first = site.redeem(&code, &[]).await.json();
    let access = first["access_token"].as_str().unwrap();
    assert_eq!(site.bearer("/demo/notes", access).await.status, 200);
    let second = site.redeem(&code, &[]).await;
    assert_eq!((second.status.as_u16(), second.error().as_str()), (400, "invalid_grant"));
    assert_eq!(site.bearer("/demo/notes", access).await.status, 401);
    assert_eq!(site.refresh(first["refresh_token"].as_str().unwrap(), &[]).await.error(), "invalid_grant");
    assert!(site.events().await.iter().any(|event| event.action == Action::Replay));
}

#[tokio::test]
async fn rfc6749_4_1_3_a_code_is_worth_nothing_elsewhere() {
    let site = Site::start().await;
    let code = site.code("openid").await;
    let fields =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", crate::harness::CALLBACK)];
    assert_eq!(site.token("web", &fields).await.error(), "invalid_request");
    let wrong = [fields[0], fields[1], fields[2], ("code_verifier", &"x".repeat(43))];
    assert_eq!(site.token("web", &wrong).await.error(), "invalid_grant");
    let right = [fields[0], fields[1], fields[2], ("code_verifier", crate::harness::VERIFIER)];
    assert_eq!(site.token("other", &right).await.error(), "invalid_grant");
    site.later(60);
    assert_eq!(site.token("web", &right).await.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc9700_4_14_2_refresh_tokens_rotate_and_a_retry_gives_the_same_successor() {
    let site = Site::start().await;
    let first = site.tokens("openid notes:read").await["refresh_token"].as_str().unwrap().to_owned();
    let second = site.refresh(&first, &[]).await.json();
    let again = site.refresh(&first, &[]).await.json();
    assert_eq!(second["refresh_token"], again["refresh_token"]);
    assert_ne!(second["refresh_token"], json!(first));
    assert!(claims(second["id_token"].as_str().unwrap()).get("nonce").is_none());
    site.later(31);
    assert_eq!(site.refresh(&first, &[]).await.error(), "invalid_grant");
    let current = second["refresh_token"].as_str().unwrap();
    assert_eq!(site.refresh(current, &[]).await.error(), "invalid_grant", "reuse revokes the whole grant");
    assert_eq!(site.bearer("/demo/notes", second["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn rfc6749_6_a_refresh_may_ask_for_less_and_never_for_more() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read notes:write").await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(site.refresh(refresh, &[("scope", "notes:read mail:read")]).await.error(), "invalid_scope");
    let less = site.refresh(refresh, &[("scope", "notes:read")]).await.json();
    assert_eq!(less["scope"], "notes:read");
    assert!(less.get("id_token").is_none());
    assert_eq!(claims(less["access_token"].as_str().unwrap())["aud"], json!(site.notes()));
    let other = site.token("other", &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(other.error(), "invalid_grant");
}

#[tokio::test]
async fn rfc8707_2_2_several_apis_are_named_one_by_one() {
    let site = Site::start().await;
    let code = site.code("notes:read mail:read").await;
    assert_eq!(site.redeem(&code, &[]).await.error(), "invalid_target");
    let mail = site.mail();
    let first = site.redeem(&code, &[("resource", &mail)]).await.json();
    assert!(first["access_token"].as_str().unwrap().starts_with("gr_at_"));
    assert_eq!((&first["scope"], &first["expires_in"]), (&json!("mail:read"), &json!(60)));
    assert!(first.get("id_token").is_none());
    let notes = site.notes();
    let next = site.refresh(first["refresh_token"].as_str().unwrap(), &[("resource", &notes)]).await.json();
    assert_eq!(claims(next["access_token"].as_str().unwrap())["aud"], json!(notes));
}

#[tokio::test]
async fn rfc9700_2_3_no_audience_and_no_roles_without_a_scope() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let notes = site.notes();
    let answer = browser.authorize("web", &[("scope", "openid"), ("resource", &notes)]).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(site.bearer("/demo/notes", access).await.error(), "invalid_token");
    assert_eq!(site.bearer("/userinfo", access).await.status, 200);
}

#[tokio::test]
async fn oidc_core_11_offline_access_that_was_not_allowed_gives_no_refresh_token() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let page = browser.start("web", &[("scope", "openid offline_access notes:read")]).await;
    let page = browser.sign_in(&page, "alice", crate::harness::PASSWORD).await;
    assert_eq!(values(&page.body, "name=\"scope\" value=\""), ["offline_access", "openid", "notes:read"]);
    let answer = browser.decide(&page, "allow", Some(&["openid", "notes:read"])).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_some());
}

#[tokio::test]
async fn a_disabled_client_a_disabled_user_and_a_stricter_directory_hold_at_once() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read notes:write").await;
    let (access, refresh) = (tokens["access_token"].as_str().unwrap(), tokens["refresh_token"].as_str().unwrap());
    let notes = site.notes();
    site.change(vec![policy(
        json!({"name": "read", "api": notes, "scopes": ["notes:read"], "access_token_lifetime": 30}),
    )])
    .await;
    let narrowed = site.refresh(refresh, &[]).await.json();
    assert_eq!((&narrowed["scope"], &narrowed["expires_in"]), (&json!("notes:read openid"), &json!(30)));
    let mut web = site.client("web").await;
    web.metadata.disabled = true;
    site.change(vec![grantor_store::Change::PutClient(web)]).await;
    assert_eq!(site.introspect(access).await, json!({"active": false}));
    assert_eq!(site.bearer("/demo/notes", access).await.status, 401);
    assert_eq!(site.refresh(narrowed["refresh_token"].as_str().unwrap(), &[]).await.status, 401);
}

#[tokio::test]
async fn rfc9068_2_1_an_api_chooses_how_its_tokens_are_signed() {
    for algorithm in grantor_jose::SigningAlgorithm::ALL {
        let site = Site::with(|changes| {
            for change in changes {
                if let grantor_store::Change::PutApi(api) = change {
                    api.token.algorithm = *algorithm;
                }
            }
        })
        .await;
        let answer =
            site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await.json();
        let token = answer["access_token"].as_str().unwrap();
        assert_eq!(jwt_header(token)["alg"], json!(algorithm));
        assert_eq!(site.bearer("/demo/notes", token).await.status, 200, "{algorithm}");
        let jwks = site.get("/jwks", &[]).await.json();
        let keys = jwks["keys"].as_array().unwrap();
        assert!(keys.iter().any(|key| key["kid"] == jwt_header(token)["kid"] && key["alg"] == json!(algorithm)));
    }
}
