//! Device authorization (RFC 8628): signing in on another device. Pure: how often one asks, and when one stops.

use crate::provider::secure;
use crate::token::{TokenProblem, optional, required};
use grantor_jose::parse_object;
use grantor_protocol::value::{Seconds, Secret, UnixTime};
use serde_json::{Map, Value};
use url::Url;

/// What the user is told, and what the program waits with (RFC 8628 3.2). Debug does not show the device's code.
#[derive(Clone, Debug)]
pub struct DeviceAuthorization {
    /// What the user types in. To be shown with the hint to type it only where the user began the sign-in himself.
    pub user_code: String,
    /// Where.
    pub verification_uri: Url,
    /// The same with the code in it, for a QR code.
    pub verification_uri_complete: Option<Url>,
    /// When the codes end.
    pub expires: UnixTime,
    pub(crate) device_code: Secret,
    pub(crate) interval: Seconds,
}

/// Why the device flow ended without a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceProblem {
    /// `expired_token`, or nobody typed the code in time.
    #[error("nobody entered the code in time: begin again")]
    Expired,
    /// `access_denied`.
    #[error("the request was denied on the other device")]
    Denied,
}

/// How one asks again and again (RFC 8628 3.5).
#[derive(Debug)]
pub(crate) struct Polling {
    interval: Seconds,
    expires: UnixTime,
}

/// What to do about a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Wait so long, and ask again.
    Wait(Seconds),
    /// Give up.
    Stop(DeviceProblem),
    /// It is another error, which is told as it is.
    Other,
}

/// RFC 8628 3.2: when the server does not say.
const INTERVAL: Seconds = Seconds::new(5);

/// RFC 8628 3.5: by so much more with every `slow_down`.
const SLOWER: u32 = 5;

impl DeviceAuthorization {
    /// Reads a device authorization response (RFC 8628 3.2).
    pub(crate) fn parse(body: &[u8], now: UnixTime) -> Result<Self, TokenProblem> {
        let members = parse_object(body).ok_or(TokenProblem::Syntax)?;
        let url = |name, raw: &str| secure(raw).ok_or(TokenProblem::Member(name));
        let complete = optional(&members, "verification_uri_complete")?;
        let user_code = required(&members, "user_code")?;
        // It is written to a terminal.
        if user_code.is_empty() || user_code.len() > 64 || user_code.chars().any(char::is_control) {
            return Err(TokenProblem::Member("user_code"));
        }
        Ok(Self {
            user_code: user_code.to_owned(),
            verification_uri: url("verification_uri", required(&members, "verification_uri")?)?,
            verification_uri_complete: complete.map(|raw| url("verification_uri_complete", raw)).transpose()?,
            expires: now.plus(seconds(&members, "expires_in")?.ok_or(TokenProblem::Member("expires_in"))?),
            device_code: Secret::new(required(&members, "device_code")?.to_owned()),
            interval: seconds(&members, "interval")?.unwrap_or(INTERVAL),
        })
    }

    pub(crate) fn polling(&self) -> Polling {
        Polling { interval: self.interval, expires: self.expires }
    }
}

impl Polling {
    /// How long to wait before the first question.
    pub(crate) fn interval(&self) -> Seconds {
        self.interval
    }

    /// What a refusal means.
    pub(crate) fn refused(&mut self, code: &str, now: UnixTime) -> Next {
        match code {
            "authorization_pending" => self.again(now),
            "slow_down" => {
                self.interval = Seconds::new(self.interval.get().saturating_add(SLOWER));
                self.again(now)
            }
            "access_denied" => Next::Stop(DeviceProblem::Denied),
            "expired_token" => Next::Stop(DeviceProblem::Expired),
            _ => Next::Other,
        }
    }

    /// The server could not be asked: half as often (RFC 8628 3.5).
    pub(crate) fn unreachable(&mut self, now: UnixTime) -> Next {
        self.interval = Seconds::new(self.interval.get().saturating_mul(2));
        self.again(now)
    }

    fn again(&self, now: UnixTime) -> Next {
        if now.plus(self.interval) >= self.expires {
            Next::Stop(DeviceProblem::Expired)
        } else {
            Next::Wait(self.interval)
        }
    }
}

fn seconds(members: &Map<String, Value>, name: &'static str) -> Result<Option<Seconds>, TokenProblem> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let seconds = value.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    seconds.map(|seconds| Some(Seconds::new(seconds))).ok_or(TokenProblem::Member(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: UnixTime = UnixTime::new(1_000);

    fn response() -> Value {
        json!({
            "device_code": "the-device-code", "user_code": "BCDF-GHJK", "expires_in": 600, "interval": 2,
            "verification_uri": "https://id.example/device", "verification_uri_complete": "https://id.example/device?user_code=x",
        })
    }

    fn parse(response: &Value) -> Result<DeviceAuthorization, TokenProblem> {
        DeviceAuthorization::parse(response.to_string().as_bytes(), NOW)
    }

    #[test]
    fn rfc8628_3_2_a_response_is_read() {
        let device = parse(&response()).unwrap();
        assert_eq!(
            (device.user_code.as_str(), device.expires, device.interval),
            ("BCDF-GHJK", UnixTime::new(1_600), Seconds::new(2))
        );
        assert!(!format!("{device:?}").contains("the-device-code"));
        let mut plain = response();
        plain.as_object_mut().unwrap().remove("interval");
        assert_eq!(parse(&plain).unwrap().interval, INTERVAL);
    }

    #[test]
    fn rfc8628_3_2_every_member_is_of_its_type() {
        for (name, bad) in [
            ("device_code", json!(null)),
            ("user_code", json!("a\u{1b}[2J")),
            ("user_code", json!("")),
            ("verification_uri", json!("http://id.example/device")),
            ("verification_uri", json!("javascript:alert(1)")),
            ("verification_uri_complete", json!("file:///etc/passwd")),
            ("expires_in", json!("600")),
            ("expires_in", json!(null)),
            ("interval", json!(-1)),
        ] {
            let mut response = response();
            response[name] = bad.clone();
            assert_eq!(parse(&response).unwrap_err(), TokenProblem::Member(name), "{bad}");
        }
    }

    #[test]
    fn rfc8628_3_5_one_asks_no_faster_than_told_and_slower_when_told_so() {
        let mut polling = parse(&response()).unwrap().polling();
        assert_eq!(polling.interval(), Seconds::new(2));
        assert_eq!(polling.refused("authorization_pending", NOW), Next::Wait(Seconds::new(2)));
        assert_eq!(polling.refused("slow_down", NOW), Next::Wait(Seconds::new(7)));
        assert_eq!(polling.refused("authorization_pending", NOW), Next::Wait(Seconds::new(7)));
        assert_eq!(polling.refused("slow_down", NOW), Next::Wait(Seconds::new(12)));
        assert_eq!(polling.unreachable(NOW), Next::Wait(Seconds::new(24)));
    }

    #[test]
    fn rfc8628_3_5_one_stops_when_it_is_over() {
        let mut polling = parse(&response()).unwrap().polling();
        assert_eq!(polling.refused("access_denied", NOW), Next::Stop(DeviceProblem::Denied));
        assert_eq!(polling.refused("expired_token", NOW), Next::Stop(DeviceProblem::Expired));
        let late = UnixTime::new(1_598);
        assert_eq!(polling.refused("authorization_pending", late), Next::Stop(DeviceProblem::Expired));
        assert_eq!(polling.refused("invalid_client", NOW), Next::Other);
    }
}
