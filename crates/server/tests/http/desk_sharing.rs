//! Sharing what lies on the desk: what a member is given, and how it ends.

use crate::desk::{Desk, open, site};
use crate::harness::{Answer, Site, claims, encode, text};
use crate::prover::Prover;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::{Subject, TenantName};
use grantor_store::Change;
use serde_json::{Value, json};
use tokio::task::JoinSet;

const NOTES: &str = "offline_access notes:read notes:write";

/// Alice shares a token with bob, who may use it.
struct Shared<'a> {
    site: &'a Site,
    alice: Desk<'a>,
    bob: Desk<'a>,
    item: String,
    tokens: Value,
    key: Prover,
}

impl<'a> Shared<'a> {
    async fn of(site: &'a Site, scope: &str, right: &str) -> Self {
        let mut alice = Desk::with_workspace(site, "alice").await;
        let tokens = site.tokens(scope).await;
        let item = alice.keep("Shared", &tokens, &[]).await;
        let mut bob = Desk::of(site, "bob").await;
        bob.workspace.clone_from(&alice.workspace);
        for (what, fields) in [
            ("admit", vec![("username", "bob"), ("right", right)]),
            ("sharing-on", vec![]),
            ("share", vec![("item", item.as_str())]),
        ] {
            assert_eq!(alice.act(what, &fields).await, "done", "{what}");
        }
        Self { site, alice, bob, item, tokens, key: Prover::new() }
    }

    /// What bob is given.
    async fn used(&mut self, scope: &str) -> Answer {
        let state = self.bob.state().await;
        let cookies: Vec<_> = self.bob.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut fields = vec![
            ("csrf", text(&state, "csrf")),
            ("workspace", self.bob.workspace.as_str()),
            ("item", self.item.as_str()),
        ];
        if !scope.is_empty() {
            fields.push(("scope", scope));
        }
        self.key.sent(self.site, "/desk/use", &[("cookie", &cookies.join("; "))], &fields).await
    }

    async fn token(&mut self) -> String {
        let given = self.used("").await;
        assert_eq!(given.status, 200, "{}", given.body);
        text(&given.json(), "access_token").to_owned()
    }

    async fn refused(&mut self, scope: &str) -> String {
        let given = self.used(scope).await;
        assert_eq!(given.status, 400, "{}", given.body);
        given.error()
    }
}

#[tokio::test]
async fn rfc8693_4_1_a_member_is_given_a_token_of_his_own() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    let given = shared.used("").await;
    assert_eq!(given.header("cache-control"), "no-store");
    let given = given.json();
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("DPoP"), &json!(300)));
    let token = text(&given, "access_token");
    let (derived, source) = (claims(token), claims(text(&shared.tokens, "access_token")));
    for same in ["iss", "sub", "client_id", "aud", "acr", "auth_time"] {
        assert_eq!(derived[same], source[same], "{same}");
    }
    assert_eq!(derived["act"], json!({ "sub": "sub-of-bob" }));
    assert_eq!(derived["cnf"], json!({ "jkt": shared.key.jkt() }));
    assert_ne!(derived["grant_id"], source["grant_id"], "it is taken back by itself");
    assert!(derived["exp"].as_i64().unwrap() <= derived["iat"].as_i64().unwrap() + 300);
    assert_eq!(given["refresh_token"], Value::Null);
    assert_eq!(shared.key.get(&site, "/demo/notes", token).await.json()["read_by"], "sub-of-alice");
    // Whoever else has it can do nothing with it.
    assert_eq!(site.bearer("/demo/notes", token).await.status, 401);
    assert_eq!(Prover::new().get(&site, "/demo/notes", token).await.status, 401);
    let told = site.introspect(token).await;
    assert_eq!((&told["active"], &told["act"]), (&json!(true), &json!({ "sub": "sub-of-bob" })));
}

#[tokio::test]
async fn what_is_shared_is_never_the_token_itself() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "manage").await;
    let item = shared.item.clone();
    let page = shared.bob.page().await;
    assert!(page.body.contains(&item), "he sees that it is there");
    for secret in ["access_token", "refresh_token"] {
        assert!(!page.body.contains(text(&shared.tokens, secret)));
        assert!(!shared.used("").await.body.contains(text(&shared.tokens, secret)));
    }
    assert_eq!(shared.bob.post("/desk/token", &[("item", &item)]).await.status, 403);
    for what in ["renew", "revoke"] {
        assert_eq!(shared.bob.act(what, &[("item", &item)]).await, "right-missing", "{what}");
    }
}

/// The tenant's, the workspace's and the token's: with one of them off nobody sees or uses anything.
#[tokio::test]
async fn nothing_is_shared_unless_every_switch_is_on() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    let item = shared.item.clone();
    shared.token().await;
    for (off, on) in [("unshare", "share"), ("sharing-off", "sharing-on")] {
        assert_eq!(shared.alice.act(off, &[("item", &item)]).await, "done");
        assert!(!shared.bob.page().await.body.contains(&item), "{off}: he sees nothing");
        assert_eq!(shared.refused("").await, "access_denied", "{off}");
        assert_eq!(shared.alice.act(on, &[("item", &item)]).await, "done");
        shared.token().await;
    }
    let forbidding = Tenant { desk: true, desk_sharing: false, ..Tenant::new(TenantName::default()) };
    site.change(vec![Change::PutTenant(forbidding)]).await;
    assert!(!shared.bob.page().await.body.contains(&item));
    assert_eq!(shared.refused("").await, "access_denied");
    for what in ["share", "sharing-on"] {
        assert_eq!(shared.alice.act(what, &[("item", &item)]).await, "sharing-off", "{what}");
    }
    assert_eq!(shared.alice.items().await, [item], "its owner keeps it");
    site.change(vec![open()]).await;
    let fresh = shared.alice.keep("Fresh", &shared.tokens.clone(), &[]).await;
    assert!(!shared.bob.page().await.body.contains(&fresh), "a new one is not shared");
}

#[tokio::test]
async fn to_see_to_use_and_to_manage_are_different_rights() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "view").await;
    let item = shared.item.clone();
    assert!(shared.bob.page().await.body.contains(&item));
    assert_eq!(shared.refused("").await, "access_denied");
    let rename = [("item", item.as_str()), ("name", "by bob")];
    assert_eq!(shared.bob.act("rename", &rename).await, "right-missing");
    assert_eq!(shared.alice.act("admit", &[("username", "bob"), ("right", "use")]).await, "done");
    shared.token().await;
    for (what, fields) in [
        ("rename", rename.to_vec()),
        ("delete", vec![("item", item.as_str())]),
        ("unshare", vec![("item", item.as_str())]),
        ("sharing-off", vec![]),
        ("dismiss", vec![("member", "sub-of-alice")]),
        ("add", vec![("name", "x"), ("access_token", "y")]),
    ] {
        assert_eq!(shared.bob.act(what, &fields).await, "right-missing", "{what}");
    }
    assert_eq!(shared.alice.act("admit", &[("username", "bob"), ("right", "manage")]).await, "done");
    assert_eq!(shared.bob.act("rename", &rename).await, "done");
    assert!(shared.alice.page().await.body.contains(">by bob<"));
    assert_eq!(shared.bob.act("unshare", &[("item", &item)]).await, "done");
    assert_eq!(shared.bob.act("delete", &[("item", &item)]).await, "unknown", "what is not shared he does not see");
}

/// What he was lent he does not lend on, whatever he may do.
#[tokio::test]
async fn a_member_shares_nothing_on() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "manage").await;
    let item = shared.item.clone();
    for right in ["view", "use", "manage"] {
        let fields = [("username", "alice"), ("right", right)];
        assert_eq!(shared.bob.act("admit", &fields).await, "right-missing", "{right}");
    }
    assert_eq!(shared.bob.act("share", &[("item", &item)]).await, "right-missing");
    assert_eq!(shared.bob.act("sharing-on", &[]).await, "right-missing");
    assert_eq!(shared.bob.act("close", &[]).await, "right-missing");
    // The derived token on a desk of his own.
    let derived = shared.token().await;
    let mut own = Desk::with_workspace(&site, "bob").await;
    let item = own.keep("lent", &json!({ "access_token": derived }), &[]).await;
    assert_eq!(own.act("share", &[("item", &item)]).await, "not-shareable");
}

/// RFC 8693 5: a derived token is an attenuated one.
#[tokio::test]
async fn a_member_may_ask_for_less_and_never_for_more() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    let less = shared.used("notes:read").await.json();
    assert_eq!(less["scope"], "notes:read");
    let write = site
        .send(reqwest::Method::POST, "/demo/notes", &proved(&shared, text(&less, "access_token")), Some(b"x".to_vec()))
        .await;
    assert_eq!((write.status.as_u16(), write.error()), (403, "insufficient_scope".to_owned()));
    for more in ["notes:read notes:admin", "mail:read", "openid"] {
        assert_eq!(shared.refused(more).await, "invalid_scope", "{more}");
    }
    // The directory has become stricter since.
    let mut notes = site
        .store
        .directory()
        .await
        .unwrap()
        .apis
        .into_iter()
        .find(|api| api.audience.as_str() == site.notes())
        .unwrap();
    notes.scopes.retain(|scope| scope.name.as_str() != "notes:write");
    site.change(vec![Change::PutApi(notes)]).await;
    assert_eq!(shared.used("").await.json()["scope"], "notes:read");
}

fn proved<'a>(shared: &Shared<'_>, token: &str) -> Vec<(&'a str, &'a str)> {
    let proof = shared.key.proof(shared.site, "POST", "/demo/notes", Some(token), &json!({}));
    // A test may leak what it is over with soon.
    vec![("authorization", &*format!("DPoP {token}").leak()), ("dpop", &*proof.leak())]
}

#[tokio::test]
async fn a_derived_token_never_outlives_its_source() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    let ends = claims(text(&shared.tokens, "access_token"))["exp"].clone();
    site.later(450);
    let late = shared.token().await;
    assert_eq!(claims(&late)["exp"], ends);
    site.later(160);
    assert_eq!(shared.refused("").await, "invalid_grant");
    assert_eq!(shared.key.get(&site, "/demo/notes", &late).await.status, 401);
    let secret = crate::harness::secret("web");
    let item = shared.item.clone();
    assert_eq!(shared.alice.act("renew", &[("item", &item)]).await, "not-renewable", "the client's secret is missing");
    let tokens = site.refresh(text(&shared.tokens, "refresh_token"), &[]).await.json();
    let renewed = shared.alice.keep("Renewed", &tokens, &[("client_secret", &secret)]).await;
    assert_eq!(shared.alice.act("share", &[("item", &renewed)]).await, "done");
    shared.item = renewed;
    let token = shared.token().await;
    assert_eq!(shared.key.get(&site, "/demo/notes", &token).await.status, 200);
}

/// RFC 9449 4.3, 11.1: with a proof, which is good once.
#[tokio::test]
async fn rfc9449_11_1_a_proof_gives_one_derived_token() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    shared.token().await;
    let csrf = text(&shared.bob.state().await, "csrf").to_owned();
    let fields = [("csrf", csrf.as_str()), ("workspace", &shared.bob.workspace), ("item", &shared.item)];
    let none = shared.bob.browser.post("/desk/use", &fields).await;
    assert_eq!((none.status.as_u16(), none.error()), (400, "invalid_dpop_proof".to_owned()));
    let proof = shared.key.proof(&site, "POST", "/desk/use", None, &json!({}));
    shared.bob.browser.headers = vec![("dpop".to_owned(), proof)];
    assert_eq!(shared.bob.browser.post("/desk/use", &fields).await.status, 200);
    let again = shared.bob.browser.post("/desk/use", &fields).await;
    assert_eq!((again.status.as_u16(), again.error()), (400, "invalid_dpop_proof".to_owned()));
    let elsewhere = shared.key.proof(&site, "POST", "/token", None, &json!({}));
    shared.bob.browser.headers = vec![("dpop".to_owned(), elsewhere)];
    assert_eq!(shared.bob.browser.post("/desk/use", &fields).await.error(), "invalid_dpop_proof");
}

#[tokio::test]
async fn each_use_is_written_down_where_its_owner_sees_it() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "use").await;
    shared.used("notes:read").await;
    let page = shared.alice.page().await.body;
    let (_, uses) = page.split_once("class=\"uses\"").unwrap();
    assert!(uses.contains(">bob<") && uses.contains(">notes:read<") && uses.contains("data-at=\"1800000"), "{uses}");
    assert_eq!(shared.refused("mail:read").await, "invalid_scope");
    let events = site.events().await;
    let derived = |outcome| {
        let of = events.iter().filter(move |event| {
            event.action == Action::Token
                && event.outcome == outcome
                && event.details.get("what") == Some(&json!("derived"))
        });
        of.collect::<Vec<_>>()
    };
    let [allowed] = derived(Outcome::Allowed)[..] else { panic!("{events:?}") };
    assert_eq!((allowed.actor.as_deref(), allowed.target.as_deref()), (Some("sub-of-bob"), Some("sub-of-alice")));
    assert_eq!((&allowed.details["scope"], &allowed.details["client_id"]), (&json!("notes:read"), &json!("web")));
    let refused = derived(Outcome::Refused);
    assert!(refused.iter().any(|event| event.details["reason"] == "scope not granted"), "{refused:?}");
}

/// Each way in which sharing ends, for a JWT and an opaque token: what was derived is worth nothing with its next use, and
/// no more is given.
#[tokio::test]
async fn rfc7009_2_1_when_sharing_ends_what_was_derived_is_worth_nothing() {
    let ends = [
        "unshare",
        "delete",
        "sharing-off",
        "close",
        "revoke",
        "dismiss",
        "lower",
        "leave",
        "at the revocation endpoint",
        "at her applications",
        "forbidden",
        "bob is disabled",
        "bob is deleted",
        "alice is deleted",
    ];
    for (scope, path) in [(NOTES, "/demo/notes"), ("offline_access mail:read", "/demo/mail")] {
        for end in ends {
            let site = site().await;
            let mut shared = Shared::of(&site, scope, "use").await;
            let token = shared.token().await;
            let before = shared.key.get(&site, path, &token).await;
            assert_eq!(before.status, 200, "{end}: {}", before.body);
            finish(&mut shared, end).await;
            // What is taken back beside the desk is known within the second.
            site.later_by_millis(900);
            assert_eq!(shared.key.get(&site, path, &token).await.status, 401, "{end} {path}");
            assert_eq!(site.introspect(&token).await, json!({ "active": false }), "{end}");
            if !end.contains("bob is") {
                assert_ne!(shared.used("").await.status, 200, "{end}");
            }
        }
    }
}

async fn finish(shared: &mut Shared<'_>, end: &str) {
    let (site, item) = (shared.site, shared.item.clone());
    let here = TenantName::default();
    let user = |name: &str| Subject::parse(&format!("sub-of-{name}")).unwrap();
    match end {
        "unshare" | "delete" | "sharing-off" | "close" => {
            assert_eq!(shared.alice.act(end, &[("item", &item)]).await, "done");
        }
        "revoke" => assert_eq!(shared.alice.act("revoke", &[("item", &item)]).await, "revoked"),
        "dismiss" => assert_eq!(shared.alice.act("dismiss", &[("member", "sub-of-bob")]).await, "done"),
        "leave" => assert_eq!(shared.bob.act("dismiss", &[("member", "sub-of-bob")]).await, "done"),
        "lower" => assert_eq!(shared.alice.act("admit", &[("username", "bob"), ("right", "view")]).await, "done"),
        "at the revocation endpoint" => {
            let token = text(&shared.tokens, "refresh_token");
            assert_eq!(site.client_form("/revoke", "web", &[("token", token)]).await.status, 200);
        }
        "at her applications" => {
            let page = shared.alice.browser.get("/applications").await;
            assert_eq!(shared.alice.browser.submit(&page, &[("client_id", "web")]).await.status, 303);
        }
        "forbidden" => {
            let tenant = Tenant { desk: true, desk_sharing: false, ..Tenant::new(here) };
            site.change(vec![Change::PutTenant(tenant)]).await;
        }
        "bob is disabled" => {
            let mut bob = site.store.user(&here, &user("bob")).await.unwrap().unwrap();
            bob.disabled = true;
            site.change(vec![Change::PutUser(bob)]).await;
        }
        "bob is deleted" => site.change(vec![Change::DeleteUser(here, user("bob"))]).await,
        "alice is deleted" => site.change(vec![Change::DeleteUser(here, user("alice"))]).await,
        other => panic!("{other}"),
    }
}

/// What could be used by whoever holds its text, and is the user's own.
#[tokio::test]
async fn only_ones_own_bearer_token_of_this_issuer_is_shared() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    assert_eq!(alice.act("sharing-on", &[]).await, "done");
    let own = site.tokens(NOTES).await;
    let mut bob = Desk::with_workspace(&site, "bob").await;
    assert_eq!(bob.act("sharing-on", &[]).await, "done");
    let item = bob.keep("found", &own, &[]).await;
    assert_eq!(bob.act("share", &[("item", &item)]).await, "not-shareable", "of another user");
    let machine = alice.keep("machine", &json!({ "access_token": site.machine("notes:read").await }), &[]).await;
    assert_eq!(alice.act("share", &[("item", &machine)]).await, "not-shareable", "of an application");
    let foreign = alice.keep("foreign", &json!({ "access_token": "of-elsewhere" }), &[]).await;
    assert_eq!(alice.act("share", &[("item", &foreign)]).await, "not-shareable", "of another issuer");
    let code = site.code(NOTES).await;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("code_verifier", crate::harness::VERIFIER),
        ("redirect_uri", crate::harness::CALLBACK),
    ];
    let bound = Prover::new().token(&site, "web", &fields).await.json();
    let bound = alice.keep("bound", &bound, &[]).await;
    assert_eq!(alice.act("share", &[("item", &bound)]).await, "not-shareable", "bound to a key");
    let revoked = site.tokens(NOTES).await;
    let item = alice.keep("revoked", &revoked, &[]).await;
    site.client_form("/revoke", "web", &[("token", text(&revoked, "access_token"))]).await;
    assert_eq!(alice.act("share", &[("item", &item)]).await, "refused", "one that was taken back");
}

/// Whoever goes takes along what he put there.
#[tokio::test]
async fn what_a_member_put_there_goes_with_him() {
    let site = site().await;
    let mut shared = Shared::of(&site, NOTES, "manage").await;
    let tokens = crate::desk::public_tokens(&site, "bob", NOTES).await;
    let item = shared.bob.keep("of bob", &tokens, &[]).await;
    assert_eq!(shared.bob.act("share", &[("item", &item)]).await, "done");
    assert!(shared.alice.page().await.body.contains(&item));
    assert_eq!(shared.alice.act("dismiss", &[("member", "sub-of-bob")]).await, "done");
    assert_eq!(shared.alice.items().await, [shared.item.clone()]);
    assert_eq!(shared.bob.browser.get(&format!("/desk?workspace={}", shared.alice.workspace)).await.status, 200);
    assert!(!shared.bob.page().await.body.contains(&shared.item));
}

/// Those who ask while the sharing ends are given nothing that outlives it, however they meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_given_while_the_sharing_ends_ends_with_it() {
    for round in 0..4 {
        let site = site().await;
        let mut shared = Shared::of(&site, NOTES, "use").await;
        let csrf = text(&shared.bob.state().await, "csrf").to_owned();
        shared.token().await;
        let cookies: Vec<_> =
            shared.bob.browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let fields = [("csrf", csrf.as_str()), ("workspace", &shared.bob.workspace), ("item", &shared.item)];
        let form = encode(&fields);
        let mut asking = JoinSet::new();
        for _ in 0..10 {
            let proof = shared.key.proof(&site, "POST", "/desk/use", None, &json!({}));
            let request = site.http.post(format!("{}/desk/use", site.address)).header("cookie", &cookies);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            let request = request.header("dpop", proof).body(form.clone());
            asking.spawn(async move { request.send().await.unwrap().text().await.unwrap() });
        }
        let item = [("item", shared.item.as_str())];
        let (end, with): (&str, &[(&str, &str)]) =
            if round % 2 == 0 { ("unshare", &item) } else { ("dismiss", &[("member", "sub-of-bob")]) };
        assert_eq!(shared.alice.act(end, with).await, "done");
        for answer in asking.join_all().await {
            let answer: Value = serde_json::from_str(&answer).unwrap();
            if let Some(token) = answer["access_token"].as_str() {
                assert_eq!(shared.key.get(&site, "/demo/notes", token).await.status, 401, "round {round}");
            }
        }
    }
}

#[tokio::test]
async fn a_member_is_somebody_who_is_here() {
    let site = site().await;
    let mut alice = Desk::with_workspace(&site, "alice").await;
    let mut admit =
        async |username: &str, right: &str| alice.act("admit", &[("username", username), ("right", right)]).await;
    assert_eq!(admit("nobody", "use").await, "unknown");
    assert_eq!(admit("bob", "own").await, "right-missing");
    assert_eq!(admit("bob", "everything").await, "refused");
    assert_eq!(admit("alice", "view").await, "right-missing");
    assert_eq!(admit("BOB", "use").await, "done");
}
