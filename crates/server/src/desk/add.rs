//! A token comes onto the desk: what is known of it is read from itself.

use super::Seat;
use crate::token::open_access_token;
use grantor_jose::jws::Unverified;
use grantor_jose::parse_object;
use grantor_protocol::Refusal;
use grantor_protocol::params::Params;
use grantor_protocol::value::{Scope, Seconds, Secret, UnixTime};
use grantor_protocol::workspace::{KeptToken, name};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Nothing that is pasted is longer, in bytes: cookies and headers would not carry it anyway.
const LONGEST_TOKEN: usize = 12 * 1024;

impl Seat<'_> {
    /// What a form says: `name`, `access_token`, and what else there is of `refresh_token`, `id_token`, `issuer`,
    /// `client_id`, `client_secret`, `scope` and `expires_in`. What the token itself says counts more.
    pub(crate) fn pasted(&self, form: &Params) -> Result<KeptToken, Refusal> {
        let now = self.call.now();
        let text = |of: &'static str| form.get(of).map(str::trim).filter(|text| !text.is_empty());
        let secret = |of: &'static str| match text(of) {
            Some(text) if text.len() > LONGEST_TOKEN => Err(Refusal::OversizedParameter),
            found => Ok(found.map(|text| Secret::new(text.to_owned()))),
        };
        let access_token = secret("access_token")?.ok_or(Refusal::MissingParameter("access_token"))?;
        let said = |of: &'static str| text(of).unwrap_or_default().chars().take(500).collect::<String>();
        let expires_in = text("expires_in").and_then(|raw| raw.parse().ok()).map(Seconds::new);
        let mut token = KeptToken {
            name: name(form.get("name").unwrap_or_default()).ok_or(Refusal::MalformedParameter("name"))?,
            issuer: said("issuer"),
            client: said("client_id"),
            client_secret: secret("client_secret")?,
            refresh_token: secret("refresh_token")?,
            id_token: secret("id_token")?,
            user: String::new(),
            scope: said("scope"),
            issued: now,
            expires: expires_in.map(|life| now.plus(life)),
            settings: None,
            shared: false,
            shares: BTreeMap::new(),
            uses: Vec::new(),
            access_token,
        };
        self.describe(&mut token);
        Ok(token)
    }

    /// Reads what an access token says of itself: one of this issuer, opened; of another, as far as it is a JWT, which is
    /// only shown and never believed.
    pub(super) fn describe(&self, token: &mut KeptToken) {
        if let Ok(own) = open_access_token(&self.call.tenancy, token.access_token.expose()) {
            token.issuer = own.issuer.to_string();
            token.client = own.client.to_string();
            own.sub().clone_into(&mut token.user);
            token.scope = own.scope.to_string();
            (token.issued, token.expires) = (own.issued, Some(own.expires));
            return;
        }
        let Some(claims) = unverified_claims(token.access_token.expose()) else { return };
        let text = |names: &[&str]| names.iter().find_map(|name| claims.get(*name)?.as_str()).map(str::to_owned);
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(UnixTime::new);
        let replace = |field: &mut String, found: Option<String>| {
            if let Some(found) = found {
                *field = found.chars().take(500).collect();
            }
        };
        replace(&mut token.issuer, text(&["iss"]));
        replace(&mut token.client, text(&["client_id", "azp"]));
        replace(&mut token.user, text(&["sub"]));
        replace(&mut token.scope, text(&["scope", "scp"]));
        token.issued = time("iat").unwrap_or(token.issued);
        token.expires = time("exp").or(token.expires);
    }
}

/// The claims of a JWT that nobody has verified.
pub(super) fn unverified_claims(text: &str) -> Option<Map<String, Value>> {
    let unverified = Unverified::parse(text).ok()?;
    parse_object(unverified.unverified_payload())
}

/// The scopes that a member asks for; none for all.
pub(super) fn asked_scope(form: &Params) -> Result<Option<Scope>, Refusal> {
    form.get("scope").map(|raw| Scope::parse(raw).ok_or(Refusal::MalformedScope)).transpose()
}
