//! The one place where tokens are minted.

use crate::client_auth::client_keys;
use crate::extract::Call;
use crate::tenancy::Tenancy;
use grantor_jose::jwe::{self, EncryptionKey};
use grantor_jose::{ContentEncryption, EncryptionAlgorithm, SigningAlgorithm, jws};
use grantor_protocol::Refusal;
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::client::{AuthenticatedClient, ClientMetadata};
use grantor_protocol::directory::{Api, TokenFormat, User};
use grantor_protocol::grant::{Grant, GrantType};
use grantor_protocol::status_list::StatusReference;
use grantor_protocol::token::handle::{HandleKind, RefreshHandle};
use grantor_protocol::token::id::{self, IdToken};
use grantor_protocol::token::{AccessToken, Binding, Selection, TokenResponse, TokenSubject, presented_subject};
use grantor_protocol::value::{Scope, Seconds, TokenId, UnixTime};
use std::sync::Arc;

/// What the claims of most access tokens are shorter than, in bytes.
const USUAL_CLAIMS: usize = 512;

/// To whom something is encrypted, and how.
pub(crate) struct Encryptor {
    key: EncryptionKey,
    enc: ContentEncryption,
}

/// What answers of one kind to a client are encrypted with, when it is registered for that: looked up before anything is
/// spent.
pub(crate) async fn encryptor(
    call: &Call,
    client: &ClientMetadata,
    alg: Option<EncryptionAlgorithm>,
    enc: Option<ContentEncryption>,
) -> Result<Option<Encryptor>, Refusal> {
    let Some(alg) = alg else { return Ok(None) };
    // OpenID Connect Dynamic Client Registration 2: the default where `alg` alone is registered.
    let enc = enc.unwrap_or(ContentEncryption::A128CbcHs256);
    let keys = client_keys(call, client, None).await?;
    let mut fitting = keys.keys.iter().filter(|key| key.usage() != Some("sig"));
    let key = fitting.find_map(|key| EncryptionKey::from_jwk(key, alg).ok());
    key.map(|key| Some(Encryptor { key, enc })).ok_or_else(|| {
        tracing::warn!(client = %client.client_id, %alg, "the client has no key to encrypt to");
        Refusal::ClientKeysUnavailable
    })
}

/// A signed token, encrypted where its receiver wants that (RFC 7519 5.2: nested).
pub(crate) fn nested(token: String, encryptor: Option<&Encryptor>) -> Result<String, Refusal> {
    let Some(Encryptor { key, enc }) = encryptor else { return Ok(token) };
    jwe::encrypt(key, *enc, Some("JWT"), token.as_bytes()).map_err(|error| {
        tracing::error!(%error, "encrypting failed");
        Refusal::Broken
    })
}

/// What all tokens of one response have in common.
pub(crate) struct Issuing<'a> {
    pub(crate) call: &'a Call,
    pub(crate) client: &'a AuthenticatedClient,
    pub(crate) user: &'a User,
    pub(crate) grant_type: GrantType,
    /// What the ID token is encrypted with.
    pub(crate) encryptor: Option<Encryptor>,
    /// The access token's name, its life, and where its status is.
    pub(crate) token: TokenId,
    pub(crate) life: Seconds,
    pub(crate) status: Option<StatusReference>,
    pub(crate) now: UnixTime,
}

/// What one access token carries.
pub(crate) struct Content {
    pub(crate) selection: Selection,
    pub(crate) details: AuthorizationDetails,
    pub(crate) binding: Binding,
}

/// Writes an access token in the form that its API wants; sealed when it has none.
pub(crate) fn access_token(
    call: &Call,
    grant_type: GrantType,
    token: &AccessToken,
    api: Option<&Arc<Api>>,
) -> Result<String, Refusal> {
    let keys = &call.tenancy.ready()?.keys;
    let mut payload = Vec::with_capacity(USUAL_CLAIMS);
    serde_json::to_writer(&mut payload, &token.written()).map_err(|_| Refusal::Broken)?;
    let (format, written) = match api.map(|api| api.token) {
        Some(profile) if profile.format == TokenFormat::Jwt => {
            (TokenFormat::Jwt, sign(&call.tenancy, profile.algorithm, AccessToken::TYP, &payload)?)
        }
        _ => {
            let sealed = keys.handles.seal(HandleKind::AccessToken, call.context.world.random(), &payload);
            (TokenFormat::Opaque, sealed.ok_or(Refusal::Broken)?)
        }
    };
    if let Some(metrics) = &call.context.operations.metrics {
        metrics.issued(grant_type, format);
    }
    Ok(written)
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
    pub(crate) fn of_grant(&self, grant: &Grant, content: Content) -> Result<TokenResponse, Refusal> {
        let selection = &content.selection;
        let tenancy = &self.call.tenancy;
        let keys = &tenancy.ready()?.keys;
        let metadata = &self.client.get().metadata;
        let sub = presented_subject(metadata, &grant.terms.subject, &keys.pairwise);
        let token = self.user_token(grant, &content, &sub);
        let access_token = access_token(self.call, self.grant_type, &token, selection.apis.first())?;
        let refreshes = grant.terms.refreshable && metadata.grant_types.contains(&GrantType::RefreshToken);
        let handle = RefreshHandle { grant: grant.id, generation: grant.generation };
        let refresh_token = refreshes.then(|| keys.handles.refresh_token(handle)).flatten();
        // The first response answers the authentication request (OpenID Connect Core 3.1.3.3); a later one gives an ID token
        // when the tokens that were asked for still speak of the sign-in (12.2).
        let granted = |scope: &Scope| scope.contains("openid");
        let first = self.is_first();
        let openid = if first {
            grant.terms.access.at(&tenancy.issuer.as_resource()).is_some_and(granted)
        } else {
            granted(&selection.scope)
        };
        let id_token = openid.then(|| self.id_token(grant, &sub, &access_token)).transpose()?;
        Ok(TokenResponse {
            access_token,
            token_type: content.binding.token_type(),
            expires_in: token.expires.remaining(self.now),
            scope: content.selection.scope,
            authorization_details: content.details,
            refresh_token,
            id_token,
        })
    }

    /// Whether the response answers a request that a user was asked about.
    fn is_first(&self) -> bool {
        matches!(self.grant_type, GrantType::AuthorizationCode | GrantType::DeviceCode)
    }

    fn user_token(&self, grant: &Grant, content: &Content, sub: &str) -> AccessToken {
        let selection = &content.selection;
        let roles = match selection.apis.as_slice() {
            // Roles belong to one API; a token for several cannot say whose they are.
            [api] => self.user.roles_at(&api.audience).to_vec(),
            _ => Vec::new(),
        };
        AccessToken {
            issuer: self.call.tenancy.issuer.clone(),
            id: self.token,
            subject: TokenSubject::User(sub.to_owned()),
            actor: None,
            client: self.client.id().clone(),
            audience: selection.audience.clone(),
            scope: selection.scope.clone(),
            roles,
            issued: self.now,
            expires: self.now.plus(self.life).min(grant.terms.ends),
            grant: Some(grant.id),
            authentication: Some(grant.terms.authentication.clone()),
            details: content.details.clone(),
            binding: content.binding,
            status: self.status.clone(),
        }
    }

    fn id_token(&self, grant: &Grant, sub: &str, access_token: &str) -> Result<String, Refusal> {
        let metadata = &self.client.get().metadata;
        let algorithm = metadata.response_algorithm(Some(metadata.id_token_signed_response_alg));
        let token = IdToken {
            issuer: &self.call.tenancy.issuer,
            grant: &grant.terms,
            sub,
            access_token,
            algorithm,
            first: self.is_first(),
            issued: self.now,
            lifetime: self.call.tenancy.directory.tenant.lifetimes.id_token,
        };
        let payload = serde_json::to_vec(&token.claims(&self.user.claims)).map_err(|_| Refusal::Broken)?;
        nested(sign(&self.call.tenancy, algorithm, id::TYP, &payload)?, self.encryptor.as_ref())
    }
}
