//! Rich authorization requests (RFC 9396) through the pages, the tokens and refreshes.

use crate::directory::{client_record, policy, user_record};
use crate::harness::{Answer, Browser, CALLBACK, PASSWORD, Site, VERIFIER, claims, text, values};
use crate::prover::merged;
use grantor_protocol::audit::Action;
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::directory::Api;
use grantor_protocol::value::Resource;
use grantor_store::Change;
use serde_json::{Value, json};

const BANK: &str = "https://bank.example";
const VAULT: &str = "https://vault.example";

fn bank() -> Api {
    serde_json::from_value(json!({
        "audience": BANK, "name": "Bank", "resource_servers": ["api"], "scopes": [{ "name": "accounts" }],
        "authorization_details_types": [errands(), {
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
        "ceilings": [{ "client_id": "payer", "authorization_details_types": ["payment", "errand"] }],
    }))
    .unwrap()
}

/// It has no scope: everything that can be had there is a detail. Alice is no cleaner.
fn vault() -> Api {
    serde_json::from_value(json!({
        "audience": VAULT, "name": "Vault", "resource_servers": ["machine"],
        "roles": [{ "name": "keeper" }, { "name": "cleaner" }],
        "authorization_details_types": [
            { "type": "opening", "description": "Open {/door}", "schema": { "properties": { "door": {} } } },
            { "type": "cleaning", "description": "Clean", "schema": {}, "roles": ["cleaner"] },
            errands(),
        ],
    }))
    .unwrap()
}

fn errands() -> Value {
    json!({ "type": "errand", "description": "Run", "schema": { "properties": { "locations": {} } } })
}

async fn site() -> Site {
    Site::with(|changes| {
        changes.extend([Change::PutApi(bank()), Change::PutApi(vault())]);
        let mut alice = user_record("default", "alice");
        alice.roles.insert(Resource::parse(VAULT).unwrap(), vec!["keeper".to_owned()]);
        changes.push(Change::PutUser(alice));
        let payer = json!({
            "client_id": "payer", "client_name": "Shop", "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "authorization_details_types": ["payment", "opening", "cleaning", "errand"],
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

fn opening() -> Value {
    json!({ "type": "opening", "door": "front" })
}

/// What the form posts for a detail.
fn digest(detail: &Value) -> String {
    AuthorizationDetails::parse(&json!([detail]).to_string()).unwrap().iter().next().unwrap().digest()
}

/// The code for these of the details, by alice.
async fn code(site: &Site, details: &[Value], ticked: &[&Value]) -> String {
    let mut browser = Browser::new(site);
    let page = asked(&mut browser, &json!(details).to_string()).await;
    allowed(&mut browser, &page, ticked).await
}

async fn allowed(browser: &mut Browser<'_>, page: &Answer, ticked: &[&Value]) -> String {
    let ticked: Vec<_> = ticked.iter().map(|detail| digest(detail)).collect();
    let mut fields = vec![("decision", "allow"), ("scope", "openid")];
    fields.extend(ticked.iter().map(|digest| ("detail", digest.as_str())));
    let answer = browser.submit(page, &fields).await;
    answer.param("code").unwrap_or_else(|| panic!("{} {}", answer.location(), answer.body))
}

/// The consent page for these details, by alice.
async fn asked(browser: &mut Browser<'_>, details: &str) -> Answer {
    let first = browser.start("payer", &[("scope", "openid"), ("authorization_details", details)]).await;
    if first.body.contains("name=\"password\"") { browser.sign_in(&first, "alice", PASSWORD).await } else { first }
}

async fn redeem(site: &Site, code: &str, more: &[(&str, &str)]) -> Answer {
    redeem_at(site, code, BANK, more).await
}

async fn redeem_at(site: &Site, code: &str, resource: &str, more: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("code_verifier", VERIFIER),
        ("redirect_uri", CALLBACK),
        ("resource", resource),
    ];
    fields.extend(more);
    site.token("payer", &fields).await
}

#[tokio::test]
async fn rfc9396_7_what_the_user_allowed_stands_in_the_token_and_in_introspection() {
    let site = site().await;
    let mut browser = Browser::new(&site);
    let (ada, eve) = (payment(&json!({})), payment(&json!({ "amount": "EUR 700", "creditor": "Eve" })));
    let page = asked(&mut browser, &json!([ada, eve]).to_string()).await;
    assert!(page.body.contains("Pay EUR 5 to Ada") && page.body.contains("Pay EUR 700 to Eve"), "{}", page.body);
    assert_eq!(values(&page.body, "name=\"detail\" value=\""), [digest(&ada), digest(&eve)]);
    // Eve gets nothing.
    let code = allowed(&mut browser, &page, &[&ada]).await;
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
        allowed(&mut browser, &page, &[&payment(&json!({}))]).await;
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

#[tokio::test]
async fn rfc9396_7_an_api_with_types_of_details_comes_with_a_detail_only() {
    let site = site().await;
    let at_vault = async |code: &str| redeem_at(&site, code, VAULT, &[]).await;
    let opened = at_vault(&code(&site, &[opening()], &[&opening()]).await).await.json();
    let token = claims(text(&opened, "access_token"));
    assert_eq!((&token["aud"], &token["roles"]), (&json!(VAULT), &json!(["keeper"])), "{token}");

    let unticked = code(&site, &[opening()], &[]).await;
    assert_eq!(at_vault(&unticked).await.error(), "invalid_target", "nobody's roles are had by naming an API");
    let cleaning = json!({ "type": "cleaning" });
    let roleless = code(&site, &[payment(&json!({})), cleaning], &[&payment(&json!({}))]).await;
    assert_eq!(at_vault(&roleless).await.error(), "invalid_target");
    let named = Browser::new(&site).authorize("payer", &[("scope", "openid"), ("resource", VAULT)]).await;
    assert_eq!(at_vault(&named.param("code").unwrap()).await.error(), "invalid_target");
}

#[tokio::test]
async fn rfc9396_6_a_token_has_no_audience_of_which_no_detail_is_asked_for() {
    let site = site().await;
    let (pay, open) = (payment(&json!({})), opening());
    let code = code(&site, &[pay.clone(), open.clone()], &[&pay, &open]).await;
    let of_the_bank = json!([pay]).to_string();
    let refused = redeem_at(&site, &code, VAULT, &[("authorization_details", &of_the_bank)]).await;
    assert_eq!(refused.error(), "invalid_authorization_details", "{}", refused.body);
    let both = [("resource", VAULT), ("authorization_details", of_the_bank.as_str())];
    assert_eq!(redeem(&site, &code, &both).await.error(), "invalid_authorization_details");
    let given = redeem_at(&site, &code, VAULT, &[("authorization_details", &json!([open]).to_string())]).await.json();
    assert_eq!(given["authorization_details"], json!([open]));

    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", text(&given, "refresh_token")),
        ("resource", site.issuer.as_str()),
    ];
    let userinfo = site.token("payer", &fields).await;
    assert_eq!(userinfo.json()["scope"], "openid", "userinfo needs no detail: {}", userinfo.body);
}

#[tokio::test]
async fn rfc9396_9_2_introspection_shows_an_api_its_own_details_alone() {
    let site = site().await;
    let (pay, open) = (payment(&json!({})), opening());
    let code = code(&site, &[pay.clone(), open.clone()], &[&pay, &open]).await;
    let tokens = redeem(&site, &code, &[("resource", VAULT)]).await.json();
    assert_eq!(tokens["authorization_details"], json!([pay, open]));
    let token = text(&tokens, "access_token");
    assert_eq!(site.introspect(token).await["authorization_details"], json!([pay]));
    let by_the_vault = site.client_form("/introspect", "machine", &[("token", token)]).await.json();
    assert_eq!(by_the_vault["authorization_details"], json!([open]));
}

#[tokio::test]
async fn rfc9396_11_no_other_detail_is_allowed_than_the_one_that_was_shown() {
    let site = site().await;
    let (open, pay) = (opening(), payment(&json!({})));
    let mut browser = Browser::new(&site);
    let page = asked(&mut browser, &json!([open, pay]).to_string()).await;
    assert_eq!(values(&page.body, "name=\"detail\" value=\"").len(), 2);
    // While the page lies open the first becomes impossible, and the second comes first.
    let nothing = json!({ "name": "shut", "api": VAULT, "authorization_details_types": [] });
    site.change(vec![policy(nothing)]).await;
    let position = [("decision", "allow"), ("scope", "openid"), ("detail", "0"), ("detail", &digest(&open))];
    let code = browser.submit(&page, &position).await.param("code").unwrap();
    assert_eq!(redeem(&site, &code, &[]).await.error(), "invalid_target");
}

#[tokio::test]
async fn rfc9396_11_a_detail_of_two_apis_is_shown_once() {
    let site = site().await;
    let errand = json!({ "type": "errand", "locations": [BANK, VAULT] });
    let mut browser = Browser::new(&site);
    let page = asked(&mut browser, &json!([errand, errand]).to_string()).await;
    assert_eq!(values(&page.body, "name=\"detail\" value=\""), [digest(&errand)]);
    let code = allowed(&mut browser, &page, &[&errand]).await;
    assert_eq!(redeem_at(&site, &code, VAULT, &[]).await.json()["authorization_details"][0], errand);
}

#[tokio::test]
async fn rfc9396_13_the_audit_log_holds_types_and_digests_and_why_a_detail_was_left_out() {
    let site = site().await;
    let (pay, open) = (payment(&json!({})), opening());
    code(&site, &[pay.clone(), open, json!({ "type": "cleaning" })], &[&pay]).await;
    let mut events = site.events().await;
    events.retain(|event| event.details.contains_key("details"));
    for action in [Action::Consent, Action::Authorization] {
        let event = events.iter().find(|event| event.action == action).unwrap();
        assert_eq!(event.details["details"], json!([{ "type": "payment", "digest": digest(&pay) }]));
    }
    assert!(!serde_json::to_string(&events).unwrap().contains("Ada"));
    let authorization = events.iter().find(|event| event.action == Action::Authorization).unwrap();
    let lacks = format!("cleaning: the user has none of the roles that it needs at {VAULT}");
    assert_eq!(authorization.details["narrowed"], json!([lacks, "opening: the user did not allow it"]));
}

#[tokio::test]
async fn an_api_s_policies_hold_for_details() {
    let site = site().await;
    let (pay, open) = (payment(&json!({})), opening());
    let at_bank = |more: Value| policy(merged(json!({ "name": "p", "api": BANK }), &more));
    let itself = json!([pay]).to_string();
    let itself = [("grant_type", "client_credentials"), ("resource", BANK), ("authorization_details", itself.as_str())];
    for (policy, had) in [
        (json!({ "scopes": ["accounts"] }), false),
        (json!({ "authorization_details_types": ["errand"] }), false),
        (json!({ "scopes": [], "authorization_details_types": ["payment"] }), true),
        (json!({}), true),
    ] {
        site.change(vec![at_bank(policy.clone())]).await;
        let mut browser = Browser::new(&site);
        let page = asked(&mut browser, &json!([pay, open]).to_string()).await;
        assert_eq!(page.body.contains("Pay EUR 5 to Ada"), had, "{policy}");
        let code = allowed(&mut browser, &page, &[&pay, &open]).await;
        assert_eq!(redeem(&site, &code, &[]).await.status == 200, had, "{policy}");
        assert_eq!(site.token("payer", &itself).await.status == 200, had, "{policy}");
    }
}
