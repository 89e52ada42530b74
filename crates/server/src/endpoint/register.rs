//! Client registration (RFC 7591) and its management by the client itself (RFC 7592).

use crate::extract::Call;
use crate::failure::failed;
use crate::registered::{newest, unused};
use crate::respond;
use crate::tenancy::Tenancy;
use crate::token::presented;
use axum::response::Response;
use grantor_jose::parse_object;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::client::{Client, ClientSecret, SecretHash, StoredSecret};
use grantor_protocol::metadata::path;
use grantor_protocol::protected_resource::Scheme;
use grantor_protocol::registration::{
    self, DynamicRegistration, Issued, Origin, Registered, RegistrationError, TokenHash, access_token,
};
use grantor_protocol::value::{ClientId, Seconds, Secret, TokenId};
use grantor_store::{Change, GrantsOf, StoreError};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// `registration_client_uri`, below the tenant.
pub(crate) const CLIENT: &str = "/register/{client_id}";

/// So often a change is tried again that came in between.
const TRIES: usize = 5;
/// For how long it is remembered that everything of a client was taken back: no access token lives longer.
const CUTOFF_LIFE: Seconds = Seconds::new(31 * 86_400);
/// No registration is longer.
const MAX_BODY: usize = 16 * 1024;

/// Why there is no registration.
enum Refused {
    /// What is asked for cannot be had.
    Request(RegistrationError),
    /// It cannot be had from here, with this, or now.
    Other(Refusal),
    /// Nothing like this is offered.
    NotOffered,
}

type Answer = Result<Response, Refused>;

/// `POST /register` (RFC 7591 3.1).
pub(crate) async fn create(call: Call) -> Response {
    finish(&call, registered(&call).await)
}

/// `GET /register/{client_id}` (RFC 7592 2.1).
pub(crate) async fn read(call: Call) -> Response {
    let known = managed(&call);
    let answer = known
        .map(|known| respond::json(StatusCode::OK, &told(&call, &known.tenancy, &known.client, None, &known.token)));
    finish(&call, answer)
}

/// `PUT /register/{client_id}` (RFC 7592 2.2).
pub(crate) async fn update(call: Call) -> Response {
    finish(&call, updated(&call).await)
}

/// `DELETE /register/{client_id}` (RFC 7592 2.3).
pub(crate) async fn delete(call: Call) -> Response {
    finish(&call, deleted(&call).await)
}

async fn registered(call: &Call) -> Answer {
    let (store, now) = (&call.context.store, call.now());
    let id = uuid::Builder::from_random_bytes(call.context.world.random()).into_uuid().to_string();
    let id = ClientId::parse(&id).ok_or(Refusal::Broken)?;
    let token = access_token(call.context.world.random());
    for _ in 0..TRIES {
        let (version, tenancy) = newest(&call.context, call.tenancy.name()).ok_or(Refusal::Busy)?;
        let tenant = &tenancy.directory.tenant;
        let mut changes = Vec::new();
        let mut by = None;
        match tenant.registration.dynamic {
            DynamicRegistration::Off => return Err(Refused::NotOffered),
            DynamicRegistration::InitialAccessToken => {
                let shown = bearer(call)?;
                let (after, name) = tenant.registration.spend(&shown, now).ok_or(Refusal::MalformedAccessToken)?;
                by = Some(name);
                let mut tenant = (**tenant).clone();
                tenant.registration = after;
                changes.push(Change::PutTenant(tenant));
            }
            DynamicRegistration::Open => {
                within_budget(call)?;
            }
        }
        let origin = Origin::Registered(Registered { token_hash: TokenHash::of(&token), used: now });
        let metadata = registration::requested(&body(call)?, &id, origin, tenant).map_err(Refused::Request)?;
        changes.extend(room(&tenancy, call)?);
        // What was decided by what stood there must be carried out on that.
        let expected = (!changes.is_empty()).then_some(version);
        let mut client = Client { metadata, secrets: Vec::new(), issued_at: now };
        let secret = with_secret(call, &mut client);
        changes.push(Change::PutClient(client.clone()));
        match store.change_directory(changes, expected).await {
            Ok(version) => {
                let event = call.event(Action::Configuration, Outcome::Allowed).target(&id);
                let event = event.with("change", "created").with("record", "client").with("by", "registration");
                by.into_iter().fold(event, |event, name| event.with("initial_access_token", name)).commit().await?;
                call.context.feed.reaches(version).await;
                let told = told(call, &tenancy, &client, secret.as_ref(), &token);
                return Ok(respond::json(StatusCode::CREATED, &told));
            }
            Err(StoreError::Conflict { found, .. }) => call.context.feed.reaches(found).await,
            Err(error) => return Err(failed(&error).into()),
        }
    }
    Err(Refusal::Busy.into())
}

/// Where anybody may register, everybody may write: so much from each address.
fn within_budget(call: &Call) -> Result<(), Refusal> {
    if call.context.registrations.spend(call.meta.address, call.now()) {
        return Ok(());
    }
    tracing::warn!(address = %call.meta.address, "too many registrations from one address");
    Err(Refusal::Busy)
}

/// Makes room for one more client, by letting go of those that are not used.
fn room(tenancy: &Tenancy, call: &Call) -> Result<Vec<Change>, Refusal> {
    let most = usize::try_from(tenancy.directory.tenant.registration.most_clients).unwrap_or(usize::MAX);
    if tenancy.directory.registered() < most {
        return Ok(Vec::new());
    }
    let gone = unused(tenancy, call.now());
    if tenancy.directory.registered().saturating_sub(gone.len()) < most {
        return Ok(gone);
    }
    tracing::error!(tenant = %tenancy.name(), most, "there are as many registered clients as the policy allows");
    Err(Refusal::Busy)
}

async fn updated(call: &Call) -> Answer {
    let (store, next) = (&call.context.store, access_token(call.context.world.random()));
    for _ in 0..TRIES {
        let Managed { version, tenancy, client: mut after, .. } = managed(call)?;
        if tenancy.directory.tenant.registration.dynamic == DynamicRegistration::Open {
            within_budget(call)?;
        }
        let secrets = after.secrets.clone();
        let own = |text: &str| {
            let shown = Secret::new(text.to_owned());
            secrets.iter().any(|held| held.is_alive(call.now()) && held.hash.matches_quickly(&shown))
        };
        let metadata = registration::replaced(&body(call)?, &after.metadata, own, &tenancy.directory.tenant);
        after.metadata = metadata.map_err(Refused::Request)?;
        // RFC 7592 2.2 lets the token be replaced: one that leaked is good until its owner comes back.
        after.metadata.origin = Origin::Registered(Registered { token_hash: TokenHash::of(&next), used: call.now() });
        let secret = with_secret(call, &mut after);
        match store.change_directory(vec![Change::PutClient(after.clone())], Some(version)).await {
            Ok(version) => {
                let event = call.event(Action::Configuration, Outcome::Allowed).actor(&after.metadata.client_id);
                let event = event.target(&after.metadata.client_id).with("change", "changed").with("record", "client");
                event.with("by", "registration").commit().await?;
                call.context.feed.reaches(version).await;
                let told = told(call, &tenancy, &after, secret.as_ref(), &next);
                return Ok(respond::json(StatusCode::OK, &told));
            }
            Err(StoreError::Conflict { found, .. }) => call.context.feed.reaches(found).await,
            Err(error) => return Err(failed(&error).into()),
        }
    }
    Err(Refusal::Busy.into())
}

async fn deleted(call: &Call) -> Answer {
    let Managed { tenancy, client, .. } = managed(call)?;
    let (store, tenant, id, now) = (&call.context.store, tenancy.name(), &client.metadata.client_id, call.now());
    let gone = vec![Change::DeleteClient(tenant.clone(), id.clone())];
    let version = store.change_directory(gone, None).await.map_err(|error| failed(&error))?;
    let cutoff = TokenId::last_of(call.context.world.millis());
    let revoked = store.revoke_all(tenant, GrantsOf::Client(id), cutoff, now.plus(CUTOFF_LIFE), now).await;
    revoked.map_err(|error| failed(&error))?;
    let event = call.event(Action::Configuration, Outcome::Allowed).actor(id).target(id);
    event.with("change", "deleted").with("record", "client").with("by", "registration").commit().await?;
    call.context.feed.reaches(version).await;
    Ok(respond::status(StatusCode::NO_CONTENT))
}

/// A client that proved, with its registration access token, that it is the one that is asked about.
struct Managed {
    version: u64,
    tenancy: Arc<Tenancy>,
    client: Client,
    token: Secret,
}

/// RFC 7592 2: whoever has not the token learns nothing, not even whether there is such a client.
fn managed(call: &Call) -> Result<Managed, Refused> {
    let (version, tenancy) = newest(&call.context, call.tenancy.name()).ok_or(Refusal::Busy)?;
    if tenancy.directory.tenant.registration.dynamic == DynamicRegistration::Off {
        return Err(Refused::NotOffered);
    }
    let token = bearer(call)?;
    let id = call.path.strip_prefix(path::REGISTER).and_then(|rest| rest.strip_prefix('/')).and_then(ClientId::parse);
    let client = id.and_then(|id| tenancy.directory.stored_client(&id)).filter(|client| {
        let registered = client.metadata.origin.registered();
        registered.is_some_and(|registered| registered.token_hash.matches(&token))
    });
    let client = client.filter(|client| !client.metadata.disabled).ok_or(Refusal::MalformedAccessToken)?;
    Ok(Managed { version, tenancy, client, token })
}

/// The token of the header (RFC 6750 2.1).
fn bearer(call: &Call) -> Result<Secret, Refusal> {
    match presented(call)? {
        (Scheme::Bearer, token) => Ok(token),
        (Scheme::Dpop, _) => Err(Refusal::MalformedAccessToken),
    }
}

fn body(call: &Call) -> Result<Map<String, Value>, Refusal> {
    let kind = call.header(header::CONTENT_TYPE).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::WrongContentType);
    }
    if call.body.len() > MAX_BODY {
        return Err(Refusal::OversizedParameter);
    }
    parse_object(&call.body).ok_or(Refusal::MalformedParameters)
}

/// Gives a client the secret that its method needs, if it has none; takes away what its method does not need.
fn with_secret(call: &Call, client: &mut Client) -> Option<Secret> {
    if !client.metadata.token_endpoint_auth_method.needs_secret() {
        client.secrets.clear();
        return None;
    }
    if client.secrets.iter().any(|held| held.is_alive(call.now())) {
        return None;
    }
    let secret = ClientSecret::new(call.context.world.random()).into_secret();
    client.secrets.push(StoredSecret { hash: SecretHash::quick(&secret), created: call.now(), expires: None });
    Some(secret)
}

/// The client as it is held to the policy (RFC 7591 3.2.1).
fn told(
    call: &Call,
    tenancy: &Tenancy,
    client: &Client,
    secret: Option<&Secret>,
    token: &Secret,
) -> Map<String, Value> {
    let mut held = client.metadata.clone();
    tenancy.directory.tenant.hold(&mut held);
    let uri = call.tenancy.issuer.endpoint(&format!("{}/{}", path::REGISTER, held.client_id));
    registration::response(&held, &Issued { at: client.issued_at, secret, access_token: token, uri })
}

fn finish(call: &Call, answer: Answer) -> Response {
    let response = answer.unwrap_or_else(|refused| {
        let event = call.event(Action::Configuration, Outcome::Refused).with("by", "registration");
        match refused {
            Refused::NotOffered => respond::status(StatusCode::NOT_FOUND),
            Refused::Request(error) => {
                event.with("reason", error.to_string()).write();
                let body = json!({ "error": error.code.as_str(), "error_description": error.description });
                respond::json(StatusCode::BAD_REQUEST, &body)
            }
            Refused::Other(refusal) => {
                event.reason(&refusal).write();
                with_challenge(&refusal)
            }
        }
    });
    respond::readable_by_all(response)
}

/// RFC 6750 3: a token is wanted, or another one.
fn with_challenge(refusal: &Refusal) -> Response {
    let mut response = respond::oauth_error(refusal, false);
    let challenge = match refusal {
        Refusal::NoAccessToken => "Bearer realm=\"grantor\"",
        _ if response.status() == StatusCode::UNAUTHORIZED => "Bearer realm=\"grantor\", error=\"invalid_token\"",
        _ => return response,
    };
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    response
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Other(refusal)
    }
}
