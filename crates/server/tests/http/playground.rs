//! The playground's pages: who has them, and what their scripts may do.

use crate::harness::{Answer, Browser, Plan, Site};
use grantor_fetch::Origins;
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::TenantName;
use grantor_store::Change;
use reqwest::Method;

const PAGES: [&str; 3] = ["/playground", "/playground/token", "/playground/callback"];

/// The default tenant, and acme, each with or without a playground.
async fn site(default: bool, acme: bool) -> Site {
    Site::with(|changes| {
        for (name, playground) in [(TenantName::default(), default), (TenantName::parse("acme").unwrap(), acme)] {
            changes.push(Change::PutTenant(Tenant { playground, ..Tenant::new(name) }));
        }
    })
    .await
}

fn policy(page: &Answer) -> String {
    page.header("content-security-policy").to_owned()
}

#[tokio::test]
async fn a_tenant_has_a_playground_unless_it_says_that_it_has_none() {
    let site = site(false, true).await;
    for page in PAGES {
        let closed = site.get(page, &[]).await;
        assert_eq!(closed.status, 404, "{page}");
        assert!(!policy(&closed).contains("script-src"), "{page}");
        assert_eq!(site.get(&format!("/t/acme{page}"), &[]).await.status, 200, "{page}");
    }
    assert!(Tenant::new(TenantName::default()).playground);
    assert!(!Browser::new(&site).get("/").await.body.contains("/playground"));
    assert!(Browser::new(&site).get("/t/acme/").await.body.contains("href=\"/t/acme/playground\""));
}

#[tokio::test]
async fn a_playground_that_is_switched_off_is_gone_at_once() {
    let site = site(true, true).await;
    assert_eq!(site.get("/playground", &[]).await.status, 200);
    let closed = Tenant { playground: false, ..Tenant::new(TenantName::default()) };
    site.change(vec![Change::PutTenant(closed)]).await;
    for page in PAGES {
        assert_eq!(site.get(page, &[]).await.status, 404, "{page}");
    }
}

#[tokio::test]
async fn scripts_are_ours_and_ask_this_origin_alone() {
    let site = site(true, true).await;
    for (page, asks) in [("/playground", true), ("/playground/token", true), ("/playground/callback", false)] {
        for path in [page.to_owned(), format!("/t/acme{page}")] {
            let answer = site.get(&path, &[]).await;
            let policy = policy(&answer);
            for part in [
                "default-src 'none'",
                "script-src 'self';",
                "style-src 'self';",
                "form-action 'self';",
                "frame-ancestors 'none'",
                "base-uri 'none'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert_eq!(policy.contains("connect-src 'self';"), asks, "{path}: {policy}");
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{path}: {policy}");
            assert_eq!(answer.header("set-cookie"), "", "{path}");
            let kept = (answer.header("referrer-policy"), answer.header("cache-control"));
            assert_eq!(kept, ("no-referrer", "no-store"), "{path}");
        }
    }
}

#[tokio::test]
async fn the_callback_shows_nothing_of_what_came() {
    let site = site(true, false).await;
    let plain = site.get("/playground/callback", &[]).await.body;
    for query in [
        "code=gr_ac_5ecret&state=5tate&iss=x",
        "error=<script>alert(1)</script>&error_description=%3Cscript%3Ealert(1)%3C/script%3E",
        "code=a&code=b",
        "%ff=%00&playground=/evil",
    ] {
        let answer = site.get(&format!("/playground/callback?{query}"), &[]).await;
        assert_eq!(answer.status, 200, "{query}");
        assert_eq!(answer.body, plain, "{query}");
    }
}

#[tokio::test]
async fn a_page_speaks_of_its_own_tenant() {
    let site = site(true, true).await;
    let body = site.get("/t/acme/playground", &[]).await.body;
    let issuer = format!("{}/t/acme", site.issuer);
    assert!(body.contains(&format!("data-issuer=\"{issuer}\"")), "{body}");
    assert!(body.contains("data-base=\"/t/acme\""));
    assert!(body.contains(&format!("data-redirect-uri=\"{issuer}/playground/callback\"")));
    assert!(!body.contains("data-demo"), "the demo is the default tenant's");
    let own = site.get("/playground", &[]).await.body;
    assert!(own.contains("data-demo-client=\"playground\"") && own.contains("data-demo-victim=\"playground-victim\""));
    assert!(own.contains("data-demo-clients=\"[]\""), "nothing is given away that the demo does not give");
    assert!(site.get("/t/acme/playground/token", &[]).await.body.contains("href=\"/t/acme/playground\""));
}

#[tokio::test]
async fn only_a_tenant_with_a_desk_has_a_way_to_it() {
    let site = Site::with(|changes| {
        let acme = TenantName::parse("acme").unwrap();
        changes.push(Change::PutTenant(Tenant { desk: true, ..Tenant::new(TenantName::default()) }));
        changes.push(Change::PutTenant(Tenant::new(acme)));
    })
    .await;
    assert!(site.get("/playground", &[]).await.body.contains(" data-desk=\"\""));
    assert!(!site.get("/t/acme/playground", &[]).await.body.contains("data-desk"));
}

#[tokio::test]
async fn the_lead_says_where_requests_go() {
    let through = "those to another one go through this one";
    assert!(!site(true, true).await.get("/playground", &[]).await.body.contains(through));
    let plan = Plan { relay: Origins::of_this_machine(), ..Plan::default() };
    assert!(Site::planned(plan, |_| {}).await.get("/playground", &[]).await.body.contains(through));
}

#[tokio::test]
async fn how_long_an_answer_took_is_told_to_scripts_of_this_origin_alone() {
    let site = Site::start().await;
    let token = [("grant_type", "client_credentials")];
    let own = [("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "empty")];
    let timing = site.form("/token", &own, &token).await.header("server-timing").to_owned();
    let millis = timing.strip_prefix("grantor;dur=").unwrap_or_else(|| panic!("{timing}"));
    assert!(millis.parse::<u64>().is_ok(), "in whole milliseconds: {timing}");
    assert!(
        site.get("/.well-known/openid-configuration", &own).await.header("server-timing").starts_with("grantor;dur=")
    );
    let others: [&[(&str, &str)]; 5] = [
        &[],
        &own[..1],
        &own[1..],
        &[("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty")],
        &[("sec-fetch-site", "same-origin"), ("sec-fetch-dest", "document")],
    ];
    for other in others {
        assert_eq!(site.form("/token", other, &token).await.header("server-timing"), "", "{other:?}");
    }
    // What only some may read, or depends on a cookie, is not timed.
    assert_eq!(site.form("/introspect", &own, &[("token", "x")]).await.header("server-timing"), "");
    for page in ["/signin", "/playground", "/desk/state"] {
        assert_eq!(site.get(page, &own).await.header("server-timing"), "", "{page}");
    }
}

#[tokio::test]
async fn the_modules_are_served_as_scripts() {
    let site = site(true, false).await;
    for module in ["playground", "course", "checks", "inspector", "callback", "token", "verify", "words", "attacks"] {
        let answer = site.get(&format!("/assets/playground/{module}.js"), &[]).await;
        assert_eq!(answer.status, 200, "{module}");
        assert_eq!(answer.header("content-type"), "text/javascript; charset=utf-8", "{module}");
    }
    assert_eq!(site.get("/assets/package.json", &[]).await.status, 404);
}

#[tokio::test]
async fn modules_of_two_versions_never_meet() {
    let site = site(true, true).await;
    let page = site.get("/t/acme/playground", &[]).await.body;
    let (_, rest) = page.split_once("src=\"/assets/").unwrap();
    let (script, _) = rest.split_once('"').unwrap();
    let (version, _) = script.split_once('/').unwrap();
    // What a module imports stands beside it, so the version is named for that too.
    for module in ["playground", "course", "words"] {
        let kept = site.get(&format!("/assets/{version}/playground/{module}.js"), &[]).await;
        assert_eq!(
            (kept.status.as_u16(), kept.header("cache-control")),
            (200, "public, max-age=31536000, immutable"),
            "{module}"
        );
        for other in ["/assets/playground", "/assets/v-0/playground", "/assets/v-/playground"] {
            let asked = site.get(&format!("{other}/{module}.js"), &[]).await;
            assert_eq!((asked.status.as_u16(), asked.header("cache-control")), (200, "no-cache"), "{other}/{module}");
            let again = [("if-none-match", asked.header("etag"))];
            assert_eq!(site.get(&format!("{other}/{module}.js"), &again).await.status, 304);
        }
    }
    for nothing in ["/assets/v-0", "/assets/v-0/", "/assets/v-0/v-0/playground/words.js", "/assets/v-0/../words.js"] {
        assert_eq!(site.get(nothing, &[]).await.status, 404, "{nothing}");
    }
}

/// The notes of the demo, with a list of what they do; and an API that has none.
fn apis(issuer: &str) -> Vec<Change> {
    let declared = |api: serde_json::Value| Change::PutApi(serde_json::from_value(api).unwrap());
    vec![
        declared(serde_json::json!({
            "audience": format!("{issuer}/lists"), "name": "Lists", "openapi": "https://lists.example/openapi.json",
            "operations": [{ "method": "DELETE", "path": "/{id}", "summary": { "en": "Delete", "de": "Löschen" }, "scope": "a" }],
        })),
        declared(serde_json::json!({ "tenant": "acme", "audience": format!("{issuer}/acme"), "name": "Of acme" })),
    ]
}

#[tokio::test]
async fn an_api_says_what_it_does_to_who_knows_its_audience() {
    let site = site(true, true).await;
    let issuer = site.issuer.clone();
    site.change(apis(&issuer)).await;
    let at = |tenant: &str, api: &str| format!("{tenant}/playground/operations?resource={issuer}/{api}");
    let said = site.get(&at("", "lists"), &[]).await;
    assert_eq!(said.status, 200);
    assert_eq!(
        said.json(),
        serde_json::json!({
            "audience": format!("{issuer}/lists"), "openapi": "https://lists.example/openapi.json",
            "operations": [{ "method": "DELETE", "path": "/{id}", "summary": { "en": "Delete", "de": "Löschen" }, "scope": "a" }],
        })
    );
    assert_eq!(site.get(&at("/t/acme", "acme"), &[]).await.json()["operations"], serde_json::json!([]));
    // Another tenant's is not there, nor one that nobody declared, nor a list of all.
    let nobody =
        ["/playground/operations", "/playground/operations?resource=", "/playground/operations?resource=x%20y"];
    for nothing in [at("", "acme"), at("/t/acme", "lists"), at("", "other")].iter().map(String::as_str).chain(nobody) {
        let said = site.get(nothing, &[]).await;
        assert_eq!((said.status.as_u16(), said.body.as_str()), (404, ""), "{nothing}");
    }
    // And nothing of it where there is no playground.
    let without = Tenant { playground: false, ..Tenant::new(TenantName::default()) };
    site.change(vec![Change::PutTenant(without)]).await;
    assert_eq!(site.get(&at("", "lists"), &[]).await.status, 404);
}

#[tokio::test]
async fn the_notes_of_the_demo_are_searched_and_deleted_by_who_may() {
    let site = Site::start().await;
    let tokens = site.tokens("notes:read notes:write").await;
    let token = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let ask = async |method: Method, path: &str, token: &str, body: Option<&str>| {
        let headers = [("authorization", token)];
        site.send(method, &format!("/demo/notes{path}"), &headers, body.map(|body| body.as_bytes().to_vec())).await
    };
    for note in ["Milk", "Bread", "Almond milk"] {
        assert_eq!(ask(Method::POST, "", &token, Some(note)).await.status, 200);
    }
    let found = ask(Method::GET, "?search=MILK", &token, None).await.json();
    assert_eq!(found["notes"], serde_json::json!(["Milk", "Almond milk"]));
    let reader = format!("Bearer {}", site.machine("notes:read").await);
    let refused = ask(Method::DELETE, "/1", &reader, None).await;
    assert_eq!((refused.status.as_u16(), refused.error()), (403, "insufficient_scope".to_owned()));
    assert_eq!(ask(Method::DELETE, "/2", &token, None).await.json()["deleted"], "Bread");
    for nothing in ["/0", "/3", "/-1", "/x", "/99999999999999999999"] {
        assert!(ask(Method::DELETE, nothing, &token, None).await.json()["deleted"].is_null(), "{nothing}");
    }
    let left = ask(Method::GET, "", &reader, None).await.json();
    assert_eq!(left["notes"], serde_json::json!(["Milk", "Almond milk"]));
    let described = site.get("/demo/openapi.json", &[]).await.json();
    assert_eq!(described["servers"][0]["url"], format!("{}/demo", site.issuer));
    assert!(described["paths"]["/mail"]["get"].is_object());
}
