//! A token's settings with values in the place of names, and the requests that they make: for the browser (RFC 6749 4.1.1),
//! and for the token endpoint (4.1.3, 4.4.2, 6).

use super::fill::{Unfilled, Variables};
use super::settings::{Parameter, Place, Server, TokenSettings};
use super::text::Line;
use super::tokens::targets;
use crate::client::AuthMethod;
use crate::client::auth::basic_header;
use crate::grant::GrantType;
use crate::value::{ClientId, Secret};
use grantor_jose::{base64url, digest};
use std::fmt::Write as _;
use url::Url;
use zeroize::Zeroizing;

/// How to obtain a token. No variable stands in it any more.
#[derive(Debug)]
pub struct Ask {
    source: Source,
    grant_type: GrantType,
    client: ClientId,
    credential: Credential,
    redirect_uri: String,
    scope: String,
    targets: Vec<(&'static str, Secret)>,
    authorization: Vec<Extra>,
    token: Vec<Extra>,
    refresh: Vec<Extra>,
}

/// Where the token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The metadata of this issuer say it.
    Issuer(String),
    /// Endpoints, as they were typed.
    Endpoints {
        /// RFC 6749 3.1.
        authorization: String,
        /// RFC 6749 3.2.
        token: String,
    },
}

/// What an authorization request has besides the settings.
#[derive(Clone, Copy, Debug)]
pub struct Leaving<'a> {
    /// Where the browser comes back to.
    pub redirect_uri: &'a str,
    /// What it brings back.
    pub state: &'a str,
    /// What the ID token repeats (OpenID Connect Core 3.1.2.1).
    pub nonce: &'a str,
    /// The challenge of the verifier, S256 (RFC 7636 4.2).
    pub code_challenge: &'a str,
}

/// A request to a token endpoint.
#[derive(Debug)]
pub struct AskedToken {
    /// The endpoint, with the parameters of its query.
    pub url: String,
    /// Headers, in lower case.
    pub headers: Vec<(String, Secret)>,
    /// `application/x-www-form-urlencoded`.
    pub form: Secret,
}

/// Why these settings obtain nothing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unaskable {
    /// A variable is missing.
    #[error(transparent)]
    Unfilled(#[from] Unfilled),
    /// A grant type that needs something else: a device, an assertion.
    #[error("the grant type {} is not for the desk", .0.as_str())]
    GrantType(GrantType),
    /// The client proves itself with a key or a certificate, which the desk does not have.
    #[error("the desk cannot do {}", .0.as_str())]
    Method(AuthMethod),
    /// The method needs a secret, and there is none.
    #[error("there is no client secret")]
    NoSecret,
    /// Not the identifier of a client.
    #[error("there is no client_id")]
    ClientId,
}

#[derive(Debug)]
enum Credential {
    None,
    Basic(Secret),
    Post(Secret),
}

#[derive(Debug)]
struct Extra {
    name: String,
    value: Secret,
    place: Place,
}

/// One field of a form.
type Field = (String, Secret);

impl Ask {
    /// Puts the values into the settings.
    pub fn of(settings: &TokenSettings, variables: &Variables<'_>) -> Result<Self, Unaskable> {
        if !matches!(settings.grant_type, GrantType::AuthorizationCode | GrantType::ClientCredentials) {
            return Err(Unaskable::GrantType(settings.grant_type));
        }
        let fill = |line: &Line| variables.fill_line(line.as_str());
        let text = |line: &Line| Ok::<_, Unfilled>(fill(line)?.expose().trim().to_owned());
        let secret = || match &settings.client_secret {
            Some(name) => Ok(variables.fill_line(&name.reference())?),
            None => Err(Unaskable::NoSecret),
        };
        let credential = match settings.client_authentication {
            AuthMethod::None => Credential::None,
            AuthMethod::ClientSecretBasic => Credential::Basic(secret()?),
            AuthMethod::ClientSecretPost => Credential::Post(secret()?),
            other @ (AuthMethod::ClientSecretJwt
            | AuthMethod::PrivateKeyJwt
            | AuthMethod::TlsClientAuth
            | AuthMethod::SelfSignedTlsClientAuth) => return Err(Unaskable::Method(other)),
        };
        let extras = |all: &[Parameter]| {
            let extra =
                |one: &Parameter| Ok(Extra { name: text(&one.name)?, value: fill(&one.value)?, place: one.place });
            all.iter().map(extra).collect::<Result<Vec<_>, Unfilled>>()
        };
        let source = match &settings.server {
            Server::Issuer(issuer) => Source::Issuer(text(issuer)?),
            Server::Endpoints(endpoints) => {
                Source::Endpoints { authorization: text(&endpoints.authorization)?, token: text(&endpoints.token)? }
            }
        };
        Ok(Self {
            source,
            grant_type: settings.grant_type,
            client: ClientId::parse(&text(&settings.client_id)?).ok_or(Unaskable::ClientId)?,
            credential,
            redirect_uri: text(&settings.redirect_uri)?,
            scope: text(&settings.scope)?,
            targets: targets(settings)
                .map(|(name, value)| Ok((name, fill(value)?)))
                .collect::<Result<_, Unfilled>>()?,
            authorization: extras(&settings.parameters.authorization)?,
            token: extras(&settings.parameters.token)?,
            refresh: extras(&settings.parameters.refresh)?,
        })
    }

    /// Where the token comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether a person must be asked.
    pub fn needs_a_person(&self) -> bool {
        self.grant_type == GrantType::AuthorizationCode
    }

    /// For whom.
    pub fn client(&self) -> &ClientId {
        &self.client
    }

    /// What the client proves itself with.
    pub fn client_secret(&self) -> Option<&Secret> {
        match &self.credential {
            Credential::None => None,
            Credential::Basic(secret) | Credential::Post(secret) => Some(secret),
        }
    }

    /// Where the settings want the browser to come back to; empty for wherever the desk likes.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// `scope`, as it is asked for.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Whether an ID token is asked for (OpenID Connect Core 3.1.2.1).
    pub fn wants_identity(&self) -> bool {
        self.scope.split(' ').any(|scope| scope == "openid")
    }

    /// What tells this token from others: a token of one issuer must not go where that of another belongs, though both have one
    /// name. It is a digest, since a parameter may be a secret.
    pub fn fingerprint(&self) -> String {
        let mut whole = Zeroizing::new(String::new());
        let (source, grant_type, client, scope) = (&self.source, self.grant_type.as_str(), &self.client, &self.scope);
        // Writing into a text does not fail.
        let _ = writeln!(whole, "{source:?} {grant_type} {client} {scope:?}");
        let targets = self.targets.iter().map(|(name, value)| (*name, value, None));
        let extras = self.authorization.iter().chain(&self.token);
        let extras = extras.map(|extra| (extra.name.as_str(), &extra.value, Some(extra.place)));
        for (name, value, place) in targets.chain(extras) {
            let _ = writeln!(whole, "{place:?} {name:?} {:?}", value.expose());
        }
        base64url::encode(digest::sha256(whole.as_bytes()))
    }

    /// Where the browser goes (RFC 6749 4.1.1, RFC 7636 4.3). None when the endpoint is no URL.
    pub fn authorization_url(&self, endpoint: &str, leaving: &Leaving<'_>) -> Option<String> {
        let own = [
            ("response_type", "code"),
            ("client_id", self.client.as_str()),
            ("redirect_uri", leaving.redirect_uri),
            ("scope", &self.scope),
            ("state", leaving.state),
            ("code_challenge", leaving.code_challenge),
            ("code_challenge_method", "S256"),
            ("nonce", if self.wants_identity() { leaving.nonce } else { "" }),
        ];
        let mut fields: Vec<Field> = own
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), Secret::new(value.to_owned())))
            .collect();
        fields.extend(self.targets());
        add(&mut fields, &self.authorization, Place::Query);
        with_query(endpoint, &fields)
    }

    /// RFC 6749 4.1.3, RFC 7636 4.5.
    pub fn with_code(
        &self,
        endpoint: &str,
        (code, verifier): (&Secret, &Secret),
        redirect_uri: &str,
    ) -> Option<AskedToken> {
        let own = [
            ("code", code.clone()),
            ("redirect_uri", Secret::new(redirect_uri.to_owned())),
            ("code_verifier", verifier.clone()),
        ];
        self.asked(endpoint, GrantType::AuthorizationCode, own, &self.token)
    }

    /// RFC 6749 4.4.2.
    pub fn for_itself(&self, endpoint: &str) -> Option<AskedToken> {
        let scope = (!self.scope.is_empty()).then(|| ("scope", Secret::new(self.scope.clone())));
        self.asked(endpoint, GrantType::ClientCredentials, scope, &self.token)
    }

    /// RFC 6749 6: for the same scope as before.
    pub fn with_refresh_token(&self, endpoint: &str, token: &Secret) -> Option<AskedToken> {
        self.asked(endpoint, GrantType::RefreshToken, [("refresh_token", token.clone())], &self.refresh)
    }

    fn asked(
        &self,
        endpoint: &str,
        grant_type: GrantType,
        own: impl IntoIterator<Item = (&'static str, Secret)>,
        extras: &[Extra],
    ) -> Option<AskedToken> {
        let named = |name: &str, value: &str| (name.to_owned(), Secret::new(value.to_owned()));
        let mut form = vec![named("grant_type", grant_type.as_str())];
        form.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        form.extend(self.targets());
        let mut headers =
            vec![named("content-type", "application/x-www-form-urlencoded"), named("accept", "application/json")];
        match &self.credential {
            Credential::None => form.push(named("client_id", self.client.as_str())),
            Credential::Post(secret) => {
                form.push(named("client_id", self.client.as_str()));
                form.push(("client_secret".to_owned(), secret.clone()));
            }
            Credential::Basic(secret) => {
                headers.push(("authorization".to_owned(), basic_header(&self.client, secret)));
            }
        }
        add(&mut form, extras, Place::Body);
        add(&mut headers, extras, Place::Header);
        let mut query = Vec::new();
        add(&mut query, extras, Place::Query);
        Some(AskedToken { url: with_query(endpoint, &query)?, headers, form: urlencoded(&form) })
    }

    fn targets(&self) -> impl Iterator<Item = Field> {
        self.targets.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))
    }
}

/// Adds what is not there yet: what OAuth says itself is said once (RFC 6749 3.1), and no setting changes it.
fn add(fields: &mut Vec<Field>, extras: &[Extra], place: Place) {
    let own = fields.len();
    for extra in extras.iter().filter(|extra| extra.place == place) {
        let name = if place == Place::Header { extra.name.to_ascii_lowercase() } else { extra.name.clone() };
        if fields.iter().take(own).all(|(taken, _)| *taken != name) {
            fields.push((name, extra.value.clone()));
        }
    }
}

/// `application/x-www-form-urlencoded` (RFC 6749 Appendix B).
pub fn urlencoded(fields: &[(String, Secret)]) -> Secret {
    let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.expose()));
    Secret::new(url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

/// The query that the endpoint has stays (RFC 6749 3.1, 3.2).
fn with_query(endpoint: &str, fields: &[Field]) -> Option<String> {
    let mut url = Url::parse(endpoint).ok()?;
    if !fields.is_empty() {
        let pairs = fields.iter().map(|(name, value)| (name.as_str(), value.expose()));
        url.query_pairs_mut().extend_pairs(pairs);
    }
    Some(url.into())
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;
