use super::*;
use grantor_jose::names::Names;
use grantor_protocol::grant::{Redemption, Rotation, Spend};
use grantor_protocol::token::{Binding, TokenSubject};
use grantor_protocol::value::{
    ClientId, CodeId, GrantId, Issuer, Resource, Scope, Seconds, Subject, TokenId, UnixTime,
};
use grantor_store::contract::samples::event;
use grantor_store::{Change, GrantsOf, MemoryStore};
use grantor_store_sqlite::SqliteStore;
use serde_json::json;
use std::cell::Cell;
use tokio::task::JoinSet;

const NOW: UnixTime = UnixTime::new(1_000);
const ZERO: Duration = Duration::ZERO;
const GRANT: GrantId = GrantId::from_bytes([7; 16]);
const TOKEN: TokenId = TokenId::from_bytes([5; 16]);

/// A node over a store that others use too, with a user's token and an application's own.
struct Node {
    others: Arc<dyn Store>,
    store: Arc<dyn Store>,
    standings: Standings,
    of_user: Arc<Known>,
    own: Arc<Known>,
}

impl Node {
    async fn over(others: Arc<dyn Store>) -> Self {
        let client = |id: &str| {
            serde_json::from_value(json!({"metadata": {"client_id": id}, "secrets": [], "issued_at": 0})).unwrap()
        };
        let changes = vec![
            Change::PutTenant(grantor_protocol::directory::Tenant::new(tenant())),
            Change::PutClient(client("web")),
            Change::PutUser(user(false)),
        ];
        others.change_directory(changes, None).await.unwrap();
        others.redeem(&tenant(), redemption(), NOW).await.unwrap();
        let revocations = Arc::new(Revocations::new());
        let store = Arc::new(WatchedStore::new(Arc::clone(&others), Arc::clone(&revocations)));
        let of_user = known(Some(GRANT), 1);
        Self { others, store, standings: Standings::new(revocations, &[1; 32]), of_user, own: known(None, 2) }
    }

    async fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new())).await
    }

    async fn is_good(&self, known: &Arc<Known>, clock: Duration) -> bool {
        let stands = self.standings.of(known, &*self.store, &tenant(), || clock).await.unwrap();
        !matches!(stands, Stands::Revoked)
    }
}

/// A verb of the store in memory, which waits for nothing.
fn at_once<T>(verb: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(verb).poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

/// A folder that goes with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("grantor-standing-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.0.join("store")).unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn tenant() -> TenantName {
    TenantName::default()
}

fn subject() -> Subject {
    Subject::parse("u1").unwrap()
}

fn client() -> ClientId {
    ClientId::parse("web").unwrap()
}

fn user(disabled: bool) -> User {
    serde_json::from_value(json!({"tenant": "default", "sub": "u1", "username": "alice", "disabled": disabled}))
        .unwrap()
}

fn token(grant: Option<GrantId>) -> AccessToken {
    AccessToken {
        issuer: Issuer::parse("https://id.example").unwrap(),
        id: TOKEN,
        subject: grant.map_or(TokenSubject::Application, |_| TokenSubject::User("u1".into())),
        actor: None,
        client: client(),
        audience: vec![Resource::parse("https://api").unwrap()],
        scope: Scope::default(),
        roles: Vec::new(),
        issued: NOW,
        expires: NOW.plus(Seconds::new(600)),
        grant,
        authentication: None,
        details: grantor_protocol::authorization_details::AuthorizationDetails::default(),
        binding: Binding::Bearer,
        status: None,
    }
}

/// A token that is the `n`th.
fn known(grant: Option<GrantId>, n: u32) -> Arc<Known> {
    Arc::new(Known::new(token(grant), Names::new(&[1; 32]).of(&n.to_string()), Weak::new()))
}

fn redemption() -> Redemption {
    let terms = json!({
        "client": "web", "subject": "u1", "refreshable": true, "created": NOW, "idle": 86_400, "ends": 864_000,
        "access": {}, "authentication": {"time": NOW, "acr": "1", "amr": ["pwd"]},
    });
    let code = CodeId::from_bytes([9; 16]);
    Redemption {
        code,
        remember_until: UnixTime::new(9_000),
        grant: GRANT,
        terms: serde_json::from_value(terms).unwrap(),
        event: event(tenant(), 1),
        falls_when_replayed: true,
    }
}

#[tokio::test]
async fn an_answer_is_used_again_for_half_a_second() {
    let node = Node::new().await;
    for known in [&node.of_user, &node.own] {
        assert!(node.is_good(known, ZERO).await);
    }
    node.others.revoke_token(&tenant(), TOKEN, UnixTime::new(9_000)).await.unwrap();
    for known in [&node.of_user, &node.own] {
        assert!(node.is_good(known, Duration::from_millis(499)).await, "it was asked for again");
        assert!(!node.is_good(known, Duration::from_millis(500)).await);
    }
}

#[tokio::test]
async fn the_half_second_begins_before_the_store_is_asked() {
    let node = Node::new().await;
    let looks = Cell::new(0);
    let clock = || {
        looks.set(looks.get() + 1);
        // The first look finds nothing in memory. At the second the half second begins.
        if looks.get() == 2 {
            at_once(node.others.revoke_token(&tenant(), TOKEN, UnixTime::new(9_000))).unwrap();
        }
        ZERO
    };
    let stands = node.standings.of(&node.own, &*node.store, &tenant(), clock).await;
    assert!(matches!(stands, Ok(Stands::Revoked)) && looks.get() == 2);
}

#[tokio::test]
async fn a_clock_that_seems_to_go_back_makes_nothing_young() {
    let node = Node::new().await;
    assert!(node.is_good(&node.own, Duration::from_secs(10)).await);
    node.others.revoke_token(&tenant(), TOKEN, UnixTime::new(9_000)).await.unwrap();
    assert!(!node.is_good(&node.own, Duration::from_secs(9)).await);
}

#[tokio::test]
async fn rfc7009_2_what_is_taken_back_here_is_worth_nothing_at_once() {
    let later = UnixTime::new(9_000);
    let cutoff = TokenId::from_bytes([200; 16]);
    for verb in 0..9 {
        let node = Node::new().await;
        assert!(node.is_good(&node.of_user, ZERO).await);
        let store = &node.store;
        let delete = |change| store.change_directory(vec![change], None);
        match verb {
            0 => drop(store.revoke_grant(&tenant(), GRANT, NOW).await.unwrap()),
            1 => store.revoke_token(&tenant(), TOKEN, later).await.unwrap(),
            2 => drop(store.revoke_all(&tenant(), GrantsOf::Subject(&subject()), cutoff, later, NOW).await.unwrap()),
            3 => drop(store.revoke_all(&tenant(), GrantsOf::Client(&client()), cutoff, later, NOW).await.unwrap()),
            4 => assert!(matches!(store.redeem(&tenant(), redemption(), NOW).await, Ok(Spend::Spent(GRANT)))),
            5 => {
                let tenant = tenant();
                let rotate = |generation| store.rotate(&tenant, GRANT, generation, Seconds::new(0), NOW);
                assert!(matches!(rotate(0).await, Ok(Rotation::Rotated(_))));
                assert!(node.is_good(&node.of_user, ZERO).await);
                assert!(matches!(rotate(0).await, Ok(Rotation::Reused)));
            }
            6 => drop(delete(Change::DeleteUser(tenant(), subject())).await.unwrap()),
            7 => drop(delete(Change::DeleteClient(tenant(), client())).await.unwrap()),
            _ => drop(delete(Change::PutUser(user(true))).await.unwrap()),
        }
        assert!(!node.is_good(&node.of_user, ZERO).await, "verb {verb}");
    }
}

#[tokio::test]
async fn a_moved_epoch_is_seen_at_once() {
    let node = Node::new().await;
    assert!(node.is_good(&node.own, ZERO).await);
    node.store.move_epoch(TokenId::from_bytes([6; 16])).await.unwrap();
    assert!(!node.is_good(&node.own, ZERO).await);
}

#[tokio::test]
async fn an_answer_that_was_on_its_way_when_something_was_taken_back_is_not_used_again() {
    let node = Node::new().await;
    let asked = node.standings.asked(&node.own, ZERO);
    let stands = ask(&*node.store, &tenant(), &node.own).await.unwrap();
    node.store.revoke_token(&tenant(), TOKEN, UnixTime::new(9_000)).await.unwrap();
    node.own.keep(asked, &stands);
    assert!(!node.is_good(&node.own, ZERO).await);
}

#[tokio::test]
async fn what_does_not_concern_a_token_leaves_its_answer_alone() {
    let node = Node::new().await;
    assert!(node.is_good(&node.of_user, ZERO).await);
    let stamp = node.standings.revocations.stamp(&node.of_user.reference);
    let other = GrantId::from_bytes([8; 16]);
    node.store.revoke_grant(&tenant(), other, NOW).await.unwrap();
    node.store.rotate(&tenant(), GRANT, 0, Seconds::new(30), NOW).await.unwrap();
    let fresh =
        Redemption { code: CodeId::from_bytes([1; 16]), grant: other, event: event(tenant(), 2), ..redemption() };
    node.store.redeem(&tenant(), fresh.clone(), NOW).await.unwrap();
    assert_eq!(node.store.redeem(&tenant(), fresh, NOW).await.unwrap(), Spend::Spent(other));
    assert_eq!(node.standings.revocations.stamp(&node.of_user.reference), stamp);
}

/// What is given up half way may have been done all the same.
#[tokio::test]
async fn a_verb_that_is_given_up_counts() {
    let node = Node::new().await;
    let stamp = node.standings.revocations.stamp(&node.own.reference);
    drop(node.store.revoke_token(&tenant(), TOKEN, UnixTime::new(9_000)));
    assert_eq!(node.standings.revocations.stamp(&node.own.reference), stamp, "it had not begun");
    let folder = Folder::new("given-up");
    let node = Node::over(folder.store()).await;
    let (later, tenant) = (UnixTime::new(9_000), tenant());
    let mut revoking = node.store.revoke_token(&tenant, TOKEN, later);
    let begun = std::future::poll_fn(|cx| std::task::Poll::Ready(revoking.as_mut().poll(cx))).await;
    assert!(begun.is_pending());
    drop(revoking);
    assert_ne!(node.standings.revocations.stamp(&node.own.reference), stamp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_ask_at_once_one_asks_the_store() {
    let folder = Folder::new("many");
    let node = Arc::new(Node::over(folder.store()).await);
    let mut all = JoinSet::new();
    for _ in 0..64 {
        let node = Arc::clone(&node);
        all.spawn(async move {
            match node.standings.of(&node.of_user, &*node.store, &tenant(), || ZERO).await.unwrap() {
                Stands::ForUser(behind) => behind,
                _ => panic!("it is good"),
            }
        });
    }
    let answers = all.join_all().await;
    assert!(answers.iter().all(|answer| Arc::ptr_eq(answer, &answers[0])));
}

#[test]
fn what_is_kept_is_bounded() {
    let standings = Standings::new(Arc::new(Revocations::new()), &[1; 32]);
    for n in 0..20_000_u32 {
        let known = known(None, n);
        standings.tokens.insert(known.name, Kept::of(&known));
    }
    assert!(standings.tokens.weight() <= MEMORY && standings.tokens.len() > 1_000);
}

/// The user's token, good at this issuer for his profile: what userinfo says is kept with it.
fn known_at_issuer(n: u32) -> Arc<Known> {
    let mut token = token(Some(GRANT));
    token.audience = vec![token.issuer.as_resource()];
    token.scope = Scope::parse("openid profile").unwrap();
    Arc::new(Known::new(token, Names::new(&[1; 32]).of(&n.to_string()), Weak::new()))
}

#[tokio::test]
async fn a_token_weighs_what_is_kept_of_it_and_of_its_user() {
    let node = Node::new().await;
    let (tokens, of_user) = (&node.standings.tokens, known_at_issuer(1));
    tokens.insert(of_user.name, Kept::of(&of_user));
    let alone = tokens.weight();
    assert!(node.is_good(&of_user, ZERO).await);
    let usual = tokens.weight();
    assert!(usual > alone && (USUAL / 2..USUAL * 2).contains(&usual), "{alone}, {usual}");
    let mut told = user(false);
    told.claims.name = Some("x".repeat(100_000));
    node.store.change_directory(vec![Change::PutUser(told)], None).await.unwrap();
    assert!(node.is_good(&of_user, ZERO).await);
    assert!((100_000..110_000).contains(&tokens.weight()), "{}", tokens.weight());
    node.store.change_directory(vec![Change::PutUser(user(true))], None).await.unwrap();
    assert!(!node.is_good(&of_user, ZERO).await);
    assert_eq!(tokens.weight(), alone);
}

/// Many who say a lot, all of whom are asked for.
#[tokio::test]
async fn what_is_kept_is_bounded_however_much_users_say() {
    let node = Node::new().await;
    let mut told = user(false);
    told.claims.name = Some("x".repeat(200_000));
    node.store.change_directory(vec![Change::PutUser(told)], None).await.unwrap();
    for n in 0..200 {
        let known = known_at_issuer(n);
        node.standings.tokens.insert(known.name, Kept::of(&known));
        assert!(node.is_good(&known, ZERO).await);
    }
    let tokens = &node.standings.tokens;
    assert!(tokens.weight() <= MEMORY && tokens.len() <= 60, "{} weigh {}", tokens.len(), tokens.weight());
}
