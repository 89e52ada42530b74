//! The audit log.

use super::Subject as Under;
use super::samples::{event, event_id, other_tenant, tenant};

/// By their identifiers, in pages, each tenant its own.
pub async fn events_are_read_in_order(store: Under) {
    store.record(vec![event(tenant(), 2), event(tenant(), 1), event(other_tenant(), 3)]).await.unwrap();
    store.record(vec![event(tenant(), 4)]).await.unwrap();
    store.record(vec![]).await.unwrap();
    let read = async |after: Option<u64>, limit| store.events(&tenant(), after.map(event_id), limit).await.unwrap();
    assert_eq!(read(None, 10).await, [1, 2, 4].map(|n| event(tenant(), n)));
    assert_eq!(read(None, 2).await, [1, 2].map(|n| event(tenant(), n)));
    assert_eq!(read(Some(2), 10).await, [event(tenant(), 4)]);
    assert_eq!(read(Some(3), 10).await, [event(tenant(), 4)]);
    assert_eq!(read(Some(4), 10).await, []);
    assert_eq!(store.events(&other_tenant(), None, 10).await.unwrap(), [event(other_tenant(), 3)]);
}

/// Whatever is written after it finds it there.
pub async fn a_noted_event_is_written_with_the_next_commit(store: Under) {
    for n in 0..50 {
        store.note(event(tenant(), n));
    }
    store.record(vec![event(tenant(), 50)]).await.unwrap();
    let events = store.events(&tenant(), None, 100).await.unwrap();
    assert_eq!(events, (0..=50).map(|n| event(tenant(), n)).collect::<Vec<_>>());
}
