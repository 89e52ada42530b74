//! Saved requests and environments on the desk: writing, arranging, sharing, files; and that a secret is never shown.

use crate::desk::{Desk, open, site};
use crate::harness::{Answer, Plan, Site, values};
use crate::stores::Folder;
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::TenantName;
use grantor_store::Change;
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "hunter2-the-secret";
const IS_SET: &str = ">is set<";

impl Desk<'_> {
    /// Posts to `/desk/save` what a form of the page would.
    async fn save(&mut self, what: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("do", what)];
        all.extend(fields);
        self.post("/desk/save", &all).await
    }

    /// Where a change leads to, with what the page says then.
    async fn led(&mut self, what: &str, fields: &[(&str, &str)]) -> (String, String) {
        let answer = self.save(what, fields).await;
        assert_eq!(answer.status, 303, "{what}: {}", answer.body);
        let to = answer.location().to_owned();
        let notice = parameter(&to, "notice").unwrap();
        (to, notice)
    }

    async fn said(&mut self, what: &str, fields: &[(&str, &str)]) -> String {
        self.led(what, fields).await.1
    }

    async fn made(&mut self, what: &str, name: &str) -> String {
        let (to, notice) = self.led(what, &[("name", name)]).await;
        assert_eq!(notice, "done");
        parameter(&to, "item").unwrap()
    }

    async fn at(&mut self, kind: &str, item: &str, at: &str) -> Answer {
        self.browser.get(&format!("/desk/{kind}?workspace={}&item={item}&at={at}", self.workspace)).await
    }

    async fn look(&mut self, kind: &str, item: &str, at: &str) -> String {
        let page = self.at(kind, item, at).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    async fn list(&mut self) -> String {
        let page = self.browser.get(&format!("/desk/requests?workspace={}", self.workspace)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.body
    }

    async fn version(&mut self, kind: &str, item: &str) -> String {
        values(&self.look(kind, item, "").await, "name=\"version\" value=\"")[0].clone()
    }

    /// Saves the form of a place of a collection, or of an environment.
    async fn write(&mut self, kind: &str, item: &str, fields: &[(&str, &str)]) -> Answer {
        let version = self.version(kind, item).await;
        let mut all = vec![("item", item), ("version", &version)];
        all.extend(fields);
        self.save("keep", &all).await
    }

    async fn wrote(&mut self, kind: &str, item: &str, fields: &[(&str, &str)]) {
        let answer = self.write(kind, item, fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        assert_eq!(parameter(answer.location(), "notice").as_deref(), Some("done"));
    }

    /// Adds something to a collection; gives its place.
    async fn added(&mut self, what: &str, item: &str, at: &str, name: &str) -> String {
        let version = self.version("collection", item).await;
        let fields = [("item", item), ("version", &version), ("at", at), ("name", name)];
        let (to, notice) = self.led(what, &fields).await;
        assert_eq!(notice, "done");
        parameter(&to, "at").unwrap()
    }

    async fn export(&mut self, item: &str, to: &str) -> Answer {
        self.browser.get(&format!("/desk/export?workspace={}&item={item}&to={to}", self.workspace)).await
    }

    async fn file(&mut self, item: &str, to: &str) -> Answer {
        self.export(item, &format!("{to}&download=yes")).await
    }
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// An environment with a plain variable and a secret one.
async fn environment(desk: &mut Desk<'_>) -> String {
    let item = desk.made("new-environment", "Staging").await;
    let fields = [
        ("name", "Staging"),
        ("plain.0.name", "host"),
        ("plain.0.value", "api.staging.example"),
        ("secret.0.name", "api_key"),
        ("secret.0.value", SECRET),
    ];
    desk.wrote("environment", &item, &fields).await;
    item
}

/// The collection Notes with settings that have a secret, the folder Reading, and in it the request List.
async fn collection(desk: &mut Desk<'_>) -> String {
    let item = desk.made("new-collection", "Notes").await;
    let settings = [
        ("name", "Notes"),
        ("token", "settings"),
        ("settings.name", "Machine token"),
        ("settings.grant_type", "client_credentials"),
        ("settings.issuer", "https://id.example"),
        ("settings.client_id", "machine"),
        ("settings.secret", SECRET),
        ("settings.client_authentication", "client_secret_basic"),
        ("settings.use_token", "access_token"),
        ("settings.header_prefix", "Token"),
        ("settings.resource", "https://a.example\r\nhttps://b.example"),
        ("parameter.0.request", "token"),
        ("parameter.0.name", "X-Trace"),
        ("parameter.0.value", "1"),
        ("parameter.0.place", "header"),
    ];
    desk.wrote("collection", &item, &settings).await;
    let folder = desk.added("new-folder", &item, "", "Reading").await;
    let request = desk.added("new-request", &item, &folder, "List").await;
    assert_eq!((folder.as_str(), request.as_str()), ("0", "0.0"));
    item
}

/// Alice shares a collection and an environment of hers with bob.
async fn sharing<'a>(site: &'a Site, right: &str) -> (Desk<'a>, Desk<'a>, [(&'static str, String); 2]) {
    let mut alice = Desk::with_workspace(site, "alice").await;
    let items = [("collection", collection(&mut alice).await), ("environment", environment(&mut alice).await)];
    let mut bob = Desk::of(site, "bob").await;
    bob.workspace.clone_from(&alice.workspace);
    assert_eq!(alice.act("admit", &[("username", "bob"), ("right", right)]).await, "done");
    assert_eq!(alice.act("sharing-on", &[]).await, "done");
    for (_, item) in &items {
        assert_eq!(alice.said("share", &[("item", item)]).await, "done");
    }
    (alice, bob, items)
}

#[tokio::test]
async fn a_tenant_without_a_desk_has_none_of_these_addresses() {
    let site = Site::start().await;
    for path in ["/desk/requests", "/desk/collection", "/desk/environment", "/desk/export"] {
        assert_eq!(site.get(path, &[]).await.status, 404, "{path}");
    }
    assert_eq!(site.form("/desk/save", &[], &[("do", "new-collection")]).await.status, 404);
}

#[tokio::test]
async fn who_is_not_signed_in_signs_in_first() {
    let site = site().await;
    for path in ["/desk/requests", "/desk/collection", "/desk/environment", "/desk/export"] {
        let answer = site.get(path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.location().ends_with("/signin")), (303, true), "{path}");
    }
}

#[tokio::test]
async fn what_is_written_is_there_and_settings_are_inherited() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = collection(&mut alice).await;
    let body = "{\r\n  \"a\": 1\r\n}";
    let fields = [
        ("at", "0.0"),
        ("name", "List all"),
        ("description", "every note"),
        ("token", "inherited"),
        ("method", "POST"),
        ("url", "https://{{host}}/notes"),
        ("header.1.name", "Accept"),
        ("header.1.value", "application/json"),
        ("header.2.value", "a row without a name"),
        ("body", "text"),
        ("text", body),
    ];
    alice.wrote("collection", &item, &fields).await;
    let page = alice.look("collection", &item, "0.0").await;
    for part in [
        "value=\"List all\"",
        "every note</textarea>",
        "value=\"POST\"",
        "value=\"https://{{host}}/notes\"",
        "id=\"header-0-name\" name=\"header.0.name\" type=\"text\" value=\"Accept\"",
        "{\n  &quot;a&quot;: 1\n}</textarea>",
    ] {
        let page = page.replace("&#x2f;", "/").replace("&#x27;", "'");
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(!page.contains("a row without a name"));
    assert!(page.contains("Machine token"), "the collection's settings are in force");
    // The nearest count; and none is none.
    alice.wrote("collection", &item, &[("at", "0"), ("name", "Reading"), ("token", "none")]).await;
    assert!(!alice.look("collection", &item, "0.0").await.contains("Machine token"));
    // A form has fields.
    let form = [("body", "form"), ("field.0.name", "title"), ("field.0.value", "x y"), ("at", "0.0"), ("name", "L")];
    alice.wrote("collection", &item, &[&form[..], &[("method", "POST"), ("token", "none")]].concat()).await;
    let json = alice.file(&item, "grantor").await.json();
    let request = &json["items"][0]["folder"]["items"][0]["request"];
    assert_eq!(request["body"], json!({ "form": [{ "name": "title", "value": "x y" }] }));
    assert_eq!(request["token"], "none");
    let settings = &json["token"]["settings"];
    assert_eq!(settings["header_prefix"], "Token");
    assert_eq!(settings["resource"], json!(["https://a.example", "https://b.example"]));
    assert_eq!(settings["parameters"], json!({ "token": [{ "name": "X-Trace", "value": "1", "in": "header" }] }));
    assert_eq!(settings["client_secret"], "client_secret");
    assert_eq!(json["variables"], json!([{ "name": "client_secret", "secret": true }]));
}

#[tokio::test]
async fn things_are_moved_and_deleted() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = collection(&mut alice).await;
    assert_eq!(alice.added("new-request", &item, "", "Ping").await, "1");
    let order = |page: &str| {
        let tree = page.split("class=\"tree\"").nth(1).unwrap().split("</nav>").next().unwrap().to_owned();
        values(&tree, "&amp;at=")
    };
    assert_eq!(order(&alice.look("collection", &item, "").await), ["0", "0.0", "1"]);
    for (what, at, now) in [("move-up", "1", "0"), ("move-up", "0", "0"), ("move-down", "0", "1")] {
        let version = alice.version("collection", &item).await;
        let (to, notice) = alice.led(what, &[("item", &item), ("version", &version), ("at", at)]).await;
        assert_eq!((notice.as_str(), parameter(&to, "at").as_deref()), ("done", Some(now)), "{what} {at}");
    }
    let version = alice.version("collection", &item).await;
    assert_eq!(alice.said("delete", &[("item", &item), ("version", &version), ("at", "0")]).await, "done");
    assert_eq!(order(&alice.look("collection", &item, "").await), ["0"]);
    assert!(alice.look("collection", &item, "0").await.contains("Ping"));
    assert_eq!(alice.at("collection", &item, "0.0").await.status, 404);
    assert_eq!(alice.said("delete", &[("item", &item)]).await, "done");
    assert_eq!(alice.at("collection", &item, "").await.status, 404);
    assert!(!alice.list().await.contains(&item));
}

/// Every page and every file, with secrets in every place that takes one.
#[tokio::test]
async fn a_secret_is_written_and_never_shown() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let items = [("collection", collection(&mut alice).await), ("environment", environment(&mut alice).await)];
    let mut seen = vec![alice.list().await];
    for (kind, item) in &items {
        let page = alice.look(kind, item, "").await;
        assert!(page.contains(IS_SET), "{kind}");
        seen.push(page);
        for to in ["grantor", "postman", "http"] {
            seen.push(alice.export(item, to).await.body);
            seen.push(alice.file(item, to).await.body);
        }
    }
    seen.push(alice.look("collection", &items[0].1, "0.0").await);
    // A form that is refused shows everything but the secret again.
    let fields = [("name", "kept text"), ("secret.0.name", "no name"), ("secret.0.value", "another-secret")];
    let refused = alice.write("environment", &items[1].1, &fields).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("value=\"kept text\"") && refused.body.contains("role=\"alert\""));
    seen.push(refused.body);
    for page in seen {
        assert!(!page.contains(SECRET) && !page.contains("another-secret"), "{page}");
    }
}

#[tokio::test]
async fn an_empty_field_leaves_a_secret_and_a_tick_forgets_it() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = environment(&mut alice).await;
    let kept = [("name", "Staging"), ("secret.0.name", "api_key"), ("secret.0.was", "api_key")];
    alice.wrote("environment", &item, &kept).await;
    assert!(alice.look("environment", &item, "").await.contains(IS_SET), "it stays");
    let renamed = [("name", "Staging"), ("secret.0.name", "key"), ("secret.0.was", "api_key")];
    alice.wrote("environment", &item, &renamed).await;
    let page = alice.look("environment", &item, "").await;
    assert!(page.contains(IS_SET) && page.contains("value=\"key\"") && !page.contains("api_key"), "it goes along");
    let forgotten = [("name", "Staging"), ("secret.0.name", "key"), ("secret.0.was", "key"), ("secret.0.forget", "on")];
    alice.wrote("environment", &item, &forgotten).await;
    let page = alice.look("environment", &item, "").await;
    assert!(!page.contains(IS_SET) && page.contains("value=\"key\""));
    alice.wrote("environment", &item, &[("name", "Staging"), ("plain.0.name", "key"), ("plain.0.value", "v")]).await;
    alice.wrote("environment", &item, &[("name", "Staging"), ("secret.0.name", "key"), ("secret.0.was", "key")]).await;
    assert!(!alice.look("environment", &item, "").await.contains(IS_SET), "a plain value does not become a secret");
}

/// A collection keeps its secrets when something else in it is written.
#[tokio::test]
async fn what_is_not_in_a_form_stays_as_it_is() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = collection(&mut alice).await;
    alice.wrote("collection", &item, &[("at", "0"), ("name", "Read"), ("token", "inherited")]).await;
    alice.added("new-request", &item, "0", "One").await;
    assert!(alice.look("collection", &item, "").await.contains(IS_SET));
    assert!(alice.look("collection", &item, "0.0").await.contains("List"));
}

#[tokio::test]
async fn a_form_that_cannot_be_kept_comes_back_as_it_was_sent() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = collection(&mut alice).await;
    let good = [("at", "0.0"), ("name", "A new name"), ("method", "GET"), ("token", "inherited")];
    let faults: [(&[(&str, &str)], &str); 8] = [
        (&[("method", "get it")], "capital letters"),
        (&[("name", " ")], "a name is one line"),
        (&[("url", "a\nb")], "a line is too long"),
        (&[("header.0.name", "not a name"), ("header.0.value", "x")], "no possible name"),
        (&[("token", "settings"), ("settings.issuer", "https://a"), ("settings.token", "https://b")], "not both"),
        (&[("token", "settings")], "not both"),
        (
            &[
                ("token", "settings"),
                ("settings.issuer", "https://a"),
                ("parameter.0.request", "authorization"),
                ("parameter.0.name", "x"),
                ("parameter.0.place", "body"),
            ],
            "goes where it cannot go",
        ),
        (&[("token", "settings"), ("settings.issuer", "https://a"), ("settings.client_secret", "a b")], "is letters"),
    ];
    let choices = [("settings.grant_type", "client_credentials"), ("settings.client_authentication", "none")];
    for (fault, told) in faults {
        let replaced = |name: &str| fault.iter().any(|(given, _)| *given == name);
        let rest = good.iter().filter(|(name, _)| !replaced(name)).copied();
        let fields: Vec<_> = rest.chain(fault.iter().copied()).chain(choices).collect();
        let answer = alice.write("collection", &item, &fields).await;
        assert_eq!(answer.status, 400, "{fault:?}");
        assert!(answer.body.contains(told), "{fault:?}: {}", answer.body);
        assert!(replaced("name") || answer.body.contains("value=\"A new name\""), "{fault:?}");
    }
    assert!(alice.look("collection", &item, "0.0").await.contains("value=\"List\""), "nothing of it was kept");
    // A client secret is never a variable that everybody sees.
    let settings = [("token", "settings"), ("settings.issuer", "https://a"), ("settings.client_secret", "key")];
    let plain = [("name", "N"), ("plain.0.name", "key"), ("plain.0.value", "v")];
    let answer = alice.write("collection", &item, &[&settings[..], &plain, &choices].concat()).await;
    assert!(answer.status == 400 && answer.body.contains("must be a secret one"), "{}", answer.body);
    let twice = [("name", "N"), ("plain.0.name", "key"), ("secret.0.name", "key")];
    assert!(alice.write("collection", &item, &twice).await.body.contains("stands once"));
}

#[tokio::test]
async fn what_was_changed_meanwhile_is_not_overwritten_unseen() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = collection(&mut alice).await;
    let version = alice.version("collection", &item).await;
    alice.added("new-request", &item, "", "Ping").await;
    let fields = [("item", item.as_str()), ("version", &version), ("at", "0.0")];
    let keep = [&fields[..], &[("name", "Mine"), ("method", "GET"), ("token", "inherited")]].concat();
    let answer = alice.save("keep", &keep).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("changed elsewhere") && answer.body.contains("value=\"Mine\""));
    for what in ["delete", "move-up", "new-folder"] {
        let all = [&fields[..], &[("name", "x")]].concat();
        assert_eq!(alice.said(what, &all).await, "changed", "{what}");
    }
    // The form that came back is of the newer version.
    let newer = values(&answer.body, "name=\"version\" value=\"")[0].clone();
    let again = [("item", item.as_str()), ("version", &newer), ("at", "0.0"), ("name", "Mine"), ("method", "GET")];
    assert_eq!(alice.said("keep", &again).await, "done");
}

/// Off unless switched on: the tenant's, the workspace's and the document's own, each at once.
#[tokio::test]
async fn nothing_is_shared_unless_every_switch_is_on() {
    let site = site().await;
    let (mut alice, mut bob, items) = sharing(&site, "use").await;
    let fresh = environment(&mut alice).await;
    assert!(!bob.list().await.contains(&fresh), "a new one is not shared");
    assert_eq!(bob.at("environment", &fresh, "").await.status, 404);
    for (kind, item) in &items {
        for (off, on) in [("unshare", "share"), ("sharing-off", "sharing-on")] {
            let page = bob.look(kind, item, "").await;
            assert!(!page.contains(SECRET) && !page.contains(IS_SET), "names and values, and no secret");
            assert!(page.contains(if *kind == "environment" { "api.staging.example" } else { "Reading" }));
            assert!(!page.contains(">Save<"), "he cannot change it");
            let all = [("item", item.as_str())];
            let own = off == "unshare";
            assert_eq!(if own { alice.said(off, &all).await } else { alice.act(off, &[]).await }, "done");
            assert_eq!(bob.at(kind, item, "").await.status, 404, "{kind} {off}");
            assert_eq!(bob.export(item, "grantor").await.status, 404, "{kind} {off}");
            assert_eq!(bob.said("copy", &all).await, "unknown", "{kind} {off}");
            assert!(!bob.list().await.contains(item.as_str()), "{kind} {off}");
            assert_eq!(if own { alice.said(on, &all).await } else { alice.act(on, &[]).await }, "done");
        }
        let file = bob.file(item, "grantor").await;
        assert!(file.status == 200 && !file.body.contains(SECRET));
    }
    let forbidding = Tenant { desk: true, desk_sharing: false, ..Tenant::new(TenantName::default()) };
    site.change(vec![Change::PutTenant(forbidding)]).await;
    for (kind, item) in &items {
        assert_eq!(bob.at(kind, item, "").await.status, 404);
        assert_eq!(alice.said("share", &[("item", item)]).await, "sharing-off");
        alice.look(kind, item, "").await;
    }
    let mut eve = Desk::of(&site, "bob").await;
    eve.workspace = "nothing".to_owned();
    assert_eq!(eve.at("collection", &items[0].1, "").await.status, 404);
}

#[tokio::test]
async fn a_switch_is_an_event() {
    let site = site().await;
    let (mut alice, _, items) = sharing(&site, "use").await;
    for (_, item) in &items {
        assert_eq!(alice.said("unshare", &[("item", item)]).await, "done");
        let events = site.events().await;
        for what in ["desk sharing on", "desk sharing off"] {
            let of = |event: &&grantor_protocol::audit::Event| {
                event.details.get("what") == Some(&json!(what)) && event.target.as_deref() == Some(item.as_str())
            };
            let [event] = events.iter().filter(of).collect::<Vec<_>>()[..] else { panic!("{what}: {events:?}") };
            assert_eq!(event.actor.as_deref(), Some("sub-of-alice"));
        }
    }
}

#[tokio::test]
async fn to_see_to_use_and_to_manage_are_different_rights() {
    let site = site().await;
    let (mut alice, mut bob, items) = sharing(&site, "view").await;
    for right in ["view", "use"] {
        assert_eq!(alice.act("admit", &[("username", "bob"), ("right", right)]).await, "done");
        for (kind, item) in &items {
            let version = bob.version(kind, item).await;
            let fields = [("item", item.as_str()), ("version", &version), ("name", "by bob")];
            for what in ["keep", "share", "unshare", "delete"] {
                assert_eq!(bob.said(what, &fields).await, "right-missing", "{right} {kind} {what}");
            }
        }
        let at = [("item", items[0].1.as_str()), ("version", "9"), ("at", "0"), ("name", "x")];
        for what in ["new-folder", "new-request", "move-up", "delete"] {
            assert_eq!(bob.said(what, &at).await, "right-missing", "{right} {what}");
        }
        for what in ["new-collection", "new-environment"] {
            assert_eq!(bob.said(what, &[("name", "x")]).await, "right-missing", "{right} {what}");
        }
        let import = json!({ "name": "x", "items": [] }).to_string();
        assert_eq!(bob.said("import", &[("document", &import)]).await, "right-missing");
        let page = bob.look("collection", &items[0].1, "0.0").await;
        assert!(!page.contains("/desk/send\"") && !page.contains("/desk/obtain\""), "{right}: it is not his to send");
    }
    assert_eq!(alice.act("admit", &[("username", "bob"), ("right", "manage")]).await, "done");
    for (kind, item) in &items {
        let all = [("item", item.as_str())];
        assert_eq!(bob.said("share", &all).await, "right-missing", "what he was lent he does not lend on");
        assert_eq!(bob.said("unshare", &all).await, "done");
        assert_eq!(bob.said("delete", &all).await, "unknown", "what is not shared he does not see");
        assert!(alice.look(kind, item, "").await.contains(IS_SET), "her secrets stay where they are");
        assert_eq!(alice.said("share", &all).await, "done");
        assert_eq!(bob.said("delete", &all).await, "done");
        assert_eq!(alice.at(kind, item, "").await.status, 404);
    }
}

#[tokio::test]
async fn a_copy_is_ones_own_and_has_no_secret() {
    let site = site().await;
    let (mut alice, mut bob, items) = sharing(&site, "view").await;
    for (kind, item) in &items {
        let (to, notice) = bob.led("copy", &[("item", item)]).await;
        assert_eq!(notice, "done");
        let (space, copy) = (parameter(&to, "workspace").unwrap(), parameter(&to, "item").unwrap());
        assert_ne!((space.as_str(), copy.as_str()), (bob.workspace.as_str(), item.as_str()));
        let theirs = std::mem::replace(&mut bob.workspace, space);
        let page = bob.look(kind, &copy, "").await;
        assert!(page.contains(">Save<") && !page.contains(IS_SET) && !page.contains(SECRET));
        let names = if *kind == "environment" { "api_key" } else { "client_secret" };
        assert!(page.contains(names), "its secret variables wait for his own");
        bob.workspace = theirs;
        assert_eq!(alice.at(kind, &copy, "").await.status, 404);
    }
    // Her own beside it.
    let (to, _) = alice.led("copy", &[("item", &items[1].1)]).await;
    assert_eq!(parameter(&to, "workspace").as_deref(), Some(alice.workspace.as_str()));
    let copy = parameter(&to, "item").unwrap();
    assert!(!alice.look("environment", &copy, "").await.contains(IS_SET));
    assert!(!bob.list().await.contains(&copy), "a copy is not shared");
}

#[tokio::test]
async fn who_is_sent_away_leaves_nothing_behind() {
    let site = site().await;
    let (mut alice, mut bob, _) = sharing(&site, "manage").await;
    let item = environment(&mut bob).await;
    assert_eq!(bob.said("share", &[("item", &item)]).await, "done");
    alice.look("environment", &item, "").await;
    assert_eq!(alice.act("dismiss", &[("member", "sub-of-bob")]).await, "done");
    assert_eq!(alice.at("environment", &item, "").await.status, 404);
    assert_eq!(bob.at("environment", &item, "").await.status, 404);
    assert_eq!(alice.act("admit", &[("username", "bob"), ("right", "manage")]).await, "done");
    assert_eq!(bob.at("environment", &item, "").await.status, 404);
}

fn postman() -> Value {
    json!({
        "info": { "name": "Imported", "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json" },
        "auth": { "type": "oauth2", "oauth2": [
            { "key": "grant_type", "value": "client_credentials" },
            { "key": "accessTokenUrl", "value": "https://id.example/token" },
            { "key": "clientId", "value": "machine" },
            { "key": "clientSecret", "value": SECRET },
            { "key": "headerPrefix", "value": "Token" },
        ] },
        "event": [{ "listen": "test", "script": { "exec": ["pm.test()"] } }],
        "item": [{ "name": "Reading", "item": [{ "name": "List", "request": {
            "method": "GET", "url": "https://api.example/notes",
            "header": [{ "key": "X-API-Key", "value": format!("k-{SECRET}") }],
        } }] }],
    })
}

#[tokio::test]
async fn a_collection_of_postmans_is_read_and_written() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let answer = alice.save("import", &[("document", &postman().to_string())]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(answer.body.contains("a script: scripts are neither run nor kept"), "{}", answer.body);
    assert!(answer.body.contains("it is the secret variable") && !answer.body.contains(SECRET));
    let links = values(&answer.body, "class=\"button primary\" href=\"");
    let link = links[0].replace("&#x2f;", "/").replace("&amp;", "&");
    let item = parameter(&link, "item").unwrap();
    let page = alice.look("collection", &item, "").await;
    assert!(page.contains("value=\"Token\"") && page.contains(IS_SET) && !page.contains(SECRET));
    // And back.
    let page = alice.export(&item, "postman").await;
    assert!(page.status == 200 && page.body.contains("is written without its value"), "{}", page.body);
    let file = alice.file(&item, "postman").await;
    assert_eq!(file.header("content-disposition"), "attachment; filename=\"imported.postman_collection.json\"");
    assert_eq!((file.header("cache-control"), file.header("content-type")), ("no-store", "application/json"));
    let json = file.json();
    assert_eq!(json["info"]["name"], "Imported");
    assert!(!file.body.contains(SECRET) && file.body.contains("https://api.example/notes"));
    let http = alice.file(&item, "http").await;
    assert_eq!(http.header("content-disposition"), "attachment; filename=\"imported.http\"");
    assert!(http.header("content-type").starts_with("text/plain"));
    assert!(http.body.contains("GET https://api.example/notes") && !http.body.contains(SECRET), "{}", http.body);
    assert_eq!(alice.export(&item, "exe").await.status, 404);
    // What was written is read again.
    let again = alice.save("import", &[("document", &file.body)]).await;
    assert_eq!(again.status, 200, "{}", again.body);
}

#[tokio::test]
async fn our_own_files_are_read_and_others_are_not() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    for (kind, item) in [("collection", collection(&mut alice).await), ("environment", environment(&mut alice).await)] {
        let file = alice.file(&item, "grantor").await;
        let answer = alice.save("import", &[("document", &file.body)]).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.body);
        assert!(answer.body.replace("&#x2f;", "/").contains(&format!("/desk/{kind}?")), "{}", answer.body);
    }
    let other = json!({ "info": { "schema": "https://schema.getpostman.com/json/collection/v1.0.0/x" } }).to_string();
    let twice = r#"{"name":"a","name":"b","items":[]}"#;
    let unknown = json!({ "name": "a", "items": [], "more": SECRET }).to_string();
    for bad in ["no JSON", "[]", "{}", &other, twice, &unknown] {
        let answer = alice.save("import", &[("document", bad)]).await;
        assert_eq!(parameter(answer.location(), "notice").as_deref(), Some("unreadable"), "{bad}");
    }
}

#[tokio::test]
async fn documents_have_bounds_and_only_their_form_may_be_long() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let long = |bytes: usize| {
        let part = "x".repeat(100 << 10);
        let variable = |n: usize| json!({ "name": format!("v{n}"), "value": part });
        let all: Vec<_> = (0..bytes / part.len()).map(variable).collect();
        json!({ "name": "Long", "items": [], "variables": all }).to_string()
    };
    assert_eq!(alice.save("import", &[("document", &long(400 << 10))]).await.status, 200);
    assert_eq!(alice.said("import", &[("document", &long(600 << 10))]).await, "full");
    assert_eq!(alice.save("import", &[("document", &"x".repeat(1 << 20))]).await.status, 413);
    let environment = json!({ "name": "E", "variables": [{ "name": "a", "value": "x".repeat(70 << 10) }] });
    assert_eq!(alice.said("import", &[("document", &environment.to_string())]).await, "full");
    let item = alice.made("new-environment", "E").await;
    let value = "x".repeat(70 << 10);
    let fields = [("name", "E"), ("plain.0.name", "a"), ("plain.0.value", value.as_str())];
    let answer = alice.write("environment", &item, &fields).await;
    assert!(answer.status == 400 && answer.body.contains("it is too long"));
    // Elsewhere a form is as short as before.
    for path in ["/desk/act", "/desk/token", "/token"] {
        let answer = alice.browser.post(path, &[("document", &"x".repeat(65 << 10))]).await;
        assert_eq!(answer.status, 413, "{path}");
    }
}

#[tokio::test]
async fn a_form_of_another_page_changes_nothing() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = environment(&mut alice).await;
    let workspace = alice.workspace.clone();
    for what in ["new-collection", "new-environment", "import", "keep", "delete", "share", "copy"] {
        let fields = [("do", what), ("workspace", &workspace), ("item", &item), ("name", "x"), ("csrf", "forged")];
        assert_eq!(alice.browser.post("/desk/save", &fields).await.status, 403, "{what}");
    }
    assert_eq!(alice.browser.get("/desk/save").await.status, 405);
    let page = alice.look("environment", &item, "").await;
    assert!(page.contains("api_key") && !page.contains("value=\"unshare\""));
}

#[tokio::test]
async fn a_dump_of_the_database_shows_no_document() {
    let folder = Folder::new();
    let plan = Plan { store: folder.store(), ..Plan::default() };
    let site = Site::planned(plan, |changes| changes.push(open())).await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    environment(&mut alice).await;
    collection(&mut alice).await;
    let hidden = [SECRET, "api.staging.example", "Machine token"];
    let mut readable = false;
    for file in std::fs::read_dir(&folder.0).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(hidden.iter().all(|text| !holds(text)));
        readable |= holds("sub-of-alice");
    }
    assert!(readable, "something was looked at");
}

#[tokio::test]
async fn what_is_not_known_is_refused() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let item = environment(&mut alice).await;
    assert_eq!(alice.said("explode", &[("item", &item)]).await, "refused");
    assert_eq!(alice.said("keep", &[("item", &item)]).await, "refused", "without the version that was seen");
    assert_eq!(alice.said("delete", &[("item", "no-item")]).await, "unknown");
    assert_eq!(site.send(Method::POST, "/desk/requests", &[], Some(Vec::new())).await.status, 405);
}
