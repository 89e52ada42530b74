//! What APIs say of themselves (RFC 9728).

use crate::harness::{Site, encode};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn rfc9728_3_1_an_api_of_our_own_origin_is_described_at_its_well_known_address() {
    let site = Site::start().await;
    let answer = site.get("/.well-known/oauth-protected-resource/demo/notes", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"));
    assert!(answer.header("cache-control").contains("max-age") && answer.header("access-control-allow-origin") == "*");
    let document = answer.json();
    assert_eq!(document["resource"], site.notes());
    assert_eq!(document["authorization_servers"], json!([site.issuer]));
    assert!(document["scopes_supported"].as_array().unwrap().contains(&json!("notes:read")));
    for nowhere in ["", "/", "/demo", "/demo/notes/", "/demo/notes?x=y", "/t/acme/demo/notes", "/t/nobody/x"] {
        let answer = site.get(&format!("/.well-known/oauth-protected-resource{nowhere}"), &[]).await;
        let own = answer.status == 200 && answer.json()["resource"] == site.notes();
        assert!(answer.status == 404 || (own && nowhere.contains('?')), "{nowhere}: {}", answer.status);
    }
}

#[tokio::test]
async fn rfc9728_5_1_every_challenge_names_the_document() {
    let site = Site::start().await;
    let wanted = format!(r#"resource_metadata="{}/.well-known/oauth-protected-resource/demo/notes""#, site.issuer);
    let answer = site.get("/demo/notes", &[]).await;
    assert_eq!(answer.status, 401);
    let challenges: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(challenges.len(), 2);
    assert!(challenges.iter().all(|challenge| challenge.to_str().unwrap().contains(&wanted)), "{challenges:?}");
    let userinfo = site.get("/userinfo", &[]).await;
    assert!(!userinfo.header("www-authenticate").contains("resource_metadata"), "it is no API of its own");
}

#[tokio::test]
async fn rfc9728_3_any_api_is_described_by_its_name() {
    let site = Site::start().await;
    let ask = async |audience: &str| {
        site.get(&format!("/protected-resource?{}", encode(&[("resource", audience)])), &[]).await
    };
    let answer = ask(&site.mail()).await;
    assert_eq!(answer.json()["resource"], site.mail());
    assert_eq!(ask("https://nobody.example").await.status, 404);
    assert_eq!(ask("no resource").await.error(), "invalid_target");
    assert_eq!(site.get("/protected-resource", &[]).await.error(), "invalid_request");
}

/// What a client of MCP does in a browser: it sends `MCP-Protocol-Version` with its questions for metadata, and so the browser
/// asks first.
#[tokio::test]
async fn rfc8414_3_1_pages_of_any_origin_may_ask_for_metadata_register_and_get_tokens() {
    let site = Site::start().await;
    for path in [
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-protected-resource/demo/notes",
        "/protected-resource",
        "/jwks",
        "/register",
        "/register/x",
        "/token",
        "/revoke",
        "/par",
        "/userinfo",
    ] {
        let headers = [("origin", "https://page.example"), ("access-control-request-headers", "mcp-protocol-version")];
        let answer = site.send(Method::OPTIONS, path, &headers, None).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, "*"), "{path}");
        assert_eq!(answer.header("access-control-allow-headers"), "Authorization, *", "{path}");
        // Any origin may ask because no cookie goes along, nor may it.
        assert_eq!(answer.header("access-control-allow-credentials"), "", "{path}");
    }
    for path in ["/authorize", "/signin", "/consent", "/introspect", "/applications"] {
        let answer = site.send(Method::OPTIONS, path, &[("origin", "https://page.example")], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (405, ""), "{path}");
    }
    for answer in [
        site.get("/.well-known/oauth-authorization-server", &[]).await,
        site.form("/token", &[], &[("grant_type", "authorization_code")]).await,
        site.send(Method::POST, "/register", &[("content-type", "application/json")], Some(b"{}".to_vec())).await,
    ] {
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        assert!(answer.header("access-control-expose-headers").contains("WWW-Authenticate"));
    }
}
