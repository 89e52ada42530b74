//! Client registration (RFC 7591, RFC 7592).

use crate::harness::{Answer, Browser, CALLBACK, Site, VERIFIER, base64_standard, claims, text, until};
use grantor_protocol::directory::Tenant;
use grantor_protocol::registration::{InitialAccessToken, Origin, TokenHash, initial_access_token};
use grantor_protocol::value::{Secret, UnixTime};
use grantor_store::Change;
use reqwest::Method;
use serde_json::{Value, json};

const LOCAL: &str = "http://localhost:3000/cb";

/// The default tenant with this policy.
fn tenant(policy: &Value) -> Tenant {
    serde_json::from_value(json!({"name": "default", "registration": policy})).unwrap()
}

async fn site(policy: Value) -> Site {
    Site::with(|changes| changes.push(Change::PutTenant(tenant(&policy)))).await
}

/// Anybody may register anything at this site; `apis` may be reached.
async fn open() -> Site {
    site(json!({"dynamic": "open", "tiers": [{"name": "any", "hosts": ["*"]}]})).await
}

async fn send(site: &Site, method: Method, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let authorization = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(authorization.iter().map(|value| ("authorization", value.as_str())));
    site.send(method, path, &headers, Some(body.to_string().into_bytes())).await
}

async fn register(site: &Site, body: Value) -> Answer {
    send(site, Method::POST, "/register", None, &body).await
}

/// What a client asks for that runs on somebody's computer, as MCP clients do.
fn local() -> Value {
    json!({"client_name": "Tool", "redirect_uris": [LOCAL], "token_endpoint_auth_method": "none",
           "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]})
}

async fn code(site: &Site, client: &str, redirect_uri: &str, scope: &str) -> Answer {
    Browser::new(site).authorize(client, &[("redirect_uri", redirect_uri), ("scope", scope)]).await
}

async fn redeem(site: &Site, client: &str, redirect_uri: &str, code: &str) -> Answer {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ];
    site.form("/token", &[], &fields).await
}

#[tokio::test]
async fn nothing_is_registered_unless_it_is_switched_on() {
    let site = Site::start().await;
    assert_eq!(register(&site, local()).await.status, 404);
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        assert_eq!(send(&site, method, "/register/web", Some("x"), &json!({})).await.status, 404);
    }
    let metadata = site.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert!(metadata.get("registration_endpoint").is_none(), "{metadata}");
}

#[tokio::test]
async fn rfc7591_3_a_public_client_registers_itself_and_gets_tokens_at_once() {
    let site = open().await;
    let metadata = site.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(metadata["registration_endpoint"], format!("{}/register", site.issuer));
    let answer = register(&site, local()).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    assert_eq!((answer.header("cache-control"), answer.header("access-control-allow-origin")), ("no-store", "*"));
    let registered = answer.json();
    let id = text(&registered, "client_id");
    assert_eq!(registered["redirect_uris"], json!([LOCAL]));
    assert_eq!(registered["registration_client_uri"], format!("{}/register/{id}", site.issuer));
    assert!(registered["client_id_issued_at"].is_i64() && registered.get("client_secret").is_none());
    let answer = code(&site, id, LOCAL, "openid").await;
    let code = answer.param("code").unwrap_or_else(|| panic!("no code: {}", answer.body));
    assert_eq!(answer.param("iss").as_deref(), Some(site.issuer.as_str()), "RFC 9207");
    let tokens = redeem(&site, id, LOCAL, &code).await.json();
    assert_eq!(claims(text(&tokens, "id_token"))["aud"], id);
    // Refresh tokens of public clients are rotated (RFC 9700 4.14.2).
    let refresh = |token: String| {
        let fields = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", &token)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let site = &site;
        async move {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            site.form("/token", &[], &fields).await
        }
    };
    let first = text(&tokens, "refresh_token").to_owned();
    let next = refresh(first.clone()).await.json();
    assert_ne!(text(&next, "refresh_token"), first);
    let events = site.events().await;
    let event = events.iter().find(|event| event.details.get("by") == Some(&json!("registration"))).unwrap();
    assert_eq!((event.target.as_deref(), event.details["change"].as_str()), (Some(id), Some("created")));
}

#[tokio::test]
async fn rfc7591_3_2_1_a_confidential_client_gets_a_secret_that_works() {
    let site = open().await;
    let registered = register(&site, json!({"redirect_uris": [CALLBACK]})).await.json();
    let (id, secret) = (text(&registered, "client_id"), text(&registered, "client_secret"));
    assert_eq!(registered["client_secret_expires_at"], 0);
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic");
    let introspect = async |secret: &str| {
        let header = format!("Basic {}", base64_standard(format!("{id}:{secret}").as_bytes()));
        site.form("/introspect", &[("authorization", &header)], &[("token", "x")]).await.status
    };
    assert_eq!((introspect(secret).await.as_u16(), introspect("wrong").await.as_u16()), (200, 401));
}

/// Clients of MCP register for what the first challenge names, and come back when a tool needs more.
#[tokio::test]
async fn rfc7591_3_2_1_a_client_may_ask_later_for_more_than_it_registered_for() {
    let site = Site::start().await;
    let tier = json!({"name": "any", "hosts": ["*"], "apis": [site.notes()], "scope": "notes:read notes:write"});
    site.change(vec![Change::PutTenant(tenant(&json!({"dynamic": "open", "tiers": [tier]})))]).await;
    let mut asking = local();
    asking["scope"] = json!("notes:read");
    let registered = register(&site, asking).await.json();
    assert_eq!(registered["scope"], "notes:read notes:write", "the answer says what it may ask for");
    let id = text(&registered, "client_id");
    for wanted in ["notes:read", "notes:read notes:write"] {
        let answer = code(&site, id, LOCAL, wanted).await;
        let code = answer.param("code").unwrap_or_else(|| panic!("no code: {}", answer.body));
        assert_eq!(redeem(&site, id, LOCAL, &code).await.json()["scope"], wanted, "no more than it asked for");
    }
}

#[tokio::test]
async fn what_a_client_may_reach_is_its_tiers_to_say() {
    let site = Site::start().await;
    let policy = json!({"dynamic": "open", "tiers": [
        {"name": "own", "hosts": ["app.example"], "apis": [site.notes()], "scope": "openid notes:read"},
        {"name": "any", "hosts": ["*"]},
    ]});
    site.change(vec![Change::PutTenant(tenant(&policy))]).await;
    let own = register(&site, json!({"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"})).await.json();
    let wanted = "openid notes:read notes:write mail:read";
    let granted = async |registered: &Value, redirect_uri: &str| {
        let id = text(registered, "client_id");
        let answer = code(&site, id, redirect_uri, wanted).await;
        let code = answer.param("code").unwrap_or_else(|| panic!("no code: {} {}", answer.location(), answer.body));
        redeem(&site, id, redirect_uri, &code).await.json()["scope"].as_str().unwrap().to_owned()
    };
    assert_eq!(own["scope"], "notes:read openid");
    assert_eq!(granted(&own, CALLBACK).await, "notes:read openid");
    let any = register(&site, local()).await.json();
    assert_eq!(granted(&any, LOCAL).await, "openid");
    // A policy that becomes stricter holds for those that are there.
    let stricter = json!({"dynamic": "open", "tiers": [{"name": "any", "hosts": ["localhost"]}]});
    site.change(vec![Change::PutTenant(tenant(&stricter))]).await;
    let gone = code(&site, text(&own, "client_id"), CALLBACK, "openid").await;
    assert_eq!(gone.status, 400, "no tier is left for it");
    assert!(code(&site, text(&any, "client_id"), LOCAL, "openid").await.param("code").is_some());
}

#[tokio::test]
async fn rfc7591_3_2_2_what_cannot_be_registered_is_refused() {
    let site = site(json!({"dynamic": "open", "tiers": [{"name": "t", "hosts": ["*.corp.example"]}]})).await;
    for (body, error) in [
        (json!({"redirect_uris": [CALLBACK]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["http://a.corp.example/"]}), "invalid_redirect_uri"),
        (json!({"redirect_uris": ["https://a.corp.example/"], "jwks_uri": "x"}), "invalid_client_metadata"),
        (json!({"software_statement": "a.b.c"}), "unapproved_software_statement"),
    ] {
        let answer = register(&site, body).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, error), "{}", answer.body);
        assert!(!text(&answer.json(), "error_description").is_empty());
    }
    let raw = async |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        let answer = site.send(Method::POST, "/register", &headers, Some(body.as_bytes().to_vec())).await;
        (answer.status.as_u16(), answer.error())
    };
    let invalid = (400, "invalid_request".to_owned());
    let fine = "{\"redirect_uris\":[\"https://a.corp.example/\"]}";
    assert_eq!(raw("application/x-www-form-urlencoded", fine).await, invalid);
    assert_eq!(raw("application/json", "[]").await, invalid);
    assert_eq!(raw("application/json", "{\"scope\":\"a\",\"scope\":\"b\"}").await, invalid);
    assert_eq!(raw("application/json", &format!("{{\"x\":\"{}\"}}", "x".repeat(20_000))).await.0, 413);
    assert_eq!(raw("application/json; charset=utf-8", fine).await.0, 201);
}

#[tokio::test]
async fn rfc7591_3_an_initial_access_token_registers_as_many_clients_as_it_says() {
    let token = initial_access_token([7; 32]);
    let kept = InitialAccessToken {
        name: "ci".into(),
        token_hash: TokenHash::of(&token),
        created: UnixTime::new(0),
        expires: UnixTime::new(1_800_000_100),
        uses: 2,
    };
    let policy = json!({"dynamic": "initial_access_token", "tiers": [{"name": "any", "hosts": ["*"]}],
                        "initial_access_tokens": [kept]});
    let site = site(policy).await;
    let with = async |token: Option<&str>| send(&site, Method::POST, "/register", token, &local()).await;
    let without = with(None).await;
    assert_eq!((without.status.as_u16(), without.header("www-authenticate")), (401, "Bearer realm=\"grantor\""));
    let other = initial_access_token([8; 32]);
    let wrong = with(Some(other.expose())).await;
    assert_eq!((wrong.status.as_u16(), wrong.error().as_str()), (401, "invalid_token"));
    assert!(wrong.header("www-authenticate").contains("invalid_token"));
    // Of a registration that is refused nothing is used up.
    let refused = send(&site, Method::POST, "/register", Some(token.expose()), &json!({"redirect_uris": ["x"]})).await;
    assert_eq!(refused.status, 400);
    let race = futures(&site, token.expose(), 8).await;
    assert_eq!(race.iter().filter(|status| **status == 201).count(), 2, "{race:?}");
    assert!(race.iter().all(|status| [201, 401, 503].contains(status)), "{race:?}");
    assert_eq!(with(Some(token.expose())).await.status, 401);
    let records = site.store.directory().await.unwrap();
    assert!(records.clients.iter().filter(|client| !client.metadata.origin.is_declared()).count() == 2);
    let events = site.events().await;
    let named = events.iter().filter(|event| event.details.get("initial_access_token") == Some(&json!("ci"))).count();
    assert_eq!(named, 2);
}

/// So many registrations at once; their statuses.
async fn futures(site: &Site, token: &str, count: usize) -> Vec<u16> {
    let url = format!("{}/register", site.address);
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let request = site.http.post(&url).bearer_auth(token).header("content-type", "application/json");
            let request = request.body(local().to_string());
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses
}

#[tokio::test]
async fn rfc7592_2_a_client_reads_changes_and_deletes_itself_with_its_token_alone() {
    let site = open().await;
    let registered = register(
        &site,
        json!({"redirect_uris": [CALLBACK], "client_name": "Before",
        "grant_types": ["authorization_code", "refresh_token"]}),
    )
    .await
    .json();
    let other = register(&site, local()).await.json();
    let (id, token) = (text(&registered, "client_id"), text(&registered, "registration_access_token"));
    let path = format!("/register/{id}");
    let others = text(&other, "registration_access_token");
    for (path, token) in
        [(path.as_str(), None), (&path, Some(others)), (&path, Some("x")), ("/register/web", Some(token))]
    {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = send(&site, method.clone(), path, token, &json!({"client_id": id})).await;
            assert_eq!(answer.status, 401, "{method} {path}");
        }
    }
    let read = send(&site, Method::GET, &path, Some(token), &json!({})).await.json();
    assert_eq!(
        (read["client_name"].as_str(), read["registration_access_token"].as_str()),
        (Some("Before"), Some(token))
    );
    assert!(read.get("client_secret").is_none(), "it is told once");

    let mut change = json!({"client_id": id, "redirect_uris": [CALLBACK, LOCAL], "client_name": "After",
        "client_secret": registered["client_secret"], "grant_types": ["authorization_code", "refresh_token"]});
    let after = send(&site, Method::PUT, &path, Some(token), &change).await;
    assert_eq!(after.status, 200, "{}", after.body);
    let after = after.json();
    let next = text(&after, "registration_access_token");
    assert_ne!(next, token);
    assert_eq!((&after["client_name"], &after["redirect_uris"]), (&json!("After"), &json!([CALLBACK, LOCAL])));
    assert_eq!(after["client_id_issued_at"], registered["client_id_issued_at"]);
    assert_eq!(send(&site, Method::GET, &path, Some(token), &json!({})).await.status, 401, "the token was replaced");
    change["client_secret"] = "wrong".into();
    let wrong = send(&site, Method::PUT, &path, Some(next), &change).await;
    assert_eq!(wrong.error(), "invalid_client_metadata");
    change["client_secret"] = registered["client_secret"].clone();
    change["redirect_uris"] = json!(["http://evil.example/"]);
    assert_eq!(send(&site, Method::PUT, &path, Some(next), &change).await.error(), "invalid_redirect_uri");

    let public = json!({"client_id": id, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"]});
    let public = send(&site, Method::PUT, &path, Some(next), &public).await.json();
    assert!(site.client(id).await.secrets.is_empty(), "a public client keeps no secret");
    let granted = code(&site, id, CALLBACK, "openid").await.param("code").unwrap();
    let tokens = redeem(&site, id, CALLBACK, &granted).await.json();
    let last = text(&public, "registration_access_token");
    assert_eq!(send(&site, Method::DELETE, &path, Some(last), &json!({})).await.status, 204);
    assert_eq!(send(&site, Method::GET, &path, Some(last), &json!({})).await.status, 401);
    let fields =
        [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", text(&tokens, "refresh_token"))];
    assert_eq!(site.form("/token", &[], &fields).await.error(), "invalid_client");
    assert_eq!(site.bearer("/userinfo", text(&tokens, "access_token")).await.status, 401);
}

#[tokio::test]
async fn a_flood_from_one_address_ends_and_others_still_register() {
    let site = open().await;
    let from = async |address: &str| {
        let headers = [("content-type", "application/json"), ("x-forwarded-for", address)];
        // What is refused counts too.
        site.send(Method::POST, "/register", &headers, Some(b"{}".to_vec())).await.status.as_u16()
    };
    for _ in 0..60 {
        assert_eq!(from("192.0.2.1").await, 400);
    }
    assert_eq!(from("192.0.2.1").await, 503);
    assert_eq!(from("192.0.2.2").await, 400);
    site.later(3600);
    assert_eq!(from("192.0.2.1").await, 400);
}

#[tokio::test]
async fn there_is_room_for_so_many_clients_and_those_that_are_not_used_make_room() {
    let policy = json!({"dynamic": "open", "most_clients": 2,
                        "tiers": [{"name": "any", "hosts": ["*"], "unused_lifetime": 8000}]});
    let site = site(policy).await;
    let used = register(&site, local()).await.json();
    let used = text(&used, "client_id");
    let unused = register(&site, local()).await.json();
    assert_eq!(register(&site, local()).await.status, 503);
    site.later(4000);
    site.settled().await;
    let granted = code(&site, used, LOCAL, "openid").await.param("code").unwrap();
    assert_eq!(redeem(&site, used, LOCAL, &granted).await.status, 200);
    let now = site.now();
    until("its use is noted", async || match site.client(used).await.metadata.origin {
        Origin::Registered(registered) => registered.used.get() > now - 1000,
        _ => false,
    })
    .await;
    site.later(5000);
    site.settled().await;
    assert_eq!(register(&site, local()).await.status, 201);
    let records = site.store.directory().await.unwrap();
    let is_there = |id: &str| records.clients.iter().any(|client| client.metadata.client_id.as_str() == id);
    assert!(is_there(used) && !is_there(text(&unused, "client_id")));
}

#[tokio::test]
async fn rfc8252_8_6_a_client_that_any_program_could_be_is_warned_about() {
    let site = open().await;
    let asked = async |body: Value, redirect_uri: &str| {
        let id = register(&site, body).await.json()["client_id"].as_str().unwrap().to_owned();
        let mut browser = Browser::new(&site);
        let page = browser.start(&id, &[("redirect_uri", redirect_uri)]).await;
        browser.sign_in(&page, "alice", crate::harness::PASSWORD).await.body
    };
    let warning = "can pretend to be this app";
    assert!(asked(local(), LOCAL).await.contains(warning));
    let remote = json!({"redirect_uris": [LOCAL, CALLBACK], "token_endpoint_auth_method": "none"});
    assert!(!asked(remote, CALLBACK).await.contains(warning));
    assert!(!asked(json!({"redirect_uris": [LOCAL]}), LOCAL).await.contains(warning), "it has a secret");
}

#[tokio::test]
async fn what_is_kept_of_a_token_is_a_hash() {
    let site = open().await;
    let registered = register(&site, json!({"redirect_uris": [CALLBACK]})).await.json();
    let stored = serde_json::to_string(&site.client(text(&registered, "client_id")).await).unwrap();
    for secret in ["client_secret", "registration_access_token"] {
        assert!(!stored.contains(text(&registered, secret)), "{secret}");
    }
    let Origin::Registered(kept) = site.client(text(&registered, "client_id")).await.metadata.origin else { panic!() };
    let token = Secret::new(text(&registered, "registration_access_token").to_owned());
    assert!(kept.token_hash.matches(&token));
}
