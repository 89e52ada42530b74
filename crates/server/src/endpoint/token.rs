//! The token endpoint (RFC 6749 3.2).

use crate::audit::{Draft, say};
use crate::client_auth::{authenticate, by_jwt_bearer};
use crate::extract::Call;
use crate::failure::failed;
use crate::issue::{self, Content, Issuing};
use crate::{proof, registered, respond, status_lists};
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::authorization_details::AuthorizationDetails;
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::defended;
use grantor_protocol::directory::{Api, User};
use grantor_protocol::grant::authorization_code::{self, Code, Terms};
use grantor_protocol::grant::device_code::DeviceCode;
use grantor_protocol::grant::{
    Access, GrantType, NewGrant, Redemption, Rotation, Spend, TokenRef, client_credentials, device_code, refresh_token,
};
use grantor_protocol::narrow::{self, Allowed, Asked};
use grantor_protocol::token::dpop::Proof;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::token::{AccessToken, Binding, Proven, Selection, TokenRequest, TokenResponse, select};
use grantor_protocol::value::{ClientId, GrantId, Scope, Seconds, TokenId, UnixTime};
use http::{StatusCode, header};
use std::sync::Arc;

/// By how much the clocks of two nodes may differ.
const CLOCK_DIFFERENCE: Seconds = Seconds::new(60);

/// `POST /token`.
pub(crate) async fn handle(call: &Call) -> Response {
    let answer = match answer(call).await {
        Ok(tokens) => match tokens.to_json() {
            Ok(text) => respond::json_text(StatusCode::OK, text),
            Err(_) => respond::oauth_error(&Refusal::Broken, false),
        },
        Err(refusal) => respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION)),
    };
    respond::readable_by_all(proof::with_nonce(call, answer))
}

/// The tokens of a request, or why there are none; the audit log knows both.
pub(crate) async fn answer(call: &Call) -> Result<TokenResponse, Refusal> {
    let refused = |refusal: Refusal| {
        call.event(Action::Token, Outcome::Refused).reason(&refusal).write();
        refusal
    };
    let params = call.strict_form().map_err(refused)?;
    let proof = proof::read(call, None).map_err(refused)?;
    let asserts = params.get("grant_type") == Some(GrantType::JwtBearer.as_str());
    let client = if asserts { Box::pin(by_jwt_bearer(call, &params)).await } else { authenticate(call, &params).await };
    let client = client.inspect_err(|refusal| {
        // What was given as a client_id may be anything, a secret too: only the name of a client is written down.
        let named = params.get("client_id").and_then(ClientId::parse);
        let named = named.filter(|id| call.tenancy.directory.client(id).is_some());
        call.event(Action::Token, Outcome::Refused).with("unverified_client_id", named).reason(refusal).write();
    })?;
    let proven = proof::proven(call, proof.as_ref());
    let asking = Asking { call, client: &client, proof: proof.as_ref(), proven, now: call.now() };
    let request = TokenRequest::parse(&params, &client).and_then(|request| {
        proof::within_profile(proof.as_ref(), client.get().metadata.profile)?;
        Ok(request)
    });
    // What waits for a commit is boxed: what does not, would be as large otherwise.
    let tokens = match request {
        Ok(TokenRequest::AuthorizationCode(request)) => Box::pin(asking.redeem(request)).await,
        Ok(TokenRequest::ForItself(request)) => asking.for_itself(request).await,
        Ok(TokenRequest::RefreshToken(request)) => Box::pin(asking.refresh(request)).await,
        Ok(TokenRequest::DeviceCode(request)) => Box::pin(asking.device(request)).await,
        Err(refusal) => Err(refusal),
    };
    let tokens = tokens.inspect_err(|refusal| {
        // A device that waits as it was told to is nothing to write down.
        if *refusal == Refusal::AuthorizationPending {
            return;
        }
        call.event(Action::Token, Outcome::Refused).client(&client).reason(refusal).write();
    })?;
    registered::note_use(call, &client);
    Ok(tokens)
}

/// Who asks, and what the request proves.
struct Asking<'a> {
    call: &'a Call,
    client: &'a AuthenticatedClient,
    /// Not yet known to be used for the first time.
    proof: Option<&'a Proof>,
    proven: Proven,
    now: UnixTime,
}

impl Asking<'_> {
    /// RFC 6749 4.1.3.
    async fn redeem(&self, request: authorization_code::Request) -> Result<TokenResponse, Refusal> {
        let keys = &self.call.tenancy.ready()?.keys;
        let opened = keys.handles.open(HandleKind::Code, request.code.expose()).ok_or(Refusal::MalformedCode)?;
        let code: Code = serde_json::from_slice(&opened).map_err(|_| Refusal::MalformedCode)?;
        self.spend(&request, code, GrantType::AuthorizationCode).await
    }

    /// RFC 8628 3.4, 3.5.
    async fn device(&self, request: device_code::Request) -> Result<TokenResponse, Refusal> {
        let (call, now) = (self.call, self.now);
        let keys = &call.tenancy.ready()?.keys;
        let opened = keys.handles.open(HandleKind::DeviceCode, request.device_code.expose());
        let code: DeviceCode =
            opened.and_then(|opened| serde_json::from_slice(&opened).ok()).ok_or(Refusal::MalformedDeviceCode)?;
        code.admit(self.client, now)?;
        let poll = call.context.store.poll_device(call.tenancy.name(), code.id, now).await;
        let allowed = poll.map_err(|error| failed(&error))?.allowed()?;
        self.spend(&request.redeeming(), allowed, GrantType::DeviceCode).await
    }

    /// What a person allowed becomes a grant, once.
    async fn spend(
        &self,
        request: &authorization_code::Request,
        code: Code,
        grant_type: GrantType,
    ) -> Result<TokenResponse, Refusal> {
        let (call, client, now) = (self.call, self.client, self.now);
        let directory = &call.tenancy.directory;
        let world = &call.context.world;
        let id =
            defended!("code-replay", code.id, grantor_protocol::value::CodeId::new(world.millis(), world.random()));
        let until = code.expires;
        // Remembered for as long as it could still be presented.
        let remember_until = until.plus(CLOCK_DIFFERENCE);
        let access_life = longest_access_life(call, &code.access);
        let terms = Terms { lifetimes: &directory.tenant.lifetimes, access_life, proven: self.proven };
        let terms = authorization_code::redeem(request, code, client, &terms, now)?;
        let user = call.context.store.user(call.tenancy.name(), &terms.subject).await;
        let user = living(user.map_err(|error| failed(&error))?)?;
        let (content, mut narrowed) = self.within(&terms, &request.asked, &request.details, &user, grant_type)?;
        narrowed.extend(terms.narrowed.iter().cloned());
        let grant = GrantId::new(world.millis(), world.random());
        let issuing = self.issuing(&user, grant_type, grant, &content.selection).await?;
        proof::once(call, self.proof).await?;
        let event = allowed(call, client, grant_type, &content.selection.scope, &content.binding, &narrowed);
        let event = event.target(&terms.subject).with("grant_id", grant).event();
        let falls_when_replayed = grant_type == GrantType::AuthorizationCode;
        let event_too = event.clone();
        let redemption = Redemption { code: id, remember_until, grant, terms, event: event_too, falls_when_replayed };
        let spend =
            call.context.store.redeem(call.tenancy.name(), redemption, now).await.map_err(|error| failed(&error))?;
        match spend {
            Spend::Fresh(grant) => {
                say(&event);
                issuing.of_grant(&grant, content)
            }
            Spend::TakenBack => Err(Refusal::GrantRevoked),
            Spend::Spent(_) if !falls_when_replayed => Err(Refusal::DeviceCodeSpent),
            Spend::Spent(grant) => {
                let replay = call.event(Action::Replay, Outcome::Refused).actor(client.id()).target(&grant);
                replay.with("what", "code").commit().await?;
                Err(Refusal::CodeSpent)
            }
        }
    }

    /// RFC 6749 6. Everything that can be refused without touching the grant is refused before it is rotated.
    async fn refresh(&self, request: refresh_token::Request) -> Result<TokenResponse, Refusal> {
        let (call, client, now) = (self.call, self.client, self.now);
        let (store, tenant) = (&call.context.store, call.tenancy.name());
        let keys = &call.tenancy.ready()?.keys;
        let handle =
            keys.handles.open_refresh_token(request.refresh_token.expose()).ok_or(Refusal::MalformedRefreshToken)?;
        let owned = store.owned_grant(tenant, handle.grant).await.map_err(|error| failed(&error))?;
        let (found, owner) = owned.map_or((None, None), |owned| (Some(owned.grant), owned.owner));
        let granted = refresh_token::may_refresh(found, client, self.proven)?;
        let found = defended!(
            "refresh-scope",
            granted,
            crate::undefended::widened(granted, &request.asked, client, &call.tenancy)
        );
        let generation = defended!("refresh-reuse", handle.generation, found.generation);
        let user = living(owner)?;
        let grant_type = GrantType::RefreshToken;
        let (content, narrowed) = self.within(&found.terms, &request.asked, &request.details, &user, grant_type)?;
        let issuing = self.issuing(&user, grant_type, handle.grant, &content.selection).await?;
        proof::once(call, self.proof).await?;
        let grant = if client.get().metadata.profile.rotates_refresh_tokens() {
            let grace = call.tenancy.directory.tenant.lifetimes.refresh_grace;
            let rotation = store.rotate(tenant, handle.grant, generation, grace, now).await;
            let rotation = rotation.map_err(|error| failed(&error))?;
            if rotation == Rotation::Reused {
                let replay = call.event(Action::Replay, Outcome::Refused).actor(client.id()).target(&handle.grant);
                replay.with("what", "refresh token").with("generation", handle.generation).commit().await?;
            }
            refresh_token::rotated(found, rotation)?
        } else {
            // Read again, as late as can be: it may have been revoked while keys were fetched.
            let found = store.grant(tenant, handle.grant).await.map_err(|error| failed(&error))?;
            match refresh_token::unrotated(found, handle.generation, now) {
                // One of a time when they were replaced (RFC 9700 4.14.2).
                Err(Refusal::RefreshTokenReused) => {
                    store.revoke_grant(tenant, handle.grant, now).await.map_err(|error| failed(&error))?;
                    let replay = call.event(Action::Replay, Outcome::Refused).actor(client.id()).target(&handle.grant);
                    replay.with("what", "refresh token").with("generation", handle.generation).commit().await?;
                    return Err(Refusal::RefreshTokenReused);
                }
                other => other?,
            }
        };
        // That it was refreshed, and when, stands in the grant itself. Those of two grants are never alike: who refreshed
        // stays visible.
        let (scope, binding) = (&content.selection.scope, &content.binding);
        call.tally((client.id().as_str(), grant_type, grant.id, scope, binding, &narrowed), || {
            let event = allowed(call, client, grant_type, scope, binding, &narrowed);
            event.target(&grant.terms.subject).with("grant_id", grant.id)
        });
        issuing.of_grant(&grant, content)
    }

    /// RFC 6749 4.4. Nothing is read from the store, and nothing is written but two audit
    /// lines for each window, the proof if there is one, and the token's status if its API wants that.
    async fn for_itself(&self, request: client_credentials::Request) -> Result<TokenResponse, Refusal> {
        let (call, now) = (self.call, self.now);
        let fresh = TokenId::new(call.millis(), call.context.world.random());
        let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
        let grant_type = request.grant_type;
        let (token, api, narrowed) =
            client_credentials::decide(request, self.client, directory, issuer, self.proven, (fresh, now))?;
        let writes = self.proof.is_some() || api.token.has_status();
        let token = if writes { Box::pin(self.noted(token, &api)).await? } else { token };
        let access_token = issue::access_token(call, grant_type, &token, Some(&api))?;
        let reasons: Vec<_> = narrowed.iter().map(ToString::to_string).collect();
        let (client, scope, binding) = (self.client, &token.scope, &token.binding);
        let features = (client.id().as_str(), grant_type, scope, binding, &reasons);
        call.tally(features, || allowed(call, client, grant_type, scope, binding, &reasons));
        Ok(TokenResponse {
            access_token,
            token_type: token.binding.token_type(),
            expires_in: token.expires.remaining(now),
            scope: token.scope,
            authorization_details: token.details,
            refresh_token: None,
            id_token: None,
        })
    }

    /// A token without a grant, once what must be written down of it is.
    async fn noted(&self, mut token: AccessToken, api: &Arc<Api>) -> Result<AccessToken, Refusal> {
        proof::once(self.call, self.proof).await?;
        let named = TokenRef { token: token.id, grant: None, client: token.client.clone() };
        token.status = status_lists::assign(self.call, Some(api), &named, token.expires).await?;
        Ok(token)
    }

    /// What one access token of a grant may carry, by today's directory.
    fn within(
        &self,
        terms: &NewGrant,
        asked: &Asked,
        details: &AuthorizationDetails,
        user: &User,
        grant_type: GrantType,
    ) -> Result<(Content, Vec<String>), Refusal> {
        let (directory, issuer) = (&self.call.tenancy.directory, &self.call.tenancy.issuer);
        let client = self.client.get();
        let allowed = narrow::still_allowed(&terms.access, directory, issuer, client, user, grant_type);
        let granted = terms.details.still_allowed(directory, &client.metadata, user);
        let allowed = match allowed {
            Err(Refusal::NothingOfTheScopeIsAllowed) if !granted.is_empty() => Allowed::default(),
            other => other?,
        };
        let (allowed, granted) = narrow::with_details(allowed, granted, directory, client, user, grant_type)?;
        let selection = select(&allowed.access, asked, directory, issuer)?;
        let details = granted.narrowed(details)?.at(directory, &selection.apis);
        narrow::each_speaks(&selection, &allowed.access, &details, directory)?;
        let binding = self.proven.bind(&client.metadata, selection.apis.iter().map(|api| &api.token.binding))?;
        Ok((Content { selection, details, binding }, allowed.reasons()))
    }

    /// What is needed to issue, with everything in it that can fail: a code is spent, and a refresh token replaced, after
    /// this.
    async fn issuing<'b>(
        &'b self,
        user: &'b User,
        grant_type: GrantType,
        grant: GrantId,
        selection: &Selection,
    ) -> Result<Issuing<'b>, Refusal> {
        let (call, now, world) = (self.call, self.now, &self.call.context.world);
        let (directory, metadata) = (&call.tenancy.directory, &self.client.get().metadata);
        let (alg, enc) = (metadata.id_token_encrypted_response_alg, metadata.id_token_encrypted_response_enc);
        let encryptor = issue::encryptor(call, metadata, alg, enc).await?;
        let life_at = |api| narrow::longest_life(directory, api, self.client.get(), grant_type, Some(user));
        let lives = selection.apis.iter().map(|api| life_at(api));
        let life = lives.min().unwrap_or(directory.tenant.lifetimes.access_token);
        let token = TokenId::new(world.millis(), world.random());
        let named = TokenRef { token, grant: Some(grant), client: self.client.id().clone() };
        let status = status_lists::assign(call, selection.apis.first(), &named, now.plus(life)).await?;
        Ok(Issuing { call, client: self.client, user, grant_type, encryptor, token, life, status, now })
    }
}

/// The longest that an access token for any of these audiences lives.
fn longest_access_life(call: &Call, access: &Access) -> Seconds {
    let directory = &call.tenancy.directory;
    let own = directory.tenant.lifetimes.access_token;
    access
        .iter()
        .filter_map(|(audience, _)| directory.api(audience))
        .map(|api| api.token.lifetime)
        .fold(own, Seconds::max)
}

fn living(user: Option<User>) -> Result<User, Refusal> {
    user.filter(|user| !user.disabled).ok_or(Refusal::UserDisabled)
}

fn allowed<'a>(
    call: &'a Call,
    client: &AuthenticatedClient,
    grant_type: GrantType,
    scope: &Scope,
    binding: &Binding,
    narrowed: &[String],
) -> Draft<'a> {
    let event = call.event(Action::Token, Outcome::Allowed).actor(client.id());
    let event = event.with("grant_type", grant_type).with("scope", scope);
    let event = event.with("auth_method", client.get().metadata.token_endpoint_auth_method);
    let event = binding.confirmation().into_iter().fold(event, |event, cnf| event.with("cnf", cnf));
    if narrowed.is_empty() { event } else { event.with("narrowed", narrowed) }
}
