//! Client authentication (RFC 6749 2.3). A method is a variant of [`AuthMethod`], a way to present it here, and its check.

pub mod assertion;
pub mod certificate;

use super::{AuthMethod, Client, SecretHash};
use crate::error::Refusal;
use crate::params::{self, Params};
use crate::value::{ClientId, Secret, UnixTime};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::sync::Arc;

/// What came with a request, not yet believed.
#[derive(Debug)]
pub struct Presented {
    /// Who it says it is.
    pub unverified_client_id: ClientId,
    credential: Credential,
}

#[derive(Debug)]
enum Credential {
    Basic(Secret),
    Post(Secret),
    Nothing,
}

/// A client that proved who it is, or that is public and has nothing to prove. Made by [`authenticate`] alone.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient(Arc<Client>);

impl AuthenticatedClient {
    /// The client.
    pub fn get(&self) -> &Client {
        &self.0
    }

    /// Whether it is the client of this name.
    pub fn is(&self, id: &ClientId) -> bool {
        &self.0.metadata.client_id == id
    }

    /// Its name.
    pub fn id(&self) -> &ClientId {
        &self.0.metadata.client_id
    }
}

impl Presented {
    /// Finds the one credential in a request (RFC 6749 2.3: never more than one method).
    pub fn find(params: &Params, authorization: Option<&str>) -> Result<Self, Refusal> {
        let in_form = params.get("client_secret");
        let id_in_form = params.get("client_id");
        let Some(header) = authorization else {
            let id = id_in_form.ok_or(Refusal::NoClientAuthentication)?;
            let unverified_client_id = ClientId::parse(id).ok_or(Refusal::UnknownClient)?;
            let credential =
                in_form.map_or(Credential::Nothing, |secret| Credential::Post(Secret::new(secret.to_owned())));
            return Ok(Self { unverified_client_id, credential });
        };
        if in_form.is_some() {
            return Err(Refusal::SeveralClientAuthentications);
        }
        let (unverified_client_id, secret) = basic(header).ok_or(Refusal::MalformedAuthorizationHeader)?;
        if id_in_form.is_some_and(|id| id != unverified_client_id.as_str()) {
            return Err(Refusal::SeveralClientAuthentications);
        }
        Ok(Self { unverified_client_id, credential: Credential::Basic(secret) })
    }

    /// The method that was used.
    pub fn method(&self) -> AuthMethod {
        match self.credential {
            Credential::Basic(_) => AuthMethod::ClientSecretBasic,
            Credential::Post(_) => AuthMethod::ClientSecretPost,
            Credential::Nothing => AuthMethod::None,
        }
    }

    /// The secret, when there is one.
    pub fn secret(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Basic(secret) | Credential::Post(secret) => Some(secret),
            Credential::Nothing => None,
        }
    }
}

/// The slow hashes that stand between a presented secret and the client: somebody with a thread pool must check them
/// before [`authenticate`] is asked. Empty for nearly everybody.
pub fn slow_hashes<'a>(presented: &Presented, client: &'a Client, now: UnixTime) -> Vec<&'a str> {
    if presented.method() != client.metadata.token_endpoint_auth_method || presented.secret().is_none() {
        return Vec::new();
    }
    let alive = client.secrets.iter().filter(|secret| secret.is_alive(now));
    alive
        .filter_map(|secret| match &secret.hash {
            SecretHash::Phc(phc) => Some(phc.as_str()),
            SecretHash::Sha256(_) | SecretHash::Sealed(_) => None,
        })
        .collect()
}

/// RFC 6749 2.3, 3.2.1: the client must use the one method that it is registered for. An unknown client costs the same
/// time as a wrong secret. `a_slow_hash_matched` is the outcome for [`slow_hashes`].
pub fn authenticate(
    presented: &Presented,
    client: Option<&Arc<Client>>,
    a_slow_hash_matched: bool,
    now: UnixTime,
) -> Result<AuthenticatedClient, Refusal> {
    let Some(client) = client else {
        if let Some(secret) = presented.secret() {
            let _ = SecretHash::Sha256(String::new()).matches_quickly(secret);
        }
        return Err(Refusal::UnknownClient);
    };
    let secret_matches = presented.secret().is_some_and(|secret| {
        let alive = client.secrets.iter().filter(|stored| stored.is_alive(now));
        alive.fold(a_slow_hash_matched, |found, stored| stored.hash.matches_quickly(secret) | found)
    });
    if client.metadata.disabled {
        return Err(Refusal::ClientDisabled);
    }
    let method = client.metadata.token_endpoint_auth_method;
    if presented.method() != method {
        return Err(Refusal::WrongClientAuthMethod);
    }
    if method.needs_secret() && !secret_matches {
        return Err(Refusal::WrongClientSecret);
    }
    Ok(AuthenticatedClient(Arc::clone(client)))
}

/// `Basic` with both parts form-encoded first (RFC 6749 2.3.1).
fn basic(header: &str) -> Option<(ClientId, Secret)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let id = params::decode(decoded.get(..colon)?)?;
    let secret = params::decode(decoded.get(colon + 1..)?)?;
    Some((ClientId::parse(&id)?, Secret::new(secret)))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::client::{ClientMetadata, ClientSecret, StoredSecret};
    use crate::value::TenantName;

    pub(crate) const NOW: UnixTime = UnixTime::new(1_000);

    pub(crate) fn client(id: &str, method: AuthMethod) -> Arc<Client> {
        let mut metadata = ClientMetadata::new(TenantName::default(), ClientId::parse(id).unwrap());
        metadata.token_endpoint_auth_method = method;
        let hash = SecretHash::quick(&secret());
        let secrets = vec![StoredSecret { hash, created: NOW, expires: None }];
        Arc::new(Client { metadata, secrets, issued_at: NOW })
    }

    pub(crate) fn authenticated(client: &Arc<Client>) -> AuthenticatedClient {
        AuthenticatedClient(Arc::clone(client))
    }

    fn secret() -> Secret {
        ClientSecret::new([1; 32]).into_secret()
    }

    fn post(id: &str, secret: &str) -> Presented {
        Presented::find(&Params::parse(format!("client_id={id}&client_secret={secret}").as_bytes()).unwrap(), None)
            .unwrap()
    }

    fn none(id: &str) -> Presented {
        Presented::find(&Params::parse(format!("client_id={id}").as_bytes()).unwrap(), None).unwrap()
    }

    #[test]
    fn rfc6749_2_3_1_basic_is_form_encoded_before_base64() {
        // "a%3Ab:s%2Bc"
        let presented = Presented::find(&Params::parse(b"").unwrap(), Some("Basic YSUzQWI6cyUyQmM=")).unwrap();
        assert_eq!(presented.unverified_client_id.as_str(), "a:b");
        assert_eq!(presented.secret().unwrap().expose(), "s+c");
        for bad in ["Basic", "Basic !!!", "Bearer abc", "Basic YQ=="] {
            let found = Presented::find(&Params::parse(b"").unwrap(), Some(bad));
            assert_eq!(found.err(), Some(Refusal::MalformedAuthorizationHeader), "{bad}");
        }
    }

    #[test]
    fn rfc6749_2_3_two_methods_at_once_are_refused() {
        let params = Params::parse(b"client_secret=x").unwrap();
        let found = Presented::find(&params, Some("Basic YTpi"));
        assert_eq!(found.err(), Some(Refusal::SeveralClientAuthentications));
        let other_id = Presented::find(&Params::parse(b"client_id=z").unwrap(), Some("Basic YTpi"));
        assert_eq!(other_id.err(), Some(Refusal::SeveralClientAuthentications));
        assert!(Presented::find(&Params::parse(b"client_id=a").unwrap(), Some("Basic YTpi")).is_ok());
    }

    #[test]
    fn rfc6749_2_3_a_client_registered_for_one_method_is_refused_with_any_other() {
        let basic = client("a", AuthMethod::ClientSecretBasic);
        let right = post("a", secret().expose());
        assert_eq!(authenticate(&right, Some(&basic), false, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        assert_eq!(authenticate(&none("a"), Some(&basic), false, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        let public = client("a", AuthMethod::None);
        assert_eq!(authenticate(&right, Some(&public), false, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        assert!(authenticate(&none("a"), Some(&public), false, NOW).is_ok());
    }

    #[test]
    fn rfc6749_2_3_1_the_secret_decides() {
        let client = client("a", AuthMethod::ClientSecretPost);
        assert!(authenticate(&post("a", secret().expose()), Some(&client), false, NOW).is_ok());
        assert_eq!(authenticate(&post("a", "x"), Some(&client), false, NOW).err(), Some(Refusal::WrongClientSecret));
        assert!(authenticate(&post("a", "x"), Some(&client), true, NOW).is_ok());
        assert_eq!(authenticate(&post("a", "x"), None, true, NOW).err(), Some(Refusal::UnknownClient));
    }

    #[test]
    fn rfc6749_2_3_1_two_secrets_overlap_until_one_expires() {
        let mut client = (*client("a", AuthMethod::ClientSecretPost)).clone();
        client.secrets[0].expires = Some(NOW);
        let right = post("a", secret().expose());
        assert_eq!(
            authenticate(&right, Some(&Arc::new(client.clone())), false, NOW).err(),
            Some(Refusal::WrongClientSecret)
        );
        client.secrets[0].expires = Some(NOW.plus(crate::value::Seconds::new(1)));
        assert!(authenticate(&right, Some(&Arc::new(client)), false, NOW).is_ok());
    }

    #[test]
    fn a_disabled_client_is_refused() {
        let mut client = (*client("a", AuthMethod::ClientSecretPost)).clone();
        client.metadata.disabled = true;
        let right = post("a", secret().expose());
        assert_eq!(authenticate(&right, Some(&Arc::new(client)), false, NOW).err(), Some(Refusal::ClientDisabled));
    }
}
