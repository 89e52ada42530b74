//! Saved requests are sent, and tokens obtained by their settings: what goes out, to whom, and what comes into the page.

use crate::desk::{Desk, open};
use crate::directory::client_record;
use crate::harness::{Answer, Browser, Plan, Site, base64_standard, claims, secret, text, values};
use crate::prover::Prover;
use crate::relay::{Other, answer, listed};
use grantor_fetch::Origins;
use grantor_jose::{base64url, digest};
use grantor_protocol::audit::Outcome;
use grantor_protocol::desk::{Collection, Environment};
use grantor_protocol::value::{ItemId, Subject, TenantName, WorkspaceId};
use grantor_protocol::workspace::{DOTS, Document, Item, Saved};
use grantor_store::Change;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const KEY: &str = "the-key-of-the-api";

/// A site with a desk which may ask this machine, as a demo does.
async fn site() -> Site {
    planned(Origins::of_this_machine()).await
}

async fn planned(relay: Origins) -> Site {
    let plan = Plan { relay, ..Plan::default() };
    let site = Site::planned(plan, |changes| changes.push(open())).await;
    let desk = json!({"client_id": "desk", "redirect_uris": [format!("{}/desk/callback", site.issuer)],
        "grant_types": ["authorization_code", "refresh_token"]});
    site.change(vec![Change::PutClient(client_record(desk))]).await;
    site
}

/// An API that says what it got.
async fn api() -> Other {
    Other::that(|_, asked| answer(200, "content-type: application/json\r\n", &json!({ "got": asked }).to_string()))
        .await
}

/// Puts a document onto somebody's desk, as the store keeps it.
async fn put<D: Document>(site: &Site, owner: &str, workspace: &str, document: D, shared: bool) -> String {
    let tenant = TenantName::default();
    let workspace = WorkspaceId::parse(workspace).unwrap();
    let mut saved = Saved::new(document);
    saved.shared = shared;
    let millis = u64::try_from(site.now()).unwrap() * 1000;
    let mut random = [0; 10];
    getrandom::fill(&mut random).unwrap();
    let id = ItemId::new(millis, random);
    let owner = Subject::parse(&format!("sub-of-{owner}")).unwrap();
    let item = Item { id, owner, version: 1, sealed: Vec::new() };
    let content = serde_json::to_vec(&D::into_content(saved)).unwrap();
    let sealed = (site.master)().seal_item(&tenant, workspace, &item, [7; 16], &content);
    assert!(site.store.keep_item(&tenant, workspace, Item { sealed, ..item }).await.unwrap());
    id.to_string()
}

fn collection(json: &Value) -> Collection {
    Collection::parse(json.to_string().as_bytes()).unwrap()
}

fn environment(json: &Value) -> Environment {
    Environment::parse(json.to_string().as_bytes()).unwrap()
}

/// One request to `url`, in a collection with these settings.
fn one(url: &str, settings: &Value) -> Value {
    let token = if settings.is_null() { json!("none") } else { json!({ "settings": settings }) };
    json!({
        "name": "Notes", "token": token,
        "variables": [
            { "name": "api", "value": url },
            { "name": "key", "secret": true, "value": KEY },
            { "name": "client_secret", "secret": true, "value": secret("machine") },
            { "name": "desk_secret", "secret": true, "value": secret("desk") },
        ],
        "items": [{ "folder": { "name": "Reading", "items": [{ "request": {
            "name": "List", "method": "GET", "url": "{{api}}/notes?page=1", "headers": [{ "name": "X-Key", "value": "{{key}}" }],
        } }] } }],
    })
}

/// The machine of this server.
fn machine(site: &Site) -> Value {
    json!({ "name": "Machine", "grant_type": "client_credentials", "server": { "issuer": site.issuer },
        "client_id": "machine", "client_secret": "client_secret", "scope": "notes:read" })
}

/// Alice, with a collection.
struct Sender<'a> {
    desk: Desk<'a>,
    item: String,
}

impl<'a> Sender<'a> {
    async fn of(site: &'a Site, document: &Value) -> Self {
        let desk = Desk::with_workspace(site, "alice").await;
        let item = put(site, "alice", &desk.workspace, collection(document), false).await;
        Self { desk, item }
    }

    async fn send(&mut self, token: &str) -> Answer {
        self.send_at("0.0", token, "").await
    }

    async fn send_at(&mut self, at: &str, token: &str, environment: &str) -> Answer {
        let item = self.item.clone();
        let fields = [("item", item.as_str()), ("at", at), ("token", token), ("environment", environment)];
        self.desk.post("/desk/send", &fields).await
    }

    async fn obtain(&mut self) -> Answer {
        let item = self.item.clone();
        self.desk.post("/desk/obtain", &[("item", item.as_str()), ("at", "0")]).await
    }
}

/// The status that the page says the API answered with.
fn status(page: &Answer) -> Option<String> {
    let (_, rest) = page.body.split_once("id=\"status\">")?;
    Some(rest.split('<').next().unwrap().to_owned())
}

/// Why nothing was sent, in the words of the page.
fn problem(page: &Answer) -> String {
    assert_eq!(page.status, 200, "{}", page.body);
    let notice = page.body.split("<div class=\"notice\"><p>").nth(1).unwrap_or_else(|| panic!("{}", page.body));
    notice.split("</p>").next().unwrap().trim().replace(['\u{2068}', '\u{2069}'], "")
}

fn header<'a>(asked: &'a str, name: &str) -> Option<&'a str> {
    asked.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
}

fn form(asked: &str) -> BTreeMap<String, String> {
    let (_, body) = asked.split_once("\r\n\r\n").unwrap();
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

#[tokio::test]
async fn a_request_goes_out_with_the_token_that_its_folder_inherits_and_nothing_secret_comes_back() {
    let (site, api) = (site().await, api().await);
    let mut alice = Sender::of(&site, &one(&api.origin, &machine(&site))).await;
    let page = alice.send("settings").await;
    assert_eq!(status(&page).as_deref(), Some("200"), "{}", page.body);
    let asked = api.asked().remove(0);
    assert!(asked.starts_with("GET /notes?page=1 HTTP/1.1\r\n"), "{asked}");
    assert_eq!(header(&asked, "x-key"), Some(KEY));
    let token = header(&asked, "authorization").unwrap().strip_prefix("Bearer ").unwrap();
    assert_eq!((text(&claims(token), "client_id"), text(&claims(token), "scope")), ("machine", "notes:read"));
    assert!(page.body.contains(&format!("Bearer {DOTS}")), "{}", page.body);
    for hidden in [token, KEY, &secret("machine")] {
        assert!(!page.body.contains(hidden), "a secret stands in the page: {}", page.body);
    }
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-security-policy").contains("form-action 'self';"));
    // It lies on the desk under its name, and is used as long as it is good.
    assert_eq!(alice.desk.items().await.len(), 1);
    assert!(alice.desk.page().await.body.contains(">Machine<"));
    alice.send("settings").await;
    site.later(601);
    alice.send("settings").await;
    let tokens: Vec<_> = api.asked().iter().map(|asked| header(asked, "authorization").unwrap().to_owned()).collect();
    assert!(tokens[0] == tokens[1] && tokens[1] != tokens[2]);
    assert_eq!(alice.desk.items().await.len(), 1, "the new one takes the place of the old one");
}

#[tokio::test]
async fn rfc6749_2_3_1_a_foreign_endpoint_sees_each_method_and_each_parameter() {
    let site = site().await;
    let issuer = Other::that(|_, _| {
        answer(200, "", r#"{"access_token":"foreign-token","token_type":"Bearer","refresh_token":"foreign-refresh","expires_in":60}"#)
    })
    .await;
    let api = api().await;
    let parameter = |name: &str, place: &str| json!({ "name": name, "value": "{{key}}", "in": place });
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        let settings = json!({
            "grant_type": "client_credentials", "server": { "endpoints": { "token": format!("{}/token?v=2", issuer.origin) } },
            "client_id": "machine", "client_secret": "client_secret", "client_authentication": method, "scope": method,
            "header_prefix": "Token {{key}}", "audience": "https://api.example",
            "parameters": {
                "token": [parameter("tenant", "query"), parameter("extra", "body"), parameter("X-Trace", "header")],
                "refresh": [parameter("again", "body")],
            },
        });
        let mut alice = Sender::of(&site, &one(&api.origin, &settings)).await;
        let before = issuer.asked().len();
        assert_eq!(status(&alice.send("settings").await).as_deref(), Some("200"), "{method}");
        site.later(61);
        assert_eq!(status(&alice.send("settings").await).as_deref(), Some("200"), "{method}");
        let [first, refresh] = &issuer.asked()[before..] else { panic!("{method}: not renewed") };
        assert!(first.starts_with(&format!("POST /token?v=2&tenant={KEY} HTTP/1.1")), "{first}");
        assert_eq!(header(first, "x-trace"), Some(KEY));
        let fields = form(first);
        assert_eq!((fields["grant_type"].as_str(), fields["extra"].as_str()), ("client_credentials", KEY));
        assert_eq!(fields["audience"], "https://api.example");
        let own = secret("machine");
        let basic = format!("Basic {}", base64_standard(format!("machine:{own}").as_bytes()));
        assert_eq!(header(first, "authorization"), (method == "client_secret_basic").then_some(basic.as_str()));
        assert_eq!(fields.get("client_secret"), (method == "client_secret_post").then_some(&own));
        assert_eq!(fields.contains_key("client_id"), method != "client_secret_basic");
        let fields = form(refresh);
        assert_eq!(
            (fields["grant_type"].as_str(), fields["refresh_token"].as_str()),
            ("refresh_token", "foreign-refresh")
        );
        assert_eq!((fields["again"].as_str(), fields.get("extra")), (KEY, None));
        let used = api.asked().pop().unwrap();
        assert_eq!(header(&used, "authorization"), Some(format!("Token {KEY} foreign-token").as_str()));
    }
}

/// Through the server's own pages; the ID token goes along, with another word before it.
#[tokio::test]
async fn rfc7636_a_person_is_asked_and_the_request_sent_when_the_browser_is_back() {
    let (site, api) = (site().await, api().await);
    let settings = json!({
        "grant_type": "authorization_code", "server": { "issuer": site.issuer }, "client_id": "desk",
        "client_secret": "desk_secret", "scope": "openid notes:read", "use_token": "id_token", "header_prefix": "Identity",
    });
    let mut alice = Sender::of(&site, &one(&api.origin, &settings)).await;
    let away = alice.send("settings").await;
    assert_eq!(away.status, 303, "{}", away.body);
    assert_eq!(away.param("code_challenge_method").as_deref(), Some("S256"));
    let path = away.location().strip_prefix(&site.issuer).unwrap().to_owned();
    let answer = alice.desk.browser.get(&path).await;
    let page = alice.desk.browser.follow(answer).await;
    let back = alice.desk.browser.decide(&page, "allow", None).await;
    assert!(back.location().starts_with(&format!("{}/desk/callback?", site.issuer)), "{}", back.location());
    assert!(api.asked().is_empty());
    let callback = back.location().to_owned();
    // Of another person's browser the same answer is nothing (RFC 9700 2.1).
    let mut bob = Desk::of(&site, "bob").await;
    assert_eq!(bob.browser.get(&callback).await.status, 400);
    let mut elsewhere = Desk::of(&site, "alice").await;
    assert_eq!(elsewhere.browser.get(&callback).await.status, 400, "nor of her own other one");
    assert_ne!(Browser::new(&site).get(&callback).await.status, 200);
    let sent = alice.desk.browser.get(&callback).await;
    assert_eq!(status(&sent).as_deref(), Some("200"), "{}", sent.body);
    let asked = api.asked().remove(0);
    let token = header(&asked, "authorization").unwrap().strip_prefix("Identity ").unwrap();
    assert_eq!((text(&claims(token), "aud"), text(&claims(token), "sub")), ("desk", "sub-of-alice"));
    assert_eq!(Some(text(&claims(token), "nonce").to_owned()), away.param("nonce"));
    assert!(!sent.body.contains(token) && sent.body.contains(&format!("Identity {DOTS}")));
    // A code is good once.
    assert!(problem(&alice.desk.browser.get(&callback).await).contains("invalid_grant"));
    assert_eq!(status(&alice.send("settings").await).as_deref(), Some("200"), "the token lies on the desk now");
    assert_eq!(api.asked().len(), 2);
}

/// Another issuer, as far as the desk needs one; its ID tokens are nobody's.
async fn foreign(id_token: Option<&'static str>) -> Other {
    Other::that(move |own, asked| match asked.split(' ').nth(1).unwrap() {
        "/.well-known/openid-configuration" => {
            let metadata = json!({ "issuer": own, "authorization_endpoint": format!("{own}/authorize?a=b"),
                "token_endpoint": format!("{own}/token"), "jwks_uri": format!("{own}/jwks"),
                "authorization_response_iss_parameter_supported": true });
            answer(200, "", &metadata.to_string())
        }
        "/token" => {
            let tokens = json!({ "access_token": "foreign-token", "token_type": "bearer", "id_token": id_token });
            answer(200, "", &tokens.to_string())
        }
        "/jwks" => answer(200, "", r#"{"keys":[]}"#),
        _ => answer(404, "", ""),
    })
    .await
}

fn app(issuer: &Other, more: &Value) -> Value {
    let mut settings = json!({
        "name": "App", "grant_type": "authorization_code", "server": { "issuer": issuer.origin }, "client_id": "app",
        "client_authentication": "none", "scope": "read", "state": "written-down",
        "parameters": { "authorization": [{ "name": "prompt", "value": "login", "in": "query" }] },
    });
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

/// The authorization request that a page leads to.
fn leaves(page: &Answer) -> url::Url {
    assert_eq!(page.status, 200, "{}", page.body);
    let refresh = page.header("refresh").strip_prefix("0; url=").unwrap_or_else(|| panic!("{}", page.body));
    assert!(values(&page.body, "href=\"").contains(&refresh.to_owned()), "without the header there is a link");
    url::Url::parse(refresh).unwrap()
}

fn param(url: &url::Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[tokio::test]
async fn rfc9207_2_4_what_comes_back_must_be_from_the_issuer_that_was_asked() {
    let site = site().await;
    let issuer = foreign(None).await;
    let mut alice = Sender::of(&site, &one("https://api.example", &app(&issuer, &json!({})))).await;
    let url = leaves(&alice.obtain().await);
    assert!(url.as_str().starts_with(&format!("{}/authorize?a=b&", issuer.origin)));
    assert_eq!(param(&url, "redirect_uri"), format!("{}/desk/callback", site.issuer));
    assert_eq!(
        (param(&url, "prompt"), param(&url, "scope"), param(&url, "nonce")),
        ("login".into(), "read".into(), String::new())
    );
    let state = param(&url, "state");
    assert_ne!(state, "written-down", "a state that everybody knows protects nobody");
    let encoded: String = url::form_urlencoded::byte_serialize(issuer.origin.as_bytes()).collect();
    let back = |iss: &str| format!("/desk/callback?code=c&state={state}{iss}");
    for wrong in [String::new(), "&iss=https%3A%2F%2Fevil.example".to_owned(), format!("&iss={encoded}%2F")] {
        let page = alice.desk.browser.get(&back(&wrong)).await;
        assert!(problem(&page).contains("RFC 9207"), "{wrong}: {}", page.body);
    }
    let denied = format!("/desk/callback?error=access_denied&state={state}&iss={encoded}");
    assert!(problem(&alice.desk.browser.get(&denied).await).contains("access_denied"));
    assert!(!issuer.asked().iter().any(|asked| asked.starts_with("POST")), "no code went out");
    let mut bob = Desk::of(&site, "bob").await;
    for (browser, query) in [
        (&mut bob.browser, back(&format!("&iss={encoded}"))),
        (&mut alice.desk.browser, "/desk/callback?code=c&state=x".to_owned()),
    ] {
        assert_eq!(browser.get(&query).await.status, 400, "{query}");
    }
    let done = alice.desk.browser.get(&back(&format!("&iss={encoded}"))).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert!(
        done.location().starts_with("/desk/collection?workspace=") && done.location().ends_with("&at=0&notice=done")
    );
    let asked = issuer.asked().into_iter().find(|asked| asked.starts_with("POST /token ")).unwrap();
    let fields = form(&asked);
    assert_eq!((fields["code"].as_str(), fields["client_id"].as_str()), ("c", "app"));
    let challenge = base64url::encode(digest::sha256(fields["code_verifier"].as_bytes()));
    assert_eq!(challenge, param(&url, "code_challenge"));
    assert!(alice.desk.page().await.body.contains(">App<"));
    // Whoever is away for too long begins again.
    let late = param(&leaves(&alice.obtain().await), "state");
    site.later(601);
    let page = alice.desk.browser.get(&format!("/desk/callback?code=c&state={late}&iss={encoded}")).await;
    assert_eq!(page.status, 400, "{}", page.body);
}

/// OpenID Connect Core 3.1.3.7.
#[tokio::test]
async fn an_id_token_that_its_issuer_did_not_sign_is_not_kept() {
    let site = site().await;
    let issuer = foreign(Some("eyJhbGciOiJFUzI1NiJ9.eyJub25jZSI6Im4ifQ.AAAA")).await;
    let mut alice = Sender::of(&site, &one("https://api.example", &app(&issuer, &json!({ "scope": "openid" })))).await;
    let url = leaves(&alice.obtain().await);
    assert!(!param(&url, "nonce").is_empty());
    let query = [("code", "c"), ("state", &param(&url, "state")), ("iss", &issuer.origin)];
    let page = alice.desk.browser.get(&format!("/desk/callback?{}", crate::harness::encode(&query))).await;
    assert!(problem(&page).contains("3.1.3.7"), "{}", page.body);
    assert!(alice.desk.items().await.is_empty());
}

#[tokio::test]
async fn settings_that_changed_meanwhile_obtain_nothing() {
    let site = site().await;
    let (issuer, other) = (foreign(None).await, foreign(None).await);
    let settings = app(&issuer, &json!({ "server": { "issuer": "{{issuer}}" } }));
    let mut document = one("https://api.example", &settings);
    document["variables"].as_array_mut().unwrap().push(json!({ "name": "issuer", "value": issuer.origin }));
    let mut alice = Sender::of(&site, &document).await;
    let state = param(&leaves(&alice.obtain().await), "state");
    // The same item says something else now.
    let (tenant, workspace) = (TenantName::default(), WorkspaceId::parse(&alice.desk.workspace).unwrap());
    let id = ItemId::parse(&alice.item).unwrap();
    document["variables"][4]["value"] = json!(other.origin);
    let before = site.store.item(&tenant, workspace, id).await.unwrap().unwrap();
    let item = Item { version: 2, sealed: Vec::new(), ..before };
    let content = Collection::into_content(Saved::new(collection(&document)));
    let sealed = (site.master)().seal_item(&tenant, workspace, &item, [8; 16], &serde_json::to_vec(&content).unwrap());
    assert!(site.store.keep_item(&tenant, workspace, Item { sealed, ..item }).await.unwrap());
    let query = [("code", "c"), ("state", state.as_str()), ("iss", &issuer.origin)];
    let page = alice.desk.browser.get(&format!("/desk/callback?{}", crate::harness::encode(&query))).await;
    assert!(problem(&page).contains("settings changed"), "{}", page.body);
    assert!(![issuer, other].iter().any(|server| server.asked().iter().any(|asked| asked.starts_with("POST"))));
}

/// RFC 8414 3.3.
#[tokio::test]
async fn metadata_of_another_issuer_are_not_used() {
    let site = site().await;
    let issuer =
        Other::answering(200, "", r#"{"issuer":"https://evil.example","token_endpoint":"https://evil.example/t"}"#)
            .await;
    let settings = app(&issuer, &json!({ "grant_type": "client_credentials", "parameters": {} }));
    let mut alice = Sender::of(&site, &one("https://api.example", &settings)).await;
    assert!(problem(&alice.obtain().await).contains("RFC 8414 3.3"));
    assert_eq!(issuer.asked().len(), 1);
}

/// The statement that the desk is no open proxy: whatever a user saves, the server asks those alone whom its administrator listed.
#[tokio::test]
async fn nobody_is_asked_who_is_not_on_the_list() {
    let (named, other) = (foreign(None).await, api().await);
    let outgoing =
        grantor_fetch::Settings { allowed_networks: vec!["127.0.0.0/8".parse().unwrap()], ..Default::default() };
    let plan = Plan { relay: listed(&[&named.origin]), outgoing, ..Plan::default() };
    let site = Site::planned(plan, |changes| changes.push(open())).await;
    let mut alice = Sender::of(&site, &one(&named.origin, &Value::Null)).await;
    assert_eq!(status(&alice.send("settings").await).as_deref(), Some("404"), "the listed one is asked");
    let port = named.origin.rsplit(':').next().unwrap();
    for url in [
        other.origin.clone(),
        format!("http://localhost:{port}"),
        format!("http://[::1]:{port}"),
        format!("{}@{}", named.origin, other.origin.trim_start_matches("http://")),
        "https://idp.example".to_owned(),
        "http://169.254.169.254".to_owned(),
        "file:///etc/passwd".to_owned(),
        site.issuer.clone(),
    ] {
        let item = put(&site, "alice", &alice.desk.workspace, collection(&one(&url, &Value::Null)), false).await;
        alice.item = item;
        let said = problem(&alice.send("settings").await);
        assert!(said.contains("did not list") || said.contains("no URL that can be asked"), "{url}: {said}");
    }
    // An endpoint, an issuer, and an endpoint that a listed issuer names.
    let token = json!({ "server": { "endpoints": { "token": format!("{}/token", other.origin) } } });
    let elsewhere = json!({ "server": { "issuer": other.origin } });
    for more in [token, elsewhere] {
        let mut settings = app(&named, &json!({ "grant_type": "client_credentials", "parameters": {} }));
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        alice.item =
            put(&site, "alice", &alice.desk.workspace, collection(&one(&named.origin, &settings)), false).await;
        let page = alice.send("settings").await;
        assert!(problem(&page).contains(&format!("did not list {}", other.origin)), "{}", page.body);
    }
    assert!(other.asked().is_empty());
    let nobody = planned(Origins::default()).await;
    let mut alice = Sender::of(&nobody, &one(&other.origin, &Value::Null)).await;
    let page = alice.send("settings").await;
    assert!(problem(&page).contains("did not list"), "{}", page.body);
    assert!(page.body.contains("playground.issuers"), "what an administrator writes");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_is_shown_and_not_followed_and_too_much_is_no_answer() {
    let site = site().await;
    let secret = Other::answering(200, "", "internal").await;
    let redirect = Other::answering(302, &format!("location: {}/\r\nset-cookie: a=b\r\n", secret.origin), "").await;
    let mut alice = Sender::of(&site, &one(&redirect.origin, &Value::Null)).await;
    let page = alice.send("settings").await;
    assert_eq!(status(&page).as_deref(), Some("302"));
    assert!(secret.asked().is_empty() && !page.body.contains("set-cookie"));
    for (headers, length, fits) in
        [("", 256 * 1024, true), ("", 256 * 1024 + 1, false), ("content-encoding: gzip\r\n", 1, false)]
    {
        let large = Other::answering(200, headers, &"x".repeat(length)).await;
        alice.item =
            put(&site, "alice", &alice.desk.workspace, collection(&one(&large.origin, &Value::Null)), false).await;
        let page = alice.send("settings").await;
        assert_eq!(status(&page).is_some(), fits, "{headers} {length}");
        assert!(fits || problem(&page).contains("too large"));
    }
    // Markup is text.
    let html = Other::answering(200, "content-type: text/html\r\n", "<script>alert(1)</script>").await;
    alice.item = put(&site, "alice", &alice.desk.workspace, collection(&one(&html.origin, &Value::Null)), false).await;
    let page = alice.send("settings").await;
    assert!(page.body.contains("&lt;script&gt;alert(1)") && !page.body.contains("<script>alert"));
}

/// Methods, bodies and headers are those that were saved; what says who asks is not sent.
#[tokio::test]
async fn a_request_is_sent_as_it_was_saved() {
    let (site, api) = (site().await, api().await);
    let request = |more: Value| {
        let mut request = json!({ "name": "R", "method": "PUT", "url": "{{api}}/x" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "request": request })
    };
    let mut document = one(&api.origin, &Value::Null);
    document["items"] = json!([
        request(
            json!({ "body": { "text": "{\"k\":\"{{key}}\"}" }, "headers": [{ "name": "Content-Type", "value": "application/json" }] })
        ),
        request(json!({ "method": "PATCH", "body": { "form": [{ "name": "k&", "value": "{{key}}&é" }] } })),
        request(json!({ "headers": [{ "name": "Cookie", "value": "a=b" }] })),
        request(json!({ "headers": [{ "name": "X-Forwarded-For", "value": "127.0.0.1" }] })),
        request(json!({ "method": "CONNECT" })),
        request(json!({ "url": "{{api}}/{{nobody}}" })),
        request(json!({ "url": "{{host}}/y" })),
    ]);
    let mut alice = Sender::of(&site, &document).await;
    let page = alice.send_at("0", "settings", "").await;
    assert_eq!(status(&page).as_deref(), Some("200"));
    assert!(api.asked()[0].starts_with("PUT /x ") && api.asked()[0].ends_with(&format!("{{\"k\":\"{KEY}\"}}")));
    assert!(!page.body.contains(KEY) && page.body.contains(DOTS));
    let page = alice.send_at("1", "settings", "").await;
    let asked = api.asked().pop().unwrap();
    assert!(asked.starts_with("PATCH /x "));
    assert_eq!(header(&asked, "content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(form(&asked), BTreeMap::from([("k&".to_owned(), format!("{KEY}&é"))]));
    assert!(!page.body.contains(KEY));
    for at in ["2", "3", "4"] {
        assert!(problem(&alice.send_at(at, "settings", "").await).contains("method or a header"), "{at}");
    }
    let said = problem(&alice.send_at("5", "settings", "").await);
    assert!(said.contains("nobody"), "{said}");
    // An environment is before the collection.
    let values = json!({ "name": "Test", "variables": [{ "name": "host", "value": api.origin }, { "name": "key", "secret": true, "value": "another-key" }] });
    let test = put(&site, "alice", &alice.desk.workspace, environment(&values), false).await;
    assert_eq!(status(&alice.send_at("6", "settings", &test).await).as_deref(), Some("200"));
    let page = alice.send_at("0", "settings", &test).await;
    assert!(api.asked().pop().unwrap().contains("another-key") && !page.body.contains("another-key"));
    assert_eq!(api.asked().len(), 4);
    for nowhere in ["7", "0.0", "x", "99999999999999999999999"] {
        assert_eq!(alice.send_at(nowhere, "settings", "").await.status, 404, "{nowhere}");
    }
}

/// Whoever could change where somebody else's secrets go would have them.
#[tokio::test]
async fn only_ones_own_documents_are_sent() {
    let (site, api) = (site().await, api().await);
    let mut alice = Sender::of(&site, &one(&api.origin, &Value::Null)).await;
    let mut bob = Desk::of(&site, "bob").await;
    bob.workspace.clone_from(&alice.desk.workspace);
    let shared = put(&site, "alice", &bob.workspace, collection(&one(&api.origin, &Value::Null)), true).await;
    let values = json!({ "name": "Test", "variables": [{ "name": "api", "value": api.origin }] });
    let shared_values = put(&site, "alice", &bob.workspace, environment(&values), true).await;
    let fields = [("item", shared.as_str()), ("at", "0.0")];
    assert_eq!(bob.post("/desk/send", &fields).await.status, 404, "no member");
    assert_eq!(alice.desk.act("admit", &[("username", "bob"), ("right", "manage")]).await, "done");
    assert_eq!(bob.post("/desk/send", &fields).await.status, 404, "sharing is off");
    assert_eq!(alice.desk.act("sharing-on", &[]).await, "done");
    for path in ["/desk/send", "/desk/obtain"] {
        assert!(problem(&bob.post(path, &fields).await).contains("copy of your own"), "{path}");
    }
    let own = put(&site, "bob", &bob.workspace, collection(&one(&api.origin, &Value::Null)), false).await;
    let with_hers = [("item", own.as_str()), ("at", "0.0"), ("environment", &shared_values)];
    assert!(problem(&bob.post("/desk/send", &with_hers).await).contains("copy of your own"));
    let item = alice.item.clone();
    assert_eq!(bob.post("/desk/send", &[("item", &item), ("at", "0.0")]).await.status, 404, "it is not shared");
    assert!(api.asked().is_empty());
    assert_eq!(status(&bob.post("/desk/send", &[("item", &own), ("at", "0.0")]).await).as_deref(), Some("200"));
    assert_eq!(alice.desk.act("admit", &[("username", "bob"), ("right", "view")]).await, "done");
    assert!(problem(&bob.post("/desk/send", &[("item", &own), ("at", "0.0")]).await).contains("may not do that"));
    assert_eq!(api.asked().len(), 1);
}

#[tokio::test]
async fn a_token_of_the_desk_goes_along_when_it_is_picked_and_sent_as_it_is() {
    let (site, api) = (site().await, api().await);
    let mut alice = Sender::of(&site, &one(&api.origin, &machine(&site))).await;
    let tokens = site.tokens("notes:read").await;
    let kept = alice.desk.keep("Mine", &tokens, &[]).await;
    let page = alice.send(&kept).await;
    let access = text(&tokens, "access_token");
    assert_eq!(header(&api.asked()[0], "authorization"), Some(format!("Bearer {access}").as_str()));
    assert!(!page.body.contains(access), "an answer that repeats it does not show it either");
    alice.send("none").await;
    assert_eq!(header(&api.asked()[1], "authorization"), None);
    assert_eq!(alice.desk.items().await.len(), 1, "nothing was obtained");
    // One that is bound to a key needs a proof that the server cannot make.
    let fields = [("grant_type", "client_credentials"), ("scope", "notes:read")];
    let encoded = format!("Basic {}", base64_standard(format!("machine:{}", secret("machine")).as_bytes()));
    let bound = Prover::new().sent(&site, "/token", &[("authorization", &encoded)], &fields).await.json();
    assert_eq!(bound["token_type"], "DPoP", "{bound}");
    let bound = alice.desk.keep("Bound", &bound, &[]).await;
    assert!(problem(&alice.send(&bound).await).contains("bound to a key"));
    let mut bob = Desk::with_workspace(&site, "bob").await;
    let own = put(&site, "bob", &bob.workspace, collection(&one(&api.origin, &Value::Null)), false).await;
    let hers = bob.post("/desk/send", &[("item", &own), ("at", "0.0"), ("token", &kept)]).await;
    assert_eq!(hers.status, 404);
    assert_eq!(api.asked().len(), 2);
}

#[tokio::test]
async fn what_the_desk_cannot_do_is_said() {
    let site = site().await;
    let mut alice = Sender::of(&site, &one("https://api.example", &Value::Null)).await;
    for (more, said) in [
        (json!({ "grant_type": "urn:ietf:params:oauth:grant-type:device_code" }), "grantor login --device"),
        (json!({ "client_authentication": "private_key_jwt" }), "private_key_jwt"),
        (json!({ "client_secret": "unset" }), "not set: unset"),
        (json!({ "client_secret": null }), "need a client secret"),
        (json!({ "client_id": "" }), "need a client ID"),
        (json!({ "scope": "notes:admin" }), "invalid_"),
        (json!({ "server": { "endpoints": {} } }), "need an issuer, or endpoints"),
        (
            json!({ "grant_type": "authorization_code", "redirect_uri": "https://elsewhere.example/cb" }),
            "/desk/callback",
        ),
        (
            json!({ "grant_type": "authorization_code", "server": { "endpoints": { "authorization": "javascript:alert(1)", "token": "https://id.example/t" } } }),
            "need an issuer, or endpoints",
        ),
    ] {
        let mut settings = machine(&site);
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut document = one("https://api.example", &settings);
        document["variables"].as_array_mut().unwrap().push(json!({ "name": "unset", "secret": true }));
        alice.item = put(&site, "alice", &alice.desk.workspace, collection(&document), false).await;
        let page = alice.obtain().await;
        assert!(problem(&page).contains(said), "{more}: {}", problem(&page));
    }
    assert!(alice.desk.items().await.is_empty());
}

#[tokio::test]
async fn forms_from_elsewhere_send_nothing_and_without_a_desk_there_is_nothing() {
    let (site, api) = (site().await, api().await);
    let mut alice = Sender::of(&site, &one(&api.origin, &Value::Null)).await;
    let (workspace, item) = (alice.desk.workspace.clone(), alice.item.clone());
    let fields = [("workspace", workspace.as_str()), ("item", &item), ("at", "0.0")];
    for path in ["/desk/send", "/desk/obtain"] {
        assert_eq!(alice.desk.browser.post(path, &fields).await.status, 403, "{path}");
    }
    assert_eq!(site.get("/desk/callback?state=x&code=y", &[]).await.location(), "/signin");
    assert!(api.asked().is_empty());
    let closed = Site::start().await;
    for (method, path) in
        [(Method::POST, "/desk/send"), (Method::POST, "/desk/obtain"), (Method::GET, "/desk/callback")]
    {
        assert_eq!(closed.send(method, path, &[], None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn who_sent_what_where_is_written_down_and_no_value() {
    let (site, api) = (site().await, api().await);
    let mut alice = Sender::of(&site, &one(&api.origin, &machine(&site))).await;
    alice.send("settings").await;
    alice.item =
        put(&site, "alice", &alice.desk.workspace, collection(&one("https://unlisted.example", &Value::Null)), false)
            .await;
    alice.send("settings").await;
    let events = site.events().await;
    let of = |what: &str, outcome: Outcome| {
        let found =
            events.iter().find(|event| event.details.get("what") == Some(&json!(what)) && event.outcome == outcome);
        found.unwrap_or_else(|| panic!("no event: {what}"))
    };
    let sent = of("sent from the desk", Outcome::Allowed);
    assert_eq!(sent.actor.as_deref(), Some("sub-of-alice"));
    assert_eq!((&sent.details["origin"], &sent.details["status"]), (&json!(api.origin), &json!(200)));
    assert_eq!(of("obtained at the desk", Outcome::Allowed).details["client_id"], "machine");
    let refused = of("sent from the desk", Outcome::Refused);
    assert_eq!(refused.details.get("origin"), None, "of what is not listed nothing is written down");
    let token = header(&api.asked()[0], "authorization").unwrap().trim_start_matches("Bearer ").to_owned();
    let log = format!("{events:?}");
    for value in [KEY, &token, &secret("machine"), "unlisted.example"] {
        assert!(!log.contains(value), "{value} stands in the audit log");
    }
}
