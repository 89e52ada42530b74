//! How an authorization request may reach the authorization endpoint (RFC 9101 10.5, RFC 9126 6).

use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::value::{CodeId, UserCode};
use serde::{Deserialize, Serialize};

/// How a request reached the authorization endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// In the query or form that the browser brought, where anybody could write it.
    Plain,
    /// In a request object, by value or by reference (RFC 9101 5).
    Signed,
    /// Pushed before (RFC 9126).
    Pushed {
        /// Names what was pushed, which can be used for one authorization.
        id: CodeId,
        /// Whether it was pushed as a request object (RFC 9126 3).
        signed: bool,
    },
    /// Sent by a device, and opened with the code that it shows (RFC 8628 3.1).
    Device {
        /// Names the device.
        id: CodeId,
        /// What it shows.
        user_code: UserCode,
    },
}

/// Whether this client may ask in this way (RFC 9126 6; RFC 9101 10.5; FAPI 2.0 Security Profile 5.3.2.2, Message
/// Signing 5.3.1).
pub fn admit(client: &ClientMetadata, source: &Source) -> Result<(), Refusal> {
    let (is_pushed, is_signed) = match source {
        Source::Plain => (false, false),
        Source::Signed => (false, true),
        Source::Pushed { signed, .. } => (true, *signed),
        // Like a pushed request it came from the client itself.
        Source::Device { .. } => (true, false),
    };
    if !is_pushed && (client.require_pushed_authorization_requests || client.profile.requires_pushed_requests()) {
        return Err(Refusal::PushedRequestRequired);
    }
    if !is_signed && (client.require_signed_request_object || client.profile.requires_signed_requests()) {
        return Err(Refusal::RequestObjectRequired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::value::{ClientId, TenantName};

    /// For a plain request, a signed one, a pushed one and one that is both.
    fn admitted(change: impl FnOnce(&mut ClientMetadata)) -> [Result<(), Refusal>; 4] {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("a").unwrap());
        change(&mut client);
        let pushed = |signed| Source::Pushed { id: CodeId::from_bytes([1; 16]), signed };
        [Source::Plain, Source::Signed, pushed(false), pushed(true)].map(|source| admit(&client, &source))
    }

    const PUSH: Result<(), Refusal> = Err(Refusal::PushedRequestRequired);
    const SIGN: Result<(), Refusal> = Err(Refusal::RequestObjectRequired);

    #[test]
    fn rfc9126_6_who_is_to_push_may_not_ask_otherwise() {
        assert_eq!(
            admitted(|client| client.require_pushed_authorization_requests = true),
            [PUSH, PUSH, Ok(()), Ok(())]
        );
    }

    #[test]
    fn rfc9101_10_5_who_is_to_sign_may_not_ask_otherwise() {
        assert_eq!(admitted(|client| client.require_signed_request_object = true), [SIGN, Ok(()), SIGN, Ok(())]);
    }

    #[test]
    fn fapi2_security_profile_5_3_2_2_requests_are_pushed_and_by_message_signing_5_3_1_signed() {
        for profile in [Profile::OAuth21, Profile::Oidc] {
            assert_eq!(admitted(|client| client.profile = profile), [Ok(()), Ok(()), Ok(()), Ok(())]);
        }
        assert_eq!(admitted(|client| client.profile = Profile::Fapi2), [PUSH, PUSH, Ok(()), Ok(())]);
        assert_eq!(admitted(|client| client.profile = Profile::Fapi2MessageSigning), [PUSH, PUSH, SIGN, Ok(())]);
    }
}
