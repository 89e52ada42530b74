//! The device authorization endpoint (RFC 8628 3.1).

use crate::budget::Spent;
use crate::client_auth::authenticate;
use crate::extract::Call;
use crate::failure::failed;
use crate::{proof, respond};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorize::source::Source;
use grantor_protocol::authorize::{AuthorizationRequest, PageRefusal, PushedRequest, Target};
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::grant::device_code::{Device, DeviceCode, INTERVAL, LIFETIME};
use grantor_protocol::metadata::path;
use grantor_protocol::params::Params;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::{CodeId, UserCode};
use http::{StatusCode, header};
use serde_json::{Value, json};

/// So often another user code is drawn when the first is shown by another device: with a million devices at once that is
/// one of 25,000.
const DRAWS: u32 = 4;

/// `POST /device_authorization`.
pub(crate) async fn handle(call: Call) -> Response {
    let answer = match answer(&call).await {
        Ok(body) => respond::json(StatusCode::OK, &body),
        Err(refusal) => respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION)),
    };
    respond::readable_by_all(proof::with_nonce(&call, answer))
}

async fn answer(call: &Call) -> Result<Value, Refusal> {
    let refused = |refusal: &Refusal| call.event(Action::Authorization, Outcome::Refused).reason(refusal).write();
    let params = call.strict_form().inspect_err(refused)?;
    let proof = proof::read(call, None).inspect_err(refused)?;
    let client = authenticate(call, &params).await.inspect_err(refused)?;
    let opened = async {
        proof::within_profile(proof.as_ref(), client.get().metadata.profile)?;
        let query = PushedRequest::query(&params, proof.as_ref().map(|proof| proof.key))?;
        let query = PushedRequest::named(query, client.id())?;
        if !client.get().metadata.is_confidential() && call.context.devices.spend(call.now()) != Spent::Within {
            return Err(Refusal::Busy);
        }
        if client.get().metadata.is_confidential() {
            proof::once(call, proof.as_ref()).await?;
        }
        open(call, &client, &query).await
    };
    opened.await.inspect_err(|refusal| {
        call.event(Action::Authorization, Outcome::Refused).client(&client).reason(refusal).write();
    })
}

/// What could not be allowed is refused here, and not after somebody has gone to another device for it.
async fn open(call: &Call, client: &AuthenticatedClient, query: &str) -> Result<Value, Refusal> {
    let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
    let id = CodeId::new(call.context.world.millis(), call.context.world.random());
    let params = Params::parse(query.as_bytes())?;
    let expires = call.now().plus(LIFETIME);
    for _ in 0..DRAWS {
        let user_code = UserCode::new(call.context.world.random());
        let source = Source::Device { id, user_code };
        let target = Target::find(&params, directory, &source).map_err(|PageRefusal(refusal)| refusal)?;
        AuthorizationRequest::parse(&params, target, directory, issuer, &source).map_err(|told| told.refusal)?;
        let device = Device { id, user_code, client: client.id().clone(), query: query.to_owned(), expires };
        let opened = call.context.store.open_device(call.tenancy.name(), device, call.now()).await;
        if opened.map_err(|error| failed(&error))? {
            return shown(call, &DeviceCode { id, client: client.id().clone(), expires }, user_code);
        }
    }
    Err(Refusal::Busy)
}

/// RFC 8628 3.2.
fn shown(call: &Call, code: &DeviceCode, user_code: UserCode) -> Result<Value, Refusal> {
    let content = serde_json::to_vec(code).map_err(|_| Refusal::Broken)?;
    let handles = &call.tenancy.ready()?.keys.handles;
    let device_code = handles.seal(HandleKind::DeviceCode, call.context.world.random(), &content);
    let page = call.tenancy.issuer.endpoint(path::DEVICE);
    Ok(json!({
        "device_code": device_code.ok_or(Refusal::Broken)?,
        "user_code": user_code.to_string(),
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={user_code}"),
        "expires_in": LIFETIME,
        "interval": INTERVAL,
    }))
}
