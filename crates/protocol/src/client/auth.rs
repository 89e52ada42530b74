//! Client authentication (RFC 6749 2.3). A method is a variant of [`AuthMethod`], a way to present it here, and its check.

pub mod assertion;
pub mod certificate;

use super::federated::{self, FederatedCredential};
use super::secret::QuickHash;
use super::{AuthMethod, Client, SecretHash, StoredSecret};
use crate::error::Refusal;
use crate::grant::GrantType;
use crate::params::{self, Params};
use crate::value::{ClientId, Issuer, Secret, UnixTime};
use assertion::{Assertion, Expected, Used};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use certificate::ClientCertificate;
use grantor_jose::JwkSet;
use smol_str::SmolStr;
use std::sync::Arc;

/// What came with a request, not yet believed.
#[derive(Debug)]
pub struct Presented {
    /// Who it says it is.
    pub unverified_client_id: ClientId,
    /// What is to prove it.
    pub credential: Credential,
}

/// What is to prove who a client is. A certificate is not among them: it belongs to the connection and not to the request.
#[derive(Debug)]
pub enum Credential {
    /// A secret in the header (RFC 6749 2.3.1).
    Basic(Secret),
    /// A secret in the form (RFC 6749 2.3.1).
    Post(Secret),
    /// A signed assertion (RFC 7521 4.2).
    Assertion(Assertion),
    /// None.
    Nothing,
}

/// A client that proved who it is, or that is public and has nothing to prove. Made here alone.
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
        let asserted = params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some();
        if [authorization.is_some(), in_form.is_some(), asserted].into_iter().filter(|there| *there).count() > 1 {
            return Err(Refusal::SeveralClientAuthentications);
        }
        if asserted {
            return Self::asserted(params, id_in_form);
        }
        let Some(header) = authorization else {
            let id = id_in_form.ok_or(Refusal::NoClientAuthentication)?;
            let unverified_client_id = ClientId::parse(id).ok_or(Refusal::UnknownClient)?;
            let credential =
                in_form.map_or(Credential::Nothing, |secret| Credential::Post(Secret::new(secret.to_owned())));
            return Ok(Self { unverified_client_id, credential });
        };
        let (unverified_client_id, secret) = basic(header).ok_or(Refusal::MalformedAuthorizationHeader)?;
        if id_in_form.is_some_and(|id| id != unverified_client_id.as_str()) {
            return Err(Refusal::SeveralClientAuthentications);
        }
        Ok(Self { unverified_client_id, credential: Credential::Basic(secret) })
    }

    /// RFC 7521 4.2: `client_id` may be left out when the assertion names the client, and must not differ. The subject of
    /// another issuer's token is no client here: there `client_id` is all there is.
    fn asserted(params: &Params, id_in_form: Option<&str>) -> Result<Self, Refusal> {
        if params.get("client_assertion_type") != Some(assertion::TYPE) {
            return Err(Refusal::UnknownAssertionType);
        }
        let text = params.get("client_assertion").ok_or(Refusal::MissingParameter("client_assertion"))?;
        let assertion = Assertion::parse(text)?;
        let named = id_in_form.or(assertion.unverified_subject()).ok_or(Refusal::NoClientAuthentication)?;
        let unverified_client_id = ClientId::parse(named).ok_or(Refusal::UnknownClient)?;
        Ok(Self { unverified_client_id, credential: Credential::Assertion(assertion) })
    }

    /// The secret, when there is one.
    pub fn secret(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::Basic(secret) | Credential::Post(secret) => Some(secret),
            Credential::Assertion(_) | Credential::Nothing => None,
        }
    }

    /// The method that a secret was presented with.
    fn secret_method(&self) -> Option<AuthMethod> {
        match self.credential {
            Credential::Basic(_) => Some(AuthMethod::ClientSecretBasic),
            Credential::Post(_) => Some(AuthMethod::ClientSecretPost),
            Credential::Assertion(_) | Credential::Nothing => None,
        }
    }
}

/// A client's secret as it goes into the header: each part is form-encoded first (RFC 6749 2.3.1).
pub fn basic_header(client: &ClientId, secret: &Secret) -> Secret {
    let pair = format!("{}:{}", params::encode(client.as_str()), params::encode(secret.expose()));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

/// The slow hashes that stand between a presented secret and the client: somebody with a thread pool must check them
/// before [`by_secret`] is asked. Empty for nearly everybody.
pub fn slow_hashes<'a>(presented: &Presented, client: &'a Client, now: UnixTime) -> Vec<&'a str> {
    if presented.secret_method() != Some(client.metadata.token_endpoint_auth_method) {
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
/// time as a wrong secret. `slow` is the one of [`slow_hashes`] that matched. Gives the secret that it was besides, so that
/// its use can be noted.
pub fn by_secret(
    presented: &Presented,
    client: Option<&Arc<Client>>,
    slow: Option<&str>,
    now: UnixTime,
) -> Result<(AuthenticatedClient, UsedSecret), Refusal> {
    let quick = presented.secret().map(QuickHash::of);
    let Some(client) = client else {
        std::hint::black_box(quick.is_some_and(|quick| quick.is_nobodys()));
        return Err(Refusal::UnknownClient);
    };
    let mut matching = None;
    // Each is compared, whichever matches.
    for stored in client.secrets.iter().filter(|stored| stored.is_alive(now)) {
        let quickly = quick.as_ref().is_some_and(|quick| quick.is(&stored.hash));
        let slowly = matches!(&stored.hash, SecretHash::Phc(phc) if slow == Some(phc.as_str()));
        if quickly | slowly {
            matching = Some(stored.created);
        }
    }
    let presented_with = presented.secret_method();
    using(client, |method| presented_with == Some(method))?;
    match matching {
        Some(created) => Ok((AuthenticatedClient(Arc::clone(client)), UsedSecret { created })),
        None => Err(Refusal::WrongClientSecret),
    }
}

/// The secret that proved who a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedSecret {
    created: UnixTime,
}

impl UsedSecret {
    /// By which its last use is noted.
    pub fn name(self) -> SmolStr {
        StoredSecret::name_of(self.created)
    }
}

/// A client that presents nothing but its name: a public one (RFC 6749 2.1), or one whose connection speaks for it.
pub fn by_connection(
    client: Option<&Arc<Client>>,
    certificate: Option<&ClientCertificate>,
    keys: Option<&JwkSet>,
    now: UnixTime,
) -> Result<AuthenticatedClient, Refusal> {
    let client = client.ok_or(Refusal::UnknownClient)?;
    let method = using(client, |method| method.needs_certificate() || method == AuthMethod::None)?;
    if method.needs_certificate() {
        let certificate = certificate.ok_or(Refusal::NoClientCertificate)?;
        if method == AuthMethod::TlsClientAuth {
            certificate::tls_client_auth(certificate, &client.metadata, now)?;
        } else {
            certificate::self_signed(certificate, keys.ok_or(Refusal::ClientKeysUnavailable)?, now)?;
        }
    }
    Ok(AuthenticatedClient(Arc::clone(client)))
}

/// Whether a client may prove itself by an assertion at all, and with what: none is looked for in vain.
pub fn expects_assertion(client: Option<&Arc<Client>>, assertion: &Assertion) -> Result<AuthMethod, Refusal> {
    let client = client.ok_or(Refusal::UnknownClient)?;
    let meant = if assertion.is_mac() { AuthMethod::ClientSecretJwt } else { AuthMethod::PrivateKeyJwt };
    using(client, |method| method == meant)
}

/// `private_key_jwt` with the client's own keys (RFC 7523 2.2). Single use is the store's word.
pub fn by_key(
    client: &Arc<Client>,
    assertion: &Assertion,
    keys: &JwkSet,
    expected: Endpoint<'_>,
) -> Result<(AuthenticatedClient, Used), Refusal> {
    using(client, |method| method == AuthMethod::PrivateKeyJwt)?;
    let used = assertion::verify(assertion, keys, &expected.of(client))?;
    Ok((AuthenticatedClient(Arc::clone(client)), used))
}

/// `client_secret_jwt` with one of the client's secrets (OpenID Connect Core 9). Single use is the store's word.
pub fn by_mac(
    client: &Arc<Client>,
    assertion: &Assertion,
    secrets: &[Secret],
    expected: Endpoint<'_>,
) -> Result<(AuthenticatedClient, Used), Refusal> {
    using(client, |method| method == AuthMethod::ClientSecretJwt)?;
    let expected = expected.of(client);
    let mut refusal = Refusal::WrongClientSecret;
    for secret in secrets {
        match assertion::verify_mac(assertion, secret, &expected) {
            Ok(used) => return Ok((AuthenticatedClient(Arc::clone(client)), used)),
            Err(refused) => refusal = refused,
        }
    }
    Err(refusal)
}

/// A token of an issuer that speaks for the client (RFC 7521 4.2): in the place of its own assertion.
pub fn by_federation(
    client: &Arc<Client>,
    assertion: &Assertion,
    credential: &FederatedCredential,
    keys: &JwkSet,
    now: UnixTime,
) -> Result<(AuthenticatedClient, Used), Refusal> {
    using(client, |method| method == AuthMethod::PrivateKeyJwt)?;
    let used = federated::verify(assertion, credential, keys, client.metadata.profile, now)?;
    Ok((AuthenticatedClient(Arc::clone(client)), used))
}

/// The same as a grant (RFC 7523 2.1). `authenticated` says whether the client authenticated besides. If not, the assertion
/// stands for that too (RFC 7521 4.1): for a public client, and for one that is registered for assertions, but not for one of
/// FAPI 2.0 (Security Profile 5.3.2.1).
pub fn by_grant(
    client: &Arc<Client>,
    assertion: &Assertion,
    credential: &FederatedCredential,
    keys: &JwkSet,
    authenticated: bool,
    now: UnixTime,
) -> Result<(AuthenticatedClient, Used), Refusal> {
    if client.metadata.disabled {
        return Err(Refusal::ClientDisabled);
    }
    if !client.metadata.grant_types.contains(&GrantType::JwtBearer) {
        return Err(Refusal::GrantTypeNotAllowed);
    }
    if !authenticated {
        if client.metadata.profile.is_fapi2() {
            return Err(Refusal::NoClientAuthentication);
        }
        using(client, |method| matches!(method, AuthMethod::PrivateKeyJwt | AuthMethod::None))?;
    }
    let used = federated::verify(assertion, credential, keys, client.metadata.profile, now)?;
    Ok((AuthenticatedClient(Arc::clone(client)), used))
}

/// Where an assertion is presented.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint<'a> {
    /// The issuer that it must be meant for.
    pub issuer: &'a Issuer,
    /// The token endpoint, and the endpoint that was called.
    pub endpoints: &'a [String],
    /// Now.
    pub now: UnixTime,
}

impl<'a> Endpoint<'a> {
    fn of(self, client: &'a Client) -> Expected<'a> {
        Expected { client: &client.metadata, issuer: self.issuer, endpoints: self.endpoints, now: self.now }
    }
}

/// The method that a client is registered for, when it is this one, its profile has it, and it is not switched off.
fn using(client: &Client, is: impl FnOnce(AuthMethod) -> bool) -> Result<AuthMethod, Refusal> {
    if client.metadata.disabled {
        return Err(Refusal::ClientDisabled);
    }
    let method = client.metadata.token_endpoint_auth_method;
    if !is(method) {
        return Err(Refusal::WrongClientAuthMethod);
    }
    // A public client has nothing to authenticate with: what else its profile wants of it is asked elsewhere.
    if !client.metadata.profile.allows_auth_method(method) {
        return Err(Refusal::AuthMethodOutsideProfile);
    }
    Ok(method)
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

    #[test]
    fn rfc6749_2_3_1_basic_is_form_encoded_before_base64() {
        // "a%3Ab:s%2Bc"
        let presented = Presented::find(&Params::parse(b"").unwrap(), Some("Basic YSUzQWI6cyUyQmM=")).unwrap();
        assert_eq!(presented.unverified_client_id.as_str(), "a:b");
        assert_eq!(presented.secret().unwrap().expose(), "s+c");
        let made = basic_header(&ClientId::parse("a:b").unwrap(), &Secret::new("s+c".into()));
        assert_eq!(made.expose(), "Basic YSUzQWI6cyUyQmM=");
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
        assert_eq!(by_secret(&right, Some(&basic), None, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        assert_eq!(by_connection(Some(&basic), None, None, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        let public = client("a", AuthMethod::None);
        assert_eq!(by_secret(&right, Some(&public), None, NOW).err(), Some(Refusal::WrongClientAuthMethod));
        assert!(by_connection(Some(&public), None, None, NOW).is_ok());
    }

    #[test]
    fn rfc6749_2_3_1_the_secret_decides() {
        let client = client("a", AuthMethod::ClientSecretPost);
        assert!(by_secret(&post("a", secret().expose()), Some(&client), None, NOW).is_ok());
        assert_eq!(by_secret(&post("a", "x"), Some(&client), None, NOW).err(), Some(Refusal::WrongClientSecret));
        assert_eq!(by_secret(&post("a", "x"), None, Some("slow"), NOW).err(), Some(Refusal::UnknownClient));
    }

    #[test]
    fn rfc6749_2_3_1_a_slow_hash_that_matched_is_one_of_the_clients_and_is_named() {
        let mut client = (*client("a", AuthMethod::ClientSecretPost)).clone();
        let (hash, created) = (SecretHash::Phc("slow".to_owned()), UnixTime::new(7));
        client.secrets.push(StoredSecret { hash, created, expires: None });
        let client = Arc::new(client);
        let used =
            |secret: &str, slow| by_secret(&post("a", secret), Some(&client), slow, NOW).map(|(_, used)| used.name());
        assert_eq!(used("x", Some("slow")), Ok("secret 7".into()));
        assert_eq!(used(secret().expose(), None), Ok("secret 1000".into()));
        assert_eq!(used("x", Some("another")), Err(Refusal::WrongClientSecret));
        assert_eq!(used("x", None), Err(Refusal::WrongClientSecret));
    }

    #[test]
    fn rfc6749_2_3_1_two_secrets_overlap_until_one_expires() {
        let mut client = (*client("a", AuthMethod::ClientSecretPost)).clone();
        client.secrets[0].expires = Some(NOW);
        let right = post("a", secret().expose());
        assert_eq!(
            by_secret(&right, Some(&Arc::new(client.clone())), None, NOW).err(),
            Some(Refusal::WrongClientSecret)
        );
        client.secrets[0].expires = Some(NOW.plus(crate::value::Seconds::new(1)));
        assert!(by_secret(&right, Some(&Arc::new(client)), None, NOW).is_ok());
    }

    #[test]
    fn a_disabled_client_is_refused() {
        let mut client = (*client("a", AuthMethod::ClientSecretPost)).clone();
        client.metadata.disabled = true;
        let right = post("a", secret().expose());
        assert_eq!(by_secret(&right, Some(&Arc::new(client)), None, NOW).err(), Some(Refusal::ClientDisabled));
    }
}
