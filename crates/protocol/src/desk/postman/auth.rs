//! Postman's OAuth 2.0 settings, read.

use super::super::MAX_LIST;
use super::super::collection::Token;
use super::super::note::{Notes, Why};
use super::super::parts::only_name;
use super::super::secrets::Gathered;
use super::super::settings::{Endpoints, Parameter, Place, Server, TokenSettings, UsedToken};
use super::super::text::{HeaderName, Line, Name};
use super::grant_type;
use super::json::{is_disabled, is_filled, list, scalar, text};
use crate::client::AuthMethod;
use crate::grant::GrantType;
use serde_json::Value;

/// What `auth` of a collection, a folder or a request says. Where it is something that cannot be taken over there is no
/// token: one of the folder around it was not meant.
pub(super) fn read(auth: Option<&Value>, at: &str, made: &mut Gathered, notes: &mut Notes) -> Token {
    let auth = match auth {
        None | Some(Value::Null) => return Token::Inherited,
        Some(Value::Object(auth)) => auth,
        Some(_) => {
            notes.add(at, Why::Malformed);
            return Token::None;
        }
    };
    match text(auth, "type") {
        "noauth" => Token::None,
        "oauth2" => {
            let entries = Entries::new(list(auth, "oauth2"), &format!("{at}/oauth2"), notes);
            match settings(entries, at, made, notes) {
                Some(settings) => Token::Settings(Box::new(settings)),
                None => Token::None,
            }
        }
        other => {
            notes.add(at, Why::OtherAuth(other.chars().take(40).collect()));
            Token::None
        }
    }
}

fn settings(mut entries: Entries<'_>, at: &str, made: &mut Gathered, notes: &mut Notes) -> Option<TokenSettings> {
    let grant_type = grant_type(&mut entries, at, notes)?;
    let token = entries.line("accessTokenUrl", notes);
    let refresh = entries.take("refreshTokenUrl");
    if let Some(refresh) = refresh.filter(|refresh| refresh.value.as_str() != Some(token.as_str())) {
        notes.add(&refresh.at, Why::RefreshEndpoint);
    }
    let authorization = entries.line("authUrl", notes);
    let server = Server::Endpoints(Endpoints { authorization, token, device_authorization: Line::default() });
    let mut read = TokenSettings::new(grant_type, server);
    read.name = entries.take("tokenName").and_then(|entry| Name::cleaned(entry.value.as_str()?));
    read.client_id = entries.line("clientId", notes);
    authentication(&mut read, &mut entries, made, notes);
    read.redirect_uri = entries.line("redirect_uri", notes);
    read.scope = entries.line("scope", notes);
    read.state = entries.line("state", notes);
    read.audience = entries.line("audience", notes);
    read.resource.extend(Some(entries.line("resource", notes)).filter(|resource| !resource.is_empty()));
    if let Some(prefix) = entries.find("headerPrefix") {
        // An empty one is meant: the token stands alone.
        match prefix.value.as_str().and_then(|prefix| Line::parse(prefix.trim())) {
            Some(prefix) => read.header_prefix = prefix,
            None => notes.add(&prefix.at, Why::Unfit),
        }
    }
    sending(&mut read, &mut entries, notes);
    let mut parameters = |key, usual| parameters(entries.take(key), usual, made, notes);
    read.parameters.authorization = parameters("authRequestParams", Place::Query);
    read.parameters.token = parameters("tokenRequestParams", Place::Body);
    read.parameters.refresh = parameters("refreshRequestParams", Place::Body);
    lift(&mut read);
    entries.leave(notes);
    Some(read)
}

/// The grant type, unless it is one that is not taken over.
fn grant_type(entries: &mut Entries<'_>, at: &str, notes: &mut Notes) -> Option<GrantType> {
    let named = entries.take("grant_type");
    let at = named.as_ref().map_or(at, |entry| entry.at.as_str());
    let challenge = entries.take("challengeAlgorithm");
    // Without one it is the code: so Postman takes it.
    match named.as_ref().map_or(Some(grant_type::CODE), |entry| entry.value.as_str()) {
        Some(grant_type::CODE) => {
            notes.add(at, Why::WithoutChallenge);
            Some(GrantType::AuthorizationCode)
        }
        Some(grant_type::CODE_WITH_PKCE) => {
            if let Some(plain) = challenge.filter(|entry| entry.value.as_str() != Some("S256")) {
                notes.add(&plain.at, Why::PlainChallenge);
            }
            Some(GrantType::AuthorizationCode)
        }
        Some(grant_type::CLIENT_CREDENTIALS) => Some(GrantType::ClientCredentials),
        Some(grant_type::IMPLICIT) => {
            notes.add(at, Why::ImplicitGrant);
            None
        }
        Some(grant_type::PASSWORD) => {
            notes.add(at, Why::PasswordGrant);
            None
        }
        other => {
            let other = other.unwrap_or_default();
            let known = GrantType::parse(other);
            if known.is_none() {
                notes.add(at, Why::GrantType(other.chars().take(40).collect()));
            }
            known
        }
    }
}

/// RFC 6749 2.3.1: a secret in the header, or in the form; without one the client is public (2.1).
fn authentication(read: &mut TokenSettings, entries: &mut Entries<'_>, made: &mut Gathered, notes: &mut Notes) {
    let in_form = entries.take("client_authentication").is_some_and(|entry| entry.value.as_str() == Some("body"));
    let secret = entries.take("clientSecret");
    // One that acts for itself has one, which may still have to be written (RFC 6749 4.4).
    if secret.is_none() && read.grant_type != GrantType::ClientCredentials {
        read.client_authentication = AuthMethod::None;
        return;
    }
    read.client_authentication = if in_form { AuthMethod::ClientSecretPost } else { AuthMethod::ClientSecretBasic };
    let at = secret.as_ref().map(|entry| entry.at.clone()).unwrap_or_default();
    let value = secret.and_then(|entry| scalar(entry.value)).unwrap_or_default();
    read.client_secret = made.secret("client_secret", &value, &at, notes);
    if read.client_secret.is_none() {
        read.client_authentication = AuthMethod::None;
        notes.add(&at, Why::Unfit);
    }
}

/// Which token is sent, and where: the one thing of these that is kept is whether it is the ID token.
fn sending(read: &mut TokenSettings, entries: &mut Entries<'_>, notes: &mut Notes) {
    if let Some(entry) = entries.take("accessToken") {
        match entry.value.as_str().and_then(only_name) {
            Some(name) if name.starts_with(UsedToken::IdToken.as_str()) => read.use_token = UsedToken::IdToken,
            Some(_) => {}
            None => notes.add(&entry.at, Why::Token),
        }
    }
    if let Some(entry) = entries.take("addTokenTo")
        && entry.value.as_str() != Some("header")
    {
        notes.add(&entry.at, Why::TokenInQuery);
    }
    if let Some(entry) = entries.take("code_verifier") {
        notes.add(&entry.at, Why::CodeVerifier);
    }
    if let Some(entry) = entries.take("tokenType")
        && !entry.value.as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
    {
        notes.add(&entry.at, Why::Setting("tokenType".to_owned()));
    }
}

fn parameters(entry: Option<Entry<'_>>, usual: Place, made: &mut Gathered, notes: &mut Notes) -> Vec<Parameter> {
    let Some(Entry { value, at, .. }) = entry else { return Vec::new() };
    let Value::Array(all) = value else {
        notes.add(&at, Why::Malformed);
        return Vec::new();
    };
    let mut read = Vec::new();
    for (number, one) in all.iter().enumerate() {
        let at = format!("{at}/value/{number}");
        let Value::Object(one) = one else {
            notes.add(&at, Why::Malformed);
            continue;
        };
        if is_disabled(one) {
            notes.add(&at, Why::Disabled);
            continue;
        }
        let place = match text(one, "send_as") {
            "request_url" => Place::Query,
            "request_body" => Place::Body,
            "request_header" => Place::Header,
            _ => usual,
        };
        let (name, value) = (text(one, "key"), one.get("value").and_then(scalar).unwrap_or_default());
        let possible = match place {
            Place::Header => usual == Place::Body && HeaderName::parse(name).is_some(),
            Place::Body => usual == Place::Body && !name.is_empty(),
            Place::Query => !name.is_empty(),
        };
        let line = Line::parse(name).filter(|_| possible && read.len() < MAX_LIST);
        match line.and_then(|name| Some((made.parameter(name.as_str(), &value, &at, notes)?, name))) {
            Some((value, name)) => read.push(Parameter { name, value, place }),
            None => notes.add(&at, Why::Unfit),
        }
    }
    read
}

/// `resource` and `audience` have places of their own: a parameter that both requests carry is taken there, since an
/// export puts them into both.
fn lift(read: &mut TokenSettings) {
    let asked = read.grant_type == GrantType::AuthorizationCode;
    let TokenSettings { parameters, resource, audience, .. } = read;
    let authorization = &mut parameters.authorization;
    parameters.token.retain(|one| {
        let free = match one.name.as_str() {
            "resource" => resource.len() < MAX_LIST,
            "audience" => audience.is_empty(),
            _ => false,
        };
        if !free || one.place != Place::Body || one.value.is_empty() {
            return true;
        }
        if asked {
            let same = |other: &Parameter| (&other.name, &other.value) == (&one.name, &one.value);
            let Some(twin) = authorization.iter().position(same) else { return true };
            authorization.remove(twin);
        }
        if one.name.as_str() == "resource" {
            resource.push(one.value.clone());
        } else {
            *audience = one.value.clone();
        }
        false
    });
}

/// The settings as they stand in the file: each is asked for once, and what nobody asked for is told.
struct Entries<'v>(Vec<Entry<'v>>);

#[derive(Clone)]
struct Entry<'v> {
    key: &'v str,
    value: &'v Value,
    at: String,
}

impl<'v> Entries<'v> {
    fn new(all: &'v [Value], at: &str, notes: &mut Notes) -> Self {
        let mut entries: Vec<Entry<'v>> = Vec::new();
        for (number, one) in all.iter().enumerate() {
            let at = format!("{at}/{number}");
            let Some(one) = one.as_object().filter(|one| one.get("key").is_some_and(Value::is_string)) else {
                notes.add(&at, Why::Malformed);
                continue;
            };
            let key = text(one, "key");
            let value = one.get("value").unwrap_or(&Value::Null);
            if entries.iter().any(|entry| entry.key == key) {
                notes.add(&at, Why::Repeated);
            } else if entries.len() < MAX_LIST {
                entries.push(Entry { key, value, at });
            } else {
                notes.add(&at, Why::Unfit);
            }
        }
        Self(entries)
    }

    /// The setting, even if there is nothing in it.
    fn find(&mut self, key: &str) -> Option<Entry<'v>> {
        self.0.iter().position(|entry| entry.key == key).map(|position| self.0.swap_remove(position))
    }

    /// The setting, if there is something in it.
    fn take(&mut self, key: &str) -> Option<Entry<'v>> {
        self.find(key).filter(|entry| is_filled(entry.value))
    }

    fn line(&mut self, key: &str, notes: &mut Notes) -> Line {
        let Some(entry) = self.take(key) else { return Line::default() };
        scalar(entry.value).and_then(|value| Line::parse(&value)).unwrap_or_else(|| {
            notes.add(&entry.at, Why::Unfit);
            Line::default()
        })
    }

    /// Tells what was not asked for.
    fn leave(mut self, notes: &mut Notes) {
        self.0.retain(|entry| is_filled(entry.value));
        self.0.sort_by(|a, b| a.key.cmp(b.key));
        for entry in self.0 {
            notes.add(&entry.at, Why::Setting(entry.key.chars().take(40).collect()));
        }
    }
}
