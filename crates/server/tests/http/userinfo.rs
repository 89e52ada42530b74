//! `/userinfo` and the metadata.

use crate::directory::client_record;
use crate::harness::{Site, claims, encode};
use grantor_store::Change;
use serde_json::json;

#[tokio::test]
async fn oidc_core_5_3_by_get_and_by_post_and_never_in_the_query() {
    let site = Site::start().await;
    let tokens = site.tokens("openid email").await;
    let access = tokens["access_token"].as_str().unwrap();
    let wanted = json!({"sub": "sub-of-alice", "email": "alice@example.com", "email_verified": true});
    assert_eq!(site.bearer("/userinfo", access).await.json(), wanted);
    assert_eq!(site.form("/userinfo", &[], &[("access_token", access)]).await.json(), wanted);
    let in_query = site.get(&format!("/userinfo?{}", encode(&[("access_token", access)])), &[]).await;
    assert_eq!((in_query.status.as_u16(), in_query.header("www-authenticate")), (401, "Bearer realm=\"grantor\""));
    let twice =
        site.form("/userinfo", &[("authorization", &format!("Bearer {access}"))], &[("access_token", access)]).await;
    assert_eq!((twice.status.as_u16(), twice.error().as_str()), (400, "invalid_request"));
}

#[tokio::test]
async fn rfc9068_4_an_id_token_is_no_access_token() {
    let site = Site::start().await;
    let tokens = site.tokens("openid").await;
    for wrong in [&tokens["id_token"], &tokens["refresh_token"], &json!("x")] {
        let answer = site.bearer("/userinfo", wrong.as_str().unwrap()).await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
    }
    let machine = site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await.json();
    assert_eq!(site.bearer("/userinfo", machine["access_token"].as_str().unwrap()).await.status, 401);
    let api_only = site.tokens("notes:read").await;
    assert_eq!(site.bearer("/userinfo", api_only["access_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn oidc_core_8_pairwise_subjects_and_signed_userinfo() {
    let site = Site::with(|changes| {
        changes.push(Change::PutClient(client_record(json!({
            "client_id": "web", "redirect_uris": [crate::harness::CALLBACK], "subject_type": "pairwise",
            "userinfo_signed_response_alg": "ES256", "id_token_signed_response_alg": "EdDSA",
        }))));
    })
    .await;
    let tokens = site.tokens("openid notes:read").await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_ne!(id["sub"], "sub-of-alice");
    assert!(tokens.get("refresh_token").is_none());
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims(access)["sub"], id["sub"]);
    let answer = site.bearer("/userinfo", access).await;
    assert_eq!(answer.header("content-type"), "application/jwt");
    let signed = claims(&answer.body);
    assert_eq!((&signed["sub"], &signed["aud"], &signed["iss"]), (&id["sub"], &json!("web"), &json!(site.issuer)));
    assert!(site.introspect(access).await.get("username").is_none(), "who it is stays hidden");
}

#[tokio::test]
async fn rfc8414_3_metadata_at_both_forms() {
    let site = Site::start().await;
    let here = site.get("/.well-known/openid-configuration", &[]).await;
    assert_eq!(here.header("cache-control"), "public, max-age=300");
    assert_eq!(here.header("access-control-allow-origin"), "*");
    assert_eq!(here.body, site.get("/.well-known/oauth-authorization-server", &[]).await.body);
    assert_eq!(here.json()["issuer"], json!(site.issuer));
    let inserted = site.get("/.well-known/oauth-authorization-server/t/acme", &[]).await;
    assert_eq!(inserted.body, site.get("/t/acme/.well-known/openid-configuration", &[]).await.body);
    assert_eq!(inserted.json()["issuer"], json!(format!("{}/t/acme", site.issuer)));
    for endpoint in ["token_endpoint", "jwks_uri", "userinfo_endpoint"] {
        assert!(inserted.json()[endpoint].as_str().unwrap().starts_with(&format!("{}/t/acme/", site.issuer)));
    }
}
