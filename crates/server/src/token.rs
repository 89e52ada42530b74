//! Reading what clients present: their credentials and their access tokens.

use crate::extract::Call;
use crate::failure::failed;
use crate::tenancy::Tenancy;
use grantor_jose::VerifyingKey;
use grantor_jose::jws::Unverified;
use grantor_login::Attempt;
use grantor_protocol::Refusal;
use grantor_protocol::client::AuthenticatedClient;
use grantor_protocol::client::auth::{self, Presented};
use grantor_protocol::directory::User;
use grantor_protocol::grant::{Grant, Standing, TokenRef};
use grantor_protocol::params::Params;
use grantor_protocol::token::handle::HandleKind;
use grantor_protocol::token::{AccessToken, id};
use grantor_protocol::value::{ClientId, Secret, UnixTime};
use serde_json::{Map, Value};

/// RFC 6749 2.3: the client that this request comes from.
pub(crate) async fn authenticate(call: &Call, params: &Params) -> Result<AuthenticatedClient, Refusal> {
    let authorization = match call.headers.get_all(http::header::AUTHORIZATION).iter().collect::<Vec<_>>().as_slice() {
        [] => None,
        [one] => Some(one.to_str().map_err(|_| Refusal::MalformedAuthorizationHeader)?),
        _ => return Err(Refusal::SeveralClientAuthentications),
    };
    let presented = Presented::find(params, authorization)?;
    let client = call.tenancy.directory.client(&presented.unverified_client_id);
    let now = call.now();
    let mut matched = false;
    if let (Some(client), Some(secret)) = (client, presented.secret()) {
        for phc in auth::slow_hashes(&presented, client, now) {
            if matches_slowly(call, &presented.unverified_client_id, secret, phc, now).await? {
                matched = true;
                break;
            }
        }
    }
    auth::authenticate(&presented, client, matched, now)
}

/// RFC 6749 2.3.1: a secret that somebody chose could be guessed, so guesses are throttled like those at a password.
async fn matches_slowly(
    call: &Call,
    client: &ClientId,
    secret: &Secret,
    phc: &str,
    now: UnixTime,
) -> Result<bool, Refusal> {
    let known = &call.context.known_secrets;
    let tag = known.tag(secret, phc);
    if known.knows(&tag) {
        return Ok(true);
    }
    let account = format!("client {client}");
    let (tenant, address) = (call.tenancy.name(), call.meta.address);
    let attempt = Attempt { tenant, account: &account, address, known: false };
    call.context.throttle.begin(attempt, now).map_err(|_| Refusal::Busy)?;
    let right = call.context.passwords.verify(secret, Some(phc)).await.map_err(|_| Refusal::Busy)?;
    if right {
        call.context.throttle.succeeded(attempt);
        known.learn(tag);
    }
    Ok(right)
}

/// The one access token of a request: in the header, or in the form of a POST (RFC 6750 2.1, 2.2), never in the query.
pub(crate) fn presented(call: &Call) -> Result<Secret, Refusal> {
    let mut found = Vec::new();
    for value in call.headers.get_all(http::header::AUTHORIZATION) {
        let value = value.to_str().map_err(|_| Refusal::MalformedAccessToken)?;
        let (scheme, token) = value.split_once(' ').ok_or(Refusal::NoAccessToken)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::NoAccessToken);
        }
        found.push(Secret::new(token.trim().to_owned()));
    }
    if call.method == http::Method::POST
        && let Ok(form) = call.form_params()
        && let Some(token) = form.get("access_token")
    {
        form.unrepeated()?;
        found.push(Secret::new(token.to_owned()));
    }
    match found.len() {
        0 => Err(Refusal::NoAccessToken),
        1 => found.pop().ok_or(Refusal::NoAccessToken),
        _ => Err(Refusal::SeveralAccessTokens),
    }
}

/// Opens an access token of this tenant, whichever form it has. An ID token is none: its type says so (RFC 9068 4,
/// RFC 8725 3.11). Whether it has expired or was taken back is asked separately.
pub(crate) fn open_access_token(tenancy: &Tenancy, text: &str) -> Result<AccessToken, Refusal> {
    let keys = &tenancy.ready()?.keys;
    let claims = if text.starts_with(HandleKind::AccessToken.prefix()) {
        let opened = keys.handles.open(HandleKind::AccessToken, text).ok_or(Refusal::MalformedAccessToken)?;
        serde_json::from_slice(&opened).map_err(|_| Refusal::MalformedAccessToken)?
    } else {
        verified_claims(tenancy, text, AccessToken::TYP).ok_or(Refusal::MalformedAccessToken)?
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
pub(crate) async fn standing(
    call: &Call,
    token: &AccessToken,
    now: UnixTime,
) -> Result<Option<(Box<Grant>, User)>, Refusal> {
    if !grantor_protocol::introspection::is_current(token, &call.tenancy.directory, now) {
        return Err(Refusal::AccessTokenExpired);
    }
    let (store, tenant) = (&call.context.store, call.tenancy.name());
    let reference = TokenRef { token: token.id, grant: token.grant, client: token.client.clone() };
    let grant = match store.standing(tenant, &reference).await.map_err(|error| failed(&error))? {
        Standing::Good(None) => return Ok(None),
        Standing::Good(Some(grant)) => grant,
        Standing::Revoked => return Err(Refusal::AccessTokenRevoked),
    };
    let user = store.user(tenant, &grant.terms.subject).await.map_err(|error| failed(&error))?;
    let user = user.filter(|user| !user.disabled).ok_or(Refusal::AccessTokenRevoked)?;
    Ok(Some((grant, user)))
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
    let key = VerifyingKey::from_jwk(jwk, algorithm).ok()?;
    let verified = unverified.verify(&key).ok()?;
    grantor_jose::parse_object(verified.payload())
}
