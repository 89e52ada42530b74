//! The same over each store; and what is left after a restart.

use crate::harness::{Browser, Plan, Site, encode, text};
use grantor_protocol::audit::Action;
use grantor_protocol::value::TenantName;
use grantor_store::{MemoryStore, Store};
use grantor_store_sqlite::SqliteStore;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::task::JoinSet;

/// A folder that goes with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("grantor-server-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("grantor.db")
    }

    pub fn store(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.database()).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A site on each store.
async fn sites(folder: &Folder) -> [Arc<Site>; 2] {
    let memory = Plan { store: Arc::new(MemoryStore::new()), ..Plan::default() };
    let sqlite = Plan { store: folder.store(), ..Plan::default() };
    [Arc::new(Site::planned(memory, |_| {}).await), Arc::new(Site::planned(sqlite, |_| {}).await)]
}

/// The statuses of the same thing done twenty times at once.
async fn at_once<F>(deed: impl Fn() -> F) -> Vec<u16>
where
    F: Future<Output = u16> + Send + 'static,
{
    let mut tries = JoinSet::new();
    (0..20).for_each(|_| {
        tries.spawn(deed());
    });
    tries.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc6749_4_1_2_of_many_redemptions_at_once_one_succeeds_and_its_tokens_die() {
    let folder = Folder::new();
    for site in sites(&folder).await {
        let code: Arc<str> = site.code("openid notes:read").await.into();
        let tokens = Arc::new(std::sync::Mutex::new(Vec::new()));
        let statuses = at_once(|| {
            let (site, code, tokens) = (Arc::clone(&site), Arc::clone(&code), Arc::clone(&tokens));
            async move {
                let answer = site.redeem(&code, &[]).await;
                if answer.status == 200 {
                    tokens.lock().unwrap().push(answer.json());
                } else {
                    assert_eq!(answer.error(), "invalid_grant");
                }
                answer.status.as_u16()
            }
        })
        .await;
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        let tokens = tokens.lock().unwrap().pop().unwrap();
        assert_eq!(site.bearer("/demo/notes", text(&tokens, "access_token")).await.status, 401);
        assert_eq!(site.bearer("/userinfo", text(&tokens, "access_token")).await.status, 401);
        assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[]).await.error(), "invalid_grant");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc6749_6_many_refreshes_at_once_have_one_successor() {
    let folder = Folder::new();
    for site in sites(&folder).await {
        let tokens = site.tokens("openid notes:read").await;
        let first: Arc<str> = text(&tokens, "refresh_token").into();
        let successors = Arc::new(std::sync::Mutex::new(std::collections::BTreeSet::new()));
        let statuses = at_once(|| {
            let (site, first, successors) = (Arc::clone(&site), Arc::clone(&first), Arc::clone(&successors));
            async move {
                let answer = site.refresh(&first, &[]).await;
                if answer.status == 200 {
                    successors.lock().unwrap().insert(text(&answer.json(), "refresh_token").to_owned());
                }
                answer.status.as_u16()
            }
        })
        .await;
        assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
        let successors = successors.lock().unwrap().clone();
        assert_eq!(successors.len(), 1);
        assert_eq!(site.refresh(successors.first().unwrap(), &[]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rfc7009_2_1_revocation_beats_every_refresh_in_flight() {
    let folder = Folder::new();
    for site in sites(&folder).await {
        let tokens = site.tokens("openid notes:read").await;
        let token: Arc<str> = text(&tokens, "refresh_token").into();
        let given = Arc::new(std::sync::Mutex::new(Vec::new()));
        let number = AtomicU32::new(0);
        at_once(|| {
            let (site, token, given) = (Arc::clone(&site), Arc::clone(&token), Arc::clone(&given));
            let revokes = number.fetch_add(1, Ordering::Relaxed) == 10;
            async move {
                if revokes {
                    return site.client_form("/revoke", "web", &[("token", &token)]).await.status.as_u16();
                }
                let answer = site.refresh(&token, &[]).await;
                if answer.status == 200 {
                    given.lock().unwrap().push(answer.json());
                }
                answer.status.as_u16()
            }
        })
        .await;
        let given = given.lock().unwrap().clone();
        for tokens in given.iter().chain([&tokens]) {
            assert_eq!(site.bearer("/demo/notes", text(tokens, "access_token")).await.status, 401);
            assert_eq!(site.refresh(text(tokens, "refresh_token"), &[]).await.error(), "invalid_grant");
        }
    }
}

#[tokio::test]
async fn a_whole_life_on_each_store() {
    let folder = Folder::new();
    for site in sites(&folder).await {
        let mut browser = Browser::new(&site);
        let answer = browser.authorize("web", &[("scope", "openid email notes:read")]).await;
        let tokens = site.redeem(&answer.param("code").unwrap(), &[]).await.json();
        assert_eq!(site.bearer("/userinfo", text(&tokens, "access_token")).await.json()["email"], "alice@example.com");
        let next = site.refresh(text(&tokens, "refresh_token"), &[]).await.json();
        assert_eq!(site.introspect(text(&next, "access_token")).await["active"], true);
        let again = browser.start("web", &[("scope", "openid email notes:read"), ("prompt", "none")]).await;
        assert!(again.param("code").is_some(), "consent is remembered");
        let page = browser.get("/applications").await;
        assert!(page.body.contains("Web"));
        let answer = browser.submit(&page, &[("client_id", "web")]).await;
        assert_eq!(answer.status, 303);
        assert_eq!(site.introspect(text(&next, "access_token")).await["active"], false);
        assert_eq!(site.refresh(text(&next, "refresh_token"), &[]).await.error(), "invalid_grant");
        let events = site.events().await;
        for action in [Action::SignIn, Action::Consent, Action::Authorization, Action::Token, Action::Revocation] {
            assert!(events.iter().any(|event| event.action == action), "{action:?}");
        }
    }
}

#[tokio::test]
async fn a_restart_loses_nothing() {
    let folder = Folder::new();
    let issuer = Some("http://localhost:8080".to_owned());
    let plan = Plan { store: folder.store(), issuer: issuer.clone(), ..Plan::default() };
    let site = Site::planned(plan, |_| {}).await;
    let mut browser = Browser::new(&site);
    let answer = browser.authorize("web", &[("scope", "openid notes:read mail:read")]).await;
    let mail = site.mail();
    let tokens = site.redeem(&answer.param("code").unwrap(), &[("resource", &mail)]).await.json();
    let code = browser.start("web", &[("scope", "openid notes:read")]).await.param("code").unwrap();
    let revoked = site.tokens("openid").await;
    site.client_form("/revoke", "web", &[("token", text(&revoked, "refresh_token"))]).await;
    let jwks = site.get("/jwks", &[]).await.body;
    let cookies = browser.cookies.clone();

    let plan = Plan { store: folder.store(), issuer, declare: false, ..Plan::default() };
    let site = Site::planned(plan, |_| {}).await;
    assert_eq!(site.get("/jwks", &[]).await.body, jwks);
    assert_eq!(site.bearer("/demo/mail", text(&tokens, "access_token")).await.status, 200);
    assert_eq!(site.refresh(text(&tokens, "refresh_token"), &[("resource", &mail)]).await.status, 200);
    assert_eq!(site.redeem(&code, &[]).await.status, 200);
    assert_eq!(site.bearer("/userinfo", text(&revoked, "access_token")).await.status, 401);
    let mut browser = Browser::new(&site);
    browser.cookies = cookies;
    assert!(browser.start("web", &[("prompt", "none")]).await.param("code").is_some(), "the session stands");
}

#[tokio::test]
async fn rfc6749_5_2_a_broken_store_is_a_server_error_that_tells_nothing() {
    let folder = Folder::new();
    let plan = Plan { store: folder.store(), ..Plan::default() };
    let site = Site::planned(plan, |_| {}).await;
    let tokens = site.tokens("openid notes:read").await;
    let code = site.code("openid").await;
    let mut browser = Browser::new(&site);
    browser.authorize("web", &[]).await;
    let db = rusqlite::Connection::open(folder.database()).unwrap();
    db.execute_batch("ALTER TABLE grants RENAME TO was_grants; ALTER TABLE sessions RENAME TO was_sessions;").unwrap();
    let access = text(&tokens, "access_token");
    let fields = [("token", access)];
    for answer in [
        site.redeem(&code, &[]).await,
        site.refresh(text(&tokens, "refresh_token"), &[]).await,
        site.bearer("/userinfo", access).await,
        site.bearer("/demo/notes", access).await,
        site.client_form("/introspect", "api", &fields).await,
        site.client_form("/revoke", "web", &[("token", text(&tokens, "refresh_token"))]).await,
    ] {
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (500, "server_error"), "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.body.contains("grants"), "{}", answer.body);
    }
    let query = encode(&[("client_id", "web"), ("response_type", "code")]);
    for path in [format!("/authorize?{query}"), "/applications".to_owned(), "/".to_owned(), "/signin".to_owned()] {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 500, "{path} {}", page.body);
        assert!(page.body.contains("<h1") && !page.body.contains("sessions") && !page.body.contains("SQL"));
    }
    assert_eq!(site.get("/jwks", &[]).await.status, 200, "what needs no store goes on");
    assert!(site.store.users(&TenantName::default()).await.is_ok());
}
