//! Forward authentication: whether a request that a proxy is about to pass on to an API has an access token that is enough
//! (RFC 6750, RFC 9068 4, RFC 9449 7, RFC 8705 3, RFC 9470), and whose it is.
//!
//! Only a trusted proxy is answered: what it says of the request decides what a proof is for, and nobody else needs to know
//! what a token is worth ([`introspect`](super::introspect) is for APIs that ask themselves).

use crate::extract::Call;
use crate::standing::Known;
use crate::token::{presented_in_header, proved, standing};
use crate::{proof, respond};
use axum::response::Response;
use grantor_jose::SigningAlgorithm;
use grantor_protocol::Refusal;
use grantor_protocol::forward_auth::{IDENTITY, Original, Question, identity, status};
use grantor_protocol::metadata::path;
use grantor_protocol::protected_resource::{Requirement, ResourceError, Scheme, Voice, challenges};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::sync::Arc;

/// For proxies that repeat the request: below the endpoint first what is wanted, as in the query of the other form, then
/// the path of the request. What a proxy puts in front of a path the caller cannot change, and the query is the caller's.
pub(crate) const REPEATED: &str = "/forward-auth/{*wanted_and_path}";

/// `GET /forward-auth?resource=AUDIENCE&…`, and any method below it.
pub(crate) async fn handle(call: &Call) -> Response {
    let asked = match question(call) {
        Ok(asked) => asked,
        Err(refusal) => return proof::with_nonce(call, unanswered(call, &refusal)),
    };
    let response = answer(call, &asked).await;
    proof::with_nonce(call, response)
}

/// What is asked, by who may ask.
struct Asked {
    question: Question,
    requirement: Requirement,
    /// The method and the path below the endpoint, where the proxy repeats the request.
    repeated: Option<Original>,
}

fn question(call: &Call) -> Result<Asked, Refusal> {
    if !call.context.settings.forward_auth {
        return Err(Refusal::ForwardAuthOff);
    }
    if !call.meta.from_proxy {
        return Err(Refusal::NotATrustedProxy);
    }
    let below = call.path.strip_prefix(path::FORWARD_AUTH).and_then(|below| below.strip_prefix('/'));
    let (raw, repeated) = match below {
        None => (call.query.as_str(), None),
        Some(below) => {
            let at = below.find('/').ok_or(Refusal::OriginalRequestUnknown)?;
            let (wanted, path) = below.split_at_checked(at).ok_or(Refusal::OriginalRequestUnknown)?;
            (wanted, Some(Original::new(call.method.as_str(), path)?))
        }
    };
    let question = Question::parse(raw)?;
    let api = call.tenancy.directory.api(&question.resource).ok_or(Refusal::UnknownApi)?;
    let requirement = question.requirement(api);
    Ok(Asked { question, requirement, repeated })
}

async fn answer(call: &Call, asked: &Asked) -> Response {
    let presented = presented_in_header(call);
    let scheme = presented.as_ref().ok().map(|(scheme, _)| *scheme);
    let admitted = match presented {
        Ok((scheme, text)) => admit(call, asked, scheme, text.expose()).await,
        Err(refusal) => Err(refusal),
    };
    match admitted {
        Ok(known) => passed(&known),
        Err(refusal) => refused(call, asked, &refusal, scheme),
    }
}

/// Binding and proof first, then audience, standing, and whether it is enough; the proof is used up last.
async fn admit(call: &Call, asked: &Asked, scheme: Scheme, text: &str) -> Result<Arc<Known>, Refusal> {
    let (known, proof) = proved(call, scheme, text, || {
        let original = original(call, asked)?;
        let uri = format!("{}{}", asked.question.origin, original.path);
        proof::read_for(call, &original.method, &uri, Some(text))
    })?;
    // Who sends a proof believes that the token is worth nothing without it (RFC 9449 7.1).
    if scheme == Scheme::Bearer && call.headers.contains_key(proof::DPOP) {
        return Err(Refusal::UnboundTokenAsDpop);
    }
    asked.question.decide(&known.token, &asked.requirement, call.now())?;
    standing(call, &known, call.now()).await?;
    proof::once(call, proof.as_ref()).await?;
    Ok(known)
}

fn original(call: &Call, asked: &Asked) -> Result<Original, Refusal> {
    match &asked.repeated {
        Some(repeated) => Ok(repeated.clone()),
        None => Original::of_headers(|name| {
            // A value that is no text is one that cannot be understood, and stays one of several.
            call.headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect()
        }),
    }
}

/// 200, with all that the API may know.
fn passed(known: &Known) -> Response {
    let mut response = respond::with_room(axum::body::Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for (name, value) in IDENTITY.into_iter().zip(identity(&known.token)) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A question that is not answered: nobody but a proxy asks, and a proxy whose configuration is not understood lets nobody
/// through.
fn unanswered(call: &Call, refusal: &Refusal) -> Response {
    let (request_id, address) = (call.meta.request_id, call.meta.address);
    if matches!(refusal, Refusal::ForwardAuthOff | Refusal::NotATrustedProxy) {
        tracing::info!(%request_id, %address, reason = %refusal, "forward authentication is not for everybody");
        return unchallenged(refusal, StatusCode::FORBIDDEN);
    }
    tracing::error!(%request_id, %address, reason = %refusal, "the proxy's question is not understood");
    unchallenged(refusal, StatusCode::SERVICE_UNAVAILABLE)
}

/// What an API would answer itself, as far as a proxy passes it on.
fn refused(call: &Call, asked: &Asked, refusal: &Refusal, scheme: Option<Scheme>) -> Response {
    let error = ResourceError::of(refusal);
    let audience = asked.question.resource.as_str();
    let request_id = call.meta.request_id;
    tracing::info!(%request_id, audience, address = %call.meta.address, reason = %refusal, "forward authentication refused");
    let profiles = &call.tenancy.directory.tenant.profiles;
    let offered = |algorithm: &SigningAlgorithm| profiles.iter().any(|profile| profile.allows_algorithm(*algorithm));
    let algorithms: Vec<_> = SigningAlgorithm::ALL.iter().copied().filter(offered).collect();
    let audience_in_query: String = url::form_urlencoded::byte_serialize(audience.as_bytes()).collect();
    let place = format!("{}?resource={audience_in_query}", path::PROTECTED_RESOURCE);
    let metadata_url = call.tenancy.issuer.endpoint(&place);
    let voice = Voice { audience, metadata_url: Some(&metadata_url), dpop_algorithms: &algorithms };
    let status = StatusCode::from_u16(status(error.status())).unwrap_or(StatusCode::UNAUTHORIZED);
    let mut response = unchallenged(refusal, status);
    // In one header (RFC 9110 11.6.1): nginx before 1.23 passes on one of several.
    let challenges = challenges(error, &voice, &asked.requirement, scheme).join(", ");
    if !challenges.is_empty()
        && let Ok(challenges) = HeaderValue::try_from(challenges)
    {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenges);
    }
    response
}

/// A refusal without a challenge. It has no body: a proxy throws it away, or a client finds all of it in the head.
fn unchallenged(refusal: &Refusal, status: StatusCode) -> Response {
    let mut response = respond::status(status);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    // For the figures.
    response.extensions_mut().insert(refusal.code());
    response
}
