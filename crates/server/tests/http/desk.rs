//! The token desk: keeping tokens, renewing, revoking and deleting them.

use crate::harness::{Answer, Browser, PASSWORD, Plan, Site, text, values};
use crate::stores::Folder;
use grantor_protocol::audit::Action;
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::TenantName;
use grantor_store::Change;
use reqwest::Method;
use serde_json::{Value, json};

/// A site with a desk.
pub async fn site() -> Site {
    Site::with(|changes| changes.push(open())).await
}

pub fn open() -> Change {
    Change::PutTenant(Tenant { desk: true, ..Tenant::new(TenantName::default()) })
}

/// Somebody at his desk.
pub struct Desk<'a> {
    pub browser: Browser<'a>,
    pub workspace: String,
}

impl<'a> Desk<'a> {
    /// Signed in; no workspace is open.
    pub async fn of(site: &'a Site, username: &str) -> Self {
        let mut browser = Browser::new(site);
        let page = browser.get("/signin").await;
        browser.sign_in(&page, username, PASSWORD).await;
        Self { browser, workspace: String::new() }
    }

    /// The same with a new workspace.
    pub async fn with_workspace(site: &'a Site, username: &str) -> Self {
        let mut desk = Self::of(site, username).await;
        assert_eq!(desk.act("open", &[("name", "Team")]).await, "done");
        let page = desk.page().await;
        desk.workspace.clone_from(values(&page.body, "name=\"workspace\" value=\"").first().unwrap());
        desk
    }

    pub async fn state(&mut self) -> Value {
        self.browser.get("/desk/state").await.json()
    }

    pub async fn page(&mut self) -> Answer {
        let page = self.browser.get(&format!("/desk?workspace={}", self.workspace)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = text(&self.state().await, "csrf").to_owned();
        let workspace = self.workspace.clone();
        let mut all = vec![("csrf", csrf.as_str()), ("workspace", &workspace)];
        all.extend(fields);
        all.retain(|(_, value)| !value.is_empty());
        self.browser.post(path, &all).await
    }

    /// What the page says became of it.
    pub async fn act(&mut self, what: &str, fields: &[(&str, &str)]) -> String {
        let mut all = vec![("do", what)];
        all.extend(fields);
        let answer = self.post("/desk/act", &all).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let (_, rest) = answer.location().split_once("notice=").unwrap();
        rest.split('&').next().unwrap().to_owned()
    }

    /// Keeps a token response; gives the item.
    pub async fn keep(&mut self, name: &str, tokens: &Value, more: &[(&str, &str)]) -> String {
        let member = |of: &str| tokens[of].as_str().unwrap_or_default().to_owned();
        let (access, refresh, id) = (member("access_token"), member("refresh_token"), member("id_token"));
        let before = self.items().await;
        let mut fields =
            vec![("name", name), ("access_token", access.as_str()), ("refresh_token", &refresh), ("id_token", &id)];
        fields.extend(more);
        assert_eq!(self.act("add", &fields).await, "done");
        self.items().await.into_iter().find(|item| !before.contains(item)).unwrap()
    }

    pub async fn items(&mut self) -> Vec<String> {
        values(&self.page().await.body, "data-item=\"")
    }

    /// The tokens of an item, as its owner is shown them.
    pub async fn shown(&mut self, item: &str) -> Vec<String> {
        let page = self.post("/desk/token", &[("item", item)]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.body.split("<textarea").skip(1).map(|part| part.split(['>', '<']).nth(1).unwrap().to_owned()).collect()
    }
}

/// The tokens of a public client for a scope.
pub async fn public_tokens(site: &Site, username: &str, scope: &str) -> Value {
    let mut browser = Browser::new(site);
    let page = browser.get("/signin").await;
    browser.sign_in(&page, username, PASSWORD).await;
    let code = browser.authorize("public", &[("scope", scope)]).await.param("code").unwrap();
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", "public"),
        ("code", code.as_str()),
        ("code_verifier", crate::harness::VERIFIER),
        ("redirect_uri", crate::harness::CALLBACK),
    ];
    let answer = site.form("/token", &[], &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_tenant_has_no_desk_unless_it_says_so() {
    let site = Site::start().await;
    for (method, path) in [
        (Method::GET, "/desk"),
        (Method::GET, "/desk/state"),
        (Method::POST, "/desk/act"),
        (Method::POST, "/desk/token"),
        (Method::POST, "/desk/use"),
    ] {
        assert_eq!(site.send(method, path, &[], None).await.status, 404, "{path}");
    }
    site.change(vec![open()]).await;
    assert_eq!(site.get("/desk", &[]).await.location(), "/signin");
    assert_eq!(site.get("/desk/state", &[]).await.json(), json!({ "user": null }));
}

#[tokio::test]
async fn a_form_from_elsewhere_changes_nothing_and_shows_nothing() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = alice.keep("Notes", &site.tokens("notes:read").await, &[]).await;
    let workspace = alice.workspace.clone();
    let fields = [("do", "delete"), ("workspace", workspace.as_str()), ("item", &item)];
    for path in ["/desk/act", "/desk/token"] {
        assert_eq!(alice.browser.post(path, &fields).await.status, 403, "{path}");
    }
    assert_eq!(alice.browser.post("/desk/use", &fields).await.error(), "access_denied");
    alice.browser.headers = vec![("sec-fetch-site".into(), "cross-site".into())];
    assert_eq!(alice.browser.get("/desk/state").await.status, 404, "the token of its forms is for this origin");
    alice.browser.headers.clear();
    assert_eq!(alice.items().await, [item]);
}

#[tokio::test]
async fn a_token_is_kept_under_its_name_and_says_what_it_is() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let tokens = site.tokens("offline_access notes:read").await;
    let item = alice.keep("My <notes>", &tokens, &[]).await;
    let page = alice.page().await;
    for part in ["My &lt;notes&gt;", &site.issuer, "web", "sub-of-alice", "notes:read", "value=\"600\""] {
        assert!(page.body.contains(part), "{part}\n{}", page.body);
    }
    for secret in ["access_token", "refresh_token"] {
        assert!(!page.body.contains(text(&tokens, secret)), "{secret} stands in the page");
    }
    assert_eq!(alice.act("rename", &[("item", &item), ("name", "Other")]).await, "done");
    assert_eq!(alice.act("rename", &[("item", &item), ("name", " ")]).await, "refused");
    let page = alice.page().await.body;
    assert!(page.contains(">Other<") && !page.contains("My &lt;notes"), "{page}");
    assert_eq!(alice.act("delete", &[("item", &item)]).await, "done");
    assert_eq!(alice.items().await, [""; 0]);
    let kept = site.bearer("/demo/notes", text(&tokens, "access_token")).await;
    assert_eq!(kept.status, 200, "what is deleted here is not revoked");
}

#[tokio::test]
async fn a_token_is_shown_only_when_its_owner_asks_and_the_page_is_not_kept() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let tokens = site.tokens("offline_access openid notes:read").await;
    let item = alice.keep("Notes", &tokens, &[]).await;
    let shown = alice.post("/desk/token", &[("item", &item)]).await;
    assert_eq!((shown.status.as_u16(), shown.header("cache-control")), (200, "no-store"));
    for secret in ["access_token", "refresh_token", "id_token"] {
        assert!(shown.body.contains(text(&tokens, secret)), "{secret}");
    }
    assert!(!shown.header("content-security-policy").contains("script-src"));
    let logged =
        site.events().await.into_iter().any(|event| {
            event.action == Action::Token && event.details.get("what") == Some(&json!("shown at the desk"))
        });
    assert!(logged);
    let mut bob = Desk::with_workspace(&site, "bob").await;
    bob.workspace.clone_from(&alice.workspace);
    assert_eq!(bob.post("/desk/token", &[("item", &item)]).await.status, 403);
}

#[tokio::test]
async fn what_is_on_one_desk_is_nothing_on_another() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = alice.keep("Notes", &site.tokens("notes:read").await, &[]).await;
    let mut bob = Desk::with_workspace(&site, "bob").await;
    let own = bob.workspace.clone();
    assert!(!bob.page().await.body.contains(&item));
    for workspace in [alice.workspace.clone(), own] {
        bob.workspace = workspace;
        for what in ["rename", "renew", "revoke", "delete", "share", "unshare", "close", "sharing-on", "admit"] {
            let fields = [("item", item.as_str()), ("name", "x"), ("username", "bob"), ("right", "manage")];
            let said = bob.act(what, &fields).await;
            let is_his = bob.workspace != alice.workspace && ["close", "sharing-on", "admit"].contains(&what);
            assert!(is_his || said == "unknown", "{what}: {said}");
        }
        bob.workspace.clone_from(&alice.workspace);
        assert_eq!(bob.act("add", &[("name", "x"), ("access_token", "y")]).await, "unknown");
    }
    assert_eq!(alice.items().await, [item]);
}

/// RFC 6749 6, as the client would: with its secret where it has one.
#[tokio::test]
async fn rfc6749_6_a_token_is_renewed_as_its_client_would() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let secret = crate::harness::secret("web");
    let own = alice.keep("web", &site.tokens("offline_access notes:read").await, &[("client_secret", &secret)]).await;
    let public = public_tokens(&site, "alice", "offline_access notes:read").await;
    let public = alice.keep("public", &public, &[]).await;
    for item in [&own, &public] {
        let before = alice.shown(item).await;
        site.later(30);
        assert_eq!(alice.act("renew", &[("item", item)]).await, "done");
        let after = alice.shown(item).await;
        assert!(before[0] != after[0] && before[1] != after[1], "both tokens are new");
        assert_eq!(site.bearer("/demo/notes", &after[0]).await.status, 200);
        assert_eq!(alice.act("renew", &[("item", item)]).await, "done", "with the token that came last");
    }
    let without = alice.keep("no secret", &site.tokens("offline_access notes:read").await, &[]).await;
    assert_eq!(alice.act("renew", &[("item", &without)]).await, "not-renewable");
    let wrong = [("client_secret", "wrong")];
    let wrong = alice.keep("wrong", &site.tokens("offline_access notes:read").await, &wrong).await;
    assert_eq!(alice.act("renew", &[("item", &wrong)]).await, "refused");
    let foreign = json!({ "access_token": "opaque-of-elsewhere", "refresh_token": "r" });
    let foreign =
        alice.keep("foreign", &foreign, &[("issuer", "https://elsewhere.example"), ("client_id", "web")]).await;
    assert_eq!(alice.act("renew", &[("item", &foreign)]).await, "not-renewable");
}

#[tokio::test]
async fn rfc7009_2_1_what_is_revoked_at_the_desk_is_revoked_at_the_server() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let tokens = site.tokens("offline_access notes:read").await;
    let item = alice.keep("Notes", &tokens, &[]).await;
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 200);
    assert_eq!(alice.act("revoke", &[("item", &item)]).await, "revoked");
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 401);
    assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[]).await.error(), "invalid_grant");
    // An access token alone takes nothing else with it.
    let tokens = site.tokens("offline_access notes:read").await;
    let alone = json!({ "access_token": tokens["access_token"] });
    let item = alice.keep("alone", &alone, &[]).await;
    assert_eq!(alice.act("revoke", &[("item", &item)]).await, "revoked");
    assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 401);
    assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[]).await.status, 200);
}

/// RFC 7009 2.1: whoever is neither the user nor the client takes nothing back.
#[tokio::test]
async fn rfc7009_2_1_the_token_of_an_application_is_revoked_with_its_secret() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let token = site.machine("notes:read").await;
    let without = alice.keep("machine", &json!({ "access_token": token }), &[]).await;
    assert_eq!(alice.act("revoke", &[("item", &without)]).await, "not-renewable");
    assert_eq!(site.bearer("/demo/notes", &token).await.status, 200);
    let secret = crate::harness::secret("machine");
    let with = alice.keep("machine", &json!({ "access_token": token }), &[("client_secret", &secret)]).await;
    assert_eq!(alice.act("revoke", &[("item", &with)]).await, "revoked");
    assert_eq!(site.bearer("/demo/notes", &token).await.status, 401);
    let mut bob = Desk::with_workspace(&site, "bob").await;
    let of_alice = site.tokens("offline_access notes:read").await;
    let found = bob.keep("found", &of_alice, &[]).await;
    assert_eq!(bob.act("revoke", &[("item", &found)]).await, "not-renewable", "another's, without the client's secret");
    assert_eq!(site.bearer("/demo/notes", text(&of_alice, "access_token")).await.status, 200);
}

#[tokio::test]
async fn what_has_expired_is_deleted_together_and_nothing_else() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    alice.keep("short", &site.tokens("mail:read").await, &[]).await;
    let long = alice.keep("long", &site.tokens("notes:read").await, &[]).await;
    let unknown = alice.keep("unknown", &json!({ "access_token": "opaque-of-elsewhere" }), &[]).await;
    site.later(120);
    assert!(alice.page().await.body.contains("value=\"0\""), "the bar of the one that is over is empty");
    assert_eq!(alice.act("delete-expired", &[]).await, "done");
    assert_eq!(alice.items().await, [long, unknown]);
}

/// What another issuer's token says of itself is shown and not believed.
#[tokio::test]
async fn a_foreign_token_is_kept_as_what_it_says() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let claims = json!({ "iss": "https://elsewhere.example", "azp": "their-app", "sub": "them", "scp": "all", "exp": site.now() + 90 });
    let part = |value: &Value| grantor_jose::base64url::encode(value.to_string());
    let jwt = format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "ES256", "typ": "at+jwt" })), part(&claims));
    alice.keep("foreign", &json!({ "access_token": jwt }), &[]).await;
    let page = alice.page().await.body;
    for part in ["https://elsewhere.example", "their-app", ">them<", ">all<"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("value=\"renew\""), "it is renewed where it came from");
}

/// From the playground: no workspace is named, and there may be none.
#[tokio::test]
async fn a_token_that_comes_without_a_workspace_finds_one() {
    let site = site().await;
    let mut alice = Desk::of(&site, "alice").await;
    assert_eq!(alice.state().await["workspaces"], json!([]));
    for n in [1, 2] {
        let tokens = site.tokens("notes:read").await;
        assert_eq!(
            alice.act("add", &[("name", "Notes"), ("access_token", text(&tokens, "access_token"))]).await,
            "done"
        );
        assert_eq!(alice.items().await.len(), n);
    }
    let state = alice.state().await;
    assert_eq!((&state["user"], state["workspaces"][0]["name"].as_str()), (&json!("alice"), Some("alice")));
    assert_eq!(state["workspaces"].as_array().unwrap().len(), 1);
}

/// The file and what lies beside it.
#[tokio::test]
async fn a_dump_of_the_database_shows_no_token() {
    let folder = Folder::new();
    let plan = Plan { store: folder.store(), ..Plan::default() };
    let site = Site::planned(plan, |changes| changes.push(open())).await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let secret = crate::harness::secret("web");
    let tokens = site.tokens("offline_access openid notes:read").await;
    let item = alice.keep("A name that nobody reads", &tokens, &[("client_secret", &secret)]).await;
    assert_eq!(alice.act("renew", &[("item", &item)]).await, "done");
    let mut secrets = alice.shown(&item).await;
    secrets.extend(["access_token", "refresh_token", "id_token"].map(|of| text(&tokens, of).to_owned()));
    secrets.extend([secret, "A name that nobody reads".to_owned()]);
    let mut looked_at = 0;
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        looked_at += bytes.len();
        for secret in &secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} is in the file");
        }
    }
    let id = "sub-of-alice".as_bytes();
    let readable = std::fs::read_dir(&folder.0)
        .unwrap()
        .any(|file| std::fs::read(file.unwrap().path()).unwrap().windows(id.len()).any(|window| window == id));
    assert!(readable && looked_at > 10_000, "something was looked at");
    assert_eq!(secrets.len(), 8);
}
