//! Devices that wait for somebody to allow them (RFC 8628).

use super::Subject as Under;
use super::samples::{START, at, authentication, client, code_id, other_tenant, subject, tenant, token_id};
use crate::Change;
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::grant::ClaimsRequest;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, Poll};
use grantor_protocol::value::UserCode;

/// It waits until second 600.
pub(super) fn device(n: u64) -> Device {
    Device {
        id: code_id(n),
        user_code: UserCode::new(n.to_be_bytes()),
        client: client(1),
        query: format!("client_id=client-1&scope=read-{n}"),
        expires: at(600),
    }
}

/// What user `of` allowed it.
pub(super) fn allowed(n: u64, of: u64) -> Box<Code> {
    Box::new(Code {
        id: code_id(n),
        client: client(1),
        redirect_uri: None,
        challenge: None,
        expires: at(600),
        subject: subject(of),
        access: super::samples::access("read"),
        authentication: authentication(),
        sid: "sid".to_owned(),
        refreshable: true,
        nonce: None,
        claims: ClaimsRequest::default(),
        details: AuthorizationDetails::default(),
        dpop_jkt: None,
        narrowed: Vec::new(),
    })
}

/// By what the person types, until it is over or answered, in this tenant.
pub async fn rfc8628_3_3_a_device_is_found_by_its_user_code(store: Under) {
    assert!(store.open_device(&tenant(), device(1), START).await.unwrap());
    let find = |code: u64, seconds| store.device_now(code, seconds);
    assert_eq!(find(1, 599).await, Some(device(1)));
    assert_eq!((find(1, 600).await, find(2, 0).await), (None, None));
    assert_eq!(store.device(&other_tenant(), device(1).user_code, START).await.unwrap(), None);
    assert!(store.answer_device(&tenant(), code_id(1), None, START).await.unwrap());
    assert_eq!(find(1, 0).await, None, "it was answered");
}

/// Two devices never show the same code at the same time; one that is over makes room. Said twice it is as said once.
pub async fn rfc8628_5_1_a_user_code_is_one_devices(store: Under) {
    let taken = Device { id: code_id(2), ..device(1) };
    for (device, seconds, opened) in [(device(1), 0, true), (device(1), 0, true), (taken.clone(), 599, false)] {
        assert_eq!(store.open_device(&tenant(), device, at(seconds)).await.unwrap(), opened);
    }
    assert!(store.open_device(&other_tenant(), taken.clone(), START).await.unwrap());
    let later = Device { expires: at(1_200), ..taken };
    assert!(store.open_device(&tenant(), later.clone(), at(600)).await.unwrap());
    assert_eq!(store.poll_device(&tenant(), code_id(1), at(600)).await.unwrap(), Poll::Unknown);
    assert_eq!(store.device(&tenant(), later.user_code, at(600)).await.unwrap(), Some(later));
}

/// Five seconds, and five more whenever it does not wait.
pub async fn rfc8628_3_5_who_asks_too_often_waits_longer(store: Under) {
    store.open_device(&tenant(), device(1), START).await.unwrap();
    for (seconds, said) in [
        (4, Poll::SlowDown),
        // From now on it is ten.
        (13, Poll::SlowDown),
        (28, Poll::Pending),
        (43, Poll::Pending),
        (57, Poll::SlowDown),
        (77, Poll::Pending),
        (599, Poll::Pending),
        (600, Poll::Unknown),
    ] {
        assert_eq!(store.poll_device(&tenant(), code_id(1), at(seconds)).await.unwrap(), said, "at {seconds}");
    }
    assert_eq!(store.poll_device(&other_tenant(), code_id(1), at(500)).await.unwrap(), Poll::Unknown);
    assert_eq!(store.poll_device(&tenant(), code_id(2), at(500)).await.unwrap(), Poll::Unknown);
}

/// The first word counts; the same again is the same. Asking is free then.
pub async fn rfc8628_3_5_what_was_said_to_a_device_stands(store: Under) {
    for (n, first, other) in [(1, Some(allowed(1, 1)), None), (2, None, Some(allowed(2, 1)))] {
        store.open_device(&tenant(), device(n), START).await.unwrap();
        let say = |word, seconds| store.answer_device_now(n, word, seconds);
        assert!(!store.answer_device(&other_tenant(), code_id(n), first.clone(), START).await.unwrap());
        assert!(say(first.clone(), 10).await && say(first.clone(), 20).await);
        assert!(!say(other, 30).await);
        let said = first.map_or(Poll::Denied, Poll::Allowed);
        for seconds in [30, 30, 599] {
            assert_eq!(store.poll_device(&tenant(), code_id(n), at(seconds)).await.unwrap(), said);
        }
        assert_eq!(store.poll_device(&tenant(), code_id(n), at(600)).await.unwrap(), Poll::Unknown);
    }
    store.open_device(&tenant(), device(3), START).await.unwrap();
    assert!(!store.answer_device_now(3, None, 600).await, "it was over");
    assert!(!store.answer_device_now(4, None, 0).await, "it never was");
    assert!(!store.answer_device_now(1, Some(allowed(1, 2)), 40).await, "another user");
}

/// A restore does not bring back what was going on, and with a tenant all goes.
pub async fn a_device_goes_with_its_tenant_and_with_the_epoch(store: Under) {
    for here in [tenant(), other_tenant()] {
        store.open_device(&here, device(1), START).await.unwrap();
    }
    store.change_directory(vec![Change::DeleteTenant(tenant())], None).await.unwrap();
    assert_eq!(store.poll_device(&tenant(), code_id(1), at(10)).await.unwrap(), Poll::Unknown);
    assert_eq!(store.poll_device(&other_tenant(), code_id(1), at(10)).await.unwrap(), Poll::Pending);
    store.move_epoch(token_id(2)).await.unwrap();
    assert_eq!(store.poll_device(&other_tenant(), code_id(1), at(20)).await.unwrap(), Poll::Unknown);
    assert_eq!(store.device(&other_tenant(), device(1).user_code, at(20)).await.unwrap(), None);
    assert!(!store.answer_device(&other_tenant(), code_id(1), None, at(20)).await.unwrap());
}

/// Shorter words for the questions above.
trait Now {
    async fn device_now(&self, n: u64, seconds: u32) -> Option<Device>;
    async fn answer_device_now(&self, n: u64, word: Option<Box<Code>>, seconds: u32) -> bool;
}

impl Now for Under {
    async fn device_now(&self, n: u64, seconds: u32) -> Option<Device> {
        self.device(&tenant(), device(n).user_code, at(seconds)).await.unwrap()
    }

    async fn answer_device_now(&self, n: u64, word: Option<Box<Code>>, seconds: u32) -> bool {
        self.answer_device(&tenant(), code_id(n), word, at(seconds)).await.unwrap()
    }
}
