//! Saved requests in folders.

use super::settings::TokenSettings;
use super::text::{HeaderName, Line, Method, Name, VariableName};
use super::variable::{self, Variable};
use super::{Invalid, MAX_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_LIST, MAX_TEXT};
use crate::value::Secret;
use grantor_jose::parse_object;
use serde::{Deserialize, Serialize};

/// A folder with everything in it, and the variables that it brings. Whoever has one has one within all bounds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Collection {
    root: Folder,
    variables: Vec<Variable>,
}

/// A collection as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    name: Name,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Token::is_inherited")]
    token: Token,
    #[serde(default)]
    variables: Vec<Variable>,
    items: Vec<Item>,
}

/// What a folder holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// More of the same.
    Folder(Folder),
    /// A request.
    Request(Request),
}

/// Requests and folders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// What people call it.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How the requests in it get a token, unless they say so themselves.
    #[serde(default, skip_serializing_if = "Token::is_inherited")]
    pub token: Token,
    /// In the order in which they are shown.
    pub items: Vec<Item>,
}

/// How a request gets its token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Token {
    /// As the folder around it says; at the outermost: not at all.
    #[default]
    Inherited,
    /// Not at all.
    None,
    /// So.
    Settings(Box<TokenSettings>),
}

/// A request to an API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What people call it.
    pub name: Name,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How it gets its token.
    #[serde(default, skip_serializing_if = "Token::is_inherited")]
    pub token: Token,
    /// What is done.
    pub method: Method,
    /// To what.
    pub url: Line,
    /// The headers, without the one with the token.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<Header>,
    /// The body.
    #[serde(default, skip_serializing_if = "Body::is_empty")]
    pub body: Body,
}

/// A header of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Its name.
    pub name: HeaderName,
    /// Its value.
    pub value: Line,
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// As it is; a header says what it is.
    Text(String),
    /// `application/x-www-form-urlencoded`.
    Form(Vec<Field>),
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Collection {
    /// A collection, when it is within the bounds.
    pub fn new(root: Folder, variables: Vec<Variable>) -> Result<Self, Invalid> {
        variable::check(&variables)?;
        let mut counted = 0;
        check_folder(&root, 0, &mut counted, &variables)?;
        let collection = Self { root, variables };
        match serde_json::to_vec(&collection) {
            Ok(json) if json.len() <= MAX_BYTES => Ok(collection),
            _ => Err(Invalid::Bytes),
        }
    }

    /// Reads one as it is serialized: JSON, in which no member is there twice.
    pub fn parse(json: &[u8]) -> Result<Self, Invalid> {
        if json.len() > MAX_BYTES {
            return Err(Invalid::Bytes);
        }
        let members = parse_object(json).ok_or_else(|| {
            Invalid::Malformed("it is no JSON object, has a member twice, or is nested too deeply".to_owned())
        })?;
        let wire: Wire = serde_json::from_value(members.into()).map_err(|why| Invalid::Malformed(why.to_string()))?;
        Self::try_from(wire)
    }

    /// The outermost folder: it has the name and the settings of the whole.
    pub fn root(&self) -> &Folder {
        &self.root
    }

    /// The variables that it brings.
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Takes the secrets out, to be sealed and kept apart: what stays behind says only that they exist.
    pub fn take_secrets(&mut self) -> Vec<(VariableName, Secret)> {
        variable::take_secrets(&mut self.variables)
    }

    /// Puts a secret back into its place; false when there is no secret variable of this name.
    pub fn put_secret(&mut self, name: &VariableName, secret: Secret) -> bool {
        variable::put_secret(&mut self.variables, name, secret)
    }

    /// The request at `path`: of each folder from the outermost on which of its items, counted from 0. With it the token settings
    /// that are in force there.
    pub fn request(&self, path: &[usize]) -> Option<(&Request, Option<&TokenSettings>)> {
        let (last, folders) = path.split_last()?;
        let (folder, settings) = self.folder(folders)?;
        match folder.items.get(*last)? {
            Item::Request(request) => Some((request, request.token.or(settings))),
            Item::Folder(_) => None,
        }
    }

    /// The folder at `path`, the outermost for none, with the token settings that are in force in it.
    pub fn folder(&self, path: &[usize]) -> Option<(&Folder, Option<&TokenSettings>)> {
        path.iter().try_fold((&self.root, self.root.token.or(None)), |(folder, settings), at| {
            match folder.items.get(*at)? {
                Item::Folder(inner) => Some((inner, inner.token.or(settings))),
                Item::Request(_) => None,
            }
        })
    }
}

impl Token {
    /// The settings that are in force here, when those around it are `inherited`: the nearest ones.
    pub fn or<'a>(&'a self, inherited: Option<&'a TokenSettings>) -> Option<&'a TokenSettings> {
        match self {
            Self::Inherited => inherited,
            Self::None => None,
            Self::Settings(settings) => Some(settings),
        }
    }

    /// Whether nothing is said here.
    pub fn is_inherited(&self) -> bool {
        matches!(self, Self::Inherited)
    }
}

impl Body {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

impl TryFrom<Wire> for Collection {
    type Error = Invalid;

    fn try_from(wire: Wire) -> Result<Self, Invalid> {
        let Wire { name, description, token, variables, items } = wire;
        Self::new(Folder { name, description, token, items }, variables)
    }
}

impl From<Collection> for Wire {
    fn from(collection: Collection) -> Self {
        let Collection { root: Folder { name, description, token, items }, variables } = collection;
        Self { name, description, token, variables, items }
    }
}

fn check_folder(folder: &Folder, depth: usize, counted: &mut usize, variables: &[Variable]) -> Result<(), Invalid> {
    if depth > MAX_DEPTH {
        return Err(Invalid::Depth);
    }
    check_text(&folder.description)?;
    check_token(&folder.token, variables)?;
    for item in &folder.items {
        *counted += 1;
        if *counted > MAX_ITEMS {
            return Err(Invalid::Items);
        }
        match item {
            Item::Folder(inner) => check_folder(inner, depth + 1, counted, variables)?,
            Item::Request(request) => check_request(request, variables)?,
        }
    }
    Ok(())
}

fn check_request(request: &Request, variables: &[Variable]) -> Result<(), Invalid> {
    check_text(&request.description)?;
    check_token(&request.token, variables)?;
    if request.headers.len() > MAX_LIST {
        return Err(Invalid::List);
    }
    match &request.body {
        Body::Empty => Ok(()),
        Body::Text(text) => check_text(text),
        Body::Form(fields) if fields.len() > MAX_LIST => Err(Invalid::List),
        Body::Form(fields) => fields.iter().try_for_each(|field| check_text(&field.name).and(check_text(&field.value))),
    }
}

fn check_token(token: &Token, variables: &[Variable]) -> Result<(), Invalid> {
    let Token::Settings(settings) = token else { return Ok(()) };
    settings.check()?;
    // A variable that an environment brings is not seen here; one that is seen must be a secret.
    let plain =
        |name: &VariableName| variables.iter().any(|variable| variable.name == *name && !variable.value.is_secret());
    match &settings.client_secret {
        Some(name) if plain(name) => Err(Invalid::PlainSecret(name.to_string())),
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), Invalid> {
    if text.len() > MAX_TEXT { Err(Invalid::Text) } else { Ok(()) }
}
