//! Keys and their rotation.

use crate::harness::Site;
use grantor_protocol::directory::KeyKind;
use grantor_protocol::value::TenantName;
use grantor_server::keyring;
use std::collections::BTreeSet;

async fn published(site: &Site) -> BTreeSet<String> {
    let jwks = site.get("/jwks", &[]).await.json();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn token(site: &Site) -> String {
    let body = site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await.json();
    body["access_token"].as_str().unwrap().to_owned()
}

fn kid(token: &str) -> String {
    crate::harness::jwt_header(token)["kid"].as_str().unwrap().to_owned()
}

async fn rotate(site: &Site, only: Option<KeyKind>, at_once: bool) {
    let (store, master) = (&*site.store, (site.master)());
    keyring::rotate(store, &master, &TenantName::default(), only, at_once, &*site.world).await.unwrap();
    site.settled().await;
}

#[tokio::test]
async fn rfc7517_5_a_key_is_published_before_it_is_used_and_kept_while_its_tokens_live() {
    let site = Site::start().await;
    let before = published(&site).await;
    let old = token(&site).await;
    site.later(100);
    rotate(&site, None, false).await;
    assert!(published(&site).await.is_superset(&before));
    assert_eq!(kid(&token(&site).await), kid(&old), "verifiers may not have seen the next one yet");
    site.later(300);
    site.settled().await;
    let new = token(&site).await;
    assert_ne!(kid(&new), kid(&old));
    assert!(before.contains(&kid(&new)), "it was published from the start");
    assert_eq!(site.bearer("/demo/notes", &old).await.status, 200);
    site.later(86_400 + 301);
    site.settled().await;
    assert!(!published(&site).await.contains(&kid(&old)));
}

#[tokio::test]
async fn a_stolen_key_is_gone_at_once_whatever_was_rotated_before() {
    let site = Site::start().await;
    let first = token(&site).await;
    rotate(&site, None, false).await;
    rotate(&site, None, false).await;
    let kept = published(&site).await;
    assert!(kept.contains(&kid(&first)));
    rotate(&site, None, true).await;
    let after = published(&site).await;
    assert!(!after.contains(&kid(&first)));
    assert_eq!(site.bearer("/demo/notes", &first).await.status, 401);
    let fresh = token(&site).await;
    site.later(1_000);
    site.settled().await;
    assert_eq!(kid(&token(&site).await), kid(&fresh), "no older key takes over later");
}

#[tokio::test]
async fn handles_made_before_a_rotation_still_open() {
    let site = Site::start().await;
    let tokens = site.tokens("openid notes:read").await;
    let code = site.code("openid").await;
    rotate(&site, Some(KeyKind::Handle), false).await;
    assert_eq!(site.redeem(&code, &[]).await.status, 200);
    assert_eq!(site.refresh(tokens["refresh_token"].as_str().unwrap(), &[]).await.status, 200);
}
