//! Every verb against itself and its rivals, fifty at once, many times over.

use super::Subject as Under;
use super::devices::{allowed, device};
use super::samples::{
    EVERY_EVENT, GRACE, START, access, api, at, client, code_id, declared_client, digest, event, grant_id,
    other_tenant, redeemed, redemption, redemption_by, session, subject, tenant, token, token_id, user,
};
use crate::{Change, GrantsOf, Store, StoreError};
use grantor_protocol::grant::device_code::Poll;
use grantor_protocol::grant::{Redemption, Rotation, Spend, Standing};
use grantor_protocol::value::Seconds;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use tokio::sync::Barrier;

/// How many race each other.
const CROWD: u64 = 50;

/// One makes the grant; the rest take it back, and make none.
pub async fn rfc6749_4_1_2_one_of_many_redemptions_is_fresh(store: Under) {
    let mut last = None;
    for round in rounds() {
        let name = |n| round * CROWD + n;
        let said = at_once(&store, move |store, n| async move {
            store.redeem(&tenant(), redemption(round, round * CROWD + n), START).await.unwrap()
        })
        .await;
        let fresh = said.iter().filter_map(|spend| match spend {
            Spend::Fresh(grant) => Some(grant.id),
            Spend::Spent(_) | Spend::TakenBack => None,
        });
        let [winner] = fresh.collect::<Vec<_>>()[..] else { panic!("not exactly one was fresh: {said:?}") };
        for spend in said {
            assert!(matches!(spend, Spend::Fresh(_)) || spend == Spend::Spent(winner));
        }
        assert!(store.grant(&tenant(), winner).await.unwrap().unwrap().revoked.is_some());
        for n in (0..CROWD).map(name).filter(|n| grant_id(*n) != winner) {
            assert_eq!(store.grant(&tenant(), grant_id(n)).await.unwrap(), None);
        }
        let log = store.events(&tenant(), last, 1_000).await.unwrap();
        assert_eq!(log, [redeemed(tenant(), winner.millis())], "the one that was fresh is in the audit log");
        last = log.last().map(|event| event.id);
    }
}

/// Everybody who asks hears that it was allowed; one gets the grant, and keeps it.
pub async fn rfc8628_3_4_one_of_many_polls_is_given_the_grant(store: Under) {
    for round in rounds() {
        store.open_device(&tenant(), device(round), START).await.unwrap();
        let said = at_once(&store, move |store, n| async move {
            if n == 0 {
                assert!(store.answer_device(&tenant(), code_id(round), Some(allowed(round, 1)), START).await.unwrap());
            }
            loop {
                match store.poll_device(&tenant(), code_id(round), START).await {
                    Ok(Poll::Allowed(code)) => assert_eq!(code, allowed(round, 1)),
                    // Fifty at once may be more than a database bears for one row.
                    Ok(Poll::Pending | Poll::SlowDown) | Err(StoreError::Busy(_)) => {
                        tokio::task::yield_now().await;
                        continue;
                    }
                    other => panic!("{other:?}"),
                }
                let redemption = redemption(round, round * CROWD + n);
                let redemption = Redemption { falls_when_replayed: false, ..redemption };
                return store.redeem(&tenant(), redemption, START).await.unwrap();
            }
        })
        .await;
        let fresh = said.iter().filter_map(|spend| match spend {
            Spend::Fresh(grant) => Some(grant.id),
            Spend::Spent(_) | Spend::TakenBack => None,
        });
        let [winner] = fresh.collect::<Vec<_>>()[..] else { panic!("not exactly one was fresh: {said:?}") };
        assert!(
            store.grant(&tenant(), winner).await.unwrap().unwrap().revoked.is_none(),
            "the others take nothing back"
        );
    }
}

/// The others are given the same successor.
pub async fn rfc9700_4_14_2_one_of_many_refreshes_rotates(store: Under) {
    for round in rounds() {
        make(&*store, round).await;
        let said = at_once(&store, move |store, _| rotate(store, round, 0, GRACE)).await;
        let Some(Rotation::Rotated(next)) = said.iter().find(|said| matches!(said, Rotation::Rotated(_))) else {
            panic!("nobody rotated: {said:?}")
        };
        let repeated = said.iter().filter(|said| **said == Rotation::Repeated(*next)).count();
        assert_eq!(repeated, 49, "{said:?}");
        assert_eq!(store.grant(&tenant(), grant_id(round)).await.unwrap().unwrap().renewal(), *next);
    }
}

/// The second to come is reuse, and the grant falls.
pub async fn rfc9700_4_14_2_without_grace_many_refreshes_revoke(store: Under) {
    for round in rounds() {
        make(&*store, round).await;
        let said = at_once(&store, move |store, _| rotate(store, round, 0, Seconds::new(0))).await;
        let count = |wanted: fn(&Rotation) -> bool| said.iter().filter(|said| wanted(said)).count();
        assert_eq!(count(|said| matches!(said, Rotation::Rotated(_))), 1, "{said:?}");
        assert_eq!(count(|said| matches!(said, Rotation::Reused)), 1, "{said:?}");
        assert_eq!(count(|said| matches!(said, Rotation::Revoked)), 48, "{said:?}");
        assert!(store.grant(&tenant(), grant_id(round)).await.unwrap().unwrap().revoked.is_some());
    }
}

/// Once a revoke has returned, by whatever verb, no refresh that starts later succeeds; and the grant stays revoked.
pub async fn rfc7009_2_1_a_revoke_beats_every_refresh(store: Under) {
    for round in rounds() {
        make(&*store, round).await;
        let returned = Arc::new(AtomicBool::new(false));
        let latest = Arc::new(AtomicU32::new(0));
        at_once(&store, move |store, n| {
            let (returned, latest) = (Arc::clone(&returned), Arc::clone(&latest));
            async move {
                if n == CROWD / 2 {
                    take_back(&*store, round).await;
                    returned.store(true, Ordering::SeqCst);
                }
                for _ in 0..3 {
                    let too_late = returned.load(Ordering::SeqCst);
                    let said = rotate(Arc::clone(&store), round, latest.load(Ordering::SeqCst), GRACE).await;
                    if let Rotation::Rotated(renewal) = &said {
                        latest.fetch_max(renewal.generation, Ordering::SeqCst);
                    }
                    assert!(!too_late || said == Rotation::Revoked, "refreshed after a revoke: {said:?}");
                }
            }
        })
        .await;
        assert!(store.grant(&tenant(), grant_id(round)).await.unwrap().unwrap().revoked.is_some());
        assert_eq!(rotate(Arc::clone(&store), round, 0, GRACE).await, Rotation::Revoked);
    }
}

/// It is told so, and the rest are not.
pub async fn one_of_many_revokes_finds_the_grant_standing(store: Under) {
    for round in rounds() {
        make(&*store, round).await;
        let stood = at_once(&store, move |store, _| async move {
            store.revoke_grant(&tenant(), grant_id(round), START).await.unwrap()
        })
        .await;
        assert_eq!(stood.iter().filter(|stood| **stood).count(), 1);
    }
}

/// Against itself, single revokes and redemptions: what stood is counted once, and what is not listed is revoked.
pub async fn revoking_all_counts_every_grant_once(store: Under) {
    for round in rounds() {
        for n in 0..10 {
            let name = round * CROWD + n;
            store.redeem(&tenant(), redemption_by(name, name, round, n % 2), START).await.unwrap();
        }
        let counted = at_once(&store, move |store, n| async move {
            let user = subject(round);
            if n < 10 {
                return u64::from(store.revoke_grant(&tenant(), grant_id(round * CROWD + n), START).await.unwrap());
            }
            let app = client(n % 2);
            let of = if n < 30 { GrantsOf::Application(&user, &app) } else { GrantsOf::Subject(&user) };
            store.revoke_all(&tenant(), of, token_id(n), at(100), START).await.unwrap()
        })
        .await;
        assert_eq!(counted.iter().sum::<u64>(), 10, "{counted:?}");
        assert_eq!(store.grants(&tenant(), GrantsOf::Subject(&subject(round)), START, 10).await.unwrap(), []);
        let oldest_that_stands = token(CROWD - 1, None, 0);
        assert_eq!(store.standing(&tenant(), &oldest_that_stands).await.unwrap(), Standing::Good(None));
    }
}

/// Whoever revoked it, and whoever asks.
pub async fn rfc7009_2_a_revoked_token_is_never_seen_standing(store: Under) {
    for round in rounds() {
        at_once(&store, move |store, n| async move {
            let shared = token(round, None, 1);
            let own = token(1_000_000 + round * CROWD + n, None, 1);
            assert_eq!(store.standing(&tenant(), &own).await.unwrap(), Standing::Good(None));
            store.revoke_token(&tenant(), own.token, at(100)).await.unwrap();
            store.revoke_token(&tenant(), shared.token, at(100)).await.unwrap();
            assert_eq!(store.standing(&tenant(), &own).await.unwrap(), Standing::Revoked);
            assert_eq!(store.standing(&tenant(), &shared).await.unwrap(), Standing::Revoked);
        })
        .await;
    }
}

/// For each purpose in each tenant; also when the value had been remembered before, and has been forgotten.
pub async fn one_of_many_remembers(store: Under) {
    for round in rounds() {
        for now in [0, 10] {
            let told = at_once(&store, move |store, _| async move {
                let (here, there, value) = (tenant(), other_tenant(), digest(round));
                let remember = |at_tenant, purpose| store.remember(at_tenant, purpose, &value, at(now + 10), at(now));
                let told = tokio::join!(remember(&here, "jti"), remember(&here, "dpop"), remember(&there, "jti"));
                [told.0.unwrap(), told.1.unwrap(), told.2.unwrap()]
            })
            .await;
            let mut fresh = [0; 3];
            for told in told {
                fresh.iter_mut().zip(told).for_each(|(count, told)| *count += u32::from(told));
            }
            assert_eq!(fresh, [1; 3]);
        }
    }
}

/// All of them are open afterwards, and the one is not.
pub async fn many_sessions_replace_one(store: Under) {
    for round in rounds() {
        let old = u64::MAX - round;
        store.open_session(session(old, round), None).await.unwrap();
        at_once(&store, move |store, n| async move {
            let new = session(round * CROWD + n, round);
            store.open_session(new.clone(), Some(digest(old))).await.unwrap();
            assert_eq!(store.session(&tenant(), &new.key, START).await.unwrap(), Some(new));
            assert_eq!(store.session(&tenant(), &digest(old), START).await.unwrap(), None);
        })
        .await;
    }
}

/// Those that were open when it began are gone when it returns.
pub async fn closing_all_sessions_spares_none_that_was_open(store: Under) {
    for round in rounds() {
        at_once(&store, move |store, n| async move {
            let own = session(round * CROWD + n, round);
            store.open_session(own.clone(), None).await.unwrap();
            store.close_sessions(&tenant(), &own.subject).await.unwrap();
            assert_eq!(store.session(&tenant(), &own.key, START).await.unwrap(), None);
        })
        .await;
    }
}

/// None is lost.
pub async fn many_consents_add_up(store: Under) {
    for round in rounds() {
        at_once(&store, move |store, n| async move {
            let scope = access(&format!("scope-{n}"));
            store.record_consent(&tenant(), &subject(round), &client(1), &scope, &scope, START).await.unwrap();
        })
        .await;
        let all = access(&(0..CROWD).map(|n| format!("scope-{n}")).collect::<Vec<_>>().join(" "));
        assert_eq!(store.consent(&tenant(), &subject(round), &client(1)).await.unwrap().unwrap().access, all);
    }
}

/// Of those that expected a version; of those that did not, each has its own.
pub async fn one_of_many_changes_wins(store: Under) {
    for _ in rounds() {
        let seen = store.directory_version().await.unwrap();
        let said = at_once(&store, move |store, n| async move {
            store.change_directory(vec![Change::PutClient(declared_client(tenant(), n))], Some(seen)).await
        })
        .await;
        let won: Vec<_> = said.iter().filter_map(|said| said.as_ref().ok()).collect();
        assert_eq!(won, [&(seen + 1)], "{said:?}");
        let conflict = |said: &&Result<u64, StoreError>| matches!(said, Err(StoreError::Conflict { .. }));
        assert_eq!(said.iter().filter(conflict).count(), 49, "{said:?}");
        let mut versions = at_once(&store, |store, n| async move {
            let version =
                store.change_directory(vec![Change::PutApi(api(tenant(), &format!("a{n}")))], None).await.unwrap();
            assert!(store.directory().await.unwrap().version >= version);
            version
        })
        .await;
        versions.sort_unstable();
        assert_eq!(versions, (seen + 2..seen + 2 + CROWD).collect::<Vec<_>>());
    }
}

/// Never the half of a change: who reads sees as many clients as APIs, while others put and delete pairs of them.
pub async fn the_directory_is_read_as_of_one_moment(store: Under) {
    for _ in rounds() {
        at_once(&store, move |store, n| async move {
            let (client, api) = (declared_client(tenant(), n), api(tenant(), &format!("a{n}")));
            let delete = vec![
                Change::DeleteApi(tenant(), api.audience.clone()),
                Change::DeleteClient(tenant(), client.metadata.client_id.clone()),
            ];
            let put = vec![Change::PutClient(client), Change::PutApi(api)];
            for step in 0..4 {
                if n < 5 {
                    let pair = if step % 2 == 0 { put.clone() } else { delete.clone() };
                    store.change_directory(pair, None).await.unwrap();
                } else if n < 12 {
                    let seen = store.directory().await.unwrap();
                    assert_eq!(seen.clients.len(), seen.apis.len());
                }
            }
        })
        .await;
    }
}

/// The others are told that it is taken.
pub async fn one_of_many_users_gets_the_name(store: Under) {
    for round in rounds() {
        let said = at_once(&store, move |store, n| async move {
            let user = user(tenant(), round * CROWD + n, &format!("name-{round}"));
            store.change_directory(vec![Change::PutUser(user)], None).await
        })
        .await;
        assert_eq!(said.iter().filter(|said| said.is_ok()).count(), 1, "{said:?}");
        let taken = |said: &&Result<u64, StoreError>| matches!(said, Err(StoreError::Taken(_)));
        assert_eq!(said.iter().filter(taken).count(), 49, "{said:?}");
    }
}

/// Whether it was recorded or noted.
pub async fn every_event_is_kept(store: Under) {
    let mut last = None;
    for round in rounds() {
        at_once(&store, move |store, n| async move {
            let name = 2 * (round * CROWD + n);
            store.note(event(tenant(), name));
            store.record(vec![event(tenant(), name + 1)]).await.unwrap();
        })
        .await;
        let events = store.events(&tenant(), last, 1_000).await.unwrap();
        assert_eq!(events.len(), 100);
        last = events.last().map(|event| event.id);
    }
}

/// A value that was forgotten and is remembered anew, and a grant that is refreshed, are not swept away.
pub async fn expiry_spares_what_lives(store: Under) {
    for round in rounds() {
        make(&*store, round).await;
        store.remember(&tenant(), "jti", &digest(round), at(1), START).await.unwrap();
        let told = at_once(&store, move |store, n| async move {
            if n % 5 == 0 {
                store.expire(at(1), EVERY_EVENT, 10).await.unwrap();
            }
            rotate(Arc::clone(&store), round, 0, GRACE).await;
            store.remember(&tenant(), "jti", &digest(round), at(100), at(1)).await.unwrap()
        })
        .await;
        assert_eq!(told.iter().filter(|told| **told).count(), 1);
        assert_eq!(store.grant(&tenant(), grant_id(round)).await.unwrap().unwrap().generation, 1);
    }
}

/// Whoever came last; and no credential loses its use to another's.
pub async fn the_latest_of_many_uses_stays(store: Under) {
    store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
    for round in rounds() {
        at_once(&store, move |store, n| async move {
            // So far apart that none counts as the one before.
            let now = at(u32::try_from(round * CROWD + n).unwrap() * 100);
            store.note_use(&tenant(), &client(1), "shared", now);
            store.note_use(&tenant(), &client(1), &format!("own-{n}"), now);
        })
        .await;
        store.record(vec![]).await.unwrap();
        let uses = store.last_uses(&tenant(), &client(1)).await.unwrap();
        let latest = at(u32::try_from(round * CROWD + CROWD - 1).unwrap() * 100);
        assert_eq!(uses.get("shared"), Some(&latest));
        assert_eq!(uses.values().filter(|time| **time == latest).count(), 2);
        assert_eq!(uses.len(), 51);
    }
}

/// However late it is noted; and the next client of that name is noted from its first use.
pub async fn no_use_outlives_its_client(store: Under) {
    for _ in rounds() {
        store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
        at_once(&store, move |store, n| async move {
            if n == CROWD / 2 {
                store.change_directory(vec![Change::DeleteClient(tenant(), client(1))], None).await.unwrap();
            }
            store.note_use(&tenant(), &client(1), &format!("key-{}", n % 5), START);
        })
        .await;
        store.record(vec![]).await.unwrap();
        assert!(store.last_uses(&tenant(), &client(1)).await.unwrap().is_empty());
        store.change_directory(vec![Change::PutClient(declared_client(tenant(), 1))], None).await.unwrap();
        store.note_use(&tenant(), &client(1), "key-0", START);
        store.record(vec![]).await.unwrap();
        assert_eq!(store.last_uses(&tenant(), &client(1)).await.unwrap().len(), 1);
        store.change_directory(vec![Change::DeleteClient(tenant(), client(1))], None).await.unwrap();
    }
}

/// How often each race is run when nobody says.
static ROUNDS: AtomicU64 = AtomicU64::new(200);

/// Runs each race so often when `GRANTOR_RACE_ROUNDS` is absent: for a backend whose every verb is a journey.
pub fn run_by_default(rounds: u64) {
    ROUNDS.store(rounds, Ordering::Relaxed);
}

pub(super) fn rounds() -> std::ops::Range<u64> {
    let wanted = std::env::var("GRANTOR_RACE_ROUNDS").ok();
    0..wanted.map_or_else(|| ROUNDS.load(Ordering::Relaxed), |rounds| rounds.parse().unwrap())
}

/// Starts them at the same moment. Gives what each said.
pub(super) async fn at_once<T, F, Fut>(store: &Under, racer: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(Under, u64) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(usize::try_from(CROWD).unwrap()));
    let racers: Vec<_> = (0..CROWD)
        .map(|n| {
            let (gate, run) = (Arc::clone(&gate), racer(Arc::clone(store), n));
            tokio::spawn(async move {
                gate.wait().await;
                run.await
            })
        })
        .collect();
    let mut said = Vec::new();
    for racer in racers {
        said.push(racer.await.unwrap());
    }
    said
}

async fn make(store: &dyn Store, round: u64) {
    store.redeem(&tenant(), redemption(round, round), START).await.unwrap();
}

async fn rotate(store: Under, round: u64, generation: u32, grace: Seconds) -> Rotation {
    store.rotate(&tenant(), grant_id(round), generation, grace, START).await.unwrap()
}

/// By its name, by its code, or with all that its client has.
async fn take_back(store: &dyn Store, round: u64) {
    match round % 3 {
        0 => drop(store.revoke_grant(&tenant(), grant_id(round), START).await.unwrap()),
        1 => drop(store.redeem(&tenant(), redemption(round, u64::MAX >> 20), START).await.unwrap()),
        _ => drop(store.revoke_all(&tenant(), GrantsOf::Client(&client(1)), token_id(0), at(9), START).await.unwrap()),
    }
}
