//! The epoch: after a restore, what was issued before it is worth nothing, whatever the rows say.

use super::Subject as Under;
use super::samples::{
    GRACE, START, access, at, client, code_id, digest, elsewhere, grant_id, other_tenant, redeemed, redemption,
    redemption_by, session, subject, tenant, token, token_id,
};
use crate::{GrantsOf, Store, taken_back_at};
use grantor_protocol::grant::{Grant, Rotation, Spend, Standing};
use grantor_protocol::value::{TenantName, TokenId};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Neither a fresh one nor one that was spent; in no tenant. One that is as old as the epoch is good.
pub async fn rfc6749_4_1_2_a_code_older_than_the_epoch_gives_nothing(store: Under) {
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    store.move_epoch(epoch(5)).await.unwrap();
    for here in [tenant(), other_tenant()] {
        for (code, grant) in [(1, 11), (4, 14), (6, 4)] {
            assert_eq!(
                store.redeem(&here, elsewhere(&here, redemption(code, grant)), at(1)).await.unwrap(),
                Spend::TakenBack
            );
            assert_eq!(store.grant(&here, grant_id(grant)).await.unwrap(), None);
            let log = store.events(&here, None, 100).await.unwrap();
            assert!(!log.contains(&redeemed(here.clone(), grant)), "nothing was given");
        }
        for n in [5, 6] {
            let fresh = store.redeem(&here, elsewhere(&here, redemption(n, n)), at(1)).await.unwrap();
            assert!(matches!(fresh, Spend::Fresh(_)), "{fresh:?}");
        }
        assert_eq!(
            store.redeem(&here, elsewhere(&here, redemption(5, 7)), at(2)).await.unwrap(),
            Spend::Spent(grant_id(5))
        );
    }
    let (first, last) = (TokenId::new(8, [0; 10]), TokenId::new(8, [3; 10]));
    assert!(first.as_bytes() < code_id(8).as_bytes() && code_id(8).as_bytes() < last.as_bytes());
    store.move_epoch(first).await.unwrap();
    assert!(matches!(store.redeem(&tenant(), redemption(8, 9), at(1)).await.unwrap(), Spend::Fresh(_)));
    store.move_epoch(last).await.unwrap();
    assert_eq!(store.redeem(&tenant(), redemption(8, 9), at(1)).await.unwrap(), Spend::TakenBack, "to the last bit");
}

/// Whatever is presented, whether or not it had expired; what had been revoked before stays as it was.
pub async fn rfc7009_2_1_a_grant_older_than_the_epoch_is_as_if_revoked(store: Under) {
    let epoch = TokenId::new(5_000, [0; 10]);
    for n in [1, 2, 3, 5_000] {
        store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
        store.redeem(&other_tenant(), elsewhere(&other_tenant(), redemption(n, n)), START).await.unwrap();
    }
    rotate(&*store, &tenant(), 2, 0).await;
    store.revoke_grant(&tenant(), grant_id(3), at(1)).await.unwrap();
    let before = store.grant(&tenant(), grant_id(2)).await.unwrap().unwrap();
    store.move_epoch(epoch).await.unwrap();
    for here in [tenant(), other_tenant()] {
        for n in [1, 2, 3] {
            for generation in 0..3 {
                assert_eq!(rotate(&*store, &here, n, generation).await, Rotation::Revoked);
            }
            let late = store.rotate(&here, grant_id(n), 0, GRACE, at(9_999)).await.unwrap();
            assert_eq!(late, Rotation::Revoked, "and not expired");
        }
        assert_eq!(rotate(&*store, &here, 4, 0).await, Rotation::Unknown, "there is none");
        assert!(matches!(rotate(&*store, &here, 5_000, 0).await, Rotation::Rotated(_)));
    }
    let found = async |n| store.grant(&tenant(), grant_id(n)).await.unwrap().unwrap();
    assert_eq!(taken_back_at(epoch).get(), 5);
    assert_eq!(found(2).await, Grant { revoked: Some(taken_back_at(epoch)), ..before });
    assert_eq!(found(3).await.revoked, Some(at(1)), "it had been revoked before");
    assert_eq!(found(5_000).await.revoked, None);
}

/// Itself, or its grant.
pub async fn rfc7662_2_2_a_token_older_than_the_epoch_does_not_stand(store: Under) {
    for here in [tenant(), other_tenant()] {
        for n in [1, 5] {
            store.redeem(&here, elsewhere(&here, redemption(n, n)), START).await.unwrap();
        }
    }
    store.move_epoch(epoch(5)).await.unwrap();
    for here in [tenant(), other_tenant()] {
        for (n, grant, stands) in [(4, None, false), (5, None, true), (4, Some(5), false), (5, Some(5), true)] {
            let standing = store.standing(&here, &token(n, grant, 1)).await.unwrap();
            assert_eq!(matches!(standing, Standing::Good(_)), stands, "token {n} of {grant:?}");
        }
        let of_old_grant = store.standing(&here, &token(6, Some(1), 1)).await.unwrap();
        assert_eq!(of_old_grant, Standing::Revoked, "a token that is younger than its grant");
    }
}

/// It does not stand any more, so that revoking it changes nothing.
pub async fn nothing_older_than_the_epoch_is_counted_or_listed(store: Under) {
    for n in [1, 2, 3, 5, 6] {
        store.redeem(&tenant(), redemption_by(n, n, 1, 1), START).await.unwrap();
    }
    let (user, app) = (subject(1), client(1));
    store.record_consent(&tenant(), &user, &app, &access("a"), &access("a"), START).await.unwrap();
    store.move_epoch(epoch(5)).await.unwrap();
    let every = [GrantsOf::Subject(&user), GrantsOf::Client(&app), GrantsOf::Application(&user, &app)];
    for of in every {
        let listed = store.grants(&tenant(), of, at(1), 10).await.unwrap();
        assert_eq!(listed.iter().map(|grant| grant.id.millis()).collect::<Vec<_>>(), [6, 5], "{of:?}");
    }
    assert!(!store.revoke_grant(&tenant(), grant_id(1), at(1)).await.unwrap());
    let revoked = store.grant(&tenant(), grant_id(1)).await.unwrap().unwrap().revoked;
    assert_eq!(revoked, Some(taken_back_at(epoch(5))), "it had been taken back already");
    assert!(store.revoke_grant(&tenant(), grant_id(5), at(1)).await.unwrap());
    let revoke = async |of| store.revoke_all(&tenant(), of, token_id(0), at(100), at(1)).await.unwrap();
    assert_eq!(revoke(GrantsOf::Subject(&user)).await, 1);
    assert_eq!(revoke(GrantsOf::Client(&app)).await, 0);
    assert_eq!(revoke(GrantsOf::Application(&user, &app)).await, 0);
    let revoked = store.grant(&tenant(), grant_id(2)).await.unwrap().unwrap().revoked;
    assert_eq!(revoked, Some(taken_back_at(epoch(5))));
}

/// In every tenant; those that are opened afterwards are as good as ever. What was allowed stays allowed.
pub async fn the_epoch_closes_every_session(store: Under) {
    for here in [tenant(), other_tenant()] {
        for n in [1, 2] {
            let mut session = session(n, n);
            session.tenant = here.clone();
            store.open_session(session, None).await.unwrap();
        }
    }
    store.record_consent(&tenant(), &subject(1), &client(1), &access("a"), &access("a"), START).await.unwrap();
    store.move_epoch(epoch(5)).await.unwrap();
    for here in [tenant(), other_tenant()] {
        for n in [1, 2] {
            assert_eq!(store.session(&here, &digest(n), START).await.unwrap(), None);
        }
    }
    store.open_session(session(3, 1), None).await.unwrap();
    assert_eq!(store.session(&tenant(), &digest(3), START).await.unwrap(), Some(session(3, 1)));
    assert!(store.consent(&tenant(), &subject(1), &client(1)).await.unwrap().is_some());
}

/// An older one takes nothing back, and brings nothing back.
pub async fn the_epoch_never_moves_backwards(store: Under) {
    store.redeem(&tenant(), redemption(4, 4), START).await.unwrap();
    store.redeem(&tenant(), redemption(6, 6), START).await.unwrap();
    for moved in [5, 3, 5, 0] {
        store.move_epoch(epoch(moved)).await.unwrap();
        assert_eq!(rotate(&*store, &tenant(), 4, 0).await, Rotation::Revoked);
        assert_eq!(store.redeem(&tenant(), redemption(4, 7), START).await.unwrap(), Spend::TakenBack);
        assert_eq!(store.standing(&tenant(), &token(4, None, 1)).await.unwrap(), Standing::Revoked);
    }
    assert!(matches!(rotate(&*store, &tenant(), 6, 0).await, Rotation::Rotated(_)));
}

/// Once it has moved, no refresh, redemption or look that starts later finds anything of before.
pub async fn rfc7009_2_1_an_epoch_beats_every_refresh_in_flight(store: Under) {
    for round in 1..=super::races::rounds().end {
        let (old, young) = (round * 1_000, round * 1_000 + 500);
        store.redeem(&tenant(), redemption(old, old), START).await.unwrap();
        let moved = Arc::new(AtomicBool::new(false));
        super::races::at_once(&store, move |store, n| {
            let moved = Arc::clone(&moved);
            async move {
                if n == 25 {
                    store.move_epoch(epoch(young)).await.unwrap();
                    moved.store(true, Ordering::SeqCst);
                }
                for generation in 0..3 {
                    let too_late = moved.load(Ordering::SeqCst);
                    let said = rotate(&*store, &tenant(), old, generation).await;
                    assert!(!too_late || said == Rotation::Revoked, "refreshed after the epoch: {said:?}");
                    let code = redemption(old + 1 + n, old + 1 + n);
                    let said = store.redeem(&tenant(), code, START).await.unwrap();
                    assert!(!too_late || said == Spend::TakenBack, "redeemed after the epoch: {said:?}");
                    let said = store.standing(&tenant(), &token(old, Some(old), 1)).await.unwrap();
                    assert!(!too_late || said == Standing::Revoked, "stood after the epoch: {said:?}");
                }
            }
        })
        .await;
        assert_eq!(rotate(&*store, &tenant(), old, 0).await, Rotation::Revoked);
        let fresh = store.redeem(&tenant(), redemption(young, young), START).await.unwrap();
        assert!(matches!(fresh, Spend::Fresh(_)), "what came after it is good: {fresh:?}");
    }
}

/// Everything of this number, and younger, stands.
fn epoch(n: u64) -> TokenId {
    TokenId::new(n, [0; 10])
}

async fn rotate(store: &dyn Store, here: &TenantName, n: u64, generation: u32) -> Rotation {
    store.rotate(here, grant_id(n), generation, GRACE, START).await.unwrap()
}
