//! Finding the authorization request behind what arrived: in the query itself, pushed before (RFC 9126), or in a request
//! object (RFC 9101), by value or by reference.

use crate::client_auth::client_keys;
use crate::extract::Call;
use grantor_fetch::Document;
use grantor_protocol::Refusal;
use grantor_protocol::authorize::pushed::{self, PushedRequest};
use grantor_protocol::authorize::request_object::{self, Expected, Wrapping};
use grantor_protocol::authorize::source::Source;
use grantor_protocol::client::{Client, ClientMetadata};
use grantor_protocol::params::Params;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::value::ClientId;
use std::sync::Arc;

/// The request that a query stands for, as a query of its own, and how it came.
pub(crate) async fn behind(call: &Call, query: &str, params: &Params) -> Result<(String, Source), Refusal> {
    let text = match (params.get("request"), params.get("request_uri")) {
        (None, None) => return Ok((query.to_owned(), Source::Plain)),
        (Some(_), Some(_)) => return Err(Refusal::RequestAndRequestUri),
        (Some(object), None) => object.to_owned(),
        (None, Some(uri)) => match pushed::handle_of(uri) {
            Some(handle) => return opened(call, params, handle),
            None => fetched(call, &client(call, params)?.metadata, uri).await?,
        },
    };
    let client = client(call, params)?;
    let inner = signed(call, &client.metadata, &text).await?;
    Ok((PushedRequest::query(&inner, None)?, Source::Signed))
}

/// The parameters in a request object of this client, which may be encrypted to this server (RFC 9101 6.1, 6.2).
pub(crate) async fn signed(call: &Call, client: &ClientMetadata, text: &str) -> Result<Params, Refusal> {
    let decrypted = match request_object::wrapping(text)? {
        Wrapping::Signed => text.to_owned(),
        Wrapping::Encrypted => {
            let opened = call.tenancy.ready()?.keys.decrypt(text).ok_or(Refusal::MalformedRequestObject)?;
            String::from_utf8(opened).map_err(|_| Refusal::MalformedRequestObject)?
        }
    };
    let kid = request_object::kid(&decrypted);
    let keys = client_keys(call, client, kid.as_deref()).await.map_err(|_| Refusal::RequestObjectKeyUnknown)?;
    request_object::open(&decrypted, &keys, &Expected { client, issuer: &call.tenancy.issuer, now: call.now() })
}

/// RFC 9101 5, RFC 9126 4: `client_id` stands outside too.
fn client(call: &Call, params: &Params) -> Result<Arc<Client>, Refusal> {
    if params.is_repeated("client_id") {
        return Err(Refusal::RepeatedParameter);
    }
    let id = params.get("client_id").ok_or(Refusal::MissingParameter("client_id"))?;
    let client = ClientId::parse(id).and_then(|id| call.tenancy.directory.client(&id)).ok_or(Refusal::UnknownClient)?;
    if client.metadata.disabled { Err(Refusal::ClientDisabled) } else { Ok(client) }
}

fn opened(call: &Call, params: &Params, handle: &str) -> Result<(String, Source), Refusal> {
    let client = client(call, params)?;
    let content = call.tenancy.ready()?.keys.handles.open(HandleKind::PushedRequest, handle);
    let content = content.ok_or(Refusal::MalformedRequestUri)?;
    let pushed: PushedRequest = serde_json::from_slice(&content).map_err(|_| Refusal::MalformedRequestUri)?;
    pushed.admit(&client.metadata.client_id, call.now())?;
    Ok((pushed.query, Source::Pushed { id: pushed.id, signed: pushed.signed }))
}

async fn fetched(call: &Call, client: &ClientMetadata, uri: &str) -> Result<String, Refusal> {
    pushed::registered(client, uri)?;
    // A fragment tells versions of the object apart, and is never sent (OpenID Connect Core 6.2).
    let address = uri.split('#').next().unwrap_or_default();
    let fetched = call.context.fetcher.get(address, Document::RequestObject);
    let fetched = call.context.operations.gate.abroad(fetched).await.map_err(|_| Refusal::Busy)?;
    let fetched = fetched.map_err(|error| {
        tracing::warn!(request_id = %call.meta.request_id, %error, "a request object could not be fetched");
        Refusal::RequestUriUnreachable
    })?;
    let text = String::from_utf8(fetched.body).map_err(|_| Refusal::MalformedRequestObject)?;
    Ok(text.trim().to_owned())
}
