//! The device authorization grant (RFC 8628): a device, a browser, and those who guess.

use crate::directory::client_record;
use crate::harness::{Answer, Browser, PASSWORD, Site, claims, text, until};
use grantor_protocol::audit::{Action, Outcome};
use grantor_store::Change;
use serde_json::{Value, json};
use std::sync::Arc;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A site with a television, which anybody can claim to be, and a box with a secret.
async fn site() -> Site {
    Site::with(|changes| {
        for (id, method) in [("tv", "none"), ("box", "client_secret_basic")] {
            let client = client_record(json!({
                "client_id": id, "client_name": "Television", "grant_types": [GRANT, "refresh_token"],
                "token_endpoint_auth_method": method, "require_consent": false,
            }));
            changes.push(Change::PutClient(client));
        }
    })
    .await
}

/// What the device is given.
async fn wish(site: &Site, scope: &str) -> Value {
    let answer = site.form("/device_authorization", &[], &[("client_id", "tv"), ("scope", scope)]).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    answer.json()
}

/// How it stands with it.
async fn poll(site: &Site, wish: &Value) -> Answer {
    let fields = [("grant_type", GRANT), ("client_id", "tv"), ("device_code", text(wish, "device_code"))];
    site.form("/token", &[], &fields).await
}

/// The page after a code was typed.
async fn type_code(browser: &mut Browser<'_>, code: &str) -> Answer {
    let page = browser.get("/device").await;
    let answer = browser.submit(&page, &[("user_code", code)]).await;
    browser.follow(answer).await
}

/// The page that asks, for somebody who has signed in by then.
async fn asked(browser: &mut Browser<'_>, wish: &Value) -> Answer {
    let answer = type_code(browser, text(wish, "user_code")).await;
    if answer.body.contains("name=\"password\"") { browser.sign_in(&answer, "alice", PASSWORD).await } else { answer }
}

#[tokio::test]
async fn rfc8628_3_a_person_allows_what_a_device_asks_for() {
    let site = site().await;
    let wish = wish(&site, "openid notes:read offline_access").await;
    assert_eq!((&wish["expires_in"], &wish["interval"]), (&json!(600), &json!(5)));
    assert_eq!(wish["verification_uri"], format!("{}/device", site.issuer));
    let complete = format!("{}/device?user_code={}", site.issuer, text(&wish, "user_code"));
    assert_eq!(wish["verification_uri_complete"], complete);
    site.later(5);
    assert_eq!(poll(&site, &wish).await.error(), "authorization_pending");

    let mut browser = Browser::new(&site);
    let page = asked(&mut browser, &wish).await;
    for shown in [text(&wish, "user_code"), "Television", "notes:read"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    let done = browser.decide(&page, "allow", None).await;
    assert!(done.body.contains("Your device is connected"), "{}", done.body);

    let tokens = poll(&site, &wish).await.json();
    assert_eq!(claims(text(&tokens, "id_token"))["aud"], "tv");
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 200);
    let refresh =
        [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(site.form("/token", &[], &refresh).await.status, 200);
    // RFC 8628 3.4: once. What came of it stands.
    assert_eq!(poll(&site, &wish).await.error(), "invalid_grant");
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 200);
    let events = site.events().await;
    let refused = events.iter().filter(|event| event.action == Action::Token && event.outcome == Outcome::Refused);
    assert_eq!(refused.count(), 1, "who waits as he was told to is not written down");
}

#[tokio::test]
async fn rfc8628_3_3_1_a_link_allows_nothing_by_itself() {
    let site = site().await;
    let wish = wish(&site, "openid").await;
    let mut browser = Browser::new(&site);
    browser.authorize("web", &[]).await;
    let page = browser.get(text(&wish, "verification_uri_complete")).await;
    assert!(page.body.contains(text(&wish, "user_code")) && page.body.contains("Does your device show this code?"));
    // Signed in, and the client is one of the operator's own, whom nobody is asked about elsewhere (5.4).
    let page = asked(&mut browser, &wish).await;
    assert!(page.body.contains("value=\"allow\""), "{}", page.body);
    site.later(5);
    assert_eq!(poll(&site, &wish).await.error(), "authorization_pending");
    let done = browser.decide(&page, "deny", None).await;
    assert!(done.body.contains("was not connected"), "{}", done.body);
    assert_eq!(poll(&site, &wish).await.error(), "access_denied");
}

#[tokio::test]
async fn rfc8628_3_5_a_device_that_does_not_wait_is_slowed_down() {
    let site = site().await;
    let wish = wish(&site, "openid").await;
    assert_eq!(poll(&site, &wish).await.error(), "slow_down");
    site.later(9);
    assert_eq!(poll(&site, &wish).await.error(), "slow_down", "it is ten seconds now");
    site.later(15);
    assert_eq!(poll(&site, &wish).await.error(), "authorization_pending");
    site.later(600);
    assert_eq!(poll(&site, &wish).await.error(), "expired_token");
    let mut browser = Browser::new(&site);
    let page = type_code(&mut browser, text(&wish, "user_code")).await;
    assert_eq!(page.status, 422);
}

#[tokio::test]
async fn rfc8628_3_4_at_the_moment_of_approval_one_of_fifty_polls_gets_the_tokens() {
    let site = Arc::new(site().await);
    for _ in 0..5 {
        let wish = Arc::new(wish(&site, "openid notes:read").await);
        site.later(5);
        let mut browser = Browser::new(&site);
        let page = asked(&mut browser, &wish).await;
        let mut polls = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (site, wish) = (Arc::clone(&site), Arc::clone(&wish));
            polls.spawn(async move {
                loop {
                    let answer = poll(&site, &wish).await;
                    if answer.status == 200 || answer.error() == "invalid_grant" {
                        return answer;
                    }
                }
            });
        }
        browser.decide(&page, "allow", None).await;
        let given: Vec<_> = polls.join_all().await.into_iter().filter(|answer| answer.status == 200).collect();
        assert_eq!(given.len(), 1);
        assert_eq!(site.bearer("/demo/notes", text(&given[0].json(), "access_token")).await.status, 200);
    }
}

#[tokio::test]
async fn rfc8628_5_1_user_codes_cannot_be_guessed_at_leisure() {
    let site = site().await;
    let wish = wish(&site, "openid").await;
    let mut browser = Browser::new(&site);
    let mut refused = 0;
    for _ in 0..8 {
        refused += u32::from(type_code(&mut browser, "BBBB-BBBB").await.status == 429);
    }
    assert!(refused >= 1, "this browser waits");
    assert_eq!(type_code(&mut browser, text(&wish, "user_code")).await.status, 429, "even with the right one");
    // Another browser for each guess does not help: the address counts.
    let mut statuses = Vec::new();
    for _ in 0..60 {
        statuses.push(type_code(&mut Browser::new(&site), "BBBB-BBBB").await.status.as_u16());
    }
    assert!(statuses.contains(&422) && statuses.last() == Some(&429), "{statuses:?}");
    site.later(600);
    assert_eq!(type_code(&mut Browser::new(&site), "BBBB-BBBB").await.status, 422, "waits end");
}

#[tokio::test]
async fn rfc8628_3_1_what_could_not_be_allowed_is_refused_to_the_device() {
    let site = site().await;
    let ask = async |fields: &[(&str, &str)]| site.form("/device_authorization", &[], fields).await.error();
    assert_eq!(ask(&[("client_id", "tv")]).await, "invalid_scope");
    assert_eq!(ask(&[("client_id", "tv"), ("scope", "nothing")]).await, "invalid_scope");
    assert_eq!(ask(&[("client_id", "nobody"), ("scope", "openid")]).await, "invalid_client");
    assert_eq!(ask(&[("client_id", "box"), ("scope", "openid")]).await, "invalid_client");
    assert_eq!(ask(&[("client_id", "tv"), ("client_id", "tv"), ("scope", "openid")]).await, "invalid_request");
    let web = site.client_form("/device_authorization", "web", &[("scope", "openid")]).await;
    assert_eq!(web.error(), "unauthorized_client");
    let boxed = site.client_form("/device_authorization", "box", &[("scope", "openid")]).await;
    assert_eq!(boxed.status, 200, "{}", boxed.body);
    // RFC 8628 3.4: a device code is its client's.
    let wish = boxed.json();
    assert_eq!(poll(&site, &wish).await.error(), "invalid_grant");
    let forged = json!({ "device_code": "gr_dc_AAAA" });
    assert_eq!(poll(&site, &forged).await.error(), "invalid_grant");
    let metadata = site.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata["device_authorization_endpoint"], format!("{}/device_authorization", site.issuer));
    assert!(metadata["grant_types_supported"].as_array().unwrap().contains(&json!(GRANT)));
}

#[tokio::test]
async fn rfc8628_5_4_a_form_from_elsewhere_is_refused_and_a_disabled_client_gets_nothing() {
    let site = site().await;
    let wish = wish(&site, "openid").await;
    let mut browser = Browser::new(&site);
    browser.get("/device").await;
    let forged = browser.post("/device", &[("user_code", text(&wish, "user_code")), ("csrf", "x")]).await;
    assert_eq!(forged.status, 403);
    let page = asked(&mut browser, &wish).await;
    let mut off = site.client("tv").await;
    off.metadata.disabled = true;
    site.change(vec![Change::PutClient(off)]).await;
    let answer = browser.decide(&page, "allow", None).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    until("the client is off", async || poll(&site, &wish).await.error() == "invalid_client").await;
}
