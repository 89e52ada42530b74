//! The one place where tokens are minted.

use crate::extract::Call;
use crate::tenancy::Tenancy;
use grantor_jose::{SigningAlgorithm, jws};
use grantor_protocol::Refusal;
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::directory::{Api, TokenFormat, User};
use grantor_protocol::grant::{Grant, GrantType};
use grantor_protocol::narrow;
use grantor_protocol::token::handle::{HandleKind, RefreshHandle};
use grantor_protocol::token::id::{self, IdToken};
use grantor_protocol::token::{AccessToken, Selection, TokenResponse, TokenSubject, presented_subject};
use grantor_protocol::value::{Scope, TokenId, UnixTime};
use std::sync::Arc;

/// What all tokens of one response have in common.
pub(crate) struct Issuing<'a> {
    pub(crate) call: &'a Call,
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) user: &'a User,
    pub(crate) grant_type: GrantType,
    pub(crate) now: UnixTime,
}

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

impl Issuing<'_> {
    /// All that a grant gives: access token, refresh token, ID token.
    pub(crate) fn of_grant(&self, grant: &Grant, selection: Selection) -> Result<TokenResponse, Refusal> {
        let tenancy = &self.call.tenancy;
        let keys = &tenancy.ready()?.keys;
        let metadata = &self.client.get().metadata;
        let sub = presented_subject(metadata, &grant.terms.subject, &keys.pairwise);
        let token = self.user_token(grant, &selection, &sub);
        let access_token = access_token(self.call, &token, selection.apis.first())?;
        let refreshes = grant.terms.refreshable && metadata.grant_types.contains(&GrantType::RefreshToken);
        let handle = RefreshHandle { grant: grant.id, generation: grant.generation };
        let refresh_token = refreshes.then(|| keys.handles.refresh_token(handle)).flatten();
        // The first response answers the authentication request (OpenID Connect Core 3.1.3.3); a later one gives an ID token
        // when the tokens that were asked for still speak of the sign-in (12.2).
        let granted = |scope: &Scope| scope.contains("openid");
        let first = self.grant_type == GrantType::AuthorizationCode;
        let openid = if first {
            grant.terms.access.at(&tenancy.issuer.as_resource()).is_some_and(granted)
        } else {
            granted(&selection.scope)
        };
        let id_token = openid.then(|| self.id_token(grant, &sub, &access_token)).transpose()?;
        Ok(TokenResponse {
            access_token,
            token_type: "Bearer",
            expires_in: token.expires.remaining(self.now),
            scope: selection.scope,
            refresh_token,
            id_token,
        })
    }

    fn user_token(&self, grant: &Grant, selection: &Selection, sub: &str) -> AccessToken {
        let directory = &self.call.tenancy.directory;
        let life_at = |api| narrow::longest_life(directory, api, self.client.get(), self.grant_type, Some(self.user));
        let lives = selection.apis.iter().map(|api| life_at(api));
        let life = lives.min().unwrap_or(directory.tenant.lifetimes.access_token);
        let roles = match selection.apis.as_slice() {
            // Roles belong to one API; a token for several cannot say whose they are.
            [api] => self.user.roles_at(&api.audience).to_vec(),
            _ => Vec::new(),
        };
        AccessToken {
            issuer: self.call.tenancy.issuer.clone(),
            id: TokenId::new(self.call.context.world.millis(), self.call.context.world.random()),
            subject: TokenSubject::User(sub.to_owned()),
            client: self.client.id().clone(),
            audience: selection.audience.clone(),
            scope: selection.scope.clone(),
            roles,
            issued: self.now,
            expires: self.now.plus(life).min(grant.terms.ends),
            grant: Some(grant.id),
            authentication: Some(grant.terms.authentication.clone()),
        }
    }

    fn id_token(&self, grant: &Grant, sub: &str, access_token: &str) -> Result<String, Refusal> {
        let algorithm = self.client.get().metadata.id_token_signed_response_alg;
        let token = IdToken {
            issuer: &self.call.tenancy.issuer,
            grant: &grant.terms,
            sub,
            access_token,
            algorithm,
            first: self.grant_type == GrantType::AuthorizationCode,
            issued: self.now,
            lifetime: self.call.tenancy.directory.tenant.lifetimes.id_token,
        };
        let payload = serde_json::to_vec(&token.claims(&self.user.claims)).map_err(|_| Refusal::Broken)?;
        sign(&self.call.tenancy, algorithm, id::TYP, &payload)
    }
}
