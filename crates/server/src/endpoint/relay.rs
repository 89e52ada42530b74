//! The playground's requests to other servers. A browser lets a page ask its own origin alone, and so the page asks this
//! server to ask: whom the administrator listed, and nobody else ([`grantor_fetch::Relay`]). It is for the playground's
//! own page: what another site sends is refused (RFC 9700 4.7), and an address has so many requests in an hour.

use crate::extract::Call;
use crate::respond;
use axum::response::Response;
use grantor_fetch::{FetchError, Relay, RelayAnswer, RelayError, RelayRequest};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where the page asks.
pub(crate) const RELAY: &str = "/playground/relay";

/// A request in JSON, as the page writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// An answer in JSON.
#[derive(Serialize)]
struct Enclosed {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    time: Time,
}

/// Whose time it took, in milliseconds.
#[derive(Serialize)]
struct Time {
    own: f64,
    other: f64,
}

/// Why nothing was passed on, or nothing came back.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("there is no relay")]
    Closed,
    #[error("the request is not from a page of this server")]
    AnotherSite,
    #[error("the request is not in JSON")]
    NotJson,
    #[error("the request cannot be read")]
    Malformed,
    #[error("the address has no more requests in this hour")]
    TooMany,
    #[error("the server is too busy")]
    Busy,
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// `POST /playground/relay`.
pub(crate) async fn handle(call: Call) -> Response {
    let begun = call.context.world.uptime();
    match relayed(&call).await {
        Ok(answer) => enclosed(answer, call.context.world.uptime().saturating_sub(begun)),
        Err(refused) => {
            tracing::info!(request_id = %call.meta.request_id, reason = %refused, "the relay refused");
            let (status, error) = refused.said();
            respond::json(status, &serde_json::json!({ "error": error }))
        }
    }
}

async fn relayed(call: &Call) -> Result<RelayAnswer, Refused> {
    let relay = open(call).ok_or(Refused::Closed)?;
    if !is_from_own_page(call) {
        return Err(Refused::AnotherSite);
    }
    let request = read(call)?;
    if !call.context.relayed.spend(call.meta.address, call.now()) {
        return Err(Refused::TooMany);
    }
    let origin = request.origin();
    let answer = call.context.operations.gate.abroad(relay.pass_on(request)).await.map_err(|_| Refused::Busy)?;
    // Of what is not listed nothing is written down: it may be anything.
    if is_listed(&answer) {
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        let (request_id, address) = (call.meta.request_id, call.meta.address);
        tracing::info!(%request_id, %address, tenant = %call.tenancy.name(), origin, status, "relayed");
    }
    Ok(answer?)
}

/// Whether the URL was that of a listed origin, whatever came of asking it.
fn is_listed(answer: &Result<RelayAnswer, RelayError>) -> bool {
    match answer {
        Ok(_) => true,
        Err(RelayError::Fetch(error)) => !matches!(error, FetchError::NotHttps | FetchError::MalformedUrl),
        Err(RelayError::NotListed | RelayError::Method | RelayError::Header) => false,
    }
}

/// The relay, where this tenant has a playground and somebody is listed.
pub(crate) fn open(call: &Call) -> Option<&Relay> {
    call.context.relay.as_ref().filter(|_| call.tenancy.directory.tenant.playground)
}

/// Both headers are the browser's own: no page can set them. One that sends neither is too old to be believed.
fn is_from_own_page(call: &Call) -> bool {
    call.header("sec-fetch-site") == Some("same-origin")
        && call.header(header::ORIGIN) == Some(&call.context.origin.text)
}

fn read(call: &Call) -> Result<RelayRequest, Refused> {
    // A form of another site cannot have this type, and a script's would ask for leave first (Fetch, "CORS protocol").
    let kind = call.header(header::CONTENT_TYPE).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refused::NotJson);
    }
    let Envelope { method, url, headers, body } = serde_json::from_slice(&call.body).map_err(|_| Refused::Malformed)?;
    Ok(RelayRequest::parse(&method, url, &headers, body)?)
}

fn enclosed(answer: RelayAnswer, whole: Duration) -> Response {
    let RelayAnswer { status, headers, body, took } = answer;
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let time = Time { own: millis(whole.saturating_sub(took)), other: millis(took) };
    let timing = format!("grantor;dur={:.3}, other;dur={:.3}", time.own, time.other);
    let mut response = respond::json(StatusCode::OK, &Enclosed { status, headers, body, time });
    if let Ok(timing) = HeaderValue::from_str(&timing) {
        response.headers_mut().insert(SERVER_TIMING, timing);
    }
    response
}

/// Whose time an answer took (Server Timing 3).
pub(crate) const SERVER_TIMING: &str = "server-timing";

impl Refused {
    /// What the page is told: enough to tell its user what to do, and nothing of the network behind this server.
    fn said(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Closed => (StatusCode::NOT_FOUND, "closed"),
            Self::AnotherSite => (StatusCode::FORBIDDEN, "another_site"),
            Self::NotJson => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "malformed"),
            Self::Malformed | Self::Relay(RelayError::Method | RelayError::Header) => {
                (StatusCode::BAD_REQUEST, "malformed")
            }
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::Busy | Self::Relay(RelayError::Fetch(FetchError::Throttled)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy")
            }
            Self::Relay(RelayError::NotListed | RelayError::Fetch(FetchError::NotHttps | FetchError::MalformedUrl)) => {
                (StatusCode::FORBIDDEN, "not_listed")
            }
            Self::Relay(RelayError::Fetch(_)) => (StatusCode::BAD_GATEWAY, "unreachable"),
        }
    }
}
