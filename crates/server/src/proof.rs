//! The keys that a request proves that its sender holds: by a DPoP proof (RFC 9449), by the certificate of its connection
//! (RFC 8705).

use crate::extract::Call;
use crate::failure::failed;
use axum::response::Response;
use grantor_jose::SigningAlgorithm;
use grantor_protocol::Refusal;
use grantor_protocol::client::auth::certificate::ClientCertificate;
use grantor_protocol::defended;
use grantor_protocol::profile::Profile;
use grantor_protocol::protected_resource::Scheme;
use grantor_protocol::token::dpop::{self, Expected, Nonces, Proof};
use grantor_protocol::token::{Binding, Proven};
use http::{HeaderName, HeaderValue};

/// The header of a proof (RFC 9449 4.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
/// The header of a nonce (RFC 9449 8.1).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// The proof of a request, if it has one. Nothing is written: who asks is not known yet.
pub(crate) fn read(call: &Call, access_token: Option<&str>) -> Result<Option<Proof>, Refusal> {
    if !call.headers.contains_key(DPOP) {
        return Ok(None);
    }
    read_for(call, call.method.as_str(), &call.url(), access_token)
}

/// The same of a request that was sent elsewhere, by this method to this URL without its query.
pub(crate) fn read_for(
    call: &Call,
    method: &str,
    uri: &str,
    access_token: Option<&str>,
) -> Result<Option<Proof>, Refusal> {
    let headers = call.headers.get_all(DPOP).iter();
    let headers: Vec<&str> =
        headers.map(|value| value.to_str().map_err(|_| Refusal::MalformedDpopProof)).collect::<Result<_, _>>()?;
    if headers.is_empty() {
        return Ok(None);
    }
    let (keys, now) = (&call.tenancy.ready()?.keys, call.now());
    let expected = Expected {
        method,
        uri,
        access_token,
        nonces: call.tenancy.directory.tenant.dpop_nonces.then_some(Nonces(&keys.handles)),
        algorithms: SigningAlgorithm::ALL,
        known: Some(&call.context.known_keys),
        now,
    };
    dpop::verify(&headers, &expected)
}

/// What a request proves, by its proof and by its connection. Whether the proof was used before is asked last, by
/// [`once`], when nothing else is wrong: what is refused writes nothing.
pub(crate) fn proven(call: &Call, proof: Option<&Proof>) -> Proven {
    Proven { dpop: proof.map(|proof| proof.key), ..certificate(call) }
}

/// FAPI 2.0 Security Profile 5.4.1: the profile of a client says what it may sign with.
pub(crate) fn within_profile(proof: Option<&Proof>, profile: Profile) -> Result<(), Refusal> {
    let allowed = proof.is_none_or(|proof| profile.allows_algorithm(proof.algorithm));
    if allowed { Ok(()) } else { Err(Refusal::DpopAlgorithmNotAllowed) }
}

/// A proof is good once, on any node and after any restart (RFC 9449 11.1).
pub(crate) async fn once(call: &Call, proof: Option<&Proof>) -> Result<(), Refusal> {
    let Some(proof) = proof else { return Ok(()) };
    let (store, tenant, now) = (&call.context.store, call.tenancy.name(), call.now());
    let fresh =
        store.remember(tenant, "DPoP proof", &proof.id, proof.until, now).await.map_err(|error| failed(&error))?;
    if defended!("dpop", fresh, true) { Ok(()) } else { Err(Refusal::DpopProofReplayed) }
}

/// What the connection alone proves.
pub(crate) fn certificate(call: &Call) -> Proven {
    Proven { dpop: None, certificate: call.certificate.as_ref().map(ClientCertificate::thumbprint) }
}

/// RFC 9449 7.1, 7.2; RFC 8705 3: a bound token is good only with its key, and a token only under the scheme of its type.
pub(crate) fn check(binding: &Binding, scheme: Scheme, proven: Proven) -> Result<(), Refusal> {
    match (binding, scheme) {
        (Binding::Dpop(_), Scheme::Bearer) => Err(Refusal::BoundTokenAsBearer),
        (Binding::Bearer | Binding::Mtls(_), Scheme::Dpop) => Err(Refusal::UnboundTokenAsDpop),
        (Binding::Dpop(_), Scheme::Dpop) if proven.dpop.is_none() => Err(Refusal::DpopProofRequired),
        _ if proven.holds(binding) => Ok(()),
        _ => Err(Refusal::AccessTokenBoundToAnotherKey),
    }
}

/// Gives a client that sends proofs the nonce for its next one (RFC 9449 8.2).
pub(crate) fn with_nonce(call: &Call, mut response: Response) -> Response {
    let wanted = call.headers.contains_key(DPOP) && call.tenancy.directory.tenant.dpop_nonces;
    if wanted
        && let Ok(ready) = call.tenancy.ready()
        && let Some(nonce) = Nonces(&ready.keys.handles).fresh(call.now())
        && let Ok(nonce) = HeaderValue::from_str(&nonce)
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
    response
}
