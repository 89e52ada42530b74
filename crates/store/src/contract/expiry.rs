//! Expiry drops rows, and never changes a verdict.

use super::Subject as Under;
use super::samples::{
    DAY, EVERY_EVENT, GRACE, START, at, client, digest, event, event_id, grant_id, other_tenant, redemption, session,
    subject, tenant, token, token_id,
};
use crate::GrantsOf;
use grantor_protocol::grant::{Rotation, Spend, Standing};

/// In every tenant, and in steps.
pub async fn events_are_kept_from_a_moment_on(store: Under) {
    for n in 0..10 {
        store.record(vec![event(tenant(), n), event(other_tenant(), n)]).await.unwrap();
    }
    let kept = async |here| {
        let events = store.events(&here, None, 100).await.unwrap();
        events.into_iter().map(|event| event.id.millis()).collect::<Vec<_>>()
    };
    assert_eq!(store.expire(START, EVERY_EVENT, 100).await.unwrap(), 0);
    assert_eq!(store.expire(START, event_id(4), 5).await.unwrap(), 5);
    assert_eq!(store.expire(START, event_id(4), 5).await.unwrap(), 3);
    assert_eq!(store.expire(START, event_id(4), 5).await.unwrap(), 0);
    for here in [tenant(), other_tenant()] {
        assert_eq!(kept(here).await, [4, 5, 6, 7, 8, 9]);
    }
    store.record(vec![event(tenant(), 1)]).await.unwrap();
    assert_eq!(store.expire(at(1), event_id(6), 100).await.unwrap(), 5, "one that came late goes with the rest");
    assert_eq!(kept(tenant()).await, [6, 7, 8, 9]);
    assert_eq!(kept(other_tenant()).await, [6, 7, 8, 9]);
}

/// At most as many as were asked for, and none that lives. A backend may keep codes and values for a day after they have
/// expired, so that it can drop many at once.
pub async fn what_has_expired_is_dropped_in_steps(store: Under) {
    for n in 0..10 {
        store.remember(&tenant(), "jti", &digest(n), at(10), START).await.unwrap();
        store.open_session(session(n, 1), None).await.unwrap();
        store.revoke_token(&tenant(), token_id(n), at(20)).await.unwrap();
        store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
        store.revoke_all(&tenant(), GrantsOf::Subject(&subject(n)), token_id(1), at(30), START).await.unwrap();
    }
    let mut dropped = 0;
    for now in [9, 10, 19, 20, 29, 30, 59, 60, 99, 100, 101, 3_600, 3_600, 86_501] {
        // The values, tokens, cut-offs, codes and sessions, by when they expire.
        let over = [10, 20, 30, 60, 100].into_iter().filter(|end| *end <= now).count() * 10;
        let step = store.expire(at(now), EVERY_EVENT, 4).await.unwrap();
        assert!(step <= 4, "{step} at once");
        dropped += step + store.expire(at(now), EVERY_EVENT, 100).await.unwrap();
        assert!(dropped <= u64::try_from(over).unwrap(), "{dropped} of {over} at {now}");
        if now < 10 {
            assert!(!store.remember(&tenant(), "jti", &digest(1), at(10), at(now)).await.unwrap());
        }
        if now == 3_600 {
            assert!([30, 50].contains(&dropped), "{dropped} at {now}: all, or all but the codes and values");
        }
        assert_eq!(store.session(&tenant(), &digest(1), at(now)).await.unwrap().is_some(), now < 100);
        if now < 20 {
            assert_eq!(store.standing(&tenant(), &token(1, None, 1)).await.unwrap(), Standing::Revoked);
        }
        if now < 60 {
            let again = store.redeem(&tenant(), redemption(5, 99), at(now)).await.unwrap();
            assert_eq!(again, Spend::Spent(grant_id(5)));
        }
    }
    assert_eq!(dropped, 50, "all of it is gone in the end");
    assert!(store.grant(&tenant(), grant_id(1)).await.unwrap().is_some());
}

/// A day longer than the grant itself, revoked or not.
pub async fn a_grant_is_kept_while_its_tokens_may_live(store: Under) {
    for n in 1..4 {
        store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
    }
    store.revoke_grant(&tenant(), grant_id(2), at(900)).await.unwrap();
    store.rotate(&tenant(), grant_id(3), 0, GRACE, at(900)).await.unwrap();
    // The codes alone.
    assert_eq!(store.expire(at(999).plus(DAY), EVERY_EVENT, 100).await.unwrap(), 3);
    assert!(matches!(store.standing(&tenant(), &token(1, Some(1), 1)).await.unwrap(), Standing::Good(Some(_))));
    assert_eq!(store.standing(&tenant(), &token(2, Some(2), 1)).await.unwrap(), Standing::Revoked);
    assert_eq!(store.expire(at(1_000).plus(DAY), EVERY_EVENT, 100).await.unwrap(), 2);
    for gone in [1, 2] {
        assert_eq!(store.grant(&tenant(), grant_id(gone)).await.unwrap(), None);
        assert_eq!(store.standing(&tenant(), &token(gone, Some(gone), 1)).await.unwrap(), Standing::Revoked);
        assert_eq!(store.rotate(&tenant(), grant_id(gone), 0, GRACE, at(1)).await.unwrap(), Rotation::Unknown);
    }
    assert!(store.grant(&tenant(), grant_id(3)).await.unwrap().is_some(), "it was refreshed");
    assert_eq!(store.expire(at(1_899).plus(DAY), EVERY_EVENT, 100).await.unwrap(), 0);
    assert_eq!(store.expire(at(1_900).plus(DAY), EVERY_EVENT, 100).await.unwrap(), 1);
    let again = store.redeem(&tenant(), redemption(1, 7), START).await.unwrap();
    assert!(matches!(again, Spend::Fresh(_)), "the code is forgotten; it has expired long ago");
    let cut_off = GrantsOf::Client(&client(1));
    assert_eq!(store.revoke_all(&tenant(), cut_off, token_id(1), at(1), START).await.unwrap(), 1);
}
