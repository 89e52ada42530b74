//! The token endpoint (RFC 6749 3.2).

use crate::audit::Draft;
use crate::extract::Call;
use crate::failure::failed;
use crate::issue::{self, Issuing};
use crate::respond;
use crate::token::authenticate;
use axum::response::Response;
use grantor_protocol::Refusal;
use grantor_protocol::audit::{Action, Outcome};
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::directory::User;
use grantor_protocol::grant::authorization_code::{self, Code};
use grantor_protocol::grant::{
    Access, Grant, GrantType, Redemption, Rotation, Spend, client_credentials, refresh_token,
};
use grantor_protocol::narrow::{self, Asked};
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::token::{Selection, TokenRequest, TokenResponse, select};
use grantor_protocol::value::{ClientId, GrantId, Scope, Seconds, Subject, TokenId, UnixTime};
use http::{StatusCode, header};

/// By how much the clocks of two nodes may differ.
const CLOCK_DIFFERENCE: Seconds = Seconds::new(60);

/// `POST /token`.
pub(crate) async fn handle(call: Call) -> Response {
    let answer = match answer(&call).await {
        Ok(tokens) => respond::json(StatusCode::OK, &tokens),
        Err(refusal) => respond::oauth_error(&refusal, call.headers.contains_key(header::AUTHORIZATION)),
    };
    respond::readable_by_all(answer)
}

async fn answer(call: &Call) -> Result<TokenResponse, Refusal> {
    let refused = |refusal: Refusal| {
        call.event(Action::Token, Outcome::Refused).reason(&refusal).write();
        refusal
    };
    let params = call.strict_form().map_err(refused)?;
    let client = authenticate(call, &params).await.inspect_err(|refusal| {
        // What was given as a client_id may be anything, a secret too: only the name of a client is written down.
        let named = params.get("client_id").and_then(ClientId::parse);
        let named = named.filter(|id| call.tenancy.directory.client(id).is_some());
        call.event(Action::Token, Outcome::Refused).with("unverified_client_id", named).reason(refusal).write();
    })?;
    let now = call.now();
    let tokens = match TokenRequest::parse(&params, &client) {
        Ok(TokenRequest::AuthorizationCode(request)) => redeem(call, &client, &request, now).await,
        Ok(TokenRequest::ClientCredentials(asked)) => for_itself(call, &client, &asked, now),
        Ok(TokenRequest::RefreshToken(request)) => refresh(call, &client, &request, now).await,
        Err(refusal) => Err(refusal),
    };
    tokens.inspect_err(|refusal| {
        call.event(Action::Token, Outcome::Refused).actor(client.id()).reason(refusal).write();
    })
}

/// RFC 6749 4.1.3.
async fn redeem(
    call: &Call,
    client: &AuthenticatedClient,
    request: &authorization_code::Request,
    now: UnixTime,
) -> Result<TokenResponse, Refusal> {
    let directory = &call.tenancy.directory;
    let keys = &call.tenancy.ready()?.keys;
    let opened = keys.handles.open(HandleKind::Code, request.code.expose()).ok_or(Refusal::MalformedCode)?;
    let code: Code = serde_json::from_slice(&opened).map_err(|_| Refusal::MalformedCode)?;
    let (id, until) = (code.id, code.expires);
    // Remembered for as long as it could still be presented.
    let remember_until = until.plus(CLOCK_DIFFERENCE);
    let access_life = longest_access_life(call, &code.access);
    let terms = authorization_code::redeem(request, code, client, &directory.tenant.lifetimes, access_life, now)?;
    let user = living_user(call, &terms.subject).await?;
    let (selection, mut narrowed) =
        within(call, &terms.access, &request.asked, client, &user, GrantType::AuthorizationCode)?;
    narrowed.extend(terms.narrowed.iter().cloned());
    let grant = GrantId::new(call.context.world.millis(), call.context.world.random());
    let redemption = Redemption { code: id, remember_until, grant, terms };
    let spend =
        call.context.store.redeem(call.tenancy.name(), redemption, now).await.map_err(|error| failed(&error))?;
    match spend {
        Spend::Fresh(grant) => {
            granted(call, client, GrantType::AuthorizationCode, &grant, &selection.scope, &narrowed).await?;
            Issuing { call, client, user: &user, grant_type: GrantType::AuthorizationCode, now }
                .of_grant(&grant, selection)
        }
        Spend::TakenBack => Err(Refusal::GrantRevoked),
        Spend::Spent(grant) => {
            call.event(Action::Replay, Outcome::Refused)
                .actor(client.id())
                .target(&grant)
                .with("what", "code")
                .commit()
                .await?;
            Err(Refusal::CodeSpent)
        }
    }
}

/// RFC 6749 6. Everything that can be refused without touching the grant is refused before it is rotated.
async fn refresh(
    call: &Call,
    client: &AuthenticatedClient,
    request: &refresh_token::Request,
    now: UnixTime,
) -> Result<TokenResponse, Refusal> {
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let keys = &call.tenancy.ready()?.keys;
    let handle =
        keys.handles.open_refresh_token(request.refresh_token.expose()).ok_or(Refusal::MalformedRefreshToken)?;
    let found = store.grant(tenant, handle.grant).await.map_err(|error| failed(&error))?;
    let found = refresh_token::may_refresh(found.as_ref(), client)?;
    let user = living_user(call, &found.terms.subject).await?;
    let (selection, narrowed) =
        within(call, &found.terms.access, &request.asked, client, &user, GrantType::RefreshToken)?;
    let grace = call.tenancy.directory.tenant.lifetimes.refresh_grace;
    let rotation =
        store.rotate(tenant, handle.grant, handle.generation, grace, now).await.map_err(|error| failed(&error))?;
    if let Rotation::Reused(grant) = &rotation {
        let replay = call.event(Action::Replay, Outcome::Refused).actor(client.id()).target(&grant.id);
        replay.with("what", "refresh token").with("generation", handle.generation).commit().await?;
    }
    let grant = refresh_token::rotated(rotation)?;
    granted(call, client, GrantType::RefreshToken, &grant, &selection.scope, &narrowed).await?;
    Issuing { call, client, user: &user, grant_type: GrantType::RefreshToken, now }.of_grant(&grant, selection)
}

/// RFC 6749 4.4. Nothing is read from the store and nothing is written but the audit line.
fn for_itself(
    call: &Call,
    client: &AuthenticatedClient,
    asked: &Asked,
    now: UnixTime,
) -> Result<TokenResponse, Refusal> {
    let id = TokenId::new(call.context.world.millis(), call.context.world.random());
    let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
    let (token, api, narrowed) = client_credentials::decide(asked, client, directory, issuer, id, now)?;
    let access_token = issue::access_token(call, &token, Some(&api))?;
    let reasons: Vec<_> = narrowed.iter().map(ToString::to_string).collect();
    allowed(call, client, GrantType::ClientCredentials, &token.scope, &reasons).write();
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer",
        expires_in: token.expires.remaining(now),
        scope: token.scope,
        refresh_token: None,
        id_token: None,
    })
}

/// What one access token of a grant may carry, by today's directory.
fn within(
    call: &Call,
    access: &Access,
    asked: &Asked,
    client: &AuthenticatedClient,
    user: &User,
    grant_type: GrantType,
) -> Result<(Selection, Vec<String>), Refusal> {
    let (directory, issuer) = (&call.tenancy.directory, &call.tenancy.issuer);
    let allowed = narrow::still_allowed(access, directory, issuer, client.get(), user, grant_type)?;
    Ok((select(&allowed.access, asked, directory, issuer)?, allowed.reasons()))
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

async fn living_user(call: &Call, subject: &Subject) -> Result<User, Refusal> {
    let user = call.context.store.user(call.tenancy.name(), subject).await.map_err(|error| failed(&error))?;
    user.filter(|user| !user.disabled).ok_or(Refusal::UserDisabled)
}

/// The audit line of tokens that came of a grant, durable before they are given.
async fn granted(
    call: &Call,
    client: &AuthenticatedClient,
    grant_type: GrantType,
    grant: &Grant,
    scope: &Scope,
    narrowed: &[String],
) -> Result<(), Refusal> {
    let event = allowed(call, client, grant_type, scope, narrowed);
    event.target(&grant.terms.subject).with("grant_id", grant.id).commit().await
}

fn allowed<'a>(
    call: &'a Call,
    client: &AuthenticatedClient,
    grant_type: GrantType,
    scope: &Scope,
    narrowed: &[String],
) -> Draft<'a> {
    let event = call.event(Action::Token, Outcome::Allowed).actor(client.id());
    let event = event.with("grant_type", grant_type).with("scope", scope);
    if narrowed.is_empty() { event } else { event.with("narrowed", narrowed) }
}
