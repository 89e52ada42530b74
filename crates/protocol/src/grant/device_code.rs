//! The device authorization grant (RFC 8628): a device that has no browser is given a code, and a person allows it with
//! another one.
//!
//! The device code is sealed and names a row; the row holds what was asked for, how often the device asked whether it
//! has been allowed, and in the end the very [`Code`] that a browser would have been redirected with. It is
//! redeemed like any other.

use super::authorization_code::{self, Code};
use crate::authorization_details::AuthorizationDetails;
use crate::client::AuthenticatedClient;
use crate::error::Refusal;
use crate::narrow::Asked;
use crate::params::Params;
use crate::value::{ClientId, CodeId, Seconds, Secret, UnixTime, UserCode};
use serde::{Deserialize, Serialize};

/// `expires_in` (RFC 8628 3.2): long enough to find another device and to sign in there.
pub const LIFETIME: Seconds = Seconds::new(600);
/// `interval` (RFC 8628 3.2): between two polls, in seconds.
pub const INTERVAL: Seconds = Seconds::new(5);
/// What is added to it whenever the device does not keep to it (RFC 8628 3.5).
pub const SLOWER: Seconds = Seconds::new(5);

/// A device's wish, before anybody has said something to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Names it, and the code that comes of it.
    pub id: CodeId,
    /// What the person types.
    pub user_code: UserCode,
    /// Which client asks.
    pub client: ClientId,
    /// What it asks for, as [`Params::parse`] reads it.
    pub query: String,
    /// When it is over.
    pub expires: UnixTime,
}

/// What a device code holds. It travels sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceCode {
    /// [`Device::id`].
    pub id: CodeId,
    /// To whom it was issued.
    pub client: ClientId,
    /// When it is worth nothing any more.
    pub expires: UnixTime,
}

/// How it stands with a device when it asks (RFC 8628 3.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nobody has said anything yet.
    Pending,
    /// The same, and it asks more often than it was told to: from now on it must wait longer.
    SlowDown,
    /// The person said no.
    Denied,
    /// The person said yes: this is what was allowed.
    Allowed(Box<Code>),
    /// There is no such device, or not any more.
    Unknown,
}

/// RFC 8628 3.4.
#[derive(Debug)]
pub struct Request {
    /// The sealed device code.
    pub device_code: Secret,
    /// The audience of the access token.
    pub asked: Asked,
    /// Which of the authorization details it is for (RFC 9396 6).
    pub details: AuthorizationDetails,
}

impl Request {
    /// Reads the parameters.
    pub fn parse(params: &Params) -> Result<Self, Refusal> {
        let code = params.get("device_code").ok_or(Refusal::MissingParameter("device_code"))?;
        // As with authorization codes: the scope was decided when the person was asked.
        let asked = Asked { scope: None, ..Asked::parse(params)? };
        let details = AuthorizationDetails::of_params(params)?;
        Ok(Self { device_code: Secret::new(code.to_owned()), asked, details })
    }

    /// The same as a request that redeems the code which came of it.
    pub fn redeeming(&self) -> authorization_code::Request {
        authorization_code::Request {
            code: self.device_code.clone(),
            redirect_uri: None,
            verifier: None,
            asked: self.asked.clone(),
            details: self.details.clone(),
        }
    }
}

impl DeviceCode {
    /// Whether this client may ask how it stands with the device (RFC 8628 3.5).
    pub fn admit(&self, client: &AuthenticatedClient, now: UnixTime) -> Result<(), Refusal> {
        if !client.is(&self.client) {
            return Err(Refusal::DeviceCodeOfAnotherClient);
        }
        if now >= self.expires {
            return Err(Refusal::DeviceCodeExpired);
        }
        Ok(())
    }
}

impl Poll {
    /// What was allowed, or what the device is told instead (RFC 8628 3.5).
    pub fn allowed(self) -> Result<Code, Refusal> {
        match self {
            Self::Allowed(code) => Ok(*code),
            Self::Pending => Err(Refusal::AuthorizationPending),
            Self::SlowDown => Err(Refusal::PolledTooOften),
            Self::Denied => Err(Refusal::Denied),
            Self::Unknown => Err(Refusal::DeviceCodeExpired),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{AuthMethod, auth::tests};
    use crate::error::ErrorCode;

    const CODE: &str = "device_code=gr_dc_x&scope=all";

    #[test]
    fn rfc8628_3_4_the_scope_was_decided_before() {
        let request = Request::parse(&Params::parse(CODE.as_bytes()).unwrap()).unwrap();
        assert_eq!(request.asked.scope, None);
        assert_eq!(request.redeeming().code.expose(), "gr_dc_x");
        let missing = Request::parse(&Params::parse(b"").unwrap());
        assert_eq!(missing.err(), Some(Refusal::MissingParameter("device_code")));
    }

    #[test]
    fn rfc8628_3_5_a_device_code_is_one_clients_and_ends() {
        let [own, other] = ["tv", "radio"].map(|id| tests::authenticated(&tests::client(id, AuthMethod::None)));
        let code = DeviceCode {
            id: CodeId::new(1, [0; 10]),
            client: ClientId::parse("tv").unwrap(),
            expires: UnixTime::new(700),
        };
        assert_eq!(code.admit(&own, UnixTime::new(699)), Ok(()));
        assert_eq!(code.admit(&own, UnixTime::new(700)), Err(Refusal::DeviceCodeExpired));
        assert_eq!(code.admit(&other, UnixTime::new(0)), Err(Refusal::DeviceCodeOfAnotherClient));
    }

    #[test]
    fn rfc8628_3_5_what_a_device_is_told() {
        for (poll, code) in [
            (Poll::Pending, ErrorCode::AuthorizationPending),
            (Poll::SlowDown, ErrorCode::SlowDown),
            (Poll::Denied, ErrorCode::AccessDenied),
            (Poll::Unknown, ErrorCode::ExpiredToken),
        ] {
            assert_eq!(poll.allowed().unwrap_err().code(), code);
        }
    }
}
