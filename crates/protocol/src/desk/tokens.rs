//! The tokens that the requests of a collection need, as other programs are told of them: each in a variable of its own, and
//! where a program can obtain it without a person, with the request that does so.

use super::collection::{Collection, Field, Folder, Header, Item, Token};
use super::note::{Notes, Why};
use super::parts::{Part, parts};
use super::settings::{Endpoints, Parameter, Place, Server, TokenSettings};
use super::text::{HeaderName, Line, VariableName};
use crate::client::AuthMethod;
use crate::grant::GrantType;
use url::form_urlencoded;

/// Every token once, in the order in which they are met.
pub(super) struct Tokens<'c> {
    all: Vec<Needed<'c>>,
    /// The endpoints that somebody must fill in.
    pub(super) missing: Vec<VariableName>,
}

/// A token.
pub(super) struct Needed<'c> {
    pub(super) settings: &'c TokenSettings,
    /// What holds it.
    pub(super) variable: VariableName,
    /// Where it comes from, discovery replaced by variables.
    pub(super) endpoints: Endpoints,
    /// How it is obtained without a person.
    pub(super) request: Option<TokenRequest>,
}

/// A token request (RFC 6749 4.4.2), with names of variables in it.
pub(super) struct TokenRequest {
    pub(super) url: String,
    /// `client_id` and `client_secret` for HTTP Basic (RFC 6749 2.3.1).
    pub(super) basic: Option<(Line, VariableName)>,
    pub(super) headers: Vec<Header>,
    pub(super) form: Vec<Field>,
}

impl<'c> Tokens<'c> {
    /// The tokens of a collection. What cannot be obtained by a program is noted.
    pub(super) fn of(collection: &'c Collection, notes: &mut Notes) -> Self {
        let mut found = Vec::new();
        collect(collection.root(), "", &mut found);
        let mut tokens = Self { all: Vec::new(), missing: Vec::new() };
        for (settings, at) in found {
            if tokens.find(settings).is_none() {
                tokens.add(settings, &at, collection, notes);
            }
        }
        tokens
    }

    /// The one that these settings obtain.
    pub(super) fn find(&self, settings: &TokenSettings) -> Option<&Needed<'c>> {
        self.all.iter().find(|needed| needed.settings == settings)
    }

    pub(super) fn all(&self) -> &[Needed<'c>] {
        &self.all
    }

    fn add(&mut self, settings: &'c TokenSettings, at: &str, collection: &Collection, notes: &mut Notes) {
        let word = match settings.use_token {
            super::UsedToken::AccessToken => "token",
            super::UsedToken::IdToken => "id_token",
        };
        let Some(variable) = self.free(word, collection) else { return };
        let endpoints = match &settings.server {
            Server::Endpoints(endpoints) => endpoints.clone(),
            Server::Issuer(_) => self.unknown_endpoints(settings, at, collection, notes),
        };
        let request = token_request(settings, &endpoints);
        if request.is_none() {
            notes.add(at, Why::TokenVariable(variable.clone()));
        }
        self.all.push(Needed { settings, variable, endpoints, request });
    }

    /// Variables in the place of what an issuer's metadata say.
    fn unknown_endpoints(
        &mut self,
        settings: &TokenSettings,
        at: &str,
        collection: &Collection,
        notes: &mut Notes,
    ) -> Endpoints {
        let mut of = |word: &str| {
            let Some(name) = self.free(word, collection) else { return Line::default() };
            notes.add(at, Why::EndpointVariable(name.clone()));
            let reference = Line::parse(&name.reference()).unwrap_or_default();
            self.missing.push(name);
            reference
        };
        let mut endpoints = Endpoints { token: of("token_endpoint"), ..Endpoints::default() };
        match settings.grant_type {
            GrantType::AuthorizationCode => endpoints.authorization = of("authorization_endpoint"),
            GrantType::DeviceCode => endpoints.device_authorization = of("device_authorization_endpoint"),
            GrantType::ClientCredentials | GrantType::RefreshToken | GrantType::JwtBearer => {}
        }
        endpoints
    }

    /// The name, or the first one after it that nobody has.
    fn free(&self, word: &str, collection: &Collection) -> Option<VariableName> {
        let taken = |name: &str| {
            collection.variables().iter().any(|variable| variable.name.as_str() == name)
                || self.all.iter().any(|needed| needed.variable.as_str() == name)
                || self.missing.iter().any(|missing| missing.as_str() == name)
        };
        let names = std::iter::once(word.to_owned()).chain((2..10_000).map(|number| format!("{word}_{number}")));
        VariableName::parse(&names.into_iter().find(|name| !taken(name))?)
    }
}

/// Where the settings of a folder or a request stand in the collection.
fn collect<'c>(folder: &'c Folder, at: &str, found: &mut Vec<(&'c TokenSettings, String)>) {
    let mut token = |token: &'c Token, at: &str| {
        if let Token::Settings(settings) = token {
            found.push((&**settings, format!("{at}/token")));
        }
    };
    token(&folder.token, at);
    for (number, item) in folder.items.iter().enumerate() {
        let at = format!("{at}/items/{number}");
        match item {
            Item::Folder(inner) => collect(inner, &at, found),
            Item::Request(request) => {
                if let Token::Settings(settings) = &request.token {
                    found.push((&**settings, format!("{at}/token")));
                }
            }
        }
    }
}

/// The request of a client for itself, with a secret: the only one that needs neither a person nor a key.
fn token_request(settings: &TokenSettings, endpoints: &Endpoints) -> Option<TokenRequest> {
    if settings.grant_type != GrantType::ClientCredentials {
        return None;
    }
    let secret = settings.client_secret.clone()?;
    let mut form = vec![field("grant_type", settings.grant_type.as_str())];
    let basic = match settings.client_authentication {
        AuthMethod::ClientSecretBasic => Some((settings.client_id.clone(), secret)),
        AuthMethod::ClientSecretPost => {
            form.push(field("client_id", settings.client_id.as_str()));
            form.push(field("client_secret", &secret.reference()));
            None
        }
        AuthMethod::ClientSecretJwt
        | AuthMethod::PrivateKeyJwt
        | AuthMethod::TlsClientAuth
        | AuthMethod::SelfSignedTlsClientAuth
        | AuthMethod::None => return None,
    };
    if !settings.scope.is_empty() {
        form.push(field("scope", settings.scope.as_str()));
    }
    form.extend(targets(settings).map(|(name, value)| field(name, value.as_str())));
    let all = &settings.parameters.token;
    let of = |place| all.iter().filter(move |one| one.place == place);
    form.extend(of(Place::Body).map(|one| field(one.name.as_str(), one.value.as_str())));
    let header =
        |one: &Parameter| Some(Header { name: HeaderName::parse(one.name.as_str())?, value: one.value.clone() });
    let mut url = endpoints.token.as_str().to_owned();
    for one in of(Place::Query) {
        url.push(if url.contains('?') { '&' } else { '?' });
        url.push_str(&encoded(one.name.as_str()));
        url.push('=');
        url.push_str(&encoded(one.value.as_str()));
    }
    Some(TokenRequest { url, basic, headers: of(Place::Header).filter_map(header).collect(), form })
}

/// `resource` (RFC 8707 2) and `audience`.
pub(super) fn targets(settings: &TokenSettings) -> impl Iterator<Item = (&'static str, &Line)> {
    let resources = settings.resource.iter().map(|resource| ("resource", resource));
    resources.chain(Some(("audience", &settings.audience)).filter(|(_, audience)| !audience.is_empty()))
}

/// As `application/x-www-form-urlencoded` has it (RFC 6749 Appendix B); names of variables stay names.
pub(super) fn encoded(text: &str) -> String {
    let part = |part| match part {
        Part::Text(text) => form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>(),
        Part::Name(name) => format!("{{{{{name}}}}}"),
    };
    parts(text).map(part).collect()
}

fn field(name: &str, value: &str) -> Field {
    Field { name: name.to_owned(), value: value.to_owned() }
}
