//! What a verb promises holds when statements fail for others' sake, when backends are killed under load, and when the
//! server falls silent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod nodes;

use grantor_local_postgres::{Options as ServerOptions, Server};
use grantor_protocol::grant::{Rotation, Spend, Standing};
use grantor_protocol::value::Seconds;
use grantor_store::contract::samples::{
    GRACE, START, access, at, client, digest, event, event_id, grant_id, redeemed, redemption, redemption_by, session,
    subject, tenant, token, token_id,
};
use grantor_store::contract::{TwoNodes, epoch, grants, sessions, tokens};
use grantor_store::{
    AuditLog as _, Change, Directories as _, Grants as _, GrantsOf, Sessions as _, Store, StoreError, Uses as _,
};
use grantor_store_postgres::{Options, PostgresStore, Target};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How many ask for the same thing at once.
const CROWD: u64 = 12;
const ROUNDS: u64 = 40;
const NO_GRACE: Seconds = Seconds::new(0);

/// Every tenth statement that writes is undone, as CockroachDB does when transactions meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_undone_for_others_is_done_again() {
    let url = nodes::database();
    let store = Arc::new(nodes::two(url.clone()).await);
    let db = Target::parse(&url).unwrap().client().await.unwrap();
    let mut script = vec![
        "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF random() < 0.1 THEN RAISE EXCEPTION 'undone' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$"
            .to_owned(),
    ];
    for table in
        ["grants", "spent_codes_3", "remembered_3", "cutoffs", "revoked_tokens", "sessions", "consents", "events"]
    {
        script.push(format!("CREATE TRIGGER undo AFTER INSERT OR UPDATE ON {table} EXECUTE FUNCTION undo()"));
    }
    db.batch_execute(&script.join("; ")).await.unwrap();
    one_of_each(&store).await;
    behaves(&url).await;
}

/// The strictest isolation, in which PostgreSQL undoes what it would let pass otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serializable_isolation_changes_no_verdict() {
    isolated("serializable").await;
}

/// What YugabyteDB has for its default.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeatable_read_changes_no_verdict() {
    isolated("repeatable read").await;
}

async fn isolated(level: &str) {
    let url = nodes::database();
    let db = Target::parse(&url).unwrap().client().await.unwrap();
    let name = url.rsplit('/').next().unwrap();
    let set = format!("ALTER DATABASE {name} SET default_transaction_isolation = '{level}'");
    db.batch_execute(&set).await.unwrap();
    let store = Arc::new(nodes::two(url.clone()).await);
    one_of_each(&store).await;
    behaves(&url).await;
}

/// A backend of somebody's is killed all the time: every verb comes through, and knows what it did itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_backends_lose_nothing_and_do_nothing_twice() {
    let url = nodes::database();
    let store = Arc::new(nodes::two(url.clone()).await);
    let over = Arc::new(AtomicBool::new(false));
    let killer = tokio::spawn(kill(url, Arc::clone(&over)));
    one_of_each(&store).await;
    over.store(true, Ordering::Relaxed);
    assert!(killer.await.unwrap() > 20, "hardly any was killed");
}

/// Kills one backend after another. Gives how many.
async fn kill(url: String, over: Arc<AtomicBool>) -> u64 {
    let db = Target::parse(&url).unwrap().with_application_name("killer").client().await.unwrap();
    let one = "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND application_name <> 'killer' AND state = 'active'
               ORDER BY random() LIMIT 1) AS one";
    let mut killed = 0;
    while !over.load(Ordering::Relaxed) {
        killed += u64::try_from(db.query(one, &[]).await.unwrap().len()).unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    killed
}

/// Everything that is to happen once, asked for by many.
async fn one_of_each(store: &Arc<TwoNodes>) {
    for round in 1..=ROUNDS {
        let name = round * 100;
        let spent = crowd(store, move |store, n| async move {
            store.redeem(&tenant(), redemption(name, name + n), START).await.unwrap()
        })
        .await;
        assert_eq!(count(&spent, |spend| matches!(spend, Spend::Fresh(_))), 1, "{spent:?}");
        let Some(Spend::Fresh(grant)) = spent.iter().find(|spend| matches!(spend, Spend::Fresh(_))) else { panic!() };
        assert_eq!(count(&spent, |spend| *spend == Spend::Spent(grant.id)), CROWD - 1, "{spent:?}");
        let mut log = store.events(&tenant(), Some(event_id(name)), 10).await.unwrap();
        log.retain(|event| event.id.millis() < name + CROWD);
        assert_eq!(log, [redeemed(tenant(), grant.id.millis())], "it is in the audit log, and nothing else");

        let value = digest(round);
        let told = crowd(store, move |store, _| async move {
            store.remember(&tenant(), "jti", &value, at(30), START).await.unwrap()
        })
        .await;
        assert_eq!(count(&told, |told| *told), 1, "{told:?}");

        // Each refreshes a grant of his own without a grace window: a refresh that took its own work for reuse would end it.
        crowd(store, move |store, n| async move {
            let name = 1_000_000 + name + n;
            store.redeem(&tenant(), redemption(name, name), START).await.unwrap();
            for generation in 0..4 {
                let said = store.rotate(&tenant(), grant_id(name), generation, NO_GRACE, at(1)).await.unwrap();
                let Rotation::Rotated(renewal) = said else { panic!("{generation}: {said:?}") };
                assert_eq!(renewal.generation, generation + 1);
            }
            let own = token(name, Some(name), 1);
            assert!(matches!(store.standing(&tenant(), &own).await.unwrap(), Standing::Good(Some(_))));
            store.revoke_token(&tenant(), own.token, at(100)).await.unwrap();
            assert_eq!(store.standing(&tenant(), &own).await.unwrap(), Standing::Revoked);
        })
        .await;

        let shared = 2_000_000 + name;
        store.redeem(&tenant(), redemption(shared, shared), START).await.unwrap();
        let rotated = crowd(store, move |store, _| async move {
            store.rotate(&tenant(), grant_id(shared), 0, GRACE, at(1)).await.unwrap()
        })
        .await;
        assert_eq!(count(&rotated, |said| matches!(said, Rotation::Rotated(_))), 1, "{rotated:?}");
        assert_eq!(count(&rotated, |said| matches!(said, Rotation::Repeated(_))), CROWD - 1, "{rotated:?}");
        let stood = crowd(store, move |store, _| async move {
            store.revoke_grant(&tenant(), grant_id(shared), at(2)).await.unwrap()
        })
        .await;
        assert_eq!(count(&stood, |stood| *stood), 1, "{stood:?}");
        cut_off_meets_codes(store, 3_000_000 + name, 1_000 + round).await;
    }
}

/// A cut-off and redemptions of older codes at the same time: no grant is left standing.
async fn cut_off_meets_codes(store: &Arc<TwoNodes>, name: u64, of: u64) {
    let fresh = crowd(store, move |store, n| async move {
        if n == CROWD / 2 {
            let (user, cutoff) = (subject(of), token_id(name + 50));
            store.revoke_all(&tenant(), GrantsOf::Subject(&user), cutoff, at(100), at(1)).await.unwrap();
            return None;
        }
        let spend = store.redeem(&tenant(), redemption_by(name + n, name + n, of, 5), at(1)).await.unwrap();
        matches!(spend, Spend::Fresh(_)).then(|| redeemed(tenant(), name + n))
    })
    .await;
    let log = store.events(&tenant(), Some(event_id(name)), 100).await.unwrap();
    assert!(fresh.into_iter().flatten().all(|event| log.contains(&event)), "what was given is in the audit log");
    let left = store.grants(&tenant(), GrantsOf::Subject(&subject(of)), at(1), 100).await.unwrap();
    assert_eq!(left, [], "client {}", client(5));
}

/// One that comes between the statement that spends a code and the look that follows: what was made is taken back, and
/// the audit log does not tell of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_off_in_the_middle_leaves_no_event() {
    let url = nodes::database();
    let store = nodes::two(url.clone()).await;
    let db = Target::parse(&url).unwrap().client().await.unwrap();
    let script = "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO cutoffs (tenant, subject, client, cutoff, expires)
        VALUES (NEW.tenant, NEW.subject, '', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 9999999999)
        ON CONFLICT DO NOTHING; RETURN NULL; END $$;
        CREATE TRIGGER cut AFTER INSERT ON grants FOR EACH ROW EXECUTE FUNCTION cut()";
    db.batch_execute(script).await.unwrap();
    assert_eq!(store.redeem(&tenant(), redemption(1, 1), START).await.unwrap(), Spend::TakenBack);
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap().unwrap().revoked, Some(START));
    assert_eq!(store.events(&tenant(), None, 10).await.unwrap(), []);
}

/// The contract's word for word, each on tables that no other test has touched before it.
async fn behaves(url: &str) {
    let db = Target::parse(url).unwrap().client().await.unwrap();
    let store: Arc<dyn Store> = Arc::new(nodes::two(url.to_owned()).await);
    let forget = "DELETE FROM grants; DELETE FROM spent_codes_3; DELETE FROM remembered_3; DELETE FROM cutoffs;
                  DELETE FROM revoked_tokens; DELETE FROM sessions; DELETE FROM consents; DELETE FROM events;
                  UPDATE meta SET bytes = '\\x00000000000000000000000000000000' WHERE name = 'epoch'";
    macro_rules! each {
        ($($behaviour:path),* $(,)?) => {$(
            db.batch_execute(forget).await.unwrap();
            $behaviour(Arc::clone(&store)).await;
        )*};
    }
    each!(
        grants::rfc6749_4_1_2_a_code_is_spent_once,
        grants::rfc9700_4_14_2_the_generation_just_replaced_is_repeated_inside_the_grace_window,
        grants::rfc9700_4_14_2_an_outdated_generation_revokes_the_grant,
        grants::rfc7009_2_1_a_revoked_grant_stays_revoked,
        grants::revoking_all_takes_what_is_meant_and_nothing_else,
        tokens::rfc7009_2_1_a_token_falls_with_its_grant,
        tokens::a_code_older_than_a_cut_off_gives_nothing,
        sessions::consents_add_up,
        sessions::rfc9449_11_1_a_value_is_remembered_until_it_expires,
        epoch::rfc7009_2_1_a_grant_older_than_the_epoch_is_as_if_revoked,
    );
}

/// Whoever asks meanwhile is told to come again, and is served when the server is back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_busy_and_comes_back() {
    let mut server = Server::start(ServerOptions::default()).unwrap();
    let url = server.fresh_database().unwrap();
    let short = Duration::from_millis(300);
    let options = Options { patience: short, reply: short, ..Options::default() };
    // A busy machine may need longer for the migrations than the node would wait for a statement.
    drop(nodes::one(url.clone()).await);
    let store = loop {
        match PostgresStore::connect(&url, options.clone()).await {
            Ok(store) => break store,
            Err(error) => assert!(matches!(error, StoreError::Busy(_)), "{error}"),
        }
    };
    let mut name = 0;
    for silence in [true, false] {
        if silence {
            server.freeze().unwrap();
        } else {
            server.kill().unwrap();
        }
        for _ in 0..3 {
            name += 1;
            let said = store.redeem(&tenant(), redemption(name, name), START).await;
            assert!(matches!(said, Err(StoreError::Busy(_))), "{said:?}");
            let said = store.standing(&tenant(), &token(1, None, 1)).await;
            assert!(matches!(said, Err(StoreError::Busy(_))), "{said:?}");
        }
        if silence {
            server.thaw().unwrap();
        } else {
            server.restart().unwrap();
        }
        loop {
            name += 1;
            match store.redeem(&tenant(), redemption(name, name), START).await {
                Ok(spend) => break assert!(matches!(spend, Spend::Fresh(_)), "{spend:?}"),
                Err(error) => assert!(matches!(error, StoreError::Busy(_)), "{error}"),
            }
        }
    }
}

/// How long anybody waits for an answer, whatever it is. The node gives it within half of that.
const BOUND: Duration = Duration::from_secs(5);

/// A network that is cut brings no error: whoever asks is told to come again within a bounded time, whatever he asks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_is_answered_in_time_by_a_server_that_is_silent() {
    let server = Server::start(ServerOptions::default()).unwrap();
    let url = server.fresh_database().unwrap();
    drop(nodes::one(url.clone()).await);
    // Whoever waits for a connection has no more time than whoever waits for a reply.
    let patience = Duration::from_mins(1);
    let store = PostgresStore::connect(&url, Options { patience, ..Options::default() }).await.unwrap();
    let store = &store;
    let (tenant, user, app) = (&tenant(), &subject(1), &client(1));
    store.redeem(tenant, redemption(1, 1), START).await.unwrap();
    server.freeze().unwrap();
    macro_rules! all_busy {
        ($($verb:expr),* $(,)?) => {
            tokio::join!($(async {
                let said = tokio::time::timeout(BOUND, $verb).await;
                let said = said.unwrap_or_else(|_| panic!("no answer: {}", stringify!($verb)));
                assert!(matches!(said, Err(StoreError::Busy(_))), "{}: {:?}", stringify!($verb), said.err());
            }),*)
        };
    }
    // The second time there is no connection left.
    for _ in 0..2 {
        all_busy!(
            store.redeem(tenant, redemption(2, 2), START),
            store.rotate(tenant, grant_id(1), 0, GRACE, at(1)),
            store.grant(tenant, grant_id(1)),
            store.grants(tenant, GrantsOf::Subject(user), START, 10),
            store.revoke_grant(tenant, grant_id(1), at(1)),
            store.revoke_all(tenant, GrantsOf::Client(app), token_id(1), at(100), at(1)),
            store.revoke_token(tenant, token_id(1), at(100)),
            store.standing(tenant, &token(1, None, 1)),
            store.session(tenant, &digest(1), START),
            store.close_session(tenant, &digest(1)),
            store.close_sessions(tenant, user),
            store.consent(tenant, user, app),
            store.consents(tenant, user),
            store.remember(tenant, "jti", &digest(1), at(30), START),
            store.open_session(session(1, 1), None),
            store.record_consent(tenant, user, app, &access("read"), &access("read"), at(1)),
            store.last_uses(tenant, app),
            store.directory_version(),
            store.directory_since(0),
            store.user(tenant, user),
            store.user_by_username(tenant, "ann"),
            store.users(tenant),
            store.record(vec![event(tenant.clone(), 1)]),
            store.record(vec![]),
            store.events(tenant, None, 10),
            store.move_epoch(token_id(1)),
            store.change_directory(vec![Change::DeleteClient(tenant.clone(), app.clone())], None),
        );
    }
    server.thaw().unwrap();
    let mut name = 100;
    loop {
        name += 1;
        match store.redeem(tenant, redemption(name, name), START).await {
            Ok(spend) => break assert!(matches!(spend, Spend::Fresh(_)), "{spend:?}"),
            Err(error) => assert!(matches!(error, StoreError::Busy(_)), "{error}"),
        }
    }
}

async fn crowd<T, F, Fut>(store: &Arc<TwoNodes>, work: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Arc<TwoNodes>, u64) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let running: Vec<_> = (0..CROWD).map(|n| tokio::spawn(work(Arc::clone(store), n))).collect();
    let mut said = Vec::new();
    for one in running {
        said.push(one.await.unwrap());
    }
    said
}

fn count<T>(said: &[T], of: impl Fn(&T) -> bool) -> u64 {
    u64::try_from(said.iter().filter(|said| of(said)).count()).unwrap()
}
