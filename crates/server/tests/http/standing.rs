//! For how long a node may answer from memory how a token stands: two of them over one store.

use crate::harness::{Plan, Site, text};
use grantor_protocol::grant::TokenRef;
use grantor_store::MemoryStore;
use serde_json::json;
use std::sync::Arc;

/// Two nodes of one issuer; each has a clock of its own.
async fn nodes() -> [Site; 2] {
    let store = Arc::new(MemoryStore::new());
    let one = Site::planned(Plan { store: store.clone(), ..Plan::default() }, |_| {}).await;
    let issuer = Some(one.issuer.clone());
    let other = Site::planned(Plan { store, issuer, declare: false, ..Plan::default() }, |_| {}).await;
    [one, other]
}

#[tokio::test]
async fn rfc7009_2_what_is_taken_back_is_worth_nothing_here_at_once_and_elsewhere_after_half_a_second() {
    let [here, there] = nodes().await;
    let tokens = here.tokens("openid notes:read").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    for node in [&here, &there] {
        assert_eq!(node.introspect(access).await["active"], true);
        assert_eq!(node.bearer("/userinfo", access).await.status, 200);
    }
    assert_eq!(here.client_form("/revoke", "web", &[("token", refresh)]).await.status, 200);
    assert_eq!(here.introspect(access).await, json!({"active": false}));
    assert_eq!(here.bearer("/userinfo", access).await.status, 401);
    assert_eq!(here.bearer("/demo/notes", access).await.status, 401);
    there.later_by_millis(500);
    assert_eq!(there.introspect(access).await, json!({"active": false}));
    assert_eq!(there.bearer("/userinfo", access).await.status, 401);
    assert_eq!(there.bearer("/demo/notes", access).await.status, 401);
}

#[tokio::test]
async fn an_opaque_token_and_a_jwt_of_an_application_go_the_same_way() {
    let [here, there] = nodes().await;
    for scope in ["mail:read", "notes:read"] {
        let access = here.machine(scope).await;
        for node in [&here, &there] {
            assert_eq!(node.introspect(&access).await["active"], true);
        }
        assert_eq!(here.client_form("/revoke", "machine", &[("token", &access)]).await.status, 200);
        assert_eq!(here.introspect(&access).await, json!({"active": false}));
        there.later_by_millis(500);
        assert_eq!(there.introspect(&access).await, json!({"active": false}), "{scope}");
    }
}

/// What is known of a token is known of all its letters.
#[tokio::test]
async fn a_token_that_was_changed_is_not_the_one_that_was_seen() {
    let site = Site::start().await;
    for scope in ["mail:read", "notes:read"] {
        let access = site.machine(scope).await;
        assert_eq!(site.introspect(&access).await["active"], true);
        let (rest, last) = access.split_at(access.len() - 1);
        for changed in [format!("{rest}{}", if last == "A" { "Q" } else { "A" }), format!("{access}A"), rest.to_owned()]
        {
            assert_eq!(site.introspect(&changed).await, json!({"active": false}));
        }
    }
}

#[tokio::test]
async fn the_store_is_asked_twice_a_second_and_not_with_each_request() {
    let [here, there] = nodes().await;
    let access = here.machine("mail:read").await;
    assert_eq!(there.introspect(&access).await["active"], true);
    let claims = there.introspect(&access).await;
    let token = grantor_protocol::value::TokenId::parse(text(&claims, "jti")).unwrap();
    let client = grantor_protocol::value::ClientId::parse("machine").unwrap();
    let tenant = grantor_protocol::value::TenantName::default();
    let until = grantor_protocol::value::UnixTime::new(here.now() + 600);
    there.store.revoke_token(&tenant, token, until).await.unwrap();
    let reference = TokenRef { token, grant: None, client };
    assert_eq!(there.store.standing(&tenant, &reference).await.unwrap(), grantor_protocol::grant::Standing::Revoked);
    // Taken back behind the node's back: its clock has moved by a few milliseconds only.
    assert_eq!(there.introspect(&access).await["active"], true);
    there.later_by_millis(500);
    assert_eq!(there.introspect(&access).await["active"], false);
}

/// What a stolen key signed is worth nothing, also where it was seen before.
#[tokio::test]
async fn a_token_that_was_seen_is_opened_anew_under_other_keys() {
    let site = Site::start().await;
    let (opaque, jwt) = (site.machine("mail:read").await, site.machine("notes:read").await);
    for token in [&opaque, &jwt] {
        assert_eq!(site.introspect(token).await["active"], true);
    }
    let (master, tenant) = ((site.master)(), grantor_protocol::value::TenantName::default());
    grantor_server::keyring::rotate(&*site.store, &master, &tenant, None, true, &*site.world).await.unwrap();
    site.settled().await;
    for token in [&opaque, &jwt] {
        assert_eq!(site.introspect(token).await, json!({"active": false}));
    }
}

/// The time of a token is looked at with each use, however young the store's answer is.
#[tokio::test]
async fn rfc7662_4_a_token_that_was_seen_expires_all_the_same() {
    let site = Site::start().await;
    let access = site.machine("mail:read").await;
    site.later(59);
    assert_eq!(site.introspect(&access).await["active"], true);
    site.later_by_millis(400);
    let mut last = true;
    for _ in 0..10 {
        last = site.introspect(&access).await["active"] == true;
        site.later_by_millis(100);
    }
    assert!(!last);
}
