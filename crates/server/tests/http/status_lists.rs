//! Status lists (Token Status List).

use crate::harness::{Answer, Plan, Site, claims, jwt_header, text, until};
use grantor_jose::SigningAlgorithm;
use grantor_jose::jws::Unverified;
use grantor_protocol::directory::TokenFormat;
use grantor_protocol::status_list::{LIFE, StatusListToken, StatusReference, TTL};
use grantor_resource::{Api, Head, Refusal, Requirement};
use grantor_server::World;
use grantor_store::{Change, MemoryStore};
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The notes API wants it; the mail API does not.
fn opted_in(issuer_of_notes: impl Fn(&str) -> bool) -> impl FnOnce(&mut Vec<Change>) {
    move |changes| {
        for change in changes {
            if let Change::PutApi(api) = change {
                api.token.status_list = issuer_of_notes(api.audience.as_str());
            }
        }
    }
}

async fn site() -> Site {
    Site::with(opted_in(|audience| audience.ends_with("/notes"))).await
}

fn reference(token: &str) -> StatusReference {
    StatusReference::from_claims(claims(token).as_object().unwrap()).unwrap().unwrap()
}

async fn fetch(site: &Site, reference: &StatusReference) -> Answer {
    site.get(&reference.uri, &[("accept", "application/statuslist+jwt")]).await
}

/// What the list says of a token, read as a foreign verifier would.
async fn is_valid(site: &Site, token: &str) -> bool {
    // So that the server looks anew.
    site.later(1);
    let reference = reference(token);
    let answer = fetch(site, &reference).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let keys = serde_json::from_value(site.get("/jwks", &[]).await.json()).unwrap();
    let unverified = Unverified::parse(&answer.body).unwrap();
    assert!(unverified.header().has_type("statuslist+jwt"));
    unverified.check_with_set(&keys, SigningAlgorithm::ALL).unwrap();
    let list = claims(&answer.body);
    let list = StatusListToken::from_claims(list.as_object().unwrap(), &reference.uri).unwrap();
    list.list.is_valid(reference.index).unwrap()
}

#[tokio::test]
async fn token_status_list_6_2_a_jwt_says_where_its_status_is_where_its_api_wants_that() {
    let site = site().await;
    let own = site.machine("notes:read").await;
    let of_user = site.tokens("openid notes:read offline_access").await;
    let refreshed = site.refresh(text(&of_user, "refresh_token"), &[]).await.json();
    let every = [own.as_str(), text(&of_user, "access_token"), text(&refreshed, "access_token")];
    let mut places: Vec<_> = every.iter().map(|token| reference(token)).collect();
    places.sort_by_key(|reference| reference.index);
    places.dedup();
    assert_eq!(places.len(), 3, "each has its own index");
    for token in every {
        let uri = reference(token).uri;
        assert!(uri.starts_with(&format!(
            "{}/status-lists/{}/",
            site.issuer,
            jwt_header(token)["alg"].as_str().unwrap()
        )));
        assert!(is_valid(&site, token).await);
    }
    let without = Site::start().await;
    assert_eq!(claims(&without.machine("notes:read").await)["status"], Value::Null);
    assert_eq!(claims(text(&of_user, "id_token"))["status"], Value::Null);
}

#[tokio::test]
async fn a_token_that_nobody_else_can_read_has_no_status() {
    let site = Site::with(|changes| {
        for change in changes {
            if let Change::PutApi(api) = change {
                (api.token.status_list, api.token.format) = (true, TokenFormat::Opaque);
            }
        }
    })
    .await;
    let token = site.machine("notes:read").await;
    let shown = site.introspect(&token).await;
    assert_eq!((&shown["active"], &shown["status"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn token_status_list_7_1_what_was_taken_back_is_invalid_whatever_the_reason() {
    let site = site().await;
    let standing = site.machine("notes:read").await;
    let revoked = site.machine("notes:read").await;
    let user = site.tokens("notes:read offline_access").await;
    let (of_user, refresh) = (text(&user, "access_token"), text(&user, "refresh_token"));
    let replayed = site.code("notes:read").await;
    let of_code = site.redeem(&replayed, &[]).await.json();
    let of_code = text(&of_code, "access_token");
    for token in [&revoked, &standing, of_user, of_code] {
        assert!(is_valid(&site, token).await);
    }
    site.client_form("/revoke", "machine", &[("token", &revoked)]).await;
    site.client_form("/revoke", "web", &[("token", refresh)]).await;
    assert_eq!(site.redeem(&replayed, &[]).await.status, 400);
    for token in [&revoked, of_user, of_code] {
        until("the list says so", async || !is_valid(&site, token).await).await;
        assert_eq!(site.introspect(token).await, json!({"active": false}));
    }
    assert!(is_valid(&site, &standing).await, "its neighbours in the list stand");
}

#[tokio::test]
async fn who_is_disabled_has_nothing_that_is_valid_until_he_is_not() {
    let site = site().await;
    let own = site.machine("notes:read").await;
    let of_user = site.tokens("notes:read").await;
    let of_user = text(&of_user, "access_token");
    let records = site.store.users(&grantor_protocol::value::TenantName::default()).await.unwrap();
    let alice = records.into_iter().find(|user| user.username == "alice").unwrap();
    let mut machine = site.client("machine").await;
    for disabled in [true, false] {
        machine.metadata.disabled = disabled;
        let mut alice = alice.clone();
        alice.disabled = disabled;
        site.change(vec![Change::PutUser(alice), Change::PutClient(machine.clone())]).await;
        for token in [of_user, &own] {
            until("the list says so", async || is_valid(&site, token).await != disabled).await;
        }
    }
}

#[tokio::test]
async fn token_status_list_8_how_a_list_is_fetched() {
    let site = site().await;
    let token = site.machine("notes:read").await;
    let reference = reference(&token);
    let answer = fetch(&site, &reference).await;
    assert_eq!(answer.header("content-type"), "application/statuslist+jwt");
    assert_eq!(answer.header("cache-control"), "public, max-age=1");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let list = claims(&answer.body);
    assert_eq!(list["sub"], reference.uri);
    assert_eq!(list["ttl"], TTL.get());
    assert_eq!(list["exp"].as_i64().unwrap() - list["iat"].as_i64().unwrap(), i64::from(LIFE.get()));
    assert_eq!(list["status_list"]["bits"], 1);
    assert!(answer.body.len() < 600, "nothing was taken back: {}", answer.body.len());
    let etag = answer.header("etag").to_owned();
    let again = site.get(&reference.uri, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status.as_u16(), again.body.as_str(), again.header("etag")), (304, "", etag.as_str()));
    assert_eq!(site.get(&format!("{}?time=1", reference.uri), &[]).await.status, 501, "8.4: what was is not kept");
    for nowhere in [
        "/status-lists/ES256/0000000000000000",
        "/status-lists/none/0000000000000000",
        "/status-lists/ES256/1",
        "/status-lists/ES256",
    ] {
        assert_eq!(site.get(nowhere, &[]).await.status, 404, "{nowhere}");
    }
    let other_key = reference.uri.replace("ES256", "EdDSA");
    assert_eq!(site.get(&other_key, &[]).await.status, 404, "there is no key for it");
}

/// What says the same is signed anew after a minute, and with another key at once.
#[tokio::test]
async fn a_list_is_signed_anew_before_it_ends_and_when_its_key_goes() {
    let site = site().await;
    let token = site.machine("notes:read").await;
    let reference = reference(&token);
    let first = fetch(&site, &reference).await.body;
    site.later(58);
    assert_eq!(fetch(&site, &reference).await.body, first, "looked up anew, and it says the same");
    site.later(2);
    until("it is signed anew", async || fetch(&site, &reference).await.body != first).await;
    let kid = jwt_header(&fetch(&site, &reference).await.body)["kid"].clone();
    let tenant = grantor_protocol::value::TenantName::default();
    grantor_server::keyring::rotate(&*site.store, &(site.master)(), &tenant, None, true, &*site.world).await.unwrap();
    let signed_by = async || {
        site.later(1);
        jwt_header(&fetch(&site, &reference).await.body)["kid"].clone()
    };
    until("another key signs", async || signed_by().await != kid).await;
}

/// The nodes of a cluster draw the names of their lists, and each publishes those of the others.
#[tokio::test]
async fn every_node_publishes_every_list() {
    let store = Arc::new(MemoryStore::new());
    let issuer = "http://localhost:8080".to_owned();
    let plan = |declare| Plan { store: store.clone(), issuer: Some(issuer.clone()), declare, ..Plan::default() };
    let one = Site::planned(plan(true), opted_in(|_| true)).await;
    let other = Site::planned(plan(false), |_| {}).await;
    let (of_one, of_other) = (one.machine("notes:read").await, other.machine("notes:read").await);
    assert_ne!(reference(&of_one).uri, reference(&of_other).uri);
    for (token, elsewhere) in [(&of_one, &other), (&of_other, &one)] {
        assert!(is_valid(elsewhere, token).await);
        one.client_form("/revoke", "machine", &[("token", token)]).await;
        until("the other node says so", async || !is_valid(elsewhere, token).await).await;
    }
}

/// Both ends: an API that follows the lists of a server that runs, with no introspection and nobody telling it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_is_refused_by_an_api_within_seconds() {
    let site = site().await;
    let world: Arc<dyn World> = Arc::clone(&site.world) as _;
    let api = Api::builder(&site.issuer, &site.notes()).clock(move || world.now()).build().unwrap();
    let check = async |token: &str| {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        let uri = Uri::from_static("/demo/notes");
        let head = Head { method: &Method::GET, uri: &uri, headers: &headers, certificate: None };
        api.check(head, &Requirement::scope("notes:read")).await.map_err(|rejection| rejection.refusal().clone())
    };
    let clock = Arc::clone(&site.world);
    let passing = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        loop {
            ticks.tick().await;
            clock.pass(10);
        }
    });
    let standing = site.machine("notes:read").await;
    let mut slowest = Duration::ZERO;
    for round in 0..4 {
        let token = if round % 2 == 0 {
            site.machine("notes:read").await
        } else {
            text(&site.tokens("notes:read").await, "access_token").to_owned()
        };
        assert!(check(&token).await.is_ok(), "a fresh token is good at once, whichever list is at hand");
        let client = if round % 2 == 0 { "machine" } else { "web" };
        let revoked = site.client_form("/revoke", client, &[("token", &token)]).await;
        let since = Instant::now();
        assert_eq!(revoked.status, 200);
        until("the API refuses it", async || check(&token).await == Err(Refusal::TakenBack)).await;
        slowest = slowest.max(since.elapsed());
        assert!(check(&standing).await.is_ok());
    }
    passing.abort();
    println!("a token that was taken back was refused after {slowest:?} at the latest");
}
