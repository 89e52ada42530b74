//! Codes are spent once, grants rotate and are taken back.

use super::Subject as Under;
use super::samples::{
    DAY, GRACE, START, at, client, elsewhere, grant_id, other_tenant, redeemed, redemption, redemption_by, subject,
    tenant, terms, token, token_id, user,
};
use crate::{Change, GrantsOf, Store};
use grantor_protocol::grant::{Grant, OwnedGrant, Presented, Rotation, Spend, Standing};
use grantor_protocol::value::{Seconds, UnixTime};

/// The first redemption makes the grant, any other takes it back.
pub async fn rfc6749_4_1_2_a_code_is_spent_once(store: Under) {
    let fresh = Grant::new(grant_id(1), terms(1, 1));
    assert_eq!(store.redeem(&tenant(), redemption(1, 1), START).await.unwrap(), Spend::Fresh(fresh.clone()));
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap(), Some(fresh.clone()));
    for again in 2..4 {
        let spent = store.redeem(&tenant(), redemption(1, again), at(5)).await.unwrap();
        assert_eq!(spent, Spend::Spent(grant_id(1)));
        assert_eq!(store.grant(&tenant(), grant_id(again)).await.unwrap(), None, "a replay makes no grant");
    }
    let log = store.events(&tenant(), None, 10).await.unwrap();
    assert_eq!(log, [redeemed(tenant(), 1)], "the grant is in the audit log, and no replay");
    let revoked = store.grant(&tenant(), grant_id(1)).await.unwrap().unwrap();
    assert_eq!(revoked, Grant { revoked: Some(at(5)), ..fresh });
    assert_eq!(rotate(&*store, 1, 0, at(6)).await, Rotation::Revoked);
    let other = store.redeem(&tenant(), redemption(2, 4), START).await.unwrap();
    assert!(matches!(other, Spend::Fresh(_)), "another code is another matter");
}

/// Rotation moves the generation on, and says so for good.
pub async fn rfc6749_6_a_refresh_gives_the_next_generation(store: Under) {
    let mut grant = make(&*store, 1).await;
    for generation in 0..5 {
        grant = grant.rotated(at(10 + generation));
        assert_eq!(rotate(&*store, 1, generation, at(10 + generation)).await, Rotation::Rotated(grant.renewal()));
        assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap(), Some(grant.clone()));
    }
}

/// Each refresh puts the end off, up to the absolute one.
pub async fn rfc6749_6_a_grant_expires_when_idle_and_absolutely(store: Under) {
    make(&*store, 1).await;
    make(&*store, 2).await;
    assert_eq!(rotate(&*store, 1, 0, at(1_000)).await, Rotation::Expired);
    assert!(matches!(rotate(&*store, 2, 0, at(999)).await, Rotation::Rotated(_)));
    assert!(matches!(rotate(&*store, 2, 1, at(1_998)).await, Rotation::Rotated(_)));
    assert_eq!(rotate(&*store, 2, 2, at(2_500)).await, Rotation::Expired);
    assert!(matches!(rotate(&*store, 2, 2, at(2_499)).await, Rotation::Rotated(_)));
    assert_eq!(rotate(&*store, 3, 0, START).await, Rotation::Unknown);
}

/// A lost answer logs nobody out.
pub async fn rfc9700_4_14_2_the_generation_just_replaced_is_repeated_inside_the_grace_window(store: Under) {
    let grant = make(&*store, 1).await.rotated(at(10));
    rotate(&*store, 1, 0, at(10)).await;
    assert_eq!(rotate(&*store, 1, 0, at(39)).await, Rotation::Repeated(grant.renewal()));
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap(), Some(grant.clone()), "repeating changes nothing");
    assert_eq!(rotate(&*store, 1, 2, at(39)).await, Rotation::Unknown);
    let reused = Grant { revoked: Some(at(40)), ..grant };
    assert_eq!(rotate(&*store, 1, 0, at(40)).await, Rotation::Reused);
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap(), Some(reused));
}

/// Reuse is theft until the contrary is proved.
pub async fn rfc9700_4_14_2_an_outdated_generation_revokes_the_grant(store: Under) {
    let grant = make(&*store, 1).await.rotated(at(1)).rotated(at(2));
    rotate(&*store, 1, 0, at(1)).await;
    rotate(&*store, 1, 1, at(2)).await;
    assert_eq!(rotate(&*store, 1, 0, at(3)).await, Rotation::Reused);
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap(), Some(Grant { revoked: Some(at(3)), ..grant }));
    assert_eq!(rotate(&*store, 1, 2, at(3)).await, Rotation::Revoked, "the good generation falls too");
}

/// Nothing brings it back.
pub async fn rfc7009_2_1_a_revoked_grant_stays_revoked(store: Under) {
    make(&*store, 1).await;
    assert!(store.revoke_grant(&tenant(), grant_id(1), at(1)).await.unwrap());
    assert!(!store.revoke_grant(&tenant(), grant_id(1), at(2)).await.unwrap());
    assert!(!store.revoke_grant(&tenant(), grant_id(9), at(2)).await.unwrap());
    assert_eq!(store.grant(&tenant(), grant_id(1)).await.unwrap().unwrap().revoked, Some(at(1)));
    for generation in 0..3 {
        assert_eq!(rotate(&*store, 1, generation, at(2)).await, Rotation::Revoked);
    }
    make(&*store, 2).await;
    assert!(!store.revoke_grant(&tenant(), grant_id(2), at(1_000)).await.unwrap(), "it had expired");
    assert_eq!(store.grant(&tenant(), grant_id(2)).await.unwrap().unwrap().revoked, Some(at(1_000)));
}

/// [`Grant::present`] is the rule, and the backend's statement must say the same.
pub async fn every_presentation_is_as_the_rule_says(store: Under) {
    let mut n = 0;
    for rotations in 0..3 {
        for revoked in [false, true] {
            for presented in 0..4 {
                for now in [0, 9, 10, 11, 39, 40, 41, 999, 1_009, 1_010, 2_500] {
                    for grace in [0, 1, 30, u32::MAX] {
                        n += 1;
                        make(&*store, n).await;
                        for generation in 0..rotations {
                            rotate(&*store, n, generation, at(10)).await;
                        }
                        if revoked {
                            store.revoke_grant(&tenant(), grant_id(n), at(10)).await.unwrap();
                        }
                        one_presentation(&*store, n, presented, at(now), Seconds::new(grace)).await;
                    }
                }
            }
        }
    }
}

async fn one_presentation(store: &dyn Store, n: u64, generation: u32, now: UnixTime, grace: Seconds) {
    let before = store.grant(&tenant(), grant_id(n)).await.unwrap().unwrap();
    let (rotated, taken_back) = (before.clone().rotated(now), Grant { revoked: Some(now), ..before.clone() });
    let (said, after) = match before.present(generation, now, grace) {
        Presented::Current => (Rotation::Rotated(rotated.renewal()), rotated),
        Presented::Repeated => (Rotation::Repeated(before.renewal()), before.clone()),
        Presented::Reused => (Rotation::Reused, taken_back),
        Presented::Revoked => (Rotation::Revoked, before.clone()),
        Presented::Expired => (Rotation::Expired, before.clone()),
        Presented::Unknown => (Rotation::Unknown, before.clone()),
    };
    let rotation = store.rotate(&tenant(), grant_id(n), generation, grace, now).await.unwrap();
    assert_eq!(rotation, said, "generation {generation} at {now} of {before:?}");
    assert_eq!(store.grant(&tenant(), grant_id(n)).await.unwrap(), Some(after));
}

/// Those that stand, of whomever was meant.
pub async fn grants_are_listed_youngest_first(store: Under) {
    populate(&*store).await;
    assert_eq!(listed(&*store, GrantsOf::Subject(&subject(1)), 10).await, [5, 3, 1]);
    assert_eq!(listed(&*store, GrantsOf::Subject(&subject(1)), 2).await, [5, 3]);
    assert_eq!(listed(&*store, GrantsOf::Client(&client(1)), 10).await, [5, 4, 1]);
    assert_eq!(listed(&*store, GrantsOf::Application(&subject(1), &client(1)), 10).await, [5, 1]);
    assert!(listed(&*store, GrantsOf::Client(&client(9)), 10).await.is_empty());
    store.revoke_grant(&tenant(), grant_id(5), START).await.unwrap();
    assert_eq!(listed(&*store, GrantsOf::Subject(&subject(1)), 10).await, [3, 1]);
    let late = store.grants(&tenant(), GrantsOf::Subject(&subject(1)), at(1_000), 10).await.unwrap();
    assert_eq!(late, [], "all have expired");
}

/// A user's, a client's, or what one allowed the other.
pub async fn revoking_all_takes_what_is_meant_and_nothing_else(store: Under) {
    populate(&*store).await;
    let (user, app) = (subject(1), client(1));
    for n in 1..4 {
        store
            .record_consent(
                &tenant(),
                &subject(n),
                &client(n % 2),
                &super::samples::access("a"),
                &super::samples::access("a"),
                START,
            )
            .await
            .unwrap();
    }
    let revoke = async |of| store.revoke_all(&tenant(), of, token_id(1), START.plus(DAY), at(1)).await.unwrap();
    assert_eq!(revoke(GrantsOf::Application(&user, &app)).await, 2);
    assert_eq!(revoke(GrantsOf::Application(&user, &app)).await, 0);
    assert_eq!(store.consent(&tenant(), &user, &app).await.unwrap(), None, "he is asked again");
    assert!(store.consent(&tenant(), &subject(3), &app).await.unwrap().is_some());
    assert_eq!(listed(&*store, GrantsOf::Subject(&user), 10).await, [3]);
    assert_eq!(listed(&*store, GrantsOf::Client(&app), 10).await, [4]);
    assert_eq!(revoke(GrantsOf::Subject(&user)).await, 1);
    assert_eq!(listed(&*store, GrantsOf::Client(&client(2)), 10).await, [2]);
    assert_eq!(revoke(GrantsOf::Client(&client(2))).await, 1);
    assert_eq!(listed(&*store, GrantsOf::Subject(&subject(2)), 10).await, [4]);
    assert_eq!(rotate(&*store, 5, 0, at(2)).await, Rotation::Revoked);
    assert!(matches!(rotate(&*store, 4, 0, at(2)).await, Rotation::Rotated(_)));
}

/// Neither by name nor by code.
pub async fn grants_of_one_tenant_mean_nothing_to_another(store: Under) {
    make(&*store, 1).await;
    let (here, there) = (tenant(), other_tenant());
    assert_eq!(store.grant(&there, grant_id(1)).await.unwrap(), None);
    assert_eq!(store.rotate(&there, grant_id(1), 0, GRACE, START).await.unwrap(), Rotation::Unknown);
    assert!(!store.revoke_grant(&there, grant_id(1), START).await.unwrap());
    for of in
        [GrantsOf::Subject(&subject(1)), GrantsOf::Client(&client(1)), GrantsOf::Application(&subject(1), &client(1))]
    {
        assert_eq!(store.grants(&there, of, START, 10).await.unwrap(), []);
        assert_eq!(store.revoke_all(&there, of, token_id(0), at(100), START).await.unwrap(), 0);
    }
    let same_names = store.redeem(&there, elsewhere(&there, redemption(1, 1)), START).await.unwrap();
    assert!(matches!(same_names, Spend::Fresh(_)));
    store.redeem(&there, elsewhere(&there, redemption(1, 2)), START).await.unwrap();
    assert_eq!(store.grant(&here, grant_id(1)).await.unwrap().unwrap().revoked, None);
    assert!(matches!(rotate(&*store, 1, 0, START).await, Rotation::Rotated(_)));
}

/// As he is at that moment, and of the tenant that the grant is of.
pub async fn a_grant_comes_with_its_owner(store: Under) {
    let grant = make(&*store, 1).await;
    let owner = async || store.owned_grant(&tenant(), grant_id(1)).await.unwrap().unwrap();
    assert_eq!(owner().await, OwnedGrant { grant: grant.clone(), owner: None });
    let elsewhere = Change::PutUser(user(other_tenant(), 1, "ann"));
    store.change_directory(vec![elsewhere], None).await.unwrap();
    assert_eq!(owner().await.owner, None);
    for name in ["bea", "carl"] {
        let one = user(tenant(), 1, name);
        store.change_directory(vec![Change::PutUser(one.clone())], None).await.unwrap();
        assert_eq!(owner().await, OwnedGrant { grant: grant.clone(), owner: Some(one.clone()) });
        let standing = store.standing(&tenant(), &token(2, Some(1), 1)).await.unwrap();
        assert_eq!(standing, Standing::Good(Some(Box::new(owner().await))));
    }
    store.revoke_grant(&tenant(), grant_id(1), at(5)).await.unwrap();
    assert_eq!(owner().await.grant, store.grant(&tenant(), grant_id(1)).await.unwrap().unwrap(), "revoked or not");
    assert_eq!(store.owned_grant(&tenant(), grant_id(2)).await.unwrap(), None);
    assert_eq!(store.owned_grant(&other_tenant(), grant_id(1)).await.unwrap(), None);
}

/// Users 1 and 2, clients 1 and 2; grant 5 is a second one of user 1 for client 1.
async fn populate(store: &dyn Store) {
    for (n, of, to) in [(1, 1, 1), (2, 2, 2), (3, 1, 2), (4, 2, 1), (5, 1, 1)] {
        store.redeem(&tenant(), redemption_by(n, n, of, to), START).await.unwrap();
    }
}

async fn listed(store: &dyn Store, of: GrantsOf<'_>, limit: usize) -> Vec<u64> {
    store.grants(&tenant(), of, at(1), limit).await.unwrap().iter().map(|grant| grant.id.millis()).collect()
}

async fn make(store: &dyn Store, n: u64) -> Grant {
    store.redeem(&tenant(), redemption(n, n), START).await.unwrap();
    store.grant(&tenant(), grant_id(n)).await.unwrap().unwrap()
}

async fn rotate(store: &dyn Store, n: u64, generation: u32, now: UnixTime) -> Rotation {
    store.rotate(&tenant(), grant_id(n), generation, GRACE, now).await.unwrap()
}
