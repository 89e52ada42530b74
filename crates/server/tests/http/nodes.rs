//! Several nodes on one store: what is changed at one is soon so at the other, and a node that is cut off does not act
//! upon what it knew.

use crate::harness::{Plan, Site, text, until};
use crate::stores::Folder;
use grantor_protocol::directory::{Policy, Tenant};
use grantor_protocol::value::TenantName;
use grantor_server::keyring;
use grantor_store::{Change, MemoryStore};
use serde_json::json;
use std::sync::Arc;

const ISSUER: &str = "http://localhost:8080";

/// Two nodes of one issuer; the first has written the directory.
async fn nodes() -> [Site; 2] {
    let store = Arc::new(MemoryStore::new());
    let plan = |declare| Plan { store: store.clone(), issuer: Some(ISSUER.to_owned()), declare, ..Plan::default() };
    [Site::planned(plan(true), |_| {}).await, Site::planned(plan(false), |_| {}).await]
}

async fn ask(site: &Site) -> crate::harness::Answer {
    site.token("machine", &[("grant_type", "client_credentials"), ("scope", "notes:read")]).await
}

#[tokio::test]
async fn a_client_that_is_disabled_is_so_on_every_node_and_its_tokens_too() {
    let [one, other] = nodes().await;
    let token = one.machine("notes:read").await;
    assert_eq!(ask(&other).await.status, 200);
    assert_eq!(other.introspect(&token).await["active"], true);
    let mut client = one.client("machine").await;
    client.metadata.disabled = true;
    one.change(vec![Change::PutClient(client.clone())]).await;
    until("the other node has seen it", async || ask(&other).await.status == 401).await;
    assert_eq!(other.introspect(&token).await["active"], false);
    assert_eq!(other.bearer("/demo/notes", &token).await.status, 401);
    client.metadata.disabled = false;
    one.change(vec![Change::PutClient(client)]).await;
    until("the other node has seen it", async || ask(&other).await.status == 200).await;
}

#[tokio::test]
async fn a_key_that_was_stolen_is_gone_from_every_node() {
    let [one, other] = nodes().await;
    let token = one.machine("notes:read").await;
    assert_eq!(other.bearer("/demo/notes", &token).await.status, 200);
    keyring::rotate(&*one.store, &(one.master)(), &TenantName::default(), None, true, &*one.world).await.unwrap();
    until("the other node has seen it", async || other.bearer("/demo/notes", &token).await.status == 401).await;
    let new = other.machine("notes:read").await;
    until("both have the new keys", async || one.bearer("/demo/notes", &new).await.status == 200).await;
    let keys = async |site: &Site| site.get("/jwks", &[]).await.body;
    until("both show the same", async || keys(&one).await == keys(&other).await).await;
}

#[tokio::test]
async fn policies_and_tenants_come_and_go_on_every_node() {
    let [one, other] = nodes().await;
    let policy: Policy =
        serde_json::from_value(json!({"name": "nobody", "api": one.notes(), "clients": ["nobody"]})).unwrap();
    one.change(vec![Change::PutPolicy(policy)]).await;
    until("nobody gets anything", async || ask(&other).await.status == 400).await;
    one.change(vec![Change::DeletePolicy(TenantName::default(), "nobody".to_owned())]).await;
    until("it is as before", async || ask(&other).await.status == 200).await;
    let late = TenantName::parse("late").unwrap();
    one.change(vec![Change::PutTenant(Tenant::new(late.clone()))]).await;
    let path = "/t/late/.well-known/openid-configuration";
    until("the tenant has keys and is served", async || other.get(path, &[]).await.status == 200).await;
    until("on both", async || one.get(path, &[]).await.status == 200).await;
    let keys = async |site: &Site| site.get("/t/late/jwks", &[]).await.body;
    assert_eq!(keys(&one).await, keys(&other).await, "they have not made keys each for itself");
    one.change(vec![Change::DeleteTenant(late)]).await;
    until("it is gone", async || other.get(path, &[]).await.status == 404).await;
}

#[tokio::test]
async fn a_node_that_cannot_know_what_was_revoked_issues_and_confirms_nothing() {
    let folder = Folder::new();
    let plan = Plan { store: folder.store(), ..Plan::default() };
    let site = Site::planned(plan, |_| {}).await;
    let tokens = site.tokens("openid notes:read").await;
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
    assert_eq!(site.get("/health/ready", &[]).await.status, 200);
    let db = rusqlite::Connection::open(folder.0.join("grantor.db")).unwrap();
    db.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
    db.execute_batch("ALTER TABLE meta RENAME TO was_meta").unwrap();
    until("the node knows that it is cut off", async || ask(&site).await.status == 503).await;
    for answer in [
        ask(&site).await,
        site.refresh(refresh, &[]).await,
        site.client_form("/introspect", "api", &[("token", access)]).await,
        site.client_form("/revoke", "web", &[("token", refresh)]).await,
        site.client_form("/par", "web", &[("response_type", "code")]).await,
        site.bearer("/userinfo", access).await,
        site.bearer("/demo/notes", access).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (503, "temporarily_unavailable"));
        assert!(!answer.header("retry-after").is_empty());
    }
    assert_eq!(site.get("/health/ready", &[]).await.status, 503);
    for path in ["/jwks", "/.well-known/openid-configuration", "/health", "/health/live"] {
        assert_eq!(site.get(path, &[]).await.status, 200, "{path} goes on");
    }
    db.execute_batch("ALTER TABLE was_meta RENAME TO meta").unwrap();
    until("the node goes on by itself", async || ask(&site).await.status == 200).await;
    assert_eq!(site.refresh(refresh, &[]).await.status, 200);
    until("and says so", async || site.get("/health/ready", &[]).await.status == 200).await;
}
