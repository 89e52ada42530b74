//! Devices in memory.

use super::MemoryStore;
use crate::{Devices, Result};
use async_trait::async_trait;
use grantor_protocol::grant::authorization_code::Code;
use grantor_protocol::grant::device_code::{Device, INTERVAL, Poll, SLOWER};
use grantor_protocol::value::{CodeId, Seconds, TenantName, UnixTime, UserCode};

/// A device, and what was said to it.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) device: Device,
    interval: Seconds,
    next: UnixTime,
    answer: Option<Answer>,
}

#[derive(Clone, Debug, PartialEq)]
enum Answer {
    Denied,
    Allowed(Box<Code>),
}

#[async_trait]
impl Devices for MemoryStore {
    async fn open_device(&self, tenant: &TenantName, device: Device, now: UnixTime) -> Result<bool> {
        let mut state = self.lock();
        let key = (tenant.clone(), device.user_code);
        let taken = |held: &Waiting| now < held.device.expires && held.device.id != device.id;
        if state.devices.get(&key).is_some_and(taken) {
            return Ok(false);
        }
        let next = now.plus(INTERVAL);
        state.devices.insert(key, Waiting { device, interval: INTERVAL, next, answer: None });
        Ok(true)
    }

    async fn device(&self, tenant: &TenantName, user_code: UserCode, now: UnixTime) -> Result<Option<Device>> {
        let state = self.lock();
        let found = state.devices.get(&(tenant.clone(), user_code));
        let waits = |waiting: &&Waiting| {
            now < waiting.device.expires
                && waiting.answer.is_none()
                && !state.before_epoch(waiting.device.id.as_bytes())
        };
        Ok(found.filter(waits).map(|waiting| waiting.device.clone()))
    }

    async fn answer_device(
        &self,
        tenant: &TenantName,
        device: CodeId,
        allowed: Option<Box<Code>>,
        now: UnixTime,
    ) -> Result<bool> {
        let mut state = self.lock();
        let before_epoch = state.before_epoch(device.as_bytes());
        let mut held = state.devices.iter_mut().filter(|((at, _), held)| at == tenant && held.device.id == device);
        let Some((_, waiting)) = held.next().filter(|(_, held)| now < held.device.expires && !before_epoch) else {
            return Ok(false);
        };
        let answer = allowed.map_or(Answer::Denied, Answer::Allowed);
        Ok(*waiting.answer.get_or_insert_with(|| answer.clone()) == answer)
    }

    async fn poll_device(&self, tenant: &TenantName, device: CodeId, now: UnixTime) -> Result<Poll> {
        let mut state = self.lock();
        let before_epoch = state.before_epoch(device.as_bytes());
        let mut held = state.devices.iter_mut().filter(|((at, _), held)| at == tenant && held.device.id == device);
        let Some((_, waiting)) = held.next().filter(|(_, held)| now < held.device.expires && !before_epoch) else {
            return Ok(Poll::Unknown);
        };
        Ok(match &waiting.answer {
            Some(Answer::Denied) => Poll::Denied,
            Some(Answer::Allowed(code)) => Poll::Allowed(code.clone()),
            None => {
                let early = now < waiting.next;
                if early {
                    waiting.interval = Seconds::new(waiting.interval.get().saturating_add(SLOWER.get()));
                }
                waiting.next = now.plus(waiting.interval);
                if early { Poll::SlowDown } else { Poll::Pending }
            }
        })
    }
}
