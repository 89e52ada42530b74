//! Signing in and out, cookies, forms, setting up.

use crate::harness::{Browser, PASSWORD, Site};
use grantor_protocol::audit::{Action, Outcome};
use reqwest::Method;

#[tokio::test]
async fn every_page_is_strict() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    for page in [browser.get("/signin").await, browser.get("/").await, browser.get("/nowhere").await] {
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "form-action 'self';", "frame-ancestors 'none'", "base-uri 'none'"] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(!policy.contains("script-src"));
        assert_eq!((page.header("referrer-policy"), page.header("cache-control")), ("no-referrer", "no-store"));
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert!(!page.header("x-request-id").is_empty());
    }
    let cookie = site.get("/signin", &[]).await;
    let cookie = cookie.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_look_the_same() {
    let site = Site::start().await;
    let mut answers = Vec::new();
    for username in ["alice", "nobody"] {
        let mut browser = Browser::new(&site);
        let page = browser.start("web", &[]).await;
        let answer = browser.sign_in(&page, username, "wrong").await;
        let page = answer.body.replace(username, "USER");
        let lines: Vec<String> =
            page.lines().filter(|line| !line.contains("type=\"hidden\"")).map(str::to_owned).collect();
        answers.push((answer.status, lines));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 422);
}

#[tokio::test]
async fn guesses_are_throttled_also_when_they_come_at_once_and_the_owner_gets_in() {
    let site = std::sync::Arc::new(Site::start().await);
    let mut owner = Browser::new(&site);
    let page = owner.get("/signin").await;
    assert_eq!(owner.sign_in(&page, "alice", PASSWORD).await.status, 200);
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let site = std::sync::Arc::clone(&site);
        tries.spawn(async move {
            let mut browser = Browser::new(&site);
            let page = browser.get("/signin").await;
            browser.sign_in(&page, "alice", "guess").await.status.as_u16()
        });
    }
    let statuses = tries.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 5, "{statuses:?}");
    let mut stranger = Browser::new(&site);
    let page = stranger.get("/signin").await;
    assert_eq!(stranger.sign_in(&page, "alice", PASSWORD).await.status, 429);
    let page = owner.get("/signin").await;
    assert_eq!(owner.sign_in(&page, "alice", PASSWORD).await.status, 200, "a known browser is not kept waiting");
    site.later(300);
    let page = stranger.get("/signin").await;
    assert_eq!(stranger.sign_in(&page, "alice", PASSWORD).await.status, 200, "nobody is locked out for good");
}

#[tokio::test]
async fn a_form_from_elsewhere_is_refused() {
    let site = Site::start().await;
    let mut victim = Browser::new(&site);
    let page = victim.get("/signin").await;
    let fields = [("username", "alice"), ("password", PASSWORD)];
    for headers in [
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        vec![("origin", "null"), ("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
    ] {
        victim.headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let answer = victim.submit(&page, &fields).await;
        assert_eq!(answer.status, 403, "{headers:?}");
        assert_eq!(answer.header("set-cookie"), "", "the cookie that there is stays");
    }
    victim.headers.clear();
    let mut other = Browser::new(&site);
    other.get("/signin").await;
    assert_eq!(other.submit(&page, &fields).await.status, 403, "another browser's token");
    assert_eq!(victim.submit(&page, &[fields[0], fields[1], ("csrf", "x")]).await.status, 403);
    victim.headers = vec![("origin".into(), "null".into()), ("sec-fetch-site".into(), "same-origin".into())];
    assert_eq!(victim.submit(&page, &fields).await.status, 303);
}

#[tokio::test]
async fn oidc_logout_2_an_application_signs_its_user_out() {
    let site = Site::start().await;
    let mut browser = Browser::new(&site);
    let answer = browser.authorize("web", &[]).await;
    let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
    let id_token = tokens["id_token"].as_str().unwrap();
    let wrong =
        crate::harness::encode(&[("id_token_hint", id_token), ("post_logout_redirect_uri", "https://evil.example/")]);
    assert_eq!(browser.get(&format!("/signout?{wrong}")).await.status, 400);
    let asked = browser.get("/signout").await;
    assert!(asked.body.contains("value=\"sign-out\""), "without a hint the user is asked");
    let bye = "https://app.example/bye";
    let fields = [("id_token_hint", id_token), ("post_logout_redirect_uri", bye), ("state", "x")];
    let cookies = std::mem::take(&mut browser.cookies);
    browser.headers = vec![("origin".into(), "https://app.example".into())];
    let posted = browser.post("/signout", &fields).await;
    assert_eq!((posted.status.as_u16(), posted.header("set-cookie")), (303, ""), "a POST comes without the cookie");
    browser.cookies = cookies;
    browser.headers.clear();
    let gone = browser.follow(posted).await;
    assert_eq!(gone.location(), "https://app.example/bye?state=x");
    assert!(browser.start("web", &[]).await.body.contains("name=\"password\""));
}

#[tokio::test]
async fn the_setup_link_works_once() {
    let site = Site::start().await;
    let link = site.server.setup_link().await.unwrap().unwrap();
    let path = link.strip_prefix(&site.issuer).unwrap().to_owned();
    let site = std::sync::Arc::new(site);
    let mut browser = Browser::new(&site);
    let page = browser.get(&path).await;
    let passwords = [("password", "a long enough one"), ("password_again", "a long enough one")];
    let short = [("username", "root"), ("password", "short"), ("password_again", "short")];
    assert_eq!(browser.submit(&page, &short).await.status, 422);
    assert_eq!(browser.submit(&page, &[("username", "ALICE"), passwords[0], passwords[1]]).await.status, 422, "taken");
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (site, path) = (std::sync::Arc::clone(&site), path.clone());
        tries.spawn(async move {
            let mut browser = Browser::new(&site);
            let page = browser.get(&path).await;
            if page.status != 200 {
                return false;
            }
            let name = format!("root{n}");
            browser.submit(&page, &[("username", &name), passwords[0], passwords[1]]).await.status == 200
        });
    }
    assert_eq!(tries.join_all().await.into_iter().filter(|won| *won).count(), 1);
    let users = site.store.users(&grantor_protocol::value::TenantName::default()).await.unwrap();
    assert_eq!(users.iter().filter(|user| user.administrator).count(), 1);
    assert_eq!(site.server.setup_link().await.unwrap(), None);
}

#[tokio::test]
async fn pages_speak_german_when_asked_to() {
    let site = Site::start().await;
    let page = Browser::new(&site).start("web", &[("ui_locales", "fr de")]).await;
    assert!(page.body.contains("<html lang=\"de\"") && page.body.contains("Anmelden"));
    let mut browser = Browser::new(&site);
    browser.headers = vec![("accept-language".into(), "de-AT,en;q=0.5".into())];
    assert!(browser.get("/signin").await.body.contains("<html lang=\"de\""));
}

#[tokio::test]
async fn forwarded_addresses_are_believed_from_trusted_proxies_and_events_hold_no_secret() {
    let site = Site::start().await;
    site.send(
        Method::POST,
        "/token",
        &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-forwarded-for", "203.0.113.9, 198.51.100.7, 127.0.0.1"),
        ],
        Some(format!("grant_type=client_credentials&client_id={0}&client_secret={0}", "sUpErSeCrEt").into_bytes()),
    )
    .await;
    let tokens = site.tokens("openid notes:read").await;
    let events = site.events().await;
    let refused = events.iter().find(|event| event.outcome == Outcome::Refused).unwrap();
    assert_eq!(refused.address.as_deref(), Some("198.51.100.7"));
    for action in [Action::SignIn, Action::Consent, Action::Authorization, Action::Token, Action::Key] {
        assert!(events.iter().any(|event| event.action == action), "{action:?}");
    }
    let written = serde_json::to_string(&events).unwrap();
    let secrets = [PASSWORD, "sUpErSeCrEt", "gr_", tokens["access_token"].as_str().unwrap(), crate::harness::VERIFIER];
    for secret in secrets {
        assert!(!written.contains(secret), "{secret}");
    }
}
