//! How a client proves who it is (RFC 6749 2.3, RFC 7523 2.2, OpenID Connect Core 9, RFC 8705 2): pure, but for the identity
//! of a workload, which must be looked up.

use crate::error::{Error, Result};
use crate::http::Form;
use crate::provider::Provider;
use crate::workload::Workload;
use grantor_jose::jws::{self, SharedSecret};
use grantor_jose::{MacAlgorithm, SigningKey};
use grantor_protocol::value::{ClientId, Seconds, Secret, UnixTime};
use reqwest::header::HeaderValue;
use serde_json::json;
use std::sync::Arc;

/// How a client proves who it is. Debug shows no secret.
#[derive(Clone, Debug, Default)]
pub enum Authentication {
    /// It does not: a public client (RFC 6749 2.1).
    #[default]
    None,
    /// HTTP Basic with the secret (`client_secret_basic`).
    SecretBasic(Secret),
    /// The secret in the form (`client_secret_post`).
    SecretPost(Secret),
    /// A JWT under a MAC with the secret, which never goes over the wire (`client_secret_jwt`).
    SecretJwt(Secret),
    /// A JWT signed with the client's own key (`private_key_jwt`).
    PrivateKey(Arc<SigningKey>),
    /// The certificate that [`crate::Tls::identity`] shows (`tls_client_auth`, `self_signed_tls_client_auth`).
    Certificate,
    /// A token of the platform that it runs on (RFC 7523 2.2 with the platform's own assertion): no secret at all.
    Workload(Workload),
}

/// For so long is an assertion of one's own good. It is used at once.
const ASSERTION_LIFE: Seconds = Seconds::new(60);

/// `client_assertion_type` (RFC 7523 2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What a proof is made for and of.
pub(crate) struct Occasion<'a> {
    pub(crate) client: &'a ClientId,
    /// The audience of assertions: the issuer and nothing else, so that no other server can use one (rfc7523bis 4).
    pub(crate) issuer: &'a str,
    /// Fresh and random.
    pub(crate) jti: &'a Secret,
    pub(crate) now: UnixTime,
    /// The token of the platform, for a workload.
    pub(crate) platform: Option<&'a Secret>,
}

impl Authentication {
    /// By a secret, in the way that the server takes: Basic, which every server must know (RFC 6749 2.3.1), unless its
    /// metadata name others and not Basic; then the form, or the JWT where that alone is named. A client that is
    /// registered for one of them says so itself: the metadata are of the server, not of the client.
    pub fn secret(secret: Secret, provider: &Provider) -> Self {
        let named = |name: &str| provider.auth_methods.iter().flatten().any(|one| one == name);
        if named("client_secret_basic") {
            Self::SecretBasic(secret)
        } else if named("client_secret_post") {
            Self::SecretPost(secret)
        } else if named("client_secret_jwt") {
            Self::SecretJwt(secret)
        } else {
            Self::SecretBasic(secret)
        }
    }

    /// Its registered name, by which the server says whether it knows it; a workload's is that of any other assertion.
    pub const fn method(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic(_) => "client_secret_basic",
            Self::SecretPost(_) => "client_secret_post",
            Self::SecretJwt(_) => "client_secret_jwt",
            Self::PrivateKey(_) | Self::Workload(_) => "private_key_jwt",
            Self::Certificate => "tls_client_auth",
        }
    }

    /// Adds the proof to a form; what must go into `Authorization` is given back.
    pub(crate) fn prove(&self, form: &mut Form, occasion: &Occasion<'_>) -> Result<Option<HeaderValue>> {
        let client = occasion.client.as_str();
        if let Self::SecretBasic(secret) = self {
            return basic(client, secret).map(Some);
        }
        // An authorization request that is pushed names it already (RFC 9126 2.1).
        if form.get("client_id").is_none() {
            form.add("client_id", client);
        }
        let assertion = match self {
            Self::None | Self::Certificate | Self::SecretBasic(_) => None,
            Self::SecretPost(secret) => {
                form.add("client_secret", secret.expose());
                None
            }
            Self::SecretJwt(secret) => {
                let shared = SharedSecret::new(MacAlgorithm::Hs256, secret.expose().as_bytes()).map_err(|_| {
                    Error::Setup("the client's secret is too short for client_secret_jwt (RFC 7518 3.2)".to_owned())
                })?;
                Some(jws::sign_mac(&shared, "JWT", &occasion.claims()).map_err(unsigned)?)
            }
            Self::PrivateKey(key) => Some(jws::sign(key, "JWT", &occasion.claims()).map_err(unsigned)?),
            Self::Workload(_) => Some(occasion.platform.map(|token| token.expose().to_owned()).unwrap_or_default()),
        };
        if let Some(assertion) = assertion {
            form.add("client_assertion_type", ASSERTION_TYPE);
            form.add("client_assertion", assertion);
        }
        Ok(None)
    }
}

impl Occasion<'_> {
    /// RFC 7523 3, OpenID Connect Core 9.
    fn claims(&self) -> Vec<u8> {
        let claims = json!({
            "iss": self.client, "sub": self.client, "aud": self.issuer, "jti": self.jti.expose(),
            "iat": self.now, "exp": self.now.plus(ASSERTION_LIFE),
        });
        claims.to_string().into_bytes()
    }
}

/// RFC 6749 2.3.1: both halves are encoded as in a form before they are joined.
fn basic(client: &str, secret: &Secret) -> Result<HeaderValue> {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = zeroize::Zeroizing::new(format!("{}:{}", encode(client), encode(secret.expose())));
    let mut value = HeaderValue::from_str(&format!("Basic {}", base64(pair.as_bytes())))
        .map_err(|_| Error::Setup("the client's secret cannot be sent".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// RFC 4648 4, from the base64url that the project has: two letters and the padding differ.
fn base64(bytes: &[u8]) -> String {
    let mut text = grantor_jose::base64url::encode(bytes).replace('-', "+").replace('_', "/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn unsigned(error: jws::SignError) -> Error {
    Error::Setup(format!("the client's assertion could not be signed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use grantor_jose::jws::Unverified;
    use grantor_jose::{SigningAlgorithm, parse_object};

    fn prove(authentication: &Authentication) -> (Form, Option<HeaderValue>) {
        let (client, jti) = (ClientId::parse("my:app").unwrap(), Secret::new("j".to_owned()));
        let platform = Secret::new("of-the-platform".to_owned());
        let occasion = Occasion {
            client: &client,
            issuer: "https://id.example",
            jti: &jti,
            now: UnixTime::new(100),
            platform: Some(&platform),
        };
        let mut form = Form::default();
        let header = authentication.prove(&mut form, &occasion).unwrap();
        (form, header)
    }

    fn secret() -> Secret {
        Secret::new("s/+ ecret-of-more-than-32-characters".to_owned())
    }

    #[test]
    fn rfc6749_2_3_1_basic_encodes_both_halves_first() {
        let (form, header) = prove(&Authentication::SecretBasic(secret()));
        // my%3Aapp:s%2F%2B+ecret-of-more-than-32-characters
        let expected = "Basic bXklM0FhcHA6cyUyRiUyQitlY3JldC1vZi1tb3JlLXRoYW4tMzItY2hhcmFjdGVycw==";
        assert_eq!(header.unwrap(), expected);
        assert!(form.get("client_id").is_none() && form.get("client_secret").is_none());
    }

    #[test]
    fn rfc6749_2_3_1_post_and_none_name_the_client() {
        let (form, header) = prove(&Authentication::SecretPost(secret()));
        assert_eq!((form.get("client_id"), form.get("client_secret")), (Some("my:app"), Some(secret().expose())));
        assert!(header.is_none());
        let (form, header) = prove(&Authentication::None);
        assert!(form.get("client_id") == Some("my:app") && form.get("client_secret").is_none() && header.is_none());
    }

    #[test]
    fn rfc6749_3_2_no_parameter_stands_twice() {
        let (client, jti) = (ClientId::parse("app").unwrap(), Secret::new("j".to_owned()));
        let (issuer, now) = ("https://id.example", UnixTime::new(100));
        let occasion = Occasion { client: &client, issuer, jti: &jti, now, platform: None };
        let mut form = Form::default();
        form.add("client_id", "app");
        Authentication::None.prove(&mut form, &occasion).unwrap();
        assert_eq!(form.encode(), "client_id=app");
    }

    #[test]
    fn rfc7523_3_an_assertion_is_for_this_issuer_alone_and_short_lived() {
        let key = Arc::new(SigningKey::generate(SigningAlgorithm::Es256).unwrap());
        let (form, _) = prove(&Authentication::PrivateKey(Arc::clone(&key)));
        assert_eq!(form.get("client_assertion_type"), Some(ASSERTION_TYPE));
        let token = form.get("client_assertion").unwrap();
        let verified = Unverified::parse(token).unwrap().verify(&key.verifying_key().unwrap()).unwrap();
        let claims = parse_object(verified.payload()).unwrap();
        assert_eq!(
            (&claims["iss"], &claims["sub"], &claims["aud"]),
            (&json!("my:app"), &json!("my:app"), &json!("https://id.example"))
        );
        assert_eq!((&claims["exp"], &claims["jti"]), (&json!(160), &json!("j")));
    }

    #[test]
    fn oidc_core_9_a_secret_that_signs_is_not_sent() {
        let (form, header) = prove(&Authentication::SecretJwt(secret()));
        assert!(header.is_none() && form.get("client_secret").is_none());
        let shared = SharedSecret::new(MacAlgorithm::Hs256, secret().expose().as_bytes()).unwrap();
        assert!(Unverified::parse(form.get("client_assertion").unwrap()).unwrap().verify_mac(&shared).is_ok());
    }

    #[test]
    fn rfc8414_2_a_secret_is_shown_as_the_metadata_want_it() {
        let issuer = crate::Issuer::parse("https://id.example").unwrap();
        let method = |named: serde_json::Value| {
            let mut document = json!({ "issuer": issuer.as_str() });
            if !named.is_null() {
                document["token_endpoint_auth_methods_supported"] = named;
            }
            let provider = Provider::from_metadata(&issuer, document.to_string().as_bytes()).unwrap();
            Authentication::secret(secret(), &provider).method()
        };
        let (basic, post, jwt) = ("client_secret_basic", "client_secret_post", "client_secret_jwt");
        assert_eq!(method(serde_json::Value::Null), basic, "what is meant when nothing is said");
        assert_eq!(method(json!([jwt, post, basic])), basic);
        assert_eq!(method(json!(["private_key_jwt", jwt, post])), post);
        assert_eq!(method(json!(["private_key_jwt", jwt])), jwt);
        assert_eq!(method(json!(["private_key_jwt"])), basic);
    }

    #[test]
    fn rfc7523_2_2_a_workload_sends_the_token_of_its_platform() {
        let workload = Workload::File("/nowhere".into());
        let (form, _) = prove(&Authentication::Workload(workload));
        assert_eq!(form.get("client_assertion"), Some("of-the-platform"));
        assert_eq!(form.get("client_id"), Some("my:app"));
    }

    #[test]
    fn no_secret_is_printed() {
        let all = [
            Authentication::SecretBasic(secret()),
            Authentication::SecretPost(secret()),
            Authentication::SecretJwt(secret()),
        ];
        assert!(!format!("{all:?}").contains("ecret-of"));
    }
}
