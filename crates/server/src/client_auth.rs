//! RFC 6749 2.3: the client that a request comes from. What must be waited for is found here; what it proves is decided in
//! `grantor_protocol::client::auth`.

use crate::client_document;
use crate::extract::Call;
use crate::failure::failed;
use grantor_fetch::FetchError;
use grantor_jose::JwkSet;
use grantor_login::Attempt;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::assertion::{Assertion, Used};
use grantor_protocol::client::auth::{self, Credential, Endpoint, Presented};
use grantor_protocol::client::federated::{self, FederatedCredential};
use grantor_protocol::client::{AuthMethod, AuthenticatedClient, Client, ClientMetadata};
use grantor_protocol::metadata::path;
use grantor_protocol::params::Params;
use grantor_protocol::value::{ClientId, Secret, UnixTime};
use std::pin::Pin;
use std::sync::Arc;

/// The client of a request, by the one method that it is registered for.
pub(crate) async fn authenticate(call: &Call, params: &Params) -> Result<AuthenticatedClient, Refusal> {
    let presented = Presented::find(params, authorization(call)?)?;
    client_document::look_up(call, Some(presented.unverified_client_id.as_str())).await?;
    let client = call.tenancy.directory.client(&presented.unverified_client_id);
    let client = client.as_ref();
    let now = call.now();
    match &presented.credential {
        Credential::Basic(secret) | Credential::Post(secret) => {
            let slow = matches_slowly(call, &presented, client, secret, now).await?;
            let (client, used) = auth::by_secret(&presented, client, slow, now)?;
            call.context.store.note_use(call.tenancy.name(), client.id(), &used.name(), now);
            Ok(client)
        }
        Credential::Assertion(assertion) => {
            let method = auth::expects_assertion(client, assertion)?;
            let client = client.ok_or(Refusal::UnknownClient)?;
            Box::pin(by_assertion(call, client, method, assertion, now)).await
        }
        Credential::Nothing => {
            let self_signed = client.map(|client| &client.metadata).filter(|own| {
                let method = own.token_endpoint_auth_method == AuthMethod::SelfSignedTlsClientAuth;
                method && !own.disabled && call.certificate.is_some()
            });
            let keys = match self_signed {
                Some(own) => Some(client_keys(call, own, None).await?),
                None => None,
            };
            auth::by_connection(client, call.certificate.as_ref(), keys.as_deref(), now)
        }
    }
}

/// RFC 7523 2.1: the assertion is the grant, and proves who the client is besides; one that authenticates in another way
/// must be the same.
pub(crate) async fn by_jwt_bearer(call: &Call, params: &Params) -> Result<AuthenticatedClient, Refusal> {
    let named = params.get("client_id").and_then(ClientId::parse);
    let shows_certificate = call.certificate.is_some()
        && named
            .as_ref()
            .and_then(|id| call.tenancy.directory.client(id))
            .is_some_and(|client| client.metadata.token_endpoint_auth_method.needs_certificate());
    let alone = authorization(call)?.is_none()
        && !shows_certificate
        && ["client_secret", "client_assertion"].into_iter().all(|name| params.get(name).is_none());
    let text = params.get("assertion").ok_or(Refusal::MissingParameter("assertion"))?;
    // Whoever is nobody yet learns nothing of which clients there are.
    let refused = |refusal: Refusal| match refusal {
        kept @ (Refusal::Busy | Refusal::Broken) => kept,
        kept @ (Refusal::GrantTypeNotAllowed | Refusal::ClientDisabled) if !alone => kept,
        reason => {
            tracing::info!(request_id = %call.meta.request_id, %reason, "an assertion was refused");
            Refusal::AssertionRefused
        }
    };
    let id = if alone {
        named.ok_or(Refusal::NoClientAuthentication)?
    } else {
        authenticate(call, params).await?.id().clone()
    };
    let assertion = Assertion::parse(text).map_err(refused)?;
    let client = call.tenancy.directory.client(&id).ok_or_else(|| refused(Refusal::UnknownClient))?;
    let now = call.now();
    let found = federation(call, &client, &assertion, |credential, keys| {
        auth::by_grant(&client, &assertion, credential, keys, !alone, now)
    });
    found.await.map_err(refused)
}

/// The keys that a client registered, by value or by reference. `kid` is the one that is looked for.
pub(crate) async fn client_keys(
    call: &Call,
    client: &ClientMetadata,
    kid: Option<&str>,
) -> Result<Arc<JwkSet>, Refusal> {
    match (&client.jwks, &client.jwks_uri) {
        (Some(_), _) => client.keys_by_value().cloned().ok_or(Refusal::ClientKeysUnavailable),
        (None, Some(uri)) => fetched(call, Box::pin(call.context.key_sets.of_uri(uri, kid))).await,
        (None, None) => Err(Refusal::ClientKeysUnavailable),
    }
}

async fn by_assertion(
    call: &Call,
    client: &Arc<Client>,
    method: AuthMethod,
    assertion: &Assertion,
    now: UnixTime,
) -> Result<AuthenticatedClient, Refusal> {
    let issuer = &call.tenancy.issuer;
    let mut endpoints = vec![issuer.endpoint(path::TOKEN), issuer.endpoint(&call.path)];
    endpoints.extend(call.tenancy.mtls_endpoint(&call.path));
    let endpoint = Endpoint { issuer, endpoints: &endpoints, now };
    if method == AuthMethod::ClientSecretJwt {
        let (master, tenant) = (&call.context.master, call.tenancy.name());
        let alive = client.secrets.iter().filter(|secret| secret.is_alive(now));
        let opened = alive.filter_map(|secret| master.open_secret(tenant, &client.metadata.client_id, &secret.hash));
        let (client, used) = auth::by_mac(client, assertion, &opened.collect::<Vec<Secret>>(), endpoint)?;
        once(call, used, now).await?;
        return Ok(client);
    }
    if assertion.unverified_issuer() == client.metadata.client_id.as_str() {
        let keys = client_keys(call, &client.metadata, assertion.kid()).await?;
        let (client, used) = auth::by_key(client, assertion, &keys, endpoint)?;
        once(call, used, now).await?;
        return Ok(client);
    }
    federation(call, client, assertion, |credential, keys| {
        auth::by_federation(client, assertion, credential, keys, now)
    })
    .await
}

/// Tries each credential of the client whose issuer made the assertion. What may be used again is not remembered.
async fn federation(
    call: &Call,
    client: &Client,
    assertion: &Assertion,
    decide: impl Fn(&FederatedCredential, &JwkSet) -> Result<(AuthenticatedClient, Used), Refusal>,
) -> Result<AuthenticatedClient, Refusal> {
    let mut refusal = Refusal::NoFederatedCredentialFits;
    for credential in federated::candidates(&client.metadata, assertion) {
        let keys = match issuer_keys(call, credential, assertion.kid()).await {
            Ok(keys) => keys,
            Err(refused) => {
                refusal = refused;
                continue;
            }
        };
        match decide(credential, &keys) {
            Ok((found, used)) => {
                if !credential.reusable {
                    once(call, used, call.now()).await?;
                }
                let (tenant, id) = (call.tenancy.name(), &client.metadata.client_id);
                call.context.store.note_use(tenant, id, &credential.name, call.now());
                return Ok(found);
            }
            Err(refused) => {
                let (request_id, name) = (&call.meta.request_id, &credential.name);
                tracing::info!(%request_id, credential = name, reason = %refused, "a federated credential does not fit");
                refusal = refused;
            }
        }
    }
    Err(refusal)
}

async fn issuer_keys(call: &Call, credential: &FederatedCredential, kid: Option<&str>) -> Result<Arc<JwkSet>, Refusal> {
    let sets = &call.context.key_sets;
    match (&credential.jwks, &credential.jwks_uri) {
        (Some(_), _) => credential.keys_by_value().cloned().ok_or(Refusal::ClientKeysUnavailable),
        (None, Some(uri)) => fetched(call, Box::pin(sets.of_uri(uri, kid))).await,
        (None, None) => fetched(call, Box::pin(sets.of_issuer(&credential.issuer, kid))).await,
    }
}

/// How long another server takes is none of this one's business. What fetches is boxed where it is made: it is the largest
/// part of every request that may need it, and hardly any does.
async fn fetched(
    call: &Call,
    keys: Pin<Box<impl Future<Output = Result<Arc<JwkSet>, FetchError>>>>,
) -> Result<Arc<JwkSet>, Refusal> {
    let keys = call.context.operations.gate.abroad(keys).await.map_err(|_| Refusal::Busy)?;
    keys.map_err(|error| {
        tracing::warn!(request_id = %call.meta.request_id, %error, "keys could not be fetched");
        Refusal::ClientKeysUnavailable
    })
}

/// RFC 7523 3: an assertion is good once, on any node and after any restart.
async fn once(call: &Call, used: Used, now: UnixTime) -> Result<(), Refusal> {
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let fresh = store.remember(tenant, "assertion", &used.id, used.until, now).await.map_err(|error| failed(&error))?;
    if fresh { Ok(()) } else { Err(Refusal::AssertionReplayed) }
}

fn authorization(call: &Call) -> Result<Option<&str>, Refusal> {
    let mut headers = call.headers.get_all(http::header::AUTHORIZATION).iter();
    match (headers.next(), headers.next()) {
        (None, _) => Ok(None),
        (Some(one), None) => one.to_str().map(Some).map_err(|_| Refusal::MalformedAuthorizationHeader),
        _ => Err(Refusal::SeveralClientAuthentications),
    }
}

/// RFC 6749 2.3.1: a secret that somebody chose could be guessed, so guesses are throttled like those at a password.
async fn matches_slowly<'a>(
    call: &Call,
    presented: &Presented,
    client: Option<&'a Arc<Client>>,
    secret: &Secret,
    now: UnixTime,
) -> Result<Option<&'a str>, Refusal> {
    let id = &presented.unverified_client_id;
    // Nobody shall learn from the time it takes which clients there are: where some have slow hashes, strangers seem to
    // have them as often; and it is found out for everybody.
    let slow_stranger = seems_slow(call, id, presented);
    let Some(client) = client else {
        if slow_stranger {
            Box::pin(guess(call, id, secret, None, now)).await?;
        }
        return Ok(None);
    };
    let known = &call.context.known_secrets;
    for phc in auth::slow_hashes(presented, client, now) {
        let tag = known.tag(secret, phc);
        if known.knows(&tag) {
            return Ok(Some(phc));
        }
        if Box::pin(guess(call, id, secret, Some(phc), now)).await? {
            known.learn(tag);
            return Ok(Some(phc));
        }
    }
    Ok(None)
}

async fn guess(
    call: &Call,
    client: &ClientId,
    secret: &Secret,
    phc: Option<&str>,
    now: UnixTime,
) -> Result<bool, Refusal> {
    let account = format!("client {client}");
    let (tenant, address) = (call.tenancy.name(), call.meta.address);
    let attempt = Attempt { tenant, account: &account, address, known: false };
    call.context.throttle.begin(attempt, now).map_err(|_| Refusal::Busy)?;
    let right = call.context.passwords.verify(secret, phc).await.map_err(|_| Refusal::Busy)?;
    if right {
        call.context.throttle.succeeded(attempt);
    }
    Ok(right)
}

/// Whether a client that does not exist is treated as if its secret had a slow hash: always the same for one name, and
/// as often as it is so for those that exist.
fn seems_slow(call: &Call, id: &ClientId, presented: &Presented) -> bool {
    let Ok(ready) = call.tenancy.ready() else { return false };
    if ready.slow_share == 0 {
        return false;
    }
    // A client is slow with its own method only.
    let method = matches!(presented.credential, Credential::Basic(_));
    let parts: [&[u8]; 3] = [b"seems slow", &[u8::from(method)], id.as_str().as_bytes()];
    let [a, b, c, d, ..] = ready.keys.pairwise.tag(&parts);
    u32::from_be_bytes([a, b, c, d]) < ready.slow_share
}
