//! How access tokens stand.

use super::Subject as Under;
use super::samples::{
    EVERY_EVENT, START, at, client, elsewhere, grant_id, other_tenant, redeemed, redemption, redemption_by, subject,
    tenant, token, token_id,
};
use crate::{GrantsOf, Store};
use grantor_protocol::grant::{Spend, Standing, TokenRef};

/// With its grant, or without one.
pub async fn rfc7662_2_2_a_token_stands_while_nothing_was_taken_back(store: Under) {
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    let owned = store.owned_grant(&tenant(), grant_id(1)).await.unwrap().unwrap();
    let of_grant = store.standing(&tenant(), &token(1, Some(1), 1)).await.unwrap();
    assert_eq!(of_grant, Standing::Good(Some(Box::new(owned))));
    assert_eq!(store.standing(&tenant(), &token(1, None, 1)).await.unwrap(), Standing::Good(None));
    assert!(!stands(&*store, &token(1, Some(9), 1)).await, "a grant that is gone");
    assert_eq!(store.standing(&other_tenant(), &token(1, Some(1), 1)).await.unwrap(), Standing::Revoked);
}

/// The one that was meant, in its tenant.
pub async fn rfc7009_2_a_revoked_token_stays_revoked(store: Under) {
    store.redeem(&tenant(), redemption(1, 1), START).await.unwrap();
    for _ in 0..2 {
        store.revoke_token(&tenant(), token_id(1), at(10)).await.unwrap();
        assert!(!stands(&*store, &token(1, None, 1)).await);
        assert!(!stands(&*store, &token(1, Some(1), 1)).await);
        assert!(stands(&*store, &token(2, Some(1), 1)).await);
    }
    assert_eq!(store.standing(&other_tenant(), &token(1, None, 1)).await.unwrap(), Standing::Good(None));
}

/// Revoked by name, by a replayed code or by reuse: the tokens go too. Expiry alone takes nothing back.
pub async fn rfc7009_2_1_a_token_falls_with_its_grant(store: Under) {
    for n in 1..5 {
        store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
        assert!(stands(&*store, &token(n, Some(n), 1)).await);
    }
    store.revoke_grant(&tenant(), grant_id(1), at(1)).await.unwrap();
    store.redeem(&tenant(), redemption(2, 9), at(1)).await.unwrap();
    for generation in [0, 1, 0] {
        store.rotate(&tenant(), grant_id(3), generation, super::samples::GRACE, at(1)).await.unwrap();
    }
    for n in 1..4 {
        assert!(!stands(&*store, &token(n, Some(n), 1)).await, "grant {n}");
    }
    assert!(stands(&*store, &token(4, Some(4), 1)).await);
    store.revoke_grant(&tenant(), grant_id(4), at(5_000)).await.unwrap();
    assert!(!stands(&*store, &token(4, Some(4), 1)).await, "a grant that had expired can still be taken back");
}

/// What is as old as the cut-off, or younger, stands.
pub async fn a_cut_off_takes_what_was_issued_before_it(store: Under) {
    for (of, to) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        // Grants that are made after the cut-off, with tokens of any age: the cut-off alone decides.
        let (user, app) = (subject(of), client(to));
        for whose in [GrantsOf::Subject(&user), GrantsOf::Client(&app), GrantsOf::Application(&user, &app)] {
            let base = next_base();
            store.revoke_all(&tenant(), whose, token_id(base + 5), at(100), START).await.unwrap();
            for (holder, held_by) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
                let grant = base + 10 + holder * 2 + held_by;
                store.redeem(&tenant(), redemption_by(grant, grant, holder, held_by), START).await.unwrap();
                let meant = match whose {
                    GrantsOf::Subject(_) => holder == of,
                    GrantsOf::Client(_) => held_by == to,
                    GrantsOf::Application(..) => (holder, held_by) == (of, to),
                };
                let old = stands(&*store, &token(base + 4, Some(grant), held_by)).await;
                assert_eq!(old, !meant, "{whose:?} and the token of {holder} for {held_by}");
                assert!(stands(&*store, &token(base + 5, Some(grant), held_by)).await);
                let own = stands(&*store, &token(base + 4, None, held_by)).await;
                assert_eq!(own, !(meant && matches!(whose, GrantsOf::Client(_))), "no user is behind it");
            }
        }
    }
    assert_eq!(store.standing(&other_tenant(), &token(1, None, 1)).await.unwrap(), Standing::Good(None));
}

/// A code in flight is as old as the tokens that are taken back.
pub async fn a_code_older_than_a_cut_off_gives_nothing(store: Under) {
    let (user, app, other, there) = (subject(1), client(1), client(2), other_tenant());
    for whose in [GrantsOf::Subject(&user), GrantsOf::Client(&app), GrantsOf::Application(&user, &app)] {
        let base = next_base();
        store.revoke_all(&tenant(), whose, token_id(base + 5), at(100), START).await.unwrap();
        let older = store.redeem(&tenant(), redemption_by(base + 4, base + 4, 1, 1), START).await.unwrap();
        assert_eq!(older, Spend::TakenBack, "{whose:?}");
        assert_eq!(store.grant(&tenant(), grant_id(base + 4)).await.unwrap(), None);
        let log = store.events(&tenant(), None, 100).await.unwrap();
        assert!(!log.contains(&redeemed(tenant(), base + 4)), "{whose:?}: nothing was given");
        let younger = store.redeem(&tenant(), redemption_by(base + 6, base + 6, 1, 1), START).await.unwrap();
        assert!(matches!(younger, Spend::Fresh(_)), "{whose:?}");
        let elsewhere =
            store.redeem(&there, elsewhere(&there, redemption_by(base + 4, base + 4, 1, 1)), START).await.unwrap();
        assert!(matches!(elsewhere, Spend::Fresh(_)), "{whose:?}");
    }
    let base = next_base();
    store.revoke_all(&tenant(), GrantsOf::Client(&other), token_id(base + 5), at(100), START).await.unwrap();
    let unmeant = store.redeem(&tenant(), redemption_by(base + 4, base + 4, 1, 1), START).await.unwrap();
    assert!(matches!(unmeant, Spend::Fresh(_)));
}

/// Whatever the order in which they come; and it is kept as long as any of them asked for.
pub async fn the_later_of_two_cut_offs_stays(store: Under) {
    for (cutoff, expires) in [(5, 10), (3, 100), (4, 20)] {
        let (of, expires) = (client(1), at(expires));
        store.revoke_all(&tenant(), GrantsOf::Client(&of), token_id(cutoff), expires, START).await.unwrap();
    }
    assert!(!stands(&*store, &token(4, None, 1)).await);
    assert!(stands(&*store, &token(5, None, 1)).await);
    store.expire(at(99), EVERY_EVENT, 100).await.unwrap();
    assert!(!stands(&*store, &token(4, None, 1)).await);
}

/// Ever larger, so that the cut-offs of earlier steps take nothing of later ones.
fn next_base() -> u64 {
    static BASE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    BASE.fetch_add(1, std::sync::atomic::Ordering::Relaxed) * 1_000
}

async fn stands(store: &dyn Store, token: &TokenRef) -> bool {
    matches!(store.standing(&tenant(), token).await.unwrap(), Standing::Good(_))
}
