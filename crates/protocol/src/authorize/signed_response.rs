//! Signed authorization responses: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM).

use super::mode::ResponseMode;
use super::response::AuthorizationResponse;
use crate::client::ClientMetadata;
use crate::error::Refusal;
use crate::value::{ClientId, Issuer, Seconds, UnixTime};
use serde_json::{Map, Value};

/// Whether a client may be answered in this mode (FAPI 2.0 Message Signing 5.4.1).
pub fn admit(client: &ClientMetadata, mode: ResponseMode) -> Result<(), Refusal> {
    if client.profile.requires_signed_responses() && !mode.is_signed() {
        return Err(Refusal::SignedResponseRequired);
    }
    Ok(())
}

/// The claims of a signed authorization response (JARM 2.1): every field of the response, and for whom it is, from whom
/// and for how long. What secures it is not the fields' to say.
pub fn claims(
    fields: &[(&'static str, String)],
    client: &ClientId,
    issuer: &Issuer,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims: Map<_, _> =
        fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
    claims.insert("iss".to_owned(), issuer.as_str().into());
    claims.insert("aud".to_owned(), client.as_str().into());
    claims.insert("exp".to_owned(), now.plus(LIFETIME).get().into());
    claims
}

/// The response that carries the token (JARM 2.3), and nothing beside it: `iss` and `state` stand inside (FAPI 2.0 Message
/// Signing 5.4.1, note).
pub fn wrap(answer: AuthorizationResponse, token: String) -> AuthorizationResponse {
    AuthorizationResponse { fields: vec![("response", token)], ..answer }
}

/// Read at once or never. At most 10 minutes are recommended (JARM 2.1), also by a clock that is behind.
const LIFETIME: Seconds = Seconds::new(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::value::{RedirectUri, TenantName};
    use serde_json::json;

    fn answer(mode: ResponseMode) -> AuthorizationResponse {
        AuthorizationResponse {
            redirect_uri: RedirectUri::parse("https://app.example/cb?a=1").unwrap(),
            mode,
            fields: vec![("code", "c".to_owned()), ("state", "s".to_owned()), ("iss", "https://id.example".to_owned())],
        }
    }

    fn claimed(fields: &[(&'static str, String)]) -> Value {
        let issuer = Issuer::parse("https://id.example").unwrap();
        claims(fields, &ClientId::parse("app").unwrap(), &issuer, UnixTime::new(1000)).into()
    }

    #[test]
    fn jarm_2_1_a_code_with_what_secures_it() {
        let wanted = json!({"iss": "https://id.example", "aud": "app", "exp": 1300, "code": "c", "state": "s"});
        assert_eq!(claimed(&answer(ResponseMode::Jwt).fields), wanted);
        assert!((1..=600).contains(&LIFETIME.get()));
    }

    #[test]
    fn jarm_2_1_an_error_is_secured_too() {
        let wanted = json!({"iss": "https://id.example", "aud": "app", "exp": 1300, "error": "access_denied"});
        assert_eq!(claimed(&[("error", "access_denied".to_owned())]), wanted);
    }

    #[test]
    fn jarm_2_1_no_field_takes_the_place_of_what_secures_it() {
        let forged = ["iss", "aud", "exp"].map(|name| (name, "forged".to_owned()));
        assert_eq!(claimed(&forged), json!({"iss": "https://id.example", "aud": "app", "exp": 1300}));
    }

    #[test]
    fn jarm_2_3_the_token_is_the_only_field() {
        for mode in [ResponseMode::Jwt, ResponseMode::QueryJwt] {
            let wrapped = wrap(answer(mode), "a.b.c".to_owned());
            assert_eq!(wrapped.location(), "https://app.example/cb?a=1&response=a.b.c");
            assert!(!wrapped.mode.is_posted());
        }
        let posted = wrap(answer(ResponseMode::FormPostJwt), "a.b.c".to_owned());
        assert_eq!(posted.fields, [("response", "a.b.c".to_owned())]);
        assert!(posted.mode.is_posted());
    }

    #[test]
    fn fapi2_message_signing_5_4_1_responses_are_signed() {
        let mut client = ClientMetadata::new(TenantName::default(), ClientId::parse("app").unwrap());
        for profile in Profile::ALL {
            client.profile = profile;
            for mode in ResponseMode::ALL {
                let wanted = if profile == Profile::Fapi2MessageSigning && !mode.is_signed() {
                    Err(Refusal::SignedResponseRequired)
                } else {
                    Ok(())
                };
                assert_eq!(admit(&client, mode), wanted, "{profile:?} {mode:?}");
            }
        }
    }
}
