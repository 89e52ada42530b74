//! Device authorization (RFC 8628): for programs on machines without a browser.

use crate::ask::Ask;
use crate::client::{Client, Identified};
use crate::device::{DeviceAuthorization, Next};
use crate::error::{Error, Result};
use crate::grant::Grant;
use crate::http::Form;
use crate::provider::Endpoint;
use crate::{random, token};
use std::time::Duration;

/// RFC 8628 3.4.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

impl Client {
    /// Begins a sign-in on another device: what the user must be told (RFC 8628 3.1).
    pub async fn begin_device(&self, ask: &Ask) -> Result<DeviceAuthorization> {
        let mut form = Form::default();
        ask.add_to(&mut form);
        let asked_at = random::now();
        let answer = self.post(Endpoint::DeviceAuthorization, &form).await?;
        if answer.status != 200 {
            return Err(token::refused(&answer));
        }
        Ok(DeviceAuthorization::parse(&answer.body, asked_at)?)
    }

    /// Waits until the user has decided (RFC 8628 3.4, 3.5), no longer than the code lives.
    pub async fn wait_for_device(&self, device: &DeviceAuthorization, ask: &Ask) -> Result<Grant> {
        let mut form = Form::default();
        form.add("grant_type", GRANT_TYPE);
        form.add("device_code", device.device_code.expose());
        let mut polling = device.polling();
        let mut wait = polling.interval();
        loop {
            tokio::time::sleep(Duration::from_secs(wait.get().into())).await;
            let identified = Identified { asked: Some(&ask.scope), ..Identified::default() };
            let (next, error) = match self.token(&form, identified).await {
                Ok(grant) => return Ok(grant),
                Err(Error::Refused(refused)) => {
                    (polling.refused(&refused.code, random::now()), Error::Refused(refused))
                }
                Err(error @ Error::Transport { .. }) => (polling.unreachable(random::now()), error),
                Err(other) => return Err(other),
            };
            match next {
                Next::Wait(longer) => wait = longer,
                Next::Stop(problem) => return Err(problem.into()),
                Next::Other => return Err(error),
            }
        }
    }
}
