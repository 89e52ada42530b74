//! Reading the tokens that are presented.

use crate::extract::Call;
use crate::failure::failed;
use crate::proof;
use crate::standing::{Behind, Known, Stands};
use crate::tenancy::Tenancy;
use grantor_jose::jws::Unverified;
use grantor_protocol::Refusal;
use grantor_protocol::defended;
use grantor_protocol::introspection::is_current;
use grantor_protocol::protected_resource::{NoCredential, Scheme, credential};
use grantor_protocol::token::dpop::Proof;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::token::{AccessToken, id};
use grantor_protocol::value::{Secret, UnixTime};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The one access token of a request: in the header, or in the form of a POST (RFC 6750 2.1, 2.2; RFC 9449 7.1), never in
/// the query.
pub(crate) fn presented(call: &Call) -> Result<(Scheme, Secret), Refusal> {
    if call.method == http::Method::POST
        && let Ok(form) = call.form_params()
        && let Some(token) = form.get("access_token")
    {
        form.unrepeated()?;
        let alone = !call.headers.contains_key(http::header::AUTHORIZATION);
        return alone.then(|| (Scheme::Bearer, Secret::new(token.to_owned()))).ok_or(Refusal::SeveralAccessTokens);
    }
    presented_in_header(call)
}

/// The one access token of the header (RFC 6750 2.1, RFC 9449 7.1).
pub(crate) fn presented_in_header(call: &Call) -> Result<(Scheme, Secret), Refusal> {
    let values = call.headers.get_all(http::header::AUTHORIZATION).iter();
    match credential(values.map(http::HeaderValue::as_bytes)) {
        Ok((scheme, token)) => Ok((scheme, Secret::new(token.to_owned()))),
        Err(NoCredential::Absent | NoCredential::OtherScheme) => Err(Refusal::NoAccessToken),
        Err(NoCredential::Several) => Err(Refusal::SeveralAccessTokens),
        Err(NoCredential::Malformed) => Err(Refusal::MalformedAuthorization),
    }
}

/// The access token that a request to a resource presents, with the proof of the key that it is bound to. Whether it was
/// taken back is asked separately.
pub(crate) async fn admitted(call: &Call) -> Result<Arc<Known>, Refusal> {
    let (scheme, text) = presented(call)?;
    let (known, proof) = proved(call, scheme, text.expose(), || proof::read(call, Some(text.expose())))?;
    proof::once(call, proof.as_ref()).await?;
    Ok(known)
}

/// An access token within its time, sent by whom it is bound to, and the proof of that; whether the proof was used before is
/// asked separately, and last. `proof` reads it, where it counts: what comes with a bearer token proves nothing.
pub(crate) fn proved(
    call: &Call,
    scheme: Scheme,
    text: &str,
    proof: impl FnOnce() -> Result<Option<Proof>, Refusal>,
) -> Result<(Arc<Known>, Option<Proof>), Refusal> {
    let known = opened(call, text)?;
    let proof = match scheme {
        Scheme::Dpop => proof()?,
        Scheme::Bearer => None,
    };
    defended!("dpop", proof::check(&known.token.binding, scheme, proof::proven(call, proof.as_ref())), Ok(()))?;
    if !is_current(&known.token, &call.tenancy.directory, call.now()) {
        return Err(Refusal::AccessTokenExpired);
    }
    Ok((known, proof))
}

/// The same as [`open_access_token`], without opening or verifying twice what is presented many times.
pub(crate) fn opened(call: &Call, text: &str) -> Result<Arc<Known>, Refusal> {
    let keys = &call.tenancy.ready()?.keys;
    call.context.standings.opened(text, keys, || open_access_token(&call.tenancy, text))
}

/// Opens an access token of this tenant, whichever form it has. An ID token is none: its type says so (RFC 9068 4,
/// RFC 8725 3.11). Whether it has expired or was taken back is asked separately.
pub(crate) fn open_access_token(tenancy: &Tenancy, text: &str) -> Result<AccessToken, Refusal> {
    let keys = &tenancy.ready()?.keys;
    let claims = if text.starts_with(HandleKind::AccessToken.prefix()) {
        let opened = keys.handles.open(HandleKind::AccessToken, text).ok_or(Refusal::MalformedAccessToken)?;
        serde_json::from_slice(&opened).map_err(|_| Refusal::MalformedAccessToken)?
    } else {
        let typed = verified_claims(tenancy, text, AccessToken::TYP);
        let any = defended!(
            "token-type",
            typed,
            typed.or_else(|| crate::undefended::as_access_token(tenancy, verified_claims(tenancy, text, id::TYP)?))
        );
        any.ok_or(Refusal::MalformedAccessToken)?
    };
    let token = AccessToken::from_claims(&claims).ok_or(Refusal::MalformedAccessToken)?;
    if token.issuer == tenancy.issuer { Ok(token) } else { Err(Refusal::MalformedAccessToken) }
}

/// Reads an ID token that comes back as a hint: signed here, of the right type; its age does not matter.
pub(crate) fn open_id_token_hint(tenancy: &Tenancy, text: &str) -> Option<id::Hint> {
    id::Hint::from_claims(&verified_claims(tenancy, text, id::TYP)?, &tenancy.issuer)
}

/// Whether an access token is good now: inside its time, its client and its user there, nothing taken back. Gives its
/// grant and its user, unless an application acts for itself.
pub(crate) async fn standing(call: &Call, known: &Arc<Known>, now: UnixTime) -> Result<Option<Arc<Behind>>, Refusal> {
    if !is_current(&known.token, &call.tenancy.directory, now) {
        return Err(Refusal::AccessTokenExpired);
    }
    let (context, tenant) = (&call.context, call.tenancy.name());
    let stands = context.standings.of(known, &*context.store, tenant, || context.world.uptime()).await;
    match stands.map_err(|error| failed(&error))? {
        Stands::ForItself => Ok(None),
        // What was derived from a shared token is worth nothing where nothing may be shared any more.
        Stands::ForUser(behind) if behind.is_derived && !shares(call) => Err(Refusal::AccessTokenRevoked),
        Stands::ForUser(behind) => Ok(Some(behind)),
        Stands::Revoked => Err(Refusal::AccessTokenRevoked),
    }
}

fn shares(call: &Call) -> bool {
    let tenant = &call.tenancy.directory.tenant;
    tenant.desk && tenant.desk_sharing
}

fn verified_claims(tenancy: &Tenancy, text: &str, typ: &str) -> Option<Map<String, Value>> {
    let unverified = Unverified::parse(text).ok()?;
    if !unverified.header().has_type(typ) {
        return None;
    }
    let kid = unverified.header().kid()?;
    let published = tenancy.ready().ok()?.keys.published();
    let jwk = published.iter().find(|key| key.kid() == Some(kid))?;
    let algorithm = grantor_jose::SigningAlgorithm::parse(jwk.alg()?)?;
    let key = jwk.verifying_key(algorithm).ok()?;
    let verified = unverified.into_verified(&key).ok()?;
    grantor_jose::parse_object(verified.payload())
}
