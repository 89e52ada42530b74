//! ID tokens (OpenID Connect Core 2, 3.1.3.6).

use crate::grant::NewGrant;
use crate::value::{ClientId, Issuer, Seconds, UnixTime};
use grantor_jose::{SigningAlgorithm, digest};
use serde_json::{Map, Value, json};

/// `typ` of an ID token's header: what keeps it apart from an access token.
pub const TYP: &str = "JWT";

/// The claims of an ID token. `user_claims` are those that the request asked for here by name (5.5); what scopes ask for
/// is found at the userinfo endpoint (5.4).
pub fn claims(
    grant: &NewGrant,
    sub: &str,
    access_token: &str,
    algorithm: SigningAlgorithm,
    user_claims: &Map<String, Value>,
    issuer: &Issuer,
    lifetime: Seconds,
    now: UnixTime,
) -> Map<String, Value> {
    let mut claims: Map<String, Value> = user_claims
        .iter()
        .filter(|(name, _)| grant.claims.id_token.contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut put = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    put("iss", json!(issuer));
    put("sub", json!(sub));
    put("aud", json!(grant.client));
    put("iat", json!(now));
    put("exp", json!(now.plus(lifetime)));
    put("auth_time", json!(grant.authentication.time));
    put("acr", json!(grant.authentication.acr));
    put("amr", json!(grant.authentication.amr));
    put("at_hash", json!(digest::left_half(algorithm, access_token)));
    if let Some(nonce) = &grant.nonce {
        put("nonce", json!(nonce));
    }
    if let Some(sid) = &grant.sid {
        put("sid", json!(sid));
    }
    claims
}

/// What a verified `id_token_hint` tells (3.1.2.1; RP-Initiated Logout 2): its signature, issuer and `typ` were checked,
/// its expiry does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The user, as the client sees him.
    pub sub: String,
    /// The client that it was issued to.
    pub client: ClientId,
    /// The session in which it was issued.
    pub sid: Option<String>,
}

impl Hint {
    /// Reads the claims of an ID token of this issuer.
    pub fn from_claims(claims: &Map<String, Value>, issuer: &Issuer) -> Option<Self> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        (text("iss")? == issuer.as_str()).then_some(())?;
        Some(Self {
            sub: text("sub")?.to_owned(),
            client: ClientId::parse(text("aud")?)?,
            sid: text("sid").map(str::to_owned),
        })
    }
}
