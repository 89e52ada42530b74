//! How a token is obtained for a request.

use super::text::{HeaderName, Line, Name, VariableName};
use super::{Invalid, MAX_LIST};
use crate::client::AuthMethod;
use crate::grant::GrantType;
use serde::{Deserialize, Serialize};

/// The settings of a token. PKCE is not among them: it is always there, with S256 (RFC 7636 4.2, OAuth 2.1 7.5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    /// What the token is called at the desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// How it is obtained.
    pub grant_type: GrantType,
    /// From whom.
    pub server: Server,
    /// `client_id` (RFC 6749 2.2).
    #[serde(default)]
    pub client_id: Line,
    /// The secret variable that holds `client_secret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<VariableName>,
    /// How the client proves who it is.
    #[serde(default)]
    pub client_authentication: AuthMethod,
    /// `redirect_uri` (RFC 6749 3.1.2); without it, the desk's own.
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub redirect_uri: Line,
    /// `scope` (RFC 6749 3.3).
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub scope: Line,
    /// `resource` (RFC 8707 2).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource: Vec<Line>,
    /// `audience`, which some servers ask for in the place of `resource`.
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub audience: Line,
    /// `state` (RFC 6749 4.1.1); without it one is drawn each time, which is better.
    #[serde(default, skip_serializing_if = "Line::is_empty")]
    pub state: Line,
    /// Which token is sent to the API.
    #[serde(default)]
    pub use_token: UsedToken,
    /// What stands before it in the header `Authorization`: `Bearer` (RFC 6750 2.1) or what the API wants; perhaps nothing.
    #[serde(default = "bearer")]
    pub header_prefix: Line,
    /// What else is sent.
    #[serde(default, skip_serializing_if = "Parameters::is_empty")]
    pub parameters: Parameters,
}

/// Where tokens come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Server {
    /// Its endpoints are in its metadata (RFC 8414, OpenID Connect Discovery).
    Issuer(Line),
    /// They are known.
    Endpoints(Endpoints),
}

/// Endpoints, written by hand or taken from metadata.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Endpoints {
    /// RFC 6749 3.1; empty where no user is asked.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub authorization: Line,
    /// RFC 6749 3.2.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub token: Line,
    /// RFC 8628 3.1; empty where no device asks.
    #[serde(skip_serializing_if = "Line::is_empty")]
    pub device_authorization: Line,
}

/// What is sent to the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsedToken {
    /// The access token.
    #[default]
    AccessToken,
    /// The ID token: for APIs that know no better, since it says to a client who signed in, and not to an API what may be
    /// done (OpenID Connect Core 2).
    IdToken,
}

impl UsedToken {
    /// The member of the token response that holds it (RFC 6749 5.1, OpenID Connect Core 3.1.3.3).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::IdToken => "id_token",
        }
    }
}

/// Parameters besides those that OAuth has (RFC 6749 8.2), per request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Of the authorization request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub authorization: Vec<Parameter>,
    /// Of the token request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token: Vec<Parameter>,
    /// Of the refresh request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refresh: Vec<Parameter>,
}

/// A parameter besides those that OAuth has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What it is called; the name of a header when it goes there.
    pub name: Line,
    /// Its value.
    #[serde(default)]
    pub value: Line,
    /// Where it goes.
    #[serde(rename = "in")]
    pub place: Place,
}

/// Where a parameter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Into the query of the URL.
    Query,
    /// Into the form.
    Body,
    /// Into the headers.
    Header,
}

impl TokenSettings {
    /// How to obtain a token there, with nothing else said.
    pub fn new(grant_type: GrantType, server: Server) -> Self {
        Self {
            name: None,
            grant_type,
            server,
            client_id: Line::default(),
            client_secret: None,
            client_authentication: AuthMethod::default(),
            redirect_uri: Line::default(),
            scope: Line::default(),
            resource: Vec::new(),
            audience: Line::default(),
            state: Line::default(),
            use_token: UsedToken::default(),
            header_prefix: bearer(),
            parameters: Parameters::default(),
        }
    }

    /// The value of `Authorization` with this token, which may be the reference to a variable.
    pub fn authorization(&self, token: &str) -> String {
        if self.header_prefix.is_empty() { token.to_owned() } else { format!("{} {token}", self.header_prefix) }
    }

    pub(super) fn check(&self) -> Result<(), Invalid> {
        let Parameters { authorization, token, refresh } = &self.parameters;
        for list in [authorization, token, refresh] {
            if list.len() > MAX_LIST {
                return Err(Invalid::List);
            }
            let misnamed = |one: &Parameter| match one.place {
                Place::Header => HeaderName::parse(one.name.as_str()).is_none(),
                Place::Query | Place::Body => one.name.is_empty(),
            };
            if let Some(wrong) = list.iter().find(|one| misnamed(one)) {
                return Err(Invalid::Malformed(format!("{:?} is no name of a parameter there", wrong.name.as_str())));
            }
        }
        if authorization.iter().any(|one| one.place != Place::Query) {
            // A browser is sent there (RFC 6749 4.1.1): it has nothing but the URL.
            return Err(Invalid::Malformed("a parameter of the authorization request goes into the query".to_owned()));
        }
        if self.resource.len() > MAX_LIST { Err(Invalid::List) } else { Ok(()) }
    }
}

impl Parameters {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.authorization.is_empty() && self.token.is_empty() && self.refresh.is_empty()
    }
}

fn bearer() -> Line {
    Line::parse("Bearer").unwrap_or_default()
}
