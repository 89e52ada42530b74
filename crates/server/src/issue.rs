//! The one place where tokens are minted.

use crate::context::Tenancy;
use crate::extract::Call;
use grantor_jose::{SigningAlgorithm, jws};
use grantor_protocol::Refusal;
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::directory::{Api, TokenFormat, User};
use grantor_protocol::grant::{Grant, GrantType};
use grantor_protocol::narrow;
use grantor_protocol::token::handle::{HandleKind, RefreshHandle};
use grantor_protocol::token::{AccessToken, Selection, TokenResponse, TokenSubject, id, presented_subject};
use grantor_protocol::value::{TokenId, UnixTime};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Writes an access token in the form that its API wants; sealed when it has none.
pub(crate) fn access_token(call: &Call, token: &AccessToken, api: Option<&Arc<Api>>) -> Result<String, Refusal> {
    let keys = &call.tenancy.ready()?.keys;
    let payload = serde_json::to_vec(&token.claims()).map_err(|_| Refusal::Broken)?;
    match api.map(|api| api.token) {
        Some(profile) if profile.format == TokenFormat::Jwt => {
            sign(&call.tenancy, profile.algorithm, AccessToken::TYP, &payload)
        }
        _ => keys.handles.seal(HandleKind::AccessToken, call.context.world.random(), &payload).ok_or(Refusal::Broken),
    }
}

/// Signs a JWT with the tenant's key for an algorithm.
pub(crate) fn sign(
    tenancy: &Tenancy,
    algorithm: SigningAlgorithm,
    typ: &str,
    payload: &[u8],
) -> Result<String, Refusal> {
    let key = tenancy.ready()?.keys.signing(algorithm).ok_or_else(|| {
        tracing::error!(%algorithm, "there is no key for this algorithm yet");
        Refusal::Broken
    })?;
    jws::sign(key, typ, payload).map_err(|error| {
        tracing::error!(%error, "signing failed");
        Refusal::Broken
    })
}

/// All that a grant gives: access token, refresh token, ID token.
pub(crate) fn of_grant(
    call: &Call,
    grant: &Grant,
    client: &AuthenticatedClient,
    user: &User,
    selection: Selection,
    grant_type: GrantType,
    now: UnixTime,
) -> Result<TokenResponse, Refusal> {
    let tenancy = &call.tenancy;
    let ready = tenancy.ready()?;
    let sub = presented_subject(&client.get().metadata, &grant.terms.subject, &ready.keys.pairwise);
    let token = user_token(call, grant, client, user, &selection, &sub, grant_type, now);
    let access_token = access_token(call, &token, selection.apis.first())?;
    let refreshes = client.get().metadata.grant_types.contains(&GrantType::RefreshToken);
    let refresh_token = refreshes
        .then(|| ready.keys.handles.refresh_token(RefreshHandle { grant: grant.id, generation: grant.generation }))
        .flatten();
    let openid = grant.terms.access.at(&tenancy.issuer.as_resource()).is_some_and(|scope| scope.contains("openid"));
    let id_token = openid.then(|| id_token(call, grant, client, user, &sub, &access_token, now)).transpose()?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: token.expires.remaining(now),
        scope: selection.scope,
        refresh_token,
        id_token,
    })
}

fn user_token(
    call: &Call,
    grant: &Grant,
    client: &AuthenticatedClient,
    user: &User,
    selection: &Selection,
    sub: &str,
    grant_type: GrantType,
    now: UnixTime,
) -> AccessToken {
    let directory = &call.tenancy.directory;
    let lives =
        selection.apis.iter().map(|api| narrow::longest_life(directory, api, client.get(), grant_type, Some(user)));
    let life = lives.min().unwrap_or(directory.tenant.lifetimes.access_token);
    let roles = match selection.apis.as_slice() {
        // Roles belong to one API; a token for several cannot say whose they are.
        [api] => user.roles_at(&api.audience).to_vec(),
        _ => Vec::new(),
    };
    AccessToken {
        issuer: call.tenancy.issuer.clone(),
        id: TokenId::new(call.context.world.millis(), call.context.world.random()),
        subject: TokenSubject::User(sub.to_owned()),
        client: client.id().clone(),
        audience: selection.audience.clone(),
        scope: selection.scope.clone(),
        roles,
        issued: now,
        expires: now.plus(life).min(grant.terms.ends),
        grant: Some(grant.id),
        authentication: Some(grant.terms.authentication.clone()),
    }
}

fn id_token(
    call: &Call,
    grant: &Grant,
    client: &AuthenticatedClient,
    user: &User,
    sub: &str,
    access_token: &str,
    now: UnixTime,
) -> Result<String, Refusal> {
    let algorithm = client.get().metadata.id_token_signed_response_alg;
    let lifetime = call.tenancy.directory.tenant.lifetimes.id_token;
    let issuer = &call.tenancy.issuer;
    let user_claims: Map<String, Value> = user.claims.to_map();
    let claims = id::claims(&grant.terms, sub, access_token, algorithm, &user_claims, issuer, lifetime, now);
    let payload = serde_json::to_vec(&claims).map_err(|_| Refusal::Broken)?;
    sign(&call.tenancy, algorithm, id::TYP, &payload)
}
