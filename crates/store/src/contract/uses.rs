//! When credentials were used last.

use super::Subject as Under;
use super::samples::{at, client, declared_client, other_tenant, tenant};
use crate::{Change, LONGEST_CREDENTIAL_NAME};
use grantor_protocol::directory::Tenant;
use grantor_protocol::value::{TenantName, UnixTime};
use std::collections::BTreeMap;

/// By its name, of each client in each tenant; whatever is written after a use finds it there.
pub async fn the_last_use_of_each_credential_is_known(store: Under) {
    declare(&store).await;
    let (key, secret) = ("GitHub: main", "2023-11-14T22:13:20Z");
    store.note_use(&tenant(), &client(1), key, at(1));
    store.note_use(&tenant(), &client(1), secret, at(2));
    store.note_use(&tenant(), &client(2), key, at(3));
    store.note_use(&other_tenant(), &client(1), key, at(4));
    assert_eq!(uses(&store, &tenant(), 1).await, last([(key, at(1)), (secret, at(2))]));
    assert_eq!(uses(&store, &tenant(), 2).await, last([(key, at(3))]));
    assert_eq!(uses(&store, &other_tenant(), 1).await, last([(key, at(4))]));
    assert_eq!(uses(&store, &other_tenant(), 2).await, last([]));
}

/// Whatever the order in which they come.
pub async fn a_later_use_wins_and_a_minute_is_one_use(store: Under) {
    declare(&store).await;
    for (now, stays) in [(100, 100), (101, 100), (160, 100), (161, 161), (100, 161), (0, 161), (221, 161), (900, 900)] {
        store.note_use(&tenant(), &client(1), "key", at(now));
        assert_eq!(uses(&store, &tenant(), 1).await, last([("key", at(stays))]), "at {now}");
    }
}

/// In bytes, not in characters.
pub async fn a_name_that_is_too_long_is_not_noted(store: Under) {
    declare(&store).await;
    let longest = "ä".repeat(LONGEST_CREDENTIAL_NAME / 2);
    store.note_use(&tenant(), &client(1), &longest, at(1));
    store.note_use(&tenant(), &client(1), &format!("{longest}x"), at(1));
    assert_eq!(uses(&store, &tenant(), 1).await, last([(longest.as_str(), at(1))]));
}

/// A request in flight notes nothing of it, and a client of the same name begins anew.
pub async fn a_deleted_client_takes_its_uses_with_it(store: Under) {
    declare(&store).await;
    note_all(&store);
    store.change_directory(vec![Change::DeleteClient(tenant(), client(1))], None).await.unwrap();
    store.note_use(&tenant(), &client(1), "key", at(2));
    assert_eq!(uses(&store, &tenant(), 1).await, last([]));
    assert_eq!(uses(&store, &tenant(), 2).await, last([("key", at(1))]));
    assert_eq!(uses(&store, &other_tenant(), 1).await, last([("key", at(1))]));
    declare(&store).await;
    assert_eq!(uses(&store, &tenant(), 1).await, last([]));
    store.note_use(&tenant(), &client(1), "key", at(3));
    assert_eq!(uses(&store, &tenant(), 1).await, last([("key", at(3))]));
}

/// And a tenant of the same name begins anew.
pub async fn a_deleted_tenant_takes_its_uses_with_it(store: Under) {
    declare(&store).await;
    note_all(&store);
    store.change_directory(vec![Change::DeleteTenant(tenant())], None).await.unwrap();
    store.note_use(&tenant(), &client(2), "key", at(2));
    // A use is written when the store comes to it: one that still waits would be of the client that is declared next.
    assert_eq!(uses(&store, &tenant(), 2).await, last([]));
    declare(&store).await;
    for n in [1, 2] {
        assert_eq!(uses(&store, &tenant(), n).await, last([]));
        assert_eq!(uses(&store, &other_tenant(), n).await, last([("key", at(1))]));
    }
}

/// Two tenants alike, with clients 1 and 2.
async fn declare(store: &Under) {
    for here in [tenant(), other_tenant()] {
        let changes = vec![
            Change::PutTenant(Tenant::new(here.clone())),
            Change::PutClient(declared_client(here.clone(), 1)),
            Change::PutClient(declared_client(here, 2)),
        ];
        store.change_directory(changes, None).await.unwrap();
    }
}

fn note_all(store: &Under) {
    for here in [tenant(), other_tenant()] {
        for n in [1, 2] {
            store.note_use(&here, &client(n), "key", at(1));
        }
    }
}

/// Once everything that was noted is written.
async fn uses(store: &Under, here: &TenantName, of: u64) -> BTreeMap<String, UnixTime> {
    store.record(vec![]).await.unwrap();
    store.last_uses(here, &client(of)).await.unwrap()
}

fn last<const N: usize>(uses: [(&str, UnixTime); N]) -> BTreeMap<String, UnixTime> {
    uses.map(|(credential, time)| (credential.to_owned(), time)).into()
}
