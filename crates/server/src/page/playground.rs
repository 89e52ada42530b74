//! The playground and the token inspector. The pages are the same for everybody: what is typed, pasted or answered stays in
//! the browser, which asks the endpoints as any client does. No cookie is read or set.

use super::{View, home};
use crate::endpoint::relay::{self, RELAY};
use crate::extract::Call;
use crate::respond;
use axum::response::Response;
use grantor_fetch::Origin;
use grantor_protocol::value::Resource;
use grantor_web::{Playground, PlaygroundCallback, PlaygroundDemo, PlaygroundRelay, TokenInspector};
use http::StatusCode;
use serde_json::json;

/// The flows.
pub(crate) const PLAYGROUND: &str = "/playground";
/// Where authorization responses arrive.
pub(crate) const CALLBACK: &str = "/playground/callback";
/// What a token says.
pub(crate) const INSPECTOR: &str = "/playground/token";
/// What an API does.
pub(crate) const OPERATIONS: &str = "/playground/operations";

/// `GET /playground`.
pub(crate) async fn get(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let issuer = &call.tenancy.issuer;
    let demo = (call.context.settings.demo_api && call.tenancy.name().is_default()).then(|| PlaygroundDemo {
        client_id: "playground".to_owned(),
        scope: "openid profile offline_access notes:read notes:write".to_owned(),
        victim: "playground-victim".to_owned(),
        api: issuer.endpoint("/demo/notes"),
        machine: "demo-machine".to_owned(),
        machine_scope: "notes:read".to_owned(),
        clients: serde_json::Value::from(call.context.settings.demo_clients.clone()).to_string(),
    });
    let page = Playground {
        issuer: issuer.to_string(),
        base: call.tenancy.base.clone(),
        redirect_uri: issuer.endpoint(CALLBACK),
        desk: call.tenancy.directory.tenant.desk,
        relay: relay(&call),
        demo,
    };
    View::new(&call, None).scripts_ask().show(&page)
}

/// `GET /playground/callback`. The response is for the browser's eyes: nothing of the query is written into the page.
pub(crate) async fn callback(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let playground = format!("{}{PLAYGROUND}", call.tenancy.base);
    View::new(&call, None).runs_scripts().show(&PlaygroundCallback { playground })
}

/// `GET /playground/token`.
pub(crate) async fn inspector(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let issuer = call.tenancy.issuer.to_string();
    let playground = format!("{}{PLAYGROUND}", call.tenancy.base);
    View::new(&call, None).scripts_ask().show(&TokenInspector { issuer, playground, relay: relay(&call) })
}

/// The way to other servers.
fn relay(call: &Call) -> Option<PlaygroundRelay> {
    let origins = relay::open(call)?.origins();
    Some(PlaygroundRelay {
        at: format!("{}{RELAY}", call.tenancy.base),
        origins: origins.named().iter().map(Origin::as_str).map(str::to_owned).collect(),
        loopback: origins.loopback(),
    })
}

/// `GET /playground/operations?resource=AUDIENCE`: what this API does, as far as its declaration says so. Whoever asks must
/// know its audience, as for its metadata (RFC 9728); there is no list of APIs.
pub(crate) async fn operations(call: Call) -> Response {
    if !is_open(&call) {
        return home::not_found(call).await;
    }
    let audience = call.query_params().ok().and_then(|params| Resource::parse(params.get("resource")?));
    match audience.and_then(|audience| call.tenancy.directory.api(&audience)) {
        Some(api) => {
            let said = json!({ "audience": api.audience, "operations": api.operations, "openapi": api.openapi });
            respond::json(StatusCode::OK, &said)
        }
        None => respond::status(StatusCode::NOT_FOUND),
    }
}

/// Whether the tenant has a playground.
fn is_open(call: &Call) -> bool {
    call.tenancy.directory.tenant.playground
}
