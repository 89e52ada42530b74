//! The pushed authorization request endpoint (RFC 9126 2).

use crate::client_auth::authenticate;
use crate::extract::Call;
use crate::{proof, request, respond};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorize::pushed::{self, PushedRequest};
use grantor_protocol::authorize::source::Source;
use grantor_protocol::authorize::{AuthorizationRequest, PageRefusal, Target};
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::params::Params;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::CodeId;
use http::{StatusCode, header};
use serde_json::json;

/// `POST /par`.
pub(crate) async fn handle(call: Call) -> Response {
    let answer = match answer(&call).await {
        Ok(request_uri) => {
            let body = json!({ "request_uri": request_uri, "expires_in": pushed::LIFETIME });
            respond::json(StatusCode::CREATED, &body)
        }
        Err(refusal) => respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION)),
    };
    respond::readable_by_all(proof::with_nonce(&call, answer))
}

async fn answer(call: &Call) -> Result<String, Refusal> {
    let refused = |refusal: &Refusal| call.event(Action::Authorization, Outcome::Refused).reason(refusal).write();
    let params = call.strict_form().inspect_err(refused)?;
    let proof = proof::read(call, None).inspect_err(refused)?;
    let client = authenticate(call, &params).await.inspect_err(refused)?;
    let pushed = async {
        proof::within_profile(proof.as_ref(), client.get().metadata.profile)?;
        let (request, signed) = match params.get("request") {
            Some(_) if params.get("request_uri").is_some() => return Err(Refusal::RequestUriAtPushedEndpoint),
            // RFC 9126 3: every parameter of the request is inside of the object.
            Some(object) => (request::signed(call, &client.get().metadata, object).await?, true),
            None => (params, false),
        };
        let query = PushedRequest::query(&request, proof.map(|proof| proof.key))?;
        let sealed = seal(call, &client, query, signed)?;
        // Whoever repeats the proof of a public client binds a code to the same key, and gains nothing; strangers must not
        // write.
        if client.get().metadata.is_confidential() {
            proof::once(call, proof.as_ref()).await?;
        }
        Ok(sealed)
    };
    pushed.await.inspect_err(|refusal| {
        call.event(Action::Authorization, Outcome::Refused).client(&client).reason(refusal).write();
    })
}

/// A request that would be refused at the authorization endpoint is refused here (RFC 9126 2.1, 2.3).
fn seal(call: &Call, client: &AuthenticatedClient, query: String, signed: bool) -> Result<String, Refusal> {
    let id = CodeId::new(call.context.world.millis(), call.context.world.random());
    let query = PushedRequest::named(query, client.id())?;
    let parsed = Params::parse(query.as_bytes())?;
    let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
    let source = Source::Pushed { id, signed };
    let target = Target::find(&parsed, directory, &source).map_err(|PageRefusal(refusal)| refusal)?;
    AuthorizationRequest::parse(&parsed, target, directory, issuer, &source).map_err(|refused| refused.refusal)?;
    let expires = call.now().plus(pushed::LIFETIME);
    let content = PushedRequest { id, client: client.id().clone(), query, signed, expires };
    let content = serde_json::to_vec(&content).map_err(|_| Refusal::Broken)?;
    let handles = &call.tenancy.ready()?.keys.handles;
    let handle = handles.seal(HandleKind::PushedRequest, call.context.world.random(), &content);
    Ok(format!("{}{}", pushed::PREFIX, handle.ok_or(Refusal::Broken)?))
}
