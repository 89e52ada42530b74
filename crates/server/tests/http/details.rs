//! Rich authorization requests (RFC 9396) through the pages, the tokens and refreshes.

use crate::directory::client_record;
use crate::harness::{Browser, CALLBACK, PASSWORD, Site, VERIFIER, claims, text, values};
use crate::prover::merged;
use grantor_protocol::directory::Api;
use grantor_store::Change;
use serde_json::{Value, json};

const BANK: &str = "https://bank.example";

fn bank() -> Api {
    serde_json::from_value(json!({
        "audience": BANK, "name": "Bank", "resource_servers": ["api"], "scopes": [{ "name": "accounts" }],
        "authorization_details_types": [{
            "type": "payment",
            "description": { "en": "Pay {/amount} to {/creditor}", "de": "{/amount} an {/creditor} zahlen" },
            "schema": {
                "type": "object", "required": ["type", "amount", "creditor"], "additionalProperties": false,
                "properties": {
                    "type": { "const": "payment" }, "amount": { "type": "string", "pattern": "^EUR [0-9]+$" },
                    "creditor": { "type": "string", "maxLength": 50 },
                    "actions": { "type": "array", "items": { "enum": ["initiate", "status", "cancel"] } },
                },
            },
        }],
        "ceilings": [{ "client_id": "payer", "authorization_details_types": ["payment"] }],
    }))
    .unwrap()
}

async fn site() -> Site {
    Site::with(|changes| {
        changes.push(Change::PutApi(bank()));
        let payer = json!({
            "client_id": "payer", "client_name": "Shop", "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "authorization_details_types": ["payment"],
        });
        changes.push(Change::PutClient(client_record(payer)));
    })
    .await
}

fn payment(change: &Value) -> Value {
    merged(
        json!({ "type": "payment", "amount": "EUR 5", "creditor": "Ada", "actions": ["initiate", "status"] }),
        change,
    )
}

/// The consent page for these details, by alice.
async fn asked(browser: &mut Browser<'_>, details: &str) -> crate::harness::Answer {
    let first = browser.start("payer", &[("scope", "openid"), ("authorization_details", details)]).await;
    if first.body.contains("name=\"password\"") { browser.sign_in(&first, "alice", PASSWORD).await } else { first }
}

async fn redeem(site: &Site, code: &str, more: &[(&str, &str)]) -> crate::harness::Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
        ("resource", BANK),
    ];
    fields.extend(more);
    site.token("payer", &fields).await
}

#[tokio::test]
async fn rfc9396_7_what_the_user_allowed_stands_in_the_token_and_in_introspection() {
    let site = site().await;
    let mut browser = Browser::new(&site);
    let details = json!([payment(&json!({})), payment(&json!({ "amount": "EUR 700", "creditor": "Eve" }))]).to_string();
    let page = asked(&mut browser, &details).await;
    assert!(page.body.contains("Pay EUR 5 to Ada") && page.body.contains("Pay EUR 700 to Eve"), "{}", page.body);
    assert_eq!(values(&page.body, "name=\"detail\" value=\""), ["0", "1"]);
    // Eve gets nothing.
    let answer = browser.submit(&page, &[("decision", "allow"), ("scope", "openid"), ("detail", "0")]).await;
    let code = answer.param("code").unwrap_or_else(|| panic!("{} {}", answer.location(), answer.body));
    let tokens = redeem(&site, &code, &[]).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let tokens = tokens.json();
    let allowed = json!([payment(&json!({}))]);
    assert_eq!(tokens["authorization_details"], allowed);
    let token = text(&tokens, "access_token");
    assert_eq!(claims(token)["authorization_details"], allowed);
    assert_eq!(site.introspect(token).await["authorization_details"], allowed);

    // RFC 9396 6: less at refresh, never more.
    let refresh = text(&tokens, "refresh_token").to_owned();
    let less = json!([payment(&json!({ "actions": ["status"] }))]).to_string();
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str()), ("resource", BANK)];
    let ask = async |details: &str| {
        let mut fields = fields.to_vec();
        fields.push(("authorization_details", details));
        site.token("payer", &fields).await
    };
    let more = json!([payment(&json!({ "amount": "EUR 6" }))]).to_string();
    assert_eq!(ask(&more).await.error(), "invalid_authorization_details");
    let narrowed = ask(&less).await;
    assert_eq!(narrowed.json()["authorization_details"].to_string(), less, "{}", narrowed.body);
}

#[tokio::test]
async fn rfc9396_5_what_the_api_does_not_know_is_refused() {
    let site = site().await;
    for details in [
        json!([{ "type": "unknown" }]),
        json!([payment(&json!({ "amount": "USD 5" }))]),
        json!([payment(&json!({ "more": true }))]),
        json!([payment(&json!({ "creditor": null }))]),
        json!({}),
        json!([1]),
    ] {
        let answer = Browser::new(&site).start("payer", &[("authorization_details", &details.to_string())]).await;
        assert_eq!(answer.param("error").as_deref(), Some("invalid_authorization_details"), "{details}");
    }
    let of_another =
        Browser::new(&site).start("web", &[("authorization_details", &json!([payment(&json!({}))]).to_string())]).await;
    assert_eq!(of_another.param("error").as_deref(), Some("invalid_authorization_details"));
}

#[tokio::test]
async fn rfc9396_a_payment_is_asked_for_each_time_and_can_be_denied() {
    let site = site().await;
    let mut browser = Browser::new(&site);
    let details = json!([payment(&json!({}))]).to_string();
    for _ in 0..2 {
        let page = asked(&mut browser, &details).await;
        assert!(page.body.contains("Pay EUR 5 to Ada"), "{}", page.body);
        let answer = browser.submit(&page, &[("decision", "allow"), ("scope", "openid"), ("detail", "0")]).await;
        assert!(answer.param("code").is_some());
    }
    let page = asked(&mut browser, &details).await;
    let unticked = browser.submit(&page, &[("decision", "allow"), ("scope", "openid")]).await;
    let code = unticked.param("code").unwrap();
    assert_eq!(redeem(&site, &code, &[]).await.error(), "invalid_target", "nothing is left of the bank");
    let page = asked(&mut browser, &details).await;
    let denied = browser.submit(&page, &[("decision", "deny")]).await;
    assert_eq!(denied.param("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn rfc9396_6_an_application_for_itself_has_what_its_ceiling_lists() {
    let site = site().await;
    let details = json!([payment(&json!({}))]).to_string();
    let fields =
        [("grant_type", "client_credentials"), ("resource", BANK), ("authorization_details", details.as_str())];
    let answer = site.token("payer", &fields).await;
    assert_eq!(answer.json()["authorization_details"].to_string(), details, "{}", answer.body);
    let bad = json!([payment(&json!({ "amount": "much" }))]).to_string();
    let fields = [("grant_type", "client_credentials"), ("resource", BANK), ("authorization_details", bad.as_str())];
    assert_eq!(site.token("payer", &fields).await.error(), "invalid_authorization_details");
}
