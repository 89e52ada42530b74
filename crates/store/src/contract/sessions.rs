//! Sessions, consents and remembered values.

use super::Subject as Under;
use super::samples::{START, access, at, client, digest, other_tenant, session, subject, tenant};
use grantor_protocol::grant::Consent;

/// It is there until the second in which it ends.
pub async fn a_session_lives_until_it_ends(store: Under) {
    store.open_session(session(1, 1), None).await.unwrap();
    assert_eq!(store.session(&tenant(), &digest(1), at(99)).await.unwrap(), Some(session(1, 1)));
    assert_eq!(store.session(&tenant(), &digest(1), at(100)).await.unwrap(), None);
    assert_eq!(store.session(&tenant(), &digest(2), START).await.unwrap(), None);
    assert_eq!(store.session(&other_tenant(), &digest(1), START).await.unwrap(), None);
    store.close_session(&other_tenant(), &digest(1)).await.unwrap();
    assert!(store.session(&tenant(), &digest(1), START).await.unwrap().is_some());
    store.close_session(&tenant(), &digest(1)).await.unwrap();
    assert_eq!(store.session(&tenant(), &digest(1), START).await.unwrap(), None);
}

/// The old key is worth nothing afterwards, in this tenant.
pub async fn signing_in_again_replaces_the_session(store: Under) {
    let mut elsewhere = session(1, 1);
    elsewhere.tenant = other_tenant();
    store.open_session(elsewhere.clone(), None).await.unwrap();
    store.open_session(session(1, 1), None).await.unwrap();
    store.open_session(session(2, 1), Some(digest(1))).await.unwrap();
    assert_eq!(store.session(&tenant(), &digest(1), START).await.unwrap(), None);
    assert_eq!(store.session(&tenant(), &digest(2), START).await.unwrap(), Some(session(2, 1)));
    assert_eq!(store.session(&other_tenant(), &digest(1), START).await.unwrap(), Some(elsewhere));
    store.open_session(session(2, 3), Some(digest(2))).await.unwrap();
    assert_eq!(store.session(&tenant(), &digest(2), START).await.unwrap(), Some(session(2, 3)), "its own key");
}

/// And only his, in this tenant.
pub async fn every_session_of_a_user_can_be_ended(store: Under) {
    for (key, of) in [(1, 1), (2, 1), (3, 2)] {
        store.open_session(session(key, of), None).await.unwrap();
    }
    store.close_sessions(&other_tenant(), &subject(1)).await.unwrap();
    assert!(store.session(&tenant(), &digest(1), START).await.unwrap().is_some());
    store.close_sessions(&tenant(), &subject(1)).await.unwrap();
    for (key, stays) in [(1, false), (2, false), (3, true)] {
        assert_eq!(store.session(&tenant(), &digest(key), START).await.unwrap().is_some(), stays);
    }
}

/// What was allowed once stays allowed unless it is asked again and not allowed; the last used comes first.
pub async fn consents_add_up(store: Under) {
    let (user, here) = (subject(1), tenant());
    assert_eq!(store.consent(&here, &user, &client(1)).await.unwrap(), None);
    store.record_consent(&here, &user, &client(1), &access("a b"), &access("a b"), at(1)).await.unwrap();
    store.record_consent(&here, &user, &client(2), &access("a"), &access("a"), at(2)).await.unwrap();
    store.record_consent(&here, &user, &client(1), &access("a b c"), &access("b c"), at(3)).await.unwrap();
    store.record_consent(&here, &subject(2), &client(1), &access("d"), &access("d"), at(4)).await.unwrap();
    let consent = |to, scope, first, last| Consent {
        subject: subject(1),
        client: client(to),
        access: access(scope),
        first: at(first),
        last: at(last),
    };
    let (one, two) = (consent(1, "b c", 1, 3), consent(2, "a", 2, 2));
    assert_eq!(store.consent(&here, &user, &client(1)).await.unwrap(), Some(one.clone()));
    assert_eq!(store.consents(&here, &user).await.unwrap(), [one, two]);
    assert_eq!(store.consent(&other_tenant(), &user, &client(1)).await.unwrap(), None);
    assert_eq!(store.consents(&other_tenant(), &user).await.unwrap(), []);
}

/// For one purpose, in one tenant.
pub async fn rfc9449_11_1_a_value_is_remembered_until_it_expires(store: Under) {
    let remember =
        async |purpose, n, now| store.remember(&tenant(), purpose, &digest(n), at(now + 10), at(now)).await.unwrap();
    assert!(remember("dpop", 1, 0).await);
    assert!(!remember("dpop", 1, 0).await);
    assert!(!remember("dpop", 1, 9).await, "and asking does not prolong it");
    assert!(remember("dpop", 2, 0).await);
    assert!(remember("assertion", 1, 0).await);
    assert!(store.remember(&other_tenant(), "dpop", &digest(1), at(10), START).await.unwrap());
    assert!(remember("dpop", 1, 10).await);
    assert!(!remember("dpop", 1, 19).await);
}
