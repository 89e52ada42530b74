//! A collection of Postman's, read. It is somebody else's file: what is odd in it is told and left out, and only what has
//! no bounds is refused as a whole.

use super::super::collection::{Collection, Folder, Item, Request};
use super::super::note::{Note, Notes, Why};
use super::super::secrets::Gathered;
use super::super::text::{Method, Name, VariableName};
use super::super::variable::Variable;
use super::super::{Invalid, MAX_BYTES, MAX_DEPTH, MAX_ITEMS, MAX_TEXT};
use super::json::{Members, description, is_disabled, is_filled, list, scalar, text};
use super::{TOKEN_REQUEST, auth, body, url};
use crate::value::Secret;
use grantor_jose::parse_object;
use serde_json::Value;

/// A collection that was read, and what of the file is not in it.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The collection.
    pub collection: Collection,
    /// What was not taken over, or not as it was.
    pub notes: Vec<Note>,
}

/// Why a file is no collection of Postman's that can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Foreign {
    /// It is too long.
    #[error("the file has more than {MAX_BYTES} bytes")]
    TooLong,
    /// It is not JSON, or not read as such.
    #[error("the file is no JSON object, has a member twice, or is nested too deeply")]
    NotJson,
    /// It is something else, or another version.
    #[error("the file is no collection of version 2.1: its info.schema is {0:?}")]
    OtherFormat(String),
    /// It has no bounds.
    #[error(transparent)]
    Invalid(#[from] Invalid),
}

/// Whether a file says that it is a collection of Postman's, in whatever version.
pub fn is_postman(json: &[u8]) -> bool {
    json.len() <= MAX_BYTES && parse_object(json).is_some_and(|members| schema(&members).is_some())
}

/// Reads a collection of version 2.1.
pub fn from_postman(json: &[u8]) -> Result<Imported, Foreign> {
    if json.len() > MAX_BYTES {
        return Err(Foreign::TooLong);
    }
    let members = parse_object(json).ok_or(Foreign::NotJson)?;
    let schema = schema(&members).unwrap_or_default();
    if !schema.contains("/v2.1.") {
        return Err(Foreign::OtherFormat(schema.chars().take(100).collect()));
    }
    let mut reader = Reader::default();
    // First, so that a secret that one of them holds is known when it is referred to.
    reader.variables(list(&members, "variable"));
    let info = members.get("info").and_then(Value::as_object).cloned().unwrap_or_default();
    let root = reader.folder(&members, &info, "", 0)?;
    let Reader { made, notes, .. } = reader;
    Ok(Imported { collection: Collection::new(root, made.finish())?, notes: notes.finish() })
}

fn schema(members: &Members) -> Option<&str> {
    members.get("info")?.get("schema")?.as_str()
}

#[derive(Default)]
struct Reader {
    made: Gathered,
    notes: Notes,
    items: usize,
}

impl Reader {
    fn variables(&mut self, all: &[Value]) {
        for (number, one) in all.iter().enumerate() {
            let at = format!("/variable/{number}");
            let Some(one) = one.as_object() else {
                self.notes.add(&at, Why::Malformed);
                continue;
            };
            if is_disabled(one) {
                self.notes.add(&at, Why::Disabled);
                continue;
            }
            let key = if one.contains_key("key") { text(one, "key") } else { text(one, "id") };
            let Some(name) = VariableName::parse(key) else {
                self.notes.add(&at, Why::VariableName);
                continue;
            };
            let value = one.get("value").map_or(Some(String::new()), scalar).filter(|value| value.len() <= MAX_TEXT);
            let Some(value) = value.filter(|_| !self.made.is_full()) else {
                self.notes.add(&at, Why::Unfit);
                continue;
            };
            let variable = if text(one, "type") == "secret" {
                Variable::secret(name, (!value.is_empty()).then(|| Secret::new(value)))
            } else {
                Variable::plain(name, value)
            };
            if !self.made.add(variable) {
                self.notes.add(&at, Why::Repeated);
            }
        }
    }

    /// A folder; `about` has its name, which for the outermost stands apart.
    fn folder(&mut self, members: &Members, about: &Members, at: &str, depth: usize) -> Result<Folder, Invalid> {
        if depth > MAX_DEPTH {
            return Err(Invalid::Depth);
        }
        let name = self.name(text(about, "name"), if depth == 0 { "Collection" } else { "Folder" }, at);
        let description = self.description(about, at);
        let token = auth::read(members.get("auth"), &format!("{at}/auth"), &mut self.made, &mut self.notes);
        self.untaken(members, at);
        if depth > 0 {
            self.local_variables(members, at);
        }
        let mut items = Vec::new();
        for (number, one) in list(members, "item").iter().enumerate() {
            let at = format!("{at}/item/{number}");
            self.items += 1;
            if self.items > MAX_ITEMS {
                return Err(Invalid::Items);
            }
            match one {
                Value::Object(one) if text(one, "id").starts_with(TOKEN_REQUEST) => {
                    self.notes.add(&at, Why::TokenRequest);
                }
                Value::Object(one) if one.contains_key("item") => {
                    items.push(Item::Folder(self.folder(one, one, &at, depth + 1)?));
                }
                Value::Object(one) if one.contains_key("request") => items.push(Item::Request(self.request(one, &at))),
                _ => self.notes.add(&at, Why::Malformed),
            }
        }
        Ok(Folder { name, description, token, items })
    }

    fn request(&mut self, item: &Members, at: &str) -> Request {
        let name = self.name(text(item, "name"), "Request", at);
        self.untaken(item, at);
        self.local_variables(item, at);
        if item.get("response").is_some_and(is_filled) {
            self.notes.add(&format!("{at}/response"), Why::Examples);
        }
        let at = format!("{at}/request");
        let mut short = Members::new();
        let request = match item.get("request") {
            Some(Value::Object(request)) => request,
            // A text is the URL of a GET.
            Some(url @ Value::String(_)) => {
                short.insert("url".to_owned(), url.clone());
                &short
            }
            _ => {
                self.notes.add(&at, Why::Malformed);
                &short
            }
        };
        let Self { made, notes, .. } = self;
        let token = auth::read(request.get("auth"), &format!("{at}/auth"), made, notes);
        let url = url::read(request.get("url"), &format!("{at}/url"), notes);
        let mut headers = body::read_headers(request.get("header"), &format!("{at}/header"), made, notes);
        let (body, media_type) = body::read(request.get("body"), &format!("{at}/body"), made, notes);
        if !body.is_empty() {
            body::with_media_type(&mut headers, media_type);
        }
        for unknown in ["proxy", "certificate"] {
            if request.get(unknown).is_some_and(is_filled) {
                notes.add(&format!("{at}/{unknown}"), Why::Setting(unknown.to_owned()));
            }
        }
        let method = self.method(text(request, "method"), &at);
        let described = if description(request).is_empty() { item } else { request };
        let description = self.description(described, &at);
        Request { name, description, token, method, url, headers, body }
    }

    fn method(&mut self, raw: &str, at: &str) -> Method {
        let written = if raw.is_empty() { "GET" } else { raw };
        Method::parse(&written.to_ascii_uppercase()).unwrap_or_else(|| {
            self.notes.add(&format!("{at}/method"), Why::Unfit);
            Method::get()
        })
    }

    fn name(&mut self, raw: &str, otherwise: &'static str, at: &str) -> Name {
        Name::cleaned(raw).unwrap_or_else(|| {
            self.notes.add(at, Why::Named);
            Name::of(otherwise)
        })
    }

    fn description(&mut self, members: &Members, at: &str) -> String {
        let text = description(members);
        if text.len() > MAX_TEXT {
            self.notes.add(&format!("{at}/description"), Why::Unfit);
            return String::new();
        }
        text.to_owned()
    }

    /// What there is no place for, at any level.
    fn untaken(&mut self, members: &Members, at: &str) {
        for (number, event) in list(members, "event").iter().enumerate() {
            // Programs write empty ones.
            let script = event.get("script").and_then(|script| script.get("exec").or_else(|| script.get("src")));
            let says_something = |script: &Value| match script {
                Value::Array(lines) => lines.iter().any(is_filled),
                other => is_filled(other),
            };
            if script.is_some_and(says_something) {
                self.notes.add(&format!("{at}/event/{number}"), Why::Script);
            }
        }
        if members.get("protocolProfileBehavior").is_some_and(is_filled) {
            let why = Why::Setting("protocolProfileBehavior".to_owned());
            self.notes.add(&format!("{at}/protocolProfileBehavior"), why);
        }
    }

    fn local_variables(&mut self, members: &Members, at: &str) {
        if members.get("variable").is_some_and(is_filled) {
            self.notes.add(&format!("{at}/variable"), Why::LocalVariables);
        }
    }
}
